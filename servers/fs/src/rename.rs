//! renameat2(2).

use crate::Fs;
use crate::host::{Host, Port};
use crate::path::{Follow, Last, Walk};
use crate::tree::{Ino, Mount, Node};
use abi::Errno;
use abi::linux::general::{RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT, W_OK};
use alloc::vec::Vec;

/// One of the two names.
struct Place {
    dir: Ino,
    name: Vec<u8>,
    node: Option<Node>,
    /// A slash follows the name.
    slash: bool,
}

impl Fs {
    /// renameat2(2).
    pub(crate) fn renameat<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        (old_dirfd, old_path): (i32, u64),
        (new_dirfd, new_path): (i32, u64),
        flags: u32,
    ) -> Result<i64, Errno> {
        let exchange = flags & RENAME_EXCHANGE != 0;
        let keep = flags & RENAME_NOREPLACE != 0;
        let whiteout = flags & RENAME_WHITEOUT != 0;
        if flags & !(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT) != 0
            || exchange && (keep || whiteout)
        {
            return Err(Errno::EINVAL);
        }
        let from = self.walk_at(port, old_dirfd, old_path, Follow::Never)?;
        let to = self.walk_at(port, new_dirfd, new_path, Follow::Never)?;
        if !self.same_mount(from.dir, to.dir) {
            return Err(Errno::EXDEV);
        }
        let taken = if keep { Errno::EEXIST } else { Errno::EBUSY };
        let from = self.place(from, Errno::EBUSY)?;
        let to = self.place(to, taken)?;
        let node = from.node.ok_or(Errno::ENOENT)?;
        match to.node {
            Some(_) if keep => return Err(Errno::EEXIST),
            None if exchange => return Err(Errno::ENOENT),
            _ => {}
        }
        self.check_ends(node, &from, &to, exchange)?;
        if to.node == Some(node) {
            return Ok(0);
        }
        self.may_rename(port, node, &from, &to, exchange)?;
        match (exchange, to.node) {
            (true, Some(other)) => self.exchange(port, (node, from), (other, to))?,
            _ => self.move_name(port, node, from, to, whiteout)?,
        }
        Ok(0)
    }

    /// A name that may change; `none` where a path ends in no name.
    fn place(&self, walk: Walk, none: Errno) -> Result<Place, Errno> {
        let Last::Name(name) = walk.last else {
            return Err(none);
        };
        Ok(Place {
            dir: self.writable_directory(walk.dir)?,
            name,
            node: walk.node,
            slash: walk.slash,
        })
    }

    /// Slashes behind what is no directory, and directories that would come to be in themselves.
    fn check_ends(
        &self,
        node: Node,
        from: &Place,
        to: &Place,
        exchange: bool,
    ) -> Result<(), Errno> {
        if exchange && to.slash && to.node.is_some_and(|other| !self.is_directory(other)) {
            return Err(Errno::ENOTDIR);
        }
        if !self.is_directory(node) && (from.slash || (to.slash && !exchange)) {
            return Err(Errno::ENOTDIR);
        }
        if self.is_above(node, to.dir) {
            return Err(Errno::EINVAL);
        }
        if to.node.is_some_and(|other| self.is_above(other, from.dir)) {
            return Err(match exchange {
                true => Errno::EINVAL,
                false => Errno::ENOTEMPTY,
            });
        }
        Ok(())
    }

    fn may_rename<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        node: Node,
        from: &Place,
        to: &Place,
        exchange: bool,
    ) -> Result<(), Errno> {
        let directory = self.is_directory(node);
        self.may_delete(port, from.dir, node)?;
        let Some(other) = to.node else {
            self.may_create(port, to.dir)?;
            return self.may_move(port, node, from, to);
        };
        self.may_delete(port, to.dir, other)?;
        match (directory, self.is_directory(other)) {
            (true, false) if !exchange => return Err(Errno::ENOTDIR),
            (false, true) if !exchange => return Err(Errno::EISDIR),
            _ => {}
        }
        self.may_move(port, node, from, to)?;
        if exchange {
            return self.may_move(port, other, from, to);
        }
        if directory && !self.is_empty(other) {
            return Err(Errno::ENOTEMPTY);
        }
        Ok(())
    }

    /// A directory's entry `..` changes where it comes to be in another one.
    fn may_move<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        node: Node,
        from: &Place,
        to: &Place,
    ) -> Result<(), Errno> {
        if self.is_directory(node) && from.dir != to.dir {
            return self.permitted(port, node, W_OK);
        }
        Ok(())
    }

    fn move_name<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        node: Node,
        from: Place,
        to: Place,
        whiteout: bool,
    ) -> Result<(), Errno> {
        let (_, now) = port.time()?;
        if whiteout {
            self.make_whiteout(port, &from.name, from.dir)?;
        } else {
            self.tree.unlink(from.dir, &from.name);
        }
        if let Some(other) = to.node {
            self.remove_name(to.dir, &to.name, other, now);
        }
        self.tree.link(to.dir, &to.name, node);
        if self.is_directory(node) {
            self.tree.get_mut(from.dir).links -= 1;
            self.tree.get_mut(to.dir).links += 1;
        }
        self.moved(node, now);
        self.touch(from.dir, now);
        self.touch(to.dir, now);
        Ok(())
    }

    fn exchange<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        (node, from): (Node, Place),
        (other, to): (Node, Place),
    ) -> Result<(), Errno> {
        let (_, now) = port.time()?;
        self.tree.unlink(from.dir, &from.name);
        self.tree.unlink(to.dir, &to.name);
        for (node, old, new) in [(node, &from, &to), (other, &to, &from)] {
            self.tree.link(new.dir, &new.name, node);
            if self.is_directory(node) {
                self.tree.get_mut(old.dir).links -= 1;
                self.tree.get_mut(new.dir).links += 1;
            }
            self.moved(node, now);
        }
        self.touch(from.dir, now);
        self.touch(to.dir, now);
        Ok(())
    }

    fn moved(&mut self, node: Node, now: u64) {
        if let Node::Inode(ino) = node {
            self.tree.get_mut(ino).times.changed = now;
        }
    }

    fn same_mount(&self, a: Node, b: Node) -> bool {
        let mount = |node| match node {
            Node::Inode(ino) => Some(self.tree.get(ino).mount),
            _ => None::<Mount>,
        };
        mount(a) == mount(b)
    }

    /// Whether `dir` is `node` or in it.
    fn is_above(&self, node: Node, dir: Ino) -> bool {
        let Node::Inode(node) = node else {
            return false;
        };
        let mut at = dir;
        loop {
            if at == node {
                return true;
            }
            let parent = self.tree.get(at).parent;
            if parent == at {
                return false;
            }
            at = parent;
        }
    }
}
