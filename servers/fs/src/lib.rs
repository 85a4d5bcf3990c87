//! The file server's behaviour, without I/O: the boot archive, /tmp, /dev, /proc, pipes, sockets,
//! event files and terminals, as the system calls of Linux see them.
//!
//! [`Fs::handle`] takes one message of the process manager and does everything that follows from
//! it; whatever has to be done outside is a call of [`Host`]. File contents stay in memory objects
//! and go between them and the tasks without passing through here.
//!
//! Invariants:
//! - nothing waits here: a call that cannot finish is a [`wait::Wait`], tried again after each
//!   change that could let it finish, in the order of arrival;
//! - every table has a named limit, and being full is an errno;
//! - a system call checks everything before it changes anything.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod acl;
mod allocate;
mod anon;
mod archive;
mod attributes;
mod console;
mod copy;
mod coredump;
mod cwd;
mod descriptor;
mod dev;
mod dirent;
mod epoll;
mod eventfd;
mod fdtable;
mod file;
mod host;
mod io;
mod kcmp;
mod limits;
mod locks;
mod memfd;
mod mount;
mod names;
mod open;
mod path;
mod permission;
mod pidfd;
mod pipe;
mod poll;
mod proc;
mod rename;
mod rights;
mod rw;
mod select;
mod signalfd;
mod slab;
mod socket;
mod special;
mod splice;
mod stat;
mod statfs;
mod syscall;
mod task;
mod tasks;
mod timerfd;
mod tmp;
mod tree;
mod tty;
mod wait;
mod xattr;

pub use anon::MAX_ANONS;
pub use fdtable::{MAX_FD_SLOTS, MAX_FDS};
pub use file::MAX_FILES;
pub use host::Host;
pub use locks::MAX_LOCKS;
pub use pipe::{CAPACITY as PIPE_CAPACITY, MAX_PIPES, PIPE_BUF};
pub use socket::{MAX_ALL_PARCELS, MAX_IN_FLIGHT, MAX_PARCELS};
pub use tmp::{MAX_FILE_SIZE, MAX_INODES};
pub use tty::MAX_TTYS;
pub use xattr::MAX_BYTES as MAX_ATTRIBUTE_BYTES;

use abi::Errno;
use abi::fs::{Event, ObjectId, Outcome, Reply, Report};
use abi::task::SLOTS;
use abi::{TaskId, wire};
use alloc::rc::Rc;
use alloc::vec::Vec;
use anon::Anon;
use console::Console;
use coredump::CoreName;
use fdtable::FdTable;
use file::File;
use host::Port;
use locks::Locks;
use pipe::Pipe;
use rights::Rights;
use slab::Slab;
use task::Context;
use tasks::Tasks;
use tree::{Ino, Tree};
use tty::Tty;
use wait::{Flow, Op, Wait};

/// A page of memory, in bytes.
pub(crate) const PAGE: u64 = 4096;

/// The file server.
#[derive(Clone, Hash)]
pub struct Fs {
    tree: Tree,
    files: Slab<File>,
    tables: Slab<FdTable>,
    contexts: Slab<Context>,
    tasks: Tasks,
    /// Places for descriptors in all tables, each as often as it has users.
    fd_slots: usize,
    pipes: Slab<Pipe>,
    anons: Slab<Anon>,
    /// How many of them are signalfds, and how often a signal has come for one.
    signalfds: usize,
    signals_seen: u64,
    ttys: Slab<Tty>,
    /// Pseudo-terminals whose masters were closed: they hang up at the end of the report.
    hang_ups: Vec<u32>,
    console: Console,
    core_name: CoreName,
    waits: Vec<Wait>,
    locks: Locks,
    /// How many parcels there are in connections, and how many places of open files are in
    /// flight with them.
    parcels: usize,
    in_flight: usize,
    /// Holds of open files that were given up, released at the end of the report.
    dropped: Vec<u32>,
    /// Sockets in flight may have lost their last owner.
    astray: bool,
    /// Objects nobody uses any more, given back at the end of the report.
    freed: Vec<ObjectId>,
    /// Files that were written and closed: they get their time at the end of the report.
    closed: Vec<Ino>,
    /// Something changed that a wait may be waiting for.
    dirty: bool,
    /// The deadline the process manager has.
    armed: u64,
    /// An object that is never written: the source of zeros.
    zeros: Option<ObjectId>,
    random: dev::Random,
    /// What tasks may do that are not known.
    root: Rc<Rights>,
    malformed: u64,
}

impl Default for Fs {
    fn default() -> Fs {
        Fs::new()
    }
}

impl Fs {
    /// A file server with the device files, an empty /tmp, and no archive yet.
    pub fn new() -> Fs {
        let mut ttys = Slab::new(MAX_TTYS);
        ttys.insert(Tty::default());
        ttys.insert(Tty::serial());
        Fs {
            tree: Tree::new(),
            files: Slab::new(MAX_FILES),
            // One for each task, so that exec can always have one of its own.
            tables: Slab::new(SLOTS),
            contexts: Slab::new(SLOTS),
            tasks: Tasks::new(),
            fd_slots: 0,
            pipes: Slab::new(MAX_PIPES),
            anons: Slab::new(MAX_ANONS),
            signalfds: 0,
            signals_seen: 0,
            ttys,
            hang_ups: Vec::new(),
            console: Console::default(),
            core_name: CoreName::default(),
            waits: Vec::new(),
            locks: Locks::default(),
            parcels: 0,
            in_flight: 0,
            dropped: Vec::new(),
            astray: false,
            freed: Vec::new(),
            closed: Vec::new(),
            dirty: false,
            armed: u64::MAX,
            zeros: None,
            random: dev::Random::new(0),
            root: Rc::new(Rights::root()),
            malformed: 0,
        }
    }

    /// Reads the archive's index. A corrupt archive is said on the log channel, and what could be
    /// read of it is there.
    pub fn start(&mut self, host: &mut impl Host) {
        let mut port = self.port(host, TaskId::FS, 0);
        let (monotonic, realtime) = port.time().unwrap_or((0, 0));
        self.random = dev::Random::new(realtime ^ monotonic.rotate_left(32));
        self.tree.set_times(realtime);
        self.zeros = port.create().ok();
        if self.read_archive(&mut port).is_err() {
            host.stderr(b"fs: the boot archive is corrupt\n");
        }
        let mut port = self.port(host, TaskId::FS, 0);
        self.read_terminal(&mut port);
    }

    /// The outside as it is used for a report of this task.
    pub(crate) fn port<'h, H: Host>(
        &self,
        host: &'h mut H,
        task: TaskId,
        number: u32,
    ) -> Port<'h, H> {
        let known = self.tasks.get(task).map(|task| &task.rights);
        Port {
            host,
            task,
            number,
            who: Rc::clone(known.unwrap_or(&self.root)),
        }
    }

    /// Handles the answer to [`Call::Next`](abi::fs::Call::Next): the bytes of a [`Reply`] that is
    /// a [`Report`]. Anything else is counted and changes nothing.
    pub fn handle(&mut self, host: &mut impl Host, message: &[u8]) {
        let Ok(Reply::Report(report)) = wire::decode(message) else {
            self.malformed += 1;
            return;
        };
        let mut port = self.port(host, report.task, report.number);
        self.dispatch(&mut port, report);
        loop {
            self.settle_hang_ups(host);
            self.settle_flights();
            self.retry_waits(host);
            if self.hang_ups.is_empty() && self.flights_settled() {
                break;
            }
        }
        self.settle_closed(host);
        for object in core::mem::take(&mut self.freed) {
            host::release(host, object);
        }
        self.arm(host);
    }

    /// How many messages were no report.
    pub fn malformed(&self) -> u64 {
        self.malformed
    }

    /// How many system calls are parked.
    pub fn waiting(&self) -> usize {
        self.waits.len()
    }

    /// The reports it has not completed: which task, which number.
    pub fn kept(&self) -> Vec<(TaskId, u32)> {
        self.waits.iter().map(|w| (w.task, w.number)).collect()
    }

    /// How many of each there are: inodes, open files, descriptor tables, tasks, pipes,
    /// and open files without a name.
    pub fn population(&self) -> [usize; 6] {
        [
            self.tree.len(),
            self.files.len(),
            self.tables.len(),
            self.tasks.len(),
            self.pipes.len(),
            self.anons.len(),
        ]
    }

    fn dispatch<H: Host>(&mut self, port: &mut Port<'_, H>, report: Report<'_>) {
        if let Event::Syscall { .. } | Event::Executed { .. } = report.event
            && let Some(task) = self.tasks.get_mut(port.task)
        {
            task.execs = false;
        }
        let outcome = match report.event {
            Event::Console => return self.console_event(port.host),
            Event::Interrupt => return self.interrupt(port),
            Event::Rights(rights) => return self.take_rights(port, rights),
            Event::Signalled => return self.signalled(),
            Event::Ended { name, reaped } => return self.pid_ended(name, reaped),
            Event::Created {
                parent,
                tid,
                tgid,
                share_files,
                share_fs,
                pidfd,
            } => {
                let share = (share_files, share_fs);
                self.created(port, parent, (tid, tgid), share, pidfd)
            }
            Event::Exited => self.exited(port),
            _ if self.tasks.get(port.task).is_none() => Err(Errno::ESRCH),
            Event::Executed { tid, program, path } => self.executed(port, tid, program, path),
            Event::FindProgram { path, dirfd, flags } => {
                match self.find_program(port, dirfd, path, flags) {
                    Ok(program) => return port.complete(program),
                    Err(errno) => Err(errno),
                }
            }
            Event::Map { fd, shared, write } => match self.map(port.task, fd, shared, write) {
                Ok(file) => return port.complete(file),
                Err(errno) => Err(errno),
            },
            Event::FindPid { fd } => match self.pid_of(port.task, fd) {
                Ok(pid) => return port.complete(pid),
                Err(errno) => Err(errno),
            },
            Event::Core { signo } => match self.core(port, signo) {
                Ok(core) => return port.complete(core),
                Err(errno) => Err(errno),
            },
            Event::CoreWritten { size } => self.core_written(port, size),
            Event::Syscall { nr, args } => match self.syscall(port, nr, args) {
                Ok(Flow::Done(value)) => Ok(value),
                Ok(Flow::Park(op)) => return self.park(port, op),
                Err(errno) => Err(errno),
            },
        };
        port.complete(Outcome::Result(abi::errno::to_rax(outcome)));
    }

    fn park<H: Host>(&mut self, port: &Port<'_, H>, op: Op) {
        self.hold_for(&op);
        self.waits.push(Wait {
            task: port.task,
            number: port.number,
            op,
        });
    }
}
