//! A ptrace stop: one immutable record, but for what the tracer itself changes.

use abi::SigInfo;
use abi::linux::ptrace as nr;
use abi::signal::{SIGTRAP, code::SI_USER};

/// What kind of stop it is (ptrace(2), Stopped states).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopKind {
    /// signal-delivery-stop.
    Signal,
    /// group-stop of a tracee that was not seized.
    Group,
    /// syscall-entry-stop.
    SyscallEntry,
    /// syscall-exit-stop.
    SyscallExit,
    /// event-stop, with the event's number; 128 is PTRACE_EVENT_STOP.
    Event(u8),
}

/// A stop.
#[derive(Clone, Debug)]
pub struct Stop {
    /// Its kind.
    pub kind: StopKind,
    /// Bits 8 and up of the wait status.
    pub code: u32,
    /// What PTRACE_GETSIGINFO shows; a group-stop has none.
    pub info: Option<SigInfo>,
    /// What PTRACE_GETEVENTMSG shows.
    pub message: u64,
}

impl Stop {
    pub(super) fn signal(info: SigInfo) -> Stop {
        Stop {
            kind: StopKind::Signal,
            code: info.signo as u32 & 0x7f,
            info: Some(info),
            message: 0,
        }
    }

    pub(super) fn group(signo: u8) -> Stop {
        Stop {
            kind: StopKind::Group,
            code: signo.into(),
            info: None,
            message: 0,
        }
    }

    /// A stop whose siginfo is made up from its code: `si_code` is the code, the sender the
    /// tracee `own` (tid, uid) itself.
    fn notified(kind: StopKind, code: u32, message: u64, (tid, uid): (u32, u32)) -> Stop {
        let mut info = SigInfo::from_process(SIGTRAP, SI_USER, tid, uid);
        info.signo = code as i32 & 0x7f;
        info.code = code as i32;
        Stop {
            kind,
            code,
            info: Some(info),
            message,
        }
    }

    pub(super) fn event(number: u32, message: u64, own: (u32, u32)) -> Stop {
        let code = u32::from(SIGTRAP) | number << 8;
        Stop::notified(StopKind::Event(number as u8), code, message, own)
    }

    /// PTRACE_EVENT_STOP with SIGTRAP or the signal that stopped the process.
    pub(super) fn event_stop(signo: u8, own: (u32, u32)) -> Stop {
        let number = nr::PTRACE_EVENT_STOP;
        let code = u32::from(signo) | number << 8;
        Stop::notified(StopKind::Event(number as u8), code, 0, own)
    }

    /// The code of a system call stop.
    pub(super) fn syscall_code(sysgood: bool) -> u32 {
        u32::from(SIGTRAP) | if sysgood { 0x80 } else { 0 }
    }

    pub(super) fn syscall(kind: StopKind, sysgood: bool, own: (u32, u32)) -> Stop {
        let code = Stop::syscall_code(sysgood);
        let message = match kind {
            StopKind::SyscallEntry => nr::PTRACE_EVENTMSG_SYSCALL_ENTRY,
            _ => nr::PTRACE_EVENTMSG_SYSCALL_EXIT,
        };
        Stop::notified(kind, code, message.into(), own)
    }

    /// Whether PTRACE_LISTEN is allowed here. Asked of the siginfo, which SETSIGINFO may have
    /// replaced, as Linux does.
    pub(super) fn may_listen(&self) -> bool {
        self.info
            .is_some_and(|info| info.code >> 8 == nr::PTRACE_EVENT_STOP as i32)
    }
}
