//! PTRACE_INTERRUPT and LISTEN: stops without SIGSTOP.

use super::{Done, OK, Request};
use crate::Procmgr;
use crate::hold::{Going, Hold};
use crate::machine::Machine;
use crate::report::ToTracer;
use crate::task::State;
use abi::linux::ptrace::PTRACE_EVENT_STOP;
use abi::tracer::{SignalAction, Step};
use abi::{Errno, TaskId};

impl Procmgr {
    /// At a stop it is remembered and makes the next one. EIO: not seized.
    pub(super) fn interrupt_tracee(
        &mut self,
        m: &mut impl Machine,
        r: &Request,
    ) -> Result<Done, Errno> {
        let trace = &self.task(r.target).trace;
        if !trace.bond.is_some_and(|bond| bond.seized) {
            return Err(Errno::EIO);
        }
        let leased = trace.is_leased();
        if self.stop_listening(m, r.target, false) {
            return Ok(OK);
        }
        match leased {
            true => self.quiesce(m, r.target),
            false => self.tell_tracer(m, r.target, ToTracer::Interrupt),
        }
        Ok(OK)
    }

    /// A task that listens shows its stop again, or, once its process is `continued`, the stop that
    /// tells of that. Whether it was listening.
    pub(crate) fn stop_listening(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        continued: bool,
    ) -> bool {
        let stopped = &self.task(id).trace.stopped;
        let Some(stopped) = stopped.as_ref().filter(|s| s.listening) else {
            return false;
        };
        let stop = match continued {
            true => abi::ptrace::Stop::event_stop(abi::signal::SIGTRAP),
            false => stopped.stop,
        };
        self.publish(m, id, stop);
        true
    }

    /// Leaves the tracee where it is, but no longer at a stop. EIO: not seized, or not at an
    /// event-stop of PTRACE_EVENT_STOP, which Linux tells by the siginfo.
    pub(super) fn listen(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        let seized = self.task(r.target).trace.bond.is_some_and(|b| b.seized);
        let info = self.stop_info(r.target)?;
        let event_stop = info.is_some_and(|info| info.code >> 8 == PTRACE_EVENT_STOP as i32);
        if !seized || !event_stop {
            return Err(Errno::EIO);
        }
        let task = self.task(r.target);
        let job_control = matches!(
            task.state,
            State::Held(Hold::Quiesce | Hold::JobControl { .. })
        );
        if job_control && self.process(task.process).stopped.is_some() {
            // Its process's stop keeps it.
            let mode = task.trace.mode;
            let stays = Going::Signal(SignalAction::Stop);
            self.end_by_tracer(m, r.target, mode, Step::None, stays);
            return Ok(OK);
        }
        // Nothing but the tracer's hold keeps it: the report stays outstanding.
        self.end_shown_stop(m, r.target);
        let stopped = self.at_stop_mut(r.target)?;
        stopped.listening = true;
        if core::mem::take(&mut stopped.unseen) {
            self.stop_is_seen(r.target, r.client);
        }
        // What came before it listened makes the next stop at once.
        let trace = &self.task(r.target).trace;
        let (asked, continued) = (trace.quiesce, trace.continued);
        if asked || continued {
            self.stop_listening(m, r.target, continued);
        }
        Ok(OK)
    }
}
