//! The tables of tasks and processes.

use crate::Procmgr;
use crate::context::Contexts;
use crate::hold::Hold;
use crate::posix_timers::PosixTimer;
use crate::process::{Process, ProcessIx};
use crate::task::{State, Task};
use crate::users::Charge;
use abi::task::SLOTS;
use abi::{Errno, PidName, TaskId};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};

/// The most tasks there can be; slot 0 belongs to the servers.
pub const MAX_TASKS: usize = SLOTS - 1;
/// tids are below this, as on Linux with its default `pid_max`.
pub const PID_MAX: u32 = 32768;

/// How many tasks of a process are looked at without taking memory.
const FEW: usize = 4;

/// Tasks by slot, processes by index, tasks by tid.
#[derive(Clone)]
pub struct Tables {
    tasks: Vec<Option<Box<Task>>>,
    generations: Vec<u16>,
    free: Vec<u16>,
    processes: Vec<Option<Box<Process>>>,
    free_processes: Vec<u16>,
    by_tid: Vec<Option<TaskId>>,
    /// How often each tid has been given out.
    serials: Vec<u32>,
    /// Tids of whose end the file server wants to hear.
    pub watched: Vec<bool>,
    /// How many processes name a number as their group or session: it is not reused.
    named: Vec<u16>,
    last_tid: u32,
    count: usize,
    /// The contexts that processes are in.
    pub(crate) contexts: Contexts,
}

impl Tables {
    /// Empty tables. All their memory is taken here, so that nothing can fail later.
    pub fn new() -> Tables {
        let slots = || (1..SLOTS as u16).rev().collect::<Vec<_>>();
        let mut tasks = Vec::new();
        tasks.resize_with(SLOTS, || None);
        let mut processes = Vec::new();
        processes.resize_with(SLOTS, || None);
        Tables {
            tasks,
            generations: alloc::vec![1; SLOTS],
            free: slots(),
            processes,
            free_processes: slots(),
            by_tid: alloc::vec![None; PID_MAX as usize],
            serials: alloc::vec![0; PID_MAX as usize],
            watched: alloc::vec![false; PID_MAX as usize],
            named: alloc::vec![0; PID_MAX as usize],
            last_tid: 0,
            count: 0,
            contexts: Contexts::default(),
        }
    }

    /// How many tasks there are.
    pub fn task_count(&self) -> usize {
        self.count
    }

    /// How many numbers name a task, a group or a session.
    pub fn numbers_in_use(&self) -> usize {
        let named = self.named.iter().zip(&self.by_tid);
        named
            .filter(|(named, task)| **named != 0 || task.is_some())
            .count()
    }

    /// The tid that was given out last.
    pub fn last_tid(&self) -> u32 {
        self.last_tid
    }

    /// The next free tid, from the last one given out on.
    fn next_tid(&self) -> Option<u32> {
        let used = |tid: u32| self.by_tid[tid as usize].is_some() || self.named[tid as usize] != 0;
        let after = (self.last_tid + 1..PID_MAX).chain(300..self.last_tid + 1);
        after.into_iter().find(|tid| !used(*tid))
    }
}

/// What tells two states apart ([`Procmgr::identify`]).
impl Hash for Tables {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Tables {
            tasks,
            generations,
            free,
            processes,
            free_processes,
            serials,
            watched,
            last_tid,
            contexts,
            // They follow from the tasks and processes.
            by_tid: _,
            named: _,
            count: _,
        } = self;
        let (tasks_end, free) = used(free);
        for (slot, task) in tasks[..tasks_end].iter().enumerate() {
            if let Some(task) = task {
                task.hash(hasher);
            }
            if generations[slot] != 1 {
                (slot, generations[slot]).hash(hasher);
            }
        }
        let (processes_end, free_processes) = used(free_processes);
        for (ix, process) in processes[..processes_end].iter().enumerate() {
            if let Some(process) = process {
                (ix, process).hash(hasher);
            }
        }
        (free, free_processes).hash(hasher);
        // Tids are given out in order.
        let given = serials[1..].iter().take_while(|times| **times != 0);
        let given = given.count();
        (&serials[1..=given], &watched[..=given], last_tid, contexts).hash(hasher);
    }
}

impl Tables {
    /// What signals and timers count for their users.
    pub fn charges_mut(&mut self) -> impl Iterator<Item = &mut Charge> {
        let tasks = self.tasks.iter_mut().flatten();
        let processes = self.processes.iter_mut().flatten();
        let of_processes = processes.flat_map(|process| {
            let timers = process.posix_timers.iter_mut();
            let timers = timers.map(PosixTimer::charge_mut);
            process.pending.charges_mut().chain(timers)
        });
        let of_tasks = tasks.flat_map(|task| task.pending.charges_mut());
        of_tasks.chain(of_processes)
    }
}

/// Behind the last slot that has been in use, and the part of the list of free slots that is about
/// those that have: the rest of it is as it was at first.
fn used(free: &[u16]) -> (usize, &[u16]) {
    let moved = |at: &usize| usize::from(free[*at]) != SLOTS - 1 - at;
    let never = (0..free.len()).find(moved).unwrap_or(free.len());
    (SLOTS - never, &free[never..])
}

impl Procmgr {
    /// A task that exists; only ids that were looked up come here.
    #[inline]
    pub(crate) fn task(&self, id: TaskId) -> &Task {
        self.find_task(id)
            .expect("an id inside the process manager names a live task")
    }

    /// The same, to change it.
    #[inline]
    pub(crate) fn task_mut(&mut self, id: TaskId) -> &mut Task {
        self.tables.tasks[id.slot()]
            .as_deref_mut()
            .filter(|t| t.id == id)
            .expect("an id inside the process manager names a live task")
    }

    /// A task by an id from outside: ESRCH when it is gone.
    #[inline]
    pub(crate) fn find_task(&self, id: TaskId) -> Result<&Task, Errno> {
        self.tables.tasks[id.slot()]
            .as_deref()
            .filter(|t| t.id == id)
            .ok_or(Errno::ESRCH)
    }

    /// Every task, those that only wait for their reap report among them.
    pub(crate) fn all_tasks(&self) -> impl Iterator<Item = &Task> {
        self.tables.tasks.iter().filter_map(Option::as_deref)
    }

    /// The task that has a slot now.
    pub(crate) fn task_in_slot(&self, slot: usize) -> Option<TaskId> {
        Some(self.tables.tasks.get(slot)?.as_ref()?.id)
    }

    /// The same where a task that only waits for its reap report counts as gone.
    pub(crate) fn named_task(&self, id: TaskId) -> Result<&Task, Errno> {
        let reaped = |t: &&Task| matches!(t.state, State::Held(Hold::Reap));
        self.find_task(id)
            .ok()
            .filter(|t| !reaped(t))
            .ok_or(Errno::ESRCH)
    }

    /// A task by its tid.
    #[inline]
    pub(crate) fn by_tid(&self, tid: u32) -> Option<TaskId> {
        *self.tables.by_tid.get(tid as usize)?
    }

    /// The name of the process or thread that has a tid now.
    pub(crate) fn pid_name(&self, tid: u32) -> PidName {
        let serial = self.tables.serials[tid as usize];
        PidName { tid, serial }
    }

    /// The task of a name: ESRCH when it is reaped.
    pub(crate) fn by_name(&self, name: PidName) -> Result<TaskId, Errno> {
        let id = self.by_tid(name.tid).ok_or(Errno::ESRCH)?;
        match self.pid_name(name.tid) == name {
            true => Ok(id),
            false => Err(Errno::ESRCH),
        }
    }

    /// A process that exists.
    #[inline]
    pub(crate) fn process(&self, ix: ProcessIx) -> &Process {
        self.tables.processes[usize::from(ix.0)]
            .as_deref()
            .expect("processes outlive their tasks")
    }

    /// The same, to change it.
    #[inline]
    pub(crate) fn process_mut(&mut self, ix: ProcessIx) -> &mut Process {
        self.tables.processes[usize::from(ix.0)]
            .as_deref_mut()
            .expect("processes outlive their tasks")
    }

    /// Every process.
    pub(crate) fn processes(&self) -> impl Iterator<Item = (ProcessIx, &Process)> {
        self.tables
            .processes
            .iter()
            .enumerate()
            .filter_map(|(i, p)| Some((ProcessIx(i as u16), p.as_deref()?)))
    }

    /// The tasks of a process, as they are now.
    pub(crate) fn tasks_of(&self, ix: ProcessIx) -> impl Iterator<Item = TaskId> + use<> {
        let tasks = &self.process(ix).tasks;
        // Most processes have few, which takes no memory of the heap's.
        let mut few = [None; FEW];
        let mut many = Vec::new();
        if tasks.len() <= FEW {
            for (to, id) in few.iter_mut().zip(tasks) {
                *to = Some(*id);
            }
        } else {
            many.clone_from(tasks);
        }
        few.into_iter().flatten().chain(many)
    }

    /// Whether another task and, if asked, another process fit: EAGAIN.
    pub(crate) fn reserve(&mut self) -> Result<(TaskId, u32), Errno> {
        let slot = *self.tables.free.last().ok_or(Errno::EAGAIN)?;
        let tid = self.tables.next_tid().ok_or(Errno::EAGAIN)?;
        let id = TaskId::new(slot.into(), self.tables.generations[usize::from(slot)]);
        Ok((id, tid))
    }

    /// The index the next process will have.
    pub(crate) fn reserve_process(&self) -> Result<ProcessIx, Errno> {
        self.tables
            .free_processes
            .last()
            .map(|ix| ProcessIx(*ix))
            .ok_or(Errno::EAGAIN)
    }

    /// Enters a task made of what [`Procmgr::reserve`] gave.
    pub(crate) fn insert_task(&mut self, task: Box<Task>) {
        let slot = self.tables.free.pop().expect("reserved");
        assert_eq!(usize::from(slot), task.id.slot(), "reserved");
        self.tables.by_tid[task.tid as usize] = Some(task.id);
        let serial = &mut self.tables.serials[task.tid as usize];
        *serial = serial.wrapping_add(1);
        self.tables.last_tid = task.tid;
        self.tables.tasks[usize::from(slot)] = Some(task);
        self.tables.count += 1;
    }

    /// A process, if there is one at this index.
    pub(crate) fn tables_process(&self, ix: ProcessIx) -> Option<&Process> {
        self.tables.processes[usize::from(ix.0)].as_deref()
    }

    /// Moves a process to another group and session.
    pub(crate) fn set_group(&mut self, ix: ProcessIx, pgid: u32, sid: u32) {
        let process = self.process_mut(ix);
        let old = [process.pgid, process.sid];
        (process.pgid, process.sid) = (pgid, sid);
        for number in old {
            self.tables.named[number as usize] -= 1;
        }
        for number in [pgid, sid] {
            self.tables.named[number as usize] += 1;
        }
    }

    /// Enters a process at what [`Procmgr::reserve_process`] gave.
    pub(crate) fn insert_process(&mut self, process: Box<Process>) -> ProcessIx {
        for number in [process.pgid, process.sid] {
            self.tables.named[number as usize] += 1;
        }
        let ix = ProcessIx(self.tables.free_processes.pop().expect("reserved"));
        self.tables.contexts.joined(process.context, ix);
        self.tables.processes[usize::from(ix.0)] = Some(process);
        ix
    }

    /// A task's tid names nobody any more.
    pub(crate) fn forget_tid(&mut self, id: TaskId) {
        let tid = self.task(id).tid;
        self.tables.by_tid[tid as usize] = None;
    }

    /// Gives a task that has no tid one that nobody has.
    pub(crate) fn name_task(&mut self, id: TaskId, tid: u32) {
        self.task_mut(id).tid = tid;
        self.tables.by_tid[tid as usize] = Some(id);
    }

    /// Forgets a task, whose tid is forgotten; its id is stale from here on.
    pub(crate) fn remove_task(&mut self, id: TaskId) {
        self.disengage_all(id);
        self.tables.tasks[id.slot()] = None;
        let generation = &mut self.tables.generations[id.slot()];
        *generation = if *generation == u16::MAX {
            1
        } else {
            *generation + 1
        };
        self.tables.free.push(id.slot() as u16);
        self.tables.count -= 1;
    }

    /// Forgets a process without tasks.
    pub(crate) fn remove_process(&mut self, ix: ProcessIx) {
        let process = self.process(ix);
        let context = process.context;
        for number in [process.pgid, process.sid] {
            self.tables.named[number as usize] -= 1;
        }
        self.tables.contexts.left(context);
        self.tables.processes[usize::from(ix.0)] = None;
        self.tables.free_processes.push(ix.0);
    }
}
