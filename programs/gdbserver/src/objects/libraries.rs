//! The shared libraries of a process, from the list that its dynamic linker keeps for debuggers
//! (System V ABI, "Dynamic Linking"; glibc's link.h: `r_debug` and `link_map`).

use std::fmt::Write;
use std::fs;

use libtrace::{Errno, Pid, Result};

use super::errno;
use super::threads::escape_into;
use crate::packet::hex;
use crate::target::Target;

// Entries of the auxiliary vector.
const AT_PHDR: u64 = 3;
const AT_PHENT: u64 = 4;
const AT_PHNUM: u64 = 5;

// Kinds of program headers, and the entry of the dynamic section that leads to `r_debug`.
const PT_DYNAMIC: u32 = 2;
const PT_PHDR: u32 = 6;
const DT_NULL: u64 = 0;
const DT_DEBUG: u64 = 21;

/// The most libraries that are followed; a damaged list may be a circle.
const MAX_LIBRARIES: usize = 4096;
/// The most name spaces (dlmopen(3)).
const MAX_NAME_SPACES: usize = 64;
/// The longest name of one.
const MAX_NAME: usize = 4096;

/// One entry of the linker's list.
struct Library {
    link_map: u64,
    base: u64,
    name: String,
    dynamic: u64,
    next: u64,
    previous: u64,
}

/// The list (gdb manual, "Library List Format for SVR4 Targets"). The annex may say where to begin:
/// `lmid=ADDR;start=ADDR;prev=ADDR`.
pub fn list(target: &mut Target, pid: Pid, annex: &str) -> Result<Vec<u8>> {
    let mut memory = Memory { target, pid };
    let value = |name: &str| {
        let mut words = annex.split(';').filter_map(|word| word.split_once('='));
        let (_, value) = words.find(|(it, _)| *it == name)?;
        hex::number(value.as_bytes()).filter(|value| *value != 0)
    };
    let mut xml = String::from("<library-list-svr4 version=\"1.0\"");
    if let Some(start) = value("start") {
        xml.push('>');
        let (space, previous) = (value("lmid").unwrap_or(0), value("prev").unwrap_or(0));
        write_list(&mut memory, space, start, previous, &mut xml);
    } else {
        let spaces = memory.name_spaces()?;
        if let Some((_, program)) = spaces.first() {
            let _ = write!(xml, " main-lm=\"{program:#x}\"");
        }
        xml.push('>');
        for (number, (space, first)) in spaces.into_iter().enumerate() {
            // The first of all is the program itself, which is no library.
            let (start, previous) = match (number, memory.library(first)) {
                (0, Some(program)) => (program.next, first),
                _ => (first, 0),
            };
            write_list(&mut memory, space, start, previous, &mut xml);
        }
    }
    xml.push_str("</library-list-svr4>");
    Ok(xml.into_bytes())
}

/// Writes the libraries of a name space from `at` on.
fn write_list(
    memory: &mut Memory<'_>,
    space: u64,
    mut at: u64,
    mut previous: u64,
    xml: &mut String,
) {
    for _ in 0..MAX_LIBRARIES {
        // What cannot be read ends the list: the program may be changing it.
        let Some(library) = memory.library(at).filter(|it| it.previous == previous) else {
            break;
        };
        if !library.name.is_empty() {
            xml.push_str("<library name=\"");
            escape_into(xml, &library.name);
            let _ = write!(
                xml,
                "\" lm=\"{:#x}\" l_addr=\"{:#x}\" l_ld=\"{:#x}\" lmid=\"{space:#x}\"/>",
                library.link_map, library.base, library.dynamic
            );
        }
        (previous, at) = (at, library.next);
    }
}

/// The memory of the process.
struct Memory<'a> {
    target: &'a mut Target,
    pid: Pid,
}

impl Memory<'_> {
    fn bytes<const N: usize>(&mut self, addr: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        let count = self.target.read_memory(self.pid, addr, &mut bytes).ok()?;
        (count == N).then_some(bytes)
    }

    fn words<const N: usize>(&mut self, addr: u64) -> Option<[u64; N]> {
        let mut bytes = vec![0; N * 8];
        let count = self.target.read_memory(self.pid, addr, &mut bytes).ok()?;
        (count == N * 8).then(|| {
            std::array::from_fn(|i| {
                let word = bytes[i * 8..i * 8 + 8].try_into();
                u64::from_le_bytes(word.expect("eight bytes"))
            })
        })
    }

    fn text(&mut self, addr: u64) -> Option<String> {
        let mut text = vec![0; MAX_NAME];
        let count = self.target.read_memory(self.pid, addr, &mut text).ok()?;
        let end = text[..count].iter().position(|byte| *byte == 0)?;
        Some(String::from_utf8_lossy(&text[..end]).into_owned())
    }

    fn library(&mut self, at: u64) -> Option<Library> {
        if at == 0 {
            return None;
        }
        let [base, name, dynamic, next, previous] = self.words(at)?;
        Some(Library {
            link_map: at,
            base,
            name: self.text(name).unwrap_or_default(),
            dynamic,
            next,
            previous,
        })
    }

    /// The linker's name spaces: where the structure of each is, and its first library. None for a static
    /// program, and before the linker has run.
    fn name_spaces(&mut self) -> Result<Vec<(u64, u64)>> {
        let mut at = self.linkers_debug_structure()?.unwrap_or(0);
        let mut spaces = Vec::new();
        while at != 0 && spaces.len() < MAX_NAME_SPACES {
            // r_version, padded, and r_map.
            let Some([version, map]) = self.words(at) else {
                break;
            };
            if map != 0 {
                spaces.push((at, map));
            }
            at = match version as u32 {
                // The second version has r_next behind r_brk, r_state and r_ldbase.
                2.. => self.words::<6>(at).map_or(0, |words| words[5]),
                _ => 0,
            };
        }
        Ok(spaces)
    }

    /// Where DT_DEBUG of the program leads.
    fn linkers_debug_structure(&mut self) -> Result<Option<u64>> {
        let auxv = fs::read(format!("/proc/{}/auxv", self.pid)).map_err(errno)?;
        let entry = |kind: u64| auxiliary_entry(&auxv, kind);
        let headers = entry(AT_PHDR).ok_or(Errno::EINVAL)?;
        let (size, count) = (entry(AT_PHENT).unwrap_or(56), entry(AT_PHNUM).unwrap_or(0));
        let (mut base, mut dynamic) = (0u64, None);
        for number in 0..count.min(128) {
            let at = headers.wrapping_add(number * size);
            let Some(header) = self.bytes::<24>(at) else {
                break;
            };
            let kind = u32::from_le_bytes(header[..4].try_into().expect("four bytes"));
            let addr = u64::from_le_bytes(header[16..].try_into().expect("eight bytes"));
            match kind {
                PT_PHDR => base = headers.wrapping_sub(addr),
                PT_DYNAMIC => dynamic = Some(addr),
                _ => {}
            }
        }
        let Some(mut at) = dynamic.map(|addr| base.wrapping_add(addr)) else {
            return Ok(None);
        };
        while let Some([tag, value]) = self.words(at) {
            match tag {
                DT_NULL => break,
                DT_DEBUG => return Ok((value != 0).then_some(value)),
                _ => at = at.wrapping_add(16),
            }
        }
        Ok(None)
    }
}

/// The value of the entry of this kind.
pub fn auxiliary_entry(auxv: &[u8], kind: u64) -> Option<u64> {
    let (words, _) = auxv.as_chunks::<8>();
    let (entries, _) = words.as_chunks::<2>();
    let mut entries = entries.iter().map(|entry| entry.map(u64::from_le_bytes));
    entries.find_map(|[it, value]| (it == kind).then_some(value))
}
