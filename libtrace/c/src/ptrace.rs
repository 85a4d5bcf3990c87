//! ptrace(2).

use core::ffi::{c_int, c_long, c_void};

use abi::linux::general::__NR_ptrace;
use abi::linux::ptrace::{PTRACE_PEEKTEXT, PTRACE_PEEKUSR};

use crate::libc;
use crate::message::Servers;

/// `long ptrace(enum __ptrace_request request, ...)`: a request about task `pid`.
///
/// The result is the system call's, but for the three PEEK requests: that is the word read, which can be -1, so `errno` is 0
/// after one that succeeded, and `data` has no meaning. A failure is -1 and the number in `errno`.
///
/// The prototype's variable arguments travel as these do, and one that the caller left out, as the requests allow, is any
/// number.
///
/// # Safety
/// `addr` and `data` must suit the request, as for ptrace(2).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ptrace(
    request: c_int,
    pid: c_int,
    addr: *mut c_void,
    data: *mut c_void,
) -> c_long {
    let mut word = 0u64;
    let peeks = matches!(request as u32, PTRACE_PEEKTEXT..=PTRACE_PEEKUSR);
    let result = match Servers::find() {
        Some(servers) => {
            // SAFETY: the caller's promise.
            let (result, read) =
                unsafe { servers.ptrace(request as u32, pid as u64, addr as u64, data as u64) };
            word = read;
            libc::result(result)
        }
        None => {
            let data = if peeks { (&raw mut word).cast() } else { data };
            let (number, request) = (__NR_ptrace.into(), c_long::from(request));
            // SAFETY: the caller's promise; a word that is peeked at goes to a local.
            unsafe { libc::syscall(number, request, c_long::from(pid), addr, data) }
        }
    };
    if peeks && result == 0 {
        libc::set_errno(0);
        return word as c_long;
    }
    result
}
