//! ptrace(2).

use core::ffi::{c_int, c_long, c_void};

use abi::linux::general::__NR_ptrace;
use abi::linux::ptrace::{PTRACE_GETREGS, PTRACE_GETSIGINFO, PTRACE_PEEKTEXT, PTRACE_PEEKUSR};
use abi::regs::USER_REGS_WORDS;
use abi::signal::SIGINFO_SIZE;

use crate::libc;
use crate::message::Servers;
use crate::stops::Shown;

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
            let (result, read) = unsafe { ask(servers, request as u32, pid, addr as u64, data) };
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

/// A request in the machine: what is shown of the tracee's stop, or else a message.
///
/// # Safety
/// As for `ptrace`.
#[inline]
unsafe fn ask(
    servers: Servers,
    request: u32,
    pid: c_int,
    addr: u64,
    data: *mut c_void,
) -> (i64, u64) {
    match request {
        PTRACE_PEEKUSR if addr < 8 * USER_REGS_WORDS as u64 && addr.is_multiple_of(8) => {
            let shown = Shown::find(servers, pid);
            if let Some(word) = shown.and_then(|shown| shown.register(addr as usize / 8)) {
                return (0, word);
            }
        }
        PTRACE_GETREGS if libc::is_variable(data, 8 * USER_REGS_WORDS) => {
            // SAFETY: it is a variable of that size.
            let copy = |shown: Shown| unsafe { shown.registers(data.cast()) };
            if Shown::find(servers, pid).is_some_and(copy) {
                return (0, 0);
            }
        }
        PTRACE_GETSIGINFO if libc::is_variable(data, SIGINFO_SIZE) => {
            // SAFETY: it is a variable of that size.
            let copy = |shown: Shown| unsafe { shown.siginfo(data.cast()) };
            if Shown::find(servers, pid).is_some_and(copy) {
                return (0, 0);
            }
        }
        _ => {}
    }
    // SAFETY: the caller's promise.
    unsafe { servers.ptrace(request, pid as u64, addr, data as u64) }
}
