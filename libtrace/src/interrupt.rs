//! Noticing that the user wants a tracer to stop.

use core::sync::atomic::{AtomicI32, Ordering};
use core::time::Duration;

use crate::{Errno, Result};

/// The signals that ask a program to end.
pub const SIGNALS: [i32; 5] = [
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGPIPE,
    libc::SIGTERM,
];

static SEEN: AtomicI32 = AtomicI32::new(0);

/// From now on the [`SIGNALS`] only make [`seen`] answer, and a sleeping wait return
/// `EINTR`. That holds also where the caller was started with ignoring them.
///
/// # Errors
/// What sigaction(2) lists.
pub fn catch() -> Result<()> {
    SIGNALS
        .into_iter()
        .try_for_each(|signal| handle(signal, note))
}

/// The last of the caught signals, if any came.
pub fn seen() -> Option<i32> {
    match SEEN.load(Ordering::Relaxed) {
        0 => None,
        signal => Some(signal),
    }
}

/// From now on a sleeping wait returns `EINTR` at least so often, even where nothing happens.
///
/// # Errors
/// What sigaction(2) and setitimer(2) list.
pub fn tick(interval: Duration) -> Result<()> {
    handle(libc::SIGALRM, wake)?;
    let time = libc::timeval {
        tv_sec: interval.as_secs() as libc::time_t,
        tv_usec: interval.subsec_micros().into(),
    };
    let timer = libc::itimerval {
        it_interval: time,
        it_value: time,
    };
    // SAFETY: reads one local struct.
    match unsafe { libc::setitimer(libc::ITIMER_REAL, &timer, core::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(last_errno()),
    }
}

fn handle(signal: i32, handler: extern "C" fn(i32)) -> Result<()> {
    // SAFETY: a sigaction is integers and a null handler, for which zeros are valid.
    let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
    action.sa_sigaction = handler as usize;
    action.sa_flags = 0;
    // SAFETY: both handlers do at most one atomic store, which is safe in a handler.
    match unsafe { libc::sigaction(signal, &action, core::ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(last_errno()),
    }
}

fn last_errno() -> Errno {
    let error = std::io::Error::last_os_error().raw_os_error();
    Errno(error.unwrap_or(libc::EINVAL))
}

extern "C" fn wake(_: i32) {}

extern "C" fn note(signal: i32) {
    SEEN.store(signal, Ordering::Relaxed);
}
