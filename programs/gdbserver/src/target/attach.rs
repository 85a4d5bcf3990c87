//! Attaching to processes that are there.

use std::fs;

use libtrace::{Errno, Pid, Result, ptrace};

use super::breakpoint::Space;
use super::debug_registers::DebugRegisters;
use super::process::{Origin, Process};
use super::task::{State, Task, Wish};
use super::{OPTIONS, Target};
use crate::request::Catch;

impl Target {
    /// Attaches to all threads of process `pid`, and begins to stop them.
    ///
    /// # Errors
    /// What ptrace(2) lists for `SEIZE`; `EEXIST` for one that is debugged already.
    pub fn attach(&mut self, pid: Pid) -> Result<()> {
        if self.processes.contains_key(&pid) {
            return Err(Errno::EEXIST);
        }
        ptrace::seize(pid, OPTIONS)?;
        let is_child = self.children.remove(&pid);
        self.add_process(pid, Origin::Attached, is_child);
        self.add_running(pid, pid);
        // Threads may appear while we look; those made by one that is seized come by themselves.
        loop {
            let new = threads(pid);
            let new = new.into_iter().filter(|tid| !self.tasks.contains_key(tid));
            let seized = new.filter(|tid| ptrace::seize(*tid, OPTIONS).is_ok());
            let seized: Vec<_> = seized.collect();
            if seized.is_empty() {
                break;
            }
            for tid in seized {
                self.add_running(tid, pid);
            }
        }
        for tid in self.tids_of(pid) {
            self.interrupt(tid);
        }
        Ok(())
    }

    fn add_running(&mut self, tid: Pid, pid: Pid) {
        let mut task = Task::new(tid, pid, State::Running);
        task.wish = Some(Wish::Run);
        task.stop_wanted = true;
        self.tasks.insert(tid, task);
    }

    pub(super) fn add_process(&mut self, pid: Pid, origin: Origin, is_child: bool) {
        let space = self.add_space(Space::default());
        let process = Process {
            pid,
            origin,
            is_child,
            catch: Catch::None,
            space,
            debug: DebugRegisters::default(),
        };
        self.processes.insert(pid, process);
    }
}

/// The threads of a process, as /proc has them.
fn threads(pid: Pid) -> Vec<Pid> {
    let entries = fs::read_dir(format!("/proc/{pid}/task"));
    let names = entries.into_iter().flatten().flatten();
    names
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}
