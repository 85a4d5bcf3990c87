//! mknod(2): named pipes, device files and sockets without anybody behind them.

use crate::Fs;
use crate::dev::Device;
use crate::fdtable::Fd;
use crate::host::{Host, Port};
use crate::pipe::Pipe;
use crate::tree::{Body, Ino, Node};
use abi::linux::general::{
    O_NONBLOCK, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFMT, S_IFREG, S_IFSOCK,
};
use abi::{Capability, Errno};

/// A device file of which there is no device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Special {
    pub block: bool,
    /// As st_rdev has it.
    pub number: u64,
}

/// What renameat2(2) with RENAME_WHITEOUT leaves.
const WHITEOUT: Special = Special {
    block: false,
    number: 0,
};

/// An open of a named pipe on its way: it waits for the other side.
#[derive(Clone, Hash)]
pub(crate) struct OpenPipe {
    pub file: u32,
    cloexec: bool,
    pipe: u32,
    /// It reads, and how often the other side had been opened when it came.
    reads: bool,
    seen: u64,
}

impl Fs {
    /// mknodat(2). EPERM: who may not make device files, and what nobody makes so.
    pub(crate) fn mknodat<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        dirfd: i32,
        path: u64,
        mode: u32,
        number: u64,
    ) -> Result<i64, Errno> {
        let kind = mode & S_IFMT;
        match kind {
            0 | S_IFREG | S_IFCHR | S_IFBLK | S_IFIFO | S_IFSOCK => {}
            S_IFDIR => return Err(Errno::EPERM),
            _ => return Err(Errno::EINVAL),
        }
        let (parent, name) = self.new_name(port, dirfd, path, false)?;
        let mode = mode & 0o7777 & !self.context_mut(port.task)?.umask;
        let device = matches!(kind, S_IFCHR | S_IFBLK);
        let special = Special {
            block: kind == S_IFBLK,
            number: u64::from(number as u32),
        };
        if device && special != WHITEOUT && !port.who.capable(Capability::CAP_MKNOD) {
            return Err(Errno::EPERM);
        }
        let body = match kind {
            S_IFIFO => Body::Fifo(None),
            S_IFSOCK => Body::Socket,
            S_IFCHR | S_IFBLK => body_of(special),
            _ => {
                self.make_file(port, parent, &name, mode)?;
                return Ok(0);
            }
        };
        self.make(port, parent, &name, mode, body)?;
        Ok(0)
    }

    /// Makes the mark that a name has gone take the name's place.
    pub(crate) fn make_whiteout<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        name: &[u8],
        parent: Ino,
    ) -> Result<(), Errno> {
        self.make(port, parent, name, 0, Body::Special(WHITEOUT))?;
        Ok(())
    }

    /// The pipe behind a node, named or not.
    pub(crate) fn pipe_of(&self, node: Node) -> Option<u32> {
        match node {
            Node::Pipe(pipe) => Some(pipe),
            Node::Inode(ino) => match self.tree.get(ino).body {
                Body::Fifo(pipe) => pipe,
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a node is a named pipe.
    pub(crate) fn is_fifo(&self, node: Node) -> bool {
        match node {
            Node::Inode(ino) => matches!(self.tree.get(ino).body, Body::Fifo(_)),
            _ => false,
        }
    }

    /// Makes the pipe of a named pipe that is being opened. ENXIO: a writer does not wait, and
    /// nobody reads.
    pub(crate) fn prepare_fifo<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        node: Node,
        flags: u32,
    ) -> Result<(), Errno> {
        let Node::Inode(ino) = node else {
            return Ok(());
        };
        let Body::Fifo(pipe) = self.tree.get(ino).body else {
            return Ok(());
        };
        let readers = pipe.map_or(0, |pipe| self.pipes[pipe].readers);
        let writes_only = flags & abi::linux::general::O_ACCMODE == abi::linux::general::O_WRONLY;
        if writes_only && flags & O_NONBLOCK != 0 && readers == 0 {
            return Err(Errno::ENXIO);
        }
        if pipe.is_none() {
            if self.pipes.room() == 0 {
                return Err(Errno::ENFILE);
            }
            let object = port.create().map_err(|_| Errno::ENFILE)?;
            let pipe = self.pipes.insert(Pipe::new(object, port.who.ids()));
            self.tree.get_mut(ino).body = Body::Fifo(pipe);
        }
        Ok(())
    }

    /// The wait of an open that needs the other side, if it needs it.
    pub(crate) fn await_partner(&self, file: u32, cloexec: bool) -> Option<OpenPipe> {
        let opened = &self.files[file];
        let pipe = self.pipe_of(opened.node)?;
        let (reads, writes) = (opened.readable(), opened.writable());
        let there = &self.pipes[pipe];
        let (partners, seen) = match reads {
            true => (there.writers, there.opened.1),
            false => (there.readers, there.opened.0),
        };
        let waits = reads != writes && partners == 0 && !(reads && opened.nonblocking());
        waits.then_some(OpenPipe {
            file,
            cloexec,
            pipe,
            reads,
            seen,
        })
    }

    /// A reader that did not wait for a writer does not take their absence for their end.
    pub(crate) fn note_absent_writers(&mut self, file: u32) {
        let opened = &self.files[file];
        if let Some(pipe) = self.pipe_of(opened.node)
            && opened.readable()
            && self.pipes[pipe].writers == 0
        {
            self.files[file].before = self.pipes[pipe].opened.1;
        }
    }

    /// Goes on with an open of a named pipe; none while nobody has opened its other side.
    pub(crate) fn attempt_open<H: Host>(
        &mut self,
        port: &Port<'_, H>,
        open: &OpenPipe,
    ) -> Result<Option<i64>, Errno> {
        let opened = self.pipes[open.pipe].opened;
        let partner = if open.reads { opened.1 } else { opened.0 };
        if partner == open.seen {
            return Ok(None);
        }
        let fd = self.free_fd(port, 0)?;
        self.hold_file(open.file);
        let entry = Fd {
            file: open.file,
            cloexec: open.cloexec,
        };
        self.set_fd(port.task, fd, entry)?;
        Ok(Some(fd.into()))
    }
}

/// A device file: of a device that there is, or of none.
fn body_of(special: Special) -> Body {
    match Device::of_number(special.number).filter(|_| !special.block) {
        Some(device) => Body::Device(device),
        None => Body::Special(special),
    }
}
