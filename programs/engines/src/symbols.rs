//! The functions of a program, and where they are in a running one.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result};
use libtrace::Pid;
use object::elf::{ET_DYN, STT_FUNC};
use object::read::elf::{ElfFile64, FileHeader};
use object::{Endianness, Object, ObjectSymbol, SymbolFlags};

/// A program's functions by address in memory.
pub struct Functions {
    /// Names by address; of several names for one address the first in the symbol table.
    pub names: BTreeMap<u64, String>,
}

impl Functions {
    /// Those of the program that the task `tid` has just begun.
    pub fn of_task(tid: Pid) -> Result<Functions> {
        let bytes = fs::read(format!("/proc/{tid}/exe")).context("the program cannot be read")?;
        let file = ElfFile64::<Endianness>::parse(&*bytes).context("no program of 64 bits")?;
        let position_independent = file.elf_header().e_type(file.endian()) == ET_DYN;
        let bias = match position_independent {
            true => entry(tid)?.wrapping_sub(file.entry()),
            false => 0,
        };
        Ok(Functions {
            names: functions(&file, bias),
        })
    }
}

fn functions(file: &ElfFile64<'_, Endianness>, bias: u64) -> BTreeMap<u64, String> {
    let mut names = BTreeMap::new();
    for symbol in file.symbols().chain(file.dynamic_symbols()) {
        let SymbolFlags::Elf { st_info, .. } = symbol.flags() else {
            continue;
        };
        if st_info & 0xf != STT_FUNC || symbol.is_undefined() || symbol.size() == 0 {
            continue;
        }
        if let Ok(name) = symbol.name() {
            names
                .entry(symbol.address().wrapping_add(bias))
                .or_insert_with(|| name.to_string());
        }
    }
    names
}

/// Where the program of a task begins, from its auxiliary vector.
fn entry(tid: Pid) -> Result<u64> {
    const AT_ENTRY: u64 = 9;
    let vector = fs::read(format!("/proc/{tid}/auxv")).context("no auxiliary vector")?;
    let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
    let mut pairs = vector.chunks_exact(16);
    let entry = pairs.find(|pair| word(&pair[..8]) == AT_ENTRY);
    entry
        .map(|pair| word(&pair[8..]))
        .context("no entry in the auxiliary vector")
}
