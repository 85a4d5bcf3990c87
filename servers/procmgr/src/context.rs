//! Contexts: groups of processes that neither see nor signal nor trace one another
//! (docs/contexts.md; the contexts of Linux-VServer).
//!
//! Context 0 is the host's. A privileged process of it enters another one, or makes it, by a
//! private system call; its children are born in it, and there is no way back. Who belongs to the
//! host and may watch reaches everybody.

use crate::Procmgr;
use crate::machine::Machine;
use crate::process::{Process, ProcessIx};
use abi::client::{CONTEXT_ENTER, CONTEXT_GET};
use abi::{Capability, Errno, TaskId};
use alloc::collections::BTreeMap;

/// The context in which the machine starts.
pub const HOST: u32 = 0;
/// The most contexts beside the host's.
pub const MAX_CONTEXTS: usize = 1024;
/// The highest number of one.
const MAX_NUMBER: u32 = i32::MAX as u32;

/// One context, for as long as it has members.
#[derive(Clone, Hash)]
struct Context {
    members: u32,
    /// The process that made it, until it dies: the orphans' parent.
    first: Option<ProcessIx>,
}

/// All but the host's.
#[derive(Clone, Default, Hash)]
pub(crate) struct Contexts {
    table: BTreeMap<u32, Context>,
    /// The number that was made up last.
    last: u32,
}

impl Contexts {
    /// A process is new in its context.
    pub fn joined(&mut self, number: u32, ix: ProcessIx) {
        if number != HOST {
            let context = self.table.entry(number).or_insert(Context {
                members: 0,
                first: Some(ix),
            });
            context.members += 1;
        }
    }

    /// A process of a context is forgotten.
    pub fn left(&mut self, number: u32) {
        if let Some(context) = self.table.get_mut(&number) {
            context.members -= 1;
            if context.members == 0 {
                self.table.remove(&number);
            }
        }
    }

    /// The first process of a context, while it lives.
    pub fn first(&self, number: u32) -> Option<ProcessIx> {
        self.table.get(&number)?.first
    }

    /// A process ends: it adopts nobody any more.
    pub fn ends(&mut self, number: u32, ix: ProcessIx) {
        if let Some(context) = self.table.get_mut(&number)
            && context.first == Some(ix)
        {
            context.first = None;
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// A number that no context has, of the last ones to be used again.
    fn unused(&mut self) -> u32 {
        loop {
            self.last = self.last % MAX_NUMBER + 1;
            if !self.table.contains_key(&self.last) {
                return self.last;
            }
        }
    }
}

impl Procmgr {
    /// Whether a task reaches into every context: it is the host's, and privileged.
    pub(crate) fn watches(&self, id: TaskId) -> bool {
        self.process(self.process_of(id)).context == HOST
            && self.capable(id, Capability::CAP_SYS_ADMIN)
    }

    /// Whether a task knows of a process.
    pub(crate) fn sees(&self, viewer: TaskId, other: ProcessIx) -> bool {
        let own = self.process(self.process_of(viewer)).context;
        own == self.process(other).context || self.watches(viewer)
    }

    /// A task by a tid that a program has named.
    pub(crate) fn seen(&self, viewer: TaskId, tid: u32) -> Option<TaskId> {
        self.by_tid(tid)
            .filter(|task| self.sees(viewer, self.process_of(*task)))
    }

    /// The processes that a task knows of.
    pub(crate) fn seen_processes(
        &self,
        viewer: TaskId,
    ) -> impl Iterator<Item = (ProcessIx, &Process)> {
        self.processes()
            .filter(move |(ix, _)| self.sees(viewer, *ix))
    }

    /// The private call: which context a process is in, or going to another one.
    pub(crate) fn sys_context(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<i64, Errno> {
        match a[0] {
            CONTEXT_GET => {
                let task = match a[1] as i32 {
                    0 => id,
                    pid => self.seen(id, pid as u32).ok_or(Errno::ESRCH)?,
                };
                Ok(self.process(self.process_of(task)).context.into())
            }
            CONTEXT_ENTER => self.enter_context(m, id, a[1]),
            _ => Err(Errno::EINVAL),
        }
    }

    fn enter_context(&mut self, m: &impl Machine, id: TaskId, number: u64) -> Result<i64, Errno> {
        let ix = self.process_of(id);
        let number = u32::try_from(number).map_err(|_| Errno::EINVAL)?;
        if number > MAX_NUMBER {
            return Err(Errno::EINVAL);
        }
        if !self.watches(id) {
            return Err(Errno::EPERM);
        }
        if self.holds_or_is_held(ix) {
            return Err(Errno::EBUSY);
        }
        let contexts = &mut self.tables.contexts;
        if !contexts.table.contains_key(&number) && contexts.len() == MAX_CONTEXTS {
            return Err(Errno::EAGAIN);
        }
        self.room(m)?;
        let number = match number {
            0 => self.tables.contexts.unused(),
            number => number,
        };
        self.tables.contexts.joined(number, ix);
        self.process_mut(ix).context = number;
        Ok(number.into())
    }

    /// Whether a process traces somebody, whom it would leave behind, or is traced by somebody who
    /// could not have taken hold of it across the border; by ptrace or by an engine.
    fn holds_or_is_held(&self, ix: ProcessIx) -> bool {
        let process = self.process(ix);
        let cannot_watch = |by: TaskId| self.find_task(by).is_ok() && !self.watches(by);
        let tangled = |task: &TaskId| {
            let task = self.task(*task);
            let attends = task.inbox.as_ref().is_some_and(|inbox| inbox.engines > 0);
            let engines = task.trace.engines.iter().map(|engine| engine.client);
            attends || engines.chain(task.trace.tracer).any(cannot_watch)
        };
        !process.tracees.is_empty() || process.tasks.iter().any(tangled)
    }

    /// How many contexts there are beside the host's.
    pub fn context_count(&self) -> usize {
        self.tables.contexts.len()
    }
}
