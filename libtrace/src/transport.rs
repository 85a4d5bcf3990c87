//! How requests reach whoever serves them.
//!
//! There are two ways. The Linux system call works on a Linux kernel and in the Stillpoint
//! machine alike, where the process manager passes it on to the tracer. In the machine a
//! [message](crate::message) to the tracer is shorter. Which one it is, is decided once.
//!
//! Outside this file and `message` only starting a process and catching an interrupt need `unsafe`.

use std::sync::OnceLock;

use crate::message::Tracer;
use crate::raw::{Data, Request, Shape};
use crate::wait::Usage;
use crate::{Errno, Pid, Result};

/// A way to reach the tracer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// The `ptrace` system call.
    SystemCall,
    /// A message.
    Message(Tracer),
}

impl Transport {
    /// The way this process uses. It is decided at the first use and never changes.
    pub fn of_this_process() -> Transport {
        static CHOSEN: OnceLock<Transport> = OnceLock::new();
        *CHOSEN.get_or_init(|| Tracer::find().map_or(Transport::SystemCall, Transport::Message))
    }
}

/// Passes a checked request on.
pub(crate) fn ptrace(request: Request, pid: Pid, addr: u64, data: Data<'_>) -> Result<i64> {
    let mut vector;
    let data = match data {
        Data::Word(word) => word,
        Data::In(buffer) => buffer.as_ptr() as u64,
        Data::Out(buffer) if request.shape() == Shape::Vector => {
            vector = libc::iovec {
                iov_base: buffer.as_mut_ptr().cast(),
                iov_len: buffer.len(),
            };
            // SAFETY: at most `iov_len` bytes of the buffer are accessed, which is borrowed for
            // the call, and the used length is written into `vector`.
            unsafe { send(request, pid, addr, &raw mut vector as u64) }?;
            return Ok(vector.iov_len as i64);
        }
        Data::Out(buffer) => buffer.as_mut_ptr() as u64,
    };
    // SAFETY: `raw::ptrace` has checked that `data` is a number where the request takes
    // one, and otherwise a borrowed buffer of exactly the size that is accessed.
    unsafe { send(request, pid, addr, data) }
}

/// Makes a request, whichever way.
///
/// # Safety
/// `data` must suit the request.
unsafe fn send(request: Request, pid: Pid, addr: u64, data: u64) -> Result<i64> {
    match Transport::of_this_process() {
        Transport::SystemCall => {
            // SAFETY: the caller's promise.
            result(unsafe { libc::syscall(libc::SYS_ptrace, request as u64, pid, addr, data) })
        }
        Transport::Message(tracer) => {
            // SAFETY: the caller's promise.
            let (value, word) = unsafe { tracer.ptrace(request as u64, pid as u64, addr, data) };
            if (-4095..0).contains(&value) {
                return Err(Errno(-value as i32));
            }
            if let Request::PeekData | Request::PeekUser = request {
                // SAFETY: the caller's promise: these two store a word through `data`.
                unsafe { (data as *mut u64).write_unaligned(word) };
            }
            Ok(value)
        }
    }
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
