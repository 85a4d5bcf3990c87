//! Waiting for tracees, and what a status word says.

use crate::{Errno, Pid, Result, transport};

/// Wait for children of every kind, also those that do not signal with `SIGCHLD`.
pub const WALL: i32 = libc::__WALL;
/// Do not sleep where nothing has happened.
pub const WNOHANG: i32 = libc::WNOHANG;
/// Report job-control stops of children that are not traced.
pub const WUNTRACED: i32 = libc::WUNTRACED;
/// Report children that SIGCONT has resumed.
pub const WCONTINUED: i32 = libc::WCONTINUED;

/// What happened to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It exited with this code.
    Exited(i32),
    /// A signal ended it; the flag tells of a core dump.
    Signaled(i32, bool),
    /// It stopped.
    Stopped {
        /// The signal, without the mark of a system call.
        sig: i32,
        /// The event, in an event-stop.
        event: Option<Event>,
        /// A syscall-entry-stop or syscall-exit-stop, under `TRACESYSGOOD`.
        syscall: bool,
    },
    /// SIGCONT resumed it.
    Continued,
}

/// The event of an event-stop: `PTRACE_EVENT_` of ptrace(2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Event {
    /// The tracee made a process; the message is its id.
    Fork = 1,
    /// The tracee made a process by vfork; the message is its id.
    Vfork = 2,
    /// The tracee made a task; the message is its id.
    Clone = 3,
    /// The tracee runs a new program; the message is its former id.
    Exec = 4,
    /// The process made by vfork has let go of the tracee's memory.
    VforkDone = 5,
    /// The tracee is about to exit; the message is its status.
    Exit = 6,
    /// A seccomp filter asked for this; the message is the filter's data.
    Seccomp = 7,
    /// A seized tracee stopped: group-stop, `INTERRUPT`, or its first stop.
    Stop = 128,
}

/// The processor time a task had used when it was waited for, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// In its own code.
    pub user_us: u64,
    /// In system calls.
    pub system_us: u64,
}

impl Status {
    /// Decodes the word that wait4(2) writes.
    ///
    /// An event this library does not know makes a stop with its signal alone.
    pub fn decode(word: i32) -> Status {
        let (low, second) = (word & 0x7f, word >> 8 & 0xff);
        match low {
            _ if word == 0xffff => Status::Continued,
            0 => Status::Exited(second),
            0x7f => Status::Stopped {
                sig: if second == libc::SIGTRAP | 0x80 {
                    libc::SIGTRAP
                } else {
                    second
                },
                event: Event::of_number(word >> 16 & 0xff),
                syscall: second == libc::SIGTRAP | 0x80,
            },
            _ => Status::Signaled(low, word & 0x80 != 0),
        }
    }
}

impl Event {
    /// The event with Linux's number.
    pub fn of_number(number: i32) -> Option<Event> {
        use Event::*;
        [Fork, Vfork, Clone, Exec, VforkDone, Exit, Seccomp, Stop]
            .into_iter()
            .find(|event| *event as i32 == number)
    }
}

/// Waits for a change of a task: wait4(2) with `pid` and flags as there.
///
/// # Errors
/// `ECHILD` where there is nothing to wait for, also when `WNOHANG` found all
/// unchanged: [`try_wait`] tells the two apart. `EINTR` when a handler ran.
pub fn wait(pid: Pid, flags: i32) -> Result<(Pid, Status)> {
    let (pid, word) = transport::waitpid(pid, flags)?.ok_or(Errno::ECHILD)?;
    Ok((pid, Status::decode(word)))
}

/// As [`wait`], with the processor time the task has used.
///
/// # Errors
/// As [`wait`].
pub fn wait_with_usage(pid: Pid, flags: i32) -> Result<(Pid, Status, Usage)> {
    let (pid, word, usage) = transport::wait4(pid, flags)?.ok_or(Errno::ECHILD)?;
    Ok((pid, Status::decode(word), usage))
}

/// As [`wait_with_usage`] without sleeping: `None` where no task has changed.
///
/// # Errors
/// `ECHILD` where there is nothing to wait for.
pub fn try_wait_with_usage(pid: Pid, flags: i32) -> Result<Option<(Pid, Status, Usage)>> {
    let found = transport::wait4(pid, flags | WNOHANG)?;
    Ok(found.map(|(pid, word, usage)| (pid, Status::decode(word), usage)))
}

/// As [`wait`] without sleeping: `None` where no task has changed.
///
/// # Errors
/// `ECHILD` where there is nothing to wait for.
pub fn try_wait(pid: Pid, flags: i32) -> Result<Option<(Pid, Status)>> {
    let found = transport::waitpid(pid, flags | WNOHANG)?;
    Ok(found.map(|(pid, word)| (pid, Status::decode(word))))
}
