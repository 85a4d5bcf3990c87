//! What an ELF file asks for.

use abi::Errno;
use alloc::vec::Vec;
use object::elf::{self, FileHeader64, ProgramHeader64};
use object::endian::LittleEndian as Le;
use object::pod;

/// How much of the file's beginning holds its headers, as on Linux: one page.
pub const HEAD: usize = 4096;
/// The end of what a program can have mapped.
const ADDRESS_END: u64 = crate::memory::layout::USER_END;

/// The parts of an ELF file that matter for running it.
#[derive(Clone, Debug, Hash)]
pub struct Program {
    /// Position independent: it may be put anywhere.
    pub dynamic: bool,
    /// The address of its first instruction.
    pub entry: u64,
    /// Its PT_LOAD segments, in order of addresses.
    pub segments: Vec<Segment>,
    /// Where its program headers are in memory.
    pub headers: u64,
    /// How many there are.
    pub header_count: u16,
    /// Where in the file the interpreter's name is.
    pub interpreter: Option<(u64, u64)>,
    /// Its stack is to be executable (PT_GNU_STACK with PF_X).
    pub executable_stack: bool,
}

/// A part of the file in memory.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Segment {
    /// Its address.
    pub addr: u64,
    /// Its size in memory.
    pub size: u64,
    /// Its offset in the file.
    pub offset: u64,
    /// Its size in the file.
    pub file_size: u64,
    /// PROT_ bits.
    pub prot: u32,
}

impl Program {
    /// Reads the headers from a file's beginning; ENOEXEC for what is no program of ours.
    pub fn parse(head: &[u8]) -> Result<Program, Errno> {
        let (header, _) = pod::from_bytes::<FileHeader64<Le>>(head).map_err(|()| Errno::ENOEXEC)?;
        let ident = &header.e_ident;
        let kind = header.e_type.get(Le);
        let fits = ident.magic == elf::ELFMAG
            && ident.class == elf::ELFCLASS64
            && ident.data == elf::ELFDATA2LSB
            && header.e_machine.get(Le) == elf::EM_X86_64
            && (kind == elf::ET_EXEC || kind == elf::ET_DYN)
            && usize::from(header.e_phentsize.get(Le)) == size_of::<ProgramHeader64<Le>>();
        if !fits {
            return Err(Errno::ENOEXEC);
        }
        let count = header.e_phnum.get(Le);
        let table = usize::try_from(header.e_phoff.get(Le))
            .ok()
            .and_then(|at| head.get(at..));
        let (headers, _) = table
            .and_then(|t| pod::slice_from_bytes::<ProgramHeader64<Le>>(t, count.into()).ok())
            .ok_or(Errno::ENOEXEC)?;
        let mut program = Program {
            dynamic: kind == elf::ET_DYN,
            entry: header.e_entry.get(Le),
            segments: Vec::new(),
            headers: 0,
            header_count: count,
            interpreter: None,
            executable_stack: false,
        };
        for h in headers {
            program.take(h)?;
        }
        let first = program.segments.first().ok_or(Errno::ENOEXEC)?;
        if program.headers == 0 {
            let in_memory = first.addr.wrapping_sub(first.offset);
            program.headers = in_memory.wrapping_add(header.e_phoff.get(Le));
        }
        Ok(program)
    }

    fn take(&mut self, h: &ProgramHeader64<Le>) -> Result<(), Errno> {
        let (addr, offset) = (h.p_vaddr.get(Le), h.p_offset.get(Le));
        match h.p_type.get(Le) {
            elf::PT_LOAD => {
                let segment = Segment {
                    addr,
                    size: h.p_memsz.get(Le),
                    offset,
                    file_size: h.p_filesz.get(Le),
                    prot: prot(h.p_flags.get(Le)),
                };
                let after = self.segments.last().map_or(0, |s| s.addr + s.size);
                let end = addr
                    .checked_add(segment.size)
                    .filter(|end| *end <= ADDRESS_END);
                let file_end = offset.checked_add(segment.file_size);
                let fits = end.is_some()
                    && file_end.is_some()
                    && addr >= after
                    && segment.file_size <= segment.size
                    && addr % 4096 == offset % 4096;
                if !fits {
                    return Err(Errno::ENOEXEC);
                }
                if segment.size != 0 {
                    self.segments.push(segment);
                }
            }
            elf::PT_PHDR => self.headers = addr,
            elf::PT_GNU_STACK => self.executable_stack = h.p_flags.get(Le) & elf::PF_X != 0,
            elf::PT_INTERP => {
                let len = h.p_filesz.get(Le);
                if !(2..=abi::fs::MAX_INLINE_PATH as u64 + 1).contains(&len) {
                    return Err(Errno::ENOEXEC);
                }
                self.interpreter = Some((offset, len));
            }
            _ => {}
        }
        Ok(())
    }
}

fn prot(flags: u32) -> u32 {
    use abi::linux::general as g;
    let bit = |flag: u32, prot: u32| if flags & flag != 0 { prot } else { 0 };
    bit(elf::PF_R, g::PROT_READ) | bit(elf::PF_W, g::PROT_WRITE) | bit(elf::PF_X, g::PROT_EXEC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_elf_file_is_enoexec() {
        for head in [&b""[..], b"\x7fELF", b"hello, world", &[0; 4096]] {
            assert_eq!(Program::parse(head).err(), Some(Errno::ENOEXEC));
        }
    }

    #[test]
    fn no_damage_to_the_headers_panics() {
        let own = std_file();
        let mut seed = 1u64;
        for _ in 0..20_000 {
            let mut head = own.clone();
            for _ in 0..4 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = (seed >> 33) as usize % head.len();
                head[at] = (seed >> 24) as u8;
            }
            let _ = Program::parse(&head);
        }
    }

    /// A small valid file: header, one loadable segment.
    fn std_file() -> Vec<u8> {
        let mut f = alloc::vec![0u8; 128];
        f[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        f[16] = 2;
        f[18] = 62;
        f[32] = 64;
        f[54] = 56;
        f[56] = 1;
        f[64] = 1;
        f[68] = 5;
        f[81] = 0x40;
        f[96] = 128;
        f[104] = 128;
        assert_eq!(Program::parse(&f).unwrap().segments.len(), 1);
        f
    }
}
