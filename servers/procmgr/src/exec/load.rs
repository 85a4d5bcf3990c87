//! Putting an ELF file into a space.

use super::elf::{Program, Segment};
use crate::Procmgr;
use crate::machine::{Machine, PAGE, SpaceIx};
use crate::memory::{MapRequest, Source};
use abi::Errno;
use abi::fs::FileRange;
use abi::linux::general as g;
use alloc::vec::Vec;

/// Where position-independent programs are put: Linux's place without address randomisation.
const DYNAMIC_BASE: u64 = 0x5555_5555_4000;

/// A file in memory.
pub struct Loaded {
    /// Its first instruction.
    pub entry: u64,
    /// Where it begins, less the lowest address it asked for.
    pub base: u64,
    /// Where its program headers are.
    pub headers: u64,
    /// How many there are.
    pub header_count: u16,
    /// The first page behind it.
    pub end: u64,
    /// It asks for a stack that can be executed.
    pub executable_stack: bool,
}

/// Which of the two files it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The program itself.
    Program,
    /// Its interpreter, which goes where mmap puts things.
    Interpreter,
}

impl Procmgr {
    /// The path of a program's interpreter.
    pub(super) fn interpreter_of(
        &mut self,
        m: &mut impl Machine,
        range: FileRange,
        program: &Program,
    ) -> Result<Option<Vec<u8>>, Errno> {
        let Some((offset, len)) = program.interpreter else {
            return Ok(None);
        };
        if offset.checked_add(len).is_none_or(|end| end > range.size) {
            return Err(Errno::ENOEXEC);
        }
        let mut path = alloc::vec![0; len as usize];
        self.memory
            .object_read(m, range.object, range.offset + offset, &mut path)?;
        match path.pop() {
            Some(0) if !path.contains(&0) => Ok(Some(path)),
            _ => Err(Errno::ENOEXEC),
        }
    }

    /// Maps a file's segments. The space is new; an error leaves it to be thrown away.
    pub(super) fn load(
        &mut self,
        m: &mut impl Machine,
        space: SpaceIx,
        range: FileRange,
        program: &Program,
        place: Place,
    ) -> Result<Loaded, Errno> {
        let (first, last) = match (program.segments.first(), program.segments.last()) {
            (Some(first), Some(last)) => (first, last),
            _ => return Err(Errno::ENOEXEC),
        };
        let low = page(first.addr);
        let base = match (program.dynamic, place) {
            (false, _) => 0,
            (true, Place::Program) => DYNAMIC_BASE.wrapping_sub(low),
            (true, Place::Interpreter) => {
                let len = last.addr + last.size - low;
                self.reserve_range(m, space, len)?.wrapping_sub(low)
            }
        };
        for segment in &program.segments {
            self.load_segment(m, space, range, segment, base)?;
        }
        Ok(Loaded {
            entry: base.wrapping_add(program.entry),
            base,
            headers: base.wrapping_add(program.headers),
            header_count: program.header_count,
            end: page(base.wrapping_add(last.addr + last.size) + PAGE - 1),
            executable_stack: program.executable_stack,
        })
    }

    /// A free range as long as the file, so that its segments keep their distances.
    fn reserve_range(
        &mut self,
        m: &mut impl Machine,
        space: SpaceIx,
        len: u64,
    ) -> Result<u64, Errno> {
        let request = MapRequest {
            addr: 0,
            len,
            prot: g::PROT_NONE,
            flags: g::MAP_PRIVATE | g::MAP_NORESERVE,
            source: Source::Anonymous,
        };
        self.memory.map(m, space, &request)
    }

    fn load_segment(
        &mut self,
        m: &mut impl Machine,
        space: SpaceIx,
        range: FileRange,
        s: &Segment,
        base: u64,
    ) -> Result<(), Errno> {
        let start = base.wrapping_add(s.addr);
        let lead = start % PAGE;
        if s.offset
            .checked_add(s.file_size)
            .is_none_or(|end| end > range.size)
        {
            return Err(Errno::ENOEXEC);
        }
        let file_end = start + s.file_size;
        let mut zero_from = page(start);
        if s.file_size != 0 {
            let request = MapRequest {
                addr: start - lead,
                len: s.file_size + lead,
                prot: s.prot,
                flags: g::MAP_PRIVATE | g::MAP_FIXED,
                source: Source::File {
                    range,
                    offset: s.offset - lead,
                    may_write: false,
                },
            };
            self.memory.map(m, space, &request)?;
            zero_from = page(file_end + PAGE - 1);
            if s.size > s.file_size && s.prot & g::PROT_WRITE != 0 {
                self.clear(m, space, file_end, zero_from)?;
            }
        }
        let end = page(start + s.size + PAGE - 1);
        if end > zero_from {
            let request = MapRequest {
                addr: zero_from,
                len: end - zero_from,
                prot: s.prot,
                flags: g::MAP_PRIVATE | g::MAP_FIXED,
                source: Source::Anonymous,
            };
            self.memory.map(m, space, &request)?;
        }
        Ok(())
    }

    /// Zeros what follows the file's bytes in their last page.
    fn clear(
        &mut self,
        m: &mut impl Machine,
        space: SpaceIx,
        from: u64,
        to: u64,
    ) -> Result<(), Errno> {
        let zeros = [0; PAGE as usize];
        let len = (to - from) as usize;
        match self.memory.poke(m, space, from, &zeros[..len]) == len {
            true => Ok(()),
            false => Err(Errno::ENOMEM),
        }
    }
}

fn page(addr: u64) -> u64 {
    addr & !(PAGE - 1)
}
