//! Calls that make and remove names.

use crate::Fs;
use crate::host::{Host, Port};
use crate::path::{Follow, Last, Walk};
use crate::tree::{Body, Directory, Ino, Node};
use abi::linux::general::{AT_EMPTY_PATH, AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, S_ISVTX};
use abi::{Capability, Errno};
use alloc::vec::Vec;

impl Fs {
    /// Where a new name goes that a call makes, which may be made there.
    pub(crate) fn new_name<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        dirfd: i32,
        path: u64,
        directory: bool,
    ) -> Result<(Ino, Vec<u8>), Errno> {
        let (parent, name) = self.free_name(port, dirfd, path, directory)?;
        self.may_create(port, parent)?;
        Ok((parent, name))
    }

    /// The same before it is looked at who asks; EEXIST comes before EROFS, as on Linux.
    fn free_name<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        dirfd: i32,
        path: u64,
        directory: bool,
    ) -> Result<(Ino, Vec<u8>), Errno> {
        let walk = self.walk_at(port, dirfd, path, Follow::Never)?;
        let Last::Name(name) = walk.last else {
            return Err(Errno::EEXIST);
        };
        if walk.node.is_some() {
            return Err(Errno::EEXIST);
        }
        if walk.slash && !directory {
            return Err(Errno::ENOENT);
        }
        Ok((self.writable_directory(walk.dir)?, name))
    }

    pub(crate) fn walk_at<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        dirfd: i32,
        path: u64,
        follow: Follow,
    ) -> Result<Walk, Errno> {
        let path = port.string(path)?;
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        let base = self.base(port.task, dirfd, &path)?;
        self.walk(port, base, &path, follow)
    }

    /// mkdirat(2).
    pub(crate) fn mkdirat<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        dirfd: i32,
        path: u64,
        mode: u32,
    ) -> Result<i64, Errno> {
        let (parent, name) = self.new_name(port, dirfd, path, true)?;
        let mode = mode & (0o777 | S_ISVTX) & !self.context_mut(port.task)?.umask;
        self.make(
            port,
            parent,
            &name,
            mode,
            Body::Directory(Directory::default()),
        )?;
        Ok(0)
    }

    /// symlinkat(2).
    pub(crate) fn symlinkat<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        target: u64,
        dirfd: i32,
        path: u64,
    ) -> Result<i64, Errno> {
        let target = port.string(target)?;
        if target.is_empty() {
            return Err(Errno::ENOENT);
        }
        let (parent, name) = self.new_name(port, dirfd, path, false)?;
        self.make(port, parent, &name, 0o777, Body::Link(target.into()))?;
        Ok(0)
    }

    /// linkat(2).
    pub(crate) fn linkat<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        (old_dirfd, old_path): (i32, u64),
        (dirfd, path): (i32, u64),
        flags: u32,
    ) -> Result<i64, Errno> {
        if flags & !(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH) != 0 {
            return Err(Errno::EINVAL);
        }
        let follow = flags & AT_SYMLINK_FOLLOW != 0;
        let old = port.string(old_path)?;
        let old = if old.is_empty() && flags & AT_EMPTY_PATH != 0 {
            self.linkable_fd(port, old_dirfd)?
        } else if old.is_empty() {
            return Err(Errno::ENOENT);
        } else {
            let base = self.base(port.task, old_dirfd, &old)?;
            self.resolve(port, base, &old, follow)?
        };
        let (parent, name) = self.free_name(port, dirfd, path, false)?;
        match old {
            Node::Inode(old) if self.tree.get(old).mount == self.tree.get(parent).mount => {}
            _ => return Err(Errno::EXDEV),
        }
        self.may_link(port, old)?;
        self.may_create(port, parent)?;
        if self.is_directory(old) {
            return Err(Errno::EPERM);
        }
        let Node::Inode(ino) = old else {
            return Err(Errno::EXDEV);
        };
        // The last name is gone for good, even where the file is still open.
        let inode = self.tree.get(ino);
        if inode.links == 0 && !inode.linkable {
            return Err(Errno::ENOENT);
        }
        let (_, now) = port.time()?;
        self.tree.get_mut(ino).links += 1;
        self.tree.get_mut(ino).times.changed = now;
        self.tree.link(parent, &name, old);
        self.touch(parent, now);
        Ok(0)
    }

    /// What a descriptor has open, to be given a name without a path: only by who opened it, or
    /// could search everywhere.
    fn linkable_fd<H: Host>(&self, port: &Port<'_, H>, dirfd: i32) -> Result<Node, Errno> {
        if dirfd == AT_FDCWD {
            return self.cwd(port.task);
        }
        let file = &self.files[self.any_file(port.task, dirfd)?];
        let searches = port.who.capable(Capability::CAP_DAC_READ_SEARCH);
        if !searches && file.opener != port.who.told.fsuid {
            return Err(Errno::ENOENT);
        }
        Ok(file.node)
    }

    /// unlinkat(2).
    pub(crate) fn unlinkat<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        dirfd: i32,
        path: u64,
        flags: u32,
    ) -> Result<i64, Errno> {
        match flags {
            0 => self.unlink(port, dirfd, path),
            AT_REMOVEDIR => self.rmdir(port, dirfd, path),
            _ => Err(Errno::EINVAL),
        }
    }

    fn unlink<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        dirfd: i32,
        path: u64,
    ) -> Result<i64, Errno> {
        let walk = self.walk_at(port, dirfd, path, Follow::Never)?;
        let Last::Name(name) = &walk.last else {
            return Err(Errno::EISDIR);
        };
        let parent = self.removable_from(&walk)?;
        let node = walk.node.ok_or(Errno::ENOENT)?;
        if walk.slash {
            return Err(match self.is_directory(node) {
                true => Errno::EISDIR,
                false => Errno::ENOTDIR,
            });
        }
        self.may_delete(port, parent, node)?;
        if self.is_directory(node) {
            return Err(Errno::EISDIR);
        }
        let (_, now) = port.time()?;
        self.remove_name(parent, name, node, now);
        Ok(0)
    }

    fn rmdir<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        dirfd: i32,
        path: u64,
    ) -> Result<i64, Errno> {
        let walk = self.walk_at(port, dirfd, path, Follow::Never)?;
        let name = match &walk.last {
            Last::Name(name) => name,
            Last::Dot => return Err(Errno::EINVAL),
            Last::DotDot => return Err(Errno::ENOTEMPTY),
            Last::Root => return Err(Errno::EBUSY),
        };
        if walk.node == Some(Node::Inode(self.tree.tmp)) {
            return Err(Errno::EBUSY);
        }
        let parent = self.removable_from(&walk)?;
        let node = walk.node.ok_or(Errno::ENOENT)?;
        self.may_delete(port, parent, node)?;
        if !self.is_directory(node) {
            return Err(Errno::ENOTDIR);
        }
        if !self.is_empty(node) {
            return Err(Errno::ENOTEMPTY);
        }
        let (_, now) = port.time()?;
        self.remove_name(parent, name, node, now);
        Ok(0)
    }

    /// The directory whose name may go away. Linux's /proc says EPERM for what is there.
    pub(crate) fn removable_from(&self, walk: &Walk) -> Result<Ino, Errno> {
        match walk.dir {
            Node::Proc(_) if walk.node.is_some() => Err(Errno::EPERM),
            dir => self.writable_directory(dir),
        }
    }

    pub(crate) fn is_empty(&self, node: Node) -> bool {
        match node {
            Node::Inode(ino) => self
                .tree
                .directory(ino)
                .is_none_or(|dir| dir.entries.is_empty()),
            _ => false,
        }
    }

    /// Takes a name of a file, or of a directory that is empty, away.
    pub(crate) fn remove_name(&mut self, parent: Ino, name: &[u8], node: Node, now: u64) {
        self.tree.unlink(parent, name);
        if let Node::Inode(ino) = node {
            if self.tree.directory(ino).is_some() {
                self.tree.get_mut(ino).links = 0;
                self.tree.get_mut(parent).links -= 1;
            } else {
                self.tree.get_mut(ino).links -= 1;
            }
            self.tree.get_mut(ino).times.changed = now;
            self.tree.reap(ino);
            self.freed.append(&mut self.tree.freed);
        }
        self.touch(parent, now);
    }

    /// readlinkat(2).
    pub(crate) fn readlinkat<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        dirfd: i32,
        path: u64,
        out: u64,
        size: i32,
    ) -> Result<i64, Errno> {
        let size = usize::try_from(size).map_err(|_| Errno::EINVAL)?;
        if size == 0 {
            return Err(Errno::EINVAL);
        }
        let path = port.string(path)?;
        let node = if path.is_empty() {
            // Only a link opened with O_PATH is read this way.
            let node = self.files[self.any_file(port.task, dirfd).map_err(|_| Errno::ENOENT)?].node;
            if !self.is_link(node) {
                return Err(Errno::ENOENT);
            }
            node
        } else {
            let base = self.base(port.task, dirfd, &path)?;
            self.resolve(port, base, &path, false)?
        };
        if !self.is_link(node) {
            return Err(Errno::EINVAL);
        }
        let text = match self.link_target(port, node)? {
            crate::proc::Target::Text(text) => text,
            crate::proc::Target::Node(node) => self.path_of(node),
        };
        let text = &text[..text.len().min(size)];
        port.write(out, text)?;
        Ok(text.len() as i64)
    }
}
