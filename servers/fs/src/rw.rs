//! read(2), write(2) and their relatives.

use crate::Fs;
use crate::console;
use crate::dev::Device;
use crate::host::{Host, Port, check_range};
use crate::io::{Io, Pieces};
use crate::proc::{ProcNode, TaskFile, memory};
use crate::tmp::MAX_FILE_SIZE;
use crate::tree::{Body, Ino, Node};
use crate::wait::{Flow, Op};
use abi::Errno;
use abi::fs::{Direction, FileRange};
use abi::linux::general::O_APPEND;
use abi::wire::{MAX, MAX_DATA};
use alloc::vec::Vec;

/// The most bytes one call moves (read(2), NOTES).
pub(crate) const MAX_COUNT: u64 = 0x7fff_f000;
/// What preadv2(2) and pwritev2(2) may be told: how to wait, and how soon what is written has to
/// be safe, which it always is; not to wait; to append.
const RWF_KNOWN: u32 = 0x1f;
const RWF_NOWAIT: u32 = 8;
const RWF_APPEND: u32 = 0x10;
/// The most pieces of memory one call names (readv(2): IOV_MAX).
pub(crate) const MAX_PIECES: u64 = 1024;

impl<H: Host> Port<'_, H> {
    /// The memory that an array of struct iovec names (readv(2)).
    pub(crate) fn pieces(&mut self, addr: u64, count: u64) -> Result<Pieces, Errno> {
        if count > MAX_PIECES {
            return Err(Errno::EINVAL);
        }
        let bytes = self.read_all(addr, count as usize * 16)?;
        let mut total = 0;
        let mut pieces = Vec::new();
        for piece in bytes.chunks_exact(16) {
            let addr = u64::from_le_bytes(piece[..8].try_into().expect("eight bytes"));
            let len = u64::from_le_bytes(piece[8..].try_into().expect("eight bytes"));
            if (len as i64) < 0 {
                return Err(Errno::EINVAL);
            }
            check_range(addr, len)?;
            let len = len.min(MAX_COUNT - total);
            total += len;
            pieces.push((addr, len));
        }
        Ok(Pieces::Many(pieces))
    }
}

impl Fs {
    /// read(2) and write(2).
    pub(crate) fn read_write<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        addr: u64,
        len: u64,
        write: bool,
    ) -> Result<Flow, Errno> {
        let file = self.io_file(port, fd, write, None)?;
        check_range(addr, len)?;
        self.begin_io(
            port,
            file,
            Pieces::One((addr, len.min(MAX_COUNT))),
            write,
            None,
        )
    }

    /// pread64(2) and pwrite64(2).
    pub(crate) fn read_write_at<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        (addr, len): (u64, u64),
        position: u64,
        write: bool,
    ) -> Result<Flow, Errno> {
        if (position as i64) < 0 {
            return Err(Errno::EINVAL);
        }
        let file = self.io_file(port, fd, write, Some(position))?;
        check_range(addr, len)?;
        let pieces = Pieces::One((addr, len.min(MAX_COUNT)));
        self.begin_io(port, file, pieces, write, Some(position))
    }

    /// preadv2(2) and pwritev2(2): a position of -1 is the file's own.
    pub(crate) fn read_write_flagged<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        pieces: (u64, u64),
        position: u64,
        flags: u32,
        write: bool,
    ) -> Result<Flow, Errno> {
        let position = (position != u64::MAX).then_some(position);
        let from = self.check_position(position)?;
        let file = self.io_file(port, fd, write, from)?;
        let pieces = port.pieces(pieces.0, pieces.1)?;
        if flags & !RWF_KNOWN != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        let mut io = Io::new(file, write, pieces, from);
        io.append = flags & RWF_APPEND != 0;
        self.begin_with(port, io, flags & RWF_NOWAIT != 0)
    }

    /// EINVAL for a position before the beginning.
    fn check_position(&self, position: Option<u64>) -> Result<Option<u64>, Errno> {
        match position {
            Some(position) if (position as i64) < 0 => Err(Errno::EINVAL),
            position => Ok(position),
        }
    }

    /// readv(2), writev(2), preadv(2) and pwritev(2).
    pub(crate) fn read_write_pieces<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        (addr, count): (u64, u64),
        position: Option<u64>,
        write: bool,
    ) -> Result<Flow, Errno> {
        let position = self.check_position(position)?;
        let file = self.io_file(port, fd, write, position)?;
        let pieces = port.pieces(addr, count)?;
        self.begin_io(port, file, pieces, write, position)
    }

    /// The file to read or write: EBADF, or ESPIPE for a position where there is none.
    fn io_file<H: Host>(
        &self,
        port: &Port<'_, H>,
        fd: i32,
        write: bool,
        position: Option<u64>,
    ) -> Result<u32, Errno> {
        let id = self.file(port.task, fd)?;
        let file = &self.files[id];
        if position.is_some() && !self.seekable(file.node) {
            return Err(Errno::ESPIPE);
        }
        if (write && !file.writable()) || (!write && !file.readable()) {
            return Err(Errno::EBADF);
        }
        Ok(id)
    }

    /// Whether a node has positions.
    pub(crate) fn seekable(&self, node: Node) -> bool {
        match node {
            Node::Pipe(_) | Node::Anon(_) => false,
            node => !self.is_fifo(node) && !self.device(node).is_some_and(Device::is_console),
        }
    }

    fn begin_io<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        file: u32,
        pieces: Pieces,
        write: bool,
        position: Option<u64>,
    ) -> Result<Flow, Errno> {
        self.begin_with(port, Io::new(file, write, pieces, position), false)
    }

    fn begin_with<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        io: Io,
        nonblocking: bool,
    ) -> Result<Flow, Errno> {
        let (file, position) = (io.file, io.position);
        if self.is_directory(self.files[file].node) {
            return Err(Errno::EISDIR);
        }
        // Linux's rw_verify_area.
        let at = position.unwrap_or(self.files[file].offset);
        if at.saturating_add(io.total) > i64::MAX as u64 {
            return Err(Errno::EINVAL);
        }
        // An eventfd wants its eight bytes, and a file of /proc says what it thinks of nothing.
        let counts = match self.files[file].node {
            Node::Anon(_) => true,
            Node::Proc(_) => io.write,
            Node::Inode(_) | Node::Pipe(_) => false,
        };
        if io.total == 0 && !counts {
            return Ok(Flow::Done(0));
        }
        let nonblocking = nonblocking || self.files[file].nonblocking();
        self.begin(port, Op::Io(io), nonblocking)
    }

    /// Goes on with a read or write; none while it has to wait.
    pub(crate) fn attempt_io<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        io: &mut Io,
        ahead: usize,
    ) -> Result<Option<i64>, Errno> {
        match (self.files[io.file].node, io.write) {
            (Node::Anon(anon), _) => self.attempt_anon(port, anon, io, ahead),
            (Node::Pipe(pipe), false) => self.read_pipe(port, pipe, io),
            (Node::Pipe(pipe), true) => self.write_pipe(port, pipe, io, ahead),
            (Node::Proc(ProcNode::File(_, TaskFile::Mem)), _) => {
                let from = io.position.unwrap_or(self.files[io.file].offset);
                let memory = self.files[io.file].memory;
                let result = memory::transfer(port, memory, from, io);
                self.advance(io, from);
                result.map(|()| Some(io.done()))
            }
            (Node::Proc(node), false) => self.read_text(port, node, io),
            (Node::Proc(node), true) => self.write_text(port, node, io),
            (Node::Inode(ino), write) => match (&self.tree.get(ino).body, write) {
                (&Body::File(range), false) => self.read_file(port, range, io),
                (&Body::File(range), true) => self.write_file(port, ino, range, io),
                (Body::Device(_), write) if let Some(tty) = self.tty_of(Node::Inode(ino)) => {
                    match write {
                        true => self.write_tty(port, tty, io),
                        false => self.read_tty(port, tty, io),
                    }
                }
                (&Body::Device(device), false) => self.read_device(port, device, io),
                (&Body::Device(device), true) => self.write_device(port, device, io),
                (Body::Directory(_), _) => Err(Errno::EISDIR),
                (&Body::Fifo(Some(pipe)), false) => self.read_pipe(port, pipe, io),
                (&Body::Fifo(Some(pipe)), true) => self.write_pipe(port, pipe, io, ahead),
                (Body::Link(_) | Body::Socket | Body::Special(_) | Body::Fifo(None), _) => {
                    Err(Errno::EBADF)
                }
            },
        }
    }

    fn read_file<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        range: FileRange,
        io: &mut Io,
    ) -> Result<Option<i64>, Errno> {
        let from = io.position.unwrap_or(self.files[io.file].offset);
        let result = io.step(range.size.saturating_sub(from), |addr, len, moved| {
            let at = range.offset + from + moved;
            port.transfer(addr, len, range.object, at, Direction::ToTask)
        });
        self.advance(io, from);
        result.map(|()| Some(io.done()))
    }

    fn write_file<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        ino: Ino,
        range: FileRange,
        io: &mut Io,
    ) -> Result<Option<i64>, Errno> {
        let file = &self.files[io.file];
        let from = match file.flags & O_APPEND {
            0 if !io.append => io.position.unwrap_or(file.offset),
            _ => range.size,
        };
        if from >= MAX_FILE_SIZE {
            return Err(Errno::EFBIG);
        }
        let room = port.file_room(from)?.min(MAX_FILE_SIZE - from);
        let room = room.min(self.sealed_room(ino, from, io.total.min(room))?);
        let result = io.step(room, |addr, len, moved| {
            port.transfer(addr, len, range.object, from + moved, Direction::FromTask)
        });
        self.advance(io, from);
        self.wrote(ino, from + io.moved, io.moved);
        self.drop_set_ids(port, ino);
        result.map(|()| Some(io.done()))
    }

    /// A file has got `count` bytes that end at `end`.
    pub(crate) fn wrote(&mut self, ino: Ino, end: u64, count: u64) {
        let inode = self.tree.get_mut(ino);
        if count > 0 {
            inode.written = true;
            if let Body::File(range) = &mut inode.body {
                range.size = range.size.max(end);
            }
        }
    }

    fn read_text<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        node: ProcNode,
        io: &mut Io,
    ) -> Result<Option<i64>, Errno> {
        let file = &self.files[io.file];
        let from = io.position.unwrap_or(file.offset);
        let rest = self.text_at(port, io.file, node, from)?;
        let result = io.step(rest.len() as u64, |addr, len, moved| {
            let bytes = &rest[moved as usize..(moved + len) as usize];
            port.write(addr, bytes)?;
            Ok(len)
        });
        self.advance(io, from);
        result.map(|()| Some(io.done()))
    }

    /// What a file of /proc says from a position on.
    pub(crate) fn text_at<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        node: ProcNode,
        from: u64,
    ) -> Result<&[u8], Errno> {
        let file = &self.files[id];
        // Whoever begins anew wants to know how it is now.
        if file.text.is_empty() || from == 0 {
            let memory = file.memory;
            self.files[id].text = self.proc_text(port, node, memory)?.into();
        }
        Ok(self.files[id].text.get(from as usize..).unwrap_or_default())
    }

    /// One write is one value, whatever is behind its first page.
    fn write_text<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        node: ProcNode,
        io: &mut Io,
    ) -> Result<Option<i64>, Errno> {
        let mut value = Vec::new();
        io.step(MAX_DATA as u64, |addr, len, _| {
            let mut buffer = [0; MAX];
            value.extend_from_slice(port.read(addr, len as usize, &mut buffer)?);
            Ok(len)
        })?;
        self.write_proc(port, node, &value)?;
        Ok(Some(io.total as i64))
    }

    fn advance(&mut self, io: &Io, from: u64) {
        if io.position.is_none() {
            self.files[io.file].offset = from + io.moved;
        }
    }

    fn read_device<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        device: Device,
        io: &mut Io,
    ) -> Result<Option<i64>, Errno> {
        match device {
            Device::Null => return Ok(Some(0)),
            Device::Zero | Device::Full => {
                let zeros = self.zeros.ok_or(Errno::EIO)?;
                io.step(u64::MAX, |addr, len, _| {
                    port.transfer(addr, len, zeros, 0, Direction::ToTask)
                })?;
            }
            Device::Random | Device::Urandom => {
                let random = &mut self.random;
                io.step(u64::MAX, |addr, len, _| {
                    let mut chunk = [0; MAX_DATA];
                    let chunk = &mut chunk[..MAX_DATA.min(len as usize)];
                    random.fill(chunk);
                    port.write(addr, chunk)?;
                    Ok(chunk.len() as u64)
                })?;
            }
            Device::Ptmx | Device::Pts(_) | Device::Line => return Err(Errno::EIO),
            Device::Export => return Err(Errno::EINVAL),
            Device::Tty | Device::Console | Device::Serial | Device::Log => {
                return self.read_console(port, io);
            }
        }
        Ok(Some(io.done()))
    }

    fn write_device<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        device: Device,
        io: &mut Io,
    ) -> Result<Option<i64>, Errno> {
        match device {
            Device::Null | Device::Zero | Device::Random | Device::Urandom => {
                Ok(Some(io.total as i64))
            }
            Device::Full => Err(Errno::ENOSPC),
            Device::Ptmx | Device::Pts(_) | Device::Line => Err(Errno::EIO),
            Device::Tty | Device::Console | Device::Serial | Device::Log | Device::Export => {
                self.write_console(port, device, io)
            }
        }
    }

    /// Puts bytes of our own into an open file at its offset; how many, 0 when it has to wait.
    pub(crate) fn push<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        bytes: &[u8],
    ) -> Result<usize, Errno> {
        let node = self.files[id].node;
        if let Some(tty) = self.tty_of(node) {
            return self.push_tty(port, tty, bytes);
        }
        if let Some(pipe) = self.pipe_of(node) {
            return self.push_pipe(port, pipe, bytes);
        }
        match node {
            Node::Anon(anon) => {
                if self.has_packets(anon) {
                    return Err(Errno::EINVAL);
                }
                let output = self.output_of(anon).ok_or(Errno::EINVAL)?;
                self.push_pipe(port, output, bytes)
            }
            Node::Proc(_) | Node::Pipe(_) => Err(Errno::EINVAL),
            Node::Inode(ino) => match self.tree.get(ino).body {
                Body::File(range) => {
                    let file = &self.files[id];
                    let append = file.flags & O_APPEND != 0;
                    let from = if append { range.size } else { file.offset };
                    if from.saturating_add(bytes.len() as u64) > MAX_FILE_SIZE {
                        return Err(Errno::EFBIG);
                    }
                    let len = (bytes.len() as u64).min(port.file_room(from)?);
                    let len = self.sealed_room(ino, from, len)?;
                    let bytes = &bytes[..len as usize];
                    port.write_object(range.object, from, bytes)?;
                    let end = from + bytes.len() as u64;
                    self.files[id].offset = end;
                    self.wrote(ino, end, bytes.len() as u64);
                    Ok(bytes.len())
                }
                Body::Device(Device::Full) => Err(Errno::ENOSPC),
                Body::Device(device) => {
                    if device.is_console() {
                        console::put(port.host, device, bytes);
                    }
                    Ok(bytes.len())
                }
                _ => Err(Errno::EINVAL),
            },
        }
    }
}

const _: () = assert!(MAX_DATA < MAX);
