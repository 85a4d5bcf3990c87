//! What arrives at the endpoint, and the answers.
//!
//! The kernel keeps one reply capability, that of the last message; the next one takes its place.
//! It is moved to a slot only when an answer has to wait: a server's parked request, or a server's
//! request that is being handled when the endpoint has to be emptied.

use super::{CSPACE, DEPTH, stubs};
use abi::wire::{Buffer, MAX};
use abi::{Regs, TaskId};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use procmgr::{Access, Trap};
use rt::cap::Endpoint;
use rt::fault::{FETCH, Fault, PRESENT, WRITE};
use rt::message;
use rt::slots::procmgr::{CONSOLE_BADGE, ENDPOINT, FS_REPLY, TIMER_BADGE, TRACER_REPLY};
use rt::syscall::{MAX_SHORT, MessageInfo, Received, Words};

/// The answer to a fault that sets the instruction pointer, the stack pointer and the flags. It is too long for the kernel to try
/// as the answer to a message first.
const BACK: MessageInfo = MessageInfo::new(0, 0, MAX_SHORT + 1);

const OWN_ENDPOINT: Endpoint = Endpoint::at(ENDPOINT);

/// What can happen.
#[derive(Debug)]
pub enum Incoming {
    /// A task has stopped, at this instruction.
    Trap(TaskId, Trap, u64),
    /// A task says something.
    Message(TaskId),
    /// A server asks; so many bytes.
    Request(TaskId, usize),
    /// The timer's interrupt.
    Timer,
    /// An interrupt of the serial ports.
    Console,
}

/// The label and the words of a task's message.
pub type Said = (u64, Words);

/// The endpoint.
pub struct Mail {
    /// Whose answer the kernel's reply capability is for.
    caller: Option<TaskId>,
    /// It is a task's fault whose empty answer means "try again".
    may_retry: bool,
    /// How many traps, messages of tasks and requests of servers there have been.
    received: [u64; 3],
    /// The answer to give with the next receive.
    reply: Option<(MessageInfo, Words)>,
    /// Servers whose reply capability has been moved to its slot.
    saved: [bool; 2],
    /// Taken from the endpoint, not handled yet.
    pending: VecDeque<Pending>,
    /// Badges of notifications that were received, not handled yet.
    signals: u64,
}

/// What [`Mail::withdraw`] has found.
pub enum Withdrawn {
    /// The task runs.
    Nothing,
    /// It was about to try again, and stays held instead.
    Retry,
    /// It was about to go back from its system call by the code at this address, and stays held.
    Return(u64),
    /// It had raised this at this instruction, and is held.
    Trap(Trap, u64),
}

enum Pending {
    Message(TaskId, u64, Words),
    Trap(TaskId, Trap, u64),
    Request(TaskId, Vec<u8>),
}

impl Mail {
    /// Nothing yet.
    pub fn new() -> Mail {
        Mail {
            caller: None,
            may_retry: false,
            received: [0; 3],
            reply: None,
            saved: [false; 2],
            pending: VecDeque::new(),
            signals: 0,
        }
    }

    /// Gives the answer that is due, and waits for what happens next. What a task says is put into `said`,
    /// a request's bytes into `message`.
    #[inline]
    pub fn receive(&mut self, said: &mut Said, message: &mut Buffer) -> Incoming {
        loop {
            if self.has_pending()
                && let Some(incoming) = self.next_pending(said, message)
            {
                return incoming;
            }
            let received = match self.reply.take() {
                Some((info, words)) => OWN_ENDPOINT.reply_recv(info, words),
                None => OWN_ENDPOINT.recv(),
            };
            match self.sort(&received) {
                Some(Sorted::Message(task)) => {
                    *said = (received.info.label(), received.words);
                    return Incoming::Message(task);
                }
                Some(Sorted::Trap(task, trap, ip)) => return Incoming::Trap(task, trap, ip),
                Some(Sorted::Request(server)) => {
                    return Incoming::Request(server, message::take(&received, message));
                }
                None => {}
            }
        }
    }

    /// How many traps, messages of tasks and requests of servers there have been.
    pub fn received(&self) -> [u64; 3] {
        self.received
    }

    /// Answers a server's request.
    pub fn answer(&mut self, server: TaskId, label: u64, bytes: &[u8]) {
        let (info, words) = message::put(label, bytes);
        if self.caller == Some(server) {
            // Nothing is called between here and the next receive.
            self.reply = Some((info, words));
        } else if let Some(slot) = self.take_saved(server) {
            Endpoint::at(slot).send(info, words);
        }
    }

    /// Answers a task's message with the next receive; false if it is not the one received last.
    pub fn answer_task(&mut self, task: TaskId, words: Words) -> bool {
        let last = self.caller == Some(task);
        if last {
            self.reply = Some((MessageInfo::new(message::OK, 0, words.len()), words));
        }
        last
    }

    /// Keeps a server's request for later.
    pub fn park(&mut self, server: TaskId) {
        if self.caller == Some(server) {
            self.save_caller();
        }
    }

    /// Answers the file server's parked request.
    pub fn answer_parked_fs(&mut self, bytes: &[u8]) {
        if let Some(slot) = self.take_saved(TaskId::FS) {
            let (info, words) = message::put(message::OK, bytes);
            Endpoint::at(slot).send(info, words);
        }
    }

    /// Answers a task's fault with the next receive, so that it tries again; false if it is not
    /// the one received last, or of a kind whose answer says more than that.
    pub fn retry(&mut self, task: TaskId) -> bool {
        let last = self.caller == Some(task) && self.may_retry;
        if last {
            self.reply = Some((MessageInfo(0), [0; 4]));
        }
        last
    }

    /// Whether a task's fault was received last and has no answer.
    #[inline]
    pub fn can_answer(&self, task: TaskId) -> bool {
        self.caller == Some(task) && self.may_retry && self.reply.is_none()
    }

    /// Answers the fault received last with the next receive: the thread goes on at `ip`, with the stack pointer and
    /// the flags of `regs`.
    #[inline]
    pub fn send_back(&mut self, ip: u64, regs: &Regs) {
        self.reply = Some((BACK, [ip, regs.rsp, regs.rflags, 0]));
    }

    /// Delivers a trap later.
    pub fn again(&mut self, task: TaskId, trap: Trap, ip: u64) {
        self.pending.push_back(Pending::Trap(task, trap, ip));
    }

    /// Takes back a task's trap that nobody has been told of, if there is one: it may be waiting
    /// in the endpoint, and the only way to look there is to receive all.
    pub fn withdraw(&mut self, task: TaskId) -> Withdrawn {
        self.withdraw_taken(task).unwrap_or_else(|| {
            self.empty_endpoint();
            self.withdraw_pending(task).unwrap_or(Withdrawn::Nothing)
        })
    }

    /// The same as far as it has been taken from the endpoint.
    #[inline]
    pub fn withdraw_taken(&mut self, task: TaskId) -> Option<Withdrawn> {
        if self.caller == Some(task) {
            match self.reply.take() {
                Some((BACK, [ip, ..])) => return Some(Withdrawn::Return(ip)),
                Some(_) => return Some(Withdrawn::Retry),
                None => {}
            }
            self.caller = None;
        }
        match self.pending.is_empty() {
            true => None,
            false => self.withdraw_pending(task),
        }
    }

    fn withdraw_pending(&mut self, task: TaskId) -> Option<Withdrawn> {
        let at = self.pending.iter().position(|pending| pending.is_of(task));
        match at.and_then(|at| self.pending.remove(at))? {
            Pending::Trap(_, trap, ip) => Some(Withdrawn::Trap(trap, ip)),
            // It will be said again.
            Pending::Message(..) => Some(Withdrawn::Retry),
            Pending::Request(..) => None,
        }
    }

    /// Forgets a task, which is about to be destroyed.
    pub fn forget(&mut self, task: TaskId) {
        if self.caller == Some(task) {
            self.caller = None;
            self.reply = None;
        }
        if !self.pending.is_empty() {
            self.pending.retain(|pending| !pending.is_of(task));
        }
    }

    fn empty_endpoint(&mut self) {
        match self.caller {
            Some(TaskId::TRACER | TaskId::FS) => self.save_caller(),
            // Another task is to try again, or to go back.
            Some(_) => {
                if let Some((info, words)) = self.reply.take() {
                    rt::syscall::reply(info, words);
                }
            }
            None => {}
        }
        self.caller = None;
        while let Some(received) = OWN_ENDPOINT.poll() {
            match self.sort(&received) {
                Some(Sorted::Trap(task, trap, ip)) => {
                    self.pending.push_back(Pending::Trap(task, trap, ip));
                }
                Some(Sorted::Message(task)) => {
                    let label = received.info.label();
                    let message = Pending::Message(task, label, received.words);
                    self.pending.push_back(message);
                }
                Some(Sorted::Request(server)) => {
                    let mut message = [0; MAX];
                    let len = message::take(&received, &mut message);
                    let bytes = message[..len].to_vec();
                    self.save_caller();
                    self.pending.push_back(Pending::Request(server, bytes));
                }
                None => {}
            }
            self.caller = None;
        }
    }

    #[inline]
    fn has_pending(&self) -> bool {
        self.signals != 0 || !self.pending.is_empty()
    }

    fn next_pending(&mut self, said: &mut Said, message: &mut Buffer) -> Option<Incoming> {
        // The answer that is due goes first: handling what is pending makes system calls too.
        if let Some((info, words)) = self.reply.take() {
            rt::syscall::reply(info, words);
        }
        self.caller = None;
        for (badge, incoming) in [
            (TIMER_BADGE, Incoming::Timer),
            (CONSOLE_BADGE, Incoming::Console),
        ] {
            if self.signals & badge != 0 {
                self.signals &= !badge;
                return Some(incoming);
            }
        }
        Some(match self.pending.pop_front()? {
            Pending::Trap(task, trap, ip) => Incoming::Trap(task, trap, ip),
            Pending::Message(task, label, words) => {
                *said = (label, words);
                Incoming::Message(task)
            }
            Pending::Request(server, bytes) => {
                message[..bytes.len()].copy_from_slice(&bytes);
                Incoming::Request(server, bytes.len())
            }
        })
    }

    #[inline]
    fn sort(&mut self, received: &Received) -> Option<Sorted> {
        let signals = received.badge & (TIMER_BADGE | CONSOLE_BADGE);
        if signals != 0 {
            self.signals |= signals;
            self.caller = None;
            return None;
        }
        let sender = TaskId::from_badge(received.badge)?;
        self.caller = Some(sender);
        Some(match sender {
            TaskId::TRACER | TaskId::FS => {
                self.received[2] += 1;
                Sorted::Request(sender)
            }
            task if received.info.label() > rt::fault::label::LAST => {
                self.received[1] += 1;
                self.may_retry = false;
                Sorted::Message(task)
            }
            task => {
                self.received[0] += 1;
                let fault = Fault::decode(received);
                let trap = trap(&fault);
                // The answer to a debug exception sets how many instructions are stepped.
                self.may_retry = matches!(trap, Trap::PageFault { .. } | Trap::Exception { .. });
                Sorted::Trap(task, trap, fault.ip())
            }
        })
    }

    fn save_caller(&mut self) {
        let Some((server, slot)) = self.caller.take().and_then(|c| Some((c, reply_slot(c)?)))
        else {
            return;
        };
        CSPACE.save_caller(slot, DEPTH).expect("the slot is empty");
        self.saved[(server == TaskId::FS) as usize] = true;
    }

    fn take_saved(&mut self, server: TaskId) -> Option<u64> {
        let saved = core::mem::take(&mut self.saved[(server == TaskId::FS) as usize]);
        reply_slot(server).filter(|_| saved)
    }
}

impl Pending {
    /// Whether it is what a task did.
    fn is_of(&self, task: TaskId) -> bool {
        match self {
            Pending::Trap(of, ..) | Pending::Message(of, ..) => *of == task,
            Pending::Request(..) => false,
        }
    }
}

enum Sorted {
    Message(TaskId),
    Trap(TaskId, Trap, u64),
    Request(TaskId),
}

fn reply_slot(server: TaskId) -> Option<u64> {
    match server {
        TaskId::TRACER => Some(TRACER_REPLY),
        TaskId::FS => Some(FS_REPLY),
        _ => None,
    }
}

/// The library's word for a fault.
fn trap(fault: &Fault) -> Trap {
    match *fault {
        Fault::Page { address, code, .. } => Trap::PageFault {
            addr: address,
            access: access(code),
            present: code & PRESENT != 0,
        },
        Fault::Exception { vector, code, .. } => Trap::Exception { vector, code },
        Fault::Step { .. } => Trap::Step,
        Fault::Int3 { ip } if stubs::contains(ip) => Trap::StubDone,
        Fault::Int3 { .. } => Trap::Int3,
        Fault::Breakpoint { status, .. } => Trap::Breakpoint { status },
        Fault::Cap { .. } | Fault::UnknownSyscall { .. } | Fault::Unknown { .. } => Trap::BadCall,
    }
}

/// What a page fault's code says was tried.
fn access(code: u64) -> Access {
    if code & WRITE != 0 {
        Access::Write
    } else if code & FETCH != 0 {
        Access::Execute
    } else {
        Access::Read
    }
}
