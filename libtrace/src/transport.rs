//! How requests reach whoever serves them.
//!
//! Today there is one way: the Linux system calls. They work on a Linux kernel and on
//! the Stillpoint machine alike, where the process manager passes them on. The place
//! for a shorter way is [`Transport`]: a variant that sends the tracer a message of the
//! `abi` crate over the endpoint every task of the machine holds. It would be chosen in
//! [`Transport::of_this_process`], once, and gets [`ptrace`]'s arguments already
//! checked by [`raw::ptrace`](crate::raw::ptrace).
//!
//! Outside this file only starting a process and catching an interrupt need `unsafe`.

use std::sync::OnceLock;

use crate::raw::{Data, Request, Shape};
use crate::wait::Usage;
use crate::{Errno, Pid, Result};

/// A way to reach the tracer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// The `ptrace` system call.
    SystemCall,
}

impl Transport {
    /// The way this process uses. It is decided at the first use and never changes.
    pub fn of_this_process() -> Transport {
        static CHOSEN: OnceLock<Transport> = OnceLock::new();
        *CHOSEN.get_or_init(|| Transport::SystemCall)
    }
}

/// Passes a checked request on.
pub(crate) fn ptrace(request: Request, pid: Pid, addr: u64, data: Data<'_>) -> Result<i64> {
    match Transport::of_this_process() {
        Transport::SystemCall => system_call(request, pid, addr, data),
    }
}

fn system_call(request: Request, pid: Pid, addr: u64, data: Data<'_>) -> Result<i64> {
    let mut vector;
    let data = match data {
        Data::Word(word) => word,
        Data::In(buffer) => buffer.as_ptr() as u64,
        Data::Out(buffer) if request.shape() == Shape::Vector => {
            vector = libc::iovec {
                iov_base: buffer.as_mut_ptr().cast(),
                iov_len: buffer.len(),
            };
            // SAFETY: the kernel accesses at most `iov_len` bytes of the buffer, which is
            // borrowed for the call, and writes the used length into `vector`.
            let done = unsafe {
                libc::syscall(libc::SYS_ptrace, request as u64, pid, addr, &raw mut vector)
            };
            return result(done).map(|_| vector.iov_len as i64);
        }
        Data::Out(buffer) => buffer.as_mut_ptr() as u64,
    };
    // SAFETY: `raw::ptrace` has checked that `data` is a number where the request takes
    // one, and otherwise a borrowed buffer of exactly the size the kernel accesses.
    result(unsafe { libc::syscall(libc::SYS_ptrace, request as u64, pid, addr, data) })
}

/// process_vm_readv(2) of one range.
pub(crate) fn read_memory(pid: Pid, addr: u64, buffer: &mut [u8]) -> Result<usize> {
    let local = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    let remote = libc::iovec {
        iov_base: addr as *mut libc::c_void,
        iov_len: buffer.len(),
    };
    // SAFETY: the kernel writes at most `iov_len` bytes to the local range, which is the
    // borrowed buffer; the remote range is in another process.
    let done = unsafe { libc::process_vm_readv(pid, &local, 1, &remote, 1, 0) };
    result(done as libc::c_long).map(|count| count as usize)
}

/// wait4(2): the task and its raw status, or `None` where `WNOHANG` found nothing.
pub(crate) fn wait4(pid: Pid, flags: i32) -> Result<Option<(Pid, i32, Usage)>> {
    let mut status = 0;
    // SAFETY: rusage is a struct of integers, for which zeros are valid.
    let mut usage: libc::rusage = unsafe { core::mem::zeroed() };
    // SAFETY: both pointers are to locals of the types that wait4 fills.
    let done = unsafe { libc::wait4(pid, &mut status, flags, &mut usage) };
    let pid = result(libc::c_long::from(done))? as Pid;
    let micros = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
    let usage = Usage {
        user_us: micros(usage.ru_utime),
        system_us: micros(usage.ru_stime),
    };
    Ok((pid != 0).then_some((pid, status, usage)))
}

/// tkill(2).
pub(crate) fn tkill(tid: Pid, signal: i32) -> Result<()> {
    // SAFETY: takes two numbers and touches no memory of ours.
    result(unsafe { libc::syscall(libc::SYS_tkill, tid, signal) }).map(drop)
}

/// kill(2).
pub(crate) fn kill(pid: Pid, signal: i32) -> Result<()> {
    // SAFETY: takes two numbers and touches no memory of ours.
    result(libc::c_long::from(unsafe { libc::kill(pid, signal) })).map(drop)
}

fn result(value: libc::c_long) -> Result<i64> {
    if value != -1 {
        return Ok(value);
    }
    Err(Errno(
        std::io::Error::last_os_error()
            .raw_os_error()
            .unwrap_or(libc::EIO),
    ))
}
