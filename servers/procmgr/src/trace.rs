//! The tracer's interest in a task.

use crate::ptrace::{DebugRegisters, Stopped};
use abi::TaskId;
use abi::ptrace::{Lease, Mode};
use abi::tracer::{Course, Events, Step};

/// What the process manager knows of a task's tracing; all else is the tracer's.
#[derive(Default)]
pub struct Trace {
    /// The tracer wants to know when it is gone.
    pub attached: bool,
    /// What is reported, the events of its mode among it.
    pub events: Events,
    /// What the tracer asked for.
    asked: Events,
    /// What is settled without the tracer.
    pub lease: Option<Lease>,
    /// What the task does at system calls, under a lease.
    pub mode: Mode,
    /// How it runs.
    pub step: Step,
    /// It shall come to a stand and be reported.
    pub quiesce: bool,
    /// Who waits for its stops and its death.
    pub tracer: Option<TaskId>,
    /// The ptrace stop that it is at.
    pub stopped: Option<Stopped>,
    /// The latest signal that it was held for.
    pub signal: abi::SigInfo,
    /// The report it is held by is the tracer's.
    pub taken: bool,
    /// It called the tracer, which may hold things for it.
    pub client: bool,
    /// Its FPU state, while it is held and somebody has looked.
    pub fpu: Option<alloc::boxed::Box<crate::fpu::Seen>>,
    /// Its debug registers.
    pub debug: DebugRegisters,
    /// Its process was continued, which is to be reported.
    pub continued: bool,
    /// What the machine's first task is going to run, until it has its files.
    pub first_program: Option<alloc::boxed::Box<crate::exec::Exec>>,
    /// The task it created, between its clone report and that task's start.
    pub created: Option<crate::fork::Created>,
}

impl Trace {
    /// What is reported from here on.
    pub fn set_course(&mut self, course: &Course) {
        self.asked = course.events;
        self.lease = course.lease;
        self.set_mode(course.mode);
    }

    /// What the task does at system calls from here on, under a lease.
    pub fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
        self.events = match self.lease {
            Some(_) => self.asked | mode.events(),
            None => self.asked,
        };
    }

    /// Nobody traces the task any more.
    pub fn end(&mut self) {
        self.attached = false;
        self.asked = Events::empty();
        self.lease = None;
        self.set_mode(Mode::Free);
        self.quiesce = false;
        self.continued = false;
        self.debug = DebugRegisters::default();
    }

    /// Whether its tracer may let it go on without the tracer server.
    pub fn is_leased(&self) -> bool {
        self.lease.is_some() && !self.taken
    }
}
