//! Calls that cannot finish yet.

use crate::Fs;
use crate::copy::Copy;
use crate::epoll::EpollWait;
use crate::host::{self, Host, Port};
use crate::io::Io;
use crate::locks::LockWait;
use crate::poll::Poll;
use crate::socket::Connect;
use crate::special::OpenPipe;
use crate::tree::Node;
use abi::fs::Outcome;
use abi::{Errno, TaskId};

/// How a system call goes on.
pub(crate) enum Flow {
    /// It is over, with this result.
    Done(i64),
    /// It is tried again when something has changed.
    Park(Op),
}

/// A parked system call.
#[derive(Clone, Hash)]
pub(crate) struct Wait {
    pub task: TaskId,
    pub number: u32,
    pub op: Op,
}

/// What can wait.
#[derive(Clone, Hash)]
pub(crate) enum Op {
    Io(Io),
    Poll(Poll),
    Copy(Copy),
    Epoll(EpollWait),
    Connect(Connect),
    Open(OpenPipe),
    Lock(LockWait),
}

impl Op {
    /// The result when a signal interrupts it (signal(7), "Interruption of system calls").
    fn interrupted(&self) -> Result<i64, Errno> {
        match self {
            Op::Io(io) if io.done() > 0 => Ok(io.done()),
            Op::Copy(copy) if copy.done > 0 => Ok(copy.done as i64),
            Op::Io(_) | Op::Copy(_) | Op::Connect(_) | Op::Open(_) | Op::Lock(_) => {
                Err(Errno::ERESTARTSYS)
            }
            Op::Epoll(_) => Err(Errno::EINTR),
            Op::Poll(_) => Err(Errno::ERESTARTNOHAND),
        }
    }

    /// When it ends by itself.
    fn deadline(&self) -> Option<u64> {
        match self {
            Op::Poll(poll) => poll.deadline,
            Op::Epoll(wait) => wait.deadline,
            Op::Io(io) => io.deadline,
            Op::Copy(_) | Op::Connect(_) | Op::Open(_) | Op::Lock(_) => None,
        }
    }

    /// It is `now`.
    fn expire(&mut self, now: u64) {
        let over = self.deadline().is_some_and(|deadline| deadline <= now);
        match self {
            Op::Poll(poll) => poll.expired |= over,
            Op::Epoll(wait) => wait.expired |= over,
            Op::Io(io) => io.expired |= over,
            Op::Copy(_) | Op::Connect(_) | Op::Open(_) | Op::Lock(_) => {}
        }
    }
}

impl Fs {
    /// Tries an operation; none while it has to wait. `ahead` is how many waits came before.
    fn attempt<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        op: &mut Op,
        ahead: usize,
    ) -> Result<Option<i64>, Errno> {
        match op {
            Op::Io(io) => self.attempt_io(port, io, ahead),
            Op::Poll(poll) => self.attempt_poll(port, poll),
            Op::Copy(copy) => self.attempt_copy(port, copy),
            Op::Epoll(wait) => self.attempt_epoll(port, wait),
            Op::Connect(connect) => self.attempt_connect(port, connect),
            Op::Open(open) => self.attempt_open(port, open),
            Op::Lock(lock) => self.attempt_lock(lock),
        }
    }

    /// Tries an operation for the first time; `nonblocking` says that it must not wait.
    pub(crate) fn begin<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        mut op: Op,
        nonblocking: bool,
    ) -> Result<Flow, Errno> {
        let ahead = self.waits.len();
        match self.attempt(port, &mut op, ahead)? {
            Some(result) => Ok(Flow::Done(result)),
            None if !nonblocking => Ok(Flow::Park(op)),
            None => match op.interrupted() {
                Ok(result) => Ok(Flow::Done(result)),
                Err(_) => Err(Errno::EAGAIN),
            },
        }
    }

    /// Tries every wait again, the oldest first, until nothing changes any more. Each change moves
    /// bytes or ends a wait, so there is an end.
    pub(crate) fn retry_waits(&mut self, host: &mut impl Host) {
        while core::mem::take(&mut self.dirty) {
            let mut at = 0;
            while at < self.waits.len() {
                let mut wait = self.waits.remove(at);
                let mut port = self.port(host, wait.task, wait.number);
                let result = match self.attempt(&mut port, &mut wait.op, at) {
                    Ok(Some(result)) => Ok(result),
                    Ok(None) => {
                        self.waits.insert(at, wait);
                        at += 1;
                        continue;
                    }
                    Err(errno) => Err(errno),
                };
                self.release_for(&wait.op);
                port.complete(Outcome::Result(abi::errno::to_rax(result)));
            }
        }
    }

    /// A signal waits for the task: its call ends with what it has done. One that is over already
    /// stays so.
    pub(crate) fn interrupt<H: Host>(&mut self, port: &mut Port<'_, H>) {
        let named = |wait: &Wait| wait.task == port.task && wait.number == port.number;
        let Some(at) = self.waits.iter().position(named) else {
            return;
        };
        let mut wait = self.waits.remove(at);
        // It may have stood in another writer's way.
        self.dirty = true;
        let mut result = wait.op.interrupted();
        if let Op::Io(io) = &mut wait.op
            && result.is_ok()
        {
            result = self.received_part(port, io);
        }
        if let Op::Poll(poll) = &wait.op {
            poll.write_left(port);
        }
        self.release_for(&wait.op);
        port.complete(Outcome::Result(abi::errno::to_rax(result)));
    }

    /// The task is dead.
    pub(crate) fn forget_waits(&mut self, task: TaskId) {
        while let Some(at) = self.waits.iter().position(|wait| wait.task == task) {
            let wait = self.waits.remove(at);
            self.release_for(&wait.op);
            self.dirty = true;
        }
    }

    /// A wait keeps its files open, whoever closes the descriptor meanwhile.
    pub(crate) fn hold_for(&mut self, op: &Op) {
        match op {
            Op::Io(io) => {
                self.hold_file(io.file);
                for &file in io.sends.iter().flat_map(|sent| &sent.files) {
                    self.hold_file(file);
                }
            }
            Op::Copy(copy) => {
                self.hold_file(copy.input);
                self.hold_file(copy.output);
            }
            Op::Epoll(wait) => self.hold_file(wait.file),
            Op::Connect(connect) => self.hold_file(connect.file),
            Op::Open(open) => self.hold_file(open.file),
            Op::Lock(lock) => self.hold_file(lock.file),
            // As on Linux, a descriptor is looked up anew each time.
            Op::Poll(_) => {}
        }
    }

    fn release_for(&mut self, op: &Op) {
        match op {
            Op::Io(io) => {
                self.release_file(io.file);
                for &file in io.sends.iter().flat_map(|sent| &sent.files) {
                    self.release_file(file);
                }
            }
            Op::Copy(copy) => {
                self.release_file(copy.input);
                self.release_file(copy.output);
            }
            Op::Epoll(wait) => self.release_file(wait.file),
            Op::Connect(connect) => self.release_file(connect.file),
            Op::Open(open) => self.release_file(open.file),
            Op::Lock(lock) => self.release_file(lock.file),
            Op::Poll(_) => {}
        }
    }

    pub(crate) fn writes_pipe(&self, op: &Op, pipe: u32) -> bool {
        let Op::Io(io) = op else { return false };
        io.write
            && match self.files[io.file].node {
                Node::Anon(anon) => self.output_of(anon) == Some(pipe),
                node => self.pipe_of(node) == Some(pipe),
            }
    }

    /// Marks what waits for a time that has come.
    pub(crate) fn expire(&mut self, host: &mut impl Host) {
        let timers = self.timer_deadline().is_some();
        if timers || self.waits.iter().any(|wait| wait.op.deadline().is_some()) {
            let now = host::time(host).map_or(0, |(now, _)| now);
            for wait in &mut self.waits {
                wait.op.expire(now);
            }
            self.expire_timers(now);
        }
        // The process manager wakes once.
        self.armed = u64::MAX;
    }

    /// Has the process manager wake us for the first deadline.
    pub(crate) fn arm(&mut self, host: &mut impl Host) {
        let waits = self.waits.iter().filter_map(|wait| wait.op.deadline());
        let first = waits.chain(self.timer_deadline()).min();
        let first = first.unwrap_or(u64::MAX);
        // One that comes too early does no harm, and asking costs a message.
        if first < self.armed {
            self.armed = first;
            host::wake_at(host, first);
        }
    }
}
