//! Letting processes go.

use std::time::{Duration, Instant};

use libtrace::{Errno, Pid, Result, ptrace};

use super::debug_registers::DebugRegisters;
use super::process::Origin;
use super::stopped::How;
use super::task::State;
use super::{Report, Target};
use crate::signals;

/// How long a process may take to come to a stand.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a task may take before it is looked at whether it can stop at all.
const A_WHILE: Duration = Duration::from_millis(20);

const SIGINT: i32 = 2;
const SIGTRAP: i32 = 5;

impl Target {
    /// Lets process `pid` go: nothing of ours stays in it, and the signal it stopped for is delivered
    /// if it may have it.
    ///
    /// # Errors
    /// `ESRCH` without such a process.
    pub fn detach(&mut self, pid: Pid) -> Result<()> {
        let process = self.processes.get_mut(&pid).ok_or(Errno::ESRCH)?;
        process.debug = DebugRegisters::default();
        let is_child = process.is_child;
        self.bring_to_a_stand(pid);
        let shared = self.space_is_shared(pid);
        if !shared {
            self.remove_breakpoints(pid);
        }
        for tid in self.tids_of(pid) {
            let _ = self.let_go(tid);
        }
        if self.remove_process(pid).is_some() && is_child {
            self.children.insert(pid);
        }
        Ok(())
    }

    /// Lets everything go.
    pub fn detach_all(&mut self) {
        self.endings.clear();
        // Who has another's memory by vfork goes first: the other waits for it.
        let mut all: Vec<_> = self.processes.keys().copied().collect();
        all.sort_by_key(|pid| !self.space_is_shared(*pid) || !self.was_forked(*pid));
        for pid in &all {
            self.remove_breakpoints(*pid);
        }
        for pid in all {
            let _ = self.detach(pid);
        }
        self.halting = false;
    }

    /// Stops every task of a process that can stop, and stays that way.
    fn bring_to_a_stand(&mut self, pid: Pid) {
        let before = std::mem::replace(&mut self.halting, true);
        let (start, mut looked) = (Instant::now(), false);
        while self.tasks_of(pid).any(|task| task.is_running()) && start.elapsed() < PATIENCE {
            for tid in self.tids_of(pid) {
                self.interrupt(tid);
            }
            self.take_changes();
            if start.elapsed() > A_WHILE && !looked {
                looked = true;
                self.find_those_beyond();
            }
            std::thread::yield_now();
        }
        self.halting = before;
    }

    fn let_go(&mut self, tid: Pid) -> Result<()> {
        let signal = self.signal_at_detach(tid);
        let Some(task) = self.tasks.get_mut(&tid) else {
            return Ok(());
        };
        if let State::Stopped(stopped) = &mut task.state {
            stopped.flush()?;
            if !task.debug.is_empty() {
                DebugRegisters::default().apply(tid, &task.debug)?;
            }
            ptrace::detach(tid, signal)?;
        }
        Ok(())
    }

    /// The signal that a task was stopped for and has not had.
    fn signal_at_detach(&mut self, tid: Pid) -> i32 {
        let program = self.wants.program;
        let may_have = |signal: i32| {
            let number = signals::to_protocol(signal);
            program.is_none_or(|program| program.has(number))
        };
        let Some(task) = self.tasks.get_mut(&tid) else {
            return 0;
        };
        let reported = matches!(task.report, Some(Report::Signal(_)));
        let told = matches!(task.told, Some(Report::Signal(_)));
        let Some(stopped) = task.stopped() else {
            return 0;
        };
        match stopped.how {
            _ if stopped.deliver != 0 => stopped.deliver,
            How::Signal(SIGTRAP | SIGINT) => 0,
            How::Signal(signal) if (reported || told) && may_have(signal) => signal,
            _ => 0,
        }
    }

    fn space_is_shared(&self, pid: Pid) -> bool {
        let own = self.processes.get(&pid).map(|it| it.space);
        let mut others = self.processes.values().filter(|it| it.pid != pid);
        others.any(|it| Some(it.space) == own)
    }

    fn was_forked(&self, pid: Pid) -> bool {
        let process = self.processes.get(&pid);
        process.is_some_and(|process| process.origin == Origin::Forked)
    }
}
