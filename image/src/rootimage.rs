//! The one file that is given to the kernel: the root task with the boot archive inside.
//!
//! The kernel's boot loader takes a single ELF file and maps its segments. The archive travels as one more segment, read-only by its
//! flags, at the first page boundary at or above the end of the root task's own segments. The root task finds it by the symbol `_end`,
//! which the linker puts at the end of the last segment, rounded up to a page. Nothing in the root task is patched.
//!
//! There must be no gap between the segments and the archive: the kernel maps every page from the lowest to the highest address.

use abi::archive::PAGE;
use anyhow::{Context, Result, ensure};
use object::Endianness::Little;
use object::elf::{PF_R, PT_LOAD};
use object::pod::{bytes_of, bytes_of_slice};
use object::read::elf::{FileHeader, ProgramHeader, Sym};
use object::{U32, U64};

use crate::elf::{self, Header, Segment};

/// Adds `archive` to the root task `init`.
///
/// The result holds only what is loaded: no sections, no symbols, no other program headers.
pub fn compose(init: &[u8], archive: &[u8]) -> Result<Vec<u8>> {
    let (header, segments) = elf::fixed_program(init).context("the root task")?;
    let loads = elf::loadable(init, segments).context("the root task")?;
    let end = loads
        .iter()
        .map(|(segment, _)| segment.p_vaddr(Little) + segment.p_memsz(Little))
        .max();
    let end = end.context("the root task has no segment to load")?;
    let address = end.next_multiple_of(PAGE as u64);
    if let Some(symbol) = end_symbol(header, init)? {
        ensure!(
            symbol.next_multiple_of(PAGE as u64) == address,
            "the root task's _end is {symbol:#x}, its last segment ends at {end:#x}"
        );
    }

    let mut headers = Vec::new();
    let mut contents = Vec::new();
    let start =
        (size_of::<Header>() + (loads.len() + 1) * size_of::<Segment>()).next_multiple_of(PAGE);
    for (segment, bytes) in loads {
        let mut segment = *segment;
        // The offset has to agree with the address within a page.
        contents.resize(
            contents.len().next_multiple_of(PAGE) + segment.p_vaddr(Little) as usize % PAGE,
            0,
        );
        segment
            .p_offset
            .set(Little, (start + contents.len()) as u64);
        contents.extend(bytes);
        headers.push(segment);
    }
    contents.resize(contents.len().next_multiple_of(PAGE), 0);
    headers.push(archive_segment(
        address,
        start + contents.len(),
        archive.len(),
    ));
    contents.extend(archive);

    let mut header = *header;
    header.e_phoff.set(Little, size_of::<Header>() as u64);
    header.e_phnum.set(Little, headers.len() as u16);
    header.e_shoff.set(Little, 0);
    header.e_shnum.set(Little, 0);
    header.e_shstrndx.set(Little, 0);
    let mut file = [bytes_of(&header), bytes_of_slice(&headers)].concat();
    file.resize(start, 0);
    file.extend(contents);
    Ok(file)
}

fn archive_segment(address: u64, offset: usize, size: usize) -> Segment {
    let (address, size) = (U64::new(Little, address), U64::new(Little, size as u64));
    Segment {
        p_type: U32::new(Little, PT_LOAD),
        p_flags: U32::new(Little, PF_R),
        p_offset: U64::new(Little, offset as u64),
        p_vaddr: address,
        p_paddr: address,
        p_filesz: size,
        p_memsz: size,
        p_align: U64::new(Little, PAGE as u64),
    }
}

/// The value of `_end`, if the file has symbols.
fn end_symbol(header: &Header, file: &[u8]) -> Result<Option<u64>> {
    let symbols = header
        .sections(Little, file)?
        .symbols(Little, file, object::elf::SHT_SYMTAB)?;
    let end = symbols
        .iter()
        .find(|symbol| symbol.name(Little, symbols.strings()) == Ok(b"_end"));
    Ok(end.map(|symbol| symbol.st_value(Little)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::process::Command;

    /// A program whose data and zeroed memory do not end on a page.
    fn program() -> Vec<u8> {
        let scratch = tempfile::tempdir().unwrap();
        let (source, program) = (scratch.path().join("a.c"), scratch.path().join("a"));
        fs::write(&source, "int data[3000] = {1}; int zeros[3001]; extern int _end; void *used = &_end; void _start(void) {}").unwrap();
        let mut gcc = Command::new("gcc");
        gcc.args([
            "-nostdlib",
            "-static",
            "-no-pie",
            "-g",
            "-Wl,--build-id=none",
            "-Wl,-z,max-page-size=4096",
            "-o",
        ]);
        crate::host::run(gcc.arg(&program).arg(&source)).unwrap();
        fs::read(program).unwrap()
    }

    #[test]
    fn the_archive_follows_the_last_segment_and_the_rest_is_unchanged() {
        let init = program();
        let archive: Vec<u8> = (0..3 * PAGE).map(|n| n as u8).collect();
        let root = compose(&init, &archive).unwrap();
        let (before, segments_before) = elf::fixed_program(&init).unwrap();
        let (after, segments_after) = elf::fixed_program(&root).unwrap();
        assert_eq!(before.e_entry(Little), after.e_entry(Little));
        let before = elf::loadable(&init, segments_before).unwrap();
        let after = elf::loadable(&root, segments_after).unwrap();
        assert_eq!(after.len(), before.len() + 1);
        for ((a, a_bytes), (b, b_bytes)) in before.iter().zip(&after) {
            assert_eq!(a_bytes, b_bytes);
            assert_eq!(
                (a.p_vaddr(Little), a.p_memsz(Little), a.p_flags(Little)),
                (b.p_vaddr(Little), b.p_memsz(Little), b.p_flags(Little))
            );
            assert_eq!(
                b.p_offset(Little) % PAGE as u64,
                b.p_vaddr(Little) % PAGE as u64
            );
        }
        let (last, contents) = after.last().unwrap();
        let (previous, _) = after[after.len() - 2];
        assert_eq!(*contents, archive);
        assert_eq!(last.p_flags(Little), PF_R);
        assert_eq!(
            last.p_vaddr(Little),
            (previous.p_vaddr(Little) + previous.p_memsz(Little)).next_multiple_of(PAGE as u64)
        );
    }

    #[test]
    fn sections_can_be_left_off() {
        let init = program();
        let small = elf::without_sections(&init).unwrap();
        assert!(small.len() < init.len());
        let (_, before) = elf::fixed_program(&init).unwrap();
        let (_, after) = elf::fixed_program(&small).unwrap();
        let before = elf::loadable(&init, before).unwrap();
        let after = elf::loadable(&small, after).unwrap();
        assert_eq!(before.len(), after.len());
        // The first segment begins with the header, which does change.
        assert_eq!(
            before[0].1[size_of::<Header>()..],
            after[0].1[size_of::<Header>()..]
        );
        for ((_, before), (_, after)) in before.iter().zip(&after).skip(1) {
            assert_eq!(before, after);
        }
    }

    #[test]
    fn other_files_are_refused() {
        assert!(compose(b"#!/bin/sh\n", &[]).is_err());
        assert!(
            compose(&fs::read("/proc/self/exe").unwrap(), &[]).is_err(),
            "position independent"
        );
    }
}
