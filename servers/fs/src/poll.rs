//! poll(2) and ppoll(2), and waiting for several files in general.

use crate::Fs;
use crate::anon::{READABLE, WRITABLE};
use crate::host::{Host, Port};
use crate::pipe::PIPE_BUF;
use crate::select::Sets;
use crate::tree::Node;
use crate::wait::{Flow, Op};
use abi::linux::general::{POLLERR, POLLHUP, POLLNVAL};
use abi::{Errno, TaskId};
use alloc::vec::Vec;

/// The most descriptors that one poll looks at: a list with more repeats itself.
const MAX_POLLED: u64 = 65536;

/// One poll or select on its way.
#[derive(Clone, Hash)]
pub(crate) struct Poll {
    pub task: TaskId,
    pub what: What,
    /// When it ends, in nanoseconds of the monotonic clock.
    pub deadline: Option<u64>,
    /// The time has come.
    pub expired: bool,
    /// Where to say how much time was left.
    pub left: Option<(u64, TimeForm)>,
}

/// What is polled.
#[derive(Clone, Hash)]
pub(crate) enum What {
    /// struct pollfd's: descriptor and events, and where they are.
    Fds(u64, Vec<(i32, u16)>),
    Sets(Sets),
}

/// How a task writes a time.
#[derive(Clone, Copy, Hash)]
pub(crate) enum TimeForm {
    /// struct timespec.
    Nanoseconds,
    /// struct timeval.
    Microseconds,
}

/// How long to wait.
#[derive(Clone, Copy)]
pub(crate) enum Timeout {
    Never,
    After(u64),
}

impl Timeout {
    /// What epoll_wait(2) and poll(2) mean by a number of milliseconds.
    pub fn of_milliseconds(milliseconds: i32) -> Timeout {
        match u64::try_from(milliseconds) {
            Ok(milliseconds) => Timeout::After(milliseconds * 1_000_000),
            Err(_) => Timeout::Never,
        }
    }

    /// When it is over, on the monotonic clock: 0 for at once.
    pub fn deadline<H: Host>(self, port: &mut Port<'_, H>) -> Result<Option<u64>, Errno> {
        Ok(match self {
            Timeout::Never => None,
            Timeout::After(0) => Some(0),
            Timeout::After(duration) => Some(port.time()?.0.saturating_add(duration)),
        })
    }
}

impl Poll {
    /// Says how much time was left, as Linux's select and ppoll do.
    pub fn write_left<H: Host>(&self, port: &mut Port<'_, H>) {
        let (Some((addr, form)), Some(deadline)) = (self.left, self.deadline) else {
            return;
        };
        let now = port.time().map_or(deadline, |(now, _)| now);
        let left = deadline.saturating_sub(now);
        let (seconds, rest) = (left / 1_000_000_000, left % 1_000_000_000);
        let rest = match form {
            TimeForm::Nanoseconds => rest,
            TimeForm::Microseconds => rest / 1000,
        };
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&seconds.to_le_bytes());
        bytes[8..].copy_from_slice(&rest.to_le_bytes());
        // Linux ignores it too when the time cannot be written.
        let _ = port.write(addr, &bytes);
    }
}

impl Fs {
    /// poll(2).
    pub(crate) fn poll<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        (addr, count): (u64, u64),
        milliseconds: i32,
    ) -> Result<Flow, Errno> {
        let timeout = Timeout::of_milliseconds(milliseconds);
        let what = read_fds(port, addr, count)?;
        self.begin_poll(port, what, timeout, None)
    }

    /// ppoll(2). The signal mask is the process manager's business.
    pub(crate) fn ppoll<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        (addr, count): (u64, u64),
        timeout: u64,
        (mask, mask_size): (u64, u64),
    ) -> Result<Flow, Errno> {
        let form = TimeForm::Nanoseconds;
        let limit = read_timeout(port, timeout, form)?;
        check_mask(mask, mask_size)?;
        let what = read_fds(port, addr, count)?;
        self.begin_poll(port, what, limit, Some((timeout, form)))
    }

    pub(crate) fn begin_poll<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        what: What,
        timeout: Timeout,
        left: Option<(u64, TimeForm)>,
    ) -> Result<Flow, Errno> {
        let deadline = timeout.deadline(port)?;
        let poll = Poll {
            task: port.task,
            what,
            deadline,
            expired: deadline == Some(0),
            left: left.filter(|_| deadline != Some(0)),
        };
        self.begin(port, Op::Poll(poll), false)
    }

    /// Looks whether anything is ready; none while nothing is and there is time.
    pub(crate) fn attempt_poll<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        poll: &mut Poll,
    ) -> Result<Option<i64>, Errno> {
        let expired = poll.expired;
        self.watch_polled(port, poll)?;
        let result = match &mut poll.what {
            What::Fds(addr, fds) => self.answer_fds(port, poll.task, *addr, fds, expired),
            What::Sets(sets) => self.answer_sets(port, poll.task, sets, expired),
        };
        if !matches!(result, Ok(None)) {
            poll.write_left(port);
        }
        result
    }

    fn answer_fds<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        task: TaskId,
        addr: u64,
        fds: &[(i32, u16)],
        expired: bool,
    ) -> Result<Option<i64>, Errno> {
        let ready = |&(fd, events): &(i32, u16)| {
            let asked = u32::from(events) | POLLERR | POLLHUP | POLLNVAL;
            let found = if fd < 0 { 0 } else { self.readiness(task, fd) };
            (found & asked) as u16
        };
        let count = fds.iter().filter(|entry| ready(entry) != 0).count();
        if count == 0 && !expired {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        for entry in fds {
            bytes.extend_from_slice(&entry.0.to_le_bytes());
            bytes.extend_from_slice(&entry.1.to_le_bytes());
            bytes.extend_from_slice(&ready(entry).to_le_bytes());
        }
        port.write(addr, &bytes)?;
        Ok(Some(count as i64))
    }

    /// What a descriptor is ready for, as poll's bits.
    pub(crate) fn readiness(&self, task: TaskId, fd: i32) -> u32 {
        match self.file(task, fd) {
            Ok(id) => self.file_readiness(task, id),
            Err(_) => POLLNVAL,
        }
    }

    /// What an open file is ready for, as a task sees it.
    pub(crate) fn file_readiness(&self, task: TaskId, id: u32) -> u32 {
        let file = &self.files[id];
        if let Some(pipe) = self.pipe_of(file.node) {
            let pipe = &self.pipes[pipe];
            // Who came before any writer waits for the first one.
            let left = pipe.writers == 0 && pipe.opened.1 != file.before;
            let mut ready = 0;
            if file.readable() {
                ready |= if pipe.len > 0 { READABLE } else { 0 };
                ready |= if left { POLLHUP } else { 0 };
            }
            if file.writable() {
                ready |= if pipe.free() >= PIPE_BUF { WRITABLE } else { 0 };
                ready |= if pipe.readers == 0 { POLLERR } else { 0 };
            }
            return ready;
        }
        match file.node {
            Node::Anon(anon) => self.anon_readiness(task, anon),
            node if let Some(tty) = self.tty_of(node) => self.tty_readiness(tty),
            node if self.device(node).is_some_and(|device| device.is_console()) => {
                let readable = if self.console.readable() { READABLE } else { 0 };
                readable | WRITABLE
            }
            _ => READABLE | WRITABLE,
        }
    }

    /// How often something has come to read from an open file, and how often there was new room
    /// to write.
    pub(crate) fn activity(&self, id: u32) -> (u64, u64) {
        let node = self.files[id].node;
        if let Some(pipe) = self.pipe_of(node) {
            return self.pipes[pipe].activity;
        }
        match node {
            Node::Anon(anon) => self.anon_activity(anon),
            node => match self.tty_of(node) {
                Some(tty) => (self.tty_activity(tty), 0),
                None => (self.console.activity(), 0),
            },
        }
    }
}

/// The array of struct pollfd; EINVAL for more than RLIMIT_NOFILE.
fn read_fds<H: Host>(port: &mut Port<'_, H>, addr: u64, count: u64) -> Result<What, Errno> {
    if count > port.who.told.max_fds {
        return Err(Errno::EINVAL);
    }
    // As large a list as any table of descriptors would fill several times over.
    let count = count.min(MAX_POLLED);
    let bytes = port.read_all(addr, count as usize * 8)?;
    let fds = bytes.chunks_exact(8).map(|entry| {
        let fd = i32::from_le_bytes(entry[..4].try_into().expect("four bytes"));
        let events = u16::from_le_bytes(entry[4..6].try_into().expect("two bytes"));
        (fd, events)
    });
    Ok(What::Fds(addr, fds.collect()))
}

/// A timeout in a task's memory; EINVAL when it is no time.
pub(crate) fn read_timeout<H: Host>(
    port: &mut Port<'_, H>,
    addr: u64,
    form: TimeForm,
) -> Result<Timeout, Errno> {
    if addr == 0 {
        return Ok(Timeout::Never);
    }
    let [seconds, rest] = port.words::<2>(addr)?.map(|word| word as i64);
    if seconds < 0 || rest < 0 {
        return Err(Errno::EINVAL);
    }
    let nanoseconds = match form {
        TimeForm::Nanoseconds if rest >= 1_000_000_000 => return Err(Errno::EINVAL),
        TimeForm::Nanoseconds => rest as u64,
        TimeForm::Microseconds => (rest as u64).saturating_mul(1000),
    };
    let whole = (seconds as u64).saturating_mul(1_000_000_000);
    Ok(Timeout::After(whole.saturating_add(nanoseconds)))
}

/// A signal set has eight bytes.
pub(crate) fn check_mask(mask: u64, size: u64) -> Result<(), Errno> {
    if mask != 0 && size != 8 {
        return Err(Errno::EINVAL);
    }
    Ok(())
}
