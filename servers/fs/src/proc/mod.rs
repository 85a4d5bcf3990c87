//! /proc: what it has is made up when somebody looks.

mod counts;
mod links;
mod maps;
pub(crate) mod memory;
mod names;
mod status;
mod system;

use crate::Fs;
use crate::host::{Host, Port};
use crate::tree::Node;
use abi::linux::general::{S_IFDIR, S_IFLNK, S_IFREG};
use abi::{Errno, TaskId};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub(crate) use links::Target;
pub(crate) use system::SystemFile;

/// A file of /proc. Tasks are named by tid, as in its paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ProcNode {
    Root,
    SelfLink,
    ThreadSelf,
    /// /proc/mounts, which leads to the viewer's.
    MountsLink,
    /// /proc/sys and /proc/sys/kernel.
    Sys,
    SysKernel,
    System(SystemFile),
    Task(u32),
    Threads(u32),
    File(u32, TaskFile),
    Exe(u32),
    Cwd(u32),
    RootLink(u32),
    Fds(u32),
    Fd(u32, i32),
    FdInfos(u32),
    FdInfo(u32, i32),
}

impl ProcNode {
    /// Whether sendfile(2) and splice(2) take it as their input: as on Linux, what is the system's own, and of what is about a
    /// process its mounts.
    pub(crate) fn can_be_copied(self) -> bool {
        matches!(
            self,
            ProcNode::System(_) | ProcNode::File(_, TaskFile::Mounts | TaskFile::Mountinfo)
        )
    }
}

/// A file in a task's directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TaskFile {
    Auxv,
    Cmdline,
    Comm,
    CoredumpFilter,
    Environ,
    Limits,
    Maps,
    Mem,
    Mountinfo,
    Mounts,
    OomScoreAdj,
    Stat,
    Statm,
    Status,
    Wchan,
}

impl ProcNode {
    pub fn parent(self) -> Node {
        match self {
            ProcNode::Root => Node::Inode(crate::tree::ROOT),
            ProcNode::Fds(tid)
            | ProcNode::FdInfos(tid)
            | ProcNode::Threads(tid)
            | ProcNode::File(tid, _) => Node::Proc(ProcNode::Task(tid)),
            ProcNode::Fd(tid, _) => Node::Proc(ProcNode::Fds(tid)),
            ProcNode::FdInfo(tid, _) => Node::Proc(ProcNode::FdInfos(tid)),
            ProcNode::SysKernel => Node::Proc(ProcNode::Sys),
            _ => Node::Proc(ProcNode::Root),
        }
    }

    /// Type and permissions as in st_mode.
    pub fn mode(self) -> u32 {
        match self {
            ProcNode::Root
            | ProcNode::Task(_)
            | ProcNode::Threads(_)
            | ProcNode::Sys
            | ProcNode::SysKernel => S_IFDIR | 0o555,
            ProcNode::Fds(_) => S_IFDIR | 0o500,
            ProcNode::FdInfos(_) => S_IFDIR | 0o555,
            // Each as its file was opened, which the descriptor knows.
            ProcNode::Fd(..) => S_IFLNK | 0o500,
            ProcNode::SelfLink
            | ProcNode::ThreadSelf
            | ProcNode::MountsLink
            | ProcNode::Exe(_)
            | ProcNode::Cwd(_)
            | ProcNode::RootLink(_) => S_IFLNK | 0o777,
            ProcNode::File(_, TaskFile::Auxv | TaskFile::Environ) => S_IFREG | 0o400,
            ProcNode::File(_, TaskFile::Mem) => S_IFREG | 0o600,
            ProcNode::File(
                _,
                TaskFile::Comm | TaskFile::CoredumpFilter | TaskFile::OomScoreAdj,
            ) => S_IFREG | 0o644,
            ProcNode::System(SystemFile::CorePattern | SystemFile::CoreUsesPid) => S_IFREG | 0o644,
            ProcNode::System(SystemFile::Stillpoint) => S_IFREG | 0o400,
            ProcNode::FdInfo(..) | ProcNode::System(_) | ProcNode::File(..) => S_IFREG | 0o444,
        }
    }

    /// The task it tells of.
    pub fn tid(self) -> Option<u32> {
        match self {
            ProcNode::Task(tid)
            | ProcNode::Threads(tid)
            | ProcNode::File(tid, _)
            | ProcNode::Exe(tid)
            | ProcNode::Cwd(tid)
            | ProcNode::RootLink(tid)
            | ProcNode::Fds(tid)
            | ProcNode::Fd(tid, _)
            | ProcNode::FdInfos(tid)
            | ProcNode::FdInfo(tid, _) => Some(tid),
            _ => None,
        }
    }

    /// Its path.
    pub fn path(self) -> String {
        let task = |tid: u32, name: &str| format!("/proc/{tid}/{name}");
        match self {
            ProcNode::Root => "/proc".into(),
            ProcNode::SelfLink => "/proc/self".into(),
            ProcNode::ThreadSelf => "/proc/thread-self".into(),
            ProcNode::MountsLink => "/proc/mounts".into(),
            ProcNode::Sys => "/proc/sys".into(),
            ProcNode::SysKernel => "/proc/sys/kernel".into(),
            ProcNode::System(file) => format!("/proc/{}", file.path()),
            ProcNode::Task(tid) => format!("/proc/{tid}"),
            ProcNode::Threads(tid) => task(tid, "task"),
            ProcNode::File(tid, file) => task(tid, file.name()),
            ProcNode::Exe(tid) => task(tid, "exe"),
            ProcNode::Cwd(tid) => task(tid, "cwd"),
            ProcNode::RootLink(tid) => task(tid, "root"),
            ProcNode::Fds(tid) => task(tid, "fd"),
            ProcNode::Fd(tid, fd) => format!("/proc/{tid}/fd/{fd}"),
            ProcNode::FdInfos(tid) => task(tid, "fdinfo"),
            ProcNode::FdInfo(tid, fd) => format!("/proc/{tid}/fdinfo/{fd}"),
        }
    }

    /// A number of its own for st_ino.
    pub fn ino(self) -> u64 {
        let (kind, fd) = match self {
            ProcNode::Root => (1, 0),
            ProcNode::SelfLink => (2, 0),
            ProcNode::ThreadSelf => (3, 0),
            ProcNode::MountsLink => (4, 0),
            ProcNode::Sys => (5, 0),
            ProcNode::SysKernel => (6, 0),
            ProcNode::Task(_) => (7, 0),
            ProcNode::Threads(_) => (8, 0),
            ProcNode::Exe(_) => (9, 0),
            ProcNode::Cwd(_) => (10, 0),
            ProcNode::RootLink(_) => (11, 0),
            ProcNode::Fds(_) => (12, 0),
            ProcNode::Fd(_, fd) => (13, fd as u64),
            ProcNode::FdInfos(_) => (14, 0),
            ProcNode::FdInfo(_, fd) => (15, fd as u64),
            ProcNode::File(_, file) => (32 + file as u64, 0),
            ProcNode::System(file) => (64 + file as u64, 0),
        };
        fd << 40 | u64::from(self.tid().unwrap_or(0)) << 8 | kind
    }
}

impl Fs {
    /// Whose memory a file of /proc shows that is being opened, or 0: it goes on showing that,
    /// whatever the task becomes. ESRCH or EACCES where it is not for this viewer.
    pub(crate) fn proc_open<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        node: ProcNode,
    ) -> Result<u64, Errno> {
        use TaskFile::{Auxv, Environ, Maps, Mem};
        let Some(tid) = node.tid() else { return Ok(0) };
        let memory = port.status(tid)?.memory;
        match node {
            ProcNode::File(_, Auxv | Environ | Maps | Mem) => {
                self.may_look_into(port, tid)?;
                Ok(memory)
            }
            ProcNode::FdInfo(..) => self.may_look_into(port, tid).map(|()| 0),
            _ => Ok(0),
        }
    }

    /// EACCES where a viewer must not look into a task.
    pub(crate) fn may_look_into<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        tid: u32,
    ) -> Result<(), Errno> {
        if self.same_process(port.task, tid) {
            return Ok(());
        }
        port.may_access(tid, false)
    }

    /// The user and group that a node of /proc belongs to: its task's, but root's where even the
    /// task's own user may not look into it.
    pub(crate) fn proc_owner<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        node: ProcNode,
    ) -> Result<(u32, u32), Errno> {
        let Some(tid) = node.tid() else {
            return Ok((0, 0));
        };
        let status = port.status(tid)?;
        let open = self.proc_mode(node) == S_IFDIR | 0o555;
        if open || status.dumpable {
            return Ok((status.uid[1], status.gid[1]));
        }
        Ok((0, 0))
    }

    /// Type and permissions of a node of /proc as in st_mode.
    pub(crate) fn proc_mode(&self, node: ProcNode) -> u32 {
        if let ProcNode::Fd(tid, fd) = node
            && let Some(file) = self.fd_of(tid, fd)
        {
            let file = &self.files[file];
            let read = if file.readable() { 0o400 } else { 0 };
            let write = if file.writable() { 0o200 } else { 0 };
            return S_IFLNK | 0o100 | read | write;
        }
        node.mode()
    }

    /// What a file of /proc says now.
    pub(crate) fn proc_text<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        node: ProcNode,
        memory: u64,
    ) -> Result<Vec<u8>, Errno> {
        let text = match node {
            ProcNode::System(SystemFile::CorePattern) => {
                let pattern = String::from_utf8_lossy(&self.core_name.pattern);
                format!("{pattern}\n")
            }
            ProcNode::System(SystemFile::CoreUsesPid) => {
                format!("{}\n", u8::from(self.core_name.uses_pid))
            }
            ProcNode::System(SystemFile::Stillpoint) => self.counts_text(&port.counts()?),
            ProcNode::System(file) => file.text(port)?,
            ProcNode::FdInfo(tid, fd) => {
                port.status(tid)?;
                self.fdinfo(tid, fd)?
            }
            ProcNode::File(tid, file) => match file {
                TaskFile::Auxv => return port.stretch(tid, memory, |layout| layout.auxiliary),
                TaskFile::Cmdline => {
                    let memory = port.status(tid)?.memory;
                    return port.stretch(tid, memory, |layout| layout.arguments);
                }
                TaskFile::Environ => {
                    return port.stretch(tid, memory, |layout| layout.environment);
                }
                TaskFile::Comm => format!("{}\n", status::comm(&port.status(tid)?)),
                TaskFile::CoredumpFilter => match port.status(tid)? {
                    status if status.mapped == 0 => String::new(),
                    status => format!("{:08x}\n", status.dump_filter),
                },
                TaskFile::Limits => status::limits(&port.limits(tid)?),
                TaskFile::Maps => return self.maps(port, tid, memory),
                TaskFile::Mountinfo => system::MOUNTINFO.into(),
                TaskFile::Mounts => system::MOUNTS.into(),
                TaskFile::OomScoreAdj => "0\n".into(),
                TaskFile::Stat => self.stat_text(port, tid)?,
                TaskFile::Statm => status::statm(&port.status(tid)?),
                TaskFile::Status => self.status_text(port, tid)?,
                // What Linux says when it says nothing.
                TaskFile::Wchan => "0".into(),
                TaskFile::Mem => return Err(Errno::EINVAL),
            },
            _ => return Err(Errno::EINVAL),
        };
        Ok(text.into_bytes())
    }

    /// Writes to a file of /proc: a task's name can be set by its own process, what it dumps by
    /// its user, and how a core is called by the superuser.
    pub(crate) fn write_proc<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        node: ProcNode,
        bytes: &[u8],
    ) -> Result<(), Errno> {
        match node {
            ProcNode::File(tid, TaskFile::Comm) => {
                if !self.same_process(port.task, tid) {
                    return Err(Errno::EINVAL);
                }
                let mut comm = [0; 16];
                // As Linux: cut, and up to a newline that ends it.
                let name = bytes.strip_suffix(b"\n").unwrap_or(bytes);
                for (to, from) in comm[..15].iter_mut().zip(name) {
                    *to = *from;
                }
                port.set_comm(tid, comm)
            }
            ProcNode::File(_, TaskFile::OomScoreAdj) => Ok(()),
            ProcNode::File(tid, TaskFile::CoredumpFilter) => {
                let filter = number(bytes)?;
                // Linux keeps the bits that there are, and leaves those of dead tasks alone.
                match port.status(tid)?.mapped {
                    0 => Ok(()),
                    _ => port.set_dump_filter(tid, filter & 0x1ff),
                }
            }
            ProcNode::System(SystemFile::CorePattern) => self.core_name.set(bytes),
            ProcNode::System(SystemFile::CoreUsesPid) => {
                self.core_name.uses_pid = number(bytes)? != 0;
                Ok(())
            }
            _ => Err(Errno::EIO),
        }
    }

    pub(crate) fn same_process(&self, viewer: TaskId, tid: u32) -> bool {
        match (self.tasks.get(viewer), self.by_tid(tid)) {
            (Some(viewer), Some(task)) => viewer.tgid == task.tgid,
            _ => false,
        }
    }
}

/// A number as Linux's kstrtouint reads it: decimal, 0x or 0 in front of others, a newline behind.
fn number(text: &[u8]) -> Result<u32, Errno> {
    let text = core::str::from_utf8(text).map_err(|_| Errno::EINVAL)?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_prefix('+').unwrap_or(text);
    let lower = text.to_ascii_lowercase();
    let (digits, radix) = match lower.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None if lower.len() > 1 && lower.starts_with('0') => (&lower[1..], 8),
        None => (lower.as_str(), 10),
    };
    if !digits.chars().all(|c| c.is_digit(radix)) || digits.is_empty() {
        return Err(Errno::EINVAL);
    }
    u32::from_str_radix(digits, radix).map_err(|_| Errno::ERANGE)
}
