//! The working directory.

use crate::Fs;
use crate::host::{Host, Port};
use crate::tree::Node;
use abi::linux::general::X_OK;
use abi::{Capability, Errno};
use alloc::vec::Vec;

impl Fs {
    /// How Linux would write a node's path.
    pub(crate) fn path_of(&self, node: Node) -> Vec<u8> {
        match node {
            Node::Inode(ino) => self.tree.path(ino),
            Node::Pipe(_) => alloc::format!("pipe:[{}]", self.ino(node)).into_bytes(),
            Node::Anon(anon) => self.anon_path(anon).into_bytes(),
            Node::Proc(node) => node.path().into_bytes(),
        }
    }

    /// getcwd(2): the length with the final zero.
    pub(crate) fn getcwd<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        out: u64,
        size: u64,
    ) -> Result<i64, Errno> {
        let cwd = self.cwd(port.task)?;
        if let Node::Inode(ino) = cwd
            && self.tree.get(ino).links == 0
        {
            return Err(Errno::ENOENT);
        }
        let mut path = self.path_of(cwd);
        path.push(0);
        if path.len() as u64 > size {
            return Err(Errno::ERANGE);
        }
        port.write(out, &path)?;
        Ok(path.len() as i64)
    }

    /// chdir(2).
    pub(crate) fn chdir<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        path: u64,
    ) -> Result<i64, Errno> {
        let path = port.string(path)?;
        let cwd = self.cwd(port.task)?;
        let node = self.resolve(port, cwd, &path, true)?;
        self.change_directory(port, node)
    }

    /// fchdir(2).
    pub(crate) fn fchdir<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
    ) -> Result<i64, Errno> {
        let node = self.files[self.any_file(port.task, fd)?].node;
        self.change_directory(port, node)
    }

    /// chroot(2): CAP_SYS_CHROOT, else EPERM.
    pub(crate) fn chroot<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        path: u64,
    ) -> Result<i64, Errno> {
        let path = port.string(path)?;
        let cwd = self.cwd(port.task)?;
        let node = self.resolve(port, cwd, &path, true)?;
        if !self.is_directory(node) {
            return Err(Errno::ENOTDIR);
        }
        self.permitted(port, node, X_OK)?;
        if !port.who.capable(Capability::CAP_SYS_CHROOT) {
            return Err(Errno::EPERM);
        }
        self.hold_node(node);
        let context = self.context_mut(port.task)?;
        let before = core::mem::replace(&mut context.root, node);
        self.release_node(before);
        Ok(0)
    }

    fn change_directory<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        node: Node,
    ) -> Result<i64, Errno> {
        if !self.is_directory(node) {
            return Err(Errno::ENOTDIR);
        }
        self.permitted(port, node, X_OK)?;
        self.hold_node(node);
        let context = self.context_mut(port.task)?;
        let before = core::mem::replace(&mut context.cwd, node);
        self.release_node(before);
        Ok(0)
    }
}
