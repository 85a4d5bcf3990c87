//! What we need to know of ELF files beyond what the `object` crate tells.

use anyhow::{Context, Result, ensure};
use object::Endianness::{self, Little};
use object::elf::{ET_EXEC, FileHeader64, PT_LOAD, ProgramHeader64};
use object::pod::bytes_of;
use object::read::elf::{FileHeader, ProgramHeader};

/// The header of a 64-bit ELF file.
pub type Header = FileHeader64<Endianness>;

/// A program header of a 64-bit ELF file.
pub type Segment = ProgramHeader64<Endianness>;

/// The header of a static x86-64 program that is linked to a fixed address, and its program headers.
pub fn fixed_program(file: &[u8]) -> Result<(&Header, &[Segment])> {
    let header = Header::parse(file).context("not a 64-bit ELF file")?;
    ensure!(header.endian()? == Little, "not a little-endian ELF file");
    ensure!(
        header.e_type(Little) == ET_EXEC,
        "not an ELF file linked to a fixed address"
    );
    let segments = header
        .program_headers(Little, file)
        .context("the ELF file's program headers")?;
    Ok((header, segments))
}

/// The loadable segments of a program, each with its bytes in the file.
pub fn loadable<'a>(
    file: &'a [u8],
    segments: &'a [Segment],
) -> Result<Vec<(&'a Segment, &'a [u8])>> {
    let loads = segments
        .iter()
        .filter(|segment| segment.p_type(Little) == PT_LOAD);
    let with_bytes = loads.map(|segment| Some((segment, segment.data(Little, file).ok()?)));
    with_bytes
        .collect::<Option<_>>()
        .context("a segment lies outside of the ELF file")
}

/// A program without sections, symbols and debugging information: all that is needed to load it.
pub fn without_sections(file: &[u8]) -> Result<Vec<u8>> {
    let (header, segments) = fixed_program(file)?;
    let mut end = header.e_phoff.get(Little) + size_of_val(segments) as u64;
    for segment in segments {
        end = end.max(segment.p_offset(Little) + segment.p_filesz(Little));
    }
    let mut header = *header;
    header.e_shoff.set(Little, 0);
    header.e_shnum.set(Little, 0);
    header.e_shstrndx.set(Little, 0);
    let rest = file
        .get(size_of::<Header>()..end as usize)
        .context("a segment lies outside of the ELF file")?;
    Ok([bytes_of(&header), rest].concat())
}
