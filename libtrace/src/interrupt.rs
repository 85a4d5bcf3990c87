//! Noticing that the user wants a tracer to stop.

use core::sync::atomic::{AtomicI32, Ordering};

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
    for signal in SIGNALS {
        // SAFETY: a sigaction is integers and a null handler, for which zeros are valid.
        let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
        action.sa_sigaction = note as extern "C" fn(i32) as usize;
        action.sa_flags = 0;
        // SAFETY: `note` does one atomic store, which is safe in a handler.
        if unsafe { libc::sigaction(signal, &action, core::ptr::null_mut()) } != 0 {
            let error = std::io::Error::last_os_error().raw_os_error();
            return Err(Errno(error.unwrap_or(libc::EINVAL)));
        }
    }
    Ok(())
}

/// The last of the caught signals, if any came.
pub fn seen() -> Option<i32> {
    match SEEN.load(Ordering::Relaxed) {
        0 => None,
        signal => Some(signal),
    }
}

extern "C" fn note(signal: i32) {
    SEEN.store(signal, Ordering::Relaxed);
}
