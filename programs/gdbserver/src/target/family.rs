//! New tasks, new processes, new programs.

use libtrace::{Pid, ptrace};

use super::breakpoint::Space;
use super::debug_registers::DebugRegisters;
use super::process::{Origin, Process};
use super::stopped::{How, Stopped};
use super::task::{State, Task, Wish};
use super::{Report, Target};
use crate::request::Catch;

impl Target {
    /// A task has made a process.
    pub(super) fn has_forked(&mut self, tid: Pid, vfork: bool) -> Option<Report> {
        let child = ptrace::geteventmsg(tid).ok()? as Pid;
        if !self.wait_for_first_stop(child) {
            return None;
        }
        let parent = self.processes.get(&self.tasks.get(&tid)?.process)?;
        let (pid, debug, shared) = (parent.pid, parent.debug, parent.space);
        let space = match self.spaces.get(&shared) {
            // Until the child lets go of it they have one memory, with the same breakpoints in it.
            Some(space) if !vfork => {
                let copied = space.copied();
                self.add_space(copied)
            }
            _ => shared,
        };
        let process = Process {
            pid: child,
            origin: Origin::Forked,
            is_child: false,
            catch: Catch::None,
            space,
            // gdb takes over the parent's watchpoints for the child, and removes them again.
            debug,
        };
        self.processes.insert(child, process);
        let state = State::Stopped(Stopped::new(child, How::Event));
        self.tasks.insert(child, Task::new(child, child, state));
        if vfork && self.wants.vforks {
            return Some(Report::Vfork(child));
        }
        if !vfork && self.wants.forks {
            return Some(Report::Fork(child));
        }
        if vfork {
            // The parent's memory is the child's, too, which would die of a breakpoint.
            self.lift_breakpoints(pid);
            self.forget_child(child);
        } else {
            self.remove_breakpoints(child);
            self.forget_child(child);
        }
        None
    }

    /// Lets a child go that nobody wants to hear of.
    fn forget_child(&mut self, child: Pid) {
        let _ = ptrace::detach(child, 0);
        self.remove_process(child);
    }

    /// A parent has its memory back.
    pub(super) fn vfork_is_done(&mut self, tid: Pid) -> Option<Report> {
        if self.wants.vforks {
            return Some(Report::VforkDone);
        }
        let pid = self.tasks.get(&tid)?.process;
        self.lay_breakpoints(pid);
        None
    }

    /// A task has made a thread, which does what all do that gdb does not hold.
    pub(super) fn has_new_thread(&mut self, tid: Pid) -> Option<Report> {
        let thread = ptrace::geteventmsg(tid).ok()? as Pid;
        let pid = self.tasks.get(&tid)?.process;
        if !self.wait_for_first_stop(thread) {
            return None;
        }
        let state = State::Stopped(Stopped::new(thread, How::Event));
        let mut task = Task::new(thread, pid, state);
        task.wish = Some(Wish::Run);
        if self.wants.threads {
            task.report = Some(Report::Created);
        }
        self.tasks.insert(thread, task);
        if !self.wants.threads {
            self.go_on(thread);
        }
        None
    }

    /// A task runs a new program. All others of its process are gone, and it has the process's id.
    pub(super) fn has_new_program(&mut self, tid: Pid) -> Option<Report> {
        let former = ptrace::geteventmsg(tid).ok()? as Pid;
        let was = (former != tid)
            .then(|| self.tasks.remove(&former))
            .flatten();
        self.tasks
            .retain(|_, task| task.process != tid || task.tid == tid);
        let space = self.add_space(Space::default());
        let process = self.processes.get_mut(&tid)?;
        let old = std::mem::replace(&mut process.space, space);
        // The kernel has cleared them.
        process.debug = DebugRegisters::default();
        self.drop_space(old);
        let task = self.tasks.get_mut(&tid)?;
        if let Some(was) = was {
            task.wish = was.wish;
            task.call = was.call;
        }
        task.report = None;
        task.new_at = task.stopped().and_then(|stopped| stopped.pc().ok());
        task.debug = DebugRegisters::default();
        let program = std::fs::read_link(format!("/proc/{tid}/exe"));
        Some(Report::Exec(program.unwrap_or_default()))
    }
}
