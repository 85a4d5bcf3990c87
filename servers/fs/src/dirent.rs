//! getdents64(2).

use crate::Fs;
use crate::host::{Host, Port};
use crate::tree::{FIRST_POSITION, Node};
use abi::Errno;
use abi::linux::general::S_IFMT;
use alloc::vec::Vec;

/// The most bytes of entries one call gives; a longer buffer is not filled up.
const MAX_BYTES: u64 = 32768;
/// What is ahead of the name in struct linux_dirent64.
const NAME: usize = 19;

/// One entry on its way to the task.
struct Name {
    position: u64,
    name: Vec<u8>,
    node: Node,
}

impl Fs {
    /// getdents64(2).
    pub(crate) fn getdents<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        out: u64,
        size: u32,
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
            let len = (NAME + entry.name.len() + 1).next_multiple_of(8);
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
            bytes.push(((self.mode(entry.node) & S_IFMT) >> 12) as u8);
            bytes.extend_from_slice(&entry.name);
            bytes.resize(end, 0);
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
