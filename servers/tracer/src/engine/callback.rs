//! What passes between a chain and whoever drives it.

use super::{Choice, EngineId, Flow, State};
use abi::signal::Action;
use abi::tracer::{Event, Step, Verdict};
use abi::{SigInfo, engine};

/// What a callback returns (utrace.md): [`engine::Response`] with what it changes of a signal.
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
    /// Replaces what the handler is, for this one time.
    pub handler: Option<Action>,
    /// The system call does not run, at its entry.
    pub abort: bool,
    /// Nobody is told that the process stopped or continued, at a job-control event.
    pub quiet: bool,
}

impl Response {
    /// A client's response, with what it has changed of the signal.
    pub fn new(
        response: engine::Response,
        info: Option<SigInfo>,
        handler: Option<Action>,
    ) -> Response {
        Response {
            flow: response.flow,
            state: response.state,
            signal: response.signal,
            info,
            handler,
            abort: response.abort,
            quiet: response.no_sigchld,
        }
    }
}

/// What is to be done next with a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: no report is outstanding.
    Idle,
    /// Nothing: this engine owes an answer.
    Waiting(EngineId),
    /// Nothing: some engine keeps the task. Every engine has seen its report, for the first time now
    /// if `news`; `quiet` as in [`Go`].
    Held {
        /// It is the first time.
        news: bool,
        /// Nobody is told of the stop.
        quiet: bool,
    },
    /// Tell this engine of the event and give its answer to [`Chain::answer`](super::Chain::answer). At a quiesce
    /// report after another event, the event is [`Event::Quiesce`]; at a signal, it is the signal
    /// as the engines before left it, with the handler that they chose.
    Ask(EngineId, Event, Option<Action>),
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
    /// Nobody is told of the stop or continuation, where the event was one.
    pub quiet: bool,
    /// This signal goes back into the task's queue first (HOLD).
    pub requeue: Option<SigInfo>,
}
