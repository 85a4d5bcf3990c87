//! Whom a wait is about: children and tracees, and which of them may have something to tell.

use super::{Found, WALL, WCLONE, WaitRequest, Which};
use crate::Procmgr;
use crate::machine::Machine;
use crate::process::{Process, ProcessIx};
use crate::task::{Landing, State, Wait};
use abi::TaskId;
use abi::linux::general as g;
use abi::signal::SIGCHLD;

impl Procmgr {
    /// Whether nothing of a task but its stops can be news to a waiter: the waiter traces it, and it is
    /// not dead.
    pub(super) fn tells_only_stops(&self, task: TaskId, waiter: TaskId) -> bool {
        let task = self.task(task);
        task.trace.tracer == Some(waiter) && !matches!(task.state, State::Zombie)
    }

    /// The task that sleeps in a wait by message which a stop ends, where it is all of the tracer's
    /// process and the stop the only one: nobody else can be told of it, and nothing else comes first.
    pub(crate) fn sole_waiter(&self, ix: ProcessIx, stopped: TaskId) -> Option<(TaskId, Landing)> {
        let process = self.process(ix);
        let [waiter] = process.tasks[..] else {
            return None;
        };
        let task = self.task(waiter);
        let State::Waiting(Wait::Child(request)) = &task.state else {
            return None;
        };
        let about = match request.which {
            Which::Any => true,
            Which::Pid(pid) => pid == self.task(stopped).tid,
            Which::Group(_) => false,
        };
        let takes = about && request.options & g::WNOWAIT == 0 && process.stops.is_empty();
        task.landing.filter(|_| takes).map(|at| (waiter, at))
    }

    /// The tracee that has been at an unseen stop for the longest, of those a wait is about.
    pub(super) fn first_stop(&self, ix: ProcessIx, req: &WaitRequest) -> Option<TaskId> {
        let stops = &self.process(ix).stops;
        if req.of.is_some() {
            return stops.iter().copied().find(|t| {
                let is_meant = match req.which {
                    Which::Any => true,
                    Which::Pid(pid) => self.task(*t).tid == pid,
                    Which::Group(pgid) => self.process(self.process_of(*t)).pgid == pgid,
                };
                is_meant && self.task(*t).trace.tracer == req.of
            });
        }
        match req.which {
            Which::Any => stops.front().copied(),
            Which::Pid(pid) => stops.iter().copied().find(|t| self.task(*t).tid == pid),
            Which::Group(pgid) => {
                let of_group = |t: &TaskId| self.process(self.process_of(*t)).pgid == pgid;
                stops.iter().copied().find(of_group)
            }
        }
    }

    /// What a task has to tell besides its stop as a child, or as a tracee, or as both; whether it
    /// is one of them and can still have something to tell.
    pub(super) fn look_at_one(
        &mut self,
        m: &mut impl Machine,
        ix: ProcessIx,
        pid: u32,
        req: &WaitRequest,
    ) -> (Option<Found>, bool) {
        let Some(task) = self.by_tid(pid) else {
            return (None, false);
        };
        let roles = [
            (false, self.is_child(ix, task, req)),
            (true, self.is_tracee(ix, task, req)),
        ];
        let mut any = false;
        for (as_tracer, _) in roles.into_iter().filter(|(_, is)| *is) {
            any |= self.may_tell(task, as_tracer, req);
            if let Some(found) = self.look_at(m, ix, task, as_tracer, req) {
                return (Some(found), any);
            }
        }
        (None, any)
    }

    /// The same of all children and tracees. They are not looked at again before one of them has
    /// something new to tell.
    pub(super) fn look_at_all(
        &mut self,
        m: &mut impl Machine,
        ix: ProcessIx,
        req: &WaitRequest,
    ) -> (Option<Found>, bool) {
        let process = self.process(ix);
        let all = req.which == Which::Any && req.of.is_none();
        if !process.news && !process.tracees.is_empty() && all {
            return (None, true);
        }
        let (mut any, mut more) = (false, false);
        for (task, as_tracer) in self.candidates(ix, req) {
            any |= self.may_tell(task, as_tracer, req);
            if let Some(found) = self.look_at(m, ix, task, as_tracer, req) {
                return (Some(found), any);
            }
            more |= self.has_news(task);
        }
        if all {
            self.process_mut(ix).news = more;
        }
        (None, any)
    }

    /// Whether a task has something to tell a wait with the right options.
    pub(super) fn has_news(&self, task: TaskId) -> bool {
        let task = self.task(task);
        let process = self.process(task.process);
        matches!(task.state, State::Zombie) || process.stop_unseen || process.continue_unseen
    }

    /// Whether a candidate can still have something to tell, so that the wait is not ECHILD: a
    /// zombie has nothing for a wait without WEXITED.
    pub(super) fn may_tell(&self, task: TaskId, as_tracer: bool, req: &WaitRequest) -> bool {
        let t = self.task(task);
        if !matches!(t.state, State::Zombie) || req.options & g::WEXITED != 0 {
            return true;
        }
        let delayed = self.process(t.process).leader == task && !self.alone(task);
        let elsewhere = t.trace.tracer.is_some() && !as_tracer;
        elsewhere || (delayed && (!as_tracer || req.options & g::WCONTINUED != 0))
    }

    /// Whom a wait that names no single task may be about: children by their leaders, then tracees.
    pub(super) fn candidates(
        &self,
        ix: ProcessIx,
        req: &WaitRequest,
    ) -> alloc::vec::Vec<(TaskId, bool)> {
        let process = self.process(ix);
        let mut found = alloc::vec::Vec::new();
        let of_group = |task: TaskId| match req.which {
            Which::Group(pgid) => self.process(self.process_of(task)).pgid == pgid,
            _ => true,
        };
        for child in &process.children {
            let leader = self.process(*child).leader;
            if of_group(leader) && self.is_child(ix, leader, req) {
                found.push((leader, false));
            }
        }
        let meant = |t: &&TaskId| of_group(**t) && self.is_tracee(ix, **t, req);
        let tracees = process.tracees.iter().filter(meant);
        found.extend(tracees.map(|t| (*t, true)));
        found
    }

    pub(super) fn is_child(&self, ix: ProcessIx, task: TaskId, req: &WaitRequest) -> bool {
        let t = self.task(task);
        let process = self.process(t.process);
        if process.parent != Some(ix) || process.leader != task {
            return false;
        }
        if req.of.is_some_and(|of| self.child_of(process, ix) != of) {
            return false;
        }
        let clone = t.exit_signal != SIGCHLD;
        req.options & WALL != 0 || clone == (req.options & WCLONE != 0)
    }

    /// Whose child of a process's tasks another one is: that of the task which made it or, where that
    /// is gone, of the first one that is left.
    pub(crate) fn child_of(&self, child: &Process, parent: ProcessIx) -> TaskId {
        let alive = |t: &TaskId| self.find_task(*t).is_ok_and(|t| t.alive());
        let parent = self.process(parent);
        child
            .parent_task
            .filter(alive)
            .or_else(|| parent.tasks.iter().copied().find(alive))
            .unwrap_or(parent.leader)
    }

    pub(super) fn is_tracee(&self, ix: ProcessIx, task: TaskId, req: &WaitRequest) -> bool {
        let tracer = self.task(task).trace.tracer;
        if req.of.is_some() {
            return tracer == req.of;
        }
        tracer
            .and_then(|t| self.find_task(t).ok())
            .is_some_and(|t| t.process == ix)
    }
}
