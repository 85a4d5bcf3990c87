//! The traced tasks.

use crate::engine::{Chain, EngineId, Life, State};
use crate::ptrace::Tracee;
use abi::engine::Calls;
use abi::task::SLOTS;
use abi::tracer::{Course, Events};
use abi::{Errno, TaskId};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// The most tasks traced at a time, which is as many as there are; one more is ENOMEM.
pub const MAX_TRACED_TASKS: usize = SLOTS;
/// The most engines of one user, ptrace's among them, at a time; one more is EAGAIN. Each holds one
/// task at most, so a user holds no more tasks.
pub const MAX_ENGINES_PER_USER: usize = 2048;

/// An engine's owner, and what kind it is.
#[derive(Clone, Debug, Hash)]
pub struct Owned {
    /// Who is charged for it: its owner's real user id.
    pub uid: u32,
    /// What it is.
    pub kind: Kind,
}

/// What an engine is.
#[derive(Clone, Debug, Hash)]
pub enum Kind {
    /// The built-in ptrace engine.
    Ptrace(Tracee),
    /// A program's, which is called back by messages.
    Client(TaskId),
}

/// One traced task.
#[derive(Clone, Debug, Hash)]
pub struct Task {
    /// Its tid.
    pub tid: u32,
    /// Its engines.
    pub chain: Chain<Owned>,
    /// What the process manager was told last.
    pub told: Course,
    /// Which system calls it was told of last.
    pub told_calls: Calls,
}

impl Task {
    /// A task whose first attach is about to be committed.
    pub fn new(life: Life) -> Task {
        Task {
            tid: 0,
            chain: Chain::new(life),
            told: Course::default(),
            told_calls: Calls::ALL,
        }
    }

    /// What the process manager is to report of it, and to settle by itself: what the engines ask
    /// for, and in any case the end, which is when the task is forgotten here. Where ptrace is the
    /// only engine, its stops are leased; where a program's is, and wants nothing of the task, system calls
    /// are relayed to it; where there is none, nothing is reported.
    pub fn course(&self) -> Course {
        let step = self.chain.resume_action().step();
        let leased = self.is_leasable();
        let mut course = Course {
            step,
            leased,
            relayed: self.is_relayable(),
            ..Course::default()
        };
        if self.chain.is_empty() {
            return course;
        }
        course.events = self.chain.events() | Events::DEATH | Events::REAP;
        if let Some(tracee) = self.tracee() {
            course.bond = Some(tracee.bond());
            course.mode = tracee.mode;
            if !leased {
                course.events |= tracee.mode.events();
            }
        }
        course
    }

    /// What the engines beside ptrace's ask for; none where there are no others.
    pub fn course_without_ptrace(&self) -> Option<Course> {
        let others = || {
            let clients = |owned: &Owned| matches!(owned.kind, Kind::Client(_));
            self.chain.engines().filter(move |e| clients(&e.kind))
        };
        others().next()?;
        let events = others().fold(Events::DEATH | Events::REAP, |all, e| all | e.flags.events);
        let states = others().map(|engine| engine.flags.state);
        Some(Course {
            events,
            step: crate::engine::ResumeAction::of_all(states).step(),
            ..Course::default()
        })
    }

    /// Which system calls are reported, of those that are at all.
    pub fn calls(&self) -> Calls {
        match self.tracee() {
            Some(tracee) if !tracee.mode.events().is_empty() => Calls::ALL,
            Some(_) if self.is_leasable() => Calls::ALL,
            _ => self.chain.calls(),
        }
    }

    /// Whether ptrace is the only engine.
    fn is_leasable(&self) -> bool {
        let mut engines = self.chain.engines();
        match (engines.next(), engines.next()) {
            (Some(engine), None) => matches!(engine.kind.kind, Kind::Ptrace(_)),
            _ => false,
        }
    }

    /// Whether a program's engine is the only one, and has no wish but to be told.
    fn is_relayable(&self) -> bool {
        let mut engines = self.chain.engines();
        match (engines.next(), engines.next()) {
            (Some(engine), None) => {
                let wishes = engine.flags.state.difference(State::NOREAP);
                matches!(engine.kind.kind, Kind::Client(_))
                    && wishes.is_empty()
                    && self.chain.life() == Life::Alive
            }
            _ => false,
        }
    }

    /// What the process manager is to be told when the task goes on, if anything. What runs under a
    /// lease goes on as it did.
    pub fn new_course(&mut self) -> Option<Course> {
        let course = self.course();
        let same = match course.leased {
            true => self.told.leased,
            false => self.told == course,
        };
        if same {
            return None;
        }
        self.told = course;
        Some(course)
    }

    /// What ptrace's engine asks for follows what it knows of its tracee.
    pub fn refresh(&mut self) {
        let Some((engine, tracee)) = self.ptrace() else {
            return;
        };
        let events = tracee.bond().events();
        let mode = tracee.mode.events();
        let interrupt = tracee.interrupt;
        let alone = self.is_leasable();
        if let Some(engine) = self.chain.engines_mut().find(|e| e.id == engine) {
            engine.flags.events = events;
            if !alone {
                engine.flags.events |= mode;
            }
            let steps = engine.flags.state.contains(State::SINGLESTEP);
            let events = &mut engine.flags.events;
            events.set(Events::QUIESCE, interrupt && !alone);
            events.set(Events::HANDLER_STEP, steps && !alone);
        }
    }

    /// Its ptrace engine.
    pub fn ptrace(&mut self) -> Option<(EngineId, &mut Tracee)> {
        self.chain
            .engines_mut()
            .find_map(|engine| match &mut engine.kind.kind {
                Kind::Ptrace(tracee) => Some((engine.id, tracee)),
                Kind::Client(_) => None,
            })
    }

    /// What its ptrace engine knows.
    pub fn tracee(&self) -> Option<&Tracee> {
        self.chain
            .engines()
            .find_map(|engine| match &engine.kind.kind {
                Kind::Ptrace(tracee) => Some(tracee),
                Kind::Client(_) => None,
            })
    }

    /// Whose engine it is; none for ptrace's or one that is not attached.
    pub fn owner(&self, id: EngineId) -> Option<TaskId> {
        match self.chain.engine(id).ok()?.kind.kind {
            Kind::Client(owner) => Some(owner),
            Kind::Ptrace(_) => None,
        }
    }
}

/// Every traced task, by id and by tid.
#[derive(Clone, Default, Hash)]
pub struct Tasks {
    by_id: BTreeMap<TaskId, Task>,
    by_tid: BTreeMap<u32, TaskId>,
    engines_of: BTreeMap<u32, usize>,
    /// Children whose creators' clone reports are not over, by tid, and those creators.
    newborn: BTreeMap<u32, TaskId>,
}

impl Tasks {
    /// Whether an engine of `uid` can be attached, to a task that is not traced yet if it is a `new`
    /// one: ENOMEM ([`MAX_TRACED_TASKS`]) or EAGAIN ([`MAX_ENGINES_PER_USER`]) if not.
    pub fn room(&self, uid: u32, new: bool) -> Result<(), Errno> {
        if new && self.by_id.len() >= MAX_TRACED_TASKS {
            return Err(Errno::ENOMEM);
        }
        match self.engines_of.get(&uid) {
            Some(n) if *n >= MAX_ENGINES_PER_USER => Err(Errno::EAGAIN),
            _ => Ok(()),
        }
    }

    /// Adds a task with one engine that [`Tasks::room`] has been found for.
    pub fn insert(&mut self, id: TaskId, task: Task) {
        self.remove(id);
        for engine in task.chain.engines() {
            *self.engines_of.entry(engine.kind.uid).or_default() += 1;
        }
        self.by_tid.insert(task.tid, id);
        self.by_id.insert(id, task);
    }

    /// A task that is there has an engine more.
    pub fn charge(&mut self, uid: u32) {
        *self.engines_of.entry(uid).or_default() += 1;
    }

    /// An engine is gone.
    pub fn discharge(&mut self, uid: u32) {
        if let Some(n) = self.engines_of.get_mut(&uid) {
            *n -= 1;
            if *n == 0 {
                self.engines_of.remove(&uid);
            }
        }
    }

    /// Forgets a task.
    pub fn remove(&mut self, id: TaskId) {
        let Some(task) = self.by_id.remove(&id) else {
            return;
        };
        if self.by_tid.get(&task.tid) == Some(&id) {
            self.by_tid.remove(&task.tid);
        }
        for engine in task.chain.engines() {
            self.discharge(engine.kind.uid);
        }
    }

    /// The task with this tid.
    pub fn find(&self, tid: u32) -> Option<TaskId> {
        self.by_tid.get(&tid).copied()
    }

    /// A task.
    pub fn get(&self, id: TaskId) -> Option<&Task> {
        self.by_id.get(&id)
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

    /// A task has created another one, which begins its life when that has been reported.
    pub fn expect(&mut self, tid: u32, creator: TaskId) {
        self.newborn.insert(tid, creator);
    }

    /// The report that a creator's child waits for is over.
    pub fn born(&mut self, tid: u32, creator: TaskId) {
        if self.newborn.get(&tid) == Some(&creator) {
            self.newborn.remove(&tid);
        }
    }

    /// Who has created a newborn task.
    pub fn creator(&self, tid: u32) -> Option<TaskId> {
        self.newborn.get(&tid).copied()
    }

    /// The tasks that a client has an engine at, be it ptrace's.
    pub fn watched_by(&self, client: TaskId) -> Vec<TaskId> {
        let has = |task: &Task| {
            task.chain.engines().any(|engine| match &engine.kind.kind {
                Kind::Ptrace(tracee) => tracee.tracer == client,
                Kind::Client(owner) => *owner == client,
            })
        };
        let watched = self.by_id.iter().filter(|(_, task)| has(task));
        watched.map(|(id, _)| *id).collect()
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

    /// How many engines are charged to anybody, and how many children are expected.
    pub fn population(&self) -> (usize, usize) {
        (self.engines_of.values().sum(), self.newborn.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_so_many_engines_and_another_has_room_all_the_same() {
        let mut tasks = Tasks::default();
        for _ in 0..MAX_ENGINES_PER_USER {
            assert_eq!(tasks.room(7, false), Ok(()));
            tasks.charge(7);
        }
        assert_eq!(tasks.room(7, true), Err(Errno::EAGAIN));
        assert_eq!(tasks.room(8, true), Ok(()));
        tasks.discharge(7);
        assert_eq!(tasks.room(7, false), Ok(()));
    }
}
