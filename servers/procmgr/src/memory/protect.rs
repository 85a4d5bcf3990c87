//! mprotect(2).

use super::Memory;
use super::layout::{is_aligned, round_up};
use super::site::Site;
use super::vma::PROT;
use crate::machine::{Machine, PAGE, SpaceIx};
use abi::Errno;
use abi::linux::general::{PROT_GROWSDOWN, PROT_SEM, PROT_WRITE};

impl Memory {
    /// mprotect(2). EINVAL; ENOMEM and EACCES, before which, as in Linux, what was below the
    /// place that is at fault has been changed.
    pub fn protect(
        &mut self,
        m: &mut impl Machine,
        s: SpaceIx,
        addr: u64,
        len: u64,
        prot: u32,
    ) -> Result<(), Errno> {
        if !is_aligned(addr) {
            return Err(Errno::EINVAL);
        }
        if len == 0 {
            return Ok(());
        }
        let end = round_up(len)
            .and_then(|len| addr.checked_add(len))
            .ok_or(Errno::ENOMEM)?;
        if prot & !(PROT | PROT_SEM | PROT_GROWSDOWN) != 0 {
            return Err(Errno::EINVAL);
        }
        let mut site = self.site(m, s);
        let mut start = addr;
        if prot & PROT_GROWSDOWN != 0 {
            let first = site.space.vmas.all().get(site.space.vmas.above(addr));
            let first = first.filter(|vma| vma.start < end).ok_or(Errno::ENOMEM)?;
            if !first.is_stack() {
                return Err(Errno::EINVAL);
            }
            start = first.start;
        }
        let cuts = site.space.vmas.cuts(start, end);
        let room = site.space.vmas.reserve(cuts);
        room.map_err(|_| Errno::ENOMEM)?;
        site.protect(start, end, prot & PROT)
    }
}

impl<M: Machine> Site<'_, M> {
    /// Gives a range new rights, up to the first place where that cannot be. There is room for
    /// the cuts.
    fn protect(&mut self, start: u64, end: u64, prot: u32) -> Result<(), Errno> {
        let mut result = Ok(());
        let mut good = start;
        for vma in &self.space.vmas.all()[self.space.vmas.overlapping(start, end)] {
            if vma.start > good {
                break;
            }
            if prot & PROT_WRITE != 0 && !vma.may_write {
                result = Err(Errno::EACCES);
                break;
            }
            good = vma.end;
        }
        if good < end && result.is_ok() {
            result = Err(Errno::ENOMEM);
        }
        let end = end.min(good);
        if start < end {
            let range = self.cut(start, end);
            for i in range.clone() {
                self.space.vmas.get_mut(i).prot = prot;
            }
            self.restrict(start, end, prot);
            self.merge(range);
        }
        result
    }

    /// Takes rights from the mapped pages of a range. Rights are never given here: the fault that
    /// needs one gives it, and most pages are never written again.
    fn restrict(&mut self, start: u64, end: u64, prot: u32) {
        if prot & PROT_WRITE != 0 {
            return;
        }
        let (mut page, end) = (start / PAGE, end / PAGE);
        while let Some((at, entry)) = self.space.pages.next(self.m, page, end) {
            page = at + 1;
            let Some(mapping) = entry.mapping() else {
                continue;
            };
            if prot == 0 {
                self.m.unmap(mapping);
                self.set(at, entry.without_mapping());
            } else if entry.is_writable() {
                self.m.protect(self.ix, mapping, false);
                self.set(at, entry.with_mapping(mapping, false));
            }
        }
    }
}
