//! What a range of addresses means, and the list of such ranges.

use super::layout::STACK_GUARD_GAP;
use crate::machine::NoMemory;
use abi::fs::{FileRange, ObjectId};
use abi::linux::general::{
    MAP_GROWSDOWN, MAP_LOCKED, MAP_NORESERVE, MAP_SHARED, PROT_EXEC, PROT_READ, PROT_WRITE,
};
use alloc::vec::Vec;
use core::ops::Range;

/// The most ranges a space has (Linux's `vm.max_map_count` is 65530).
pub const MAX_VMAS: usize = 4096;

/// A flag beside the MAP_ ones: not for core dumps (madvise(2), MADV_DONTDUMP).
pub(super) const DONT_DUMP: u32 = 1 << 31;

/// Another one: private memory that could be written once, which Linux counts as committed
/// (VM_ACCOUNT). It stays what it is when it is made read-only, and so a range of its own.
pub(super) const ACCOUNTED: u32 = 1 << 30;

/// The protection bits that are kept.
pub(super) const PROT: u32 = PROT_READ | PROT_WRITE | PROT_EXEC;

/// A range of addresses that means one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Vma {
    /// First address; at a page's start.
    pub start: u64,
    /// First address behind; at a page's start.
    pub end: u64,
    /// PROT_ bits.
    pub prot: u32,
    /// MAP_SHARED or MAP_PRIVATE, MAP_GROWSDOWN, MAP_NORESERVE, MAP_LOCKED, and flags of our own.
    pub flags: u32,
    /// Whether PROT_WRITE may be asked for.
    pub may_write: bool,
    /// Where its pages come from.
    pub backing: Backing,
}

/// Where the pages of a range come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backing {
    /// Zeros, private.
    Anonymous,
    /// Zeros, shared with forks: an object of nobody else.
    SharedAnonymous {
        /// The object.
        object: ObjectId,
        /// What of it is at the first address.
        offset: u64,
    },
    /// A file.
    File {
        /// Its bytes.
        range: FileRange,
        /// Which offset of the file is at the first address.
        offset: u64,
    },
}

impl Vma {
    /// How many bytes.
    pub const fn len(&self) -> u64 {
        self.end - self.start
    }

    /// Never: a range has at least a page.
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Counts the range as committed, if it can be written and is not yet.
    pub(super) fn account(&mut self) {
        let writable = self.prot & PROT_WRITE != 0;
        if writable && self.flags & (MAP_SHARED | MAP_NORESERVE) == 0 {
            self.flags |= ACCOUNTED;
        }
    }

    /// Writes go to the object.
    pub const fn is_shared(&self) -> bool {
        self.flags & MAP_SHARED != 0
    }

    /// Grows downwards when touched below.
    pub const fn is_stack(&self) -> bool {
        self.flags & MAP_GROWSDOWN != 0
    }

    /// What RLIMIT_DATA counts: private, writable, no stack.
    pub const fn is_data(&self) -> bool {
        self.prot & PROT_WRITE != 0 && !self.is_shared() && !self.is_stack()
    }

    /// The object it maps.
    pub const fn object(&self) -> Option<ObjectId> {
        match self.backing {
            Backing::Anonymous => None,
            Backing::SharedAnonymous { object, .. } => Some(object),
            Backing::File { range, .. } => Some(range.object),
        }
    }

    /// The offset that /proc/PID/maps shows.
    pub const fn offset(&self) -> u64 {
        match self.backing {
            Backing::Anonymous => 0,
            Backing::SharedAnonymous { offset, .. } | Backing::File { offset, .. } => offset,
        }
    }

    /// Where in its object an address of it is. A range's offsets were checked when it was made.
    pub(super) const fn object_offset(&self, addr: u64) -> u64 {
        let base = match self.backing {
            Backing::Anonymous => 0,
            Backing::SharedAnonymous { offset, .. } => offset,
            Backing::File { range, offset } => range.offset + offset,
        };
        base + (addr - self.start)
    }

    /// The lowest address that must stay free below: a stack keeps its distance.
    pub(super) const fn guarded_start(&self) -> u64 {
        if self.is_stack() {
            self.start.saturating_sub(STACK_GUARD_GAP)
        } else {
            self.start
        }
    }

    /// The part of it from `start` to `end`.
    pub(super) const fn part(&self, start: u64, end: u64) -> Vma {
        let mut part = *self;
        part.start = start;
        part.end = end;
        let skipped = start - self.start;
        match &mut part.backing {
            Backing::Anonymous => {}
            Backing::SharedAnonymous { offset, .. } | Backing::File { offset, .. } => {
                *offset += skipped;
            }
        }
        part
    }

    /// Whether `next`, which starts where this ends, is more of the same.
    pub(super) fn continues_in(&self, next: &Vma) -> bool {
        let mut whole = *self;
        whole.end = next.end;
        self.end == next.start && whole.part(next.start, next.end) == *next
    }
}

/// The ranges of a space: sorted, apart, and no two neighbours that could be one.
#[derive(Clone, Default, Hash)]
pub(super) struct Vmas {
    list: Vec<Vma>,
}

impl Vmas {
    /// All, lowest first.
    pub fn all(&self) -> &[Vma] {
        &self.list
    }

    /// A copy.
    pub fn try_clone(&self) -> Result<Vmas, NoMemory> {
        let mut list = Vec::new();
        list.try_reserve_exact(self.list.len())
            .map_err(|_| NoMemory)?;
        list.extend_from_slice(&self.list);
        Ok(Vmas { list })
    }

    /// Unlocks all, as a fork does in the copy, whose objects nobody has counted yet.
    pub fn unlock(&mut self) {
        for vma in &mut self.list {
            vma.flags &= !MAP_LOCKED;
        }
        self.list.dedup_by(|next, this| {
            let one = this.continues_in(next);
            if one {
                this.end = next.end;
            }
            one
        });
    }

    /// One, to change it.
    pub fn get_mut(&mut self, i: usize) -> &mut Vma {
        &mut self.list[i]
    }

    /// The index of the first that ends behind an address: it holds it, or is the next above.
    pub fn above(&self, addr: u64) -> usize {
        self.list.partition_point(|vma| vma.end <= addr)
    }

    /// The one that holds an address.
    pub fn at(&self, addr: u64) -> Option<&Vma> {
        let vma = self.list.get(self.above(addr))?;
        (vma.start <= addr).then_some(vma)
    }

    /// The indices of those that have a part of `start..end`.
    pub fn overlapping(&self, start: u64, end: u64) -> Range<usize> {
        let first = self.above(start);
        let count = self.list[first..].partition_point(|vma| vma.start < end);
        first..first + count
    }

    /// How many bytes of `start..end` are in one.
    pub fn covered(&self, start: u64, end: u64) -> u64 {
        self.list[self.overlapping(start, end)]
            .iter()
            .map(|vma| vma.end.min(end) - vma.start.max(start))
            .sum()
    }

    /// Sees to it that there can be `more` in the end, and two more than that for a moment, while
    /// ranges are cut; fails at [`MAX_VMAS`].
    pub fn reserve(&mut self, more: usize) -> Result<(), NoMemory> {
        if more > 0 && self.list.len() + more > MAX_VMAS {
            return Err(NoMemory);
        }
        self.list.try_reserve(more + 2).map_err(|_| NoMemory)
    }

    /// How many ends of a range are inside one, not where it starts or ends.
    pub fn cuts(&self, start: u64, end: u64) -> usize {
        let inside = |&addr: &u64| self.at(addr).is_some_and(|vma| vma.start < addr);
        [start, end].iter().filter(|addr| inside(addr)).count()
    }

    /// How many more there are when a range has been made empty: one if it is the middle of one.
    pub fn pieces(&self, start: u64, end: u64) -> usize {
        let alone = self.overlapping(start, end).len() == 1;
        usize::from(alone && self.cuts(start, end) == 2)
    }

    /// Adds one where nothing is; there is room reserved.
    pub fn insert(&mut self, vma: Vma) -> usize {
        let i = self.above(vma.start);
        self.list.insert(i, vma);
        i
    }

    /// Removes some.
    pub fn remove(&mut self, range: Range<usize>) {
        self.list.drain(range);
    }

    /// Makes one and its next one, which continues it, one.
    pub fn merge(&mut self, i: usize) {
        self.list[i].end = self.list[i + 1].end;
        self.list.remove(i + 1);
    }

    /// Cuts the one that holds `addr` inside in two; there is room reserved. Returns it.
    pub fn split(&mut self, addr: u64) -> Option<Vma> {
        let i = self.above(addr);
        let vma = *self.list.get(i)?;
        if vma.start >= addr {
            return None;
        }
        self.list[i].end = addr;
        self.list.insert(i + 1, vma.part(addr, vma.end));
        Some(vma)
    }
}
