//! exec of a process with several threads: the others die first, and a thread that was not the
//! leader takes the leader's place and number (execve(2), ptrace(2) "execve(2) under ptrace").

use super::Exec;
use crate::Procmgr;
use crate::machine::{Machine, SpaceIx};
use crate::process::ProcessIx;
use crate::task::{State, Wait};
use abi::fs::Layout;
use abi::signal::SIGCHLD;
use abi::{Regs, TaskId};
use alloc::boxed::Box;

/// An exec whose new space is complete.
#[derive(Clone, Hash)]
pub struct Ready {
    pub(super) exec: Exec,
    pub(super) space: SpaceIx,
    pub(super) regs: Regs,
    pub(super) layout: Layout,
}

impl Procmgr {
    /// The wait status with which a task has to exit before it sees its program again, if it
    /// has to: its process exits, or another task of it execs.
    #[inline]
    pub(crate) fn doomed(&self, id: TaskId) -> Option<i32> {
        let process = self.process(self.process_of(id));
        let replaced = process.execing.is_some_and(|by| by != id).then_some(0);
        process.group_exit.or(replaced)
    }

    /// Makes every other task of the process exit; the exec goes on when they are gone.
    pub(super) fn end_others(&mut self, m: &mut impl Machine, id: TaskId, ready: Box<Ready>) {
        if self.doomed(id).is_some() {
            self.memory.space_release(m, ready.space);
            return self.return_to_user(m, id);
        }
        let ix = self.process_of(id);
        self.process_mut(ix).execing = Some(id);
        self.task_mut(id).state = State::Waiting(Wait::Others(ready));
        for other in self.tasks_of(ix).filter(|t| *t != id) {
            if self.find_task(other).is_ok() {
                self.kill_task(m, other, 0);
            }
        }
        self.others_left(m, ix);
    }

    /// A task of a process has gone, or its leader is dead: an exec may have waited for that.
    pub(crate) fn others_left(&mut self, m: &mut impl Machine, ix: ProcessIx) {
        let Some(process) = self.tables_process(ix) else {
            return;
        };
        let Some(id) = process.execing else { return };
        let leader = process.leader;
        let gone =
            |t: &TaskId| *t == id || (*t == leader && matches!(self.task(*t).state, State::Zombie));
        let waits = matches!(self.task(id).state, State::Waiting(Wait::Others(_)));
        if !waits || !process.tasks.iter().all(gone) {
            return;
        }
        let state = core::mem::replace(&mut self.task_mut(id).state, State::Moving);
        let State::Waiting(Wait::Others(ready)) = state else {
            unreachable!("it waits");
        };
        let former_tid = self.task(id).tid;
        if leader != id {
            self.take_lead(m, id, leader);
        }
        self.process_mut(ix).execing = None;
        self.commit(m, id, *ready, former_tid);
    }

    /// The task gets the leader's number; of the leader nothing is left that anybody could wait
    /// for.
    fn take_lead(&mut self, m: &mut impl Machine, id: TaskId, leader: TaskId) {
        let ix = self.process_of(id);
        self.process_mut(ix).leader = id;
        let pid = self.process(ix).pid;
        self.tell_fs_of_end(m, self.task(id).tid, true);
        self.forget_tid(id);
        // Whoever has a pidfd of the process goes on having one.
        let watched = core::mem::take(&mut self.tables.watched[pid as usize]);
        self.reap(m, leader);
        self.name_task(id, pid);
        self.tables.watched[pid as usize] = watched;
        self.task_mut(id).exit_signal = SIGCHLD;
    }

    /// A task that waits here is killed instead.
    pub(crate) fn drop_exec(&mut self, m: &mut impl Machine, id: TaskId) {
        if let State::Waiting(Wait::Others(ready)) = &self.task(id).state {
            let (space, ix) = (ready.space, self.process_of(id));
            self.process_mut(ix).execing = None;
            self.memory.space_release(m, space);
        }
    }
}
