//! PTRACE_CONT, SYSCALL, SINGLESTEP, SYSEMU, SYSEMU_SINGLESTEP and KILL (A5, A6).

use super::{Done, Mode, OK, Request, StopKind, Target};
use crate::engine::{Choice, State};
use crate::{Host, Tracer, host};
use abi::linux::ptrace as nr;
use abi::signal::{SIGKILL, SIGMAX, code};
use abi::tracer::{Call, Events, SignalAction, Step};
use abi::{Errno, SigInfo};

impl Tracer {
    pub(super) fn resume(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
        mode: Mode,
        step: bool,
    ) -> Result<Done, Errno> {
        let signal = signal_argument(request.data)?;
        self.give_signal(host, target, signal)?;
        let task = self.tasks.get_mut(target.task).ok_or(Errno::ESRCH)?;
        let (_, tracee) = task.ptrace().ok_or(Errno::ESRCH)?;
        tracee.stop = None;
        tracee.mode = mode;
        let state = if step {
            State::SINGLESTEP
        } else {
            State::empty()
        };
        let flags = tracee.flags(state);
        task.chain.set_flags(target.engine, flags)?;
        match self.run(host, target.task) {
            // The signal just sent has ended the stop before the answer could.
            Err(Errno::ESRCH) if signal == Some(SIGKILL) => Ok(OK),
            result => result.map(|()| OK),
        }
    }

    /// A resume, without a signal, of a tracee that is at a stop which the process manager has
    /// published by itself, if it is at one at all: nobody has looked at this stop, so it need
    /// not be known here. None where the request is another one or the stop has to be known.
    pub(super) fn resume_unseen(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
    ) -> Option<Result<Done, Errno>> {
        let (mode, state, step) = match request.request() {
            nr::PTRACE_CONT => (Mode::Free, State::empty(), Step::None),
            nr::PTRACE_SYSCALL => (Mode::Syscall, State::empty(), Step::None),
            nr::PTRACE_SINGLESTEP => (Mode::Free, State::SINGLESTEP, Step::Single),
            _ => return None,
        };
        let task = self.tasks.get_mut(target.task)?;
        if request.data != 0 || !task.may_be_unseen() {
            return None;
        }
        let (_, tracee) = task.ptrace()?;
        if tracee.interrupt || tracee.group.is_some() {
            return None;
        }
        let old = tracee.mode;
        tracee.mode = mode;
        let flags = tracee.flags(state);
        let posting = tracee.posting();
        // Nothing is published unseen where there are other engines: these events are all.
        let events = flags.events | Events::DEATH | Events::REAP;
        let call = Call::Resume {
            task: target.task,
            events,
            posting,
            step,
        };
        if let Err(e) = host::done(host, &call) {
            tracee.mode = old;
            return Some(Err(e));
        }
        task.subscribed = (events, posting);
        let set = task.chain.set_flags(target.engine, flags);
        Some(set.map(|()| OK))
    }

    /// Today's Linux: SIGKILL, whether at a stop or not.
    pub(super) fn kill(&mut self, host: &mut impl Host, target: Target) -> Result<Done, Errno> {
        let info = SigInfo::new(SIGKILL, code::SI_USER);
        // A tracee that is dead already is not news.
        let _ = host::signal(host, target.task, info, true);
        Ok(OK)
    }

    /// Hands over the signal of a resume or detach (A6). The siginfo that a signal-delivery-stop
    /// then goes on with, if any.
    pub(super) fn give_signal(
        &mut self,
        host: &mut impl Host,
        target: Target,
        signal: Option<u8>,
    ) -> Result<Option<SigInfo>, Errno> {
        let tracee = self.tracee(target)?;
        let tracer = tracee.tracer;
        let stop = tracee.stop.as_ref().ok_or(Errno::ESRCH)?;
        let Some(signo) = signal else {
            return Ok(None);
        };
        match stop.kind {
            StopKind::SyscallEntry | StopKind::SyscallExit => {
                let info = SigInfo::new(signo, code::SI_KERNEL);
                host::signal(host, target.task, info, false)?;
                Ok(None)
            }
            StopKind::Signal => {
                let info = match stop.info {
                    Some(info) if info.signo == i32::from(signo) => info,
                    _ => tracer.chose(signo),
                };
                let task = self.tasks.get_mut(target.task).ok_or(Errno::ESRCH)?;
                let choice = Choice::Act(SignalAction::Deliver);
                task.chain.inject(target.engine, choice, info)?;
                Ok(Some(info))
            }
            StopKind::Group | StopKind::Event(_) => Ok(None),
        }
    }
}

/// The signal that a resume or detach names in `data`; EIO if it is none.
pub(super) fn signal_argument(data: u64) -> Result<Option<u8>, Errno> {
    match u8::try_from(data) {
        Ok(0) => Ok(None),
        Ok(signo) if signo <= SIGMAX => Ok(Some(signo)),
        _ => Err(Errno::EIO),
    }
}
