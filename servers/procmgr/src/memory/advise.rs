//! madvise(2).

use super::Memory;
use super::layout::{is_aligned, round_up};
use crate::machine::{Machine, SpaceIx};
use abi::Errno;
use abi::linux::general::{
    MADV_COLD, MADV_DODUMP, MADV_DOFORK, MADV_DONTDUMP, MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE,
    MADV_KEEPONFORK, MADV_MERGEABLE, MADV_NOHUGEPAGE, MADV_NORMAL, MADV_PAGEOUT, MADV_RANDOM,
    MADV_SEQUENTIAL, MADV_UNMERGEABLE, MADV_WILLNEED,
};

impl Memory {
    /// madvise(2): MADV_DONTNEED, and every advice that may be ignored. EINVAL, also for what would
    /// take pages from locked memory; ENOMEM where
    /// nothing is mapped, after having done the rest.
    pub fn advise(
        &mut self,
        m: &mut impl Machine,
        s: SpaceIx,
        addr: u64,
        len: u64,
        advice: u32,
    ) -> Result<(), Errno> {
        let drop = match advice {
            MADV_DONTNEED => true,
            MADV_NORMAL | MADV_RANDOM | MADV_SEQUENTIAL | MADV_WILLNEED | MADV_FREE | MADV_COLD
            | MADV_PAGEOUT | MADV_HUGEPAGE | MADV_NOHUGEPAGE | MADV_MERGEABLE
            | MADV_UNMERGEABLE | MADV_DODUMP | MADV_DONTDUMP | MADV_DOFORK | MADV_KEEPONFORK => {
                false
            }
            _ => return Err(Errno::EINVAL),
        };
        let takes = matches!(advice, MADV_DONTNEED | MADV_FREE | MADV_COLD | MADV_PAGEOUT);
        let end = round_up(len)
            .and_then(|len| addr.checked_add(len))
            .filter(|_| is_aligned(addr))
            .ok_or(Errno::EINVAL)?;
        let mut site = self.site(m, s);
        if takes {
            let range = site.space.vmas.overlapping(addr, end);
            let locked = site.space.vmas.all()[range]
                .iter()
                .find(|vma| vma.is_locked());
            if let Some(start) = locked.map(|vma| vma.start.max(addr)) {
                if drop {
                    site.drop_pages(addr, start);
                }
                return Err(Errno::EINVAL);
            }
        }
        if drop {
            // Pages are only where something is mapped.
            site.drop_pages(addr, end);
        }
        if site.space.vmas.covered(addr, end) == end - addr {
            Ok(())
        } else {
            Err(Errno::ENOMEM)
        }
    }
}
