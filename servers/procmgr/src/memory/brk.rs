//! brk(2).

use super::layout::{USER_END, round_up};
use super::vma::Vma;
use super::{Backing, Memory};
use crate::machine::{Machine, PAGE, SpaceIx};
use abi::linux::general::{MAP_PRIVATE, PROT_READ, PROT_WRITE};

impl Memory {
    /// brk(2): returns the break as it is afterwards, which on failure is as it was.
    pub fn brk(&mut self, m: &mut impl Machine, s: SpaceIx, addr: u64) -> u64 {
        let mut site = self.site(m, s);
        let now = site.space.brk;
        let heap = addr.saturating_sub(site.space.brk_start);
        if addr < site.space.brk_start
            || heap > site.space.limits.data.0
            || addr > USER_END
            || site.space.vmas.reserve(1).is_err()
        {
            return now;
        }
        let (Some(old), Some(new)) = (round_up(now), round_up(addr)) else {
            return now;
        };
        if new < old {
            site.clear(new, old);
        } else if new > old {
            let mut vma = Vma {
                start: old,
                end: new,
                prot: PROT_READ | PROT_WRITE,
                flags: MAP_PRIVATE | site.future_lock(),
                may_write: true,
                backing: Backing::Anonymous,
            };
            // As Linux, a page stays free between the heap and what comes next.
            if !site.space.vmas.is_free(old, new - old + PAGE)
                || vma.is_locked() && !site.may_lock(new - old)
                || !site.may_expand(new - old, true)
                || !site.may_commit(&vma)
            {
                return now;
            }
            vma.account();
            site.insert(vma);
            if vma.is_locked() {
                let _ = site.populate(old, new);
            }
        }
        site.space.brk = addr;
        addr
    }

    /// Says where the heap starts: behind the program.
    pub fn set_brk(&mut self, s: SpaceIx, start: u64) {
        let space = self.space_mut(s);
        space.brk_start = start;
        space.brk = start;
    }

    /// Where the heap starts and where its break is.
    pub fn brk_range(&self, s: SpaceIx) -> (u64, u64) {
        let space = self.space(s);
        (space.brk_start, space.brk)
    }
}
