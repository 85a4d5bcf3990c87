//! Page faults: making a page present, then showing it to the task.
//!
//! The two steps are apart because each leaves a consistent state alone: when the machine cannot
//! map a page that was made present, the page is present and not mapped, as after a fork.

use super::layout::{MMAP_MIN_ADDR, STACK_GUARD_GAP, USER_END, page_start};
use super::pages::Entry;
use super::site::Site;
use super::vma::Vma;
use super::{Backing, Memory};
use crate::machine::{Frame, Machine, NoMemory, PAGE, Rights, SpaceIx};
use abi::linux::general::{PROT_EXEC, PROT_WRITE};

/// How many pages around a read fault in a file are mapped with it.
///
/// A fault costs about 3500 instructions on the way to the server and back, and a map 1700: in a
/// window of n pages the others are worth it if a third of them would have been touched. Program
/// text is touched in runs, but rarely in longer ones than this. Only what can be lent without
/// taking memory is mapped, and only where the task cannot write: a page of writable data is
/// about to be copied, which would end the mapping at once.
pub const FAULT_AROUND: u64 = 8;

/// Why an access cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryFault {
    /// Nothing is mapped there: SIGSEGV, SEGV_MAPERR.
    NotMapped,
    /// The protection forbids it: SIGSEGV, SEGV_ACCERR.
    Denied,
    /// A page of a mapped file behind its end: SIGBUS, BUS_ADRERR.
    Bus,
    /// There is no memory left for it.
    NoMemory,
}

impl From<NoMemory> for MemoryFault {
    fn from(NoMemory: NoMemory) -> MemoryFault {
        MemoryFault::NoMemory
    }
}

/// Who accesses, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// The task, or the kernel for it.
    Read,
    /// The task, or the kernel for it.
    Write,
    /// The task.
    Execute,
    /// A tracer: whatever the protection.
    Peek,
    /// A tracer: through private mappings whatever the protection.
    Poke,
}

/// What an absent page reads as.
pub(super) enum Lent {
    /// This.
    Frame(Frame),
    /// Zeros.
    Zeros,
}

impl Memory {
    /// Makes a page good for the access that faulted. A page that is good already is no error:
    /// another thread's fault was first.
    pub fn fault(
        &mut self,
        m: &mut impl Machine,
        s: SpaceIx,
        addr: u64,
        access: crate::Access,
    ) -> Result<(), MemoryFault> {
        let mut site = self.site(m, s);
        let page = addr / PAGE;
        let entry = site.entry(page);
        match access {
            crate::Access::Read if entry.is_mapped() => return Ok(()),
            crate::Access::Write if entry.is_writable() => return Ok(()),
            _ => {}
        }
        if access == crate::Access::Execute && entry.is_mapped() {
            site.check(addr, Access::Execute)?;
            site.let_execute(entry);
            return Ok(());
        }
        // A fetch from a page that is not there makes it present as a read does, and is refused
        // when it finds it: so a handler sees the error code that it sees on Linux.
        let write = access == crate::Access::Write;
        let access = if write { Access::Write } else { Access::Read };
        let vma = site.check(addr, access)?;
        site.make_present(&vma, page, write)?;
        site.show(&vma, page)?;
        if !write {
            site.show_around(&vma, page);
        }
        Ok(())
    }
}

impl<M: Machine> Site<'_, M> {
    /// The VMA in which an access at `addr` is allowed. The stack grows for the task, not for a
    /// tracer.
    pub fn check(&mut self, addr: u64, access: Access) -> Result<Vma, MemoryFault> {
        let vma = match self.space.vmas.at(addr) {
            Some(vma) => *vma,
            None if matches!(access, Access::Peek | Access::Poke) => {
                return Err(MemoryFault::NotMapped);
            }
            None => self.grow_stack(addr)?,
        };
        let allowed = match access {
            Access::Read => vma.prot != 0,
            Access::Write => vma.prot & PROT_WRITE != 0,
            Access::Execute => vma.prot & PROT_EXEC != 0,
            Access::Peek => true,
            Access::Poke => !vma.is_shared() || vma.prot & PROT_WRITE != 0,
        };
        allowed.then_some(vma).ok_or(MemoryFault::Denied)
    }

    /// Makes a page present: for a write, with a frame that may be written.
    pub fn make_present(&mut self, vma: &Vma, page: u64, write: bool) -> Result<(), MemoryFault> {
        let entry = self.entry(page);
        let copy = write && !vma.is_shared();
        if entry.is_present() && (!copy || self.is_exclusive(entry)) {
            return Ok(());
        }
        if !copy {
            let frame = self.lend(vma, page)?;
            self.space.pages.set(self.m, page, Entry::borrowed(frame))?;
            return Ok(());
        }
        let from = if entry.is_present() {
            (Some(entry.frame()) != *self.zero).then(|| entry.frame())
        } else {
            match self.lent(vma, page)? {
                Lent::Frame(frame) => Some(frame),
                Lent::Zeros => None,
            }
        };
        let frame = self.frames.alloc(self.m)?;
        if let Some(from) = from {
            self.m.frame_copy(frame, from);
        }
        if let Err(e) = self.space.pages.set(self.m, page, Entry::owned(frame)) {
            self.frames.release(self.m, frame);
            return Err(e.into());
        }
        if let Some(mapping) = entry.mapping() {
            self.m.unmap(mapping);
        }
        if entry.is_owned() {
            self.frames.release(self.m, entry.frame());
        }
        Ok(())
    }

    /// A mapped page of a range that may be executed could not be: it was mapped before
    /// mprotect(2) gave that right, or has lost it with that of writing in a fork.
    fn let_execute(&mut self, entry: Entry) {
        let mapping = entry.mapping().expect("the caller has looked");
        let rights = Rights {
            write: entry.is_writable(),
            execute: true,
        };
        self.m.protect(self.ix, mapping, rights);
    }

    /// Maps a present page with all the rights that it can have now.
    pub fn show(&mut self, vma: &Vma, page: u64) -> Result<(), NoMemory> {
        let entry = self.entry(page);
        let writable = vma.prot & PROT_WRITE != 0 && (vma.is_shared() || self.is_exclusive(entry));
        let rights = Rights {
            write: writable,
            execute: vma.prot & PROT_EXEC != 0,
        };
        let mapping = match entry.mapping() {
            _ if vma.prot == 0 => return Ok(()),
            Some(_) if entry.is_writable() || !writable => return Ok(()),
            Some(mapping) => {
                self.m.protect(self.ix, mapping, rights);
                mapping
            }
            None => self.m.map(self.ix, page * PAGE, entry.frame(), rights)?,
        };
        self.set(page, entry.with_mapping(mapping, writable));
        Ok(())
    }

    /// What an absent page reads as, taking no memory.
    pub fn lent(&mut self, vma: &Vma, page: u64) -> Result<Lent, MemoryFault> {
        let Some(object) = vma.object() else {
            return Ok(Lent::Zeros);
        };
        let index = self.object_page(vma, page)?;
        Ok(match self.objects.frame(self.m, object, index) {
            Some(frame) => Lent::Frame(frame),
            None => Lent::Zeros,
        })
    }

    /// The frame that an absent page borrows.
    fn lend(&mut self, vma: &Vma, page: u64) -> Result<Frame, MemoryFault> {
        if let Some(object) = vma.object() {
            let index = self.object_page(vma, page)?;
            return Ok(self
                .objects
                .frame_or_new(self.m, self.frames, object, index)?);
        }
        if let Some(frame) = *self.zero {
            return Ok(frame);
        }
        let frame = self.m.frame_alloc().ok_or(NoMemory)?;
        *self.zero = Some(frame);
        Ok(frame)
    }

    /// Whether what a page would borrow from its object is there.
    pub fn is_lent(&mut self, vma: &Vma, page: u64) -> bool {
        let lent = vma
            .object()
            .map(|object| (object, self.object_page(vma, page)));
        matches!(lent, Some((object, Ok(index))) if self.objects.frame(self.m, object, index).is_some())
    }

    /// Which page of its object a page of a VMA is; `Bus` behind the end.
    fn object_page(&mut self, vma: &Vma, page: u64) -> Result<u64, MemoryFault> {
        let offset = vma.object_offset(page * PAGE);
        let end = match (
            vma.object().and_then(|id| self.objects.size(id)),
            vma.backing,
        ) {
            (Some(size), _) => size,
            (None, Backing::File { range, .. }) => range.offset.saturating_add(range.size),
            (None, _) => 0,
        };
        (offset < end)
            .then_some(offset / PAGE)
            .ok_or(MemoryFault::Bus)
    }

    /// Maps what is there around a page of a file that the task only reads.
    fn show_around(&mut self, vma: &Vma, page: u64) {
        let Some(object) = vma.object() else { return };
        if vma.prot & PROT_WRITE != 0 {
            return;
        }
        let first = page - page % FAULT_AROUND;
        let low = first.max(vma.start / PAGE);
        let high = (first + FAULT_AROUND).min(vma.end / PAGE);
        for near in low..high {
            if !self.entry(near).is_present() {
                let Ok(index) = self.object_page(vma, near) else {
                    return;
                };
                let Some(frame) = self.objects.own_frame(self.m, object, index) else {
                    continue;
                };
                let entry = Entry::borrowed(frame);
                if self.space.pages.set(self.m, near, entry).is_err() {
                    return;
                }
            }
            if self.show(vma, near).is_err() {
                return;
            }
        }
    }

    /// Makes the stack above an address reach it. As Linux: within the stack limit, and not
    /// closer to what is below than the guard gap, unless that cannot be accessed.
    fn grow_stack(&mut self, addr: u64) -> Result<Vma, MemoryFault> {
        let start = page_start(addr);
        let i = self.space.vmas.above(addr);
        let (below, above) = self.space.vmas.all().split_at(i);
        let vma = *above
            .first()
            .filter(|vma| vma.is_stack())
            .ok_or(MemoryFault::NotMapped)?;
        let crowded = below.last().is_some_and(|below| {
            !below.is_stack() && below.prot != 0 && start - below.end < STACK_GUARD_GAP
        });
        let fits = (MMAP_MIN_ADDR..USER_END).contains(&start)
            && vma.end - start <= self.space.limits.stack
            && self.may_expand(vma.start - start, false)
            && (!vma.is_locked() || self.may_lock(vma.start - start));
        if crowded || !fits {
            return Err(MemoryFault::NotMapped);
        }
        let vma = self.space.vmas.get_mut(i);
        vma.start = start;
        Ok(*vma)
    }

    /// Whether this space may write the page's frame.
    fn is_exclusive(&self, entry: Entry) -> bool {
        entry.is_owned() && self.frames.is_exclusive(entry.frame())
    }
}
