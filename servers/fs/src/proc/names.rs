//! The names in the directories of /proc.

use super::{ProcNode, SystemFile, TaskFile};
use crate::Fs;
use crate::host::{Host, Port};
use crate::tree::Node;
use abi::Errno;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The positions of tids begin here; before them are the fixed names.
const TASKS: u64 = 256;

const ROOT_NAMES: &[(&str, ProcNode)] = &[
    ("self", ProcNode::SelfLink),
    ("thread-self", ProcNode::ThreadSelf),
    ("cmdline", ProcNode::System(SystemFile::Cmdline)),
    ("cpuinfo", ProcNode::System(SystemFile::Cpuinfo)),
    ("filesystems", ProcNode::System(SystemFile::Filesystems)),
    ("loadavg", ProcNode::System(SystemFile::Loadavg)),
    ("meminfo", ProcNode::System(SystemFile::Meminfo)),
    ("mounts", ProcNode::MountsLink),
    ("stat", ProcNode::System(SystemFile::Stat)),
    ("stillpoint", ProcNode::System(SystemFile::Stillpoint)),
    ("sys", ProcNode::Sys),
    ("uptime", ProcNode::System(SystemFile::Uptime)),
    ("version", ProcNode::System(SystemFile::Version)),
];

const SYS_NAMES: &[(&str, ProcNode)] = &[("kernel", ProcNode::SysKernel)];

const KERNEL_NAMES: &[(&str, ProcNode)] = &[
    ("core_pattern", ProcNode::System(SystemFile::CorePattern)),
    ("core_uses_pid", ProcNode::System(SystemFile::CoreUsesPid)),
    ("hostname", ProcNode::System(SystemFile::Hostname)),
    ("ngroups_max", ProcNode::System(SystemFile::NgroupsMax)),
    ("osrelease", ProcNode::System(SystemFile::Osrelease)),
    ("ostype", ProcNode::System(SystemFile::Ostype)),
    ("pid_max", ProcNode::System(SystemFile::PidMax)),
    (
        "randomize_va_space",
        ProcNode::System(SystemFile::RandomizeVaSpace),
    ),
    ("version", ProcNode::System(SystemFile::KernelVersion)),
];

const TASK_FILES: &[TaskFile] = &[
    TaskFile::Auxv,
    TaskFile::Cmdline,
    TaskFile::Comm,
    TaskFile::CoredumpFilter,
    TaskFile::Environ,
    TaskFile::Limits,
    TaskFile::Maps,
    TaskFile::Mem,
    TaskFile::Mountinfo,
    TaskFile::Mounts,
    TaskFile::OomScoreAdj,
    TaskFile::Stat,
    TaskFile::Statm,
    TaskFile::Status,
    TaskFile::Wchan,
];

/// The node of a tid.
type OfTask = fn(u32) -> ProcNode;

/// What else a task's directory has.
const TASK_NAMES: &[(&str, OfTask)] = &[
    ("cwd", ProcNode::Cwd),
    ("exe", ProcNode::Exe),
    ("fd", ProcNode::Fds),
    ("fdinfo", ProcNode::FdInfos),
    ("root", ProcNode::RootLink),
    ("task", ProcNode::Threads),
];

impl TaskFile {
    pub fn name(self) -> &'static str {
        match self {
            TaskFile::Auxv => "auxv",
            TaskFile::Cmdline => "cmdline",
            TaskFile::Comm => "comm",
            TaskFile::CoredumpFilter => "coredump_filter",
            TaskFile::Environ => "environ",
            TaskFile::Limits => "limits",
            TaskFile::Maps => "maps",
            TaskFile::Mem => "mem",
            TaskFile::Mountinfo => "mountinfo",
            TaskFile::Mounts => "mounts",
            TaskFile::OomScoreAdj => "oom_score_adj",
            TaskFile::Stat => "stat",
            TaskFile::Statm => "statm",
            TaskFile::Status => "status",
            TaskFile::Wchan => "wchan",
        }
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
        if hidden(port, dir) {
            return Ok(None);
        }
        let number = || -> Option<u32> {
            let number: u32 = core::str::from_utf8(name).ok()?.parse().ok()?;
            // 007 is no task, and +7 none either.
            (format!("{number}").as_bytes() == name).then_some(number)
        };
        let fixed = |names: &[(&str, ProcNode)]| {
            let named = names.iter().find(|(own, _)| own.as_bytes() == name);
            named.map(|&(_, node)| node)
        };
        let open = |tid| {
            let fd = number().and_then(|fd| i32::try_from(fd).ok())?;
            self.fd_of(tid, fd).map(|_| fd)
        };
        let found = match dir {
            ProcNode::Root => match (fixed(ROOT_NAMES), number()) {
                (None, Some(tid)) if port.status(tid).is_ok() => Some(ProcNode::Task(tid)),
                (found, _) => found,
            },
            ProcNode::Sys => fixed(SYS_NAMES),
            ProcNode::SysKernel => fixed(KERNEL_NAMES),
            ProcNode::Task(tid) => {
                let file = TASK_FILES.iter().find(|f| f.name().as_bytes() == name);
                let other = TASK_NAMES.iter().find(|(own, _)| own.as_bytes() == name);
                file.map(|&file| ProcNode::File(tid, file))
                    .or(other.map(|(_, node)| node(tid)))
            }
            ProcNode::Threads(tid) => match number() {
                Some(number) => {
                    let tgid = port.status(tid)?.tgid;
                    let own = port.status(number).is_ok_and(|task| task.tgid == tgid);
                    own.then_some(ProcNode::Task(number))
                }
                None => None,
            },
            ProcNode::Fds(tid) => open(tid).map(|fd| ProcNode::Fd(tid, fd)),
            ProcNode::FdInfos(tid) => open(tid).map(|fd| ProcNode::FdInfo(tid, fd)),
            _ => return Err(Errno::ENOTDIR),
        };
        Ok(found.map(Node::Proc))
    }

    /// The names in a directory of /proc, each at a position of its own behind `from`; of very
    /// many tasks the first ones.
    pub(crate) fn proc_list<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        dir: ProcNode,
        from: u64,
    ) -> Vec<(u64, String, ProcNode)> {
        if hidden(port, dir) {
            return Vec::new();
        }
        let mut list: Vec<(u64, String, ProcNode)> = match dir {
            ProcNode::Root => fixed(ROOT_NAMES),
            ProcNode::Sys => fixed(SYS_NAMES),
            ProcNode::SysKernel => fixed(KERNEL_NAMES),
            ProcNode::Task(tid) => {
                let files = TASK_FILES.iter();
                let files = files.map(|&file| (file.name(), ProcNode::File(tid, file)));
                let others = TASK_NAMES.iter().map(|&(name, node)| (name, node(tid)));
                (2..)
                    .zip(files.chain(others))
                    .map(|(position, (name, node))| (position, name.into(), node))
                    .collect()
            }
            ProcNode::Fds(tid) => self.fd_list(tid, ProcNode::Fd),
            ProcNode::FdInfos(tid) => self.fd_list(tid, ProcNode::FdInfo),
            _ => Vec::new(),
        };
        list.retain(|&(position, ..)| position >= from);
        let process = match dir {
            ProcNode::Root => Some(0),
            ProcNode::Threads(tid) => Some(tid),
            _ => None,
        };
        if let Some(process) = process {
            let from = from.saturating_sub(TASKS) as u32;
            let tids = port.tids(process, from).unwrap_or_default();
            list.extend(tids.into_iter().map(|tid| {
                let position = TASKS + u64::from(tid);
                (position, format!("{tid}"), ProcNode::Task(tid))
            }));
        }
        list
    }

    fn fd_list(&self, tid: u32, node: fn(u32, i32) -> ProcNode) -> Vec<(u64, String, ProcNode)> {
        let table = self.by_tid(tid).map(|task| &self.tables[task.table]);
        let fds = table.into_iter().flat_map(|table| table.iter());
        fds.map(|(fd, _)| (2 + fd as u64, format!("{fd}"), node(tid, fd)))
            .collect()
    }

    pub(super) fn fd_of(&self, tid: u32, fd: i32) -> Option<u32> {
        Some(self.tables[self.by_tid(tid)?.table].get(fd)?.file)
    }
}

/// Whether a directory is of a task that is gone, or that the viewer does not see: a descriptor may
/// have been opened by somebody who did.
fn hidden<H: Host>(port: &mut Port<'_, H>, dir: ProcNode) -> bool {
    dir.tid().is_some_and(|tid| port.status(tid).is_err())
}

fn fixed(names: &[(&str, ProcNode)]) -> Vec<(u64, String, ProcNode)> {
    (2..)
        .zip(names)
        .map(|(position, &(name, node))| (position, name.into(), node))
        .collect()
}
