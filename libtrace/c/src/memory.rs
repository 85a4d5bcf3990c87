//! process_vm_readv(2) and process_vm_writev(2).

use core::ffi::{c_int, c_long, c_ulong, c_void};

use abi::linux::general::{__NR_process_vm_readv, __NR_process_vm_writev};

use crate::libc;
use crate::message::Servers;

/// `struct iovec`: a range of memory.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Range {
    base: *mut c_void,
    len: usize,
}

/// `ssize_t process_vm_readv(pid_t pid, const struct iovec *local, unsigned long local_count, const struct iovec *remote,
/// unsigned long remote_count, unsigned long flags)`: reads memory of process `pid`.
///
/// A message has room for one range on either side. For more it is a system call.
///
/// # Safety
/// `local` and `remote` are as many ranges as said. Those of `local` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn process_vm_readv(
    pid: c_int,
    local: *const Range,
    local_count: c_ulong,
    remote: *const Range,
    remote_count: c_ulong,
    flags: c_ulong,
) -> isize {
    let (number, counts) = (__NR_process_vm_readv, [local_count, remote_count, flags]);
    // SAFETY: the caller's promise.
    unsafe {
        transfer(
            number,
            pid,
            local,
            remote,
            counts,
            |servers, at, to, len| servers.read_memory(pid, at, to, len),
        )
    }
}

/// `ssize_t process_vm_writev(pid_t pid, const struct iovec *local, unsigned long local_count, const struct iovec *remote,
/// unsigned long remote_count, unsigned long flags)`: writes memory of process `pid`.
///
/// # Safety
/// `local` and `remote` are as many ranges as said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn process_vm_writev(
    pid: c_int,
    local: *const Range,
    local_count: c_ulong,
    remote: *const Range,
    remote_count: c_ulong,
    flags: c_ulong,
) -> isize {
    let (number, counts) = (__NR_process_vm_writev, [local_count, remote_count, flags]);
    // SAFETY: the caller's promise.
    unsafe {
        transfer(
            number,
            pid,
            local,
            remote,
            counts,
            |servers, at, from, len| servers.write_memory(pid, at, from, len),
        )
    }
}

/// Either of them: by `message` where there is one range on each side, else by the system call `number`.
///
/// # Safety
/// As of the two.
unsafe fn transfer(
    number: u32,
    pid: c_int,
    local: *const Range,
    remote: *const Range,
    counts: [c_ulong; 3],
    message: impl FnOnce(Servers, u64, *mut u8, usize) -> i64,
) -> isize {
    if let Some(servers) = Servers::find()
        && counts == [1, 1, 0]
        && libc::is_pointer(local)
        && libc::is_pointer(remote)
    {
        // SAFETY: there is a range at each, the caller says.
        let (own, other) = unsafe { (*local, *remote) };
        // Longer ones are an error, of whichever side comes first.
        if own.len.max(other.len) <= isize::MAX as usize {
            let len = own.len.min(other.len);
            let result = message(servers, other.base.addr() as u64, own.base.cast(), len);
            return libc::result(result) as isize;
        }
    }
    let [local_count, remote_count, flags] = counts;
    let pid = c_long::from(pid);
    // SAFETY: the caller's promise.
    let result = unsafe {
        libc::syscall(
            number.into(),
            pid,
            local,
            local_count,
            remote,
            remote_count,
            flags,
        )
    };
    result as isize
}
