//! PTRACE_SETOPTIONS, and PTRACE_GETEVENTMSG whose messages the options bring.

use super::{Done, OK, Request, Target, put_user};
use crate::{Host, Tracer};
use abi::Errno;
use abi::linux::ptrace as nr;
use abi::tracer::CloneKind;
use bitflags::bitflags;

bitflags! {
    /// Linux's PTRACE_O_ bits.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Options: u64 {
        /// PTRACE_O_TRACESYSGOOD.
        const SYSGOOD = nr::PTRACE_O_TRACESYSGOOD as u64;
        /// PTRACE_O_TRACEFORK.
        const FORK = nr::PTRACE_O_TRACEFORK as u64;
        /// PTRACE_O_TRACEVFORK.
        const VFORK = nr::PTRACE_O_TRACEVFORK as u64;
        /// PTRACE_O_TRACECLONE.
        const CLONE = nr::PTRACE_O_TRACECLONE as u64;
        /// PTRACE_O_TRACEEXEC.
        const EXEC = nr::PTRACE_O_TRACEEXEC as u64;
        /// PTRACE_O_TRACEVFORKDONE.
        const VFORK_DONE = nr::PTRACE_O_TRACEVFORKDONE as u64;
        /// PTRACE_O_TRACEEXIT.
        const EXIT = nr::PTRACE_O_TRACEEXIT as u64;
        /// PTRACE_O_TRACESECCOMP: accepted, and nothing ever comes of it.
        const SECCOMP = nr::PTRACE_O_TRACESECCOMP as u64;
        /// PTRACE_O_EXITKILL.
        const EXITKILL = nr::PTRACE_O_EXITKILL as u64;
    }
}

impl Options {
    /// The options that `data` names; EINVAL for unknown bits, and for SUSPEND_SECCOMP, which
    /// Linux refuses where it has no seccomp.
    pub(super) fn parse(data: u64) -> Result<Options, Errno> {
        Options::from_bits(data).ok_or(Errno::EINVAL)
    }

    /// The event number of a clone of this kind and whether the options ask for it.
    pub(super) fn clone_event(self, kind: CloneKind) -> (u32, bool) {
        match kind {
            CloneKind::Fork => (nr::PTRACE_EVENT_FORK, self.contains(Options::FORK)),
            CloneKind::Vfork => (nr::PTRACE_EVENT_VFORK, self.contains(Options::VFORK)),
            CloneKind::Clone => (nr::PTRACE_EVENT_CLONE, self.contains(Options::CLONE)),
        }
    }
}

impl Tracer {
    /// In force at once: a tracee that is killed in this very stop shows its exit event.
    pub(super) fn set_options(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
    ) -> Result<Done, Errno> {
        let options = Options::parse(request.data)?;
        let task = self.tasks.get_mut(target.task).ok_or(Errno::ESRCH)?;
        let state = task.chain.engine(target.engine)?.flags.state;
        let (_, tracee) = task.ptrace().ok_or(Errno::ESRCH)?;
        tracee.options = options;
        let flags = tracee.flags(state);
        task.chain.set_flags(target.engine, flags)?;
        self.subscribe(host, target.task)?;
        Ok(OK)
    }

    pub(super) fn event_message(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
    ) -> Result<Done, Errno> {
        let message = self.stopped(target)?.message;
        put_user(host, request.client, request.data, &message.to_le_bytes())?;
        Ok(OK)
    }
}
