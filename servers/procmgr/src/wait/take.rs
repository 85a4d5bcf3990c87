//! What a wait finds about a task, and gives to who waits.

use super::{Found, Output, WaitRequest, message_result};
use crate::Procmgr;
use crate::exit::exit_code;
use crate::machine::Machine;
use crate::process::ProcessIx;
use crate::task::State;
use abi::linux::general as g;
use abi::signal::{SIGCONT, code};
use abi::{SigInfo, TaskId};
use alloc::boxed::Box;

impl Procmgr {
    pub(super) fn look_at(
        &mut self,
        m: &mut impl Machine,
        waiter: ProcessIx,
        task: TaskId,
        as_tracer: bool,
        req: &WaitRequest,
    ) -> Option<Found> {
        if let State::Zombie = self.task(task).state {
            return self.take_death(m, waiter, task, as_tracer, req);
        }
        if as_tracer || self.task(task).trace.tracer.is_some() && self.tracer_is_parent(task) {
            // The tracer's view of it is the only one, and its stops are found elsewhere.
            return None;
        }
        self.take_job_stop(m, task, req)
    }

    pub(super) fn found(
        &self,
        m: &mut impl Machine,
        task: TaskId,
        req: &WaitRequest,
        status: i32,
        (si_code, si_status): (i32, i32),
    ) -> Found {
        let t = self.task(task);
        let uid = self.credentials(task).uid[0];
        Found {
            tid: t.tid,
            uid,
            status,
            si_code,
            si_status,
            rusage: (req.rusage != 0).then(|| Box::new(self.rusage_of_both(m, t.process))),
        }
    }

    pub(super) fn take_death(
        &mut self,
        m: &mut impl Machine,
        waiter: ProcessIx,
        task: TaskId,
        as_tracer: bool,
        req: &WaitRequest,
    ) -> Option<Found> {
        let t = self.task(task);
        let process = self.process(t.process);
        let leader = process.leader == task;
        let traced = t.trace.tracer.is_some();
        let elsewhere = traced && !self.tracer_is_parent(task);
        if req.options & g::WEXITED == 0 || (leader && !self.alone(task)) {
            return None;
        }
        if !as_tracer && elsewhere {
            return None;
        }
        let status = self.wait_status(task);
        let found = self.found(m, task, req, status, exit_code(status));
        if req.options & g::WNOWAIT == 0 {
            self.unbind(task);
            if as_tracer && elsewhere && leader {
                self.tell_parent_of_death(m, task);
            } else {
                if leader {
                    self.count_child(m, waiter, self.process_of(task));
                }
                self.reap(m, task);
            }
        }
        Some(found)
    }

    pub(super) fn take_trace_stop(
        &mut self,
        m: &mut impl Machine,
        task: TaskId,
        req: &WaitRequest,
    ) -> Option<Found> {
        // A ptrace stop needs no WUNTRACED; waitid has to ask for stops all the same.
        let asked = !matches!(req.output, Output::Info(_)) || req.options & g::WSTOPPED != 0;
        let trace = &mut self.task_mut(task).trace;
        let tracer = trace.tracer?;
        let stopped = trace.stopped.as_mut();
        let stopped = stopped.filter(|stopped| asked && stopped.unseen)?;
        let stop = stopped.stop;
        if req.options & g::WNOWAIT == 0 {
            stopped.unseen = false;
            self.stop_is_seen(task, tracer);
            self.show_seen(m, task);
        }
        let told = (code::CLD_TRAPPED, stop.code as i32);
        Some(self.found(m, task, req, stop.status(), told))
    }

    pub(super) fn take_job_stop(
        &mut self,
        m: &mut impl Machine,
        task: TaskId,
        req: &WaitRequest,
    ) -> Option<Found> {
        let ix = self.process_of(task);
        let process = self.process(ix);
        let keep = req.options & g::WNOWAIT != 0;
        if req.options & g::WSTOPPED != 0
            && process.stop_unseen
            && let Some(signo) = process.stopped
        {
            self.process_mut(ix).stop_unseen = keep;
            let signo = i32::from(signo);
            let told = (code::CLD_STOPPED, signo);
            return Some(self.found(m, task, req, signo << 8 | 0x7f, told));
        }
        if req.options & g::WCONTINUED != 0 && process.continue_unseen {
            self.process_mut(ix).continue_unseen = keep;
            let told = (code::CLD_CONTINUED, SIGCONT.into());
            return Some(self.found(m, task, req, 0xffff, told));
        }
        None
    }

    /// Stores what was found. The child is reaped even where the addresses are bad.
    pub(super) fn give(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        req: &WaitRequest,
        f: &Found,
    ) -> i64 {
        let mut result = Ok(());
        if let Some(rusage) = &f.rusage {
            result = result.and(self.put(m, id, req.rusage, &rusage[..]));
        }
        match req.output {
            Output::Status(0) | Output::Info(0) | Output::Message => {}
            Output::Status(addr) => {
                result = result.and(self.put(m, id, addr, &f.status.to_le_bytes()));
            }
            Output::Info(addr) => {
                let info = SigInfo::child(f.si_code, f.tid, f.uid, f.si_status, 0, 0);
                // waitid(2) leaves the times alone.
                result = result.and(self.put(m, id, addr, &info.to_bytes()[..28]));
            }
        }
        match (result, req.output) {
            (Err(e), _) => e.as_result(),
            (Ok(()), Output::Status(_)) => f.tid.into(),
            (Ok(()), Output::Info(_)) => 0,
            (Ok(()), Output::Message) => message_result(f.tid, f.status),
        }
    }
}
