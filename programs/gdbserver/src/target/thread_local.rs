//! Where a thread's own variables are.
//!
//! How the C library keeps them is its own affair and changes with its versions, so it describes that in constants of its own, which are
//! there for debuggers: `_thread_db_STRUCTURE_FIELD` is three `int`s, how many bits the field (or one of its elements) has, how many
//! elements there are, and where it is. gdb knows where these symbols are and is asked for them (gdb manual, "General Query Packets":
//! `qSymbol`). But it only offers that when it has read a file, which it need not for a static program that is started anew: there they are
//! looked up in the program itself.

use std::fs;

use libtrace::{Errno, Pid, Result};

use object::read::elf::ElfFile64;
use object::{Object, ObjectKind, ObjectSymbol};

use super::Target;
use crate::objects::auxiliary_entry;

/// The descriptions, in the order of [`Field`].
const NAMES: [&str; 5] = [
    "_thread_db_pthread_dtvp",
    "_thread_db_dtv_dtv",
    "_thread_db_dtv_t_pointer_val",
    "_thread_db_link_map_l_tls_modid",
    "_thread_db_link_map_l_tls_offset",
];
/// `fs_base` among the general registers.
const FS_BASE: usize = 21;
/// Where a program begins, among what the kernel tells it (`linux/auxvec.h`).
const AT_ENTRY: u64 = 9;
/// The program's own module, where there are no others.
const PROGRAM: u64 = 1;

/// What is described.
#[derive(Clone, Copy, Debug)]
enum Field {
    /// In what `fs_base` points to: where the thread's vector of modules is.
    Vector,
    /// An element of that vector.
    Element,
    /// In an element: where the module's variables are.
    Pointer,
    /// In a library's link map: its number as a module.
    Module,
    /// In a library's link map: how far below `fs_base` its variables are, if they are there in all threads.
    Offset,
}

/// A description.
#[derive(Clone, Copy, Debug)]
struct Place {
    bytes: u64,
    offset: u64,
}

/// Where the descriptions are in an address space, as far as gdb has said.
#[derive(Clone, Debug, Default)]
pub struct Symbols([Option<u64>; NAMES.len()]);

impl Symbols {
    /// What to ask for first; none if everything is known.
    pub fn first(&self) -> Option<&'static str> {
        self.0.contains(&None).then_some(NAMES[0])
    }

    /// Takes an answer: where `name` is, if anywhere. What to ask for next: nothing, when one is missing, for then all of them are.
    pub fn learn(&mut self, name: &str, addr: Option<u64>) -> Option<&'static str> {
        let at = NAMES.iter().position(|it| *it == name)?;
        self.0[at] = addr;
        addr.and(NAMES.get(at + 1).copied())
    }

    /// Those of a program itself, as process `pid` runs it.
    fn of_program(pid: Pid) -> Option<Symbols> {
        let bytes = fs::read(format!("/proc/{pid}/exe")).ok()?;
        let program = ElfFile64::<object::Endianness>::parse(&*bytes).ok()?;
        let moved = match program.kind() {
            ObjectKind::Dynamic => {
                let auxv = fs::read(format!("/proc/{pid}/auxv")).ok()?;
                auxiliary_entry(&auxv, AT_ENTRY)?.wrapping_sub(program.entry())
            }
            _ => 0,
        };
        let mut symbols = Symbols::default();
        for symbol in program.symbols() {
            let at = NAMES.iter().position(|it| symbol.name() == Ok(it));
            if let Some(at) = at {
                symbols.0[at] = Some(symbol.address().wrapping_add(moved));
            }
        }
        Some(symbols)
    }
}

impl Target {
    /// What gdb has said of symbols in process `pid`.
    pub fn symbols(&mut self, pid: Pid) -> Option<&mut Symbols> {
        self.space_of(pid).map(|space| &mut space.symbols)
    }

    /// Where in task `tid` the variable at `offset` in the module of the library with this link map is. A static program has none: 0.
    ///
    /// # Errors
    /// `ENOSYS` where the C library does not say how it keeps such variables, `ENXIO` where the thread has none of the module's yet,
    /// `EBUSY` while it runs, `ESRCH`, and what reading memory says.
    pub fn thread_local(&mut self, tid: Pid, offset: u64, link_map: u64) -> Result<u64> {
        let task = self.task_mut(tid).ok_or(Errno::ESRCH)?;
        let pid = task.process;
        let thread = task.stopped().ok_or(Errno::EBUSY)?.user()?[FS_BASE];
        let module = match link_map {
            0 => PROGRAM,
            map => self.read_field(pid, map, Field::Module)?,
        };
        let vector = self.read_field(pid, thread, Field::Vector)?;
        let element = self.place(pid, Field::Element)?;
        let index = module.wrapping_mul(element.bytes);
        let element = vector.wrapping_add(element.offset).wrapping_add(index);
        let variables = self.read_field(pid, element, Field::Pointer)?;
        // Odd or null is a module whose variables this thread has not used. Some have a place all the same.
        if variables != 0 && variables & 1 == 0 {
            return Ok(variables.wrapping_add(offset));
        }
        let below = match link_map {
            0 => return Err(Errno::ENXIO),
            map => self.read_field(pid, map, Field::Offset)?,
        };
        match below as i64 {
            1.. => Ok(thread.wrapping_sub(below).wrapping_add(offset)),
            _ => Err(Errno::ENXIO),
        }
    }

    /// Reads a field of the structure at `addr`.
    fn read_field(&mut self, pid: Pid, addr: u64, field: Field) -> Result<u64> {
        let Place { bytes, offset } = self.place(pid, field)?;
        let mut word = [0; 8];
        let value = word.get_mut(..bytes as usize).ok_or(Errno::ENOSYS)?;
        self.read_all(pid, addr.wrapping_add(offset), value)?;
        Ok(u64::from_le_bytes(word))
    }

    fn place(&mut self, pid: Pid, field: Field) -> Result<Place> {
        let symbols = self.symbols(pid).ok_or(Errno::ESRCH)?;
        if symbols.first().is_some() {
            *symbols = Symbols::of_program(pid).unwrap_or_default();
        }
        let addr = symbols.0[field as usize].ok_or(Errno::ENOSYS)?;
        let mut description = [0; 12];
        self.read_all(pid, addr, &mut description)?;
        let ([bits, _, offset], []) = description.as_chunks::<4>() else {
            unreachable!("twelve bytes are three words");
        };
        Ok(Place {
            bytes: u64::from(u32::from_le_bytes(*bits) / 8),
            offset: i64::from(i32::from_le_bytes(*offset)) as u64,
        })
    }

    /// Reads all of the bytes.
    fn read_all(&mut self, pid: Pid, addr: u64, bytes: &mut [u8]) -> Result<()> {
        match self.read_memory(pid, addr, bytes)? {
            count if count == bytes.len() => Ok(()),
            _ => Err(Errno::EFAULT),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_asked_for_one_after_the_other_while_they_are_there() {
        let mut symbols = Symbols::default();
        assert_eq!(symbols.first(), Some(NAMES[0]));
        assert_eq!(symbols.learn(NAMES[0], None), None);
        assert_eq!(symbols.first(), Some(NAMES[0]));
        for (i, name) in (1..).zip(NAMES) {
            assert_eq!(symbols.learn(name, Some(8)), NAMES.get(i).copied());
        }
        assert_eq!(symbols.first(), None);
        assert_eq!(symbols.learn("main", Some(1)), None);
    }
}
