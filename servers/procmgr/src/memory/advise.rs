//! madvise(2).

use super::Memory;
use super::layout::{is_aligned, round_up};
use super::site::Site;
use super::vma::DONT_DUMP;
use crate::machine::{Machine, SpaceIx};
use abi::Errno;
use abi::linux::general::{
    MADV_COLD, MADV_DODUMP, MADV_DOFORK, MADV_DONTDUMP, MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE,
    MADV_KEEPONFORK, MADV_MERGEABLE, MADV_NOHUGEPAGE, MADV_NORMAL, MADV_PAGEOUT, MADV_RANDOM,
    MADV_SEQUENTIAL, MADV_UNMERGEABLE, MADV_WILLNEED,
};

/// What an advice does.
enum Effect {
    /// Drops pages.
    Drop,
    /// Sets or clears flags.
    Flags { set: u32, clear: u32 },
    /// Nothing.
    None,
}

impl Memory {
    /// madvise(2): MADV_DONTNEED, MADV_DONTDUMP and its reverse, and every advice that may be
    /// ignored. EINVAL, also for what would take pages from locked memory; EAGAIN when it would
    /// leave too many pieces; ENOMEM where nothing is mapped, after having done the rest.
    pub fn advise(
        &mut self,
        m: &mut impl Machine,
        s: SpaceIx,
        addr: u64,
        len: u64,
        advice: u32,
    ) -> Result<(), Errno> {
        let effect = effect(advice)?;
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
                if let Effect::Drop = effect {
                    site.drop_pages(addr, start);
                }
                return Err(Errno::EINVAL);
            }
        }
        match effect {
            // Pages are only where something is mapped.
            Effect::Drop => site.drop_pages(addr, end),
            Effect::Flags { set, clear } if addr < end => {
                let cuts = site.space.vmas.cuts(addr, end);
                let room = site.space.vmas.reserve(cuts);
                room.map_err(|_| Errno::EAGAIN)?;
                site.set_flags(addr, end, set, clear);
            }
            Effect::Flags { .. } | Effect::None => {}
        }
        if site.space.vmas.covered(addr, end) == end - addr {
            Ok(())
        } else {
            Err(Errno::ENOMEM)
        }
    }
}

impl<M: Machine> Site<'_, M> {
    fn set_flags(&mut self, start: u64, end: u64, set: u32, clear: u32) {
        let range = self.cut(start, end);
        for i in range.clone() {
            let flags = &mut self.space.vmas.get_mut(i).flags;
            *flags = *flags & !clear | set;
        }
        self.merge(range);
    }
}

fn effect(advice: u32) -> Result<Effect, Errno> {
    Ok(match advice {
        MADV_DONTNEED => Effect::Drop,
        MADV_DONTDUMP => Effect::Flags {
            set: DONT_DUMP,
            clear: 0,
        },
        MADV_DODUMP => Effect::Flags {
            set: 0,
            clear: DONT_DUMP,
        },
        MADV_NORMAL | MADV_RANDOM | MADV_SEQUENTIAL | MADV_WILLNEED | MADV_FREE | MADV_COLD
        | MADV_PAGEOUT | MADV_HUGEPAGE | MADV_NOHUGEPAGE | MADV_MERGEABLE | MADV_UNMERGEABLE
        | MADV_DOFORK | MADV_KEEPONFORK => Effect::None,
        _ => return Err(Errno::EINVAL),
    })
}
