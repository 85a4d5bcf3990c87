//! What the file server shows in /proc and only the process manager knows.

use crate::fs::FileRange;
use crate::{CapabilitySet, SigSet, TaskId};
use serde::{Deserialize, Serialize};

/// What /proc shows of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskStatus {
    /// The task.
    pub task: TaskId,
    /// Its tid.
    pub tid: u32,
    /// Its process.
    pub tgid: u32,
    /// Its parent process.
    pub ppid: u32,
    /// Its process group.
    pub pgid: u32,
    /// Its session.
    pub sid: u32,
    /// Who traces it, or 0.
    pub tracer: u32,
    /// Linux's letter: R, S, T, t, Z.
    pub state: u8,
    /// Real, effective and saved user id.
    pub uid: [u32; 3],
    /// Real, effective and saved group id.
    pub gid: [u32; 3],
    /// User and group id towards files.
    pub fsid: [u32; 2],
    /// How many supplementary groups it has.
    pub groups: u32,
    /// Capabilities: inheritable, permitted, effective, bounding, ambient.
    pub capabilities: [CapabilitySet; 5],
    /// prctl(2), PR_SET_NO_NEW_PRIVS.
    pub no_new_privileges: bool,
    /// Its memory's name; 0 when it has none.
    pub memory: u64,
    /// Its own user may look into its memory.
    pub dumpable: bool,
    /// Its name.
    pub comm: [u8; 16],
    /// How many tasks its process has.
    pub threads: u32,
    /// Bytes of memory mapped.
    pub mapped: u64,
    /// Bytes of memory present.
    pub resident: u64,
    /// The most there have been of them.
    pub peak: u64,
    /// Bytes of memory locked, of its own data, and of growing stacks.
    pub memory_parts: [u64; 3],
    /// Its priority as proc_pid_stat(5) has it.
    pub priority: i32,
    /// Its niceness.
    pub nice: i32,
    /// Its real-time priority, or 0.
    pub real_time: u32,
    /// Its scheduling policy.
    pub policy: u32,
    /// What it has used itself.
    pub usage: Usage,
    /// What its process has.
    pub usage_process: Usage,
    /// What its process's children had that were waited for.
    pub usage_children: Usage,
    /// When it was made, in nanoseconds of the monotonic clock.
    pub started: u64,
    /// The signal its parent gets when it dies.
    pub exit_signal: u8,
    /// Its wait status once it has died.
    pub exit_status: i32,
    /// How many signals its user has queued, and RLIMIT_SIGPENDING.
    pub queued: (u32, u64),
    /// Signals that wait for it alone.
    pub pending: SigSet,
    /// Signals that wait for its process.
    pub shared_pending: SigSet,
    /// Signals it blocks.
    pub blocked: SigSet,
    /// Signals its process ignores.
    pub ignored: SigSet,
    /// Signals its process handles.
    pub caught: SigSet,
    /// What its process dumps, as /proc/PID/coredump_filter.
    pub dump_filter: u32,
    /// Its process group is orphaned (credentials(7)): nobody could continue it.
    pub orphaned: bool,
}

/// What somebody has used (getrusage(2)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// CPU time in its program, in nanoseconds.
    pub user: u64,
    /// CPU time in which others worked for it.
    pub system: u64,
    /// Page faults, none of which reads anything.
    pub faults: u64,
    /// How often it waited for something.
    pub waits: u64,
}

impl Usage {
    /// All CPU time.
    pub const fn cpu(&self) -> u64 {
        self.user + self.system
    }
}

/// For a search of all states of programs that do not ask: it decides nothing.
impl core::hash::Hash for Usage {
    fn hash<H: core::hash::Hasher>(&self, _: &mut H) {}
}

impl core::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Usage) {
        self.user += other.user;
        self.system += other.system;
        self.faults += other.faults;
        self.waits += other.waits;
    }
}

/// How much of everything the process manager has in use, for tests: what runs and ends leaves
/// nothing behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Tasks, dead ones that are not reaped among them.
    pub tasks: u32,
    /// Processes.
    pub processes: u32,
    /// Contexts beside the host's.
    pub contexts: u32,
    /// Tids, process groups and sessions that cannot be given out.
    pub numbers: u32,
    /// Address spaces.
    pub spaces: u32,
    /// Memory objects.
    pub objects: u32,
    /// Timers that are set.
    pub timers: u32,
    /// Tasks that wait on a futex.
    pub futex_waiters: u32,
    /// Signals in queues, and those that timers have reserved.
    pub signals: u32,
    /// Engines of programs that are attached.
    pub engines: u32,
    /// What they are to be told and have not taken.
    pub callbacks: u32,
    /// Frames that are free.
    pub frames_free: u64,
    /// What the machine has made of its memory.
    pub machine: MachineCounts,
}

/// The kernel's side of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineCounts {
    /// Units of memory with a kernel object other than a frame.
    pub objects: u64,
    /// Frames mapped for programs: a capability slot each.
    pub mappings: u64,
    /// Other capability slots in use.
    pub slots: u64,
    /// Threads.
    pub threads: u64,
    /// Identifiers of address spaces.
    pub spaces: u64,
    /// Bytes of the process manager's heap.
    pub heap: u64,
}

/// How many mappings one message carries.
pub const MAPPINGS: usize = 4;

/// Some mappings; fewer than fit when there are no more.
pub type Mappings = [Option<Mapping>; MAPPINGS];

/// One range of a task's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// First address.
    pub start: u64,
    /// First address behind.
    pub end: u64,
    /// PROT_ bits.
    pub prot: u32,
    /// MAP_SHARED.
    pub shared: bool,
    /// The offset in what is mapped.
    pub offset: u64,
    /// What is mapped.
    pub of: MappingOf,
}

/// What a mapping shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MappingOf {
    /// Memory of nobody else.
    Anonymous,
    /// Memory shared with forks.
    SharedAnonymous,
    /// What brk(2) moves.
    Heap,
    /// The first thread's stack.
    Stack,
    /// A file.
    File(FileRange),
}

/// Where a program's parts are in its memory (proc_pid_stat(5), prctl(2) PR_SET_MM).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Layout {
    /// The strings of its arguments, each with its final zero: start and end.
    pub arguments: (u64, u64),
    /// The strings of its environment.
    pub environment: (u64, u64),
    /// The auxiliary vector.
    pub auxiliary: (u64, u64),
    /// Its stack pointer at the start.
    pub stack: u64,
    /// The heap.
    pub heap: (u64, u64),
}

/// What /proc shows of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemInfo {
    /// Bytes of memory for programs.
    pub memory_total: u64,
    /// How many are free.
    pub memory_free: u64,
    /// CPU time of all programs so far, in nanoseconds.
    pub busy: u64,
    /// How many tasks there are.
    pub tasks: u32,
    /// How many could run.
    pub running: u32,
    /// The tid that was given out last.
    pub last_tid: u32,
}

/// How much the process manager has done since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// System calls of the kernel's that it has made.
    pub entries: u64,
    /// Faults of tasks that it has heard of.
    pub traps: u64,
    /// Messages from tasks,
    pub messages: u64,
    /// and from servers.
    pub requests: u64,
}

/// Words of [`Work`], in its order.
pub const WORK_WORDS: usize = 4;
