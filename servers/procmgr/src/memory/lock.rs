//! mlock(2) and its relatives: which ranges stay present, and how much of that a space may have.
//!
//! Nothing is ever taken away from a space here, so to lock a range is to make its pages present,
//! to count them, and to refuse what would drop them.

use super::layout::UNLIMITED;
use super::site::Site;
use super::vma::Vma;
use super::{Memory, MemoryFault};
use crate::machine::{Machine, PAGE, SpaceIx};
use abi::Errno;
use abi::linux::general::{MAP_LOCKED, MAP_SHARED, PROT_WRITE};

/// The most pages that a call makes present, so that nobody waits long for another one's call;
/// the others come when they are touched.
pub const MAX_POPULATE: u64 = 4096;

impl Memory {
    /// Locks or unlocks a range of whole pages. EINVAL: its end has no number. ENOMEM: a place where nothing is mapped
    /// or that cannot be accessed, and all before it is done; or the limit. EAGAIN: there is no
    /// memory for all pages.
    pub fn lock(
        &mut self,
        m: &mut impl Machine,
        s: SpaceIx,
        (start, len): (u64, u64),
        on: bool,
        populate: bool,
    ) -> Result<(), Errno> {
        let mut site = self.site(m, s);
        if on {
            let end = start.saturating_add(len);
            let part = |vma: &Vma| vma.end.min(end).saturating_sub(vma.start.max(start));
            let locked = site.space.vmas.all().iter().filter(|vma| vma.is_locked());
            let twice = locked.map(part).sum::<u64>();
            if !site.may_lock(len.saturating_sub(twice)) {
                return Err(Errno::ENOMEM);
            }
        }
        let end = start.checked_add(len).ok_or(Errno::EINVAL)?;
        if start == end {
            return Ok(());
        }
        let cuts = site.space.vmas.cuts(start, end);
        let room = site.space.vmas.reserve(cuts);
        room.map_err(|_| Errno::ENOMEM)?;
        site.set_locked(start, end, on)?;
        match on && populate {
            true => site.populate(start, end).map_err(|fault| match fault {
                MemoryFault::NoMemory => Errno::EAGAIN,
                _ => Errno::ENOMEM,
            }),
            false => Ok(()),
        }
    }

    /// mlockall(2): what is there, and what will be. ENOMEM: the limit.
    pub fn lock_all(
        &mut self,
        m: &mut impl Machine,
        s: SpaceIx,
        (current, future): (bool, bool),
        populate: bool,
    ) -> Result<(), Errno> {
        let mut site = self.site(m, s);
        let limit = site.space.limits.locked;
        if current && limit != UNLIMITED && site.space.mapped() / PAGE > limit / PAGE {
            return Err(Errno::ENOMEM);
        }
        site.space.lock_future = future;
        if current {
            site.lock_each(true);
            if populate {
                site.populate_all();
            }
        }
        Ok(())
    }

    /// munlockall(2).
    pub fn unlock_all(&mut self, m: &mut impl Machine, s: SpaceIx) {
        let mut site = self.site(m, s);
        site.space.lock_future = false;
        site.lock_each(false);
    }

    /// How much a space may lock: nothing at all, or so many bytes.
    pub fn set_lock_limit(&mut self, s: SpaceIx, bytes: u64) {
        self.space_mut(s).limits.locked = bytes;
    }

    /// How much a space may lock.
    pub fn lock_limit(&self, s: SpaceIx) -> u64 {
        self.space(s).limits.locked
    }

    /// Which pages of a range are present, from an aligned address on; ENOMEM where nothing is
    /// mapped. What an object has is counted as if it were mapped.
    pub fn present(
        &mut self,
        m: &mut impl Machine,
        s: SpaceIx,
        start: u64,
        pages: &mut [u8],
    ) -> Result<(), Errno> {
        let mut site = self.site(m, s);
        for (page, to) in (start / PAGE..).zip(pages) {
            let vma = *site.space.vmas.at(page * PAGE).ok_or(Errno::ENOMEM)?;
            let present = site.entry(page).is_present() || site.is_lent(&vma, page);
            *to = u8::from(present);
        }
        Ok(())
    }
}

impl<M: Machine> Site<'_, M> {
    /// Whether so many more bytes may be locked.
    pub fn may_lock(&self, more: u64) -> bool {
        let limit = self.space.limits.locked;
        limit == UNLIMITED || self.space.locked().saturating_add(more) / PAGE <= limit / PAGE
    }

    /// The flag of what is mapped from now on.
    pub const fn future_lock(&self) -> u32 {
        match self.space.lock_future {
            true => MAP_LOCKED,
            false => 0,
        }
    }

    /// Locks or unlocks up to the first place where nothing is mapped, which is ENOMEM. There is
    /// room for the cuts.
    fn set_locked(&mut self, start: u64, end: u64, on: bool) -> Result<(), Errno> {
        let mut good = start;
        for vma in &self.space.vmas.all()[self.space.vmas.overlapping(start, end)] {
            if vma.start > good {
                break;
            }
            good = vma.end;
        }
        let good = good.min(end);
        if start < good {
            let range = self.cut(start, good);
            for i in range.clone() {
                self.space.vmas.get_mut(i).set_locked(on);
            }
            self.merge(range);
        }
        (good == end).then_some(()).ok_or(Errno::ENOMEM)
    }

    fn lock_each(&mut self, on: bool) {
        let all = 0..self.space.vmas.all().len();
        for i in all.clone() {
            self.space.vmas.get_mut(i).set_locked(on);
        }
        self.merge(all);
    }

    /// Makes the pages of a mapped range present and maps them, up to the first that cannot be.
    pub fn populate(&mut self, start: u64, end: u64) -> Result<(), MemoryFault> {
        for page in (start / PAGE..end / PAGE).take(MAX_POPULATE as usize) {
            let vma = *(self.space.vmas.at(page * PAGE)).ok_or(MemoryFault::NotMapped)?;
            if vma.prot == 0 {
                return Err(MemoryFault::Denied);
            }
            let write = vma.prot & PROT_WRITE != 0 && vma.flags & MAP_SHARED == 0;
            self.make_present(&vma, page, write)?;
            self.show(&vma, page)?;
        }
        Ok(())
    }

    /// The same of all that is mapped, whatever happens.
    fn populate_all(&mut self) {
        let mut left = MAX_POPULATE * PAGE;
        for i in 0..self.space.vmas.all().len() {
            let vma = self.space.vmas.all()[i];
            let end = vma.end.min(vma.start.saturating_add(left));
            let _ = self.populate(vma.start, end);
            left -= end - vma.start;
        }
    }
}

impl Vma {
    /// Its pages stay present.
    pub const fn is_locked(&self) -> bool {
        self.flags & MAP_LOCKED != 0
    }

    fn set_locked(&mut self, on: bool) {
        match on {
            true => self.flags |= MAP_LOCKED,
            false => self.flags &= !MAP_LOCKED,
        }
    }
}
