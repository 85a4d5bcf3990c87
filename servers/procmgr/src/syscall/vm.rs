//! process_vm_readv(2) and process_vm_writev(2): memory of another process, copied frame to
//! frame without a stop and without the tracer.

use crate::Procmgr;
use crate::credentials::AccessMode;
use crate::machine::{Machine, SpaceIx};
use abi::{Errno, TaskId};
use alloc::vec::Vec;

/// The most ranges on either side, as IOV_MAX.
const MAX_RANGES: u64 = 1024;
/// The most bytes one call moves, as MAX_RW_COUNT.
const MAX_BYTES: u64 = 0x7fff_f000;

/// Which way the bytes go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the other process.
    Read,
    /// Into it.
    Write,
}

/// Ranges of memory, taken piece by piece.
struct Ranges {
    list: Vec<(u64, u64)>,
    at: usize,
    done: u64,
}

impl Ranges {
    /// The rest of the range at hand.
    fn next(&mut self) -> Option<(u64, u64)> {
        while let Some((addr, len)) = self.list.get(self.at) {
            if self.done < *len {
                return Some((addr.wrapping_add(self.done), len - self.done));
            }
            self.at += 1;
            self.done = 0;
        }
        None
    }

    fn is_empty(&self) -> bool {
        self.list.iter().all(|(_, len)| *len == 0)
    }
}

impl Procmgr {
    /// Both calls. Nothing is asked about the other process where there is nothing to move.
    pub(super) fn sys_process_vm(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
        way: Way,
    ) -> Result<i64, Errno> {
        if a[5] != 0 {
            return Err(Errno::EINVAL);
        }
        let mut local = self.read_ranges(m, id, a[1], a[2])?;
        if local.is_empty() {
            return Ok(0);
        }
        let mut remote = self.read_ranges(m, id, a[3], a[4])?;
        if remote.is_empty() {
            return Ok(0);
        }
        let (here, there) = self.both_spaces(id, a[0] as u32)?;
        let mut total = 0;
        while let (Some(l), Some(r)) = (local.next(), remote.next()) {
            let len = l.1.min(r.1);
            let n = self.move_between(m, (here, l.0), (there, r.0), len, way);
            total += n;
            local.done += n;
            remote.done += n;
            if n < len {
                break;
            }
        }
        match total {
            0 => Err(Errno::EFAULT),
            total => Ok(total as i64),
        }
    }

    /// The same for one range by message: the other's address, the caller's, how many bytes.
    pub(crate) fn process_vm_by_message(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        [tid, other, own, len]: [u64; 4],
        way: Way,
    ) -> Result<i64, Errno> {
        if (len as i64) < 0 {
            return Err(Errno::EINVAL);
        }
        if len == 0 {
            return Ok(0);
        }
        let (here, there) = self.both_spaces(id, tid as u32)?;
        match self.move_between(m, (here, own), (there, other), len.min(MAX_BYTES), way) {
            0 => Err(Errno::EFAULT),
            total => Ok(total as i64),
        }
    }

    /// The caller's space and another task's. ESRCH: nobody has the tid, or no memory any more.
    /// EPERM: not the caller's to see.
    fn both_spaces(&self, id: TaskId, tid: u32) -> Result<(SpaceIx, SpaceIx), Errno> {
        let target = self.seen(id, tid).ok_or(Errno::ESRCH)?;
        let there = self.task(target).space.ok_or(Errno::ESRCH)?;
        if !self.may_access(id, target, AccessMode::Real) {
            return Err(Errno::EPERM);
        }
        let here = self.task(id).space.ok_or(Errno::EFAULT)?;
        Ok((here, there))
    }

    /// Moves bytes; how many could be.
    fn move_between(
        &mut self,
        m: &mut impl Machine,
        here: (SpaceIx, u64),
        there: (SpaceIx, u64),
        len: u64,
        way: Way,
    ) -> u64 {
        match way {
            Way::Read => self.memory.copy(m, there, here, len),
            Way::Write => self.memory.copy(m, here, there, len),
        }
    }

    fn read_ranges(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        at: u64,
        count: u64,
    ) -> Result<Ranges, Errno> {
        if count > MAX_RANGES {
            return Err(Errno::EINVAL);
        }
        let mut list = Vec::new();
        let mut left = MAX_BYTES;
        for i in 0..count {
            let entry = at.checked_add(16 * i).ok_or(Errno::EFAULT)?;
            let [addr, len] = self.get_words(m, id, entry)?;
            if (len as i64) < 0 {
                return Err(Errno::EINVAL);
            }
            let len = len.min(left);
            left -= len;
            list.push((addr, len));
        }
        Ok(Ranges {
            list,
            at: 0,
            done: 0,
        })
    }
}
