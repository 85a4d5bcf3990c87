//! The state of one tracee (A1) and the events its engine asks for (A2).

use super::user::DebugRegisters;
use super::{Options, Stop};
use crate::engine::{Flags, State};
use abi::tracer::{Events, Posting, TaskView};
use abi::{SigInfo, TaskId};

/// The `ops` that ptrace engines are attached with.
pub const OPS: u64 = 0x7074_7261_6365;

/// What a tracee does at system calls, as the last resume asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It performs them (PTRACE_CONT, PTRACE_SINGLESTEP).
    #[default]
    Free,
    /// It stops at entry and exit (PTRACE_SYSCALL).
    Syscall,
    /// It stops at entry and skips them (PTRACE_SYSEMU).
    Emulate,
}

/// Who traces, as siginfo shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TracerInfo {
    /// The task.
    pub task: TaskId,
    /// Its tid when it attached.
    pub tid: u32,
    /// Its real user id when it attached.
    pub uid: u32,
}

impl TracerInfo {
    pub(super) fn of(view: &TaskView) -> TracerInfo {
        TracerInfo {
            task: view.task,
            tid: view.tid,
            uid: view.uid[0],
        }
    }

    /// The siginfo of a signal that the tracer chose instead of the reported one (A6).
    pub(super) fn chose(&self, signo: u8) -> SigInfo {
        SigInfo::from_process(signo, abi::signal::code::SI_USER, self.tid, self.uid)
    }
}

/// A tracee.
#[derive(Clone, Debug)]
pub struct Tracee {
    /// Who traces it.
    pub tracer: TracerInfo,
    /// Its own real user id when it was attached.
    pub uid: u32,
    /// Attached by PTRACE_SEIZE.
    pub seized: bool,
    /// PTRACE_SETOPTIONS.
    pub options: Options,
    /// What it does at system calls.
    pub mode: Mode,
    /// The stop that requests work on.
    pub stop: Option<Stop>,
    /// The event-stop it listens in (PTRACE_LISTEN): still held, but not for requests.
    pub(super) listening: Option<Stop>,
    /// A stop has been asked for that has not happened yet.
    pub(crate) interrupt: bool,
    /// Its process is stopped for job control, by this signal.
    pub(super) group: Option<u8>,
    /// Its debug registers.
    pub(super) debug: DebugRegisters,
}

impl Tracee {
    pub(super) fn new(tracer: TracerInfo, uid: u32, seized: bool, options: Options) -> Tracee {
        Tracee {
            tracer,
            uid,
            seized,
            options,
            mode: Mode::Free,
            stop: None,
            listening: None,
            interrupt: false,
            group: None,
            debug: DebugRegisters::default(),
        }
    }

    /// The task has left its stop without the tracer.
    pub(crate) fn break_stop(&mut self) {
        self.stop = None;
        self.listening = None;
    }

    /// The stops that need no decision of the engine's. That the code is the same as
    /// [`Stop`]'s is what makes a stop look the same whoever publishes it.
    pub(crate) fn posting(&self) -> Posting {
        let syscalls = match self.mode {
            Mode::Syscall => Some(Stop::syscall_code(self.options.contains(Options::SYSGOOD))),
            Mode::Free | Mode::Emulate => None,
        };
        Posting {
            signals: true,
            syscalls,
        }
    }

    /// What the engine asks for. NOREAP is not among its state bits: the process manager keeps
    /// the zombie of a task that is bound to a tracer.
    pub(super) fn flags(&self, state: State) -> Flags {
        let mut events = Events::DEATH
            | Events::EXEC
            | Events::ANY_SIGNAL
            | Events::JCTL
            | Events::CLONE
            | Events::REAP;
        if self.interrupt {
            events |= Events::QUIESCE;
        }
        if self.options.contains(Options::EXIT) {
            events |= Events::EXIT;
        }
        if self.options.contains(Options::VFORK_DONE) {
            events |= Events::VFORK_DONE;
        }
        events |= match self.mode {
            Mode::Free => Events::empty(),
            Mode::Syscall => Events::SYSCALL_ENTRY | Events::SYSCALL_EXIT,
            Mode::Emulate => Events::SYSCALL_ENTRY,
        };
        Flags { events, state }
    }
}
