//! open(2), openat2(2).

use crate::Fs;
use crate::dev::Device;
use crate::fdtable::Fd;
use crate::host::{Host, Port};
use crate::path::{Follow, Last, Walk};
use crate::tree::{Body, Mount, Node};
use crate::tty::SERIAL;
use crate::wait::{Flow, Op};
use abi::Errno;
use abi::linux::general::{
    __O_TMPFILE, O_ACCMODE, O_APPEND, O_CLOEXEC, O_CREAT, O_DIRECT, O_DIRECTORY, O_DSYNC, O_EXCL,
    O_LARGEFILE, O_NOATIME, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDONLY, O_TRUNC, O_WRONLY,
    R_OK, RESOLVE_BENEATH, RESOLVE_CACHED, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS,
    RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV, W_OK,
};
use alloc::boxed::Box;

/// Linux's FASYNC, and O_SYNC without O_DSYNC.
const FASYNC: u32 = 0o20000;
const O_SYNC_ONLY: u32 = 0o4_000_000;
/// Every flag that open(2) knows.
const KNOWN: u32 = O_ACCMODE
    | O_CREAT
    | O_EXCL
    | O_NOCTTY
    | O_TRUNC
    | O_APPEND
    | O_NONBLOCK
    | O_DSYNC
    | O_SYNC_ONLY
    | FASYNC
    | O_DIRECT
    | O_LARGEFILE
    | O_DIRECTORY
    | O_NOFOLLOW
    | O_NOATIME
    | O_CLOEXEC
    | O_PATH
    | __O_TMPFILE;
/// Those that mean something with O_PATH.
const PATH_KNOWN: u32 = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
const RESOLVE_KNOWN: u32 = RESOLVE_NO_XDEV
    | RESOLVE_NO_MAGICLINKS
    | RESOLVE_NO_SYMLINKS
    | RESOLVE_BENEATH
    | RESOLVE_IN_ROOT
    | RESOLVE_CACHED;
/// The size of struct open_how's first version.
const OPEN_HOW: u64 = 24;

/// How something is to be opened.
#[derive(Clone, Copy)]
pub(crate) struct How {
    flags: u32,
    mode: u32,
    /// openat2(2)'s RESOLVE_ bits.
    resolve: u32,
}

impl How {
    /// What open(2)'s arguments mean: flags that it does not know mean nothing.
    pub fn of_open(flags: u32, mode: u32) -> Result<How, Errno> {
        let flags = match flags & O_PATH {
            0 => flags & KNOWN,
            _ => flags & PATH_KNOWN,
        };
        How {
            flags,
            mode: mode & 0o7777,
            resolve: 0,
        }
        .checked()
    }

    /// struct open_how. EINVAL for whatever is not known.
    fn of_words([flags, mode, resolve]: [u64; 3]) -> Result<How, Errno> {
        let flags = u32::try_from(flags).map_err(|_| Errno::EINVAL)?;
        let makes = flags & (O_CREAT | __O_TMPFILE) != 0;
        let both = u64::from(RESOLVE_BENEATH | RESOLVE_IN_ROOT);
        if flags & !KNOWN != 0
            || resolve & !u64::from(RESOLVE_KNOWN) != 0
            || resolve & both == both
            || mode & !if makes { 0o7777 } else { 0 } != 0
            || (flags & O_PATH != 0 && flags & !PATH_KNOWN != 0)
        {
            return Err(Errno::EINVAL);
        }
        let resolve = resolve as u32;
        if resolve & RESOLVE_CACHED != 0 && flags & (O_TRUNC | O_CREAT | __O_TMPFILE) != 0 {
            return Err(Errno::EAGAIN);
        }
        How {
            flags,
            mode: mode as u32,
            resolve,
        }
        .checked()
    }

    fn checked(self) -> Result<How, Errno> {
        let How { flags, .. } = self;
        let temporary = flags & __O_TMPFILE != 0;
        if temporary && (flags & O_DIRECTORY == 0 || flags & O_ACCMODE == O_RDONLY)
            || flags & (O_CREAT | O_DIRECTORY) == O_CREAT | O_DIRECTORY
        {
            return Err(Errno::EINVAL);
        }
        let large = if flags & O_PATH == 0 { O_LARGEFILE } else { 0 };
        Ok(How {
            flags: flags | large,
            ..self
        })
    }

    fn has(self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// What the file is opened for, as access(2)'s bits.
    fn want(self) -> u32 {
        let access = match self.flags & O_ACCMODE {
            O_RDONLY => R_OK,
            O_WRONLY => W_OK,
            _ => R_OK | W_OK,
        };
        access | if self.has(O_TRUNC) { W_OK } else { 0 }
    }

    /// Which symbolic link at the end is followed.
    fn follow(self) -> Follow {
        let exclusive = self.has(O_CREAT) && self.has(O_EXCL);
        match (self.has(O_NOFOLLOW) || exclusive, self.has(O_CREAT)) {
            (true, true) => Follow::Never,
            (true, false) => Follow::Slash,
            (false, _) => Follow::Always,
        }
    }
}

impl Fs {
    /// openat(2).
    pub(crate) fn openat<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        dirfd: i32,
        path: u64,
        flags: u32,
        mode: u32,
    ) -> Result<Flow, Errno> {
        let how = How::of_open(flags, mode)?;
        self.open_path(port, dirfd, path, how)
    }

    /// openat2(2).
    pub(crate) fn openat2<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        dirfd: i32,
        path: u64,
        (how, size): (u64, u64),
    ) -> Result<Flow, Errno> {
        if size < OPEN_HOW {
            return Err(Errno::EINVAL);
        }
        let bytes = port.extensible(how, size, OPEN_HOW)?;
        let word = |at: usize| {
            let word = bytes[at..at + 8].try_into().expect("eight bytes");
            u64::from_le_bytes(word)
        };
        let how = How::of_words([word(0), word(8), word(16)])?;
        self.open_path(port, dirfd, path, how)
    }

    fn open_path<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        dirfd: i32,
        path: u64,
        how: How,
    ) -> Result<Flow, Errno> {
        let path = port.string(path)?;
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        let fd = self.free_fd(port, 0)?;
        if self.files.room() == 0 {
            return Err(Errno::ENFILE);
        }
        let base = match how.resolve & RESOLVE_IN_ROOT {
            0 => self.base(port.task, dirfd, &path)?,
            // An absolute path begins there too.
            _ => self.base(port.task, dirfd, b"")?,
        };
        let node = self.open_node(port, base, &path, how)?;
        let memory = match node {
            Node::Proc(file) if !how.has(O_PATH) => self.proc_open(port, file)?,
            _ => 0,
        };
        let node = self.open_device(port, node, how.flags)?;
        if !how.has(O_PATH) {
            self.prepare_fifo(port, node, how.flags)?;
        }
        let kept = how.flags & !(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC | __O_TMPFILE);
        let file = self.add_file(node, kept, Box::default())?;
        self.files[file].memory = memory;
        self.files[file].opener = port.who.told.fsuid;
        let cloexec = how.has(O_CLOEXEC);
        if self.is_fifo(node) {
            if let Some(open) = self.await_partner(file, cloexec) {
                return Ok(Flow::Park(Op::Open(open)));
            }
            self.note_absent_writers(file);
        }
        self.hold_file(file);
        if self.tty_of(node) == Some(SERIAL) {
            // What came before somebody was there to read it.
            self.drain_serial(port.host);
        }
        self.set_fd(port.task, fd, Fd { file, cloexec })?;
        Ok(Flow::Done(fd.into()))
    }

    /// Devices that lead elsewhere, and terminals that may become the opener's own.
    fn open_device<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        node: Node,
        flags: u32,
    ) -> Result<Node, Errno> {
        if flags & O_PATH != 0 {
            return Ok(node);
        }
        match self.device(node) {
            Some(Device::Ptmx) => return self.new_pty(port),
            Some(Device::Tty) => return self.own_tty(port),
            _ => {}
        }
        if let Some(tty) = self.tty_of(node) {
            self.may_open_tty(tty)?;
            if flags & O_NOCTTY == 0 {
                self.tty_opened(port, tty)?;
            }
        }
        Ok(node)
    }

    /// Finds or makes what is to be opened, and cuts it if that is asked for.
    pub(crate) fn open_node<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        base: Node,
        path: &[u8],
        how: How,
    ) -> Result<Node, Errno> {
        let create = how.has(O_CREAT);
        let walk = self.walk_with(port, base, path, how.follow(), how.resolve)?;
        if create && walk.slash {
            return Err(Errno::EISDIR);
        }
        let Some(node) = walk.node else {
            return self.create_node(port, walk, how);
        };
        if create && how.has(O_EXCL) {
            return Err(Errno::EEXIST);
        }
        let directory = self.is_directory(node);
        if create && directory {
            return Err(Errno::EISDIR);
        }
        if (walk.slash || how.has(O_DIRECTORY)) && !directory {
            return Err(Errno::ENOTDIR);
        }
        if how.has(__O_TMPFILE) {
            return self.make_unnamed(port, node, how.mode, !how.has(O_EXCL));
        }
        if how.has(O_PATH) {
            return Ok(node);
        }
        self.may_open(port, node, how)?;
        if let Node::Inode(ino) = node
            && how.has(O_TRUNC)
            && matches!(self.tree.get(ino).body, Body::File(_))
        {
            self.check_size_seals(ino, 0)?;
            self.resize(port, ino, 0)?;
            self.drop_set_ids(port, ino);
        }
        Ok(node)
    }

    fn create_node<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        walk: Walk,
        how: How,
    ) -> Result<Node, Errno> {
        let Last::Name(name) = walk.last else {
            return Err(Errno::ENOENT);
        };
        if !how.has(O_CREAT) {
            return Err(Errno::ENOENT);
        }
        let parent = self.writable_directory(walk.dir)?;
        self.may_create(port, parent)?;
        let mode = how.mode & !self.context_mut(port.task)?.umask;
        let ino = self.make_file(port, parent, &name, mode)?;
        Ok(Node::Inode(ino))
    }

    /// Whether what is there may be opened like this.
    fn may_open<H: Host>(&self, port: &mut Port<'_, H>, node: Node, how: How) -> Result<(), Errno> {
        if self.is_link(node) {
            return Err(Errno::ELOOP);
        }
        let want = how.want();
        if want & W_OK != 0 && self.is_directory(node) {
            return Err(Errno::EISDIR);
        }
        self.permitted(port, node, want)?;
        let (owner, _) = self.owner(port, node)?;
        if how.has(O_NOATIME) && !port.who.owns(owner) {
            return Err(Errno::EPERM);
        }
        match node {
            Node::Inode(ino) => match self.tree.get(ino) {
                inode if matches!(inode.body, Body::Socket | Body::Special(_)) => Err(Errno::ENXIO),
                inode if want & W_OK != 0 && inode.programs > 0 => Err(Errno::ETXTBSY),
                _ => Ok(()),
            },
            // Nothing without a name is opened again.
            Node::Anon(_) => Err(Errno::ENXIO),
            Node::Proc(_) | Node::Pipe(_) => Ok(()),
        }
    }

    /// EROFS for a file that cannot be written. Devices and pipes are written through, whatever
    /// they lie on; a file of /proc refuses the write itself.
    pub(crate) fn check_writable(&self, node: Node) -> Result<(), Errno> {
        match node {
            Node::Inode(ino) => {
                let inode = self.tree.get(ino);
                let through = !matches!(
                    inode.body,
                    Body::File(_) | Body::Directory(_) | Body::Link(_)
                );
                if inode.mount.writable() || through {
                    Ok(())
                } else {
                    Err(Errno::EROFS)
                }
            }
            Node::Proc(_) | Node::Pipe(_) | Node::Anon(_) => Ok(()),
        }
    }
}

impl Mount {
    /// Whether files on it can be written and made.
    pub(crate) fn writable(self) -> bool {
        matches!(self, Mount::Tmp | Mount::Memory)
    }
}
