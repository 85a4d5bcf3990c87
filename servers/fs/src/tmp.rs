//! /tmp: the file system that can be written.

use crate::Fs;
use crate::host::{Host, Port};
use crate::permission::NewOwner;
use crate::tree::{Body, Ino, Inode, Mount, Node, Times};
use abi::Errno;
use abi::fs::FileRange;

/// The most inodes in /tmp.
pub const MAX_INODES: usize = 4096;
/// No file is longer than this.
pub const MAX_FILE_SIZE: u64 = 1 << 32;

impl Fs {
    /// EROFS unless this directory may be changed; what it is then.
    pub(crate) fn writable_directory(&self, dir: Node) -> Result<Ino, Errno> {
        match dir {
            Node::Inode(ino) => match self.tree.get(ino) {
                inode if !inode.mount.writable() => Err(Errno::EROFS),
                // It was removed; somebody is still in it.
                inode if inode.links == 0 => Err(Errno::ENOENT),
                _ => Ok(ino),
            },
            // As Linux's /proc says it.
            Node::Proc(_) => Err(Errno::ENOENT),
            Node::Pipe(_) | Node::Anon(_) => Err(Errno::ENOTDIR),
        }
    }

    /// Makes a file, directory or symbolic link of this name, which is free.
    pub(crate) fn make<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        parent: Ino,
        name: &[u8],
        mode: u32,
        body: Body,
    ) -> Result<Ino, Errno> {
        if self.tree.in_tmp >= MAX_INODES {
            return Err(Errno::ENOSPC);
        }
        let (_, now) = port.time()?;
        let directory = matches!(body, Body::Directory(_));
        let NewOwner { uid, gid, mode } = self.new_owner(port, parent, mode, directory);
        let mut inode = Inode::new(Mount::Tmp, mode, body);
        (inode.uid, inode.gid) = (uid, gid);
        inode.times = Times::all(now);
        let ino = self.tree.add(parent, name, inode).ok_or(Errno::ENOSPC)?;
        self.touch(parent, now);
        Ok(ino)
    }

    /// Makes an empty file of this name, which is free.
    pub(crate) fn make_file<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        parent: Ino,
        name: &[u8],
        mode: u32,
    ) -> Result<Ino, Errno> {
        if self.tree.in_tmp >= MAX_INODES {
            return Err(Errno::ENOSPC);
        }
        let object = port.create()?;
        let range = FileRange {
            object,
            offset: 0,
            size: 0,
        };
        let made = self.make(port, parent, name, mode, Body::File(range));
        if made.is_err() {
            self.freed.push(object);
        }
        made
    }

    /// Makes an empty file without a name, of the file system that a directory is on (open(2),
    /// O_TMPFILE).
    pub(crate) fn make_unnamed<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        dir: Node,
        mode: u32,
        linkable: bool,
    ) -> Result<Node, Errno> {
        let parent = self.writable_directory(dir)?;
        self.may_create(port, parent)?;
        let mode = mode & !self.context_mut(port.task)?.umask;
        let NewOwner { uid, gid, mode } = self.new_owner(port, parent, mode, false);
        if self.tree.in_tmp >= MAX_INODES {
            return Err(Errno::ENOSPC);
        }
        let (_, now) = port.time()?;
        let object = port.create()?;
        let range = FileRange {
            object,
            offset: 0,
            size: 0,
        };
        let mut inode = Inode::new(Mount::Tmp, mode, Body::File(range));
        (inode.uid, inode.gid) = (uid, gid);
        inode.times = Times::all(now);
        inode.linkable = linkable;
        let Some(ino) = self.tree.add_unnamed(parent, inode) else {
            self.freed.push(object);
            return Err(Errno::ENOSPC);
        };
        Ok(Node::Inode(ino))
    }

    /// What is in a directory has changed.
    pub(crate) fn touch(&mut self, ino: Ino, now: u64) {
        let times = &mut self.tree.get_mut(ino).times;
        times.modified = now;
        times.changed = now;
    }

    /// Gives a regular file this size.
    pub(crate) fn resize<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        ino: Ino,
        size: u64,
    ) -> Result<(), Errno> {
        if size > MAX_FILE_SIZE {
            return Err(Errno::EFBIG);
        }
        let Body::File(range) = self.tree.get(ino).body else {
            return Err(Errno::EINVAL);
        };
        // The object must know in both directions: what is mapped behind its end is SIGBUS.
        if size != range.size {
            port.truncate(range.object, size)?;
        }
        let inode = self.tree.get_mut(ino);
        inode.body = Body::File(FileRange { size, ..range });
        inode.written = true;
        Ok(())
    }
}
