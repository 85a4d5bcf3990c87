//! One space together with everything its pages can come from: what the system calls work on.

use super::frames::Frames;
use super::layout::UNLIMITED;
use super::object::Objects;
use super::pages::Entry;
use super::space::{Memory, Space};
use super::vma::{Backing, Vma};
use crate::machine::{Frame, Machine, PAGE, SpaceIx};
use abi::linux::general::{MAP_NORESERVE, PROT_WRITE};
use core::ops::Range;

/// One space at work.
pub(super) struct Site<'a, M> {
    pub m: &'a mut M,
    pub ix: SpaceIx,
    pub space: &'a mut Space,
    pub frames: &'a mut Frames,
    pub objects: &'a mut Objects,
    pub zero: &'a mut Option<Frame>,
}

impl Memory {
    /// A space to work on.
    pub(super) fn site<'a, M: Machine>(&'a mut self, m: &'a mut M, s: SpaceIx) -> Site<'a, M> {
        Site {
            m,
            ix: s,
            space: self.spaces[s.0 as usize]
                .as_mut()
                .expect("whoever names a space holds a reference to it"),
            frames: &mut self.frames,
            objects: &mut self.objects,
            zero: &mut self.zero,
        }
    }
}

impl<M: Machine> Site<'_, M> {
    /// Makes a range empty. There is room reserved for as many [pieces](super::vma::Vmas::pieces) as
    /// that makes.
    pub fn clear(&mut self, start: u64, end: u64) {
        let range = self.cut(start, end);
        self.drop_pages(start, end);
        for i in range.clone() {
            if let Some(object) = self.space.vmas.all()[i].object() {
                self.objects.unmapped(self.m, self.frames, object);
            }
        }
        self.space.vmas.remove(range);
    }

    /// Adds a VMA where nothing is, for which there is room reserved. Its object is counted
    /// already.
    pub fn insert(&mut self, vma: Vma) {
        let i = self.space.vmas.insert(vma);
        self.merge(i..i + 1);
    }

    /// Cuts VMAs so that `start..end` ends where they do; returns which are in it. There is room
    /// reserved for the [cuts](super::vma::Vmas::cuts).
    pub fn cut(&mut self, start: u64, end: u64) -> Range<usize> {
        for addr in [start, end] {
            if let Some(object) = self.space.vmas.split(addr).and_then(|vma| vma.object()) {
                self.objects.mapped(object);
            }
        }
        self.space.vmas.overlapping(start, end)
    }

    /// Makes neighbours one that can be, among some VMAs and those next to them.
    pub fn merge(&mut self, range: Range<usize>) {
        for i in (range.start.saturating_sub(1)..range.end).rev() {
            if let [this, next, ..] = &self.space.vmas.all()[i..]
                && this.continues_in(next)
            {
                let object = next.object();
                self.space.vmas.merge(i);
                if let Some(object) = object {
                    self.objects.unmapped(self.m, self.frames, object);
                }
            }
        }
    }

    /// Drops every page of a range of addresses.
    pub fn drop_pages(&mut self, start: u64, end: u64) {
        let (mut page, end) = (start / PAGE, end / PAGE);
        while let Some((at, entry)) = self.space.pages.next(self.m, page, end) {
            self.set(at, Entry::ABSENT);
            if let Some(mapping) = entry.mapping() {
                self.m.unmap(mapping);
            }
            if entry.is_owned() {
                self.frames.release(self.m, entry.frame());
            }
            page = at + 1;
        }
    }

    /// The entry of a page.
    pub fn entry(&mut self, page: u64) -> Entry {
        self.space.pages.get(self.m, page)
    }

    /// Replaces the entry of a page that is present.
    pub fn set(&mut self, page: u64, entry: Entry) {
        self.space
            .pages
            .set(self.m, page, entry)
            .expect("the leaf of a page that is present is there");
    }

    /// Whether a new VMA could ever have all its pages: Linux's heuristic overcommit, which refuses
    /// only what is more than all memory there is.
    pub fn may_commit(&self, vma: &Vma) -> bool {
        let charged = match vma.backing {
            Backing::SharedAnonymous { .. } => true,
            Backing::File { .. } if vma.is_shared() => false,
            Backing::File { .. } | Backing::Anonymous => vma.prot & PROT_WRITE != 0,
        };
        !charged || vma.flags & MAP_NORESERVE != 0 || vma.len() / PAGE <= self.frames.total
    }

    /// Whether so much more can be mapped under RLIMIT_AS, and under RLIMIT_DATA if it is data.
    pub fn may_expand(&self, more: u64, data: bool) -> bool {
        self.within_space(more) && (!data || self.within_data(more))
    }

    /// Whether so much more can be mapped under RLIMIT_AS.
    pub fn within_space(&self, more: u64) -> bool {
        let limit = self.space.limits.address_space;
        limit == UNLIMITED || self.space.mapped().saturating_add(more) <= limit
    }

    /// Whether there can be so much more data under RLIMIT_DATA. As on Linux, a limit of 0 means
    /// the hard limit: it is what programs set to find their use of brk(2).
    pub fn within_data(&self, more: u64) -> bool {
        let (soft, hard) = self.space.limits.data;
        let limit = if soft == 0 { hard } else { soft };
        limit == UNLIMITED || self.space.data().saturating_add(more) <= limit
    }
}
