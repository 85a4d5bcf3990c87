//! sendfile(2).

use crate::Fs;
use crate::host::{Host, Port};
use crate::rw::MAX_COUNT;
use crate::tree::{Body, Node};
use crate::wait::{Flow, Op};
use abi::Errno;
use abi::linux::general::O_APPEND;
use abi::wire::{MAX, MAX_DATA};

/// One sendfile on its way.
pub(crate) struct Copy {
    pub input: u32,
    pub output: u32,
    pub done: u64,
    total: u64,
    /// Where in the input to begin, and where to say how far it went; else its own offset counts.
    position: Option<(u64, u64)>,
}

impl Fs {
    /// sendfile(2) from a regular file.
    pub(crate) fn sendfile<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        (output, input): (i32, i32),
        offset: u64,
        count: u64,
    ) -> Result<Flow, Errno> {
        let position = match offset {
            0 => None,
            addr => Some((port.words::<1>(addr)?[0], addr)),
        };
        let input = self.file(port.task, input)?;
        if !self.files[input].readable() {
            return Err(Errno::EBADF);
        }
        if position.is_some() && !self.seekable(self.files[input].node) {
            return Err(Errno::ESPIPE);
        }
        if position.is_some_and(|(at, _)| (at as i64) < 0) {
            return Err(Errno::EINVAL);
        }
        let output = self.file(port.task, output)?;
        let to = &self.files[output];
        if !to.writable() {
            return Err(Errno::EBADF);
        }
        if to.flags & O_APPEND != 0 || self.contents(input).is_none() {
            return Err(Errno::EINVAL);
        }
        let copy = Copy {
            input,
            output,
            done: 0,
            total: count.min(MAX_COUNT),
            position,
        };
        let nonblocking = to.nonblocking();
        self.begin(port, Op::Copy(copy), nonblocking)
    }

    /// Goes on with a sendfile; none while the output has no room.
    pub(crate) fn attempt_copy<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        copy: &mut Copy,
    ) -> Result<Option<i64>, Errno> {
        let end = loop {
            let Some(range) = self.contents(copy.input) else {
                return Err(Errno::EINVAL);
            };
            let from = match copy.position {
                Some((at, _)) => at.saturating_add(copy.done),
                None => self.files[copy.input].offset,
            };
            let len = (copy.total - copy.done)
                .min(range.size.saturating_sub(from))
                .min(MAX_DATA as u64);
            if len == 0 {
                break Ok(());
            }
            let mut buffer = [0; MAX];
            let at = range.offset + from;
            let pushed = match port.read_object(range.object, at, len as usize, &mut buffer) {
                Ok(bytes) => self.push(port, copy.output, bytes),
                Err(errno) => Err(errno),
            };
            match pushed {
                Ok(0) => return Ok(None),
                Ok(count) => {
                    copy.done += count as u64;
                    if copy.position.is_none() {
                        self.files[copy.input].offset += count as u64;
                    }
                }
                Err(errno) => break Err(errno),
            }
        };
        if copy.done == 0 {
            end?;
        }
        if let Some((at, addr)) = copy.position {
            port.write(addr, &(at + copy.done).to_le_bytes())?;
        }
        Ok(Some(copy.done as i64))
    }

    /// The bytes of a regular file.
    fn contents(&self, file: u32) -> Option<abi::fs::FileRange> {
        let Node::Inode(ino) = self.files[file].node else {
            return None;
        };
        match self.tree.get(ino).body {
            Body::File(range) => Some(range),
            _ => None,
        }
    }
}
