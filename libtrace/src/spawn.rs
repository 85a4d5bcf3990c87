//! Starting a program under trace.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use crate::{Errno, Pid, Result, ptrace, transport, wait};

/// As whom a program runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Further groups.
    pub groups: Vec<u32>,
}

/// As [`spawn_traced_as`], in the caller's environment and as the same user.
///
/// # Errors
/// As there.
pub fn spawn_traced(program: &Path, args: &[OsString]) -> Result<Pid> {
    let variables: Vec<OsString> = std::env::vars_os()
        .map(|(mut name, value)| {
            name.push("=");
            name.push(value);
            name
        })
        .collect();
    spawn_traced_as(program, args, &variables, None)
}

/// Starts `program` with `args` (the first is its name for itself) as a tracee of the
/// calling thread, with the environment `variables`, each `NAME=VALUE`, and as somebody else
/// if that is asked for.
///
/// The child is returned in its first signal-delivery-stop, a `SIGSTOP`, with nothing
/// but its execve left to do: a tracer that resumes it with `SYSCALL` sees that call
/// first. Where the execve fails the child says so on standard error and exits with 1.
///
/// std's `Command` cannot be used: it waits for the child's execve, which waits for us.
///
/// # Errors
/// `EINVAL` for a name with a zero byte, and what fork(2) and wait4(2) say.
pub fn spawn_traced_as(
    program: &Path,
    args: &[OsString],
    variables: &[OsString],
    identity: Option<&Identity>,
) -> Result<Pid> {
    let program = c_string(program.as_os_str())?;
    let args = args
        .iter()
        .map(|arg| c_string(arg))
        .collect::<Result<Vec<_>>>()?;
    let environment = variables
        .iter()
        .map(|variable| c_string(variable))
        .collect::<Result<Vec<_>>>()?;
    let (argv, envp) = (pointers(&args), pointers(&environment));

    // Decided before the fork: the child must not wait for a lock another thread holds.
    transport::Transport::of_this_process();
    // SAFETY: the child runs `become_tracee`, which makes only calls that are safe after
    // fork; it never returns into the caller's state.
    let pid = match unsafe { libc::fork() } {
        -1 => return Err(last_errno()),
        0 => become_tracee(&program, &argv, &envp, identity),
        pid => pid,
    };
    match wait::wait(pid, wait::WALL)? {
        (_, wait::Status::Stopped { .. }) => Ok(pid),
        _ => Err(Errno::ESRCH),
    }
}

/// Sends `signal` to the process `pid`.
///
/// # Errors
/// What kill(2) lists.
pub fn send_signal(pid: Pid, signal: i32) -> Result<()> {
    transport::kill(pid, signal)
}

/// Sends `signal` to the task `tid` alone.
///
/// # Errors
/// What tkill(2) lists.
pub fn send_task_signal(tid: Pid, signal: i32) -> Result<()> {
    transport::tkill(tid, signal)
}

/// Ends this process by `signal`, without a core dump: how a tracer passes on how its
/// tracee died. Where the signal does not kill, exits with 128 + `signal`.
pub fn die_by(signal: i32) -> ! {
    let none = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: reads one local struct.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &none) };
    // SAFETY: restores the default action, so that no code of ours is run by the signal.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
    let mut mask = empty_set();
    // SAFETY: writes into a valid set; an invalid number is refused.
    unsafe { libc::sigaddset(&mut mask, signal) };
    // SAFETY: reads one local set.
    unsafe { libc::sigprocmask(libc::SIG_UNBLOCK, &mask, core::ptr::null_mut()) };
    let _ = transport::kill(std::process::id() as Pid, signal);
    std::process::exit(128 + signal)
}

/// What the child does between fork and execve. Rust's runtime ignores `SIGPIPE`, which
/// execve would hand on; the program gets the default back.
fn become_tracee(
    program: &CString,
    argv: &[*const i8],
    envp: &[*const i8],
    identity: Option<&Identity>,
) -> ! {
    // SAFETY: sets a default action.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    if identity.is_none_or(become_somebody) && ptrace::traceme().is_ok() {
        // SAFETY: takes two numbers. The tracer resumes us without the signal.
        unsafe { libc::kill(libc::getpid(), libc::SIGSTOP) };
        // SAFETY: both arrays end with a null pointer and their strings live in the caller.
        unsafe { libc::execve(program.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
    }
    let text = last_errno().description().unwrap_or("unknown error");
    for part in ["trace: exec: ", text, "\n"] {
        // SAFETY: writes a valid range; a failure leaves nothing better to do.
        unsafe { libc::write(2, part.as_ptr().cast(), part.len()) };
    }
    // SAFETY: ends the process at once, without the handlers that belong to the parent.
    unsafe { libc::_exit(1) }
}

/// The groups first: who is not root any more may not change them.
fn become_somebody(identity: &Identity) -> bool {
    let Identity { uid, gid, groups } = identity;
    // SAFETY: reads the list, whose length is given.
    let changed = unsafe { libc::setgroups(groups.len(), groups.as_ptr()) } == 0;
    // SAFETY: takes three numbers.
    let changed = changed && unsafe { libc::setresgid(*gid, *gid, *gid) } == 0;
    // SAFETY: takes three numbers.
    changed && unsafe { libc::setresuid(*uid, *uid, *uid) } == 0
}

fn empty_set() -> libc::sigset_t {
    // SAFETY: a set is an array of integers, for which zeros are valid and mean empty.
    unsafe { core::mem::zeroed() }
}

fn c_string(text: &OsStr) -> Result<CString> {
    CString::new(text.to_os_string().into_vec()).map_err(|_| Errno::EINVAL)
}

fn pointers(strings: &[CString]) -> Vec<*const i8> {
    strings
        .iter()
        .map(|string| string.as_ptr())
        .chain([core::ptr::null()])
        .collect()
}

fn last_errno() -> Errno {
    Errno(
        std::io::Error::last_os_error()
            .raw_os_error()
            .unwrap_or(libc::EIO),
    )
}
