//! The state of one tracee (A1) and the events its engine asks for (A2).

use abi::TaskId;
use abi::ptrace::{Lease, Mode, Options, Stop};
use abi::tracer::Events;

/// The `ops` that ptrace engines are attached with.
pub const OPS: u64 = 0x7074_7261_6365;

/// A tracee.
#[derive(Clone, Debug)]
pub struct Tracee {
    /// Who traces it.
    pub tracer: TaskId,
    /// Attached by PTRACE_SEIZE.
    pub seized: bool,
    /// PTRACE_SETOPTIONS.
    pub options: Options,
    /// What it does at system calls, while its stops are not leased.
    pub mode: Mode,
    /// The stop that the report going along its engines is to be published as.
    pub(crate) stop: Option<Stop>,
}

impl Tracee {
    pub(super) fn new(tracer: TaskId, seized: bool, options: Options) -> Tracee {
        Tracee {
            tracer,
            seized,
            options,
            mode: Mode::Free,
            stop: None,
        }
    }

    /// What its tracer and the process manager may settle between themselves.
    pub(crate) fn lease(&self) -> Lease {
        Lease {
            options: self.options,
            seized: self.seized,
        }
    }

    /// What the engine asks for, besides what its mode takes. NOREAP is not among its state bits:
    /// the process manager keeps the zombie of a task that is bound to a tracer.
    pub(crate) fn events(&self) -> Events {
        let mut events =
            Events::DEATH | Events::EXEC | Events::ANY_SIGNAL | Events::JCTL | Events::REAP;
        let clones = Options::FORK | Options::VFORK | Options::CLONE;
        for (options, event) in [
            (clones, Events::CLONE),
            (Options::EXIT, Events::EXIT),
            (Options::VFORK_DONE, Events::VFORK_DONE),
        ] {
            if self.options.intersects(options) {
                events |= event;
            }
        }
        events
    }
}
