//! ptrace's own values, which tracer and process manager share: options, stops, bonds.
//!
//! A *stop* is a value: what kind it is, what wait shows of it, what can be asked about it. The
//! process manager keeps it, because it keeps everything else that a request about a stop needs:
//! registers, memory, signals. Who may ask is the tracer's to say: it binds a tracee to its tracer.
//! Where ptrace is a task's only engine it *leases* the tracee's plain stops, which the two of them
//! then settle without it.

use crate::linux::ptrace as nr;
use crate::signal::{SIGTRAP, code::SI_USER};
use crate::tracer::{CloneKind, Events};
use crate::{Errno, SigInfo};
use bitflags::bitflags;
use serde::{Deserialize, Serialize};

bitflags! {
    /// Linux's PTRACE_O_ bits.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub struct Options: u32 {
        /// PTRACE_O_TRACESYSGOOD.
        const SYSGOOD = nr::PTRACE_O_TRACESYSGOOD;
        /// PTRACE_O_TRACEFORK.
        const FORK = nr::PTRACE_O_TRACEFORK;
        /// PTRACE_O_TRACEVFORK.
        const VFORK = nr::PTRACE_O_TRACEVFORK;
        /// PTRACE_O_TRACECLONE.
        const CLONE = nr::PTRACE_O_TRACECLONE;
        /// PTRACE_O_TRACEEXEC.
        const EXEC = nr::PTRACE_O_TRACEEXEC;
        /// PTRACE_O_TRACEVFORKDONE.
        const VFORK_DONE = nr::PTRACE_O_TRACEVFORKDONE;
        /// PTRACE_O_TRACEEXIT.
        const EXIT = nr::PTRACE_O_TRACEEXIT;
        /// PTRACE_O_TRACESECCOMP: accepted, and nothing ever comes of it.
        const SECCOMP = nr::PTRACE_O_TRACESECCOMP;
        /// PTRACE_O_EXITKILL.
        const EXITKILL = nr::PTRACE_O_EXITKILL;
    }
}

impl Options {
    /// The options that the data of a request names; none for unknown bits, among them
    /// SUSPEND_SECCOMP, which Linux refuses where it has no seccomp.
    pub fn parse(data: u64) -> Option<Options> {
        Options::from_bits(u32::try_from(data).ok()?)
    }

    /// The options that PTRACE_SEIZE names by its arguments. EIO: an address, or a bit that nothing is named by;
    /// EINVAL: SUSPEND_SECCOMP.
    pub fn of_seize(addr: u64, data: u64) -> Result<Options, Errno> {
        if addr != 0 || data & !u64::from(nr::PTRACE_O_MASK) != 0 {
            return Err(Errno::EIO);
        }
        Options::parse(data).ok_or(Errno::EINVAL)
    }

    /// The event number of a clone of this kind and whether the options ask for it.
    pub fn clone_event(self, kind: CloneKind) -> (u32, bool) {
        match kind {
            CloneKind::Fork => (nr::PTRACE_EVENT_FORK, self.contains(Options::FORK)),
            CloneKind::Vfork => (nr::PTRACE_EVENT_VFORK, self.contains(Options::VFORK)),
            CloneKind::Clone => (nr::PTRACE_EVENT_CLONE, self.contains(Options::CLONE)),
        }
    }
}

/// What a tracee does at system calls, as its last resumption asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// It performs them (PTRACE_CONT, PTRACE_SINGLESTEP).
    #[default]
    Free,
    /// It stops at entry and exit (PTRACE_SYSCALL).
    Syscall,
    /// It stops at entry and skips them (PTRACE_SYSEMU).
    Emulate,
}

impl Mode {
    /// The events that it takes.
    pub const fn events(self) -> Events {
        match self {
            Mode::Free => Events::empty(),
            Mode::Syscall => Events::SYSCALL_ENTRY.union(Events::SYSCALL_EXIT),
            Mode::Emulate => Events::SYSCALL_ENTRY,
        }
    }
}

/// What kind of stop it is (ptrace(2), Stopped states).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StopKind {
    /// signal-delivery-stop.
    Signal,
    /// group-stop of a tracee that was not seized.
    Group,
    /// syscall-entry-stop. The call is skipped when the tracee goes on (PTRACE_SYSEMU).
    SyscallEntry {
        /// Whether it is.
        emulated: bool,
    },
    /// syscall-exit-stop.
    SyscallExit,
    /// event-stop.
    Event,
}

/// A ptrace stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stop {
    /// Its kind.
    pub kind: StopKind,
    /// Bits 8 and up of the wait status: the signal, with 0x80 for TRACESYSGOOD and the event
    /// number from bit 8 of this on.
    pub code: u32,
    /// What PTRACE_GETEVENTMSG shows.
    pub message: u64,
}

impl Stop {
    /// The signal-delivery-stop of a signal.
    pub fn signal(signo: u8) -> Stop {
        Stop {
            kind: StopKind::Signal,
            code: signo.into(),
            message: 0,
        }
    }

    /// The group-stop that a signal made of a tracee which was not seized.
    pub fn group(signo: u8) -> Stop {
        Stop {
            kind: StopKind::Group,
            ..Stop::signal(signo)
        }
    }

    /// The stop of a PTRACE_EVENT_ with its message.
    pub fn event(number: u32, message: u64) -> Stop {
        Stop {
            kind: StopKind::Event,
            code: u32::from(SIGTRAP) | number << 8,
            message,
        }
    }

    /// PTRACE_EVENT_STOP with SIGTRAP or the signal that stopped the process.
    pub fn event_stop(signo: u8) -> Stop {
        Stop {
            kind: StopKind::Event,
            code: u32::from(signo) | nr::PTRACE_EVENT_STOP << 8,
            message: 0,
        }
    }

    /// A step has entered a signal's handler. It looks like the stop of a system call: no signal
    /// can be given.
    pub fn handler_step() -> Stop {
        Stop {
            kind: StopKind::Event,
            ..Stop::signal(SIGTRAP)
        }
    }

    /// A system call's entry or exit.
    pub fn syscall(kind: StopKind, options: Options) -> Stop {
        let sysgood = options.contains(Options::SYSGOOD);
        let message = match kind {
            StopKind::SyscallEntry { .. } => nr::PTRACE_EVENTMSG_SYSCALL_ENTRY,
            _ => nr::PTRACE_EVENTMSG_SYSCALL_EXIT,
        };
        Stop {
            kind,
            code: u32::from(SIGTRAP) | if sysgood { 0x80 } else { 0 },
            message: message.into(),
        }
    }

    /// The wait status.
    pub const fn status(&self) -> i32 {
        (self.code as i32) << 8 | 0x7f
    }

    /// The signal that wait shows, without the mark of a system call.
    pub const fn signo(&self) -> u8 {
        self.code as u8 & 0x7f
    }

    /// The siginfo of a stop that is no signal's: `si_code` is the stop's code, the sender the
    /// tracee itself. A group-stop has none.
    pub fn info(&self, tid: u32, uid: u32) -> Option<SigInfo> {
        if self.kind == StopKind::Group {
            return None;
        }
        let mut info = SigInfo::from_process(SIGTRAP, SI_USER, tid, uid);
        info.signo = self.signo().into();
        info.code = self.code as i32;
        Some(info)
    }
}

/// What the process manager knows of the bond between a tracee and its tracer. It needs it to make
/// stops by itself, and for the requests that depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bond {
    /// PTRACE_SETOPTIONS.
    pub options: Options,
    /// Attached by PTRACE_SEIZE.
    pub seized: bool,
}

impl Bond {
    /// What ptrace's engine asks for, besides what its mode takes. That the task is not to be reaped is not
    /// among it: the process manager keeps the zombie of a task that has a tracer.
    pub fn events(self) -> Events {
        let mut events = Events::DEATH
            | Events::EXEC
            | Events::ANY_SIGNAL
            | Events::JCTL
            | Events::REAP
            | Events::CLONE_PTRACE;
        let clones = Options::FORK | Options::VFORK | Options::CLONE;
        for (options, event) in [
            (clones, Events::CLONE),
            (Options::EXIT, Events::EXIT),
            (Options::VFORK_DONE, Events::VFORK_DONE),
        ] {
            if self.options.intersects(options) {
                events |= event;
            }
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_siginfo_of_a_stop_tells_its_code() {
        let stop = Stop::event(nr::PTRACE_EVENT_EXEC, 7);
        let info = stop.info(40, 1000).expect("an event-stop has one");
        assert_eq!((info.signo, info.code), (5, 0x405));
        assert_eq!((info.pid(), info.uid()), (40, 1000));
        let stop = Stop::syscall(StopKind::SyscallExit, Options::SYSGOOD);
        let info = stop.info(40, 0).expect("a syscall stop has one");
        assert_eq!((info.signo, info.code, stop.message), (5, 0x85, 2));
        assert_eq!(Stop::group(19).info(40, 0), None);
    }

    #[test]
    fn unknown_options_are_none() {
        assert_eq!(Options::parse(0x10_00ff), Some(Options::all()));
        for unknown in [1 << 8, 1 << 21, 1 << 32, u64::MAX] {
            assert_eq!(Options::parse(unknown | 1), None, "{unknown:#x}");
        }
    }
}
