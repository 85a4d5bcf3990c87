//! /proc: what it has is made up when somebody looks.

use crate::Fs;
use crate::host::{Host, Port};
use crate::task::Task;
use crate::tree::Node;
use abi::fs::TaskStatus;
use abi::linux::general::{S_IFDIR, S_IFLNK, S_IFREG};
use abi::{Errno, TaskId};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A file of /proc. Tasks are named by tid, as in its paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProcNode {
    Root,
    SelfLink,
    ThreadSelf,
    Uptime,
    Version,
    Mounts,
    Task(u32),
    Threads(u32),
    Comm(u32),
    Stat(u32),
    Status(u32),
    Cmdline(u32),
    Exe(u32),
    Cwd(u32),
    RootLink(u32),
    Fds(u32),
    Fd(u32, i32),
}

/// Where a symbolic link leads: most say it, those of /proc/PID just know.
pub(crate) enum Target {
    Text(Vec<u8>),
    Node(Node),
}

const ROOT_NAMES: &[(&str, ProcNode)] = &[
    ("self", ProcNode::SelfLink),
    ("thread-self", ProcNode::ThreadSelf),
    ("uptime", ProcNode::Uptime),
    ("version", ProcNode::Version),
    ("mounts", ProcNode::Mounts),
];

/// What /proc/mounts says.
const MOUNTS: &str = "archive / ramfs ro 0 0\ndevtmpfs /dev devtmpfs rw 0 0\n\
                      proc /proc proc rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n";

/// The node of a tid.
type TaskFile = fn(u32) -> ProcNode;

/// What a task's directory has.
const TASK_NAMES: &[(&str, TaskFile)] = &[
    ("cmdline", ProcNode::Cmdline),
    ("comm", ProcNode::Comm),
    ("cwd", ProcNode::Cwd),
    ("exe", ProcNode::Exe),
    ("fd", ProcNode::Fds),
    ("root", ProcNode::RootLink),
    ("stat", ProcNode::Stat),
    ("status", ProcNode::Status),
    ("task", ProcNode::Threads),
];

impl ProcNode {
    pub fn parent(self) -> Node {
        match self {
            ProcNode::Root => Node::Inode(crate::tree::ROOT),
            ProcNode::Fds(tid) | ProcNode::Threads(tid) => Node::Proc(ProcNode::Task(tid)),
            ProcNode::Fd(tid, _) => Node::Proc(ProcNode::Fds(tid)),
            _ => Node::Proc(ProcNode::Root),
        }
    }

    /// Type and permissions as in st_mode.
    pub fn mode(self) -> u32 {
        match self {
            ProcNode::Root | ProcNode::Task(_) | ProcNode::Threads(_) => S_IFDIR | 0o555,
            ProcNode::Fds(_) => S_IFDIR | 0o500,
            ProcNode::Fd(..) => S_IFLNK | 0o700,
            ProcNode::SelfLink
            | ProcNode::ThreadSelf
            | ProcNode::Exe(_)
            | ProcNode::Cwd(_)
            | ProcNode::RootLink(_) => S_IFLNK | 0o777,
            _ => S_IFREG | 0o444,
        }
    }

    /// Its path.
    pub fn path(self) -> String {
        let task = |tid: u32, name: &str| format!("/proc/{tid}{name}");
        match self {
            ProcNode::Root => "/proc".into(),
            ProcNode::SelfLink => "/proc/self".into(),
            ProcNode::ThreadSelf => "/proc/thread-self".into(),
            ProcNode::Uptime => "/proc/uptime".into(),
            ProcNode::Version => "/proc/version".into(),
            ProcNode::Mounts => "/proc/mounts".into(),
            ProcNode::Task(tid) => task(tid, ""),
            ProcNode::Threads(tid) => task(tid, "/task"),
            ProcNode::Comm(tid) => task(tid, "/comm"),
            ProcNode::Stat(tid) => task(tid, "/stat"),
            ProcNode::Status(tid) => task(tid, "/status"),
            ProcNode::Cmdline(tid) => task(tid, "/cmdline"),
            ProcNode::Exe(tid) => task(tid, "/exe"),
            ProcNode::Cwd(tid) => task(tid, "/cwd"),
            ProcNode::RootLink(tid) => task(tid, "/root"),
            ProcNode::Fds(tid) => task(tid, "/fd"),
            ProcNode::Fd(tid, fd) => format!("/proc/{tid}/fd/{fd}"),
        }
    }

    /// A number of its own for st_ino.
    pub fn ino(self) -> u64 {
        let (kind, tid, fd) = match self {
            ProcNode::Root => (1, 0, 0),
            ProcNode::SelfLink => (2, 0, 0),
            ProcNode::ThreadSelf => (3, 0, 0),
            ProcNode::Uptime => (4, 0, 0),
            ProcNode::Version => (5, 0, 0),
            ProcNode::Mounts => (6, 0, 0),
            ProcNode::Task(tid) => (7, tid, 0),
            ProcNode::Threads(tid) => (8, tid, 0),
            ProcNode::Comm(tid) => (9, tid, 0),
            ProcNode::Stat(tid) => (10, tid, 0),
            ProcNode::Status(tid) => (11, tid, 0),
            ProcNode::Cmdline(tid) => (12, tid, 0),
            ProcNode::Exe(tid) => (13, tid, 0),
            ProcNode::Cwd(tid) => (14, tid, 0),
            ProcNode::RootLink(tid) => (15, tid, 0),
            ProcNode::Fds(tid) => (16, tid, 0),
            ProcNode::Fd(tid, fd) => (17, tid, fd as u64),
        };
        fd << 40 | u64::from(tid) << 8 | kind
    }
}

impl Fs {
    /// What a name stands for in a directory of /proc.
    pub(crate) fn proc_lookup<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        dir: ProcNode,
        name: &[u8],
    ) -> Result<Option<Node>, Errno> {
        let number = || -> Option<u32> {
            let number: u32 = core::str::from_utf8(name).ok()?.parse().ok()?;
            // 007 is no task, and +7 none either.
            (format!("{number}").as_bytes() == name).then_some(number)
        };
        let found = match dir {
            ProcNode::Root => {
                let named = ROOT_NAMES.iter().find(|(own, _)| own.as_bytes() == name);
                match (named, number()) {
                    (Some(&(_, node)), _) => Some(node),
                    (None, Some(tid)) if self.exists(port, tid) => Some(ProcNode::Task(tid)),
                    _ => None,
                }
            }
            ProcNode::Task(tid) => TASK_NAMES
                .iter()
                .find(|(own, _)| own.as_bytes() == name)
                .map(|(_, node)| node(tid)),
            ProcNode::Threads(tgid) => number()
                .filter(|&tid| self.by_tid(tid).is_some_and(|task| task.tgid == tgid))
                .map(ProcNode::Task),
            ProcNode::Fds(tid) => number()
                .and_then(|fd| i32::try_from(fd).ok())
                .filter(|&fd| self.fd_of(tid, fd).is_some())
                .map(|fd| ProcNode::Fd(tid, fd)),
            _ => return Err(Errno::ENOTDIR),
        };
        Ok(found.map(Node::Proc))
    }

    /// The names in a directory of /proc, each at a position of its own behind `from`.
    pub(crate) fn proc_list(&self, dir: ProcNode, from: u64) -> Vec<(u64, String, ProcNode)> {
        const TASKS: u64 = 256;
        let mut list = Vec::new();
        let mut add = |position: u64, name: String, node| {
            if position >= from {
                list.push((position, name, node));
            }
        };
        match dir {
            ProcNode::Root => {
                for (position, &(name, node)) in (2..).zip(ROOT_NAMES) {
                    add(position, name.into(), node);
                }
                for task in self.tasks.values().filter(|task| task.tid == task.tgid) {
                    let position = TASKS + u64::from(task.tid);
                    add(position, format!("{}", task.tid), ProcNode::Task(task.tid));
                }
            }
            ProcNode::Task(tid) => {
                for (position, (name, node)) in (2..).zip(TASK_NAMES) {
                    add(position, (*name).into(), node(tid));
                }
            }
            ProcNode::Threads(tgid) => {
                for task in self.tasks.values().filter(|task| task.tgid == tgid) {
                    let position = TASKS + u64::from(task.tid);
                    add(position, format!("{}", task.tid), ProcNode::Task(task.tid));
                }
            }
            ProcNode::Fds(tid) => {
                if let Some(task) = self.by_tid(tid) {
                    for (fd, _) in self.tables[task.table].iter() {
                        add(2 + fd as u64, format!("{fd}"), ProcNode::Fd(tid, fd));
                    }
                }
            }
            _ => {}
        }
        list.sort_by_key(|&(position, ..)| position);
        list
    }

    /// Where a symbolic link of /proc leads.
    pub(crate) fn proc_target(&self, viewer: TaskId, node: ProcNode) -> Result<Target, Errno> {
        let viewer = self.tasks.get(&viewer).ok_or(Errno::ESRCH)?;
        let task = |tid: u32| -> Result<&Task, Errno> { self.by_tid(tid).ok_or(Errno::ENOENT) };
        let text = |text: String| Ok(Target::Text(text.into_bytes()));
        match node {
            ProcNode::SelfLink => text(format!("{}", viewer.tgid)),
            ProcNode::ThreadSelf => text(format!("{}/task/{}", viewer.tgid, viewer.tid)),
            ProcNode::Exe(tid) => {
                let exe = task(tid)?.exe.ok_or(Errno::ENOENT)?;
                Ok(Target::Node(Node::Inode(exe)))
            }
            ProcNode::Cwd(tid) => Ok(Target::Node(self.contexts[task(tid)?.context].cwd)),
            ProcNode::RootLink(tid) => {
                task(tid)?;
                Ok(Target::Node(Node::Inode(crate::tree::ROOT)))
            }
            ProcNode::Fd(tid, fd) => {
                let file = self.fd_of(tid, fd).ok_or(Errno::ENOENT)?;
                Ok(Target::Node(self.files[file].node))
            }
            _ => Err(Errno::EINVAL),
        }
    }

    /// What a file of /proc says now.
    pub(crate) fn proc_text<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        node: ProcNode,
    ) -> Result<String, Errno> {
        match node {
            ProcNode::Uptime => {
                let (monotonic, _) = port.time()?;
                let hundredths = monotonic / 10_000_000;
                let (seconds, hundredths) = (hundredths / 100, hundredths % 100);
                Ok(format!("{seconds}.{hundredths:02} 0.00\n"))
            }
            ProcNode::Version => Ok("Linux version 6.1.0 (Stillpoint on seL4)\n".into()),
            ProcNode::Mounts => Ok(MOUNTS.into()),
            ProcNode::Comm(tid) => Ok(format!("{}\n", comm(&port.status(tid)?))),
            ProcNode::Stat(tid) => Ok(stat(&port.status(tid)?)),
            ProcNode::Status(tid) => {
                let status = port.status(tid)?;
                let threads = self.tasks.values().filter(|task| task.tgid == status.tgid);
                Ok(status_text(&status, threads.count()))
            }
            ProcNode::Cmdline(tid) => {
                port.status(tid)?;
                Ok(String::new())
            }
            _ => Err(Errno::EINVAL),
        }
    }

    fn fd_of(&self, tid: u32, fd: i32) -> Option<u32> {
        Some(self.tables[self.by_tid(tid)?.table].get(fd)?.file)
    }

    fn exists<H: Host>(&self, port: &mut Port<'_, H>, tid: u32) -> bool {
        self.by_tid(tid).is_some() || port.status(tid).is_ok()
    }
}

fn comm(status: &TaskStatus) -> String {
    let len = status.comm.iter().position(|&b| b == 0).unwrap_or(16);
    String::from_utf8_lossy(&status.comm[..len]).into_owned()
}

/// proc_pid_stat(5): 52 fields, 0 where nothing is known.
fn stat(status: &TaskStatus) -> String {
    let ticks = status.cpu / 10_000_000;
    let mut text = format!(
        "{} ({}) {} {} {} {} 0 -1 0 0 0 0 0 {} 0 0 0 20 0 1 0 0 {} {}",
        status.tid,
        comm(status),
        char::from(status.state),
        status.ppid,
        status.pgid,
        status.sid,
        ticks,
        status.mapped,
        status.resident / 4096,
    );
    // Field 25, the limit of resident memory, has none; 38 is the exit signal.
    text.push_str(" 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
    text
}

/// proc_pid_status(5), what debuggers read of it.
fn status_text(status: &TaskStatus, threads: usize) -> String {
    let state = match status.state {
        b'R' => "R (running)",
        b'S' => "S (sleeping)",
        b'D' => "D (disk sleep)",
        b'T' => "T (stopped)",
        b't' => "t (tracing stop)",
        b'Z' => "Z (zombie)",
        _ => "X (dead)",
    };
    let (uid, gid) = (status.uid, status.gid);
    format!(
        "Name:\t{}\nState:\t{state}\nTgid:\t{}\nPid:\t{}\nPPid:\t{}\nTracerPid:\t{}\n\
         Uid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t{gid}\t{gid}\t{gid}\t{gid}\n\
         VmSize:\t{:8} kB\nVmRSS:\t{:8} kB\nThreads:\t{}\n",
        comm(status),
        status.tgid,
        status.tid,
        status.ppid,
        status.tracer,
        status.mapped / 1024,
        status.resident / 1024,
        threads.max(1),
    )
}
