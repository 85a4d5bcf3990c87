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
/// `start=ADDR;prev=ADDR`.
pub fn list(target: &mut Target, pid: Pid, annex: &str) -> Result<Vec<u8>> {
    let mut memory = Memory { target, pid };
    let value = |name: &str| {
        let mut words = annex.split(';').filter_map(|word| word.split_once('='));
        let (_, value) = words.find(|(it, _)| *it == name)?;
        hex::number(value.as_bytes())
    };
    let (start, previous) = (value("start"), value("prev").unwrap_or(0));
    let (head, from_head) = match start {
        Some(start) if start != 0 => (start, false),
        _ => (memory.first_link_map()?, true),
    };
    Ok(write_list(&mut memory, head, from_head, previous).into_bytes())
}

/// Writes the libraries from `at` on. The first of the linker's whole list is the program itself.
fn write_list(memory: &mut Memory<'_>, mut at: u64, from_head: bool, mut previous: u64) -> String {
    let mut xml = String::from("<library-list-svr4 version=\"1.0\"");
    if from_head && at != 0 {
        let _ = write!(xml, " main-lm=\"{at:#x}\"");
    }
    xml.push('>');
    let mut is_program = from_head;
    for _ in 0..MAX_LIBRARIES {
        // What cannot be read ends the list: the program may be changing it.
        let Some(library) = memory.library(at).filter(|it| it.previous == previous) else {
            break;
        };
        if !std::mem::take(&mut is_program) && !library.name.is_empty() {
            xml.push_str("<library name=\"");
            escape_into(&mut xml, &library.name);
            let _ = write!(
                xml,
                "\" lm=\"{:#x}\" l_addr=\"{:#x}\" l_ld=\"{:#x}\"/>",
                library.link_map, library.base, library.dynamic
            );
        }
        (previous, at) = (at, library.next);
    }
    xml.push_str("</library-list-svr4>");
    xml
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

    /// The first entry of the linker's list; 0 for a static program, and before the linker has run.
    fn first_link_map(&mut self) -> Result<u64> {
        let Some(debug) = self.linkers_debug_structure()? else {
            return Ok(0);
        };
        // r_version, padded, and r_map.
        let [version, map] = self.words(debug).unwrap_or_default();
        Ok(if version as u32 == 0 { 0 } else { map })
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
fn auxiliary_entry(auxv: &[u8], kind: u64) -> Option<u64> {
    let (words, _) = auxv.as_chunks::<8>();
    let (entries, _) = words.as_chunks::<2>();
    let mut entries = entries.iter().map(|entry| entry.map(u64::from_le_bytes));
    entries.find_map(|[it, value]| (it == kind).then_some(value))
}
