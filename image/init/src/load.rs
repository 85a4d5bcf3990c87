//! Loading a server's program.

use crate::memory::Memory;
use crate::space::Space;
use object::Endianness;
use object::elf::{FileHeader64, PF_W, PF_X, PT_LOAD};
use object::read::elf::{FileHeader, ProgramHeader};
use rt::cap::Rights;
use rt::layout::PAGE;

/// Puts an ELF file's segments into an address space; returns the entry point.
pub fn load(memory: &mut Memory, space: Space, file: &[u8]) -> u64 {
    let header = FileHeader64::<Endianness>::parse(file).expect("a server is an ELF file");
    let endian = header.endian().expect("of this machine");
    let segments = header.program_headers(endian, file).expect("with segments");
    for segment in segments
        .iter()
        .filter(|segment| segment.p_type(endian) == PT_LOAD)
    {
        let start = segment.p_vaddr(endian);
        let end = start + segment.p_memsz(endian);
        let bytes = segment
            .data(endian, file)
            .expect("whose contents are in the file");
        let flags = segment.p_flags(endian);
        let rights = Rights {
            write: flags & PF_W != 0,
            execute: flags & PF_X != 0,
        };
        // The linker gives every segment pages of its own.
        for addr in (start & !(PAGE - 1)..end).step_by(PAGE as usize) {
            space.page(memory, addr, rights, |page| copy(page, addr, bytes, start));
        }
    }
    header.e_entry(endian)
}

/// Copies the part of `bytes`, which start at `start`, that belongs into the page at `addr`.
fn copy(page: &mut [u8; PAGE as usize], addr: u64, bytes: &[u8], start: u64) {
    let from = addr.max(start);
    let to = (addr + PAGE).min(start + bytes.len() as u64);
    if from < to {
        page[(from - addr) as usize..(to - addr) as usize]
            .copy_from_slice(&bytes[(from - start) as usize..(to - start) as usize]);
    }
}
