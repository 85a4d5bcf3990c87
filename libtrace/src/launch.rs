//! Starting a program as a seized tracee: how a debugger starts one.

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::ptrace::{self, Options};
use crate::{Errno, Event, Pid, Result, Status, sleep, transport, wait};

/// A program to start, and how.
#[derive(Clone, Debug, Default)]
pub struct Launch {
    /// Its file.
    pub program: PathBuf,
    /// Its arguments; the first is its name for itself.
    pub args: Vec<OsString>,
    /// Its environment, each entry `NAME=VALUE`.
    pub environment: Vec<OsString>,
    /// The folder it starts in, where not the caller's.
    pub folder: Option<PathBuf>,
    /// Its addresses are to be the same each time (personality(2), `ADDR_NO_RANDOMIZE`).
    pub fixed_addresses: bool,
    /// Its standard streams are not the caller's: it reads nothing, and writes to the caller's
    /// standard error.
    pub apart: bool,
}

impl Launch {
    /// Starts the program, in a process group of its own, as a tracee of the calling thread with
    /// `options` and `TRACEEXEC`. It is returned in the event-stop behind its execve.
    ///
    /// # Errors
    /// What its execve or chdir says; `EINVAL` for a string with a zero byte; and what pipe(2),
    /// fork(2) and wait4(2) say.
    pub fn start(&self, options: Options) -> Result<Pid> {
        let words = Words::new(self)?;
        let (go, leave) = pipe()?;
        let (news, tell) = pipe()?;
        // Decided before the fork: the child must not wait for a lock another thread holds.
        transport::Transport::of_this_process();
        // SAFETY: the child runs `become_tracee`, which makes only calls that are safe after
        // fork; it never returns into the caller's state.
        let pid = match unsafe { libc::fork() } {
            -1 => return Err(Errno::last()),
            0 => become_tracee(self, &words, [&go, &leave, &tell].map(AsRawFd::as_raw_fd)),
            pid => pid,
        };
        drop((go, tell));
        let seized = ptrace::seize(pid, options | Options::TRACEEXEC);
        // The child waits for the end of this pipe.
        drop(leave);
        if let Err(error) = seized {
            let _ = transport::kill(pid, libc::SIGKILL);
            let _ = wait::wait(pid, wait::WALL);
            return Err(error);
        }
        until_exec(pid, news)
    }
}

/// What the child needs as C has it.
struct Words {
    program: CString,
    folder: Option<CString>,
    /// Kept for `argv` and `envp`, which point into them.
    _strings: [Vec<CString>; 2],
    argv: Vec<*const libc::c_char>,
    envp: Vec<*const libc::c_char>,
}

impl Words {
    fn new(launch: &Launch) -> Result<Words> {
        let all = |words: &[OsString]| {
            let words = words.iter().map(|word| c_string(word));
            words.collect::<Result<Vec<_>>>()
        };
        let (args, environment) = (all(&launch.args)?, all(&launch.environment)?);
        let folder = launch.folder.as_ref();
        Ok(Words {
            program: c_string(launch.program.as_os_str())?,
            folder: folder.map(|it| c_string(it.as_os_str())).transpose()?,
            argv: pointers(&args),
            envp: pointers(&environment),
            _strings: [args, environment],
        })
    }
}

/// Passes over the stops before the execve, which are those of signals that came early.
fn until_exec(pid: Pid, news: OwnedFd) -> Result<Pid> {
    loop {
        match wait::wait(pid, wait::WALL) {
            Ok((
                _,
                Status::Stopped {
                    event: Some(Event::Exec),
                    ..
                },
            )) => return Ok(pid),
            Ok((
                _,
                Status::Stopped {
                    sig,
                    event,
                    syscall,
                },
            )) => {
                let passed = event.is_none() && !syscall;
                ptrace::cont(pid, if passed { sig } else { 0 })?;
            }
            Ok((_, Status::Exited(_) | Status::Signaled(..))) => {
                let mut said = [0; 4];
                let told = File::from(news).read_exact(&mut said).is_ok();
                let errno = i32::from_ne_bytes(said);
                return Err(if told { Errno(errno) } else { Errno::ECHILD });
            }
            Ok((_, Status::Continued)) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// What the child does between fork and execve: waits to be seized, which is over when the first
/// pipe ends, and tells through the last one what went wrong.
fn become_tracee(launch: &Launch, words: &Words, [go, leave, tell]: [RawFd; 3]) -> ! {
    // SAFETY: closes a descriptor of this process alone.
    unsafe { libc::close(leave) };
    let mut byte = 0u8;
    // SAFETY: reads into a local byte.
    while unsafe { libc::read(go, (&raw mut byte).cast(), 1) } < 0 {}
    prepare_signals();
    own_group();
    if launch.apart {
        streams_apart();
    }
    if launch.fixed_addresses {
        // Where the call does not exist, addresses are what they are.
        // SAFETY: takes a number.
        unsafe { libc::personality(libc::ADDR_NO_RANDOMIZE as libc::c_ulong) };
    }
    let there = match &words.folder {
        // SAFETY: a C string of ours.
        Some(folder) => unsafe { libc::chdir(folder.as_ptr()) == 0 },
        None => true,
    };
    if there {
        let (argv, envp) = (words.argv.as_ptr(), words.envp.as_ptr());
        // SAFETY: both arrays end with a null pointer and their strings live in `words`.
        unsafe { libc::execve(words.program.as_ptr(), argv, envp) };
    }
    let errno = Errno::last().0.to_ne_bytes();
    // SAFETY: writes a local range; a failure leaves nothing better to do.
    unsafe { libc::write(tell, errno.as_ptr().cast(), errno.len()) };
    // SAFETY: ends the process at once, without the handlers that belong to the parent.
    unsafe { libc::_exit(127) }
}

/// The signals as a program expects them: what Rust's runtime and the tracer have changed goes
/// back, for execve would hand it on.
fn prepare_signals() {
    for signal in [libc::SIGPIPE, libc::SIGCHLD] {
        // SAFETY: sets a default action.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    sleep::unblock();
}

/// Moves into a process group of its own, on a terminal the one in the foreground: ^C there is
/// meant for the program.
fn own_group() {
    // SAFETY: these take numbers only. Whoever is in the background must ignore SIGTTOU to get
    // into the foreground.
    unsafe {
        libc::setpgid(0, 0);
        if libc::isatty(0) == 1 {
            libc::signal(libc::SIGTTOU, libc::SIG_IGN);
            libc::tcsetpgrp(0, libc::getpid());
            libc::signal(libc::SIGTTOU, libc::SIG_DFL);
        }
    }
}

/// Standard input reads nothing, and standard output is standard error.
fn streams_apart() {
    // SAFETY: takes a constant string and descriptors of this process.
    unsafe {
        let nothing = libc::open(c"/dev/null".as_ptr(), libc::O_RDONLY);
        libc::dup2(nothing, 0);
        libc::dup2(2, 1);
        if nothing > 2 {
            libc::close(nothing);
        }
    }
}

/// The two ends of a pipe, for reading and for writing; execve closes them.
fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: writes two numbers into the array.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return Err(Errno::last());
    }
    // SAFETY: both are new and nobody else's.
    Ok(unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) })
}

fn c_string(text: &OsStr) -> Result<CString> {
    CString::new(text.as_bytes()).map_err(|_| Errno::EINVAL)
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    let pointers = strings.iter().map(|string| string.as_ptr());
    pointers.chain([core::ptr::null()]).collect()
}
