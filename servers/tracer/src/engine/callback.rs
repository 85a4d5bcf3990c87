//! What passes between a chain and whoever drives it.

use super::{Choice, EngineId, State};
use abi::SigInfo;
use abi::tracer::{Event, Step, Verdict};

/// Whether later engines see the event, and whether this one stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// They do, and it does.
    #[default]
    Resume,
    /// Later engines do not see it. Not for exit, death and reap.
    Hide,
    /// The engine is detached.
    Detach,
}

/// What a callback returns (utrace.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// Resume, hide or detach.
    pub flow: Flow,
    /// NEWSTATE: replaces the engine's state bits.
    pub state: Option<State>,
    /// What to do with the signal, at a signal event.
    pub signal: Option<Choice>,
    /// Replaces the siginfo, at a signal event.
    pub info: Option<SigInfo>,
    /// The system call does not run, at its entry.
    pub abort: bool,
}

/// What is to be done next with a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: no report is outstanding.
    Idle,
    /// Nothing: this engine owes an answer.
    Waiting(EngineId),
    /// Nothing: some engine keeps the task.
    Held,
    /// Tell this engine of the event and give its answer to [`Chain::answer`](super::Chain::answer). At a quiesce
    /// report after another event, the event is [`Event::Quiesce`]; at a signal, it is the signal
    /// as the engines before left it.
    Ask(EngineId, Event),
    /// Tell this engine that the task is reaped; there is no answer (utrace rule 7).
    Tell(EngineId),
    /// The report is over and no engine keeps the task.
    Go(Go),
}

/// How a task goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Go {
    /// The report that is answered.
    pub number: u32,
    /// How the task runs.
    pub step: Step,
    /// What becomes of the event.
    pub verdict: Verdict,
    /// This signal goes back into the task's queue first (HOLD).
    pub requeue: Option<SigInfo>,
}
