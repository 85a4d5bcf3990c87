//! The tracer's interest in a task.

use crate::engines::{Answered, Asked, Engine};
use crate::hold::Resumed;
use crate::ptrace::{DebugRegisters, Stopped};
use abi::engine::Calls;
use abi::ptrace::{Bond, Mode, Options};
use abi::signal::Action;
use abi::tracer::{Course, Events, Step};
use abi::{TaskId, UserRegs};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Whether somebody is attached to a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Attached {
    /// Nobody.
    #[default]
    No,
    /// A tracer, of which the tracer server has not been told ([`crate::tracing`]).
    Untold,
    /// The tracer server knows, and wants to hear when the task is gone.
    Told,
}

/// What the process manager knows of a task's tracing; all else is the tracer's.
#[derive(Clone, Default, Hash)]
pub struct Trace {
    /// Who knows that somebody is attached to it.
    pub attached: Attached,
    /// What is reported, the events of its mode among it.
    pub events: Events,
    /// What the tracer asked for.
    asked_for: Events,
    /// Which system calls are reported, if not all.
    calls: Option<Box<Calls>>,
    /// What ptrace's engine is like, if there is one.
    pub bond: Option<Bond>,
    /// Its stops are settled without the tracer.
    pub leased: bool,
    /// Its only engine is told of system calls without the tracer.
    pub relayed: bool,
    /// What the task does at system calls, where they are.
    pub mode: Mode,
    /// How it runs.
    pub step: Step,
    /// It shall come to a stand and be reported.
    pub quiesce: bool,
    /// Who waits for its stops and its death.
    pub tracer: Option<TaskId>,
    /// Its tracer had CAP_SYS_PTRACE when it attached.
    pub privileged: bool,
    /// The ptrace stop that it is at.
    pub stopped: Option<Stopped>,
    /// The latest signal that it was held for,
    pub signal: abi::SigInfo,
    /// and what its handler is this time, if that is not what the process has set.
    pub handler: Option<Action>,
    /// Its registers once somebody has written them while it is held, so that a set is followed by an
    /// equal get even where the kernel drops a bit or has no such register.
    pub view: Option<Box<UserRegs>>,
    /// The engines of programs, in the order in which they came.
    pub engines: Vec<Engine>,
    /// The callback that one of them owes an answer to.
    pub asked: Option<Asked>,
    /// The answer that the tracer has not taken.
    pub answered: Option<Box<Answered>>,
    /// How it goes on from a ptrace stop, which the tracer has not taken.
    pub resumed: Option<Resumed>,
    /// Every engine has seen the report that holds it.
    pub seen: bool,
    /// Nobody is told that it stopped for job control.
    pub quiet: bool,
    /// The report it is held by is the tracer's.
    pub taken: bool,
    /// It called the tracer, which may hold things for it.
    pub client: bool,
    /// Its FPU state, while it is held and somebody has looked.
    pub fpu: Option<Box<crate::fpu::Seen>>,
    /// Its debug registers.
    pub debug: DebugRegisters,
    /// Its process was continued, which is to be reported.
    pub continued: bool,
    /// The same while it was held for a signal, which stops nobody any more.
    pub stop_undone: bool,
    /// What the machine's first task is going to run, until it has its files.
    pub first_program: Option<Box<crate::exec::Exec>>,
    /// The task it created, between its clone report and that task's start.
    pub created: Option<crate::fork::Created>,
}

impl Trace {
    /// What is reported from here on.
    pub fn set_course(&mut self, course: &Course) {
        self.asked_for = course.events;
        self.bond = course.bond;
        self.leased = course.leased;
        self.relayed = course.relayed;
        self.set_mode(course.mode);
    }

    /// Its tracer has changed the options of its bond, which nobody else knows of.
    pub fn set_options(&mut self, options: Options) {
        if let Some(bond) = &mut self.bond {
            bond.options = options;
            self.asked_for = bond.events();
            self.set_mode(self.mode);
        }
    }

    /// What the task does at system calls from here on, where its stops are leased.
    pub fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
        self.events = match self.leased {
            true => self.asked_for | mode.events(),
            false => self.asked_for,
        };
    }

    /// The task's end is reported from here on, whatever else is.
    pub fn report_end(&mut self) {
        self.asked_for |= Events::DEATH | Events::REAP;
        self.set_mode(self.mode);
    }

    /// The tracer decides about every stop again.
    pub fn recall(&mut self) {
        self.leased = false;
        self.relayed = false;
        self.set_mode(self.mode);
    }

    /// Which system calls are reported from here on.
    pub fn set_calls(&mut self, calls: &Calls) {
        self.calls = (*calls != Calls::ALL).then(|| Box::new(*calls));
    }

    /// Whether a system call is reported, where its entry or exit is.
    #[inline]
    pub fn reports_call(&self, nr: u64) -> bool {
        self.calls.as_ref().is_none_or(|calls| calls.has(nr))
    }

    /// The tracee has lost its tracer, and goes on as its other engines ask, if it has any.
    pub fn end_bond(&mut self, course: Option<&Course>) {
        self.attached = match course {
            Some(_) => Attached::Told,
            None => Attached::No,
        };
        self.set_course(course.unwrap_or(&Course::default()));
        self.quiesce = false;
        self.continued = false;
    }

    /// A report is over or withdrawn: nobody has anything to say about it any more.
    pub fn end_report(&mut self) {
        self.view = None;
        self.asked = None;
        self.answered = None;
        self.resumed = None;
    }

    /// Whether somebody watches it who could not have given it privileges: no program that it
    /// executes does (ptrace.md A10, unsafe_exec).
    pub fn is_watched_unprivileged(&self) -> bool {
        self.tracer.is_some() && !self.privileged
            || self.engines.iter().any(|engine| !engine.privileged)
    }

    /// Whether a stop for job control that it is held for is one that others are told of.
    pub fn stop_seen(&self) -> bool {
        self.seen || self.is_leased()
    }

    /// The engine that was told, without the tracer, of what holds it.
    pub fn asked_already(&self) -> Option<u32> {
        let asked = self.asked.as_ref().filter(|asked| asked.relayed);
        let asked = asked.map(|asked| asked.engine);
        let answered = self.answered.as_ref().filter(|answered| answered.relayed);
        asked.or(answered.map(|answered| answered.handle.engine))
    }

    /// Whether its tracer may let it go on without the tracer server.
    pub fn is_leased(&self) -> bool {
        self.leased && !self.taken
    }
}
