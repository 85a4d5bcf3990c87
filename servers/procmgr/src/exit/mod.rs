//! Dying: a task's way from its last instruction to nothing.
//!
//! The steps, each of which may hold the task for an answer: the exit report, the tracer's
//! release of what the task held as a client, the file server's closing of files, the death
//! report, the zombie with its one or two readers, the reap report.

mod children;
mod death;

pub(crate) use death::exit_code;

use crate::Procmgr;
use crate::hold::Hold;
use crate::machine::Machine;
use crate::process::ProcessIx;
use crate::task::{FsPurpose, State};
use crate::trace::Attached;
use abi::TaskId;
use abi::tracer::Events;

impl Procmgr {
    /// Every task of a process exits with a wait status: a fatal signal, exit_group, SIGKILL.
    pub(crate) fn kill_process(&mut self, m: &mut impl Machine, ix: ProcessIx, status: i32) {
        if self.process(ix).dump.is_some() && !self.break_dump(m, ix, status) {
            return;
        }
        let process = self.process_mut(ix);
        if process.group_exit.is_none() {
            process.group_exit = Some(status);
        }
        let status = process.group_exit.expect("just set");
        for task in self.tasks_of(ix) {
            if self.find_task(task).is_ok() {
                self.kill_task(m, task, status);
            }
        }
    }

    /// Breaks every hold of a task and sends it on its way out. One that is between two states
    /// gets there by itself.
    pub(crate) fn kill_task(&mut self, m: &mut impl Machine, id: TaskId, status: i32) {
        match &self.task(id).state {
            State::Running => {
                m.suspend_for_good(id);
                self.task_mut(id).registers.stand();
            }
            State::Stub(_) => {
                m.suspend_for_good(id);
                self.task_mut(id).registers.lost();
            }
            State::Waiting(crate::task::Wait::Fork { .. }) => return,
            State::Waiting(crate::task::Wait::Others(_)) => self.drop_exec(m, id),
            State::Waiting(_) => self.cancel_wake(id),
            State::Fs(
                FsPurpose::Created { .. }
                | FsPurpose::Executed(_)
                | FsPurpose::Core { .. }
                | FsPurpose::CoreWritten { .. }
                | FsPurpose::Exited,
            ) => {
                return;
            }
            State::Fs(_) | State::Stopped | State::Dumping => {}
            State::Held(Hold::Death { .. } | Hold::Reap | Hold::ClientExit) => return,
            // Whoever was shown the exit does not hold it any longer.
            State::Held(Hold::Exit { .. }) => {
                self.end_hold(m, id);
                return self.exit_reported(m, id);
            }
            State::Held(_) => {}
            State::Zombie | State::Moving => return,
        }
        self.end_hold(m, id);
        self.task_mut(id).state = State::Moving;
        self.begin_exit(m, id, status);
    }

    /// The first step: the exit report.
    pub(crate) fn begin_exit(&mut self, m: &mut impl Machine, id: TaskId, status: i32) {
        // Where it dies while its clone was being reported, the child lives all the same.
        self.start_created(m, id);
        self.task_mut(id).trace.created = None;
        if self.waits_for_dump(id) {
            return self.stand_for_dump(m, id);
        }
        let task = self.task_mut(id);
        task.state = State::Moving;
        if task.exit_status.replace(status).is_none() {
            self.note_last_exit(id, status);
            if self.task(id).trace.events.contains(Events::EXIT) {
                return self.report(m, id, Hold::Exit { status });
            }
        }
        self.exit_reported(m, id);
    }

    /// A process that nobody has ended ends with what its last task to exit does (Linux 6.0).
    fn note_last_exit(&mut self, id: TaskId, status: i32) {
        let ix = self.process_of(id);
        let last = |task: &TaskId| !self.task(*task).alive();
        if self.process(ix).tasks.iter().all(last) {
            self.process_mut(ix).group_exit.get_or_insert(status);
        }
    }

    /// The wait status of a task that is dead: what its process ended with, as soon as it has.
    pub(crate) fn wait_status(&self, id: TaskId) -> i32 {
        let task = self.task(id);
        let whole = self.process(task.process).group_exit;
        whole.or(task.exit_status).unwrap_or(0)
    }

    /// Behind the exit report: the tracer lets go of what this task held.
    pub(crate) fn exit_reported(&mut self, m: &mut impl Machine, id: TaskId) {
        self.leave_untold(m, id);
        if self.task(id).trace.client {
            self.report(m, id, Hold::ClientExit);
        } else {
            self.leave(m, id);
        }
    }

    /// The thread, its memory and its files go.
    pub(crate) fn leave(&mut self, m: &mut impl Machine, id: TaskId) {
        self.release_vfork(m, id);
        let task = self.task_mut(id);
        task.state = State::Moving;
        let space = task.space;
        if let Some(space) = space {
            self.leave_words(m, id);
            self.keep_usage(m, id);
            m.thread_destroy(id);
            self.task_mut(id).space = None;
            self.memory.space_release(m, space);
        }
        self.report_fs(m, id, FsPurpose::Exited);
    }

    /// Its files are closed: the death report.
    pub(crate) fn files_closed(&mut self, m: &mut impl Machine, id: TaskId) {
        let task = self.task_mut(id);
        task.state = State::Moving;
        let status = task.exit_status.unwrap_or(0);
        let trace = &self.task(id).trace;
        if trace.attached == Attached::Told && trace.events.contains(Events::DEATH) {
            let natural = self.tracer_is_parent(id);
            self.report(m, id, Hold::Death { status, natural });
        } else {
            self.become_zombie(m, id);
        }
    }

    /// Whether the process of a task's tracer is its real parent.
    pub(crate) fn tracer_is_parent(&self, id: TaskId) -> bool {
        let task = self.task(id);
        let tracer = task.trace.tracer.and_then(|t| self.find_task(t).ok());
        tracer.is_some_and(|t| Some(t.process) == self.process(task.process).parent)
    }

    /// Dead in the eyes of everybody.
    pub(crate) fn become_zombie(&mut self, m: &mut impl Machine, id: TaskId) {
        let ix = self.process_of(id);
        self.end_hold(m, id);
        self.task_mut(id).pending.clear();
        let tasks = self.process(ix).tasks.iter().copied();
        let heir = tasks.filter(|t| *t != id).find(|t| !self.is_dead(*t));
        match heir {
            // Not a zombie yet: what this wakes must not find it and reap it here.
            None => self.process_ends(m, ix),
            Some(heir) => self.leave_children(m, id, heir),
        }
        self.task_mut(id).state = State::Zombie;
        let whole = heir.is_none();
        let leader = self.process(ix).leader;
        if id != leader {
            self.tell_fs_of_end(m, self.task(id).tid, false);
        }
        if whole {
            self.tell_fs_of_end(m, self.process(ix).pid, false);
        }
        self.announce_death(m, id);
        self.others_left(m, ix);
    }

    /// Whether what a pidfd of a task stands for is over: the whole process, of a leader.
    pub(crate) fn has_ended(&self, id: TaskId) -> bool {
        let leads = self.process(self.process_of(id)).leader == id;
        self.is_dead(id) && (!leads || self.alone(id))
    }

    /// Whether a task runs no more.
    fn is_dead(&self, id: TaskId) -> bool {
        matches!(self.task(id).state, State::Zombie | State::Held(Hold::Reap))
    }

    /// Whether no other task of its process is left, dead or alive.
    pub(crate) fn alone(&self, id: TaskId) -> bool {
        self.process(self.process_of(id)).tasks.len() == 1
    }
}
