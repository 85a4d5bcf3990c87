//! Becoming a tracee (ptrace.md A3, A4).

use crate::Procmgr;
use crate::credentials::AccessMode;
use crate::machine::Machine;
use crate::task::State;
use crate::trace::Attached;
use abi::signal::{SIGSTOP, code};
use abi::tracer::{Course, First, Reply};
use abi::{Capability, Errno, SigInfo, TaskId};

/// Who traces.
struct Tracer {
    task: TaskId,
    /// Whoever asked for it held CAP_SYS_PTRACE: what the tracee executes may give it privileges
    /// (ptrace.md A10, unsafe_exec).
    privileged: bool,
}

impl Procmgr {
    /// PTRACE_ATTACH and SEIZE. What forbids it is EPERM each time, so the order does not show.
    pub(super) fn trace(
        &mut self,
        m: &mut impl Machine,
        (tid, known): (u32, Option<TaskId>),
        tracer: TaskId,
        course: &Course,
        first: First,
    ) -> Result<Reply, Errno> {
        let id = self.by_tid(tid).ok_or(Errno::ESRCH)?;
        if known.is_some_and(|known| known != id) {
            return Err(Errno::EAGAIN);
        }
        let by = self.process_of(self.named_task(tracer)?.id);
        let task = self.task(id);
        let forbidden = tid <= 1
            || task.process == by
            || matches!(task.state, State::Zombie)
            || task.trace.tracer.is_some()
            || !self.may_access(tracer, id, AccessMode::Real);
        if forbidden {
            return Err(Errno::EPERM);
        }
        let privileged = self.capable(tracer, Capability::CAP_SYS_PTRACE);
        self.bind(
            m,
            id,
            Tracer {
                task: tracer,
                privileged,
            },
            course,
            first,
        )
    }

    /// PTRACE_TRACEME: traced by the parent's task whose child it is, not by one that may do less, nor
    /// one whose context is out of its reach; and what counts for its own privileges is what it may do
    /// itself, since it is the one who asks. A parent that is exiting: as if it had been attached and
    /// detached at once.
    pub(super) fn trace_me(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        course: &Course,
    ) -> Result<Reply, Errno> {
        let task = self.named_task(id)?;
        if task.trace.tracer.is_some() {
            return Err(Errno::EPERM);
        }
        let (own, process) = (task.process, self.process(task.process));
        let parent = process.parent.map(|parent| self.child_of(process, parent));
        if parent.is_some_and(|parent| !self.sees(parent, own)) {
            return Err(Errno::EPERM);
        }
        match parent.filter(|parent| self.task(*parent).alive()) {
            Some(parent) => {
                let (mine, its) = (self.credentials(id), self.credentials(parent));
                let capability = Capability::CAP_SYS_PTRACE;
                if !mine.permitted.is_subset_of(its.permitted) && !its.capable(capability) {
                    return Err(Errno::EPERM);
                }
                let privileged = mine.capable(capability);
                self.bind(
                    m,
                    id,
                    Tracer {
                        task: parent,
                        privileged,
                    },
                    course,
                    First::None,
                )
            }
            None => Ok(Reply::None),
        }
    }

    /// The child of a tracee, before it runs.
    pub(super) fn trace_child(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        creator: TaskId,
        course: &Course,
        first: First,
    ) -> Result<Reply, Errno> {
        let created = self.named_task(id)?.trace.tracer.is_none();
        let tracer = self.named_task(creator)?.trace.tracer.ok_or(Errno::ESRCH)?;
        if !created {
            return Err(Errno::EPERM);
        }
        let privileged = self.task(creator).trace.privileged;
        self.bind(
            m,
            id,
            Tracer {
                task: tracer,
                privileged,
            },
            course,
            first,
        )
    }

    /// Binds a task and its tracer, or changes nothing. ESRCH: either is on its way out.
    fn bind(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        by: Tracer,
        course: &Course,
        first: First,
    ) -> Result<Reply, Errno> {
        let tracer = by.task;
        if self.task(id).space.is_none() || !self.named_task(tracer)?.alive() {
            return Err(Errno::ESRCH);
        }
        let ix = self.process_of(tracer);
        let process = self.process_mut(ix);
        process.tracees.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        let stops = process.tracees.len() + 1 - process.stops.len();
        process
            .stops
            .try_reserve(stops)
            .map_err(|_| Errno::ENOMEM)?;
        process.tracees.push(id);
        let trace = &mut self.task_mut(id).trace;
        trace.attached = Attached::Untold;
        trace.tracer = Some(tracer);
        trace.privileged = by.privileged;
        trace.set_course(course);
        let stopped = matches!(self.task(id).state, State::Stopped);
        if stopped || first == First::Event {
            self.quiesce(m, id);
        }
        match first {
            First::None | First::Event => {}
            First::Attach => self.push_signal(m, id, SigInfo::new(SIGSTOP, code::SI_KERNEL)),
            First::Child => {
                let info = SigInfo::from_process(SIGSTOP, code::SI_USER, 0, 0);
                self.push_signal(m, id, info);
            }
        }
        let tid = self.task(id).tid;
        Ok(Reply::Traced {
            task: id,
            tid,
            tracer,
        })
    }
}
