//! Open files without a name: eventfd, timerfd, epoll and sockets.

use crate::Fs;
use crate::epoll::Epoll;
use crate::eventfd::Counter;
use crate::fdtable::Fd;
use crate::host::{Host, Port};
use crate::io::Io;
use crate::pidfd::Pid;
use crate::socket::Socket;
use crate::timerfd::Timer;
use crate::tree::Node;
use crate::tty::Master;
use abi::linux::general::{POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM, S_IFCHR, S_IFSOCK};
use abi::{Errno, SigSet, TaskId};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

/// The most of them.
pub const MAX_ANONS: usize = 4096;

pub(crate) const READABLE: u32 = POLLIN | POLLRDNORM;
pub(crate) const WRITABLE: u32 = POLLOUT | POLLWRNORM;

/// One of them.
#[derive(Clone, Hash)]
pub(crate) struct Anon {
    /// Open files, and queues of connections.
    pub holds: u32,
    /// The user and group that stat tells: a socket's maker, root for the others.
    pub owner: (u32, u32),
    pub kind: Kind,
}

#[derive(Clone, Hash)]
pub(crate) enum Kind {
    Event(Counter),
    Timer(Timer),
    Epoll(Epoll),
    Socket(Socket),
    Master(Master),
    /// A signalfd, by its set.
    Signal(SigSet),
    Pid(Pid),
}

impl Fs {
    /// ENFILE where no more can be made.
    pub(crate) fn anon_room(&self, count: usize) -> Result<(), Errno> {
        if self.anons.room() < count || self.files.room() < count {
            return Err(Errno::ENFILE);
        }
        Ok(())
    }

    /// Makes one and opens it as the lowest free descriptor.
    pub(crate) fn open_anon<H: Host>(
        &mut self,
        port: &Port<'_, H>,
        kind: Kind,
        flags: u32,
        cloexec: bool,
    ) -> Result<i64, Errno> {
        let fd = self.free_fd(port, 0)?;
        self.anon_room(1)?;
        let owner = match kind {
            Kind::Socket(_) => port.who.ids(),
            _ => (0, 0),
        };
        self.signalfds += usize::from(matches!(kind, Kind::Signal(_)));
        let anon = self.anons.insert(Anon {
            holds: 0,
            owner,
            kind,
        });
        self.open_as(port, fd, anon.ok_or(Errno::ENFILE)?, flags, cloexec)
    }

    /// Opens one that is there, as a descriptor that is free; there is room for the file.
    pub(crate) fn open_as<H: Host>(
        &mut self,
        port: &Port<'_, H>,
        fd: i32,
        anon: u32,
        flags: u32,
        cloexec: bool,
    ) -> Result<i64, Errno> {
        let file = self.add_file(Node::Anon(anon), flags, Box::default())?;
        self.hold_file(file);
        self.set_fd(port.task, fd, Fd { file, cloexec })?;
        Ok(i64::from(fd))
    }

    pub(crate) fn release_anon(&mut self, id: u32) {
        self.anons[id].holds -= 1;
        if self.anons[id].holds > 0 {
            return;
        }
        let anon = self.anons.remove(id).expect("it was just used");
        match anon.kind {
            Kind::Socket(socket) => self.release_socket(id, socket),
            Kind::Epoll(epoll) => self.release_epoll(epoll),
            Kind::Master(master) => self.release_master(&master),
            Kind::Signal(_) => self.signalfds -= 1,
            Kind::Event(_) | Kind::Timer(_) | Kind::Pid(_) => {}
        }
        self.dirty = true;
    }

    /// Reads or writes one; none while it has to wait.
    pub(crate) fn attempt_anon<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        io: &mut Io,
        ahead: usize,
    ) -> Result<Option<i64>, Errno> {
        match (&mut self.anons[id].kind, io.write) {
            (Kind::Event(counter), write) => {
                let result = if write {
                    counter.write(port, io)
                } else {
                    counter.read(port, io)
                };
                self.dirty |= matches!(result, Ok(Some(_)));
                result
            }
            (Kind::Timer(timer), false) => timer.read(port, io),
            (Kind::Master(master), write) => {
                let tty = master.tty();
                match write {
                    true => self.write_master(port, tty, io),
                    false => self.read_master(port, tty, io),
                }
            }
            (Kind::Socket(_), false) => self.read_socket(port, id, io),
            (Kind::Socket(_), true) => self.write_socket(port, id, io, ahead),
            (&mut Kind::Signal(mask), false) => self.read_signals(port, mask, io),
            (Kind::Timer(_) | Kind::Epoll(_) | Kind::Signal(_) | Kind::Pid(_), _) => {
                Err(Errno::EINVAL)
            }
        }
    }

    /// What one is ready for, as poll's bits.
    pub(crate) fn anon_readiness(&self, task: TaskId, id: u32) -> u32 {
        match &self.anons[id].kind {
            Kind::Event(counter) => counter.readiness(),
            Kind::Timer(timer) if timer.ticks > 0 => READABLE,
            Kind::Timer(_) => 0,
            Kind::Epoll(epoll) if self.any_ready(task, epoll) => READABLE,
            Kind::Epoll(_) => 0,
            Kind::Socket(socket) => self.socket_readiness(id, socket),
            Kind::Master(master) => self.master_readiness(master),
            Kind::Signal(mask) => self.signal_readiness(task, *mask),
            Kind::Pid(pid) => pid.readiness(),
        }
    }

    /// How often something has come to read, and how often there was new room to write.
    pub(crate) fn anon_activity(&self, id: u32) -> (u64, u64) {
        match &self.anons[id].kind {
            Kind::Event(counter) => (counter.activity, counter.activity),
            Kind::Timer(timer) => (timer.activity, 0),
            Kind::Epoll(_) => (0, 0),
            Kind::Signal(_) => (self.signals_seen, 0),
            Kind::Pid(pid) => (pid.life as u64, 0),
            Kind::Socket(socket) => self.socket_activity(socket),
            Kind::Master(master) => self.master_activity(master),
        }
    }

    /// The terminal whose master a node is.
    pub(crate) fn master_of(&self, node: Node) -> Option<u32> {
        let Node::Anon(id) = node else { return None };
        match &self.anons[id].kind {
            Kind::Master(master) => Some(master.tty()),
            _ => None,
        }
    }

    /// Whether lseek(2) does nothing there, rather than being refused.
    pub(crate) fn ignores_seeks(&self, id: u32) -> bool {
        match self.anons[id].kind {
            Kind::Event(_) | Kind::Timer(_) | Kind::Epoll(_) | Kind::Signal(_) => true,
            Kind::Socket(_) | Kind::Master(_) | Kind::Pid(_) => false,
        }
    }

    /// st_mode.
    pub(crate) fn anon_mode(&self, id: u32) -> u32 {
        match self.anons[id].kind {
            Kind::Socket(_) => S_IFSOCK | 0o777,
            Kind::Master(_) => S_IFCHR | 0o666,
            Kind::Pid(_) => 0o700,
            _ => 0o600,
        }
    }

    /// How Linux would write its path.
    pub(crate) fn anon_path(&self, id: u32) -> String {
        match self.anons[id].kind {
            Kind::Event(_) => "anon_inode:[eventfd]".into(),
            Kind::Timer(_) => "anon_inode:[timerfd]".into(),
            Kind::Epoll(_) => "anon_inode:[eventpoll]".into(),
            Kind::Signal(_) => "anon_inode:[signalfd]".into(),
            Kind::Pid(_) => "anon_inode:[pidfd]".into(),
            Kind::Master(_) => "/dev/ptmx".into(),
            Kind::Socket(_) => format!("socket:[{}]", self.ino(Node::Anon(id))),
        }
    }
}
