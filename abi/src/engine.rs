//! Engines of programs: what a program says to attach one, and how it is called back (utrace.md).
//!
//! An engine belongs to the task that attached it. What happens to the tasks it watches reaches it
//! as a [`Callback`], which it takes, and answers, with one message to the process manager
//! ([`NEXT`]): the answer to one callback asks for the next. Everything that has to be decided, who
//! may attach and in which order engines are called, is the tracer's.
//!
//! Messages are like those of [`client`](crate::client): four words each way and a number. The words
//! that a message does not name are 0.

use crate::signal::{Action, SIGINFO_SIZE};
use crate::tracer::{CloneKind, Event, Events, SignalAction};
use crate::{SigInfo, SigSet, TaskId};
use bitflags::bitflags;
use serde::{Deserialize, Serialize};

/// To the tracer: attach an engine, or look one up. Words: the tid in the lower half and
/// [`AttachFlags`] in the upper, `ops`, `data`.
///
/// The result is [`Attachment`]'s word; or ENOENT, EEXIST, ESRCH, EPERM, EAGAIN (the user has too many
/// engines) or ENOMEM (the task has, or the tracer); or EBUSY: the task is newborn, and nobody but the
/// engines of its creator may attach before they have been told of it. Ask again.
pub const ATTACH: u64 = 18;
/// To the process manager: answer a callback and take the next. Words: the answer
/// ([`Answer::to_word`]) or 0, the address of the [`Callback`]'s memory with [`POLL`] in its lowest
/// bit, and where the task goes on if it has to wait.
///
/// The result is 1 if there is a callback, 0 if there is none and POLL was asked for. ESRCH: the
/// answer is to no callback that is outstanding; nothing else is done. EFAULT: the memory is not
/// there, and the callback is kept.
pub const NEXT: u64 = 19;
/// To the process manager: a request about a task that stands still, by one of its engines. Words:
/// the request's number as for ptrace(2), the [`Handle`], and the request's address and data. The
/// answer is that of the ptrace request. ESRCH: not attached, or the task runs. EIO: not a request
/// about a task's registers, memory or signals.
pub const REQUEST: u64 = 20;
/// To the tracer: detach an engine. Words: the [`Handle`]. 0, EALREADY or ESRCH.
pub const DETACH: u64 = 21;
/// To the tracer: replace what an engine asks for. Words: the [`Handle`], [`Flags::to_word`], and
/// the address of its set of system calls ([`Calls`]) or 0 for all. 0, EALREADY, ESRCH or EFAULT.
pub const SET_FLAGS: u64 = 22;
/// To the tracer: deliver a signal at a signal stop. Words: the [`Handle`], a [`Choice`]'s number,
/// the address of the siginfo, and that of a `struct sigaction` or 0. 0, ESRCH, ENOSYS, EAGAIN,
/// EINVAL or EFAULT.
pub const INJECT: u64 = 23;

/// In the second word of [`NEXT`]: do not wait.
pub const POLL: u64 = 1;

bitflags! {
    /// How to attach (utrace.md, Calls).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct AttachFlags: u32 {
        /// Find the engine with the same `ops`.
        const MATCH_OPS = 1;
        /// Find the engine with the same `data`.
        const MATCH_DATA = 2;
        /// Attach a new engine.
        const CREATE = 0x10;
        /// Fail with EEXIST if one that matches is attached.
        const EXCLUSIVE = 0x20;
    }

    /// What an engine wants of its task between reports (utrace.md, State).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub struct State: u32 {
        /// That it stays stopped.
        const QUIESCE = 1;
        /// That it runs one instruction.
        const SINGLESTEP = 2;
        /// That it runs to the next jump.
        const BLOCKSTEP = 4;
        /// That it stays a zombie when it dies.
        const NOREAP = 8;
    }
}

/// An engine's events and state, which SET_FLAGS replaces together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Flags {
    /// What it is told of.
    pub events: Events,
    /// What it wants of the task.
    pub state: State,
}

impl Flags {
    /// To be told of events, and nothing else.
    pub const fn events(events: Events) -> Flags {
        Flags {
            events,
            state: State::empty(),
        }
    }

    /// Events in the lower half, state in the upper.
    pub fn to_word(self) -> u64 {
        u64::from(self.events.bits()) | u64::from(self.state.bits()) << 32
    }

    /// The flags of a word; none for one with unknown bits.
    pub fn from_word(word: u64) -> Option<Flags> {
        Some(Flags {
            events: Events::from_bits(word as u32)?,
            state: State::from_bits((word >> 32) as u32)?,
        })
    }
}

/// An engine's name for all its owner says: the task's id in 28 bits, the engine's number within the
/// task in 20 above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Handle {
    /// The task.
    pub task: TaskId,
    /// The engine's number; they grow in the order in which engines are attached.
    pub engine: u32,
}

const TASK_BITS: u32 = 28;
const ENGINE_BITS: u32 = 20;
/// The most engines one task has, ptrace's among them; one more is ENOMEM.
pub const PER_TASK: usize = 8;
/// The most engines one task can be the owner of, those that it has not been told the end of among
/// them; one more is EAGAIN.
pub const PER_CLIENT: usize = 1024;
/// The highest number of an engine within a task; a task that has had so many gets no more.
pub const ENGINE_MAX: u32 = (1 << ENGINE_BITS) - 1;

impl Handle {
    /// The handle as a word.
    pub const fn to_word(self) -> u64 {
        self.task.badge() | (self.engine as u64) << TASK_BITS
    }

    /// The handle of a word; none for a word that is no handle's.
    pub const fn from_word(word: u64) -> Option<Handle> {
        if word >> (TASK_BITS + ENGINE_BITS) != 0 {
            return None;
        }
        match TaskId::from_badge(word & ((1 << TASK_BITS) - 1)) {
            Some(task) => Some(Handle {
                task,
                engine: (word >> TASK_BITS) as u32,
            }),
            None => None,
        }
    }
}

/// What a task did when an engine was attached to it (utrace rule 12: reports follow from there).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// It runs, or waits in a system call.
    Running,
    /// It is stopped for job control.
    Stopped,
    /// It is held for some engine.
    Held,
    /// It is dead and not reaped.
    Dead,
}

/// The answer to [`ATTACH`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The engine.
    pub handle: Handle,
    /// What its task was at.
    pub standing: Standing,
}

impl Attachment {
    /// The answer as a word.
    pub fn to_word(self) -> u64 {
        self.handle.to_word() | (self.standing as u64) << (TASK_BITS + ENGINE_BITS)
    }

    /// The answer of a word.
    pub fn from_word(word: u64) -> Option<Attachment> {
        let standing = match word >> (TASK_BITS + ENGINE_BITS) {
            0 => Standing::Running,
            1 => Standing::Stopped,
            2 => Standing::Held,
            3 => Standing::Dead,
            _ => return None,
        };
        let handle = Handle::from_word(word & ((1 << (TASK_BITS + ENGINE_BITS)) - 1))?;
        Some(Attachment { handle, standing })
    }
}

/// A set of system calls by number, as it lies in memory: bit `n` of the words stands for call `n`.
/// The last bit stands for every number that has none of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Calls(pub [u64; Calls::WORDS]);

impl Calls {
    /// How many words it has.
    pub const WORDS: usize = 8;
    /// How many bytes.
    pub const SIZE: usize = Calls::WORDS * 8;
    /// None.
    pub const NONE: Calls = Calls([0; Calls::WORDS]);
    /// All.
    pub const ALL: Calls = Calls([u64::MAX; Calls::WORDS]);

    /// Whether a call is in the set.
    #[inline]
    pub const fn has(&self, nr: u64) -> bool {
        let bit = Calls::bit(nr);
        self.0[bit / 64] >> (bit % 64) & 1 != 0
    }

    /// Puts a call into the set.
    pub const fn insert(&mut self, nr: u64) {
        let bit = Calls::bit(nr);
        self.0[bit / 64] |= 1 << (bit % 64);
    }

    /// What is in either.
    #[must_use]
    pub fn or(&self, other: &Calls) -> Calls {
        let mut both = *self;
        for (word, more) in both.0.iter_mut().zip(other.0) {
            *word |= more;
        }
        both
    }

    #[inline]
    const fn bit(nr: u64) -> usize {
        let last = Calls::WORDS as u64 * 64 - 1;
        (if nr < last { nr } else { last }) as usize
    }
}

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

    const RESUME: Response = Response {
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
const SIGNAL_AT: u32 = 7;
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

/// Something happened to a task that an engine watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Callback {
    /// What its answer names. 0 for [`Event::Reap`], which has none.
    pub ticket: Ticket,
    /// The engine it is for.
    pub handle: Handle,
    /// What the engine was attached with.
    pub data: u64,
    /// The task's tid.
    pub tid: u32,
    /// What happened.
    pub event: Event,
    /// The system call, at its entry and exit.
    pub call: Call,
    /// What a handler for the signal would be, at a signal event.
    pub action: Action,
}

/// A system call as its engine sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// Its number.
    pub nr: u64,
    /// Its arguments at entry; at exit the first is the result.
    pub args: [u64; 6],
}

/// Where the parts of a callback lie in memory, in words of 64 bits.
pub mod word {
    /// The ticket.
    pub const TICKET: usize = 0;
    /// The engine's handle.
    pub const HANDLE: usize = 1;
    /// The engine's own value.
    pub const DATA: usize = 2;
    /// The event's bit in the lower half, the tid in the upper.
    pub const EVENT: usize = 3;
    /// What there is to say of the event, eight words: the number and the arguments of a system
    /// call at its entry; the number and the result at its exit; the child's tid, how it was
    /// created (0 fork, 1 vfork, 2 clone), the flags and the child's id; the vfork child's tid; the
    /// former tid at exec; the wait status at exit and death, and then whether the tracer bound to
    /// it is its parent; the action for a signal by its number; the signal of a job-control event
    /// and whether it is a stop.
    pub const DETAIL: usize = 4;
    /// How many words there are for an event that is no signal.
    pub const SHORT: usize = 12;
    /// The siginfo.
    pub const INFO: usize = SHORT;
    /// The handler, its flags, where it returns to, and what it blocks.
    pub const ACTION: usize = INFO + super::SIGINFO_SIZE / 8;
    /// How many words there are in all.
    pub const ALL: usize = ACTION + 4;
}

/// A callback as it lies in memory.
pub type Words = [u64; word::ALL];

impl Callback {
    /// Puts the callback into words; how many of them count.
    pub fn to_words(&self, words: &mut Words) -> usize {
        words[word::TICKET] = self.ticket.0;
        words[word::HANDLE] = self.handle.to_word();
        words[word::DATA] = self.data;
        let event = self.event.events();
        words[word::EVENT] = u64::from(event.bits()) | u64::from(self.tid) << 32;
        let mut detail = [0; word::SHORT - word::DETAIL];
        match self.event {
            Event::SyscallEntry | Event::SyscallExit => {
                detail[0] = self.call.nr;
                detail[1..7].copy_from_slice(&self.call.args);
            }
            Event::Clone {
                child,
                child_tid,
                kind,
                flags,
            } => {
                let kind = kind as u64;
                detail[..4].copy_from_slice(&[child_tid.into(), kind, flags, child.badge()]);
            }
            Event::VforkDone { child_tid } => detail[0] = child_tid.into(),
            Event::Exec { former_tid } => detail[0] = former_tid.into(),
            Event::Exit { status } => detail[0] = status as u32 as u64,
            Event::Death { status, natural } => {
                detail[..2].copy_from_slice(&[status as u32 as u64, natural.into()]);
            }
            Event::JobControl { signo, stop } => {
                detail[..2].copy_from_slice(&[signo.into(), stop.into()]);
            }
            Event::Signal { action, .. } => detail[0] = Choice::Act(action).to_number(),
            Event::Quiesce
            | Event::HandlerStep
            | Event::Reap
            | Event::Ptrace { .. }
            | Event::ClientExit => {}
        }
        words[word::DETAIL..word::SHORT].copy_from_slice(&detail);
        let Event::Signal { info, .. } = self.event else {
            return word::SHORT;
        };
        put_info(words, &info);
        put_action(words, &self.action);
        word::ALL
    }

    /// The callback of words; none where they are no callback's.
    pub fn from_words(words: &Words) -> Option<Callback> {
        let detail = &words[word::DETAIL..word::SHORT];
        let bit = Events::from_bits(words[word::EVENT] as u32)?;
        let signal = |action| Event::Signal {
            info: info_of(words),
            action,
        };
        let event = match bit {
            Events::QUIESCE => Event::Quiesce,
            Events::HANDLER_STEP => Event::HandlerStep,
            Events::REAP => Event::Reap,
            Events::CLONE => Event::Clone {
                child_tid: detail[0] as u32,
                kind: match detail[1] {
                    0 => CloneKind::Fork,
                    1 => CloneKind::Vfork,
                    _ => CloneKind::Clone,
                },
                flags: detail[2],
                child: TaskId::from_badge(detail[3])?,
            },
            Events::VFORK_DONE => Event::VforkDone {
                child_tid: detail[0] as u32,
            },
            Events::EXEC => Event::Exec {
                former_tid: detail[0] as u32,
            },
            Events::EXIT => Event::Exit {
                status: detail[0] as i32,
            },
            Events::DEATH => Event::Death {
                status: detail[0] as i32,
                natural: detail[1] != 0,
            },
            Events::SYSCALL_ENTRY => Event::SyscallEntry,
            Events::SYSCALL_EXIT => Event::SyscallExit,
            Events::JCTL => Event::JobControl {
                signo: detail[0] as u8,
                stop: detail[1] != 0,
            },
            _ => match Choice::from_number(detail[0])? {
                Choice::Act(action) => signal(action),
                Choice::Hold => return None,
            },
        };
        let mut call = Call::default();
        if let Event::SyscallEntry | Event::SyscallExit = event {
            call.nr = detail[0];
            call.args.copy_from_slice(&detail[1..7]);
        }
        Some(Callback {
            ticket: Ticket(words[word::TICKET]),
            handle: Handle::from_word(words[word::HANDLE])?,
            data: words[word::DATA],
            tid: (words[word::EVENT] >> 32) as u32,
            event,
            call,
            action: action_of(words),
        })
    }
}

/// The siginfo in a callback's words.
pub fn info_of(words: &Words) -> SigInfo {
    let mut bytes = [0; SIGINFO_SIZE];
    for (chunk, word) in bytes.chunks_exact_mut(8).zip(&words[word::INFO..]) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    SigInfo::from_bytes(&bytes)
}

/// Puts a siginfo into a callback's words.
pub fn put_info(words: &mut Words, info: &SigInfo) {
    for (word, chunk) in words[word::INFO..]
        .iter_mut()
        .zip(info.to_bytes().chunks_exact(8))
    {
        *word = u64::from_le_bytes(chunk.try_into().expect("chunks of eight bytes"));
    }
}

/// The action in a callback's words.
pub fn action_of(words: &Words) -> Action {
    let [handler, flags, restorer, mask] = words[word::ACTION..] else {
        unreachable!("the action is the end");
    };
    Action {
        handler,
        flags,
        restorer,
        mask: SigSet(mask),
    }
}

/// Puts an action into a callback's words.
pub fn put_action(words: &mut Words, action: &Action) {
    let Action {
        handler,
        flags,
        restorer,
        mask,
    } = *action;
    words[word::ACTION..].copy_from_slice(&[handler, flags, restorer, mask.0]);
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec;

    #[test]
    fn a_handle_and_its_attachment_are_words() {
        let handle = Handle {
            task: TaskId::new(4095, 0xffff),
            engine: ENGINE_MAX,
        };
        assert_eq!(Handle::from_word(handle.to_word()), Some(handle));
        assert_eq!(Handle::from_word(1 << 48), None);
        assert_eq!(Handle::from_word(0), None);
        for standing in [Standing::Running, Standing::Held, Standing::Dead] {
            let attachment = Attachment { handle, standing };
            let word = attachment.to_word();
            assert!(word as i64 > 0, "no errno");
            assert_eq!(Attachment::from_word(word), Some(attachment));
        }
    }

    #[test]
    fn every_response_is_a_word_beside_its_ticket() {
        let mut responses = vec![Response::default()];
        for flow in [Flow::Hide, Flow::Detach] {
            responses.push(Response {
                flow,
                ..Response::default()
            });
        }
        for bits in 0..16 {
            responses.push(Response {
                state: Some(State::from_bits_truncate(bits)),
                abort: bits & 1 != 0,
                no_sigchld: bits & 2 != 0,
                info: bits & 4 != 0,
                action: bits & 8 != 0,
                ..Response::default()
            });
        }
        let actions = SignalAction::ALL.map(Choice::Act);
        for choice in actions.into_iter().chain([Choice::Hold]) {
            responses.push(Response {
                signal: Some(choice),
                ..Response::default()
            });
        }
        for response in responses {
            let ticket = Ticket::new(u64::MAX, 4095);
            let answer = Answer { ticket, response };
            assert_eq!(Answer::from_word(answer.to_word()), Some(answer));
        }
        assert_eq!(Answer::from_word(3), None, "no such flow");
        assert_eq!(Answer::from_word(15 << SIGNAL_AT), None, "no such choice");
    }

    #[test]
    fn a_ticket_names_its_slot() {
        assert_eq!(Ticket::new(77, 4095).slot(), 4095);
        assert_ne!(Ticket::new(77, 1), Ticket::new(78, 1));
    }

    #[test]
    fn numbers_without_a_bit_share_the_last() {
        let mut calls = Calls::NONE;
        calls.insert(87);
        assert!(calls.has(87) && !calls.has(86) && !calls.has(u64::MAX));
        calls.insert(511);
        assert!(calls.has(511) && calls.has(9999) && calls.has(u64::MAX));
        assert_eq!(Calls::NONE.or(&Calls::ALL), Calls::ALL);
    }

    #[test]
    fn callbacks_read_as_they_were_written() {
        let mut info = SigInfo::new(11, 1);
        info.fields[0] = 0x1234_5678;
        let events = [
            Event::Quiesce,
            Event::HandlerStep,
            Event::SyscallEntry,
            Event::SyscallExit,
            Event::Signal {
                info,
                action: SignalAction::Core,
            },
            Event::Clone {
                child: TaskId::new(9, 3),
                child_tid: 312,
                kind: CloneKind::Vfork,
                flags: 0x4111,
            },
            Event::VforkDone { child_tid: 5 },
            Event::Exec { former_tid: 8 },
            Event::Exit { status: 0x100 },
            Event::Death {
                status: 9,
                natural: true,
            },
            Event::JobControl {
                signo: 19,
                stop: true,
            },
            Event::Reap,
        ];
        for event in events {
            let is_call = matches!(event, Event::SyscallEntry | Event::SyscallExit);
            let is_signal = matches!(event, Event::Signal { .. });
            let callback = Callback {
                ticket: Ticket::new(3, 7),
                handle: Handle {
                    task: TaskId::new(7, 1),
                    engine: 2,
                },
                data: u64::MAX,
                tid: 301,
                event,
                call: match is_call {
                    true => Call {
                        nr: 87,
                        args: [1, 2, 3, 4, 5, 6],
                    },
                    false => Call::default(),
                },
                action: match is_signal {
                    true => Action {
                        handler: 0x40_1000,
                        flags: 4,
                        restorer: 0x40_2000,
                        mask: SigSet(0x10),
                    },
                    false => Action::default(),
                },
            };
            let mut words = [0; word::ALL];
            let used = callback.to_words(&mut words);
            assert_eq!(used == word::ALL, is_signal);
            assert_eq!(Callback::from_words(&words), Some(callback), "{event:?}");
        }
        assert_eq!(Callback::from_words(&[u64::MAX; word::ALL]), None);
    }
}
