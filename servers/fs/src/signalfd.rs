//! signalfd(2).
//!
//! The signals are the process manager's: a read takes them from there, and whoever waits for a
//! signalfd has it say when one comes. Which are pending is kept with the task, as of the last
//! time that it was asked.

use crate::Fs;
use crate::anon::{Kind, READABLE};
use crate::host::{Host, Port};
use crate::io::Io;
use crate::poll::{Poll, What};
use crate::tree::Node;
use abi::linux::general::{O_CLOEXEC, O_NONBLOCK, O_RDWR};
use abi::signal::{SIGCHLD, UNBLOCKABLE, code};
use abi::wire::MAX;
use abi::{Errno, SigInfo, SigSet, TaskId};

/// The size of struct signalfd_siginfo.
const SIZE: usize = 128;

impl Fs {
    /// signalfd4(2): makes one, or gives one another set.
    pub(crate) fn signalfd<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        (mask, size): (u64, u64),
        flags: u32,
    ) -> Result<i64, Errno> {
        if size != 8 {
            return Err(Errno::EINVAL);
        }
        let [mask] = port.words(mask)?;
        let mask = SigSet(mask).without(UNBLOCKABLE);
        if flags & !(O_CLOEXEC | O_NONBLOCK) != 0 {
            return Err(Errno::EINVAL);
        }
        if fd == -1 {
            let status = O_RDWR | flags & O_NONBLOCK;
            let cloexec = flags & O_CLOEXEC != 0;
            return self.open_anon(port, Kind::Signal(mask), status, cloexec);
        }
        let file = self.file(port.task, fd)?;
        let Node::Anon(id) = self.files[file].node else {
            return Err(Errno::EINVAL);
        };
        let Kind::Signal(own) = &mut self.anons[id].kind else {
            return Err(Errno::EINVAL);
        };
        *own = mask;
        self.dirty = true;
        Ok(i64::from(fd))
    }

    /// Reads as many as fit and wait; none where none waits.
    pub(crate) fn read_signals<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        mask: SigSet,
        io: &mut Io,
    ) -> Result<Option<i64>, Errno> {
        if io.total < SIZE as u64 {
            return Err(Errno::EINVAL);
        }
        let mut bytes = alloc::vec::Vec::new();
        while bytes.len() + SIZE <= io.total as usize {
            match port.take_signal(mask) {
                Ok(info) => bytes.extend_from_slice(&encode(&info)),
                Err(_) => break,
            }
        }
        if bytes.is_empty() {
            let pending = port.watch_signals(mask)?;
            // One that came in between ends the wait at once.
            self.dirty |= !pending.and(mask).is_empty();
            return Ok(None);
        }
        io.put(port, &bytes)?;
        Ok(Some(io.done()))
    }

    /// [`Event::Signalled`](abi::fs::Event::Signalled): waits look again.
    pub(crate) fn signalled(&mut self) {
        self.signals_seen += 1;
        self.dirty = true;
    }

    /// Has the signals of a task that it polls for kept up to date.
    pub(crate) fn watch_polled<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        poll: &Poll,
    ) -> Result<(), Errno> {
        if self.signalfds == 0 {
            return Ok(());
        }
        let of = |fd: i32| {
            self.file(poll.task, fd)
                .map(|file| self.signals_of(file, 0))
        };
        let add = |all: SigSet, fd: i32| of(fd).map_or(all, |set| all.or(set));
        let set = match &poll.what {
            What::Fds(_, fds) => fds.iter().fold(SigSet::EMPTY, |all, &(fd, _)| add(all, fd)),
            What::Sets(sets) => sets.fds().fold(SigSet::EMPTY, add),
        };
        self.watch(port, set)
    }

    /// The same for what an open file watches.
    pub(crate) fn watch_file<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        file: u32,
    ) -> Result<(), Errno> {
        if self.signalfds == 0 {
            return Ok(());
        }
        let set = self.signals_of(file, 0);
        self.watch(port, set)
    }

    fn watch<H: Host>(&mut self, port: &mut Port<'_, H>, set: SigSet) -> Result<(), Errno> {
        if set.is_empty() {
            return Ok(());
        }
        let pending = port.watch_signals(set)?;
        if let Some(task) = self.tasks.get_mut(port.task) {
            task.pending = pending;
        }
        Ok(())
    }

    /// The signals that make an open file ready, however deep it watches others.
    fn signals_of(&self, file: u32, depth: usize) -> SigSet {
        let Node::Anon(id) = self.files[file].node else {
            return SigSet::EMPTY;
        };
        match &self.anons[id].kind {
            Kind::Signal(mask) => *mask,
            Kind::Epoll(epoll) if depth <= crate::epoll::MAX_DEPTH => {
                epoll.files().fold(SigSet::EMPTY, |all, file| {
                    all.or(self.signals_of(file, depth + 1))
                })
            }
            _ => SigSet::EMPTY,
        }
    }

    /// Whether a signal of a set waits for a task.
    pub(crate) fn signal_readiness(&self, task: TaskId, mask: SigSet) -> u32 {
        let pending = self
            .tasks
            .get(task)
            .map_or(SigSet::EMPTY, |task| task.pending);
        if pending.and(mask).is_empty() {
            0
        } else {
            READABLE
        }
    }
}

/// struct signalfd_siginfo (signalfd(2)).
fn encode(info: &SigInfo) -> [u8; SIZE] {
    let mut bytes = [0; SIZE];
    let mut put = |at: usize, value: u64, len: usize| {
        bytes[at..at + len].copy_from_slice(&value.to_le_bytes()[..len]);
    };
    put(0, info.signo as u64, 4);
    put(4, info.errno as u64, 4);
    put(8, info.code as u64, 4);
    let [first, second, third, fourth, ..] = info.fields;
    match layout(info) {
        Layout::Timer => {
            put(24, first, 4);
            put(32, first >> 32, 4);
            put(44, second, 4);
            put(48, second, 8);
        }
        Layout::Poll => {
            put(28, first, 4);
            put(20, second, 4);
        }
        Layout::Fault => put(72, first, 8),
        Layout::Child => {
            put(12, first, 4);
            put(16, first >> 32, 4);
            put(40, second, 4);
            put(56, third, 8);
            put(64, fourth, 8);
        }
        Layout::Queued => {
            put(12, first, 4);
            put(16, first >> 32, 4);
            put(44, second, 4);
            put(48, second, 8);
        }
        Layout::Sent => {
            put(12, first, 4);
            put(16, first >> 32, 4);
        }
    }
    bytes
}

/// Which part of the union behind si_code a siginfo has.
enum Layout {
    Sent,
    Queued,
    Timer,
    Child,
    Fault,
    Poll,
}

fn layout(info: &SigInfo) -> Layout {
    let faults = abi::signal::SYNCHRONOUS;
    let signo = info.signal().unwrap_or(0);
    match info.code {
        code::SI_TIMER => Layout::Timer,
        // SI_SIGIO.
        -5 => Layout::Poll,
        sent if sent < 0 => Layout::Queued,
        own if own > code::SI_USER && own < code::SI_KERNEL => match signo {
            SIGCHLD => Layout::Child,
            abi::signal::SIGIO => Layout::Poll,
            signo if faults.has(signo) => Layout::Fault,
            _ => Layout::Sent,
        },
        _ => Layout::Sent,
    }
}

impl<H: Host> Port<'_, H> {
    /// Takes a signal of a set that waits for the task; EAGAIN.
    fn take_signal(&mut self, set: SigSet) -> Result<SigInfo, Errno> {
        let mut buffer = [0; MAX];
        let call = abi::fs::Call::TakeSignal {
            task: self.task,
            number: self.number,
            set,
        };
        let bytes = self.bytes(call, &mut buffer)?;
        let bytes = bytes.try_into().map_err(|_| Errno::EIO)?;
        Ok(SigInfo::from_bytes(bytes))
    }
}
