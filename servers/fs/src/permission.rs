//! Who may do what to which node (path_resolution(7), "Permissions").

use crate::Fs;
use crate::host::{Host, Port};
use crate::proc::ProcNode;
use crate::tree::{Body, Ino, Node};
use abi::linux::general::{R_OK, S_ISGID, S_ISUID, S_ISVTX, S_IXGRP, W_OK, X_OK};
use abi::{Capability, Errno};

/// The owner, the group, and the mode of a new inode.
pub(crate) struct NewOwner {
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
}

impl Fs {
    /// Whether a task may do to a node what `want` says with access(2)'s bits: EACCES, or EROFS
    /// where nobody may write.
    pub(crate) fn permitted<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        node: Node,
        want: u32,
    ) -> Result<(), Errno> {
        if want & W_OK != 0 {
            self.check_writable(node)?;
        }
        let mode = self.mode(node);
        // What all three classes may do needs no look at who asks.
        if mode & mode >> 3 & mode >> 6 & want == want {
            return Ok(());
        }
        let owner = self.owner(port, node)?;
        if port.who.allow(owner, mode, want) || self.of_own_process(port, node) {
            return Ok(());
        }
        Err(Errno::EACCES)
    }

    /// The user and group that a node belongs to.
    pub(crate) fn owner<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        node: Node,
    ) -> Result<(u32, u32), Errno> {
        Ok(match node {
            Node::Inode(ino) => {
                let inode = self.tree.get(ino);
                (inode.uid, inode.gid)
            }
            Node::Proc(node) => self.proc_owner(port, node)?,
            Node::Pipe(pipe) => self.pipes[pipe].owner,
            Node::Anon(anon) => self.anons[anon].owner,
        })
    }

    /// A process always gets at its own descriptors, whoever it has become.
    fn of_own_process<H: Host>(&self, port: &Port<'_, H>, node: Node) -> bool {
        match node {
            Node::Proc(ProcNode::Fds(tid) | ProcNode::Fd(tid, _)) => {
                self.same_process(port.task, tid)
            }
            _ => false,
        }
    }

    /// Whether a name may be made in a directory.
    pub(crate) fn may_create<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        dir: Ino,
    ) -> Result<(), Errno> {
        self.permitted(port, Node::Inode(dir), W_OK | X_OK)
    }

    /// Whether the name of a node may be taken away from a directory. EPERM: the directory's sticky
    /// bit keeps what others own.
    pub(crate) fn may_delete<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        dir: Ino,
        node: Node,
    ) -> Result<(), Errno> {
        self.permitted(port, Node::Inode(dir), W_OK | X_OK)?;
        let directory = self.tree.get(dir);
        let (owner, _) = self.owner(port, node)?;
        let who = &port.who;
        let own = who.told.fsuid == owner || who.told.fsuid == directory.uid;
        if directory.mode & S_ISVTX != 0 && !own && !who.capable(Capability::CAP_FOWNER) {
            return Err(Errno::EPERM);
        }
        Ok(())
    }

    /// EPERM for a file that only its owner may give another name (proc_sys_fs(5),
    /// protected_hardlinks): one that others could not have got at by themselves.
    pub(crate) fn may_link<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        node: Node,
    ) -> Result<(), Errno> {
        let mode = self.mode(node);
        let (owner, _) = self.owner(port, node)?;
        let regular = match node {
            Node::Inode(ino) => matches!(self.tree.get(ino).body, Body::File(_)),
            _ => false,
        };
        let set_id = mode & S_ISUID != 0 || mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP;
        let harmless = regular && !set_id && self.permitted(port, node, R_OK | W_OK).is_ok();
        if harmless || port.who.owns(owner) {
            return Ok(());
        }
        Err(Errno::EPERM)
    }

    /// Whose a new inode in a directory is. A set-group-id directory gives its group on.
    pub(crate) fn new_owner<H: Host>(
        &self,
        port: &Port<'_, H>,
        dir: Ino,
        mode: u32,
        directory: bool,
    ) -> NewOwner {
        let parent = self.tree.get(dir);
        let uid = port.who.told.fsuid;
        if parent.mode & S_ISGID == 0 {
            let gid = port.who.told.fsgid;
            return NewOwner { uid, gid, mode };
        }
        let gid = parent.gid;
        let runs_as_group = mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP;
        let mode = match directory {
            true => mode | S_ISGID,
            false if runs_as_group && !port.who.keeps_set_gid(gid) => mode & !S_ISGID,
            false => mode,
        };
        NewOwner { uid, gid, mode }
    }

    /// A file is written or cut by somebody who may not keep its set-id bits: they go.
    pub(crate) fn drop_set_ids<H: Host>(&mut self, port: &Port<'_, H>, ino: Ino) {
        let inode = self.tree.get(ino);
        if inode.mode & (S_ISUID | S_ISGID) == 0
            || !matches!(inode.body, Body::File(_))
            || port.who.capable(Capability::CAP_FSETID)
        {
            return;
        }
        let gone = S_ISUID | self.lost_set_gid(port, ino);
        self.tree.get_mut(ino).mode &= !gone;
    }

    /// The set-group-id bit where a change of a file takes it: that of a program, and that of who
    /// is not of the group.
    pub(crate) fn lost_set_gid<H: Host>(&self, port: &Port<'_, H>, ino: Ino) -> u32 {
        let inode = self.tree.get(ino);
        let lost = inode.mode & S_IXGRP != 0 || !port.who.keeps_set_gid(inode.gid);
        if lost { S_ISGID } else { 0 }
    }
}
