//! Engines: attachments to tasks that are told of events and have a say in them (utrace's word).
//!
//! Any number of programs may have engines on one task, beside a ptrace tracer. Each engine says
//! which events it wants; for each the task stands still until every engine has been called back, in
//! the order in which they were attached, and has answered. A program takes a callback, and answers
//! the one before, with a single message:
//!
//! ```no_run
//! use libtrace::engine::{AttachFlags, Engines, Event, Events, Flags, Response};
//!
//! # fn example(pid: libtrace::Pid) -> libtrace::Result<()> {
//! let mut engines = Engines::new()?;
//! let engine = engines.attach(pid, AttachFlags::CREATE, 0, 0)?.engine;
//! engine.set(Flags::events(Events::SYSCALL_ENTRY | Events::REAP), None)?;
//! loop {
//!     let callback = engines.next()?;
//!     match callback.event {
//!         Event::Reap => return Ok(()),
//!         Event::SyscallEntry if callback.call.nr == 87 => engines.respond(Response::ABORT),
//!         _ => {}
//!     }
//! }
//! # }
//! ```
//!
//! Engines belong to the thread that attached them, and end with it. They exist in the Stillpoint
//! machine only: on Linux everything here is `ENOSYS`.

use std::marker::PhantomData;

use abi::engine::word;
use abi::linux::ptrace as nr;
use abi::regs::USER_REGS_WORDS;
use bytemuck::{bytes_of, bytes_of_mut};

use crate::message::Servers;
use crate::transport::{Transport, checked};
use crate::{Errno, Pid, Result, UserRegs};

pub use abi::SigInfo;
pub use abi::engine::{
    AttachFlags, Call, Callback, Calls, Choice, Flags, Flow, Response, Standing, State,
};
pub use abi::signal::Action;
pub use abi::tracer::{CloneKind, Event, Events, SignalAction};

/// Where `struct user` has the register that a result is in.
const RAX: u64 = 8 * 10;

/// The engines of the calling thread, and what they are told.
#[derive(Debug)]
pub struct Engines {
    servers: Servers,
    words: Box<abi::engine::Words>,
    /// The answer to the callback in `words`, which the next message carries.
    answer: u64,
    /// Messages are a thread's own.
    _of_this_thread: PhantomData<*const ()>,
}

/// One engine. Dropping it leaves it attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Engine {
    servers: Servers,
    handle: abi::engine::Handle,
}

/// A callback whose answer is put off: its task stands still, and other callbacks can be taken
/// meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deferred(abi::engine::Ticket);

/// What [`Engines::attach`] found or made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The engine.
    pub engine: Engine,
    /// What its task was at.
    pub standing: Standing,
}

impl Engines {
    /// What the calling thread needs to have engines.
    ///
    /// # Errors
    /// `ENOSYS` on Linux.
    pub fn new() -> Result<Engines> {
        let Transport::Message(servers) = Transport::of_this_process() else {
            return Err(Errno::ENOSYS);
        };
        Ok(Engines {
            servers,
            words: Box::new([0; word::ALL]),
            answer: 0,
            _of_this_thread: PhantomData,
        })
    }

    /// Attaches an engine to the task `tid`, or looks one up where `flags` have no
    /// [`CREATE`](AttachFlags::CREATE). It is called back with `data`; `ops` and `data` are what
    /// others match it by. A new engine wants nothing until [`Engine::set`] says what.
    ///
    /// A task that has just been created belongs to its creator's engines until they have been told;
    /// this waits until they have, unless it is called for one of them, from its clone event.
    ///
    /// # Errors
    /// `ENOENT`: a look-up found none. `EEXIST`: [`EXCLUSIVE`](AttachFlags::EXCLUSIVE), and one that
    /// matches is attached. `ESRCH`: no such task. `EPERM`: the own process, or not allowed. `EAGAIN`,
    /// `ENOMEM`: too many engines of this user, or of the task.
    pub fn attach(&self, tid: Pid, flags: AttachFlags, ops: u64, data: u64) -> Result<Attachment> {
        let who = u64::from(tid as u32) | u64::from(flags.bits()) << 32;
        let word = loop {
            let answer = self
                .servers
                .tracer(abi::engine::ATTACH, [who, ops, data, 0]);
            match checked(answer) {
                Err(Errno::EBUSY) => std::thread::yield_now(),
                answer => break answer?,
            }
        };
        let attachment = abi::engine::Attachment::from_word(word as u64).ok_or(Errno::EIO)?;
        Ok(Attachment {
            engine: Engine {
                servers: self.servers,
                handle: attachment.handle,
            },
            standing: attachment.standing,
        })
    }

    /// Attaches a new engine that asks for `flags`, of the system calls in `calls` only if that is
    /// said.
    ///
    /// # Errors
    /// As [`Engines::attach`].
    pub fn watch(
        &self,
        tid: Pid,
        data: u64,
        flags: Flags,
        calls: Option<&Calls>,
    ) -> Result<Engine> {
        let attached = self.attach(tid, AttachFlags::CREATE, 0, data)?;
        attached.engine.set(flags, calls)?;
        Ok(attached.engine)
    }

    /// Answers the callback that was taken last, with what [`Engines::respond`] said or with
    /// [`Response::default`], and waits for the next. The tasks of both stand still until they are
    /// answered.
    ///
    /// # Errors
    /// `EINTR` when a signal handler ran; the answer has been given then.
    #[expect(clippy::should_implement_trait, reason = "what it gives is borrowed")]
    pub fn next(&mut self) -> Result<Callback> {
        loop {
            if let Some(callback) = self.take(0)? {
                return Ok(callback);
            }
        }
    }

    /// The same without waiting: `None` where there is none.
    ///
    /// # Errors
    /// None that a program can cause.
    pub fn poll(&mut self) -> Result<Option<Callback>> {
        self.take(abi::engine::POLL)
    }

    /// What is to be answered to the callback that was taken last.
    pub fn respond(&mut self, response: Response) {
        let ticket = abi::engine::Ticket(self.words[word::TICKET]);
        if self.answer != 0 {
            self.answer = abi::engine::Answer { ticket, response }.to_word();
        }
    }

    /// The same for a signal, which becomes another one, or is handled otherwise this once.
    pub fn respond_with(&mut self, response: Response, info: &SigInfo, action: Option<&Action>) {
        abi::engine::put_info(&mut self.words, info);
        if let Some(action) = action {
            abi::engine::put_action(&mut self.words, action);
        }
        self.respond(Response {
            info: true,
            action: action.is_some(),
            ..response
        });
    }

    /// Puts off the answer to the callback that was taken last, until [`Engines::respond_to`] gives
    /// it. `None` where there is none to give.
    pub fn defer(&mut self) -> Option<Deferred> {
        let ticket = abi::engine::Ticket(self.words[word::TICKET]);
        (core::mem::take(&mut self.answer) != 0).then_some(Deferred(ticket))
    }

    /// What is to be answered to a callback that was put off. It is given with the next message, which
    /// has room for one answer: [`Engines::is_answering`] says whether it is taken.
    ///
    /// # Errors
    /// `EBUSY`: it is taken; nothing is changed.
    pub fn respond_to(&mut self, deferred: Deferred, response: Response) -> Result<()> {
        if self.is_answering() {
            return Err(Errno::EBUSY);
        }
        let ticket = deferred.0;
        self.answer = abi::engine::Answer { ticket, response }.to_word();
        Ok(())
    }

    /// Whether the next message carries an answer.
    pub fn is_answering(&self) -> bool {
        self.answer != 0
    }

    fn take(&mut self, poll: u64) -> Result<Option<Callback>> {
        let answer = core::mem::take(&mut self.answer);
        let buffer = self.words.as_mut_ptr() as u64 | poll;
        // SAFETY: the buffer has room for all the words of a callback and is borrowed for the call.
        let mut taken = checked(unsafe { self.servers.next(answer, buffer) });
        if answer != 0 && taken == Err(Errno::ESRCH) {
            // The task of the callback before has been killed: there is nothing to answer any more.
            // SAFETY: as above.
            taken = checked(unsafe { self.servers.next(0, buffer) });
        }
        if taken? == 0 {
            return Ok(None);
        }
        let callback = Callback::from_words(&self.words).ok_or(Errno::EIO)?;
        if callback.ticket.0 != 0 {
            self.answer = abi::engine::Answer {
                ticket: callback.ticket,
                response: Response::default(),
            }
            .to_word();
        }
        Ok(Some(callback))
    }

    /// The engine that a callback is for.
    pub fn engine(&self, callback: &Callback) -> Engine {
        Engine {
            servers: self.servers,
            handle: callback.handle,
        }
    }
}

impl Engine {
    /// Replaces what the engine asks for; `calls` are the system calls it wants to be told of, where
    /// not all.
    ///
    /// # Errors
    /// `ESRCH`: not attached any more. `EALREADY`: it is too late for what is asked for, because the
    /// task is dead.
    pub fn set(&self, flags: Flags, calls: Option<&Calls>) -> Result<()> {
        let calls = calls.map_or(0, |calls| calls.0.as_ptr() as u64);
        self.tracer(abi::engine::SET_FLAGS, flags.to_word(), calls, 0)
    }

    /// Detaches: no callback of this engine will come any more, also if one was on its way.
    ///
    /// # Errors
    /// `ESRCH`: not attached any more, or the task is being reaped. `EALREADY`: its death is being
    /// reported.
    pub fn detach(&self) -> Result<()> {
        self.tracer(abi::engine::DETACH, 0, 0, 0)
    }

    /// At a signal event, delivers `info` when the task goes on, before everything that is queued;
    /// `action` is how it is handled where not as the task has set it.
    ///
    /// # Errors
    /// `ENOSYS`: at no signal event. `EAGAIN`: one has been injected. `EINVAL`: no signal. `ESRCH`.
    pub fn inject(&self, choice: Choice, info: &SigInfo, action: Option<&Action>) -> Result<()> {
        let info = info.to_bytes();
        let action = action.map(|action| action.to_words());
        let action = action.as_ref().map_or(0, |words| words.as_ptr() as u64);
        self.tracer(
            abi::engine::INJECT,
            choice.to_number(),
            info.as_ptr() as u64,
            action,
        )
    }

    /// Reads the general registers of the task, which must stand still: between a callback of this
    /// engine and its answer, or because an engine keeps it.
    ///
    /// # Errors
    /// `ESRCH`: it runs.
    pub fn getregs(&self) -> Result<UserRegs> {
        let mut words = [0; USER_REGS_WORDS];
        let buffer = bytes_of_mut(&mut words).as_mut_ptr() as u64;
        // SAFETY: the request fills exactly these words.
        unsafe { self.request(nr::PTRACE_GETREGS, 0, buffer) }?;
        Ok(UserRegs::from_words(&words))
    }

    /// Writes the general registers.
    ///
    /// # Errors
    /// As [`Engine::getregs`]; `EIO` for values a task may not have.
    pub fn setregs(&self, regs: &UserRegs) -> Result<()> {
        let words = regs.to_words();
        // SAFETY: the request only reads.
        unsafe { self.request(nr::PTRACE_SETREGS, 0, bytes_of(&words).as_ptr() as u64) }.map(drop)
    }

    /// Reads the register set with note type `note`, and returns how many bytes it filled.
    ///
    /// # Errors
    /// As [`Engine::getregs`]; `EINVAL` for an unknown set or a wrong length.
    pub fn getregset(&self, note: u64, buffer: &mut [u8]) -> Result<usize> {
        self.regset(
            nr::PTRACE_GETREGSET,
            note,
            buffer.as_mut_ptr(),
            buffer.len(),
        )
    }

    /// Writes the register set with note type `note`, and returns how many bytes it took.
    ///
    /// # Errors
    /// As [`Engine::getregset`].
    pub fn setregset(&self, note: u64, bytes: &[u8]) -> Result<usize> {
        let start = bytes.as_ptr().cast_mut();
        self.regset(nr::PTRACE_SETREGSET, note, start, bytes.len())
    }

    fn regset(&self, request: u32, note: u64, start: *mut u8, len: usize) -> Result<usize> {
        let mut vector = libc::iovec {
            iov_base: start.cast(),
            iov_len: len,
        };
        // SAFETY: at most `len` bytes are accessed, written only by the request whose caller has
        // borrowed them so, and the used length goes into `vector`.
        unsafe { self.request(request, note, &raw mut vector as u64) }?;
        Ok(vector.iov_len)
    }

    /// Reads the word at `addr` of the task's memory. For more than a few words there is
    /// [`memory::read_memory`](crate::memory::read_memory).
    ///
    /// # Errors
    /// As [`Engine::getregs`]; `EIO` where it cannot all be read.
    pub fn peek(&self, addr: u64) -> Result<u64> {
        // SAFETY: the word comes with the answer: nothing is written.
        unsafe { self.request(nr::PTRACE_PEEKDATA, addr, 0) }
    }

    /// Writes the word at `addr` of the task's memory, also where the task cannot.
    ///
    /// # Errors
    /// As [`Engine::peek`].
    pub fn poke(&self, addr: u64, value: u64) -> Result<()> {
        // SAFETY: the value is a number.
        unsafe { self.request(nr::PTRACE_POKEDATA, addr, value) }.map(drop)
    }

    /// Writes the word at `offset` of the task's `struct user`.
    ///
    /// # Errors
    /// As [`Engine::getregs`]; `EIO` for an offset that cannot be written.
    pub fn pokeuser(&self, offset: u64, value: u64) -> Result<()> {
        // SAFETY: the value is a number.
        unsafe { self.request(nr::PTRACE_POKEUSR, offset, value) }.map(drop)
    }

    /// What an aborted system call returns, at its entry event: a value, or an error as the negated
    /// number. Without it the call returns `-ENOSYS`.
    ///
    /// # Errors
    /// As [`Engine::getregs`].
    pub fn set_result(&self, value: i64) -> Result<()> {
        self.pokeuser(RAX, value as u64)
    }

    /// The handle as a number, which no other engine has.
    pub fn id(&self) -> u64 {
        self.handle.to_word()
    }

    /// # Safety
    /// `data` must suit the request as for ptrace(2).
    unsafe fn request(&self, request: u32, addr: u64, data: u64) -> Result<u64> {
        let words = [request.into(), self.handle.to_word(), addr, data];
        // SAFETY: the caller's promise.
        let (result, word) = unsafe { self.servers.procmgr(abi::engine::REQUEST, words) };
        checked(result).map(|_| word)
    }

    fn tracer(&self, kind: u64, second: u64, third: u64, fourth: u64) -> Result<()> {
        let words = [self.handle.to_word(), second, third, fourth];
        checked(self.servers.tracer(kind, words)).map(drop)
    }
}
