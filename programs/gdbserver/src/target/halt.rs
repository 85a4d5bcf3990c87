//! Stopping tasks that run.

use std::fs;

use libtrace::{Pid, ptrace};

use super::Target;
use super::task::State;

impl Target {
    /// Begins to stop everybody. Who stops from now on stays so until it is resumed.
    pub fn halt(&mut self) {
        self.halting = true;
        let running = self.tasks.values().filter(|task| task.is_running());
        for tid in running.map(|task| task.tid).collect::<Vec<_>>() {
            self.interrupt(tid);
        }
    }

    /// Whether everybody has stopped who can.
    pub fn is_still(&self) -> bool {
        self.tasks.values().all(|task| !task.is_running())
    }

    /// Looks for tasks that no interrupt stops: leaders that have exited before their threads, and
    /// parents that sleep until their child by vfork is done. Looked for only when stopping takes long,
    /// and only where somebody has stopped: of others there would be nothing to see.
    pub fn find_those_beyond(&mut self) {
        if self.tasks.values().all(|task| !task.is_stopped()) {
            return;
        }
        for task in self.tasks.values_mut().filter(|task| task.is_running()) {
            let (pid, tid) = (task.process, task.tid);
            if let Some(b'Z' | b'X' | b'D') = scheduling_state(pid, tid) {
                task.state = State::Beyond;
            }
        }
    }

    /// Stops one task that runs. What stops it first, if something does, ends the interrupt.
    pub(super) fn interrupt(&mut self, tid: Pid) {
        if let Some(task) = self.tasks.get_mut(&tid)
            && task.is_running()
            && !task.interrupted
        {
            // One that is dead by now is reported soon.
            task.interrupted = ptrace::interrupt(tid).is_ok();
        }
    }
}

/// The letter that /proc has for what a task does.
fn scheduling_state(pid: Pid, tid: Pid) -> Option<u8> {
    let stat = fs::read_to_string(format!("/proc/{pid}/task/{tid}/stat")).ok()?;
    // The name before it may contain anything.
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.bytes().next()
}
