//! Engines of programs, as far as the process manager has to do with them.
//!
//! The tracer decides who may attach, in which order engines are told of an event and what becomes of
//! it. Here is what a task's engines are allowed because they are attached: to be called back
//! ([`callback`]), to take callbacks and answer them with one message ([`inbox`]), and to look at the
//! task and change it while it stands still ([`requests`]).

mod callback;
mod inbox;
mod requests;

use crate::Procmgr;
use crate::credentials::AccessMode;
use crate::hold::Hold;
use crate::machine::Machine;
use crate::report::ToTracer;
use crate::task::State;
use crate::trace::Attached;
use abi::engine::{Handle, PER_CLIENT, PER_TASK, Standing};
use abi::tracer::Reply;
use abi::{Capability, Errno, TaskId};

pub use callback::{Answered, Asked};
pub use inbox::Inbox;

/// An engine of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Engine {
    /// Its number.
    pub number: u32,
    /// Whose it is.
    pub client: TaskId,
    /// What it is called back with.
    pub data: u64,
    /// Its client had CAP_SYS_PTRACE when it attached: what the task executes may give it
    /// privileges.
    pub privileged: bool,
}

impl Procmgr {
    /// Enters an engine of a client's at a task.
    pub(crate) fn engage(
        &mut self,
        id: TaskId,
        client: TaskId,
        number: u32,
        data: u64,
    ) -> Result<Reply, Errno> {
        let by = self.named_task(client)?.process;
        let task = self.named_task(id)?;
        let tid = task.tid;
        let forbidden = tid <= 1 || task.process == by;
        if forbidden || !self.may_access(client, id, AccessMode::Real) {
            return Err(Errno::EPERM);
        }
        let privileged = self.capable(client, Capability::CAP_SYS_PTRACE);
        if !self.task(client).alive() {
            return Err(Errno::ESRCH);
        }
        if task.trace.attached == Attached::Untold {
            return Err(Errno::EBUSY);
        }
        if task.trace.engines.len() >= PER_TASK {
            return Err(Errno::ENOMEM);
        }
        let standing = match task.state {
            State::Zombie => Standing::Dead,
            State::Held(hold) if hold.is_event() => Standing::Held,
            State::Stopped => Standing::Stopped,
            _ if !task.alive() => Standing::Dead,
            _ => Standing::Running,
        };
        let inbox = self.task_mut(client).inbox.get_or_insert_default();
        inbox.room(PER_CLIENT)?;
        inbox.engines += 1;
        self.task_mut(client).trace.client = true;
        let trace = &mut self.task_mut(id).trace;
        trace.attached = Attached::Told;
        // What else is to be reported is said next, but the task may be gone by then.
        trace.report_end();
        trace.engines.push(Engine {
            number,
            client,
            data,
            privileged,
        });
        Ok(Reply::Engaged { tid, standing })
    }

    /// Forgets an engine of a task, and what it was to be told or has answered. ESRCH: the task is
    /// being reaped too, and what that means for its engines is on its way.
    pub(crate) fn disengage(&mut self, m: &mut impl Machine, handle: Handle) -> Result<(), Errno> {
        let engine = self.engine(handle)?;
        if let State::Held(Hold::Reap) = self.task(handle.task).state {
            return Err(Errno::ESRCH);
        }
        let trace = &mut self.task_mut(handle.task).trace;
        trace.engines.retain(|other| other.number != handle.engine);
        let asked = trace.asked.take_if(|asked| asked.engine == handle.engine);
        if asked.is_some_and(|asked| asked.relayed) && !trace.taken {
            // Nobody else knows what holds the task.
            self.tell_tracer(m, handle.task, ToTracer::Report);
        }
        let trace = &mut self.task_mut(handle.task).trace;
        trace.answered.take_if(|answered| answered.handle == handle);
        self.release_engine(engine.client);
        Ok(())
    }

    /// A task is gone: so are its engines.
    pub(crate) fn disengage_all(&mut self, id: TaskId) {
        for engine in core::mem::take(&mut self.task_mut(id).trace.engines) {
            self.release_engine(engine.client);
        }
    }

    fn release_engine(&mut self, client: TaskId) {
        if self.find_task(client).is_ok()
            && let Some(inbox) = &mut self.task_mut(client).inbox
        {
            inbox.engines -= 1;
        }
    }

    /// How many engines are attached, and how much they are to be told.
    pub(crate) fn engines_in_use(&self) -> (usize, usize) {
        self.all_tasks().fold((0, 0), |(engines, callbacks), task| {
            let inbox = task.inbox.as_ref().map_or(0, |inbox| inbox.len());
            (engines + task.trace.engines.len(), callbacks + inbox)
        })
    }

    /// An engine by its handle: ESRCH.
    pub(crate) fn engine(&self, handle: Handle) -> Result<Engine, Errno> {
        let engines = &self.find_task(handle.task)?.trace.engines;
        let engine = engines.iter().find(|e| e.number == handle.engine);
        engine.copied().ok_or(Errno::ESRCH)
    }
}
