//! What follows once the child is made: its files, the report about it, its start, and the end of a vfork.

use super::{CloneArgs, Created, PIDFD, VFORK};
use crate::Procmgr;
use crate::hold::Hold;
use crate::machine::{Machine, Stub};
use crate::task::{AfterStub, State, Wait};
use abi::TaskId;
use abi::linux::general as g;
use abi::tracer::Events;

impl Procmgr {
    /// The file server has set up the child, or failed to.
    pub(crate) fn child_has_files(
        &mut self,
        m: &mut impl Machine,
        child: TaskId,
        parent: TaskId,
        args: CloneArgs,
        result: i64,
    ) {
        self.task_mut(child).state = State::Moving;
        if self.awaited_child(parent) != Some(child) {
            // Its creator was killed before it could get its answer.
            return self.start_child(m, child, &args);
        }
        if result < 0 {
            self.unmake_child(m, child);
            self.task_mut(parent).state = State::Moving;
            return self.finish_syscall(m, parent, result);
        }
        let tid = self.task(child).tid;
        if args.has(PIDFD) {
            self.tables.watched[tid as usize] = true;
            let _ = self.put(m, parent, args.pidfd, &(result as i32).to_le_bytes());
        }
        if args.has(g::CLONE_PARENT_SETTID.into()) {
            let _ = self.put(m, parent, args.parent_tid, &tid.to_le_bytes());
        }
        if args.has(g::CLONE_CHILD_SETTID.into()) {
            let _ = self.put(m, child, args.child_tid, &tid.to_le_bytes());
        }
        self.task_mut(parent).state = State::Moving;
        self.task_mut(parent).trace.created = Some(Created {
            child,
            tid,
            args,
            started: false,
        });
        let told = match args.has(g::CLONE_PTRACE.into()) {
            true => Events::CLONE | Events::CLONE_PTRACE,
            false => Events::CLONE,
        };
        if self.task(parent).trace.events.intersects(told) && self.may_report(parent) {
            let event = Hold::Clone {
                child,
                child_tid: tid,
                kind: args.kind(),
                flags: args.flags,
            };
            self.report(m, parent, event);
        } else {
            self.clone_reported(m, parent);
        }
    }

    /// Lets the task run that a task created, if it has not been let yet.
    pub(crate) fn start_created(&mut self, m: &mut impl Machine, parent: TaskId) {
        if let Some(created) = &mut self.task_mut(parent).trace.created
            && !core::mem::replace(&mut created.started, true)
        {
            let Created { child, args, .. } = *created;
            self.start_child(m, child, &args);
        }
    }

    /// Behind the clone report: both go on.
    pub(crate) fn clone_reported(&mut self, m: &mut impl Machine, parent: TaskId) {
        self.start_created(m, parent);
        let Some(created) = self.task_mut(parent).trace.created.take() else {
            return self.return_to_user(m, parent);
        };
        let Created {
            child, tid, args, ..
        } = created;
        if !args.has(VFORK) {
            self.finish_syscall(m, parent, tid.into());
        } else if self
            .find_task(child)
            .is_ok_and(|c| c.vfork_waiter.is_some())
        {
            self.task_mut(parent).state = State::Waiting(Wait::Vfork { child, tid });
        } else {
            self.vfork_over(m, parent, tid);
        }
    }

    /// Starts a new task.
    pub(crate) fn start_child(&mut self, m: &mut impl Machine, child: TaskId, args: &CloneArgs) {
        if let Some(status) = self.doomed(child) {
            return self.begin_exit(m, child, status);
        }
        match args.fpu_area {
            0 => m.run_stub(child, Stub::FpuInit, 0),
            area => m.run_stub(child, Stub::FpuLoad, area),
        }
        self.task_mut(child).state = State::Stub(AfterStub::Start);
    }

    /// Undoes `make_child`.
    pub(super) fn unmake_child(&mut self, m: &mut impl Machine, child: TaskId) {
        let task = self.task_mut(child);
        let space = task.space.take().expect("a new task has a space");
        task.vfork_waiter = None;
        m.thread_destroy(child);
        self.memory.space_release(m, space);
        self.reap(m, child);
    }

    /// A vfork child has a program of its own or is dead: its creator goes on.
    pub(crate) fn release_vfork(&mut self, m: &mut impl Machine, child: TaskId) {
        let Some(waiter) = self.task_mut(child).vfork_waiter.take() else {
            return;
        };
        let Ok(task) = self.find_task(waiter) else {
            return;
        };
        let State::Waiting(Wait::Vfork {
            child: awaited,
            tid,
        }) = task.state
        else {
            return;
        };
        if awaited != child {
            return;
        }
        self.vfork_over(m, waiter, tid);
    }

    /// A task need not wait for its vfork child any longer.
    pub(super) fn vfork_over(&mut self, m: &mut impl Machine, id: TaskId, tid: u32) {
        let task = self.task_mut(id);
        task.usage.waits += 1;
        task.state = State::Moving;
        if self.task(id).trace.events.contains(Events::VFORK_DONE) && self.may_report(id) {
            self.report(m, id, Hold::VforkDone { child_tid: tid });
        } else {
            self.finish_syscall(m, id, tid.into());
        }
    }
}
