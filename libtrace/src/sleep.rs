//! Sleeping until a tracee has changed or a descriptor can be read, whichever comes first.

use core::time::Duration;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::{Errno, Result};

/// The right to sleep. `SIGCHLD`, by which the kernel tells of tracees, reaches this thread only
/// while it sleeps: a change between a look with [`try_wait`](crate::wait::try_wait) and the sleep
/// ends the sleep at once.
#[derive(Debug)]
pub struct Sleeper {
    /// The signals blocked while sleeping.
    inside: libc::sigset_t,
}

/// What ended a sleep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Which of the descriptors can be read or have ended.
    Ready(Vec<bool>),
    /// A signal came: `SIGCHLD`, or one of [`interrupt`](crate::interrupt).
    Signal,
    /// Nothing happened in the time given.
    Timeout,
}

impl Sleeper {
    /// Keeps `SIGCHLD` for the sleep from now on. One per process, in its only thread.
    ///
    /// # Errors
    /// What sigaction(2) and sigprocmask(2) list.
    pub fn new() -> Result<Sleeper> {
        // SAFETY: a sigaction is integers and a null handler, for which zeros are valid.
        let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
        action.sa_sigaction = ignore as extern "C" fn(i32) as usize;
        // SAFETY: `ignore` does nothing.
        check(unsafe { libc::sigaction(libc::SIGCHLD, &action, core::ptr::null_mut()) })?;
        let mut inside = empty_set();
        // SAFETY: reads one local set and writes another.
        check(unsafe { libc::sigprocmask(libc::SIG_BLOCK, &child_set(), &mut inside) })?;
        // SAFETY: writes into a valid set.
        check(unsafe { libc::sigdelset(&mut inside, libc::SIGCHLD) })?;
        Ok(Sleeper { inside })
    }

    /// Sleeps until one of `descriptors` can be read, a signal comes, or `time` is over.
    ///
    /// # Errors
    /// What ppoll(2) lists.
    pub fn sleep(&self, descriptors: &[BorrowedFd<'_>], time: Option<Duration>) -> Result<Woken> {
        let mut polled: Vec<_> = descriptors
            .iter()
            .map(|descriptor| libc::pollfd {
                fd: descriptor.as_raw_fd(),
                events: libc::POLLIN,
                revents: 0,
            })
            .collect();
        let time = time.map(|time| libc::timespec {
            tv_sec: time.as_secs() as libc::time_t,
            tv_nsec: time.subsec_nanos().into(),
        });
        let time = time
            .as_ref()
            .map_or(core::ptr::null(), |time| time as *const _);
        let count = polled.len() as libc::nfds_t;
        // SAFETY: the array is ours and as long as said; the time and the set are only read.
        let ready = unsafe { libc::ppoll(polled.as_mut_ptr(), count, time, &self.inside) };
        match check(ready) {
            Ok(0) => Ok(Woken::Timeout),
            Ok(_) => Ok(Woken::Ready(
                polled.iter().map(|it| it.revents != 0).collect(),
            )),
            Err(Errno::EINTR) => Ok(Woken::Signal),
            Err(error) => Err(error),
        }
    }
}

/// Lets `SIGCHLD` through again: for a child of a process with a [`Sleeper`].
pub(crate) fn unblock() {
    // SAFETY: reads one local set.
    unsafe { libc::sigprocmask(libc::SIG_UNBLOCK, &child_set(), core::ptr::null_mut()) };
}

extern "C" fn ignore(_: i32) {}

fn child_set() -> libc::sigset_t {
    let mut set = empty_set();
    // SAFETY: writes into a valid set; the number is one.
    unsafe { libc::sigaddset(&mut set, libc::SIGCHLD) };
    set
}

fn empty_set() -> libc::sigset_t {
    // SAFETY: a set is an array of integers, for which zeros are valid and mean empty.
    unsafe { core::mem::zeroed() }
}

fn check(result: i32) -> Result<i32> {
    match result {
        -1 => Err(Errno::last()),
        result => Ok(result),
    }
}
