//! A task.

use std::path::PathBuf;

use libtrace::Pid;

use super::debug_registers::DebugRegisters;
use super::stopped::Stopped;

/// A task that is debugged.
#[derive(Debug)]
pub struct Task {
    /// Its id.
    pub tid: Pid,
    /// Its process.
    pub process: Pid,
    pub(super) state: State,
    /// What gdb wants it to do; none: stand still.
    pub(super) wish: Option<Wish>,
    /// gdb wants it to stop and to be told, whatever it does.
    pub(super) stop_wanted: bool,
    /// What gdb has not been told yet.
    pub(super) report: Option<Report>,
    /// What gdb was told last.
    pub told: Option<Report>,
    /// It was interrupted and has not stopped since.
    pub(super) interrupted: bool,
    /// Signals sent at gdb's wish, which are not reported again when they arrive.
    pub(super) sent: Vec<i32>,
    /// The system call it is in, as far as its stops tell.
    pub(super) call: Option<u64>,
    /// It is behind an execve and before the first instruction, which is here: a step ends once without
    /// having made one.
    pub(super) new_at: Option<u64>,
    /// What its debug registers are.
    pub(super) debug: DebugRegisters,
}

/// What a task does, as the kernel has it.
#[derive(Debug)]
pub(super) enum State {
    /// It runs, or sleeps in a system call.
    Running,
    /// It is in a ptrace-stop.
    Stopped(Stopped),
    /// It does not stop for anybody: a leader that is dead before its threads, or a parent that
    /// waits for its child by vfork.
    Beyond,
}

/// What gdb wants a task to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Run.
    Run,
    /// Run one instruction.
    Step,
    /// Run by single instructions until outside of these addresses.
    Range(u64, u64),
}

/// What happened to a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A signal, by Linux's number; 0 where it just was to stop.
    Signal(i32),
    /// It is at a breakpoint of ours in memory.
    SoftwareBreakpoint,
    /// It is at a breakpoint of ours in a debug register.
    HardwareBreakpoint,
    /// It has touched what is watched at this address.
    Watchpoint(Watch, u64),
    /// It is about to make this system call.
    CallEntry(u64),
    /// It has made this system call.
    CallReturn(u64),
    /// It has made this process.
    Fork(Pid),
    /// It has made this process, which has its memory for now.
    Vfork(Pid),
    /// It has its memory back.
    VforkDone,
    /// It runs this program now.
    Exec(PathBuf),
    /// It is new.
    Created,
}

/// What a watchpoint waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// A write.
    Write,
    /// A read or a write.
    Access,
}

impl Task {
    pub(super) fn new(tid: Pid, process: Pid, state: State) -> Task {
        Task {
            tid,
            process,
            state,
            wish: None,
            stop_wanted: false,
            report: None,
            told: None,
            interrupted: false,
            sent: Vec::new(),
            call: None,
            new_at: None,
            debug: DebugRegisters::default(),
        }
    }

    /// The task while it is stopped: the only way to its registers.
    pub fn stopped(&mut self) -> Option<&mut Stopped> {
        match &mut self.state {
            State::Stopped(stopped) => Some(stopped),
            State::Running | State::Beyond => None,
        }
    }

    /// Whether it is in a ptrace-stop.
    pub fn is_stopped(&self) -> bool {
        matches!(self.state, State::Stopped(_))
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, State::Running)
    }

    /// Whether it stands still as far as gdb is concerned.
    pub fn stands_still(&self) -> bool {
        self.wish.is_none()
    }

    /// Whether it runs by single instructions.
    pub(super) fn steps(&self) -> bool {
        matches!(self.wish, Some(Wish::Step | Wish::Range(..)))
    }
}
