//! The calls that copy between open files: what each of them allows.

use crate::Fs;
use crate::copy::Copy;
use crate::host::{Host, Port};
use crate::io::{Io, Pieces};
use crate::rw::MAX_COUNT;
use crate::tree::{Body, Node};
use crate::wait::{Flow, Op};
use abi::Errno;
use abi::linux::general::O_APPEND;

const SPLICE_F_NONBLOCK: u32 = 2;
/// With SPLICE_F_MOVE, SPLICE_F_MORE and SPLICE_F_GIFT, which promise and change nothing.
const SPLICE_KNOWN: u32 = 0xf;

impl Fs {
    /// sendfile(2).
    pub(crate) fn sendfile<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        (output, input): (i32, i32),
        offset: u64,
        count: u64,
    ) -> Result<Flow, Errno> {
        let from = self.position(port, offset)?;
        let input = self.file(port.task, input)?;
        if !self.files[input].readable() {
            return Err(Errno::EBADF);
        }
        if from.is_some() && !self.seekable(self.files[input].node) {
            return Err(Errno::ESPIPE);
        }
        if from.is_some_and(|(at, _)| (at as i64) < 0) {
            return Err(Errno::EINVAL);
        }
        let output = self.file(port.task, output)?;
        let to = &self.files[output];
        if !to.writable() {
            return Err(Errno::EBADF);
        }
        if to.flags & O_APPEND != 0 || !self.has_positions(input) {
            return Err(Errno::EINVAL);
        }
        let copy = Copy {
            input,
            output,
            done: 0,
            total: count.min(MAX_COUNT),
            from,
            to: None,
            keep: false,
            whole: self.pipe_of(to.node).is_none(),
        };
        let nonblocking = to.nonblocking();
        self.begin_copy(port, copy, nonblocking)
    }

    /// splice(2).
    pub(crate) fn splice<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        (input, from): (i32, u64),
        (output, to): (i32, u64),
        len: u64,
        flags: u32,
    ) -> Result<Flow, Errno> {
        if len == 0 {
            return Ok(Flow::Done(0));
        }
        if flags & !SPLICE_KNOWN != 0 {
            return Err(Errno::EINVAL);
        }
        let (input, output) = (self.file(port.task, input)?, self.file(port.task, output)?);
        let pipes = [input, output].map(|file| self.pipe_of(self.files[file].node));
        if pipes[0].is_some() && from != 0 || pipes[1].is_some() && to != 0 {
            return Err(Errno::ESPIPE);
        }
        let (from, to) = (self.position(port, from)?, self.position(port, to)?);
        let (reads, writes) = (&self.files[input], &self.files[output]);
        if !reads.readable() || !writes.writable() {
            return Err(Errno::EBADF);
        }
        if pipes == [None; 2] || pipes[0] == pipes[1] {
            return Err(Errno::EINVAL);
        }
        if from.is_some() && !self.seekable(reads.node)
            || to.is_some() && !self.seekable(writes.node)
            || writes.flags & O_APPEND != 0
            || (pipes[0].is_none() && !self.has_positions(input))
        {
            return Err(Errno::EINVAL);
        }
        if [from, to].iter().flatten().any(|(at, _)| (*at as i64) < 0) {
            return Err(Errno::EINVAL);
        }
        let nonblocking = flags & SPLICE_F_NONBLOCK != 0
            || (pipes[0].is_some() && reads.nonblocking())
            || (pipes[1].is_some() && writes.nonblocking());
        let copy = Copy {
            input,
            output,
            done: 0,
            total: len.min(MAX_COUNT),
            from,
            to,
            keep: false,
            whole: false,
        };
        self.begin_copy(port, copy, nonblocking)
    }

    /// tee(2).
    pub(crate) fn tee<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        (input, output): (i32, i32),
        len: u64,
        flags: u32,
    ) -> Result<Flow, Errno> {
        if flags & !SPLICE_KNOWN != 0 {
            return Err(Errno::EINVAL);
        }
        if len == 0 {
            return Ok(Flow::Done(0));
        }
        let (input, output) = (self.file(port.task, input)?, self.file(port.task, output)?);
        let (reads, writes) = (&self.files[input], &self.files[output]);
        if !reads.readable() || !writes.writable() {
            return Err(Errno::EBADF);
        }
        let pipes = [reads, writes].map(|file| self.pipe_of(file.node));
        if pipes.contains(&None) || pipes[0] == pipes[1] {
            return Err(Errno::EINVAL);
        }
        let nonblocking =
            flags & SPLICE_F_NONBLOCK != 0 || reads.nonblocking() || writes.nonblocking();
        let copy = Copy {
            input,
            output,
            done: 0,
            total: len.min(MAX_COUNT),
            from: None,
            to: None,
            keep: true,
            whole: false,
        };
        self.begin_copy(port, copy, nonblocking)
    }

    /// vmsplice(2): to a pipe as much as fits, from one as much as there is.
    pub(crate) fn vmsplice<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        (addr, count): (u64, u64),
        flags: u32,
    ) -> Result<Flow, Errno> {
        if flags & !SPLICE_KNOWN != 0 {
            return Err(Errno::EINVAL);
        }
        let id = self.file(port.task, fd)?;
        let file = &self.files[id];
        if self.pipe_of(file.node).is_none() {
            return Err(Errno::EBADF);
        }
        let write = file.writable();
        let nonblocking = flags & SPLICE_F_NONBLOCK != 0;
        let pieces: Pieces = port.pieces(addr, count)?;
        let mut io = Io::new(id, write, pieces, None);
        io.partial = true;
        if io.total == 0 {
            return Ok(Flow::Done(0));
        }
        self.begin(port, Op::Io(io), nonblocking)
    }

    /// copy_file_range(2).
    pub(crate) fn copy_file_range<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        (input, from): (i32, u64),
        (output, to): (i32, u64),
        len: u64,
        flags: u32,
    ) -> Result<Flow, Errno> {
        let (input, output) = (self.file(port.task, input)?, self.file(port.task, output)?);
        let (from, to) = (self.position(port, from)?, self.position(port, to)?);
        if flags != 0 {
            return Err(Errno::EINVAL);
        }
        let (reads, writes) = (&self.files[input], &self.files[output]);
        let nodes = [reads.node, writes.node];
        if nodes.iter().any(|node| self.is_directory(*node)) {
            return Err(Errno::EISDIR);
        }
        let [Some(source), Some(target)] = nodes.map(|node| self.regular(node)) else {
            return Err(Errno::EINVAL);
        };
        if !reads.readable() || !writes.writable() || writes.flags & O_APPEND != 0 {
            return Err(Errno::EBADF);
        }
        if self.device_number(nodes[0]) != self.device_number(nodes[1]) {
            return Err(Errno::EXDEV);
        }
        let start = from.map_or(reads.offset, |(at, _)| at);
        let place = to.map_or(writes.offset, |(at, _)| at);
        if start.checked_add(len).is_none() || place.checked_add(len).is_none() {
            return Err(Errno::EOVERFLOW);
        }
        if (start as i64) < 0 || (place as i64) < 0 {
            return Err(Errno::EINVAL);
        }
        let total = len.min(source.size.saturating_sub(start)).min(MAX_COUNT);
        let apart = place >= start + total || start >= place + total;
        if source.object == target.object && total > 0 && !apart {
            return Err(Errno::EINVAL);
        }
        let copy = Copy {
            input,
            output,
            done: 0,
            total,
            from,
            to,
            keep: false,
            whole: true,
        };
        self.begin_copy(port, copy, false)
    }

    /// A position that a task gives, and where it is.
    fn position<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        addr: u64,
    ) -> Result<Option<(u64, u64)>, Errno> {
        match addr {
            0 => Ok(None),
            addr => Ok(Some((port.words::<1>(addr)?[0], addr))),
        }
    }

    /// The bytes of a regular file.
    pub(crate) fn regular(&self, node: Node) -> Option<abi::fs::FileRange> {
        let Node::Inode(ino) = node else { return None };
        match self.tree.get(ino).body {
            Body::File(range) => Some(range),
            _ => None,
        }
    }

    /// Whether an input has bytes at positions: a regular file, or something that acts like one.
    fn has_positions(&self, file: u32) -> bool {
        let node = self.files[file].node;
        if let Node::Proc(node) = node {
            return node.can_be_copied();
        }
        self.regular(node).is_some() || self.device(node).is_some_and(|device| !device.is_console())
    }
}
