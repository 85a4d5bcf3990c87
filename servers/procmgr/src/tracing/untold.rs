//! Bonds between a tracee and its tracer that the tracer server has not been told of.
//!
//! As long as ptrace's engine is a task's only one there is nothing to arbitrate, so attaching and detaching are
//! decided here like everything about a stop, with one message instead of four. The server takes such a bond
//! over ([`Call::Adopt`](abi::tracer::Call::Adopt)) before it hears anything else of the task: an event that
//! it decides about, or somebody's engine.
//!
//! *Invariant:* an untold bond is the tracer server's business in nothing. It knows of no engine of the task, and
//! who traces need not be a client of its.

use crate::Procmgr;
use crate::machine::Machine;
use crate::ptrace::Done;
use crate::task::State;
use crate::trace::Attached;
use abi::ptrace::{Bond, Options};
use abi::tracer::{Adopted, Course, First, Leave, Reply};
use abi::{Errno, TaskId};

impl Procmgr {
    /// PTRACE_TRACEME. EPERM: traced already.
    pub(crate) fn trace_me_untold(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
    ) -> Result<Done, Errno> {
        if self.task(id).trace.attached == Attached::Told {
            return Ok(Done::Ask);
        }
        let bond = Bond {
            options: Options::empty(),
            seized: false,
        };
        match self.trace_me(m, id, &Course::of_bond(bond)) {
            // Nobody is left to trace it.
            Ok(_) | Err(Errno::ESRCH) => Ok(Done::Result(0)),
            Err(e) => Err(e),
        }
    }

    /// PTRACE_ATTACH, and SEIZE with its address and data. ESRCH comes before all that is wrong with a request but
    /// its target; then the errors of [`Options::of_seize`].
    pub(crate) fn attach_untold(
        &mut self,
        m: &mut impl Machine,
        client: TaskId,
        pid: i32,
        seize: Option<[u64; 2]>,
    ) -> Result<Done, Errno> {
        let tid = u32::try_from(pid).map_err(|_| Errno::ESRCH)?;
        let id = self.by_tid(tid).ok_or(Errno::ESRCH)?;
        let (options, first) = match seize {
            Some([addr, data]) => (Options::of_seize(addr, data)?, First::None),
            None => (Options::empty(), First::Attach),
        };
        if self.task(id).trace.attached == Attached::Told {
            return Ok(Done::Ask);
        }
        let course = Course::of_bond(Bond {
            options,
            seized: seize.is_some(),
        });
        self.trace(m, (tid, None), client, &course, first)?;
        Ok(Done::Result(0))
    }

    /// PTRACE_DETACH.
    pub(crate) fn detach_untold(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        signal: u64,
    ) -> Result<Done, Errno> {
        if self.task(id).trace.attached == Attached::Told {
            return Ok(Done::Ask);
        }
        self.leave_tracee(m, id, Leave::Request(signal), None)?;
        Ok(Done::Result(0))
    }

    /// PTRACE_SETOPTIONS. ESRCH: not at a stop; then EINVAL: unknown options, and nothing is changed.
    pub(crate) fn set_options_untold(&mut self, id: TaskId, options: u64) -> Result<Done, Errno> {
        if self.task(id).trace.attached == Attached::Told {
            return Ok(Done::Ask);
        }
        self.at_stop(id)?;
        let options = Options::parse(options).ok_or(Errno::EINVAL)?;
        self.task_mut(id).trace.set_options(options);
        Ok(Done::Result(0))
    }

    /// A task that exits traces nobody any more.
    pub(crate) fn leave_untold(&mut self, m: &mut impl Machine, id: TaskId) {
        let ix = self.process_of(id);
        loop {
            let untold = self.process(ix).tracees.iter().find(|tracee| {
                let trace = &self.task(**tracee).trace;
                trace.tracer == Some(id) && trace.attached == Attached::Untold
            });
            let Some(tracee) = untold.copied() else {
                return;
            };
            // One that is there cannot refuse.
            if self.leave_at_exit(m, tracee).is_err() {
                return;
            }
        }
    }

    /// The tracer server is told of a bond that it does not know of.
    pub(crate) fn hand_over(&mut self, id: TaskId) -> Option<Reply> {
        let trace = &self.find_task(id).ok()?.trace;
        let (bond, tracer) = (trace.bond?, trace.tracer?);
        if trace.attached != Attached::Untold {
            return None;
        }
        self.tracer_knows(id, tracer);
        Some(Reply::Adopted(Adopted {
            task: id,
            tid: self.task(id).tid,
            tracer,
            uid: self.credentials(tracer).uid[0],
            bond,
            dead: matches!(self.task(id).state, State::Zombie),
        }))
    }

    /// The tracer server knows of a bond.
    pub(super) fn tracer_knows(&mut self, id: TaskId, tracer: TaskId) {
        self.task_mut(id).trace.attached = Attached::Told;
        self.task_mut(tracer).trace.client = true;
    }
}
