//! The boot archive as the tree's read-only root.

use crate::Fs;
use crate::host::{Host, Port};
use crate::tree::{Body, Directory, Ino, Inode, Mount, Node, ROOT, Times};
use abi::archive::{Archive, Corrupt, HEADER_LEN, Kind, PAGE};
use abi::fs::{ARCHIVE, FileRange};
use abi::wire::{MAX, MAX_DATA};
use alloc::vec::Vec;

/// The longest index that is read.
const MAX_INDEX: usize = 4 << 20;

impl Fs {
    /// Enters everything in the archive into the tree.
    pub(crate) fn read_archive<H: Host>(&mut self, port: &mut Port<'_, H>) -> Result<(), Corrupt> {
        let index = fetch_index(port)?;
        for entry in Archive::parse(&index)?.entries() {
            let entry = entry?;
            let (parent, name) = entry.path.rsplit_once('/').ok_or(Corrupt)?;
            let parent = self.archive_directory(parent)?;
            let body = match entry.kind {
                Kind::Dir => Body::Directory(Directory::default()),
                Kind::File { offset, size } => Body::File(FileRange {
                    object: ARCHIVE,
                    offset,
                    size,
                }),
                Kind::Symlink { target } => Body::Link(target.as_bytes().into()),
            };
            // /tmp, /dev and /proc stand over what the archive has there.
            if name.is_empty() || self.entry(parent, name.as_bytes()).is_some() {
                continue;
            }
            let mut inode = Inode::new(Mount::Archive, entry.mode & 0o7777, body);
            inode.uid = entry.uid;
            inode.gid = entry.gid;
            inode.times = Times::all(entry.mtime.saturating_mul(1_000_000_000));
            self.tree
                .add(parent, name.as_bytes(), inode)
                .ok_or(Corrupt)?;
        }
        Ok(())
    }

    fn entry(&self, parent: Ino, name: &[u8]) -> Option<Node> {
        Some(self.tree.directory(parent)?.entries.get(name)?.node)
    }

    /// The directory of this path, made where it is missing.
    fn archive_directory(&mut self, path: &str) -> Result<Ino, Corrupt> {
        let mut at = ROOT;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            at = match self.entry(at, name.as_bytes()) {
                Some(Node::Inode(ino)) if self.tree.directory(ino).is_some() => ino,
                Some(_) => return Err(Corrupt),
                None => {
                    let body = Body::Directory(Directory::default());
                    let inode = Inode::new(Mount::Archive, 0o755, body);
                    self.tree.add(at, name.as_bytes(), inode).ok_or(Corrupt)?
                }
            };
        }
        Ok(at)
    }
}

/// The archive's pages up to the end of its index, as an archive of only these: the reader of the
/// format wants the pages that the header announces.
fn fetch_index<H: Host>(port: &mut Port<'_, H>) -> Result<Vec<u8>, Corrupt> {
    let mut pages = Vec::new();
    fetch(port, &mut pages, HEADER_LEN)?;
    let len = u32::from_le_bytes(pages[8..12].try_into().map_err(|_| Corrupt)?) as usize;
    if len > MAX_INDEX {
        return Err(Corrupt);
    }
    let count = (HEADER_LEN + len).div_ceil(PAGE);
    fetch(port, &mut pages, count * PAGE)?;
    pages[12..16].copy_from_slice(&(count as u32).to_le_bytes());
    Ok(pages)
}

fn fetch<H: Host>(port: &mut Port<'_, H>, pages: &mut Vec<u8>, end: usize) -> Result<(), Corrupt> {
    while pages.len() < end {
        let len = (end - pages.len()).min(MAX_DATA);
        let mut buffer = [0; MAX];
        let bytes = port
            .read_object(ARCHIVE, pages.len() as u64, len, &mut buffer)
            .map_err(|_| Corrupt)?;
        pages.extend_from_slice(bytes);
    }
    Ok(())
}
