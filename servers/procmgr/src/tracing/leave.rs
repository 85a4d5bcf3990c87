//! The end of a bond between a tracee and its tracer (ptrace.md A4).

use crate::Procmgr;
use crate::hold::{Going, Hold};
use crate::machine::Machine;
use crate::ptrace::signal_argument;
use crate::task::State;
use abi::ptrace::{Options, StopKind};
use abi::signal::{SIGKILL, code};
use abi::tracer::{Course, Leave, Reply, SignalAction, Step};
use abi::{Errno, SigInfo, TaskId};

impl Procmgr {
    /// The bond is gone; without other engines, whose `course` it would be, nothing of the tracer's is
    /// left on the task, which goes on from where it is held.
    pub(super) fn leave_tracee(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        why: Leave,
        course: Option<&Course>,
    ) -> Result<Reply, Errno> {
        self.named_task(id)?;
        let going = match why {
            Leave::Request(signal) => {
                let by = self.task(id).trace.tracer.ok_or(Errno::ESRCH)?;
                self.at_stop(id)?;
                let signal = signal_argument(signal)?;
                match self.resumption(m, id, by, signal)? {
                    Some(going) => going,
                    None => return Ok(Reply::Done),
                }
            }
            Leave::Exit { kill } => {
                if let Some(tracer) = self.task(id).trace.tracer {
                    let ix = self.process_of(tracer);
                    self.settle_stops(m, ix);
                }
                if kill && self.task(id).alive() {
                    // SIGKILL cannot fail to be queued.
                    let _ = self.signal_task(m, id, SigInfo::new(SIGKILL, code::SI_KERNEL));
                }
                self.unattended(id)
            }
        };
        let process = self.process(self.process_of(id));
        let parent_knows = process.leader == id && self.tracer_is_parent(id);
        self.end_shown_stop(m, id);
        self.unbind(id);
        self.task_mut(id).trace.end_bond(course);
        match self.task(id).state {
            // Its first reader has gone: the others are told.
            State::Zombie if !parent_knows => self.announce_death(m, id),
            // Its own dealings with the tracer are not what the tracer lets go of.
            State::Held(Hold::Ptrace { .. } | Hold::ClientExit) => {}
            State::Held(event) => {
                let going = self.stay(id, event).unwrap_or(going);
                if course.is_some() {
                    let was_stopped = self.task(id).trace.stopped.is_some();
                    self.end_stop(m, id);
                    let verdict = going.verdict(self.task(id).trace.signal);
                    return Ok(match was_stopped {
                        true => Reply::Left(verdict),
                        false => Reply::Done,
                    });
                }
                self.go_on_from_stop(m, id, Step::None, going);
            }
            _ if course.is_none() => self.step_no_more(m, id),
            _ => {}
        }
        Ok(Reply::Done)
    }

    /// The same as if the tracer had exited.
    pub(super) fn leave_at_exit(&mut self, m: &mut impl Machine, id: TaskId) -> Result<(), Errno> {
        let bond = self.task(id).trace.bond;
        let kill = bond.is_some_and(|bond| bond.options.contains(Options::EXITKILL));
        self.leave_tracee(m, id, Leave::Exit { kill }, None)
            .map(drop)
    }

    /// How a task goes on whose tracer is gone: a signal that nobody has seen is delivered.
    fn unattended(&self, id: TaskId) -> Going {
        let stopped = self.task(id).trace.stopped.as_ref();
        match stopped.map(|stopped| (stopped.stop.kind, stopped.unseen)) {
            Some((StopKind::Signal, false)) => Going::Signal(SignalAction::Ignore),
            Some((StopKind::SyscallEntry { emulated: true }, _)) => Going::AbortSyscall,
            _ => Going::Continue,
        }
    }

    /// A process that job control has stopped stays so without its tracer.
    fn stay(&self, id: TaskId, event: Hold) -> Option<Going> {
        let stopped = self.process(self.process_of(id)).stopped.is_some();
        let job_control = matches!(event, Hold::Quiesce | Hold::JobControl { .. });
        (stopped && job_control).then_some(Going::Signal(SignalAction::Stop))
    }

    /// A task that is not held runs freely from when it next goes on.
    fn step_no_more(&mut self, m: &mut impl Machine, id: TaskId) {
        let task = self.task_mut(id);
        let stepped = core::mem::take(&mut task.trace.step) != Step::None;
        if stepped && task.space.is_some() {
            m.step(id, false);
        }
    }
}
