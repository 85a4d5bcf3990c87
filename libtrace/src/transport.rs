//! How requests reach whoever serves them.
//!
//! There are two ways. Linux's system calls work on a Linux kernel and in the Stillpoint machine
//! alike. In the machine a [message](crate::message) is shorter. Which one it is, is decided once.
//!
//! Outside this file and `message` only starting a process and catching an interrupt need `unsafe`.

use crate::message::Servers;
use crate::raw::{Data, Request, Shape};
use crate::stops::Shown;
use crate::wait::Usage;
use crate::{Errno, Pid, Result};

/// The register set of the general registers,
const NT_PRSTATUS: u64 = 1;
/// and its size in bytes.
const GENERAL_REGISTERS: usize = 8 * abi::regs::USER_REGS_WORDS;

/// A way to reach who serves requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// System calls.
    SystemCall,
    /// Messages.
    Message(Servers),
}

impl Transport {
    /// The way this process uses. It is decided at the first use and never changes.
    pub fn of_this_process() -> Transport {
        Servers::find().map_or(Transport::SystemCall, Transport::Message)
    }
}

/// Passes a checked request on.
pub(crate) fn ptrace(request: Request, pid: Pid, addr: u64, data: Data<'_>) -> Result<i64> {
    let mut data = data;
    if let Some(len) = shown(request, pid, addr, &mut data) {
        return Ok(len);
    }
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

/// What a request reads, from where this program is shown its tracees' stops: its result.
fn shown(request: Request, pid: Pid, addr: u64, data: &mut Data<'_>) -> Option<i64> {
    let (Data::Out(buffer), Transport::Message(servers)) = (data, Transport::of_this_process())
    else {
        return None;
    };
    let to = buffer.as_mut_ptr().cast::<u64>();
    match request {
        Request::PeekUser if addr.is_multiple_of(8) => {
            let word = Shown::find(servers, pid)?.register((addr / 8) as usize)?;
            buffer.copy_from_slice(&word.to_le_bytes());
            Some(0)
        }
        // SAFETY: `raw::ptrace` has checked that the buffer has the size of what is copied.
        Request::GetRegs => unsafe { Shown::find(servers, pid)?.registers(to) }.then_some(0),
        Request::GetRegSet if addr == NT_PRSTATUS && buffer.len() == GENERAL_REGISTERS => {
            // SAFETY: it has the size of what is copied.
            unsafe { Shown::find(servers, pid)?.registers(to) }.then_some(buffer.len() as i64)
        }
        // SAFETY: as for GetRegs.
        Request::GetSigInfo => unsafe { Shown::find(servers, pid)?.siginfo(to) }.then_some(0),
        _ => None,
    }
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
        Transport::Message(servers) => {
            // SAFETY: the caller's promise.
            let (value, word) = unsafe { servers.ptrace(request as u32, pid as u64, addr, data) };
            let value = checked(value)?;
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
    if let Transport::Message(servers) = Transport::of_this_process() {
        let (to, len) = (buffer.as_mut_ptr(), buffer.len());
        // SAFETY: at most `len` bytes of the buffer are written, which is borrowed for the call.
        let done = unsafe { servers.read_memory(pid, addr, to, len) };
        return checked(done).map(|count| count as usize);
    }
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

/// waitpid(2): the task and its raw status, or `None` where `WNOHANG` found nothing.
pub(crate) fn waitpid(pid: Pid, flags: i32) -> Result<Option<(Pid, i32)>> {
    let (pid, status) = match Transport::of_this_process() {
        Transport::SystemCall => {
            let mut status = 0;
            // SAFETY: the pointer is to a local of the type that waitpid fills.
            let done = unsafe { libc::waitpid(pid, &mut status, flags) };
            (result(done.into())? as Pid, status)
        }
        Transport::Message(servers) => {
            let (value, status) = servers.wait(pid, flags);
            (checked(value)? as Pid, status)
        }
    };
    Ok((pid != 0).then_some((pid, status)))
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

/// The machine's call about contexts.
pub(crate) fn context(command: u64, argument: u64) -> Result<i64> {
    let number = libc::c_long::from(abi::client::NR_CONTEXT);
    // SAFETY: takes numbers and touches no memory of ours.
    result(unsafe { libc::syscall(number, command, argument) })
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

/// The result of a system call as the kernel leaves it.
pub(crate) fn checked(value: i64) -> Result<i64> {
    match value {
        -4095..0 => Err(Errno(-value as i32)),
        value => Ok(value),
    }
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
