//! What a core dump takes of a space (core(5), "Controlling which mappings are written").
//!
//! Pages that the program owns become the core file's by counting one more user of their frames:
//! the file shares them with the space, which is about to end. Only what is borrowed is copied.
//! What was never touched is a hole in the file.

use super::fork::READ;
use super::layout::USER_END;
use super::pages::Entry;
use super::site::Site;
use super::vma::{DONT_DUMP, Vma};
use super::{Backing, Memory};
use crate::machine::{Frame, Machine, NoMemory, PAGE, SpaceIx};
use abi::fs::ObjectId;
use abi::linux::general::PROT_READ;
use alloc::vec::Vec;
use core::ops::Range;

/// How many bits /proc/PID/coredump_filter has.
pub const FILTER_BITS: u32 = 9;
/// What it is at first: anonymous memory, private and shared, and the first pages of ELF files.
pub const DEFAULT_FILTER: u32 = 0x33;

const ANONYMOUS_PRIVATE: u32 = 1;
const ANONYMOUS_SHARED: u32 = 1 << 1;
const MAPPED_PRIVATE: u32 = 1 << 2;
const MAPPED_SHARED: u32 = 1 << 3;
const ELF_HEADERS: u32 = 1 << 4;

/// Frames that a dump leaves to the other programs when it has to copy.
const RESERVE: usize = 1024;

/// A range of a space as a core file shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DumpSegment {
    /// First address.
    pub start: u64,
    /// First address behind.
    pub end: u64,
    /// PROT_ bits.
    pub prot: u32,
    /// How many bytes from the start on are in the file, holes counted: all, one page or none.
    pub size: u64,
}

/// How far a dump has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DumpProgress {
    /// The page to go on with.
    pub next: u64,
    /// How many pages were put into the file.
    pub done: u64,
    /// There was no memory for the next one.
    pub out_of_memory: bool,
}

impl Memory {
    /// The ranges of a space under a filter, with the page for FPU states left out: it is the
    /// machine's, not the program's.
    pub fn dump_segments(
        &mut self,
        m: &mut impl Machine,
        s: SpaceIx,
        filter: u32,
    ) -> Result<Vec<DumpSegment>, NoMemory> {
        let mut site = self.site(m, s);
        let count = site.space.vmas.all().len();
        let mut segments = Vec::new();
        segments.try_reserve_exact(count).map_err(|_| NoMemory)?;
        for i in 0..count {
            let vma = site.space.vmas.all()[i];
            if vma.start < USER_END - PAGE {
                segments.push(DumpSegment {
                    start: vma.start,
                    end: vma.end,
                    prot: vma.prot,
                    size: site.dump_size(&vma, filter),
                });
            }
        }
        Ok(segments)
    }

    /// Puts what is there of a range of pages into an object from page `to` on, at most `most`
    /// pages of it.
    pub fn dump_pages(
        &mut self,
        m: &mut impl Machine,
        s: SpaceIx,
        pages: Range<u64>,
        (object, to): (ObjectId, u64),
        most: u64,
    ) -> DumpProgress {
        let mut site = self.site(m, s);
        let mut progress = DumpProgress {
            next: pages.start,
            done: 0,
            out_of_memory: false,
        };
        while progress.done < most && !progress.out_of_memory {
            let Some((page, source)) = site.next_dumped(progress.next, pages.end) else {
                progress.next = pages.end;
                break;
            };
            match site.dump_page(page, source, (object, to + (page - pages.start))) {
                Ok(()) => {
                    progress.next = page + 1;
                    progress.done += 1;
                }
                Err(NoMemory) => progress.out_of_memory = true,
            }
        }
        progress
    }

    /// Keeps an object from being freed, whatever the file server does with the file.
    pub fn object_pin(&mut self, id: ObjectId) {
        self.objects.mapped(id);
    }

    /// Ends that.
    pub fn object_unpin(&mut self, m: &mut impl Machine, id: ObjectId) {
        self.objects.unmapped(m, &mut self.frames, id);
    }
}

impl<M: Machine> Site<'_, M> {
    /// Linux's `vma_dump_size`.
    fn dump_size(&mut self, vma: &Vma, filter: u32) -> u64 {
        let has = |bit: u32| filter & bit != 0;
        let whole = match vma.backing {
            _ if vma.flags & DONT_DUMP != 0 => return 0,
            Backing::SharedAnonymous { .. } => has(ANONYMOUS_SHARED),
            // A file that has lost its name counts as memory.
            Backing::File { range, .. } if vma.is_shared() => {
                match self.objects.is_held(range.object) {
                    true => has(MAPPED_SHARED),
                    false => has(ANONYMOUS_SHARED),
                }
            }
            _ if has(ANONYMOUS_PRIVATE) && self.was_written(vma) => true,
            Backing::Anonymous => false,
            Backing::File { .. } if has(MAPPED_PRIVATE) => true,
            Backing::File { offset: 0, .. }
                if has(ELF_HEADERS) && vma.prot & PROT_READ != 0 && self.begins_elf(vma) =>
            {
                return PAGE;
            }
            Backing::File { .. } => false,
        };
        if whole { vma.len() } else { 0 }
    }

    /// Whether a private mapping has pages of its own.
    fn was_written(&mut self, vma: &Vma) -> bool {
        let (mut page, end) = (vma.start / PAGE, vma.end / PAGE);
        while let Some((at, entry)) = self.space.pages.next(self.m, page, end) {
            if entry.is_owned() {
                return true;
            }
            page = at + 1;
        }
        false
    }

    fn begins_elf(&mut self, vma: &Vma) -> bool {
        let source = self.next_dumped(vma.start / PAGE, vma.start / PAGE + 1);
        source.is_some_and(|(_, source)| self.m.bytes(source.frame()).starts_with(b"\x7fELF"))
    }

    /// The next page of a range of one VMA that is not a hole: the space's own or, where that has
    /// none, its object's.
    fn next_dumped(&mut self, from: u64, end: u64) -> Option<(u64, Source)> {
        let mut from = from;
        let own = loop {
            match self.space.pages.next(self.m, from, end) {
                // Zeros that were only read are a hole, of an object as well.
                Some((page, entry)) if Some(entry.frame()) == *self.zero => from = page + 1,
                found => break found,
            }
        };
        let own = own.map(|(page, entry)| (page, Source::Entry(entry)));
        let lent = self.next_of_object(from, end);
        match (own, lent) {
            (Some(own), Some(lent)) if lent.0 < own.0 => Some(lent),
            (own, lent) => own.or(lent),
        }
    }

    fn next_of_object(&mut self, from: u64, end: u64) -> Option<(u64, Source)> {
        let vma = *self.space.vmas.at(from * PAGE)?;
        let object = vma.object()?;
        let end = end.min(vma.end / PAGE);
        let first = vma.object_offset(from * PAGE) / PAGE;
        let size = match (self.objects.size(object), vma.backing) {
            (Some(size), _) => size,
            (None, Backing::File { range, .. }) => range.offset + range.size,
            (None, _) => 0,
        };
        let last = (first + end.saturating_sub(from)).min(size.div_ceil(PAGE));
        let (page, frame) = self.objects.next(self.m, object, first, last)?;
        Some((from + (page - first), Source::Lent(frame)))
    }

    fn dump_page(
        &mut self,
        page: u64,
        source: Source,
        (object, to): (ObjectId, u64),
    ) -> Result<(), NoMemory> {
        if let Source::Entry(entry) = source
            && entry.is_owned()
            && self
                .objects
                .share(self.m, self.frames, (object, to), entry.frame())?
        {
            // Whoever else runs in this space must not write the file.
            if let Some(mapping) = entry.mapping().filter(|_| entry.is_writable()) {
                self.m.protect(self.ix, mapping, READ);
                self.set(page, entry.with_mapping(mapping, false));
            }
            return Ok(());
        }
        if self.m.frames_free() < RESERVE {
            return Err(NoMemory);
        }
        let copy = self.objects.frame_or_new(self.m, self.frames, object, to)?;
        if copy != source.frame() {
            self.m.frame_copy(copy, source.frame());
        }
        Ok(())
    }
}

/// Where a dumped page is.
#[derive(Clone, Copy)]
enum Source {
    /// In the space.
    Entry(Entry),
    /// In its object.
    Lent(Frame),
}

impl Source {
    fn frame(self) -> Frame {
        match self {
            Source::Entry(entry) => entry.frame(),
            Source::Lent(frame) => frame,
        }
    }
}
