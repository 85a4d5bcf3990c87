//! What a set of flags asks of an engine, and what a callback is in Redox's words.

use syscall::{PtraceEvent, PtraceFlags, ptrace_event};

use super::Flags;
use crate::engine::{self, Event, Events, Response, SignalAction, State};

const SIGTRAP: i32 = 5;
/// A breakpoint instruction.
const SI_KERNEL: i32 = 0x80;
/// A step over a system call.
const TRAP_BRKPT: i32 = 1;
/// A step over any other instruction.
const TRAP_TRACE: i32 = 2;

/// Where a held task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nowhere in particular: somebody wanted it to stand still.
    Quiet,
    PreSyscall,
    PostSyscall,
    Signal,
    Step,
    Breakpoint,
    Exit,
}

/// What an engine has to ask for. It always hears of the task's death, which ends every wait for it,
/// and of its next program, by which it may get another number.
pub(super) fn wanted(flags: Flags) -> engine::Flags {
    let mut events = Events::DEATH | Events::EXEC;
    let mut state = State::empty();
    for (flag, more) in [
        (Flags::STOP_PRE_SYSCALL, Events::SYSCALL_ENTRY),
        (Flags::STOP_POST_SYSCALL, Events::SYSCALL_EXIT),
        (Flags::STOP_SIGNAL, Events::ANY_SIGNAL),
        // These two are a SIGTRAP, whatever the task has set for it.
        (Flags::STOP_SINGLESTEP, Events::ANY_SIGNAL),
        (Flags::STOP_BREAKPOINT, Events::ANY_SIGNAL),
        (Flags::STOP_EXIT, Events::EXIT),
        (Flags::EVENT_CLONE, Events::CLONE),
    ] {
        if flags.contains(flag) {
            events |= more;
        }
    }
    if flags.contains(Flags::STOP_SINGLESTEP) {
        state |= State::SINGLESTEP;
    }
    engine::Flags { events, state }
}

/// The stop that an event is, if the task is to stop there. `handler` is what would handle a signal.
pub(super) fn stop_at(event: &Event, handler: u64, flags: Flags) -> Option<(Place, PtraceEvent)> {
    let (flag, place, read) = match *event {
        Event::SyscallEntry => (
            Flags::STOP_PRE_SYSCALL,
            Place::PreSyscall,
            ptrace_event!(PtraceFlags::PTRACE_STOP_PRE_SYSCALL),
        ),
        Event::SyscallExit => (
            Flags::STOP_POST_SYSCALL,
            Place::PostSyscall,
            ptrace_event!(PtraceFlags::PTRACE_STOP_POST_SYSCALL),
        ),
        Event::Exit { status } => (
            Flags::STOP_EXIT,
            Place::Exit,
            ptrace_event!(PtraceFlags::PTRACE_STOP_EXIT, status as usize),
        ),
        Event::Signal { info, .. } => match (info.signo, info.code) {
            (SIGTRAP, SI_KERNEL) => (
                Flags::STOP_BREAKPOINT,
                Place::Breakpoint,
                ptrace_event!(PtraceFlags::PTRACE_STOP_BREAKPOINT),
            ),
            (SIGTRAP, TRAP_BRKPT | TRAP_TRACE) if flags.contains(Flags::STOP_SINGLESTEP) => (
                Flags::STOP_SINGLESTEP,
                Place::Step,
                ptrace_event!(PtraceFlags::PTRACE_STOP_SINGLESTEP),
            ),
            (signal, _) => (
                Flags::STOP_SIGNAL,
                Place::Signal,
                ptrace_event!(
                    PtraceFlags::PTRACE_STOP_SIGNAL,
                    signal as usize,
                    handler as usize
                ),
            ),
        },
        _ => return None,
    };
    flags.contains(flag).then_some((place, read))
}

/// What happens as a task goes on from its stop. A step and a breakpoint leave no signal behind, and
/// nothing can be done about an exit.
pub(super) fn go_on(place: Place, ignore: bool) -> Response {
    match place {
        Place::PreSyscall if ignore => Response::ABORT,
        Place::Signal if ignore => Response::signal(SignalAction::Ignore),
        Place::Step | Place::Breakpoint => Response::signal(SignalAction::Ignore),
        _ => Response::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::SigInfo;

    fn signal(signo: i32, code: i32) -> Event {
        let info = SigInfo {
            signo,
            code,
            ..SigInfo::default()
        };
        let action = SignalAction::Handler;
        Event::Signal { info, action }
    }

    fn stop(event: Event, flags: Flags) -> Option<(Place, PtraceFlags)> {
        stop_at(&event, 0, flags).map(|(place, read)| (place, read.cause))
    }

    #[test]
    fn nothing_is_asked_for_but_the_end_where_nothing_is_to_be_stopped_at() {
        let nothing = engine::Flags::events(Events::DEATH | Events::EXEC);
        assert_eq!(wanted(Flags::empty()), nothing);
        assert_eq!(wanted(Flags::FLAG_ALL), nothing);
    }

    #[test]
    fn every_flag_asks_for_its_events() {
        let asked = |flags| wanted(flags).events - Events::DEATH - Events::EXEC;
        assert_eq!(asked(Flags::STOP_PRE_SYSCALL), Events::SYSCALL_ENTRY);
        assert_eq!(asked(Flags::STOP_POST_SYSCALL), Events::SYSCALL_EXIT);
        assert_eq!(asked(Flags::STOP_SIGNAL), Events::ANY_SIGNAL);
        assert_eq!(asked(Flags::STOP_BREAKPOINT), Events::ANY_SIGNAL);
        assert_eq!(asked(Flags::STOP_EXIT), Events::EXIT);
        assert_eq!(asked(Flags::EVENT_CLONE), Events::CLONE);
        assert_eq!(wanted(Flags::STOP_SINGLESTEP).state, State::SINGLESTEP);
        assert_eq!(
            wanted(Flags::STOP_ALL - Flags::STOP_SINGLESTEP).state,
            State::empty()
        );
    }

    #[test]
    fn a_system_call_stops_on_the_side_that_was_asked_for() {
        let pre = (Place::PreSyscall, PtraceFlags::PTRACE_STOP_PRE_SYSCALL);
        assert_eq!(
            stop(Event::SyscallEntry, Flags::STOP_PRE_SYSCALL),
            Some(pre)
        );
        assert_eq!(stop(Event::SyscallEntry, Flags::STOP_POST_SYSCALL), None);
        let post = (Place::PostSyscall, PtraceFlags::PTRACE_STOP_POST_SYSCALL);
        assert_eq!(stop(Event::SyscallExit, Flags::STOP_ALL), Some(post));
        assert_eq!(stop(Event::SyscallExit, Flags::STOP_PRE_SYSCALL), None);
    }

    #[test]
    fn a_trap_is_a_step_or_a_breakpoint_or_a_signal() {
        let step = (Place::Step, PtraceFlags::PTRACE_STOP_SINGLESTEP);
        let breakpoint = (Place::Breakpoint, PtraceFlags::PTRACE_STOP_BREAKPOINT);
        let other = (Place::Signal, PtraceFlags::PTRACE_STOP_SIGNAL);
        for code in [TRAP_BRKPT, TRAP_TRACE] {
            assert_eq!(stop(signal(SIGTRAP, code), Flags::STOP_ALL), Some(step));
            // The program's own trap flag.
            assert_eq!(stop(signal(SIGTRAP, code), Flags::STOP_SIGNAL), Some(other));
        }
        assert_eq!(
            stop(signal(SIGTRAP, SI_KERNEL), Flags::STOP_ALL),
            Some(breakpoint)
        );
        assert_eq!(stop(signal(SIGTRAP, SI_KERNEL), Flags::STOP_SIGNAL), None);
        // Sent by kill.
        assert_eq!(stop(signal(SIGTRAP, 0), Flags::STOP_ALL), Some(other));
        assert_eq!(stop(signal(SIGTRAP, 0), Flags::STOP_BREAKPOINT), None);
    }

    #[test]
    fn a_signal_comes_with_its_number_and_handler() {
        let (_, read) = stop_at(&signal(10, 0), 0x1234, Flags::STOP_SIGNAL).unwrap();
        assert_eq!((read.a, read.b, read.c), (10, 0x1234, 0));
    }

    #[test]
    fn an_exit_comes_with_its_status() {
        let (place, read) = stop_at(&Event::Exit { status: 0x700 }, 0, Flags::STOP_EXIT).unwrap();
        assert_eq!((place, read.a), (Place::Exit, 0x700));
        assert_eq!(stop(Event::Exit { status: 0 }, Flags::STOP_SIGNAL), None);
    }

    #[test]
    fn what_is_ignored_does_not_happen() {
        assert_eq!(go_on(Place::PreSyscall, true), Response::ABORT);
        assert_eq!(go_on(Place::PreSyscall, false), Response::default());
        let ignored = Response::signal(SignalAction::Ignore);
        assert_eq!(go_on(Place::Signal, true), ignored);
        assert_eq!(go_on(Place::Signal, false), Response::default());
        for ignore in [false, true] {
            assert_eq!(go_on(Place::Step, ignore), ignored);
            assert_eq!(go_on(Place::Breakpoint, ignore), ignored);
            assert_eq!(go_on(Place::Exit, ignore), Response::default());
            assert_eq!(go_on(Place::PostSyscall, ignore), Response::default());
        }
    }
}
