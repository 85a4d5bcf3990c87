//! Contexts of the Stillpoint machine (docs/contexts.md). On Linux everything here is ENOSYS.

use crate::{Errno, Pid, Result, transport};
use abi::client::{CONTEXT_ENTER, CONTEXT_GET};

/// The number of a process's context, 0 for the host's; of the caller's with pid 0.
///
/// # Errors
/// ESRCH.
pub fn of(pid: Pid) -> Result<u32> {
    call(CONTEXT_GET, pid as u64)
}

/// Takes the calling process into a context, which is made if there is none of this number, or
/// with 0 into a new one. Its number is the result. There is no way back.
///
/// # Errors
/// EPERM without privilege or outside the host's context, EBUSY for a process that traces others,
/// EINVAL, EAGAIN, ENOMEM.
pub fn enter(number: u32) -> Result<u32> {
    call(CONTEXT_ENTER, number.into())
}

fn call(command: u64, argument: u64) -> Result<u32> {
    let number = transport::context(command, argument)?;
    u32::try_from(number).map_err(|_| Errno::EIO)
}
