//! A process: the thread group.

use crate::context::HOST;
use crate::dump::Dump;
use crate::memory::DEFAULT_FILTER;
use crate::posix_timers::PosixTimer;
use crate::ptrace::StopPage;
use crate::signal::action::Actions;
use crate::signal::pending::Pending;
use abi::TaskId;
use abi::fs::{Layout, Usage};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// The index of a process in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessIx(pub u16);

/// Everything the tasks of a process share.
#[derive(Clone, Hash)]
pub struct Process {
    /// Its number: the tid of its leader.
    pub pid: u32,
    /// Its leader.
    pub leader: TaskId,
    /// Every task of it that is not reaped, the leader among them.
    pub tasks: Vec<TaskId>,
    /// Its real parent; the first process has none.
    pub parent: Option<ProcessIx>,
    /// The task of its parent whose child it is, while that is there: who made it, or the leader of
    /// who adopted it. It may ask to be told of that task's end, and __WNOTHREAD asks for it.
    pub parent_task: Option<TaskId>,
    /// Its children, dead ones that nobody waited for among them.
    pub children: Vec<ProcessIx>,
    /// The tasks that one of its tasks traces.
    pub tracees: Vec<TaskId>,
    /// Those of them at stops that nobody has waited for, in the order of their stops.
    pub stops: VecDeque<TaskId>,
    /// Where it is shown their stops, if it has named a page for that.
    pub stop_page: Option<StopPage>,
    /// A child or tracee may have something else to tell a wait.
    pub news: bool,
    /// Process group.
    pub pgid: u32,
    /// Session.
    pub sid: u32,
    /// Its context ([`context`](crate::context)).
    pub context: u32,
    /// What its signals do.
    pub actions: Actions,
    /// Signals sent to the process.
    pub pending: Pending,
    /// Stopped for job control by this signal.
    pub stopped: Option<u8>,
    /// The parent's wait has not seen that it stopped.
    pub stop_unseen: bool,
    /// The parent's wait has not seen that it continued.
    pub continue_unseen: bool,
    /// The parent has not been told that it continued: engines are told first.
    pub continue_untold: bool,
    /// Every task exits with this wait status.
    pub group_exit: Option<i32>,
    /// This task is about to exec: every other one exits.
    pub execing: Option<TaskId>,
    /// It has called execve since its fork; setpgid by its parent is too late.
    pub has_execed: bool,
    /// Which memory a core dump takes (core(5)).
    pub dump_filter: u32,
    /// The core dump under way.
    pub dump: Option<Box<Dump>>,
    /// personality(2).
    pub personality: u32,
    /// Orphans among its descendants become its children.
    pub subreaper: bool,
    /// ITIMER_REAL: the next expiry and the interval, in nanoseconds.
    pub real_timer: Option<(u64, u64)>,
    /// ITIMER_VIRTUAL, ITIMER_PROF and RLIMIT_CPU: the next expiry in CPU time, and the interval.
    pub cpu_timers: [Option<(u64, u64)>; 3],
    /// POSIX timers, at most [`MAX_TIMERS`](crate::posix_timers::MAX_TIMERS).
    pub posix_timers: Vec<PosixTimer>,
    /// The number of the next one.
    pub next_timer: i32,
    /// Resource limits, soft and hard, by RLIMIT_ number.
    pub limits: [(u64, u64); 16],
    /// What its tasks have used that were reaped.
    pub usage_gone: Usage,
    /// What its children have used that it waited for.
    pub usage_children: Usage,
    /// The most memory it had in spaces that are gone, in bytes.
    pub peak_gone: u64,
    /// The most memory one of its children had.
    pub peak_children: u64,
    /// Where its program's parts lie in its memory, for /proc.
    pub layout: Layout,
    /// The path of its program, as it was given.
    pub exec_path: Vec<u8>,
}

/// No limit.
pub const RLIM_INFINITY: u64 = u64::MAX;

/// The limits a program starts with, as a Linux distribution sets them for root.
pub fn first_limits() -> [(u64, u64); 16] {
    use abi::linux::general as g;
    let mut limits = [(RLIM_INFINITY, RLIM_INFINITY); 16];
    limits[g::RLIMIT_STACK as usize] = (8 << 20, RLIM_INFINITY);
    limits[g::RLIMIT_CORE as usize] = (0, RLIM_INFINITY);
    limits[g::RLIMIT_NPROC as usize] = (4000, 4000);
    limits[g::RLIMIT_NOFILE as usize] = (1024, 4096);
    limits[g::RLIMIT_MEMLOCK as usize] = (8 << 20, 8 << 20);
    limits[g::RLIMIT_SIGPENDING as usize] = (4000, 4000);
    limits[g::RLIMIT_MSGQUEUE as usize] = (819_200, 819_200);
    limits[g::RLIMIT_NICE as usize] = (0, 0);
    limits[g::RLIMIT_RTPRIO as usize] = (0, 0);
    limits
}

impl Process {
    /// The first process of the machine.
    pub fn first(leader: TaskId, pid: u32) -> Process {
        Process {
            pid,
            leader,
            tasks: alloc::vec![leader],
            parent: None,
            parent_task: None,
            children: Vec::new(),
            tracees: Vec::new(),
            stops: VecDeque::new(),
            stop_page: None,
            news: false,
            pgid: pid,
            sid: pid,
            context: HOST,
            actions: Actions::default(),
            pending: Pending::default(),
            stopped: None,
            stop_unseen: false,
            continue_unseen: false,
            continue_untold: false,
            group_exit: None,
            execing: None,
            has_execed: false,
            dump_filter: DEFAULT_FILTER,
            dump: None,
            personality: 0,
            subreaper: false,
            real_timer: None,
            cpu_timers: [None; 3],
            posix_timers: Vec::new(),
            next_timer: 0,
            limits: first_limits(),
            usage_gone: Usage::default(),
            usage_children: Usage::default(),
            peak_gone: 0,
            peak_children: 0,
            layout: Layout::default(),
            exec_path: Vec::new(),
        }
    }

    /// What a fork of this process starts as.
    pub fn child(&self, leader: TaskId, pid: u32, parent: ProcessIx) -> Process {
        Process {
            parent: Some(parent),
            pgid: self.pgid,
            sid: self.sid,
            context: self.context,
            actions: self.actions.clone(),
            dump_filter: self.dump_filter,
            personality: self.personality,
            limits: self.limits,
            layout: self.layout,
            exec_path: self.exec_path.clone(),
            ..Process::first(leader, pid)
        }
    }
}
