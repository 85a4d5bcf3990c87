//! What is debugged: processes, their tasks, and what happens to them.
//!
//! A task is *stopped* or *running* as the kernel has it, and beside that it has a *wish*, what gdb
//! wants it to do. Whoever has no wish stands still for gdb. What gdb has to hear of a task is its
//! *report*, which waits until it is told.

mod attach;
mod breakpoint;
mod calls;
mod changes;
mod debug_registers;
mod detach;
mod family;
mod halt;
mod kill;
mod memory;
mod news;
mod process;
mod resume;
mod start;
mod stopped;
mod task;
mod thread_local;
mod traps;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use libtrace::ptrace::Options;
use libtrace::{Pid, Status};

pub use news::{Ending, News};
pub use process::{Origin, Process};
pub use stopped::Stopped;
pub use task::{Report, Task, Watch};

use crate::request::Signals;
use breakpoint::Space;

/// Everything that is debugged.
#[derive(Debug, Default)]
pub struct Target {
    processes: BTreeMap<Pid, Process>,
    tasks: BTreeMap<Pid, Task>,
    /// Address spaces, by the number that processes know them by.
    spaces: BTreeMap<u64, Space>,
    next_space: u64,
    /// First stops of tasks whose makers have not reported them yet.
    early: BTreeMap<Pid, Status>,
    /// Ends that nobody has been told of.
    endings: VecDeque<Ending>,
    /// Everybody is being stopped, or is: who stops stays so.
    halting: bool,
    /// Whom the last news was about, so that everybody's turn comes.
    last: Pid,
    /// Processes started here and let go again: their end is still ours to see.
    children: BTreeSet<Pid>,
    /// How the last process that was started here ended.
    outcome: Option<Status>,
    /// What whoever debugs wants to hear of.
    pub wants: Wants,
}

/// What whoever debugs wants to hear of.
#[derive(Clone, Debug, Default)]
pub struct Wants {
    /// Forks; without, children are let go at once.
    pub forks: bool,
    /// Forks by vfork, and their end.
    pub vforks: bool,
    /// New and exiting threads.
    pub threads: bool,
    /// The signals that tasks get without being stopped.
    pub pass: Signals,
    /// The signals that tasks may get when they are let go; none said means all.
    pub program: Option<Signals>,
}

/// What the kernel is asked to report of every tracee.
const OPTIONS: Options = Options::TRACESYSGOOD
    .union(Options::TRACEFORK)
    .union(Options::TRACEVFORK)
    .union(Options::TRACECLONE)
    .union(Options::TRACEEXEC)
    .union(Options::TRACEVFORKDONE);

impl Target {
    /// The process `pid`.
    pub fn process(&self, pid: Pid) -> Option<&Process> {
        self.processes.get(&pid)
    }

    /// The same, to change it.
    pub fn process_mut(&mut self, pid: Pid) -> Option<&mut Process> {
        self.processes.get_mut(&pid)
    }

    /// All processes, by their ids.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        self.processes.values()
    }

    /// The task `tid`.
    pub fn task(&self, tid: Pid) -> Option<&Task> {
        self.tasks.get(&tid)
    }

    /// The same, to change it.
    pub fn task_mut(&mut self, tid: Pid) -> Option<&mut Task> {
        self.tasks.get_mut(&tid)
    }

    /// All tasks, by their ids.
    pub fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.tasks.values()
    }

    /// The tasks of process `pid`.
    pub fn tasks_of(&self, pid: Pid) -> impl Iterator<Item = &Task> {
        self.tasks.values().filter(move |task| task.process == pid)
    }

    /// The ids of the tasks of process `pid`.
    fn tids_of(&self, pid: Pid) -> Vec<Pid> {
        self.tasks_of(pid).map(|task| task.tid).collect()
    }

    /// The task that news were about last.
    pub fn last(&self) -> Pid {
        self.last
    }

    /// Whether nothing is debugged.
    pub fn is_empty(&self) -> bool {
        self.processes.is_empty()
    }

    /// Whether a process that was started here and let go still runs.
    pub fn has_children(&self) -> bool {
        !self.children.is_empty()
    }

    /// How the last process that was started here ended.
    pub fn outcome(&self) -> Option<Status> {
        self.outcome
    }

    fn space_of(&mut self, pid: Pid) -> Option<&mut Space> {
        let space = self.processes.get(&pid)?.space;
        self.spaces.get_mut(&space)
    }

    fn add_space(&mut self, space: Space) -> u64 {
        self.next_space += 1;
        self.spaces.insert(self.next_space, space);
        self.next_space
    }

    /// Forgets a process with its tasks.
    fn remove_process(&mut self, pid: Pid) -> Option<Process> {
        let process = self.processes.remove(&pid)?;
        self.tasks.retain(|_, task| task.process != pid);
        self.drop_space(process.space);
        Some(process)
    }

    /// Forgets a space that no process has any more.
    fn drop_space(&mut self, space: u64) {
        if self.processes.values().all(|it| it.space != space) {
            self.spaces.remove(&space);
        }
    }
}
