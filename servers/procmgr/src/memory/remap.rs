//! mremap(2).

use super::Memory;
use super::layout::{MMAP_MIN_ADDR, USER_END, is_aligned, round_up};
use super::object::MAX_OBJECT_SIZE;
use super::pages::Entry;
use super::site::Site;
use super::vma::Vma;
use crate::machine::{Machine, NoMemory, PAGE, SpaceIx};
use abi::Errno;
use abi::linux::general::{MREMAP_FIXED, MREMAP_MAYMOVE};

/// How many VMAs a move may add: one cut at each end of both places, less what it removes.
const MOST_ADDED: usize = 4;

impl Memory {
    /// mremap(2). EINVAL, EFAULT, EPERM, EAGAIN (locked), ENOMEM; with MREMAP_FIXED, as in Linux, what was at the
    /// new place may be gone then. MREMAP_DONTUNMAP is EINVAL.
    #[expect(clippy::too_many_arguments, reason = "as mremap(2)")]
    pub fn remap(
        &mut self,
        m: &mut impl Machine,
        s: SpaceIx,
        addr: u64,
        old_len: u64,
        new_len: u64,
        flags: u32,
        new_addr: u64,
    ) -> Result<u64, Errno> {
        let fixed = flags & MREMAP_FIXED != 0;
        let may_move = flags & MREMAP_MAYMOVE != 0;
        if flags & !(MREMAP_FIXED | MREMAP_MAYMOVE) != 0 || fixed && !may_move || !is_aligned(addr)
        {
            return Err(Errno::EINVAL);
        }
        let old_len = round_up(old_len).ok_or(Errno::EINVAL)?;
        let new_len = round_up(new_len)
            .filter(|&len| len != 0)
            .ok_or(Errno::EINVAL)?;
        if fixed {
            check_target(new_addr, new_len, addr, old_len)?;
        }
        let mut site = self.site(m, s);
        let vma = *site.space.vmas.at(addr).ok_or(Errno::EFAULT)?;
        if old_len == 0 && !vma.is_shared() {
            return Err(Errno::EINVAL);
        }
        // A shrink may end in another VMA, as munmap may; everything else is of one.
        let moves = fixed || new_len > old_len;
        if moves && old_len.min(new_len) > vma.end - addr || addr > USER_END.saturating_sub(old_len)
        {
            return Err(Errno::EFAULT);
        }
        let room = site.space.vmas.reserve(MOST_ADDED);
        let more = new_len.saturating_sub(old_len);
        if vma.is_locked() && !site.may_lock(more) {
            return Err(Errno::EAGAIN);
        }
        let may_expand = site.may_expand(more, vma.is_data());
        if room.is_err() || !may_expand || too_long(&vma, addr, new_len) {
            return Err(Errno::ENOMEM);
        }

        if fixed {
            site.clear(new_addr, new_addr + new_len);
        }
        if new_len < old_len {
            site.clear(addr + new_len, addr + old_len);
        }
        if !moves {
            return Ok(addr);
        }
        if fixed {
            return site.relocate(addr, old_len.min(new_len), new_addr, new_len);
        }
        if old_len != 0 && addr + old_len == vma.end && site.space.vmas.is_free(vma.end, more) {
            site.extend(addr, more);
            return Ok(addr);
        }
        if !may_move {
            return Err(Errno::ENOMEM);
        }
        let to = site.space.vmas.free_area(0, new_len, false);
        site.relocate(addr, old_len, to.ok_or(Errno::ENOMEM)?, new_len)
    }
}

impl<M: Machine> Site<'_, M> {
    /// Makes the VMA at an address longer, into free room.
    fn extend(&mut self, addr: u64, more: u64) {
        let i = self.space.vmas.above(addr);
        self.space.vmas.get_mut(i).end += more;
        self.merge(i..i + 1);
    }

    /// Moves a part of a VMA with its pages to a place that is free.
    fn relocate(&mut self, from: u64, len: u64, to: u64, new_len: u64) -> Result<u64, Errno> {
        let vma = *self.space.vmas.at(from).ok_or(Errno::EFAULT)?;
        let (first, end) = (from / PAGE, (from + len) / PAGE);
        let target = |page: u64| page - first + to / PAGE;
        if self.take_leaves(first, end, target).is_err() {
            self.space.pages.trim(self.m);
            return Err(Errno::ENOMEM);
        }

        let mut page = first;
        while let Some((at, entry)) = self.space.pages.next(self.m, page, end) {
            if let Some(mapping) = entry.mapping() {
                self.m.unmap(mapping);
            }
            // The new entry first, so that a leaf that holds both never is empty.
            self.set(target(at), entry.without_mapping());
            self.set(at, Entry::ABSENT);
            page = at + 1;
        }
        let mut moved = vma.part(from, vma.end);
        moved.start = to;
        moved.end = to + new_len;
        if let Some(object) = moved.object() {
            self.objects.mapped(object);
        }
        if len != 0 {
            self.clear(from, from + len);
        }
        self.insert(moved);
        Ok(to)
    }

    /// Takes the leaves that the present pages of a range need elsewhere.
    fn take_leaves(
        &mut self,
        first: u64,
        end: u64,
        target: impl Fn(u64) -> u64,
    ) -> Result<(), NoMemory> {
        let mut page = first;
        while let Some((at, _)) = self.space.pages.next(self.m, page, end) {
            self.space.pages.ensure(self.m, target(at))?;
            page = at + 1;
        }
        Ok(())
    }
}

/// Whether MREMAP_FIXED can be.
fn check_target(new_addr: u64, new_len: u64, addr: u64, old_len: u64) -> Result<(), Errno> {
    let new_end = new_addr.checked_add(new_len);
    let new_end = new_end.filter(|&end| end <= USER_END && is_aligned(new_addr));
    let new_end = new_end.ok_or(Errno::EINVAL)?;
    let end = addr.checked_add(old_len).ok_or(Errno::EINVAL)?;
    if end > new_addr && new_end > addr {
        return Err(Errno::EINVAL);
    }
    if new_addr < MMAP_MIN_ADDR {
        return Err(Errno::EPERM);
    }
    Ok(())
}

/// Whether the offsets of a longer mapping would have no number.
fn too_long(vma: &Vma, addr: u64, len: u64) -> bool {
    len > USER_END
        || vma.object().is_some() && vma.object_offset(addr).saturating_add(len) > MAX_OBJECT_SIZE
}
