//! wait4(2) and the functions that come to the same.

use core::ffi::{c_int, c_long, c_void};
use core::ptr::null_mut;

use abi::linux::general::__NR_wait4;

use crate::libc;
use crate::message::Servers;

/// `pid_t waitpid(pid_t pid, int *status, int options)`.
///
/// # Safety
/// `status` is null or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { wait_for(pid, status, options, null_mut()) }
}

/// `pid_t wait(int *status)`.
///
/// # Safety
/// `status` is null or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wait(status: *mut c_int) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { wait_for(-1, status, 0, null_mut()) }
}

/// `pid_t wait3(int *status, int options, struct rusage *usage)`.
///
/// # Safety
/// `status` and `usage` are null or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wait3(status: *mut c_int, options: c_int, usage: *mut c_void) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { wait_for(-1, status, options, usage) }
}

/// `pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)`: a cancellation point, which a signal with a
/// handler ends (`EINTR`) unless the handler has `SA_RESTART`.
///
/// A message has no room for the usage, which is asked for by a system call in the machine, too. So is what has nowhere to
/// be stored: the child is reaped, and the result is `EFAULT`.
///
/// # Safety
/// `status` and `usage` are null or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wait4(
    pid: c_int,
    status: *mut c_int,
    options: c_int,
    usage: *mut c_void,
) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { wait_for(pid, status, options, usage) }
}

/// The functions above, for all of them: what they call by name may be another library's.
///
/// # Safety
/// As [`wait4`].
#[inline(never)]
unsafe fn wait_for(pid: c_int, status: *mut c_int, options: c_int, usage: *mut c_void) -> c_int {
    let storable = status.is_null() || libc::is_pointer(status);
    match Servers::find() {
        Some(servers) if usage.is_null() && storable => {
            let (result, word) = libc::cancellable(|| servers.wait(pid, options));
            if result > 0 && !status.is_null() {
                // SAFETY: the caller's promise.
                unsafe { status.write(word) };
            }
            libc::result(result) as c_int
        }
        _ => {
            let (pid, options) = (c_long::from(pid), c_long::from(options));
            // SAFETY: the caller's promise.
            let wait = || unsafe { libc::syscall(__NR_wait4.into(), pid, status, options, usage) };
            libc::cancellable(wait) as c_int
        }
    }
}
