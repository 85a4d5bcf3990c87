//! Pipes: a ring in a memory object.

use crate::fdtable::Fd;
use crate::host::{Host, Port};
use crate::io::Io;
use crate::socket::Parcel;
use crate::tree::Node;
use crate::{Fs, PAGE};
use abi::Errno;
use abi::fs::{Direction, ObjectId};
use abi::linux::general::{O_CLOEXEC, O_DIRECT, O_NONBLOCK, O_RDONLY, O_WRONLY, SIGPIPE};
use alloc::boxed::Box;
use alloc::collections::VecDeque;

/// How many bytes a pipe holds (pipe(7), "Pipe capacity").
pub const CAPACITY: u64 = 65536;
/// The longest write that is never mixed with others (pipe(7), "PIPE_BUF").
pub const PIPE_BUF: u64 = 4096;
/// The most pipes.
pub const MAX_PIPES: usize = 1024;

/// One pipe.
#[derive(Clone, Hash)]
pub(crate) struct Pipe {
    pub object: ObjectId,
    /// Where the next byte to be read is.
    head: u64,
    /// How many bytes are in it,
    pub len: u64,
    /// and may be: its ring has room for [`CAPACITY`].
    limit: u64,
    /// How many bytes were ever taken out.
    pub taken: u64,
    /// What goes along with bytes of a connection, in their order.
    pub parcels: VecDeque<Parcel>,
    /// How many ends of the connection want to know who sends.
    pub stamps: u32,
    /// Open files that read, that write, and all.
    pub readers: u32,
    pub writers: u32,
    pub holds: u32,
    /// User and group of who made it.
    pub owner: (u32, u32),
    /// How often it was opened to read, and how often to write.
    pub opened: (u64, u64),
    /// How often something was written, and how often something was read.
    pub activity: (u64, u64),
}

impl Pipe {
    /// An empty one that nobody has.
    pub fn new(object: ObjectId, owner: (u32, u32)) -> Pipe {
        Pipe {
            object,
            head: 0,
            len: 0,
            limit: CAPACITY,
            taken: 0,
            parcels: VecDeque::new(),
            stamps: 0,
            readers: 0,
            writers: 0,
            holds: 0,
            owner,
            opened: (0, 0),
            activity: (0, 0),
        }
    }

    /// Where the next byte that is written will be, counted from the first one ever.
    pub fn tail(&self) -> u64 {
        self.taken + self.len
    }

    pub fn free(&self) -> u64 {
        self.limit - self.len
    }

    /// How many bytes it may hold.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Sets how many bytes it may hold, to that or more in whole pages, a power of two. EINVAL: nothing has so many; EPERM: more
    /// than a ring has; EBUSY: more than so many are in it (F_SETPIPE_SZ).
    pub fn set_limit(&mut self, bytes: u32) -> Result<u64, Errno> {
        let limit = u64::from(bytes).next_power_of_two().max(PAGE);
        if limit > 1 << 31 {
            return Err(Errno::EINVAL);
        }
        if limit > CAPACITY {
            return Err(Errno::EPERM);
        }
        if self.len > limit {
            return Err(Errno::EBUSY);
        }
        self.limit = limit;
        Ok(limit)
    }

    /// Where the byte `ahead` of the head is, and how many follow it up to the ring's end.
    pub fn place(&self, ahead: u64) -> (u64, u64) {
        let at = (self.head + ahead) % CAPACITY;
        (at, CAPACITY - at)
    }

    pub fn took(&mut self, count: u64) {
        self.len -= count;
        self.taken += count;
        // An empty pipe starts anew, so that short messages stay on one page.
        self.head = if self.len == 0 {
            0
        } else {
            (self.head + count) % CAPACITY
        };
    }
}

impl Fs {
    /// pipe(2), pipe2(2).
    pub(crate) fn pipe<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        addr: u64,
        flags: u32,
    ) -> Result<i64, Errno> {
        if flags & !(O_CLOEXEC | O_NONBLOCK | O_DIRECT) != 0 {
            return Err(Errno::EINVAL);
        }
        let [read, write] = self.free_fds(port)?;
        if self.files.room() < 2 || self.pipes.room() == 0 {
            return Err(Errno::ENFILE);
        }
        let mut fds = [0; 8];
        fds[..4].copy_from_slice(&read.to_le_bytes());
        fds[4..].copy_from_slice(&write.to_le_bytes());
        port.write(addr, &fds)?;
        let object = port.create().map_err(|_| Errno::ENFILE)?;
        let pipe = Pipe::new(object, port.who.ids());
        let pipe = self.pipes.insert(pipe).ok_or(Errno::ENFILE)?;
        let cloexec = flags & O_CLOEXEC != 0;
        for (fd, access) in [(read, O_RDONLY), (write, O_WRONLY)] {
            let flags = access | flags & !O_CLOEXEC;
            let file = self.add_file(Node::Pipe(pipe), flags, Box::default())?;
            self.hold_file(file);
            self.set_fd(port.task, fd, Fd { file, cloexec })?;
        }
        Ok(0)
    }

    pub(crate) fn release_pipe(&mut self, id: u32) {
        let pipe = &mut self.pipes[id];
        pipe.holds -= 1;
        if pipe.holds == 0 {
            self.freed.push(pipe.object);
            self.pipes.remove(id);
        }
    }

    /// Reads what is there; none while there is nothing and somebody could still write.
    pub(crate) fn read_pipe<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        io: &mut Io,
    ) -> Result<Option<i64>, Errno> {
        let pipe = &mut self.pipes[id];
        if pipe.len == 0 {
            return Ok((pipe.writers == 0).then(|| io.done()));
        }
        let result = io.step(pipe.len, |addr, len, moved| {
            let (at, run) = pipe.place(moved);
            port.transfer(addr, len.min(run), pipe.object, at, Direction::ToTask)
        });
        if !io.peek {
            pipe.took(io.moved);
            pipe.activity.1 += u64::from(io.moved > 0);
            self.dirty |= io.moved > 0;
        }
        result?;
        let more = io.whole && !io.finished() && self.pipes[id].writers > 0;
        Ok((!more).then(|| io.done()))
    }

    /// Writes as much as fits; none while more is to be written. `ahead` is how many of the waits
    /// came before this one: nobody overtakes a writer who waits for the same pipe.
    pub(crate) fn write_pipe<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        io: &mut Io,
        ahead: usize,
    ) -> Result<Option<i64>, Errno> {
        self.write_stream(port, id, io, ahead, false)
    }

    /// The same for an end of a connection that may be shut.
    pub(crate) fn write_stream<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        io: &mut Io,
        ahead: usize,
        shut: bool,
    ) -> Result<Option<i64>, Errno> {
        if shut || self.pipes[id].readers == 0 {
            if !io.quiet {
                port.signal(SIGPIPE as u8);
            }
            return if io.done() > 0 {
                Ok(Some(io.done()))
            } else {
                Err(Errno::EPIPE)
            };
        }
        let queued = self.waits[..ahead]
            .iter()
            .any(|wait| self.writes_pipe(&wait.op, id));
        let pipe = &mut self.pipes[id];
        let short = !io.partial && io.total <= PIPE_BUF && pipe.free() < io.total;
        if queued || short || pipe.free() == 0 {
            return Ok(None);
        }
        let (len, object) = (pipe.len, pipe.object);
        let result = io.step(pipe.free(), |addr, count, moved| {
            let (at, run) = pipe.place(len + moved);
            port.transfer(addr, count.min(run), object, at, Direction::FromTask)
        });
        pipe.len += io.moved;
        pipe.activity.0 += u64::from(io.moved > 0);
        self.dirty |= io.moved > 0;
        result?;
        let over = io.finished() || io.partial && io.done() > 0;
        Ok(over.then(|| io.done()))
    }

    /// Puts bytes of our own in, as many as fit; EPIPE without a reader.
    pub(crate) fn push_pipe<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        bytes: &[u8],
    ) -> Result<usize, Errno> {
        if self.pipes[id].readers == 0 {
            port.signal(SIGPIPE as u8);
            return Err(Errno::EPIPE);
        }
        if !self.may_push(port, id) {
            return Ok(0);
        }
        let pipe = &mut self.pipes[id];
        let (at, run) = pipe.place(pipe.len);
        let count = bytes.len().min(run.min(pipe.free()) as usize);
        if count > 0 {
            port.write_object(pipe.object, at, &bytes[..count])?;
            pipe.len += count as u64;
            pipe.activity.0 += 1;
            self.dirty = true;
            self.stamp_pushed(port, id, count as u64);
        }
        Ok(count)
    }
}
