//! Memory of processes, with and without what breakpoints have changed in it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;

use libtrace::{Errno, Pid, Result, memory};

use super::Target;

/// Up to how many bytes are written by `POKEDATA` rather than through a file.
const FEW: usize = 16;

impl Target {
    /// Reads memory of process `pid` as it is without breakpoints; how many bytes could be read.
    ///
    /// # Errors
    /// `EFAULT` or `EIO` where not even the first byte can be read; `ESRCH`.
    pub fn read_memory(&mut self, pid: Pid, addr: u64, buffer: &mut [u8]) -> Result<usize> {
        let count = self.read_plain(pid, addr, buffer)?;
        if let Some(space) = self.space_of(pid) {
            space.hide(addr, &mut buffer[..count]);
        }
        Ok(count)
    }

    /// Writes memory of process `pid`, also where it cannot itself; breakpoints stay.
    ///
    /// # Errors
    /// `EFAULT` or `EIO` where not all can be written; `ESRCH`.
    pub fn write_memory(&mut self, pid: Pid, addr: u64, bytes: &[u8]) -> Result<()> {
        let mut bytes = bytes.to_vec();
        if let Some(space) = self.space_of(pid) {
            space.keep(addr, &mut bytes);
        }
        self.write_plain(pid, addr, &bytes)
    }

    /// Memory as it is. What its owner cannot read is read through its file, page by page.
    pub(super) fn read_plain(&mut self, pid: Pid, addr: u64, buffer: &mut [u8]) -> Result<usize> {
        let tid = self.any_task(pid)?;
        let mut done = 0;
        let mut failed = Errno::EFAULT;
        while done < buffer.len() {
            let at = addr.wrapping_add(done as u64);
            match memory::read_memory(tid, at, &mut buffer[done..]) {
                Ok(count) if count > 0 => {
                    done += count;
                    continue;
                }
                Ok(_) => {}
                Err(error) => failed = error,
            }
            let page = (0x1000 - (at & 0xfff) as usize).min(buffer.len() - done);
            let file = self.memory_file(pid)?;
            match file.read_at(&mut buffer[done..done + page], at) {
                Ok(count) if count > 0 => done += count,
                _ => break,
            }
        }
        match done {
            0 if !buffer.is_empty() => Err(failed),
            done => Ok(done),
        }
    }

    /// Writes memory as it is.
    pub(super) fn write_plain(&mut self, pid: Pid, addr: u64, bytes: &[u8]) -> Result<()> {
        if bytes.len() <= FEW
            && let Some(task) = self.tasks_of(pid).find(|task| task.is_stopped())
        {
            return memory::write_memory(task.tid, addr, bytes);
        }
        let written = self.memory_file(pid)?.write_all_at(bytes, addr);
        written.map_err(|error| Errno(error.raw_os_error().unwrap_or(Errno::EIO.0)))
    }

    fn memory_file(&mut self, pid: Pid) -> Result<&File> {
        let tid = self.any_task(pid)?;
        let space = self.space_of(pid).ok_or(Errno::ESRCH)?;
        if space.memory.is_none() {
            let path = format!("/proc/{tid}/mem");
            let file = OpenOptions::new().read(true).write(true).open(path);
            let file = file.map_err(|error| Errno(error.raw_os_error().unwrap_or(Errno::EIO.0)))?;
            space.memory = Some(file);
        }
        space.memory.as_ref().ok_or(Errno::EIO)
    }

    /// A task of process `pid` that has memory: a stopped one, or one that runs.
    fn any_task(&self, pid: Pid) -> Result<Pid> {
        let tasks = || self.tasks_of(pid);
        let stopped = tasks().find(|task| task.is_stopped());
        let any = stopped.or_else(|| tasks().find(|task| task.is_running()));
        any.or_else(|| tasks().next())
            .map(|task| task.tid)
            .ok_or(Errno::ESRCH)
    }
}
