//! What an engine answers: a word.

use super::State;
use crate::tracer::SignalAction;
use serde::{Deserialize, Serialize};

/// What an engine chose for a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Choice {
    /// This happens with it.
    Act(SignalAction),
    /// It goes back into the queue.
    Hold,
}

impl Choice {
    /// Its number, from 1 on.
    pub fn to_number(self) -> u64 {
        match self {
            Choice::Act(action) => 1 + action as u64,
            Choice::Hold => 1 + SignalAction::ALL.len() as u64,
        }
    }

    /// The choice of a number.
    pub fn from_number(number: u64) -> Option<Choice> {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        match SignalAction::ALL.get(at) {
            Some(action) => Some(Choice::Act(*action)),
            None => (at == SignalAction::ALL.len()).then_some(Choice::Hold),
        }
    }
}

/// Whether later engines see the event, and whether this one stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Flow {
    /// They do, and it does.
    #[default]
    Resume,
    /// Later engines do not see it. Not for exit, death and reap.
    Hide,
    /// The engine is detached.
    Detach,
}

/// What an engine makes of an event (utrace.md, What a callback returns). What it changes of a
/// signal lies in the callback's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Response {
    /// Resume, hide or detach.
    pub flow: Flow,
    /// NEWSTATE: replaces the engine's state bits.
    pub state: Option<State>,
    /// What to do with the signal, at a signal event.
    pub signal: Option<Choice>,
    /// The system call does not run, at its entry.
    pub abort: bool,
    /// Nobody is told that the process stopped or continued, at a job-control event.
    pub no_sigchld: bool,
    /// The siginfo is replaced, at a signal event.
    pub info: bool,
    /// So is what the handler is, for this one time.
    pub action: bool,
}

impl Response {
    /// Everything as it is, but the system call does not run.
    pub const ABORT: Response = Response {
        abort: true,
        ..Response::RESUME
    };
    /// The engine is detached.
    pub const DETACH: Response = Response {
        flow: Flow::Detach,
        ..Response::RESUME
    };
    /// Whether it leaves the engine as it is, and everything but the system call.
    pub const fn is_plain(&self) -> bool {
        let Response {
            flow,
            state,
            signal,
            abort: _,
            no_sigchld: _,
            info,
            action,
        } = self;
        matches!(flow, Flow::Resume | Flow::Hide)
            && state.is_none()
            && signal.is_none()
            && !*info
            && !*action
    }

    /// Everything as it is.
    pub const RESUME: Response = Response {
        flow: Flow::Resume,
        state: None,
        signal: None,
        abort: false,
        no_sigchld: false,
        info: false,
        action: false,
    };

    /// A signal becomes this.
    pub const fn signal(choice: SignalAction) -> Response {
        Response {
            signal: Some(Choice::Act(choice)),
            ..Response::RESUME
        }
    }

    /// The engine wants this of the task from now on.
    pub const fn state(state: State) -> Response {
        Response {
            state: Some(state),
            ..Response::RESUME
        }
    }
}

/// The bits of a response. Flow 0..2, new state 2 with its bits 3..7, signal 7..11, then one each.
const NEW_STATE: u64 = 1 << 2;
const STATE_AT: u32 = 3;
pub(super) const SIGNAL_AT: u32 = 7;
const SIGNAL_BITS: u64 = 0xf;
const ABORT: u64 = 1 << 11;
const NO_SIGCHLD: u64 = 1 << 12;
const INFO: u64 = 1 << 13;
const ACTION: u64 = 1 << 14;
/// How many bits a response has in an answer; its ticket is above.
pub const RESPONSE_BITS: u32 = 15;

impl Response {
    fn to_bits(self) -> u64 {
        let state = self
            .state
            .map_or(0, |state| NEW_STATE | u64::from(state.bits()) << STATE_AT);
        let flag = |on: bool, bit: u64| if on { bit } else { 0 };
        self.flow as u64
            | state
            | self.signal.map_or(0, Choice::to_number) << SIGNAL_AT
            | flag(self.abort, ABORT)
            | flag(self.no_sigchld, NO_SIGCHLD)
            | flag(self.info, INFO)
            | flag(self.action, ACTION)
    }

    fn from_bits(bits: u64) -> Option<Response> {
        let flow = match bits & 3 {
            0 => Flow::Resume,
            1 => Flow::Hide,
            2 => Flow::Detach,
            _ => return None,
        };
        let state = State::from_bits_truncate((bits >> STATE_AT) as u32);
        let signal = match bits >> SIGNAL_AT & SIGNAL_BITS {
            0 => None,
            number => Some(Choice::from_number(number)?),
        };
        Some(Response {
            flow,
            state: (bits & NEW_STATE != 0).then_some(state),
            signal,
            abort: bits & ABORT != 0,
            no_sigchld: bits & NO_SIGCHLD != 0,
            info: bits & INFO != 0,
            action: bits & ACTION != 0,
        })
    }
}

/// An answer: to which callback, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The callback's ticket; never 0.
    pub ticket: Ticket,
    /// What is made of it.
    pub response: Response,
}

impl Answer {
    /// The answer as a word, which is not 0.
    pub fn to_word(self) -> u64 {
        self.ticket.0 << RESPONSE_BITS | self.response.to_bits()
    }

    /// The answer of a word; none for a word that is no answer's.
    pub fn from_word(word: u64) -> Option<Answer> {
        Some(Answer {
            ticket: Ticket(word >> RESPONSE_BITS),
            response: Response::from_bits(word & ((1 << RESPONSE_BITS) - 1))?,
        })
    }
}

/// Which callback it is: the slot of its task, and a count of all callbacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ticket(pub u64);

impl Ticket {
    /// How many bits a ticket has; a count comes round after 2^37 callbacks.
    const COUNT_BITS: u32 = 64 - RESPONSE_BITS - crate::task::SLOT_BITS;

    /// The ticket of the callback with this count about the task in a slot.
    pub const fn new(count: u64, slot: usize) -> Ticket {
        let count = count & ((1 << Ticket::COUNT_BITS) - 1);
        Ticket(count << crate::task::SLOT_BITS | slot as u64)
    }

    /// The slot.
    pub const fn slot(self) -> usize {
        (self.0 & ((1 << crate::task::SLOT_BITS) - 1)) as usize
    }
}
