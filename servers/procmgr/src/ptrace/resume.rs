//! PTRACE_CONT, SYSCALL, SINGLESTEP, SYSEMU and SYSEMU_SINGLESTEP (A5), and what becomes of the
//! signal that a resumption or a detach names (A6).

use super::{Done, OK, Request};
use crate::Procmgr;
use crate::hold::{Going, Resumed};
use crate::machine::Machine;
use crate::report::ToTracer;
use crate::task::State;
use abi::ptrace::{Mode, StopKind};
use abi::signal::{SIGMAX, code};
use abi::tracer::{SignalAction, Step};
use abi::{Errno, SigInfo, TaskId};

impl Procmgr {
    pub(super) fn resume_tracee(
        &mut self,
        m: &mut impl Machine,
        r: &Request,
        mode: Mode,
        step: Step,
    ) -> Result<Done, Errno> {
        let signal = signal_argument(r.data)?;
        if let Some(going) = self.resumption(m, r.target, r.client, signal)? {
            self.end_by_tracer(m, r.target, mode, step, going);
        }
        Ok(OK)
    }

    /// What a stopped task goes on with when its tracer `by` gives it a signal or none. At a system
    /// call's stop the signal is simply sent, and none is left of the stop where that kills. At a
    /// signal-delivery-stop it takes the place of the one that was stopped for, whose siginfo it
    /// keeps where the number is the same. At other stops it is ignored.
    pub(crate) fn resumption(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        by: TaskId,
        signal: Option<u8>,
    ) -> Result<Option<Going>, Errno> {
        let kind = self.at_stop(id)?.stop.kind;
        if let (StopKind::SyscallEntry { .. } | StopKind::SyscallExit, Some(signo)) = (kind, signal)
        {
            self.signal_task(m, id, SigInfo::new(signo, code::SI_KERNEL))?;
            if self.at_stop(id).is_err() {
                return Ok(None);
            }
        }
        Ok(Some(match kind {
            StopKind::Signal => match signal {
                Some(signo) => {
                    let info = self.chosen(id, by, signo)?;
                    self.task_mut(id).trace.signal = info;
                    Going::Signal(SignalAction::Deliver)
                }
                None => Going::Signal(SignalAction::Ignore),
            },
            StopKind::SyscallEntry { emulated: true } => Going::AbortSyscall,
            _ => Going::Continue,
        }))
    }

    /// The siginfo of a signal that a tracer chose for a signal-delivery-stop.
    fn chosen(&self, id: TaskId, by: TaskId, signo: u8) -> Result<SigInfo, Errno> {
        Ok(match self.stop_info(id)? {
            Some(info) if info.signo == i32::from(signo) => info,
            _ => {
                let uid = self.credentials(by).uid[0];
                SigInfo::from_process(signo, code::SI_USER, self.task(by).tid, uid)
            }
        })
    }

    /// The tracer of a task has ended its stop. Where others have a word in it too, the tracer is told
    /// and lets the task go on.
    pub(super) fn end_by_tracer(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        mode: Mode,
        step: Step,
        going: Going,
    ) {
        let trace = &mut self.task_mut(id).trace;
        if trace.is_leased() {
            trace.set_mode(mode);
            return self.go_on_from_stop(m, id, step, going);
        }
        trace.resumed = Some(Resumed { mode, step, going });
        self.end_stop(m, id);
        self.tell_tracer(m, id, ToTracer::Resumed);
    }

    /// Lets a task go on from its stop.
    pub(crate) fn go_on_from_stop(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        step: Step,
        going: Going,
    ) {
        let State::Held(event) = self.task(id).state else {
            unreachable!("a task at a stop is held");
        };
        self.load_fpu_state(m, id);
        self.release(m, id, step);
        self.go_on(m, id, event, going);
    }
}

/// The signal that a resumption or detach names in `data`; EIO if it is none.
pub(crate) fn signal_argument(data: u64) -> Result<Option<u8>, Errno> {
    match u8::try_from(data) {
        Ok(0) => Ok(None),
        Ok(signo) if signo <= SIGMAX => Ok(Some(signo)),
        _ => Err(Errno::EIO),
    }
}
