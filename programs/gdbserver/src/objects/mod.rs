//! What `qXfer` reads.

mod libraries;
mod threads;

use std::fs;
use std::os::unix::ffi::OsStrExt;

pub use libraries::auxiliary_entry;

use libtrace::{Errno, Pid, Result};

use crate::packet::hex;
use crate::registers::target_description;
use crate::target::Target;

/// Whose objects are read.
#[derive(Clone, Copy, Debug)]
pub struct Whose {
    /// The selected process.
    pub pid: Pid,
    /// The selected task.
    pub tid: Pid,
    /// Threads are named with their processes.
    pub multiprocess: bool,
}

/// Reads a whole object; none for a kind there is not.
///
/// # Errors
/// `EINVAL` for an annex that names nothing, `ESRCH`, and what reading says.
pub fn read(
    target: &mut Target,
    whose: Whose,
    object: &str,
    annex: &str,
) -> Option<Result<Vec<u8>>> {
    Some(match object {
        "features" if annex == "target.xml" => Ok(target_description().into_bytes()),
        "features" => Err(Errno::EINVAL),
        "auxv" => auxiliary_vector(whose.pid),
        "exec-file" => program(whose.pid, annex),
        "libraries-svr4" => libraries::list(target, whose.pid, annex),
        "siginfo" => signal_info(target, whose.tid),
        "threads" => Ok(threads::list(target, whose.multiprocess)),
        _ => return None,
    })
}

/// What the kernel told the program at its start.
fn auxiliary_vector(pid: Pid) -> Result<Vec<u8>> {
    fs::read(format!("/proc/{pid}/auxv")).map_err(errno)
}

/// The path of a process's program.
fn program(selected: Pid, annex: &str) -> Result<Vec<u8>> {
    let pid = match annex {
        "" => selected,
        pid => hex::signed(pid.as_bytes()).ok_or(Errno::EINVAL)?,
    };
    let program = fs::read_link(format!("/proc/{pid}/exe")).map_err(errno)?;
    Ok(program.as_os_str().as_bytes().to_vec())
}

fn signal_info(target: &mut Target, tid: Pid) -> Result<Vec<u8>> {
    let task = target.task_mut(tid).ok_or(Errno::ESRCH)?;
    let stopped = task.stopped().ok_or(Errno::EBUSY)?;
    Ok(stopped.signal_info()?.bytes().to_vec())
}

fn errno(error: std::io::Error) -> Errno {
    Errno(error.raw_os_error().unwrap_or(Errno::EIO.0))
}
