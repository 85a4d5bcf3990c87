//! mprotect(2).

use super::Memory;
use super::layout::{is_aligned, round_up};
use super::site::Site;
use super::vma::{PROT, Vma};
use crate::machine::{Machine, PAGE, Rights, SpaceIx};
use abi::Errno;
use abi::linux::general::{PROT_EXEC, PROT_GROWSDOWN, PROT_SEM, PROT_WRITE};

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
        let mut data = 0;
        for vma in &self.space.vmas.all()[self.space.vmas.overlapping(start, end)] {
            if vma.start > good {
                break;
            }
            if prot & PROT_WRITE != 0 && !vma.may_write {
                result = Err(Errno::EACCES);
                break;
            }
            let part = vma.end.min(end) - vma.start.max(start);
            let becomes_data = Vma { prot, ..*vma }.is_data() && !vma.is_data();
            if becomes_data && self.within_space(part) && !self.within_data(data + part) {
                result = Err(Errno::ENOMEM);
                break;
            }
            data += if becomes_data { part } else { 0 };
            good = vma.end;
        }
        if good < end && result.is_ok() {
            result = Err(Errno::ENOMEM);
        }
        let end = end.min(good);
        if start < end {
            let range = self.cut(start, end);
            for i in range.clone() {
                let vma = self.space.vmas.get_mut(i);
                let lost = core::mem::replace(&mut vma.prot, prot) & !prot;
                vma.account();
                let (start, end) = (vma.start, vma.end);
                self.restrict(start, end, prot, lost);
            }
            self.merge(range);
        }
        result
    }

    /// Takes the rights that a range has lost from its mapped pages. Rights are never given here:
    /// the fault that needs one gives it, and most pages are never written again.
    fn restrict(&mut self, start: u64, end: u64, prot: u32, lost: u32) {
        if lost & (PROT_WRITE | PROT_EXEC) == 0 && prot != 0 {
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
            } else if entry.is_writable() || lost & PROT_EXEC != 0 {
                let write = entry.is_writable() && prot & PROT_WRITE != 0;
                let execute = prot & PROT_EXEC != 0;
                self.m.protect(self.ix, mapping, Rights { write, execute });
                self.set(at, entry.with_mapping(mapping, write));
            }
        }
    }
}
