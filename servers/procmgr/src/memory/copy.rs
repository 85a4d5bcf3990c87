//! Moving bytes between objects, and forgetting them, frame to frame.

use super::Memory;
use super::frames::copy_part;
use super::object::MAX_OBJECT_SIZE;
use crate::machine::{Machine, PAGE};
use abi::Errno;
use abi::fs::{MAX_COPY, ObjectId};

/// A place in an object.
pub type Place = (ObjectId, u64);

impl Memory {
    /// Copies at most [`MAX_COPY`] bytes from one object to another, which grows as needed: how
    /// many, less than asked for where it cannot. EBADF, EROFS, EINVAL (an offset that no object
    /// has), ENOSPC. Where both are one, the parts do not overlap.
    pub fn object_copy(
        &mut self,
        m: &mut impl Machine,
        from: Place,
        to: Place,
        len: u64,
    ) -> Result<u64, Errno> {
        self.objects.readable(from.0)?;
        self.objects.check_writable(to.0)?;
        let len = len.min(MAX_COPY);
        from.1.checked_add(len).ok_or(Errno::EINVAL)?;
        to.1.checked_add(len)
            .filter(|&end| end <= MAX_OBJECT_SIZE)
            .ok_or(Errno::ENOSPC)?;
        let mut done = 0;
        while done < len {
            let (source, target) = (from.1 + done, to.1 + done);
            let room = PAGE - (source % PAGE).max(target % PAGE);
            let n = room.min(len - done);
            let there = self.objects.frame(m, from.0, source / PAGE);
            // Zeros into a hole change nothing.
            let hole = there.is_none() && self.objects.frame(m, to.0, target / PAGE).is_none();
            if !hole {
                let Ok(frame) = self
                    .objects
                    .frame_or_new(m, &mut self.frames, to.0, target / PAGE)
                else {
                    break;
                };
                let to = (frame, (target % PAGE) as usize);
                copy_part(m, to, (there, (source % PAGE) as usize), n as usize);
            }
            done += n;
        }
        if done == 0 && len > 0 {
            return Err(Errno::ENOSPC);
        }
        self.objects.grow(to.0, to.1 + done);
        Ok(done)
    }

    /// Makes bytes of an object zeros; it keeps its size. EBADF, EROFS, EINVAL, ENOSPC.
    pub fn object_zero(
        &mut self,
        m: &mut impl Machine,
        (object, offset): Place,
        len: u64,
    ) -> Result<(), Errno> {
        self.objects.check_writable(object)?;
        let end = offset.checked_add(len).ok_or(Errno::EINVAL)?;
        let mut page = offset / PAGE;
        while let Some((next, _)) = self.objects.next(m, object, page, end.div_ceil(PAGE)) {
            // A page that it shares with spaces is made its own.
            let frame = self
                .objects
                .frame_or_new(m, &mut self.frames, object, next)
                .map_err(|_| Errno::ENOSPC)?;
            let start = (next * PAGE).max(offset) % PAGE;
            let stop = (next * PAGE + PAGE).min(end) - next * PAGE;
            m.bytes_mut(frame)[start as usize..stop as usize].fill(0);
            page = next + 1;
        }
        Ok(())
    }
}
