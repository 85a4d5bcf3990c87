//! Which thread requests are about, and which there are.

use libtrace::{Errno, Pid};

use super::{Answer, Session};
use crate::packet::{Choice, ThreadId};

/// What requests are about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selected {
    /// The process.
    pub pid: Pid,
    /// The thread.
    pub tid: Pid,
}

impl Session {
    /// `Hg`. Where any would do, the one that is selected stays if it can.
    pub(super) fn select(&mut self, id: ThreadId) -> Answer {
        let Selected { pid, tid } = self.selected;
        let admits = |pid, tid| id.admits(pid, tid);
        let tasks = || self.target.tasks().filter(|it| admits(it.process, it.tid));
        let same = tasks().find(|task| task.tid == tid);
        let near = same.or_else(|| tasks().find(|task| task.process == pid && task.is_stopped()));
        let any = near.or_else(|| tasks().find(|task| task.is_stopped()));
        match any.or_else(|| tasks().next()) {
            Some(task) => {
                self.selected = Selected {
                    pid: task.process,
                    tid: task.tid,
                };
                Answer::Ok
            }
            // Before anything is started there is nothing to select, and nothing wrong.
            None if self.target.is_empty() && id.thread != Choice::One(tid) => Answer::Ok,
            None => Answer::Error(Errno::ESRCH),
        }
    }

    pub(super) fn is_alive(&self, id: ThreadId) -> Answer {
        let mut tasks = self.target.tasks();
        match tasks.any(|task| id.admits(task.process, task.tid)) {
            true => Answer::Ok,
            false => Answer::Error(Errno::ESRCH),
        }
    }

    pub(super) fn current_thread(&self) -> Answer {
        let Selected { pid, tid } = self.selected;
        match self.target.task(tid) {
            Some(_) => Answer::text(format!("QC{}", self.name(pid, tid))),
            None => Answer::Unsupported,
        }
    }

    pub(super) fn thread_list(&self, first: bool) -> Answer {
        if !first {
            return Answer::text("l");
        }
        let tasks = self.target.tasks();
        let names: Vec<_> = tasks
            .map(|task| self.name(task.process, task.tid).to_string())
            .collect();
        match names.is_empty() {
            true => Answer::text("l"),
            false => Answer::text(format!("m{}", names.join(","))),
        }
    }

    /// How gdb knows a thread.
    pub(super) fn name(&self, pid: Pid, tid: Pid) -> ThreadId {
        ThreadId {
            process: self.features.multiprocess.then_some(Choice::One(pid)),
            thread: Choice::One(tid),
        }
    }
}
