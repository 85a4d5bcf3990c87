//! open(2).

use crate::Fs;
use crate::dev::Device;
use crate::fdtable::Fd;
use crate::host::{Host, Port};
use crate::path::{Follow, Last};
use crate::tree::{Body, Mount, Node};
use crate::tty::SERIAL;
use abi::Errno;
use abi::linux::general::{
    __O_TMPFILE, O_ACCMODE, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_LARGEFILE, O_NOCTTY,
    O_NOFOLLOW, O_PATH, O_RDONLY, O_TRUNC,
};
use alloc::boxed::Box;

impl Fs {
    /// openat(2).
    pub(crate) fn openat<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        dirfd: i32,
        path: u64,
        flags: u32,
        mode: u32,
    ) -> Result<i64, Errno> {
        let flags = match flags & O_PATH {
            0 => flags | O_LARGEFILE,
            _ => flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
        };
        if flags & __O_TMPFILE != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        if flags & (O_CREAT | O_DIRECTORY) == O_CREAT | O_DIRECTORY {
            return Err(Errno::EINVAL);
        }
        let path = port.string(path)?;
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        let fd = self.table(port.task)?.lowest_free(0)?;
        if self.files.room() == 0 {
            return Err(Errno::ENFILE);
        }
        let base = self.base(port.task, dirfd, &path)?;
        let node = self.open_node(port, base, &path, flags, mode)?;
        if let Node::Proc(file) = node
            && flags & O_PATH == 0
        {
            self.proc_open(port, file)?;
        }
        let node = self.open_device(port, node, flags)?;
        let kept = flags & !(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
        let file = self.add_file(node, kept, Box::default())?;
        self.hold_file(file);
        if self.tty_of(node) == Some(SERIAL) {
            // What came before somebody was there to read it.
            self.drain_serial(port.host);
        }
        let cloexec = flags & O_CLOEXEC != 0;
        self.table_mut(port.task)?
            .set(fd, Some(Fd { file, cloexec }));
        Ok(i64::from(fd))
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
            Some(Device::Tty) if self.controls_terminals() => return self.own_tty(port),
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
    fn open_node<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        base: Node,
        path: &[u8],
        flags: u32,
        mode: u32,
    ) -> Result<Node, Errno> {
        let create = flags & O_CREAT != 0;
        let exclusive = create && flags & O_EXCL != 0;
        let follow = match flags & O_NOFOLLOW != 0 || exclusive {
            true if create => Follow::Never,
            true => Follow::Slash,
            false => Follow::Always,
        };
        let walk = self.walk(port, base, path, follow)?;
        if create && walk.slash {
            return Err(Errno::EISDIR);
        }
        let node = match (walk.node, walk.last) {
            (Some(_), _) if exclusive => return Err(Errno::EEXIST),
            (Some(node), _) => node,
            (None, Last::Name(name)) if create => {
                let parent = self.writable_directory(walk.dir)?;
                let mode = mode & 0o7777 & !self.context_mut(port.task)?.umask;
                return Ok(Node::Inode(self.make_file(port, parent, &name, mode)?));
            }
            _ => return Err(Errno::ENOENT),
        };
        if let Node::Inode(ino) = node
            && matches!(self.tree.get(ino).body, Body::Socket)
            && flags & O_PATH == 0
        {
            return Err(Errno::ENXIO);
        }
        // Nor are those opened again that have no name.
        if matches!(node, Node::Anon(_)) && flags & O_PATH == 0 {
            return Err(Errno::ENXIO);
        }
        let directory = self.is_directory(node);
        if (walk.slash || flags & O_DIRECTORY != 0) && !directory {
            return Err(Errno::ENOTDIR);
        }
        if flags & O_PATH != 0 {
            return Ok(node);
        }
        if self.is_link(node) {
            return Err(Errno::ELOOP);
        }
        let write = flags & O_ACCMODE != O_RDONLY || flags & O_TRUNC != 0;
        if directory && (create || write) {
            return Err(Errno::EISDIR);
        }
        if write {
            self.check_writable(node)?;
        }
        if let Node::Inode(ino) = node
            && flags & O_TRUNC != 0
            && matches!(self.tree.get(ino).body, Body::File(_))
        {
            self.resize(port, ino, 0)?;
        }
        Ok(node)
    }

    /// EROFS for a file that cannot be written. Devices and pipes are written through, whatever
    /// they lie on; a file of /proc refuses the write itself.
    pub(crate) fn check_writable(&self, node: Node) -> Result<(), Errno> {
        match node {
            Node::Inode(ino) => {
                let inode = self.tree.get(ino);
                let through = matches!(inode.body, Body::Device(_));
                if inode.mount == Mount::Tmp || through {
                    Ok(())
                } else {
                    Err(Errno::EROFS)
                }
            }
            Node::Proc(_) | Node::Pipe(_) | Node::Anon(_) => Ok(()),
        }
    }
}
