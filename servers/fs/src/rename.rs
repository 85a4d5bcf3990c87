//! renameat2(2).

use crate::Fs;
use crate::host::{Host, Port};
use crate::path::{Follow, Last};
use crate::tree::{Mount, Node, ROOT};
use abi::Errno;
use abi::linux::general::{RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT};

impl Fs {
    /// renameat2(2).
    pub(crate) fn renameat<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        (old_dirfd, old_path): (i32, u64),
        (new_dirfd, new_path): (i32, u64),
        flags: u32,
    ) -> Result<i64, Errno> {
        // Exchanging and whiteouts are a file system's choice to refuse with EINVAL.
        if flags & !(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT) != 0
            || flags & (RENAME_EXCHANGE | RENAME_WHITEOUT) != 0
        {
            return Err(Errno::EINVAL);
        }
        let keep = flags & RENAME_NOREPLACE != 0;
        let from = self.walk_at(port, old_dirfd, old_path, Follow::Never)?;
        let to = self.walk_at(port, new_dirfd, new_path, Follow::Never)?;
        if !self.same_mount(from.dir, to.dir) {
            return Err(Errno::EXDEV);
        }
        let Last::Name(old_name) = from.last else {
            return Err(Errno::EBUSY);
        };
        let Last::Name(new_name) = to.last else {
            return Err(if keep { Errno::EEXIST } else { Errno::EBUSY });
        };
        let old_dir = self.writable_directory(from.dir)?;
        let new_dir = self.writable_directory(to.dir)?;
        let node = from.node.ok_or(Errno::ENOENT)?;
        if keep && to.node.is_some() {
            return Err(Errno::EEXIST);
        }
        let directory = self.is_directory(node);
        if !directory && (from.slash || to.slash) {
            return Err(Errno::ENOTDIR);
        }
        if self.is_above(node, to.dir) {
            return Err(Errno::EINVAL);
        }
        if to
            .node
            .is_some_and(|target| self.is_above(target, from.dir))
        {
            return Err(Errno::ENOTEMPTY);
        }
        if to.node == Some(node) {
            return Ok(0);
        }
        if let Some(target) = to.node {
            match (directory, self.is_directory(target)) {
                (true, false) => return Err(Errno::ENOTDIR),
                (false, true) => return Err(Errno::EISDIR),
                (true, true) if !self.is_empty(target) => return Err(Errno::ENOTEMPTY),
                _ => {}
            }
        }
        let (_, now) = port.time()?;
        if let Some(target) = to.node {
            self.remove_name(new_dir, &new_name, target, now);
        }
        self.tree.unlink(old_dir, &old_name);
        self.tree.link(new_dir, &new_name, node);
        if directory {
            self.tree.get_mut(old_dir).links -= 1;
            self.tree.get_mut(new_dir).links += 1;
        }
        self.touch(old_dir, now);
        self.touch(new_dir, now);
        if let Node::Inode(ino) = node {
            self.tree.get_mut(ino).times.changed = now;
        }
        Ok(0)
    }

    fn same_mount(&self, a: Node, b: Node) -> bool {
        let mount = |node| match node {
            Node::Inode(ino) => Some(self.tree.get(ino).mount),
            _ => None::<Mount>,
        };
        mount(a) == mount(b)
    }

    /// Whether `dir` is `node` or in it.
    fn is_above(&self, node: Node, dir: Node) -> bool {
        let (Node::Inode(node), Node::Inode(mut at)) = (node, dir) else {
            return false;
        };
        loop {
            if at == node {
                return true;
            }
            if at == ROOT {
                return false;
            }
            at = self.tree.get(at).parent;
        }
    }
}
