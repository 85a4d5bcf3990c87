//! mount(2) and what else the superuser does to file systems: they are what they are, so what is
//! left is to say why not, as Linux says it.

use crate::Fs;
use crate::host::{Host, Port};
use crate::proc::ProcNode;
use crate::tree::{Body, Node, ROOT};
use abi::linux::general::{
    AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW, MNT_DETACH, MNT_EXPIRE,
    MNT_FORCE, MS_BIND, MS_MOVE, MS_PRIVATE, MS_REC, MS_REMOUNT, MS_SHARED, MS_SLAVE,
    MS_UNBINDABLE, UMOUNT_NOFOLLOW,
};
use abi::{Capability, Errno};

/// How large a file handle may be.
const MAX_HANDLE: u32 = 128;
/// The flags of swapon(2).
const SWAP_FLAGS: u32 = 0x7_ffff;

impl Fs {
    /// mount(2). A mount may be made private, which each is; nothing else can be done to one, and
    /// of all types of file systems there is none to mount.
    pub(crate) fn mount_call<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        (source, target, kind): (u64, u64, u64),
        flags: u32,
        data: u64,
    ) -> Result<i64, Errno> {
        let mut string = |addr| match addr {
            0 => Ok(None),
            addr => port.string(addr).map(Some),
        };
        let kind = string(kind)?;
        let source = string(source)?;
        if data != 0 {
            port.words::<1>(data)?;
        }
        let node = self.at(port, AT_FDCWD, target, 0)?;
        may_mount(port)?;
        let propagation = MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE | MS_SHARED;
        if flags & MS_REMOUNT != 0 {
            return Err(match self.is_mount(node) {
                true => Errno::EBUSY,
                false => Errno::EINVAL,
            });
        }
        if flags & MS_BIND != 0 {
            let source = source
                .filter(|path| !path.is_empty())
                .ok_or(Errno::EINVAL)?;
            let base = self.base(port.task, AT_FDCWD, &source)?;
            self.resolve(port, base, &source, true)?;
            return Err(Errno::EINVAL);
        }
        if flags & propagation != 0 {
            let kind = flags & propagation;
            let known = flags & !(propagation | MS_REC) == 0;
            let alone = kind.is_power_of_two() && kind != MS_SHARED;
            return match known && alone && self.is_mount(node) {
                true => Ok(0),
                false => Err(Errno::EINVAL),
            };
        }
        Err(match kind {
            Some(_) if flags & MS_MOVE == 0 => Errno::ENODEV,
            _ => Errno::EINVAL,
        })
    }

    /// umount2(2): what is mounted is in use.
    pub(crate) fn umount<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        path: u64,
        flags: u32,
    ) -> Result<i64, Errno> {
        if flags & !(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW) != 0 {
            return Err(Errno::EINVAL);
        }
        let follow = match flags & UMOUNT_NOFOLLOW {
            0 => 0,
            _ => AT_SYMLINK_NOFOLLOW,
        };
        let node = self.at(port, AT_FDCWD, path, follow)?;
        may_mount(port)?;
        Err(match self.is_mount(node) {
            true => Errno::EBUSY,
            false => Errno::EINVAL,
        })
    }

    /// pivot_root(2).
    pub(crate) fn pivot_root<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        new: u64,
        old: u64,
    ) -> Result<i64, Errno> {
        may_mount(port)?;
        for path in [new, old] {
            let node = self.at(port, AT_FDCWD, path, 0)?;
            if !self.is_directory(node) {
                return Err(Errno::ENOTDIR);
            }
        }
        Err(Errno::EINVAL)
    }

    /// swapon(2) and swapoff(2): no file is a swap area.
    pub(crate) fn swap<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        path: u64,
        flags: u32,
    ) -> Result<i64, Errno> {
        if flags & !SWAP_FLAGS != 0 {
            return Err(Errno::EINVAL);
        }
        may_mount(port)?;
        self.at(port, AT_FDCWD, path, 0)?;
        Err(Errno::EINVAL)
    }

    /// vhangup(2): the session's terminal hangs up.
    pub(crate) fn vhangup<H: Host>(&mut self, port: &mut Port<'_, H>) -> Result<i64, Errno> {
        if !port.who.capable(Capability::CAP_SYS_TTY_CONFIG) {
            return Err(Errno::EPERM);
        }
        let caller = self.caller(port)?;
        if let Some(tty) = self.tty_of_session(caller.sid) {
            self.hang_up(port.host, tty);
        }
        Ok(0)
    }

    /// name_to_handle_at(2): no file system here finds a file by its number.
    pub(crate) fn name_to_handle<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        (dirfd, path): (i32, u64),
        handle: u64,
        _mount: u64,
        flags: u32,
    ) -> Result<i64, Errno> {
        if flags & !(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH) != 0 {
            return Err(Errno::EINVAL);
        }
        let follow = match flags & AT_SYMLINK_FOLLOW {
            0 => AT_SYMLINK_NOFOLLOW,
            _ => 0,
        };
        self.at(port, dirfd, path, follow | flags & AT_EMPTY_PATH)?;
        let [_] = port.words(handle)?;
        Err(Errno::EOPNOTSUPP)
    }

    /// open_by_handle_at(2).
    pub(crate) fn open_by_handle<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        mount: i32,
        handle: u64,
    ) -> Result<i64, Errno> {
        if mount != AT_FDCWD {
            self.any_file(port.task, mount)?;
        }
        let [head] = port.words(handle)?;
        if !(1..=MAX_HANDLE).contains(&(head as u32)) {
            return Err(Errno::EINVAL);
        }
        match port.who.capable(Capability::CAP_DAC_READ_SEARCH) {
            true => Err(Errno::ESTALE),
            false => Err(Errno::EPERM),
        }
    }

    /// Whether a file system begins here.
    fn is_mount(&self, node: Node) -> bool {
        match node {
            Node::Inode(ino) if ino == ROOT => true,
            Node::Inode(ino) => {
                let inode = self.tree.get(ino);
                let above = self.tree.get(inode.parent).mount;
                inode.mount != above && matches!(inode.body, Body::Directory(_))
            }
            Node::Proc(node) => node == ProcNode::Root,
            Node::Pipe(_) | Node::Anon(_) => false,
        }
    }
}

fn may_mount<H: Host>(port: &Port<'_, H>) -> Result<(), Errno> {
    match port.who.capable(Capability::CAP_SYS_ADMIN) {
        true => Ok(()),
        false => Err(Errno::EPERM),
    }
}
