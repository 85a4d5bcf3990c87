//! What holds a task for the tracer: its report, as it is kept.

use abi::ptrace::Mode;
use abi::signal::Action;
use abi::tracer::{CloneKind, Event, SignalAction, Step, Verdict};
use abi::{SigInfo, TaskId};

/// The event of a task's report to the tracer. It is [`Event`] without the siginfo of a signal,
/// which is nine times as large as the rest and lies beside it, in
/// [`Trace::signal`](crate::trace::Trace::signal): tasks move from state to state often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Hold {
    Quiesce,
    /// A step has entered a signal's handler.
    HandlerStep,
    SyscallEntry,
    SyscallExit,
    Signal {
        action: SignalAction,
    },
    Clone {
        child: TaskId,
        child_tid: u32,
        kind: CloneKind,
        flags: u64,
    },
    VforkDone {
        child_tid: u32,
    },
    Exec {
        former_tid: u32,
    },
    Exit {
        status: i32,
    },
    Death {
        status: i32,
        natural: bool,
    },
    JobControl {
        signo: u8,
        stop: bool,
    },
    Reap,
    Ptrace {
        args: [u64; 4],
    },
    ClientExit,
}

/// How a held task goes on. It is [`Verdict`] as [`Hold`] is [`Event`]: the siginfo lies beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Going {
    Continue,
    AbortSyscall,
    Signal(SignalAction),
    Result(i64),
}

impl Going {
    /// The small form of a verdict, and the siginfo to lay beside it.
    pub fn of(verdict: Verdict) -> (Going, Option<(SigInfo, Option<Action>)>) {
        match verdict {
            Verdict::Continue => (Going::Continue, None),
            Verdict::AbortSyscall => (Going::AbortSyscall, None),
            Verdict::Signal {
                action,
                info,
                handler,
            } => (Going::Signal(action), Some((info, handler))),
            Verdict::Result(result) => (Going::Result(result), None),
        }
    }

    /// The verdict, with the siginfo that lies beside it.
    pub fn verdict(self, info: SigInfo) -> Verdict {
        match self {
            Going::Continue => Verdict::Continue,
            Going::AbortSyscall => Verdict::AbortSyscall,
            Going::Signal(action) => Verdict::Signal {
                action,
                info,
                handler: None,
            },
            Going::Result(result) => Verdict::Result(result),
        }
    }
}

/// How a tracee goes on whose stops the tracer decides about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resumed {
    /// What it does at system calls.
    pub mode: Mode,
    /// How it runs.
    pub step: Step,
    /// What becomes of the event.
    pub going: Going,
}

impl Hold {
    /// Whether it is an event of the task's own, rather than something it asked of the tracer, or its
    /// end.
    pub const fn is_event(self) -> bool {
        !matches!(
            self,
            Hold::Ptrace { .. } | Hold::ClientExit | Hold::Reap | Hold::Death { .. }
        )
    }

    /// The event as it is reported; `info` is the siginfo of the task's latest signal.
    pub fn event(self, info: SigInfo) -> Event {
        match self {
            Hold::Quiesce => Event::Quiesce,
            Hold::HandlerStep => Event::HandlerStep,
            Hold::SyscallEntry => Event::SyscallEntry,
            Hold::SyscallExit => Event::SyscallExit,
            Hold::Signal { action } => Event::Signal { info, action },
            Hold::Clone {
                child,
                child_tid,
                kind,
                flags,
            } => Event::Clone {
                child,
                child_tid,
                kind,
                flags,
            },
            Hold::VforkDone { child_tid } => Event::VforkDone { child_tid },
            Hold::Exec { former_tid } => Event::Exec { former_tid },
            Hold::Exit { status } => Event::Exit { status },
            Hold::Death { status, natural } => Event::Death { status, natural },
            Hold::JobControl { signo, stop } => Event::JobControl { signo, stop },
            Hold::Reap => Event::Reap,
            Hold::Ptrace { args } => Event::Ptrace { args },
            Hold::ClientExit => Event::ClientExit,
        }
    }
}
