//! What an engine is told: words in its client's memory.

use super::{Choice, Handle, Ticket};
use crate::signal::{Action, SIGINFO_SIZE};
use crate::tracer::{CloneKind, Event, Events};
use crate::{SigInfo, TaskId};

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
    let words = words[word::ACTION..].try_into();
    Action::from_words(words.expect("the action is the end"))
}

/// Puts an action into a callback's words.
pub fn put_action(words: &mut Words, action: &Action) {
    words[word::ACTION..].copy_from_slice(&action.to_words());
}
