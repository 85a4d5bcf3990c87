//! What tasks, processes and their children have used: CPU time, memory, faults, waits
//! (getrusage(2), times(2)).
//!
//! CPU time is measured, not sampled ([`Machine::cpu_time`]): a task's user time is what its thread
//! has run, its system time what the process manager has worked on its traps. What the file
//! server works for it is nobody's.

use crate::Procmgr;
use crate::machine::{Machine, PAGE};
use crate::process::ProcessIx;
use abi::fs::Usage;
use abi::linux::general as g;
use abi::{Errno, TaskId};

/// Nanoseconds of a clock tick as siginfo and times(2) count them.
pub const TICK_NS: u64 = 10_000_000;
/// getrusage(2) for one thread.
const RUSAGE_THREAD: i32 = 1;

impl Procmgr {
    /// What a task has used.
    pub(crate) fn task_usage(&self, m: &mut impl Machine, id: TaskId) -> Usage {
        let task = self.task(id);
        let mut usage = task.usage;
        if task.space.is_some() {
            let cpu = m.cpu_time(id);
            usage.user += cpu.user;
            usage.system += cpu.system;
        }
        usage
    }

    /// What a process has used, with those of its tasks that are gone.
    pub(crate) fn process_usage(&self, m: &mut impl Machine, ix: ProcessIx) -> Usage {
        let mut usage = self.process(ix).usage_gone;
        for id in &self.process(ix).tasks {
            usage += self.task_usage(m, *id);
        }
        usage
    }

    /// CPU time of a process.
    pub(crate) fn process_cpu(&self, m: &mut impl Machine, ix: ProcessIx) -> u64 {
        self.process_usage(m, ix).cpu()
    }

    /// CPU time of a task that is alive.
    pub(crate) fn task_cpu(&self, m: &mut impl Machine, id: TaskId) -> u64 {
        self.task_usage(m, id).cpu()
    }

    /// The most memory a process has had at once, in bytes.
    pub(crate) fn peak(&self, ix: ProcessIx) -> u64 {
        let process = self.process(ix);
        let mut spaces = process.tasks.iter().filter_map(|id| self.task(*id).space);
        let now = spaces.next().map_or(0, |space| self.memory.peak(space));
        process.peak_gone.max(now)
    }

    /// A task loses its memory and its thread, by death or, but for the thread, by exec.
    pub(crate) fn keep_peak(&mut self, ix: ProcessIx) {
        let peak = self.peak(ix);
        self.process_mut(ix).peak_gone = peak;
    }

    /// A task's thread is about to go: what it has run is kept.
    pub(crate) fn keep_usage(&mut self, m: &mut impl Machine, id: TaskId) {
        self.task_mut(id).usage = self.task_usage(m, id);
        self.keep_peak(self.process_of(id));
    }

    /// A process was waited for by its parent, which counts it from now on.
    pub(crate) fn count_child(
        &mut self,
        m: &mut impl Machine,
        parent: ProcessIx,
        child: ProcessIx,
    ) {
        let used = self.process_usage(m, child);
        let peak = self.peak(child).max(self.process(child).peak_children);
        let own = self.process(child).usage_children;
        let parent = self.process_mut(parent);
        parent.usage_children += used;
        parent.usage_children += own;
        parent.peak_children = parent.peak_children.max(peak);
    }

    /// What wait4(2) tells of a process: itself and its children.
    pub(crate) fn rusage_of_both(&self, m: &mut impl Machine, ix: ProcessIx) -> [u8; 144] {
        let process = self.process(ix);
        let mut usage = self.process_usage(m, ix);
        usage += process.usage_children;
        rusage(&usage, self.peak(ix).max(process.peak_children))
    }

    /// getrusage(2).
    pub(crate) fn sys_getrusage(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        let ix = self.process_of(id);
        let (usage, peak) = match a[0] as i32 {
            g::RUSAGE_CHILDREN => {
                let process = self.process(ix);
                (process.usage_children, process.peak_children)
            }
            RUSAGE_THREAD => (self.task_usage(m, id), self.peak(ix)),
            0 => (self.process_usage(m, ix), self.peak(ix)),
            _ => return Err(Errno::EINVAL),
        };
        self.put(m, id, a[1], &rusage(&usage, peak))
    }

    /// times(2).
    pub(crate) fn sys_times(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<i64, Errno> {
        if a[0] != 0 {
            let ix = self.process_of(id);
            let (own, children) = (self.process_usage(m, ix), self.process(ix).usage_children);
            let words = [own.user, own.system, children.user, children.system];
            self.put_words(m, id, a[0], words.map(|ns| ns / TICK_NS))?;
        }
        Ok((m.now() / TICK_NS) as i64)
    }
}

/// `struct rusage`, of memory in bytes.
fn rusage(usage: &Usage, peak: u64) -> [u8; 144] {
    let mut bytes = [0; 144];
    let mut put = |at: usize, v: u64| bytes[at..at + 8].copy_from_slice(&v.to_le_bytes());
    for (at, ns) in [(0, usage.user), (16, usage.system)] {
        put(at, ns / 1_000_000_000);
        put(at + 8, ns % 1_000_000_000 / 1000);
    }
    put(32, peak / 1024);
    put(64, usage.faults);
    put(128, usage.waits);
    bytes
}

const _: () = assert!(PAGE.is_multiple_of(1024));
