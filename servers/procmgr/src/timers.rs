//! What is due when.

use crate::Procmgr;
use crate::machine::Machine;
use crate::process::ProcessIx;
use crate::task::{State, Wait};
use abi::signal::SIGALRM;
use abi::{Errno, TaskId};
use alloc::collections::BTreeSet;

/// What a timer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum What {
    /// Ends a task's wait.
    Wake(TaskId),
    /// A process's ITIMER_REAL.
    Alarm(ProcessIx, u32),
    /// A POSIX timer of a process, by its number.
    Posix(ProcessIx, u32, i32),
    /// A process's ITIMER_VIRTUAL, ITIMER_PROF or RLIMIT_CPU.
    Cpu(ProcessIx, u32, crate::cpu_timers::Kind),
    /// Goes on with a process's core dump.
    Dump(ProcessIx, u32),
    /// The file server asked for it.
    Fs,
}

/// All timers: at most one of each kind per task or process, so the set is bounded by them.
#[derive(Clone, Hash)]
pub struct Timers(BTreeSet<(u64, What)>);

impl Timers {
    /// None.
    pub fn new() -> Timers {
        Timers(BTreeSet::new())
    }

    /// The earliest time.
    pub fn next(&self) -> Option<u64> {
        self.0.first().map(|(at, _)| *at)
    }

    /// How many are set.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes one that is due.
    pub fn take_due(&mut self, now: u64) -> Option<What> {
        let first = *self.0.first()?;
        (first.0 <= now).then(|| {
            self.0.remove(&first);
            first.1
        })
    }

    /// Adds one.
    pub fn add(&mut self, at: u64, what: What) {
        self.0.insert((at, what));
    }

    /// Removes one.
    pub fn remove(&mut self, at: u64, what: What) {
        self.0.remove(&(at, what));
    }

    /// Removes all of a kind.
    pub fn remove_all(&mut self, what: What) {
        self.0.retain(|(_, w)| *w != what);
    }
}

impl Procmgr {
    /// Sets a timer.
    pub(crate) fn add_timer(&mut self, m: &mut impl Machine, at: u64, what: What) {
        let before = self.timers.next();
        self.timers.add(at, what);
        if before.is_none_or(|b| at < b) {
            m.set_timer(self.timers.next());
        }
    }

    pub(crate) fn timer_fires(&mut self, m: &mut impl Machine, what: What) {
        match what {
            What::Wake(task) => self.wait_is_over(m, task),
            What::Alarm(process, pid) => self.alarm_fires(m, process, pid),
            What::Posix(process, pid, number) => self.posix_timer_fires(m, process, pid, number),
            What::Cpu(process, pid, kind) => self.cpu_timer_fires(m, process, pid, kind),
            What::Dump(process, pid) => self.dump_on(m, process, pid),
            What::Fs => self.on_console(m),
        }
    }

    /// The deadline of a task's wait has come.
    fn wait_is_over(&mut self, m: &mut impl Machine, task: TaskId) {
        let Ok(t) = self.find_task(task) else { return };
        let result = match &t.state {
            State::Waiting(Wait::Sleep(_)) => 0,
            State::Waiting(Wait::SignalOf { .. }) => Errno::EAGAIN.as_result(),
            State::Waiting(Wait::Futex { .. }) => Errno::ETIMEDOUT.as_result(),
            _ => return,
        };
        self.finish_wait(m, task, result);
    }

    fn alarm_fires(&mut self, m: &mut impl Machine, ix: ProcessIx, pid: u32) {
        let Some(process) = self.tables_process(ix).filter(|p| p.pid == pid) else {
            return;
        };
        let Some((at, interval)) = process.real_timer else {
            return;
        };
        let next = (interval != 0).then(|| {
            let missed = m.now().saturating_sub(at) / interval;
            at.saturating_add(missed.saturating_add(1).saturating_mul(interval))
        });
        self.process_mut(ix).real_timer = next.map(|at| (at, interval));
        if let Some(at) = next {
            self.add_timer(m, at, What::Alarm(ix, pid));
        }
        // SIGALRM is a standard signal, which cannot fail to be queued.
        let _ = self.signal_process(m, ix, Procmgr::kernel_signal(SIGALRM));
    }
}
