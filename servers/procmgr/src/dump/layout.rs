//! The parts of a core file: header, program headers, notes, memory.

use crate::machine::PAGE;
use crate::memory::DumpSegment;
use abi::linux::general::{PROT_EXEC, PROT_READ, PROT_WRITE};
use object::elf;
use object::endian::{LittleEndian as Le, U16, U32, U64};

/// The name of every note, with its zero and padding.
pub const NOTE_NAME: [u8; 8] = *b"CORE\0\0\0\0";
/// Its length with the zero.
const NOTE_NAME_LEN: u32 = 5;

pub type Header = elf::FileHeader64<Le>;
pub type ProgramHeader = elf::ProgramHeader64<Le>;

/// How many bytes a note takes.
pub const fn note_size(data: usize) -> u64 {
    let header = size_of::<elf::NoteHeader64<Le>>() + NOTE_NAME.len();
    (header + data.next_multiple_of(4)) as u64
}

/// A note's header, which its name follows.
pub fn note_header(kind: u32, data: usize) -> elf::NoteHeader64<Le> {
    elf::NoteHeader64 {
        n_namesz: U32::new(Le, NOTE_NAME_LEN),
        n_descsz: U32::new(Le, data as u32),
        n_type: U32::new(Le, kind),
    }
}

/// Where everything goes.
#[derive(Clone, Hash)]
pub struct Layout {
    /// How many program headers there are.
    count: u16,
    /// How many bytes the notes take.
    notes: u64,
}

impl Layout {
    /// That of a file with so many ranges of memory and so many bytes of notes.
    pub fn new(segments: usize, notes: u64) -> Layout {
        Layout {
            count: segments as u16 + 1,
            notes,
        }
    }

    /// Where the notes begin.
    fn notes_at(&self) -> u64 {
        (size_of::<Header>() + usize::from(self.count) * size_of::<ProgramHeader>()) as u64
    }

    /// Where memory begins.
    pub fn memory_at(&self) -> u64 {
        (self.notes_at() + self.notes).next_multiple_of(PAGE)
    }

    /// The file's header.
    pub fn header(&self) -> Header {
        let ident = elf::Ident {
            magic: elf::ELFMAG,
            class: elf::ELFCLASS64,
            data: elf::ELFDATA2LSB,
            version: elf::EV_CURRENT,
            os_abi: elf::ELFOSABI_NONE,
            abi_version: 0,
            padding: [0; 7],
        };
        let header_size = size_of::<Header>() as u16;
        elf::FileHeader64 {
            e_ident: ident,
            e_type: U16::new(Le, elf::ET_CORE),
            e_machine: U16::new(Le, elf::EM_X86_64),
            e_version: U32::new(Le, elf::EV_CURRENT.into()),
            e_entry: U64::new(Le, 0),
            e_phoff: U64::new(Le, header_size.into()),
            e_shoff: U64::new(Le, 0),
            e_flags: U32::new(Le, 0),
            e_ehsize: U16::new(Le, header_size),
            e_phentsize: U16::new(Le, size_of::<ProgramHeader>() as u16),
            e_phnum: U16::new(Le, self.count),
            e_shentsize: U16::new(Le, 0),
            e_shnum: U16::new(Le, 0),
            e_shstrndx: U16::new(Le, 0),
        }
    }

    /// The program header of the notes.
    pub fn notes_header(&self) -> ProgramHeader {
        program_header(elf::PT_NOTE, 0, self.notes_at(), self.notes, [0; 3])
    }

    /// The program header of a range whose bytes begin at `offset` in the file.
    pub fn segment_header(&self, segment: &DumpSegment, offset: u64) -> ProgramHeader {
        let flag = |prot: u32, flag: u32| if segment.prot & prot != 0 { flag } else { 0 };
        let flags =
            flag(PROT_READ, elf::PF_R) | flag(PROT_WRITE, elf::PF_W) | flag(PROT_EXEC, elf::PF_X);
        let memory = [segment.start, segment.end - segment.start, PAGE];
        program_header(elf::PT_LOAD, flags, offset, segment.size, memory)
    }
}

fn program_header(
    kind: u32,
    flags: u32,
    offset: u64,
    size: u64,
    [addr, memory_size, align]: [u64; 3],
) -> ProgramHeader {
    elf::ProgramHeader64 {
        p_type: U32::new(Le, kind),
        p_flags: U32::new(Le, flags),
        p_offset: U64::new(Le, offset),
        p_vaddr: U64::new(Le, addr),
        p_paddr: U64::new(Le, 0),
        p_filesz: U64::new(Le, size),
        p_memsz: U64::new(Le, memory_size),
        p_align: U64::new(Le, align),
    }
}
