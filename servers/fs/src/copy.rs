//! Bytes from one open file to another: sendfile(2), splice(2), tee(2), copy_file_range(2).
//!
//! They go from object to object inside the process manager where both ends have one, and through
//! here in pieces where the output is a terminal or a socket.

use crate::Fs;
use crate::dev::Device;
use crate::host::{Host, Port};
use crate::proc::ProcNode;
use crate::tmp::MAX_FILE_SIZE;
use crate::tree::{Body, Node};
use crate::wait::{Flow, Op};
use abi::Errno;
use abi::fs::ObjectId;
use abi::linux::general::SIGPIPE;
use abi::wire::{MAX, MAX_DATA};
use alloc::vec::Vec;

/// One copy on its way.
#[derive(Clone, Hash)]
pub(crate) struct Copy {
    pub input: u32,
    pub output: u32,
    pub done: u64,
    pub total: u64,
    /// Where in the input to begin, and where to say how far it went; else its own offset counts.
    pub from: Option<(u64, u64)>,
    /// The same for the output.
    pub to: Option<(u64, u64)>,
    /// What is taken from a pipe stays there (tee(2)).
    pub keep: bool,
    /// It goes on until it has all, as sendfile does where the output is no pipe.
    pub whole: bool,
}

/// Bytes that can be copied at once.
struct Run {
    object: ObjectId,
    at: u64,
    len: u64,
}

/// What comes next of an input.
enum Source {
    Run(Run),
    /// Bytes that are in no object.
    Text(Vec<u8>),
    /// No more.
    End,
    /// More may come.
    Wait,
}

impl Fs {
    /// Goes on with a copy; none while it has to wait.
    pub(crate) fn attempt_copy<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        copy: &mut Copy,
    ) -> Result<Option<i64>, Errno> {
        let end = loop {
            if copy.done == copy.total {
                break Ok(());
            }
            let put = match self.source(port, copy) {
                Ok(Source::Run(run)) => self.put_run(port, copy, run),
                Ok(Source::Text(text)) => self.push(port, copy.output, &text).map(|n| n as u64),
                Ok(Source::End) => break Ok(()),
                Ok(Source::Wait) if copy.done > 0 => break Ok(()),
                Ok(Source::Wait) => return Ok(None),
                Err(errno) => break Err(errno),
            };
            match put {
                Ok(0) if copy.done > 0 && !copy.whole => break Ok(()),
                Ok(0) => return Ok(None),
                Ok(count) => {
                    self.took(copy, count);
                    copy.done += count;
                }
                Err(errno) => break Err(errno),
            }
        };
        if copy.done == 0 {
            end?;
        }
        for (at, addr) in [copy.from, copy.to].into_iter().flatten() {
            port.write(addr, &(at + copy.done).to_le_bytes())?;
        }
        Ok(Some(copy.done as i64))
    }

    /// What of the input can be copied next.
    fn source<H: Host>(&mut self, port: &mut Port<'_, H>, copy: &Copy) -> Result<Source, Errno> {
        let file = &self.files[copy.input];
        let left = copy.total - copy.done;
        if let Some(pipe) = self.pipe_of(file.node) {
            let pipe = &self.pipes[pipe];
            let ahead = if copy.keep { copy.done } else { 0 };
            if pipe.len <= ahead {
                let over = pipe.writers == 0 || copy.keep && pipe.len > 0;
                return Ok(if over { Source::End } else { Source::Wait });
            }
            let (at, run) = pipe.place(ahead);
            return Ok(Source::Run(Run {
                object: pipe.object,
                at,
                len: left.min(run).min(pipe.len - ahead),
            }));
        }
        let from = match copy.from {
            Some((at, _)) => at.saturating_add(copy.done),
            None => file.offset,
        };
        let ino = match file.node {
            Node::Inode(ino) => ino,
            Node::Proc(node) if node.can_be_copied() => {
                return self.source_text(port, copy.input, node, from, left);
            }
            _ => return Err(Errno::EINVAL),
        };
        match self.tree.get(ino).body {
            Body::File(range) => match left.min(range.size.saturating_sub(from)) {
                0 => Ok(Source::End),
                len => Ok(Source::Run(Run {
                    object: range.object,
                    at: range.offset + from,
                    len,
                })),
            },
            Body::Device(Device::Zero) => Ok(Source::Run(Run {
                object: self.zeros.ok_or(Errno::EIO)?,
                at: 0,
                len: left,
            })),
            Body::Device(Device::Null) => Ok(Source::End),
            _ => Err(Errno::EINVAL),
        }
    }

    /// What comes next of a file of /proc.
    fn source_text<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        file: u32,
        node: ProcNode,
        from: u64,
        left: u64,
    ) -> Result<Source, Errno> {
        let text = self.text_at(port, file, node, from)?;
        let len = text.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        Ok(match len {
            0 => Source::End,
            len => Source::Text(text[..len].to_vec()),
        })
    }

    /// Puts bytes into the output: how many, 0 while it has no room.
    fn put_run<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        copy: &Copy,
        run: Run,
    ) -> Result<u64, Errno> {
        let file = &self.files[copy.output];
        if let Some(id) = self.pipe_of(file.node) {
            return self.put_into_pipe(port, id, run);
        }
        if let Node::Inode(ino) = file.node
            && let Body::File(range) = self.tree.get(ino).body
        {
            let to = match copy.to {
                Some((at, _)) => at.saturating_add(copy.done),
                None => file.offset,
            };
            if to >= MAX_FILE_SIZE {
                return Err(Errno::EFBIG);
            }
            let len = run.len.min(port.file_room(to)?).min(MAX_FILE_SIZE - to);
            let len = self.sealed_room(ino, to, len)?;
            let count = port.copy((run.object, run.at), (range.object, to), len)?;
            self.wrote(ino, to + count, count);
            self.drop_set_ids(port, ino);
            if copy.to.is_none() {
                self.files[copy.output].offset = to + count;
            }
            return Ok(count);
        }
        let len = run.len.min(MAX_DATA as u64) as usize;
        let mut buffer = [0; MAX];
        let bytes = port.read_object(run.object, run.at, len, &mut buffer)?;
        self.push(port, copy.output, bytes)
            .map(|count| count as u64)
    }

    fn put_into_pipe<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        run: Run,
    ) -> Result<u64, Errno> {
        let pipe = &self.pipes[id];
        if pipe.readers == 0 {
            port.signal(SIGPIPE as u8);
            return Err(Errno::EPIPE);
        }
        let (at, room) = pipe.place(pipe.len);
        let len = run.len.min(room).min(pipe.free());
        if len == 0 {
            return Ok(0);
        }
        let count = port.copy((run.object, run.at), (pipe.object, at), len)?;
        let pipe = &mut self.pipes[id];
        pipe.len += count;
        pipe.activity.0 += 1;
        self.dirty = true;
        Ok(count)
    }

    /// The input is further on by so many bytes.
    fn took(&mut self, copy: &Copy, count: u64) {
        match self.pipe_of(self.files[copy.input].node) {
            Some(_) if copy.keep => {}
            Some(id) => {
                let pipe = &mut self.pipes[id];
                pipe.took(count);
                pipe.activity.1 += 1;
                self.dirty = true;
            }
            None if copy.from.is_none() => self.files[copy.input].offset += count,
            None => {}
        }
    }

    pub(crate) fn begin_copy<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        copy: Copy,
        nonblocking: bool,
    ) -> Result<Flow, Errno> {
        if copy.total == 0 {
            return Ok(Flow::Done(0));
        }
        self.begin(port, Op::Copy(copy), nonblocking)
    }
}
