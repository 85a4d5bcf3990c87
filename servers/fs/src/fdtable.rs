//! Tables of file descriptors.

use abi::Errno;
use alloc::vec::Vec;

/// The most descriptors of a table: Linux's usual RLIMIT_NOFILE.
pub const MAX_FDS: usize = 1024;

/// One descriptor: an open file, which it keeps, and FD_CLOEXEC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fd {
    pub file: u32,
    pub cloexec: bool,
}

/// The descriptors of the tasks that share it.
#[derive(Clone, Default)]
pub(crate) struct FdTable {
    fds: Vec<Option<Fd>>,
    /// How many tasks have it.
    pub users: u32,
}

impl FdTable {
    pub fn get(&self, fd: i32) -> Option<Fd> {
        *self.fds.get(usize::try_from(fd).ok()?)?
    }

    pub fn get_mut(&mut self, fd: i32) -> Option<&mut Fd> {
        self.fds.get_mut(usize::try_from(fd).ok()?)?.as_mut()
    }

    /// The lowest free descriptor that is at least `least`; EMFILE when there is none.
    pub fn lowest_free(&self, least: usize) -> Result<i32, Errno> {
        let free = (least..self.fds.len())
            .find(|&fd| self.fds[fd].is_none())
            .unwrap_or(self.fds.len().max(least));
        if free < MAX_FDS {
            Ok(free as i32)
        } else {
            Err(Errno::EMFILE)
        }
    }

    /// Sets a descriptor below [`MAX_FDS`]; what was there.
    pub fn set(&mut self, fd: i32, entry: Option<Fd>) -> Option<Fd> {
        let fd = fd as usize;
        if fd >= self.fds.len() {
            if entry.is_none() || fd >= MAX_FDS {
                return None;
            }
            self.fds.resize(fd + 1, None);
        }
        core::mem::replace(&mut self.fds[fd], entry)
    }

    /// How many descriptors fit without growing.
    pub fn size(&self) -> usize {
        self.fds.len().next_multiple_of(64)
    }

    /// Everything open, in order.
    pub fn iter(&self) -> impl Iterator<Item = (i32, Fd)> + '_ {
        (0..)
            .zip(&self.fds)
            .filter_map(|(fd, entry)| Some((fd, (*entry)?)))
    }
}
