//! The tracer's interest in a task.

use abi::TaskId;
use abi::signal::SIGCONT;
use abi::tracer::{Event, Events, Posting, Step, Stop};

/// What the process manager knows of a task's tracing; all else is the tracer's.
#[derive(Default)]
pub struct Trace {
    /// The tracer holds the task's thread capability.
    pub attached: bool,
    /// What is reported.
    pub events: Events,
    /// What is published as a stop without waiting for the tracer.
    pub posting: Posting,
    /// It shall come to a stand and be reported.
    pub quiesce: bool,
    /// How it runs.
    pub step: Step,
    /// Who waits for its stops and its death.
    pub tracer: Option<TaskId>,
    /// A stop nobody has waited for.
    pub posted: Option<Stop>,
    /// The report it is held by was taken by the tracer.
    pub taken: bool,
    /// The report it is held by was published without the tracer.
    pub unseen: bool,
    /// It, or who forked it, knows its capability to the tracer: it may be in a message.
    pub messages: bool,
    /// It called the tracer, which may hold things for it.
    pub client: bool,
    /// Its FPU state, while it is held and somebody has looked.
    pub fpu: Option<alloc::boxed::Box<crate::fpu::Seen>>,
    /// Its process was continued, which is to be reported.
    pub continued: bool,
    /// What the machine's first task is going to run, until it has its files.
    pub first_program: Option<alloc::boxed::Box<crate::exec::Exec>>,
    /// The task it created, between its clone report and that task's start.
    pub created: Option<crate::fork::Created>,
}

impl Trace {
    /// The stop that an event is, if it need not wait for the tracer.
    pub fn own_stop(&self, event: Event) -> Option<Stop> {
        self.tracer?;
        let code = match event {
            Event::SyscallEntry | Event::SyscallExit => self.posting.syscalls?,
            Event::Signal { info, .. }
                if self.posting.signals && info.signal() != Some(SIGCONT) =>
            {
                info.signo as u32 & 0x7f
            }
            _ => return None,
        };
        Some(Stop { code })
    }
}
