//! Tables of file descriptors.

use crate::Fs;
use crate::host::{Host, Port};
use abi::{Errno, TaskId};
use alloc::vec::Vec;

/// The most descriptors of a table, whatever RLIMIT_NOFILE says (Linux's fs.nr_open).
pub const MAX_FDS: usize = 4096;
/// The most places for descriptors in all tables together. Each task pays for the whole table that
/// it has, shared or not, so that exec can always have one of its own.
pub const MAX_FD_SLOTS: usize = 1 << 19;

/// One descriptor: an open file, which it keeps, and FD_CLOEXEC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fd {
    pub file: u32,
    pub cloexec: bool,
}

/// A place for a descriptor: 0 where nothing is, else the number of an open file and one more,
/// and FD_CLOEXEC as the lowest bit.
#[derive(Clone, Copy, Default, Hash)]
struct Slot(u32);

impl Slot {
    fn of(fd: Option<Fd>) -> Slot {
        fd.map_or(Slot(0), |fd| {
            Slot((fd.file + 1) << 1 | u32::from(fd.cloexec))
        })
    }

    fn get(self) -> Option<Fd> {
        (self.0 != 0).then(|| Fd {
            file: (self.0 >> 1) - 1,
            cloexec: self.0 & 1 != 0,
        })
    }
}

/// The descriptors of the tasks that share it.
#[derive(Clone, Default, Hash)]
pub(crate) struct FdTable {
    slots: Vec<Slot>,
    /// Nothing is free below.
    full_below: usize,
    /// How many tasks have it.
    pub users: u32,
}

impl FdTable {
    pub fn get(&self, fd: i32) -> Option<Fd> {
        self.slots.get(usize::try_from(fd).ok()?)?.get()
    }

    /// Sets FD_CLOEXEC of a descriptor; EBADF where there is none.
    pub fn set_cloexec(&mut self, fd: i32, cloexec: bool) -> Result<(), Errno> {
        let entry = self.get(fd).ok_or(Errno::EBADF)?;
        self.slots[fd as usize] = Slot::of(Some(Fd { cloexec, ..entry }));
        Ok(())
    }

    /// The lowest free descriptor that is at least `least`.
    fn lowest_free(&self, least: usize) -> usize {
        let from = least.max(self.full_below);
        (from..self.slots.len())
            .find(|&fd| self.slots[fd].0 == 0)
            .unwrap_or(self.slots.len().max(least))
    }

    /// Takes a descriptor out; what it was.
    pub fn take(&mut self, fd: i32) -> Option<Fd> {
        let entry = self.get(fd)?;
        self.slots[fd as usize] = Slot(0);
        self.full_below = self.full_below.min(fd as usize);
        Some(entry)
    }

    /// Puts a descriptor where there is a place; what was there.
    pub fn put(&mut self, fd: usize, entry: Fd) -> Option<Fd> {
        if fd >= self.slots.len() {
            self.slots.resize(fd + 1, Slot(0));
        }
        if fd == self.full_below {
            self.full_below += 1;
        }
        core::mem::replace(&mut self.slots[fd], Slot::of(Some(entry))).get()
    }

    /// How many places it has.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// How many descriptors fit without growing, as /proc tells it.
    pub fn size(&self) -> usize {
        self.slots.len().next_multiple_of(64)
    }

    /// Everything open, in order.
    pub fn iter(&self) -> impl Iterator<Item = (i32, Fd)> + '_ {
        (0..)
            .zip(&self.slots)
            .filter_map(|(fd, slot)| Some((fd, slot.get()?)))
    }
}

impl<H: Host> Port<'_, H> {
    /// How many descriptors the task may have.
    pub fn max_fds(&self) -> usize {
        usize::try_from(self.who.told.max_fds).map_or(MAX_FDS, |limit| limit.min(MAX_FDS))
    }
}

impl Fs {
    /// The lowest descriptor that is free and at least `least`: EMFILE above RLIMIT_NOFILE.
    pub(crate) fn free_fd<H: Host>(&self, port: &Port<'_, H>, least: usize) -> Result<i32, Errno> {
        let fd = self.table(port.task)?.lowest_free(least);
        self.check_fd(port, fd).map(|()| fd as i32)
    }

    /// Two of them.
    pub(crate) fn free_fds<H: Host>(&self, port: &Port<'_, H>) -> Result<[i32; 2], Errno> {
        let first = self.free_fd(port, 0)?;
        Ok([first, self.free_fd(port, first as usize + 1)?])
    }

    /// EMFILE for a descriptor above the limit; ENOMEM where no table has room for it.
    fn check_fd<H: Host>(&self, port: &Port<'_, H>, fd: usize) -> Result<(), Errno> {
        if fd >= port.max_fds() {
            return Err(Errno::EMFILE);
        }
        self.room_for_fd(port.task, fd)
    }

    /// ENOMEM where a task's table cannot grow to have a descriptor.
    pub(crate) fn room_for_fd(&self, task: TaskId, fd: usize) -> Result<(), Errno> {
        let table = self.table(task)?;
        let more = (fd + 1).saturating_sub(table.len()) * table.users as usize;
        if self.fd_slots + more > MAX_FD_SLOTS {
            return Err(Errno::ENOMEM);
        }
        Ok(())
    }

    /// Puts a descriptor into a task's table, which has room for it; what was there.
    pub(crate) fn set_fd(&mut self, task: TaskId, fd: i32, entry: Fd) -> Result<Option<Fd>, Errno> {
        let table = self.table_mut(task)?;
        let (before, users) = (table.len(), table.users as usize);
        let replaced = table.put(fd as usize, entry);
        let grown = table.len() - before;
        self.fd_slots += grown * users;
        Ok(replaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_keeps_file_and_flag() {
        for (file, cloexec) in [(0, false), (0, true), (8191, true)] {
            let fd = Slot::of(Some(Fd { file, cloexec })).get().unwrap();
            assert_eq!((fd.file, fd.cloexec), (file, cloexec));
        }
        assert!(Slot::of(None).get().is_none());
    }

    #[test]
    fn the_lowest_that_was_taken_out_is_free_again() {
        let mut table = FdTable::default();
        let file = Fd {
            file: 1,
            cloexec: false,
        };
        for fd in 0..4 {
            assert_eq!(table.lowest_free(0), fd);
            table.put(fd, file);
        }
        table.take(2);
        table.take(1);
        assert_eq!((table.lowest_free(0), table.lowest_free(2)), (1, 2));
        table.put(1, file);
        assert_eq!((table.lowest_free(0), table.lowest_free(9)), (2, 9));
    }
}
