//! The state of one tracee (A1) and the events its engine asks for (A2).

use abi::TaskId;
use abi::ptrace::{Bond, Mode, Options, Stop};

/// The `ops` that ptrace engines are attached with.
pub const OPS: u64 = 0x7074_7261_6365;

/// A tracee.
#[derive(Clone, Debug, Hash)]
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
    /// It is at a stop that is not leased.
    pub(crate) stopped: bool,
    /// Its tracer wants it to stop (PTRACE_INTERRUPT), while its stops are not leased.
    pub(crate) interrupt: bool,
}

impl Tracee {
    pub(super) fn new(tracer: TaskId, seized: bool, options: Options) -> Tracee {
        Tracee {
            tracer,
            seized,
            options,
            mode: Mode::Free,
            stop: None,
            stopped: false,
            interrupt: false,
        }
    }

    /// What the process manager needs to know of it.
    pub(crate) fn bond(&self) -> Bond {
        Bond {
            options: self.options,
            seized: self.seized,
        }
    }
}
