//! mlock(2) and its relatives, msync(2), mincore(2).

use crate::Procmgr;
use crate::machine::{Machine, PAGE, SpaceIx};
use crate::memory::Vma;
use crate::memory::layout::{USER_END, is_aligned, page_start};
use abi::linux::general as g;
use abi::{Errno, TaskId};

/// How many pages mincore(2) answers for at a time.
const CHUNK: u64 = 4096;

impl Procmgr {
    /// Calls about which pages are present.
    pub(super) fn resident_call(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        nr: u32,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        let space = self.space_of(id);
        match nr {
            g::__NR_mlock => self.mlock(m, space, (a[0], a[1]), 0),
            g::__NR_mlock2 => self.mlock(m, space, (a[0], a[1]), a[2] as u32),
            g::__NR_munlock => self
                .memory
                .lock(m, space, rounded(a[0], a[1]), false, false),
            g::__NR_mlockall => self.mlockall(m, space, a[0] as u32),
            g::__NR_munlockall => {
                self.memory.unlock_all(m, space);
                Ok(())
            }
            g::__NR_msync => self.msync(space, (a[0], a[1]), a[2] as u32),
            _ => self.mincore(m, id, a),
        }
    }

    /// mlock2(2).
    fn mlock(
        &mut self,
        m: &mut impl Machine,
        space: SpaceIx,
        (addr, len): (u64, u64),
        flags: u32,
    ) -> Result<(), Errno> {
        if flags & !g::MLOCK_ONFAULT != 0 {
            return Err(Errno::EINVAL);
        }
        if self.memory.lock_limit(space) == 0 {
            return Err(Errno::EPERM);
        }
        self.memory
            .lock(m, space, rounded(addr, len), true, flags == 0)
    }

    fn mlockall(&mut self, m: &mut impl Machine, space: SpaceIx, flags: u32) -> Result<(), Errno> {
        let known = g::MCL_CURRENT | g::MCL_FUTURE | g::MCL_ONFAULT;
        if flags & !known != 0 || flags & !g::MCL_ONFAULT == 0 {
            return Err(Errno::EINVAL);
        }
        if self.memory.lock_limit(space) == 0 {
            return Err(Errno::EPERM);
        }
        let has = |flag| flags & flag != 0;
        let which = (has(g::MCL_CURRENT), has(g::MCL_FUTURE));
        self.memory.lock_all(m, space, which, !has(g::MCL_ONFAULT))
    }

    /// msync(2): nothing is behind memory, so only the arguments can be wrong.
    fn msync(&mut self, space: SpaceIx, (start, len): (u64, u64), flags: u32) -> Result<(), Errno> {
        let both = g::MS_ASYNC | g::MS_SYNC;
        if flags & !(both | g::MS_INVALIDATE) != 0 || flags & both == both || !is_aligned(start) {
            return Err(Errno::EINVAL);
        }
        let end = len
            .checked_next_multiple_of(PAGE)
            .and_then(|len| start.checked_add(len))
            .ok_or(Errno::ENOMEM)?;
        let part = |vma: &Vma| vma.end.min(end).saturating_sub(vma.start.max(start));
        let parts = self.memory.vmas(space).filter(|vma| part(vma) > 0);
        let (mut covered, mut locked) = (0, false);
        for vma in parts {
            covered += part(vma);
            locked |= vma.is_locked();
        }
        if locked && flags & g::MS_INVALIDATE != 0 {
            return Err(Errno::EBUSY);
        }
        match covered == end - start {
            true => Ok(()),
            false => Err(Errno::ENOMEM),
        }
    }

    /// mincore(2).
    fn mincore(&mut self, m: &mut impl Machine, id: TaskId, a: [u64; 6]) -> Result<(), Errno> {
        let [start, len, mut to, ..] = a;
        if !is_aligned(start) {
            return Err(Errno::EINVAL);
        }
        let end = start.checked_add(len).filter(|end| *end <= USER_END);
        let end = end.ok_or(Errno::ENOMEM)?.next_multiple_of(PAGE);
        let space = self.space_of(id);
        let mut buffer = [0; CHUNK as usize];
        let mut at = start;
        while at < end {
            // A range at a time, so that what is known is told before what is not mapped.
            let holds = |vma: &&Vma| vma.start <= at && at < vma.end;
            let vma = self.memory.vmas(space).find(holds).ok_or(Errno::ENOMEM)?;
            let until = vma.end.min(end);
            let pages = ((until - at) / PAGE).min(CHUNK);
            let bytes = &mut buffer[..pages as usize];
            self.memory.present(m, space, at, bytes)?;
            self.put(m, id, to, bytes)?;
            at += pages * PAGE;
            to += pages;
        }
        Ok(())
    }
}

/// The start and length of the whole pages that mlock(2) means. As on Linux a length that has no
/// number in pages is none.
fn rounded(addr: u64, len: u64) -> (u64, u64) {
    let start = page_start(addr);
    let len = page_start(len.wrapping_add(addr - start).wrapping_add(PAGE - 1));
    (start, len)
}
