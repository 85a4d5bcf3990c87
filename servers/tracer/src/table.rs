//! The traced tasks.

use crate::engine::{Chain, EngineId, Life};
use crate::ptrace::Tracee;
use abi::ptrace::Mode;
use abi::tracer::{Course, Events};
use abi::{Errno, TaskId};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// The most tasks traced at a time; one more is ENOMEM.
pub const MAX_TRACED_TASKS: usize = 1024;
/// The most tasks that the tracers of one user trace at a time; one more is EAGAIN.
pub const MAX_TRACED_PER_USER: usize = 512;

/// What an engine is. Engines of other tasks, whose callbacks are messages, become another
/// variant: the chain already waits for answers that come later.
#[derive(Debug)]
pub enum Kind {
    /// The built-in ptrace engine.
    Ptrace(Tracee),
}

/// One traced task.
#[derive(Debug)]
pub struct Task {
    /// Its tid.
    pub tid: u32,
    /// Its engines.
    pub chain: Chain<Kind>,
    /// What the process manager was told last, if that is not the course it started with.
    pub told: Option<Course>,
    /// Who is charged for it.
    pub owner_uid: u32,
}

impl Task {
    /// A task whose attach is about to be committed.
    pub fn new(owner_uid: u32, life: Life) -> Task {
        Task {
            tid: 0,
            chain: Chain::new(life),
            told: None,
            owner_uid,
        }
    }

    /// What the process manager is to report of it, and to settle by itself: what the engines ask
    /// for, and in any case the end, which is when the task is forgotten here. Where ptrace is the
    /// only engine, its stops are leased.
    pub fn course(&self) -> Course {
        let events = self.chain.events() | Events::DEATH | Events::REAP;
        let step = self.chain.resume_action().step();
        let mut engines = self.chain.engines();
        match (engines.next(), engines.next()) {
            (Some(engine), None) => {
                let Kind::Ptrace(tracee) = &engine.kind;
                Course {
                    events,
                    lease: Some(tracee.lease()),
                    mode: tracee.mode,
                    step,
                }
            }
            _ => Course {
                events,
                lease: None,
                mode: Mode::Free,
                step,
            },
        }
    }

    /// What the process manager is to be told when the task goes on, if anything. What runs under a
    /// lease goes on as it did.
    pub fn new_course(&mut self) -> Option<Course> {
        let course = self.course();
        if course.lease.is_some() || self.told == Some(course) {
            return None;
        }
        self.told = Some(course);
        self.told
    }

    /// Its ptrace engine.
    pub fn ptrace(&mut self) -> Option<(EngineId, &mut Tracee)> {
        self.chain
            .engines_mut()
            .map(|engine| {
                let Kind::Ptrace(tracee) = &mut engine.kind;
                (engine.id, tracee)
            })
            .next()
    }
}

/// Every traced task, by id and by tid.
#[derive(Default)]
pub struct Tasks {
    by_id: BTreeMap<TaskId, Task>,
    by_tid: BTreeMap<u32, TaskId>,
    per_user: BTreeMap<u32, usize>,
}

impl Tasks {
    /// Whether a task charged to `uid` can be added: ENOMEM ([`MAX_TRACED_TASKS`]) or EAGAIN
    /// ([`MAX_TRACED_PER_USER`]) if not.
    pub fn room(&self, uid: u32) -> Result<(), Errno> {
        if self.by_id.len() >= MAX_TRACED_TASKS {
            return Err(Errno::ENOMEM);
        }
        match self.per_user.get(&uid) {
            Some(n) if *n >= MAX_TRACED_PER_USER => Err(Errno::EAGAIN),
            _ => Ok(()),
        }
    }

    /// Adds a task that [`Tasks::room`] has been found for.
    pub fn insert(&mut self, id: TaskId, task: Task) {
        self.remove(id);
        *self.per_user.entry(task.owner_uid).or_default() += 1;
        self.by_tid.insert(task.tid, id);
        self.by_id.insert(id, task);
    }

    /// Forgets a task.
    pub fn remove(&mut self, id: TaskId) -> Option<Task> {
        let task = self.by_id.remove(&id)?;
        if self.by_tid.get(&task.tid) == Some(&id) {
            self.by_tid.remove(&task.tid);
        }
        if let Some(n) = self.per_user.get_mut(&task.owner_uid) {
            *n -= 1;
            if *n == 0 {
                self.per_user.remove(&task.owner_uid);
            }
        }
        Some(task)
    }

    /// The task with this tid.
    pub fn find(&self, tid: u32) -> Option<TaskId> {
        self.by_tid.get(&tid).copied()
    }

    /// A task, to change it.
    pub fn get_mut(&mut self, id: TaskId) -> Option<&mut Task> {
        self.by_id.get_mut(&id)
    }

    /// Exec gave a task another tid. The task that had it before is dead and keeps its id only.
    pub fn retid(&mut self, id: TaskId, tid: u32) {
        let Some(task) = self.by_id.get_mut(&id) else {
            return;
        };
        if task.tid == tid {
            return;
        }
        if self.by_tid.get(&task.tid) == Some(&id) {
            self.by_tid.remove(&task.tid);
        }
        task.tid = tid;
        self.by_tid.insert(tid, id);
    }

    /// The tracees of a tracer.
    pub fn traced_by(&mut self, tracer: TaskId) -> Vec<TaskId> {
        self.by_id
            .iter_mut()
            .filter_map(|(id, task)| {
                let (_, tracee) = task.ptrace()?;
                (tracee.tracer == tracer).then_some(*id)
            })
            .collect()
    }

    /// The reports that have not been answered: which task, which number.
    pub fn kept(&self) -> Vec<(TaskId, u32)> {
        let kept = |(id, task): (&TaskId, &Task)| Some((*id, task.chain.report()?.number));
        self.by_id.iter().filter_map(kept).collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }
}
