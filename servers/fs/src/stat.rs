//! stat(2) and statx(2).

use crate::Fs;
use crate::host::{self, Host, Port};
use crate::proc::ProcNode;
use crate::special::Special;
use crate::tree::{Body, Mount, Node, Times};
use abi::Errno;
use abi::linux::general::{
    AT_EMPTY_PATH, AT_NO_AUTOMOUNT, AT_SYMLINK_NOFOLLOW, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO,
    S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK, STATX__RESERVED, STATX_BASIC_STATS, STATX_MNT_ID,
};

/// AT_STATX_SYNC_TYPE: how much a network file system is asked, which makes no difference here.
const STATX_SYNC_TYPE: u32 = 0x6000;
pub(crate) const BLOCK: u64 = 4096;
/// The same of /proc.
const PROC_BLOCK: u64 = 1024;
/// The size that Linux gives each link in /proc/PID/fd.
const FD_LINK: u64 = 64;
/// What a name adds to the size of a directory in Linux's tmpfs, `.` and `..` included.
const DIRECTORY_ENTRY: u64 = 20;

/// What stat tells.
pub(crate) struct Attributes {
    pub dev: u64,
    pub ino: u64,
    pub mode: u32,
    pub links: u32,
    pub uid: u32,
    pub gid: u32,
    pub rdev: u64,
    pub size: u64,
    /// How much is best read at a time.
    pub block: u64,
    pub times: Times,
}

impl Attributes {
    /// struct stat.
    fn stat(&self) -> [u8; 144] {
        let mut bytes = [0; 144];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, &self.dev.to_le_bytes());
        put(8, &self.ino.to_le_bytes());
        put(16, &u64::from(self.links).to_le_bytes());
        put(24, &self.mode.to_le_bytes());
        put(28, &self.uid.to_le_bytes());
        put(32, &self.gid.to_le_bytes());
        put(40, &self.rdev.to_le_bytes());
        put(48, &self.size.to_le_bytes());
        put(56, &self.block.to_le_bytes());
        put(64, &self.blocks().to_le_bytes());
        let times = [self.times.accessed, self.times.modified, self.times.changed];
        for (at, time) in (72..).step_by(16).zip(times) {
            put(at, &(time / 1_000_000_000).to_le_bytes());
            put(at + 8, &(time % 1_000_000_000).to_le_bytes());
        }
        bytes
    }

    /// struct statx.
    fn statx(&self) -> [u8; 256] {
        let mut bytes = [0; 256];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, &(STATX_BASIC_STATS | STATX_MNT_ID).to_le_bytes());
        put(4, &(self.block as u32).to_le_bytes());
        put(16, &self.links.to_le_bytes());
        put(20, &self.uid.to_le_bytes());
        put(24, &self.gid.to_le_bytes());
        put(28, &(self.mode as u16).to_le_bytes());
        put(32, &self.ino.to_le_bytes());
        put(40, &self.size.to_le_bytes());
        put(48, &self.blocks().to_le_bytes());
        // Accessed, born (unknown), changed, modified.
        let times = [
            (64, self.times.accessed),
            (96, self.times.changed),
            (112, self.times.modified),
        ];
        for (at, time) in times {
            put(at, &(time / 1_000_000_000).to_le_bytes());
            put(at + 8, &((time % 1_000_000_000) as u32).to_le_bytes());
        }
        put(128, &((self.rdev >> 8) as u32).to_le_bytes());
        put(132, &((self.rdev & 0xff) as u32).to_le_bytes());
        put(140, &(self.dev as u32).to_le_bytes());
        put(144, &self.dev.to_le_bytes());
        bytes
    }

    /// Only the contents of files take room.
    fn blocks(&self) -> u64 {
        if self.mode & S_IFMT != S_IFREG {
            return 0;
        }
        self.size.div_ceil(BLOCK) * (BLOCK / 512)
    }
}

impl Fs {
    /// Type and permissions as in st_mode.
    pub(crate) fn mode(&self, node: Node) -> u32 {
        match node {
            Node::Inode(ino) => {
                let inode = self.tree.get(ino);
                let kind = match inode.body {
                    Body::Directory(_) => S_IFDIR,
                    Body::File(_) => S_IFREG,
                    Body::Link(_) => S_IFLNK,
                    Body::Device(_) => S_IFCHR,
                    Body::Special(Special { block: true, .. }) => S_IFBLK,
                    Body::Special(_) => S_IFCHR,
                    Body::Fifo(_) => S_IFIFO,
                    Body::Socket => S_IFSOCK,
                };
                kind | inode.mode
            }
            Node::Proc(node) => self.proc_mode(node),
            Node::Pipe(_) => S_IFIFO | 0o600,
            Node::Anon(anon) => self.anon_mode(anon),
        }
    }

    /// st_ino.
    pub(crate) fn ino(&self, node: Node) -> u64 {
        match node {
            Node::Inode(ino) => u64::from(ino) + 1,
            Node::Proc(node) => node.ino(),
            Node::Pipe(pipe) => u64::from(pipe) + 1,
            Node::Anon(anon) => (1 << 32) + u64::from(anon),
        }
    }

    /// st_dev, and the id of the mount: one number for each file system.
    pub(crate) fn device_number(&self, node: Node) -> u64 {
        match (node, self.mount(node)) {
            (_, Some(Mount::Archive)) => 1,
            (_, Some(Mount::Dev)) => 2,
            (_, Some(Mount::Tmp)) => 3,
            (_, Some(Mount::Memory)) => 5,
            (Node::Pipe(_), _) => 6,
            (Node::Anon(_), _) => 7,
            _ => 4,
        }
    }

    /// Everything about a node.
    pub(crate) fn attributes<H: Host>(&mut self, port: &mut Port<'_, H>, node: Node) -> Attributes {
        self.settle_times(port, node);
        let (uid, gid) = self.owner(port, node).unwrap_or_default();
        let mut attributes = Attributes {
            dev: self.device_number(node),
            ino: self.ino(node),
            mode: self.mode(node),
            links: 1,
            uid,
            gid,
            rdev: 0,
            size: 0,
            block: match node {
                Node::Proc(_) => PROC_BLOCK,
                _ => BLOCK,
            },
            times: Times::default(),
        };
        if let Node::Proc(ProcNode::Fd(..)) = node {
            attributes.size = FD_LINK;
        }
        if let Node::Inode(ino) = node {
            let inode = self.tree.get(ino);
            attributes.links = inode.links;
            attributes.times = inode.times;
            match &inode.body {
                Body::File(range) => attributes.size = range.size,
                Body::Link(target) => attributes.size = target.len() as u64,
                Body::Device(device) => attributes.rdev = device.number(),
                Body::Special(special) => attributes.rdev = special.number,
                Body::Directory(directory) => {
                    attributes.size = DIRECTORY_ENTRY * (2 + directory.entries.len() as u64);
                }
                Body::Fifo(_) | Body::Socket => {}
            }
        }
        attributes
    }

    /// Gives a file that was written its time.
    pub(crate) fn settle_times<H: Host>(&mut self, port: &mut Port<'_, H>, node: Node) {
        let Node::Inode(ino) = node else { return };
        let inode = self.tree.get_mut(ino);
        if core::mem::take(&mut inode.written)
            && let Ok((_, now)) = port.time()
        {
            inode.times.modified = now;
            inode.times.changed = now;
        }
    }

    /// Gives the files that were closed their time, which is one message for all of them.
    pub(crate) fn settle_closed(&mut self, host: &mut impl Host) {
        if self.closed.is_empty() {
            return;
        }
        let now = host::time(host).map_or(0, |(_, now)| now);
        for ino in core::mem::take(&mut self.closed) {
            let inode = self.tree.get_mut(ino);
            if core::mem::take(&mut inode.written) {
                inode.times.modified = now;
                inode.times.changed = now;
            }
            self.release_node(Node::Inode(ino));
        }
    }

    pub(crate) fn mount(&self, node: Node) -> Option<Mount> {
        match node {
            Node::Inode(ino) => Some(self.tree.get(ino).mount),
            _ => None,
        }
    }

    /// stat(2), lstat(2).
    pub(crate) fn stat<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        path: u64,
        out: u64,
        follow: bool,
    ) -> Result<i64, Errno> {
        let path = port.string(path)?;
        let cwd = self.cwd(port.task)?;
        let node = self.resolve(port, cwd, &path, follow)?;
        let bytes = self.attributes(port, node).stat();
        port.write(out, &bytes).map(|()| 0)
    }

    /// fstat(2).
    pub(crate) fn fstat<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        out: u64,
    ) -> Result<i64, Errno> {
        let node = self.files[self.any_file(port.task, fd)?].node;
        let bytes = self.attributes(port, node).stat();
        port.write(out, &bytes).map(|()| 0)
    }

    /// newfstatat(2).
    pub(crate) fn fstatat<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        dirfd: i32,
        path: u64,
        out: u64,
        flags: u32,
    ) -> Result<i64, Errno> {
        if flags & !(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | STATX_SYNC_TYPE) != 0 {
            return Err(Errno::EINVAL);
        }
        let node = self.at(port, dirfd, path, flags)?;
        let bytes = self.attributes(port, node).stat();
        port.write(out, &bytes).map(|()| 0)
    }

    /// statx(2).
    pub(crate) fn statx<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        dirfd: i32,
        path: u64,
        flags: u32,
        mask: u32,
        out: u64,
    ) -> Result<i64, Errno> {
        let known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | STATX_SYNC_TYPE;
        if mask & STATX__RESERVED != 0
            || flags & STATX_SYNC_TYPE == STATX_SYNC_TYPE
            || flags & !known != 0
        {
            return Err(Errno::EINVAL);
        }
        let node = self.at(port, dirfd, path, flags)?;
        let bytes = self.attributes(port, node).statx();
        port.write(out, &bytes).map(|()| 0)
    }

    /// The node that a descriptor, path and AT_ flags name together.
    pub(crate) fn at<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        dirfd: i32,
        path: u64,
        flags: u32,
    ) -> Result<Node, Errno> {
        let empty = flags & AT_EMPTY_PATH != 0;
        // Linux takes no path at all for an empty one.
        if !(empty && path == 0) {
            let path = port.string(path)?;
            if path.is_empty() && !empty {
                return Err(Errno::ENOENT);
            }
            if !path.is_empty() {
                let base = self.base(port.task, dirfd, &path)?;
                return self.resolve(port, base, &path, flags & AT_SYMLINK_NOFOLLOW == 0);
            }
        }
        self.base(port.task, dirfd, b"")
    }
}
