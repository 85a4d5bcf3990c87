//! Moving bytes between a task and an object, frame to frame.

use super::Memory;
use super::fault::{Access, MemoryFault};
use super::frames::copy_part;
use super::object::MAX_OBJECT_SIZE;
use super::site::Site;
use crate::machine::{Frame, Machine, PAGE, SpaceIx};
use abi::Errno;
use abi::fs::{Direction, ObjectId};

impl Memory {
    /// Moves bytes between a task and an object: how many, less than asked for where the task's
    /// memory ends or the object cannot grow. When it is none: EFAULT, ENOMEM (the task's page
    /// cannot be made), ENOSPC. EBADF, EROFS, EINVAL (an offset that no object has).
    #[expect(clippy::too_many_arguments, reason = "as in `abi::fs::Call::Transfer`")]
    pub fn transfer(
        &mut self,
        m: &mut impl Machine,
        s: SpaceIx,
        addr: u64,
        len: u64,
        object: ObjectId,
        offset: u64,
        direction: Direction,
    ) -> Result<u64, Errno> {
        let to_task = direction == Direction::ToTask;
        let end = offset.checked_add(len);
        if to_task {
            self.objects.readable(object)?;
            end.ok_or(Errno::EINVAL)?;
        } else {
            self.objects.check_writable(object)?;
            end.filter(|&end| end <= MAX_OBJECT_SIZE)
                .ok_or(Errno::ENOSPC)?;
        }
        let mut site = self.site(m, s);
        let mut done = 0;
        while done < len {
            let (addr, offset) = (addr + done, offset + done);
            let room = PAGE - (addr % PAGE).max(offset % PAGE);
            let n = room.min(len - done);
            let moved = if to_task {
                site.copy_to_task(addr, object, offset, n as usize)
            } else {
                site.copy_from_task(addr, object, offset, n as usize)
            };
            match moved {
                Ok(()) => done += n,
                Err(errno) if done == 0 => return Err(errno),
                Err(_) => break,
            }
        }
        if !to_task && done > 0 {
            site.objects.grow(object, offset + done);
        }
        Ok(done)
    }
}

impl<M: Machine> Site<'_, M> {
    /// Moves bytes within one page of each to the task.
    fn copy_to_task(
        &mut self,
        addr: u64,
        object: ObjectId,
        offset: u64,
        len: usize,
    ) -> Result<(), Errno> {
        let to = self.target(addr, Access::Write).map_err(errno)?;
        let from = self.objects.frame(self.m, object, offset / PAGE);
        self.copy((to, addr), (from, offset), len);
        Ok(())
    }

    /// Moves bytes within one page of each to the object.
    fn copy_from_task(
        &mut self,
        addr: u64,
        object: ObjectId,
        offset: u64,
        len: usize,
    ) -> Result<(), Errno> {
        let from = self.source(addr, Access::Read).map_err(errno)?;
        let page = offset / PAGE;
        if from.is_none() && self.objects.frame(self.m, object, page).is_none() {
            // Zeros into a hole.
            return Ok(());
        }
        let to = self.objects.frame_or_new(self.m, self.frames, object, page);
        self.copy((to.map_err(|_| Errno::ENOSPC)?, offset), (from, addr), len);
        Ok(())
    }

    fn copy(&mut self, to: (Frame, u64), from: (Option<Frame>, u64), len: usize) {
        let to = (to.0, (to.1 % PAGE) as usize);
        let from = (from.0, (from.1 % PAGE) as usize);
        copy_part(self.m, to, from, len);
    }
}

/// What a task's system call returns when memory that it named cannot be accessed.
fn errno(fault: MemoryFault) -> Errno {
    match fault {
        MemoryFault::NoMemory => Errno::ENOMEM,
        MemoryFault::NotMapped | MemoryFault::Denied | MemoryFault::Bus => Errno::EFAULT,
    }
}
