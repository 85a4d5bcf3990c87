//! Writing a core file, a piece at a time.

use super::layout::{Layout, NOTE_NAME, note_header, note_size};
use super::notes::{PRPSINFO_SIZE, PRSTATUS_SIZE};
use crate::Procmgr;
use crate::machine::{Machine, NoMemory, PAGE, SpaceIx};
use crate::memory::{DumpSegment, Memory};
use crate::process::ProcessIx;
use crate::signal::frame::FPU_SIZE;
use abi::fs::ObjectId;
use abi::signal::SIGINFO_SIZE;
use abi::{Errno, SigInfo, TaskId};
use alloc::vec::Vec;
use object::{elf, pod};

/// How many pages one piece has, shared or copied.
const PAGES: u64 = 512;
/// How many threads' notes one piece has: their FPU states are fetched for it.
const THREADS: usize = 16;
/// The most bytes of an NT_FILE note. Linux leaves the note out above 4 MiB; here the heap is
/// smaller.
const MAX_FILES: u32 = 256 << 10;

/// A core file being written.
#[derive(Clone, Hash)]
pub struct Writing {
    out: Output,
    layout: Layout,
    space: SpaceIx,
    /// The one who took the signal first.
    threads: Vec<TaskId>,
    auxiliary: Vec<u8>,
    files: Vec<u8>,
    segments: Vec<DumpSegment>,
    part: Part,
}

/// What comes next.
#[derive(Clone, Copy, Hash)]
enum Part {
    Headers,
    /// The notes of threads from this one on.
    Notes(usize),
    /// Memory.
    Memory(Place),
    /// Nothing.
    End,
}

/// A page of a segment, whose bytes begin at `offset` in the file.
#[derive(Clone, Copy, Hash)]
struct Place {
    segment: usize,
    page: u64,
    offset: u64,
}

/// The file as far as it is written.
#[derive(Clone, Hash)]
struct Output {
    object: ObjectId,
    /// Where the next byte goes.
    at: u64,
    /// How many bytes were written, holes not counted.
    written: u64,
    /// RLIMIT_CORE, which holds for bytes that are written.
    limit: u64,
    /// How long the file can be.
    room: u64,
}

/// The file cannot have more.
struct Full;

impl Writing {
    /// The file's object.
    pub fn object(&self) -> ObjectId {
        self.out.object
    }

    /// How long the file is.
    pub fn size(&self) -> u64 {
        self.out.at
    }
}

impl Output {
    /// Whether so many bytes more may be written.
    fn fits(&self, len: u64) -> bool {
        self.written.saturating_add(len) <= self.limit && self.at.saturating_add(len) <= self.room
    }

    fn write(
        &mut self,
        m: &mut impl Machine,
        memory: &mut Memory,
        bytes: &[u8],
    ) -> Result<(), Full> {
        if !self.fits(bytes.len() as u64) {
            return Err(Full);
        }
        memory
            .object_write(m, self.object, self.at, bytes)
            .map_err(|_| Full)?;
        self.at += bytes.len() as u64;
        self.written += bytes.len() as u64;
        Ok(())
    }

    fn note(
        &mut self,
        m: &mut impl Machine,
        memory: &mut Memory,
        kind: u32,
        data: &[u8],
    ) -> Result<(), Full> {
        self.write(m, memory, pod::bytes_of(&note_header(kind, data.len())))?;
        self.write(m, memory, &NOTE_NAME)?;
        self.write(m, memory, data)?;
        let padding = data.len().next_multiple_of(4) - data.len();
        self.write(m, memory, &[0; 3][..padding])
    }
}

impl Procmgr {
    /// Looks at what is to be written into an object, in which the file server has put `files`
    /// bytes of an NT_FILE note.
    pub(super) fn begin_writing(
        &mut self,
        m: &mut impl Machine,
        ix: ProcessIx,
        object: ObjectId,
        files: u32,
        room: u64,
    ) -> Result<Writing, Errno> {
        let process = self.process(ix);
        let filter = process.dump_filter;
        let dump = process.dump.as_deref().ok_or(Errno::ESRCH)?;
        let (dumper, limit) = (dump.dumper, dump.limit);
        let space = self.task(dumper).space.ok_or(Errno::ESRCH)?;
        self.room(m)?;
        let threads = self.dumped_threads(ix, dumper);
        let segments = self.memory.dump_segments(m, space, filter);
        let segments = segments.map_err(|NoMemory| Errno::ENOMEM)?;
        let mut note = Vec::new();
        if files <= MAX_FILES && note.try_reserve_exact(files as usize).is_ok() {
            note.resize(files as usize, 0);
            self.memory.object_read(m, object, 0, &mut note)?;
        }
        self.memory.object_truncate(m, object, 0)?;
        let auxiliary = self.auxiliary_note(m, dumper);
        let notes = threads.len() as u64
            * (note_size(PRSTATUS_SIZE) + note_size(FPU_SIZE as usize))
            + note_size(PRPSINFO_SIZE)
            + note_size(SIGINFO_SIZE)
            + note_size(auxiliary.len())
            + if note.is_empty() {
                0
            } else {
                note_size(note.len())
            };
        Ok(Writing {
            out: Output {
                object,
                at: 0,
                written: 0,
                limit,
                room,
            },
            layout: Layout::new(segments.len(), notes),
            space,
            threads,
            auxiliary,
            files: note,
            segments,
            part: Part::Headers,
        })
    }

    fn dumped_threads(&self, ix: ProcessIx, dumper: TaskId) -> Vec<TaskId> {
        let stands = |id: &TaskId| *id != dumper && self.task(*id).alive();
        let others = self.process(ix).tasks.iter().copied().filter(stands);
        core::iter::once(dumper).chain(others).collect()
    }

    /// Writes a piece; whether it was the last.
    pub(super) fn write_piece(
        &mut self,
        m: &mut impl Machine,
        ix: ProcessIx,
        who: (TaskId, &SigInfo),
        w: &mut Writing,
    ) -> bool {
        let next = match w.part {
            Part::Headers => self.write_headers(m, w),
            Part::Notes(from) => self.write_notes(m, ix, who, from, w),
            Part::Memory(place) => self.write_memory(m, w, place),
            Part::End => Ok(Part::End),
        };
        w.part = next.unwrap_or(Part::End);
        matches!(w.part, Part::End)
    }

    fn write_headers(&mut self, m: &mut impl Machine, w: &mut Writing) -> Result<Part, Full> {
        let memory = &mut self.memory;
        let header = w.layout.header();
        w.out.write(m, memory, pod::bytes_of(&header))?;
        let notes = w.layout.notes_header();
        w.out.write(m, memory, pod::bytes_of(&notes))?;
        let mut offset = w.layout.memory_at();
        for segment in &w.segments {
            let header = w.layout.segment_header(segment, offset);
            w.out.write(m, memory, pod::bytes_of(&header))?;
            offset += segment.size;
        }
        Ok(Part::Notes(0))
    }

    /// As Linux orders them: those of the process are behind the first thread's registers.
    fn write_notes(
        &mut self,
        m: &mut impl Machine,
        ix: ProcessIx,
        (dumper, info): (TaskId, &SigInfo),
        from: usize,
        w: &mut Writing,
    ) -> Result<Part, Full> {
        let to = w.threads.len().min(from + THREADS);
        for id in &w.threads[from..to] {
            let (status, fpu) = self.thread_notes(m, *id, info);
            w.out.note(m, &mut self.memory, elf::NT_PRSTATUS, &status)?;
            if *id == dumper {
                let process = self.process_note(m, ix);
                let memory = &mut self.memory;
                w.out.note(m, memory, elf::NT_PRPSINFO, &process)?;
                w.out.note(m, memory, elf::NT_SIGINFO, &info.to_bytes())?;
                w.out.note(m, memory, elf::NT_AUXV, &w.auxiliary)?;
                if !w.files.is_empty() {
                    w.out.note(m, memory, elf::NT_FILE, &w.files)?;
                }
            }
            w.out.note(m, &mut self.memory, elf::NT_PRFPREG, &fpu)?;
        }
        Ok(match to < w.threads.len() {
            true => Part::Notes(to),
            false => w.segment(0, w.layout.memory_at()),
        })
    }

    fn write_memory(
        &mut self,
        m: &mut impl Machine,
        w: &mut Writing,
        mut place: Place,
    ) -> Result<Part, Full> {
        let mut budget = PAGES;
        loop {
            let s = w.segments[place.segment];
            let (first, end) = (s.start / PAGE, (s.start + s.size) / PAGE);
            let to = place.offset / PAGE + (place.page - first);
            // Up to where the file can reach, and as many pages as may be written.
            let reach = end.min(place.page + (w.out.room / PAGE).saturating_sub(to));
            let allowed = w.out.limit.saturating_sub(w.out.written) / PAGE;
            let (pages, target) = (place.page..reach, (w.out.object, to));
            let progress = self
                .memory
                .dump_pages(m, w.space, pages, target, budget.min(allowed));
            w.out.written += progress.done * PAGE;
            if progress.done > 0 {
                w.out.at = place.offset + (progress.next - first) * PAGE;
            }
            let short = match progress.next < reach {
                true => progress.done < budget,
                false => reach < end,
            };
            if short {
                return Err(Full);
            }
            // An empty segment costs something too.
            budget = budget.saturating_sub(progress.done.max(1));
            let next = if progress.next < end {
                place.page = progress.next;
                Part::Memory(place)
            } else {
                w.segment(place.segment + 1, place.offset + s.size)
            };
            match next {
                Part::Memory(there) if budget > 0 => place = there,
                next => return Ok(next),
            }
        }
    }
}

impl Writing {
    /// The beginning of a segment; behind the last one the file is as long as it has to be.
    fn segment(&mut self, segment: usize, offset: u64) -> Part {
        match self.segments.get(segment) {
            Some(s) => Part::Memory(Place {
                segment,
                page: s.start / PAGE,
                offset,
            }),
            None => {
                self.out.at = offset;
                Part::End
            }
        }
    }
}
