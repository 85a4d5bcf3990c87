//! What a task has mapped.

use crate::Fs;
use crate::host::{Host, Port};
use crate::tree::Ino;
use abi::Errno;
use abi::fs::{FileRange, Mapping, MappingOf};
use abi::linux::general::{PROT_EXEC, PROT_READ, PROT_WRITE};
use alloc::format;
use alloc::vec::Vec;

/// Where Linux begins to write the name.
const NAME_COLUMN: usize = 73;

impl Fs {
    /// proc_pid_maps(5); nothing where the task does not have that memory any more.
    pub(super) fn maps<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        tid: u32,
        memory: u64,
    ) -> Result<Vec<u8>, Errno> {
        let mut text = Vec::new();
        let mut from = 0;
        // Neighbours often map the same file, and looking for its name takes long.
        let mut latest: Option<(FileRange, Option<Ino>)> = None;
        loop {
            let mappings = match port.mappings(tid, memory, from) {
                Ok(mappings) => mappings,
                Err(Errno::ESRCH) => return Ok(text),
                Err(errno) => return Err(errno),
            };
            for mapping in mappings.iter().flatten() {
                from = mapping.end;
                let ino = match (mapping.of, latest) {
                    (MappingOf::File(range), Some((known, ino))) if range == known => ino,
                    (MappingOf::File(range), _) => {
                        let ino = self.tree.by_range(range);
                        latest = Some((range, ino));
                        ino
                    }
                    _ => None,
                };
                self.add_mapping(&mut text, mapping, ino);
            }
            if mappings.iter().any(Option::is_none) {
                return Ok(text);
            }
        }
    }

    fn add_mapping(&self, text: &mut Vec<u8>, mapping: &Mapping, ino: Option<Ino>) {
        let bit = |bit: u32, letter: char| if mapping.prot & bit != 0 { letter } else { '-' };
        let (device, number, name) = match (mapping.of, ino) {
            (MappingOf::File(_), Some(ino)) => {
                let device = self.tree.get(ino).mount as u32 + 1;
                (device, u64::from(ino) + 1, self.tree.path(ino))
            }
            (MappingOf::File(_), None) => (3, 0, b"(deleted)".to_vec()),
            (MappingOf::SharedAnonymous, _) => (3, 0, b"/dev/zero (deleted)".to_vec()),
            (MappingOf::Heap, _) => (0, 0, b"[heap]".to_vec()),
            (MappingOf::Stack, _) => (0, 0, b"[stack]".to_vec()),
            (MappingOf::Anonymous, _) => (0, 0, Vec::new()),
        };
        let head = format!(
            "{:08x}-{:08x} {}{}{}{} {:08x} 00:{device:02x} {number} ",
            mapping.start,
            mapping.end,
            bit(PROT_READ, 'r'),
            bit(PROT_WRITE, 'w'),
            bit(PROT_EXEC, 'x'),
            if mapping.shared { 's' } else { 'p' },
            mapping.offset,
        );
        text.extend_from_slice(head.as_bytes());
        if !name.is_empty() {
            let padding = NAME_COLUMN.saturating_sub(head.len());
            text.resize(text.len() + padding, b' ');
            text.extend_from_slice(&name);
        }
        text.push(b'\n');
    }
}
