//! getdents64(2) and its forerunner.

use crate::Fs;
use crate::host::{Host, Port};
use crate::tree::{FIRST_POSITION, Node};
use abi::Errno;
use abi::linux::general::S_IFMT;
use alloc::vec::Vec;

/// The most bytes of entries one call gives; a longer buffer is not filled up.
const MAX_BYTES: u64 = 32768;

/// How an entry is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// struct linux_dirent: the type is its last byte.
    Old,
    /// struct linux_dirent64: the type is ahead of the name.
    New,
}

impl Form {
    /// How long an entry is: what is ahead of the name, the name, its end, the old type.
    fn size(self, name: &[u8]) -> usize {
        let unpadded = match self {
            Form::Old => 18 + name.len() + 2,
            Form::New => 19 + name.len() + 1,
        };
        unpadded.next_multiple_of(8)
    }
}

/// One entry on its way to the task.
struct Name {
    position: u64,
    name: Vec<u8>,
    node: Node,
}

impl Fs {
    /// getdents64(2), getdents(2).
    pub(crate) fn getdents<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        (out, size): (u64, u32),
        form: Form,
    ) -> Result<i64, Errno> {
        let id = self.file(port.task, fd)?;
        let file = &self.files[id];
        let (node, from) = (file.node, file.offset);
        if !self.is_directory(node) {
            return Err(Errno::ENOTDIR);
        }
        let size = u64::from(size).min(MAX_BYTES) as usize;
        let mut bytes = Vec::new();
        let mut next = from;
        for entry in self.names(port, node, from) {
            let len = form.size(&entry.name);
            if bytes.len() + len > size {
                if bytes.is_empty() {
                    return Err(Errno::EINVAL);
                }
                break;
            }
            next = entry.position + 1;
            let end = bytes.len() + len;
            bytes.extend_from_slice(&self.ino(entry.node).to_le_bytes());
            bytes.extend_from_slice(&next.to_le_bytes());
            bytes.extend_from_slice(&(len as u16).to_le_bytes());
            // DT_ values are the type bits of st_mode.
            let kind = ((self.mode(entry.node) & S_IFMT) >> 12) as u8;
            if form == Form::New {
                bytes.push(kind);
            }
            bytes.extend_from_slice(&entry.name);
            bytes.resize(end, 0);
            if form == Form::Old {
                bytes[end - 1] = kind;
            }
        }
        port.write(out, &bytes)?;
        self.files[id].offset = next;
        Ok(bytes.len() as i64)
    }

    /// The names from a position on, in order.
    fn names<H: Host>(&self, port: &mut Port<'_, H>, dir: Node, from: u64) -> Vec<Name> {
        let mut names = Vec::new();
        let own = [(0, &b"."[..], dir), (1, b"..", self.parent(dir))];
        for (position, name, node) in own {
            if position >= from {
                let name = name.to_vec();
                names.push(Name {
                    position,
                    name,
                    node,
                });
            }
        }
        let from = from.max(FIRST_POSITION);
        match dir {
            Node::Inode(ino) => {
                let entries = self
                    .tree
                    .directory(ino)
                    .into_iter()
                    .flat_map(|dir| &dir.entries);
                names.extend(entries.filter(|(_, entry)| entry.position >= from).map(
                    |(name, entry)| Name {
                        position: entry.position,
                        name: name.to_vec(),
                        node: entry.node,
                    },
                ));
                names.sort_by_key(|name| name.position);
            }
            Node::Proc(node) => {
                names.extend(self.proc_list(port, node, from).into_iter().map(
                    |(position, name, node)| Name {
                        position,
                        name: name.into_bytes(),
                        node: Node::Proc(node),
                    },
                ));
            }
            Node::Pipe(_) | Node::Anon(_) => {}
        }
        names
    }
}
