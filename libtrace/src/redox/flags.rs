//! What to stop at, and what is read of it.

use bitflags::bitflags;
use syscall::{PtraceEvent, PtraceFlags};

bitflags! {
    /// What a tracee is to stop at, what its tracer is told of while it runs, and how it goes on: the
    /// bits of `PtraceFlags`.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Flags: u64 {
        /// Before a system call. Going on with [`FLAG_IGNORE`](Flags::FLAG_IGNORE) skips it.
        const STOP_PRE_SYSCALL = PtraceFlags::PTRACE_STOP_PRE_SYSCALL.bits();
        /// Behind a system call, whose result is in its register.
        const STOP_POST_SYSCALL = PtraceFlags::PTRACE_STOP_POST_SYSCALL.bits();
        /// Behind one instruction.
        const STOP_SINGLESTEP = PtraceFlags::PTRACE_STOP_SINGLESTEP.bits();
        /// Before a signal. Going on with [`FLAG_IGNORE`](Flags::FLAG_IGNORE) drops it.
        const STOP_SIGNAL = PtraceFlags::PTRACE_STOP_SIGNAL.bits();
        /// At a breakpoint instruction.
        const STOP_BREAKPOINT = PtraceFlags::PTRACE_STOP_BREAKPOINT.bits();
        /// Before it exits, for whatever reason.
        const STOP_EXIT = PtraceFlags::PTRACE_STOP_EXIT.bits();
        /// All stops.
        const STOP_ALL = Self::STOP_PRE_SYSCALL.bits() | Self::STOP_POST_SYSCALL.bits()
            | Self::STOP_SINGLESTEP.bits() | Self::STOP_SIGNAL.bits()
            | Self::STOP_BREAKPOINT.bits() | Self::STOP_EXIT.bits();

        /// It has created a task, which stands still until this tracee is told to go on.
        const EVENT_CLONE = PtraceFlags::PTRACE_EVENT_CLONE.bits();
        /// It runs another program.
        const EVENT_ADDRSPACE_SWITCH = PtraceFlags::PTRACE_EVENT_ADDRSPACE_SWITCH.bits();
        /// All that are told of while it runs.
        const EVENT_ALL = Self::EVENT_CLONE.bits() | Self::EVENT_ADDRSPACE_SWITCH.bits();

        /// What it stands before does not happen.
        const FLAG_IGNORE = PtraceFlags::PTRACE_FLAG_IGNORE.bits();
        /// Wait for the next stop, also in nonblocking mode; without a stop beside it, for the one that
        /// was asked for before. `redox_syscall` does not name this bit any more.
        const FLAG_WAIT = 0x2000;
        /// All of these.
        const FLAG_ALL = Self::FLAG_IGNORE.bits() | Self::FLAG_WAIT.bits();
    }
}

/// What there is to know of an [`Event`] beside its cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventData {
    /// The new task's number.
    EventClone(usize),
    /// The breakpoint, which the instruction pointer points at.
    StopBreakpoint,
    /// The status, as a parent gets it from wait.
    StopExit(usize),
    /// The signal and what handles it: an address, 0 for the default or 1 for nothing.
    StopSignal(usize, usize),
    /// Nothing, or what is not known here.
    Unknown(usize, usize, usize, usize, usize, usize),
}

/// Something that a tracee stopped at, or did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// What, as one flag.
    pub cause: Flags,
    /// What there is to know of it.
    pub data: EventData,
}

impl Event {
    /// The event in the structure that a trace file is read by.
    pub fn new(inner: PtraceEvent) -> Event {
        let cause = Flags::from_bits_truncate(inner.cause.bits());
        let data = match cause {
            Flags::EVENT_CLONE => EventData::EventClone(inner.a),
            Flags::STOP_BREAKPOINT => EventData::StopBreakpoint,
            Flags::STOP_EXIT => EventData::StopExit(inner.a),
            Flags::STOP_SIGNAL => EventData::StopSignal(inner.a, inner.b),
            _ => EventData::Unknown(inner.a, inner.b, inner.c, inner.d, inner.e, inner.f),
        };
        Event { cause, data }
    }

    /// Whether the tracee has stopped, rather than gone on.
    pub fn is_stop(&self) -> bool {
        self.cause.intersects(Flags::STOP_ALL)
    }
}

impl From<PtraceFlags> for Flags {
    fn from(flags: PtraceFlags) -> Flags {
        Flags::from_bits_truncate(flags.bits())
    }
}

impl From<Flags> for PtraceFlags {
    fn from(flags: Flags) -> PtraceFlags {
        PtraceFlags::from_bits_retain(flags.bits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use syscall::ptrace_event;

    #[test]
    fn the_bits_are_those_of_redox() {
        assert_eq!(Flags::STOP_ALL.bits(), 0x3f);
        assert_eq!(Flags::EVENT_ALL.bits(), 0x300);
        assert_eq!(Flags::FLAG_ALL.bits(), 0x3000);
        let all = Flags::all();
        assert_eq!(Flags::from(PtraceFlags::from(all)), all);
        assert!(PtraceFlags::from_bits(all.bits()).is_some());
    }

    #[test]
    fn an_event_knows_what_its_numbers_are() {
        let read = |cause| Event::new(ptrace_event!(cause, 7, 8)).data;
        let clone = read(PtraceFlags::PTRACE_EVENT_CLONE);
        assert_eq!(clone, EventData::EventClone(7));
        let signal = read(PtraceFlags::PTRACE_STOP_SIGNAL);
        assert_eq!(signal, EventData::StopSignal(7, 8));
        let exit = read(PtraceFlags::PTRACE_STOP_EXIT);
        assert_eq!(exit, EventData::StopExit(7));
        let call = read(PtraceFlags::PTRACE_STOP_PRE_SYSCALL);
        assert_eq!(call, EventData::Unknown(7, 8, 0, 0, 0, 0));
    }

    #[test]
    fn stops_are_told_from_what_happens_meanwhile() {
        let event = |cause| Event::new(ptrace_event!(cause));
        assert!(event(PtraceFlags::PTRACE_STOP_EXIT).is_stop());
        assert!(!event(PtraceFlags::PTRACE_EVENT_CLONE).is_stop());
    }
}
