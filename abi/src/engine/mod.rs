//! Engines of programs: what a program says to attach one, and how it is called back (utrace.md).
//!
//! An engine belongs to the task that attached it. What happens to the tasks it watches reaches it
//! as a [`Callback`], which it takes, and answers, with one message to the process manager
//! ([`NEXT`]): the answer to one callback asks for the next. Everything that has to be decided, who
//! may attach and in which order engines are called, is the tracer's.
//!
//! Messages are like those of [`client`](crate::client): four words each way and a number. The words
//! that a message does not name are 0.

mod answer;
mod callback;

use crate::TaskId;
use crate::tracer::Events;
use bitflags::bitflags;
use serde::{Deserialize, Serialize};

pub use answer::{Answer, Choice, Flow, RESPONSE_BITS, Response, Ticket};
pub use callback::{Call, Callback, Words, action_of, info_of, put_action, put_info, word};

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

#[cfg(test)]
mod tests {
    use super::answer::SIGNAL_AT;
    use crate::signal::Action;
    use crate::tracer::{CloneKind, Event, SignalAction};
    use crate::{SigInfo, SigSet};
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
