//! Engines as statements: always by message.

use super::{Prog, Val, Var};
use abi::engine::{self, Answer, AttachFlags, Choice, Flags, POLL, Response, Ticket, word};
use abi::signal::SIGKILL;
use iced_x86::code_asm::*;

/// Where a program keeps the callback that it has taken.
#[derive(Clone, Copy, Debug)]
pub struct Callback(u64);

impl Callback {
    /// Room that is not the program's.
    pub fn at(addr: u64) -> Callback {
        Callback(addr)
    }

    /// Where it is.
    pub fn addr(self) -> u64 {
        self.0
    }

    /// A word of it ([`engine::word`]).
    pub fn word(self, at: usize) -> Val {
        Val::At(self.0 + 8 * at as u64)
    }
}

impl Prog {
    /// Attaches an engine to a task, called back with `data`: `handle` is its handle, `rax` the
    /// attachment or the error.
    pub fn attach_engine(
        &mut self,
        tid: impl Into<Val>,
        flags: AttachFlags,
        ops: u64,
        data: u64,
        handle: Var,
    ) {
        let who = self.var();
        self.load(rax, tid.into());
        self.ok(|a| a.mov(rcx, u64::from(flags.bits()) << 32));
        self.ok(|a| a.or(rax, rcx));
        self.store(who);
        let words = [who.into(), ops.into(), data.into(), 0.into()];
        self.say(true, engine::ATTACH, words);
        self.ok(|a| a.mov(rcx, rax));
        // The handle without what the task was at.
        self.ok(|a| a.shl(rcx, 16));
        self.ok(|a| a.shr(rcx, 16));
        self.ok(|a| a.mov(qword_ptr(handle.0), rcx));
    }

    /// A new engine with these flags; the test fails unless it is attached.
    #[track_caller]
    pub fn engine(&mut self, tid: impl Into<Val>, data: u64, flags: Flags) -> Var {
        let handle = self.var();
        self.attach_engine(tid, AttachFlags::CREATE, 0, data, handle);
        self.check_not_negative();
        self.set_engine(handle, flags, 0);
        self.check(Val::Rax, 0);
        handle
    }

    /// SET_FLAGS with the address of a set of system calls, or 0.
    pub fn set_engine(&mut self, handle: Var, flags: Flags, calls: u64) {
        self.engine_words(engine::SET_FLAGS, handle, flags.to_word(), calls);
    }

    /// A message to the tracer about an engine, in words.
    pub fn engine_words(
        &mut self,
        kind: u64,
        handle: Var,
        second: impl Into<Val>,
        third: impl Into<Val>,
    ) {
        let words = [handle.into(), second.into(), third.into(), 0.into()];
        self.say(true, kind, words);
    }

    /// DETACH.
    pub fn detach_engine(&mut self, handle: Var) {
        let words = [handle.into(), 0.into(), 0.into(), 0.into()];
        self.say(true, engine::DETACH, words);
    }

    /// INJECT.
    pub fn inject(&mut self, handle: Var, choice: Choice, info: u64, action: u64) {
        let choice = choice.to_number();
        let words = [handle.into(), choice.into(), info.into(), action.into()];
        self.say(true, engine::INJECT, words);
    }

    /// REQUEST.
    pub fn engine_request(
        &mut self,
        request: u32,
        handle: Var,
        addr: impl Into<Val>,
        data: impl Into<Val>,
    ) {
        let words = [request.into(), handle.into(), addr.into(), data.into()];
        self.say(false, engine::REQUEST, words);
    }

    /// Room for a callback.
    pub fn callback(&mut self) -> Callback {
        Callback(self.words(&[0; word::ALL]))
    }

    /// Changes a word of a callback.
    pub fn set_word(&mut self, callback: Callback, at: usize, value: impl Into<Val>) {
        self.set(Var(callback.0 + 8 * at as u64), value);
    }

    /// Takes the next callback without answering one: `rax` is the result.
    pub fn next_callback(&mut self, callback: Callback) {
        self.next(0.into(), callback.0);
    }

    /// The same without waiting.
    pub fn poll_callback(&mut self, callback: Callback) {
        self.next(0.into(), callback.0 | POLL);
    }

    /// Answers a callback and takes the next.
    pub fn answer_and_next(&mut self, callback: Callback, response: Response) {
        let answer = self.answer(callback, response);
        self.next(answer.into(), callback.0);
    }

    /// NEXT with an answer made by hand, and POLL or 0.
    pub fn next_with(&mut self, answer: Var, callback: Callback, poll: u64) {
        self.next(answer.into(), callback.0 | poll);
    }

    /// Answers a callback, and does not wait for the next.
    pub fn answer_callback(&mut self, callback: Callback, response: Response) {
        let answer = self.answer(callback, response);
        self.next(answer.into(), callback.0 | POLL);
    }

    /// Takes callbacks until one tells of an event, answering what comes before with the default.
    #[track_caller]
    pub fn take_event(&mut self, callback: Callback, event: abi::tracer::Events) {
        self.next_callback(callback);
        self.forever(|p, end| {
            p.check(Val::Rax, 1);
            p.ok(|a| a.mov(eax, dword_ptr(callback.0 + 8 * word::EVENT as u64)));
            p.ok(|a| a.and(eax, event.bits() as i32));
            p.ok(|a| a.jne(end));
            p.answer_and_next(callback, Response::default());
        });
    }

    /// The word of an answer to a callback.
    fn answer(&mut self, callback: Callback, response: Response) -> Var {
        let ticket = Ticket(0);
        let bits = Answer { ticket, response }.to_word();
        let answer = self.var();
        self.load(rax, callback.word(word::TICKET));
        self.ok(|a| a.shl(rax, engine::RESPONSE_BITS));
        self.ok(|a| a.or(rax, bits as i32));
        self.store(answer);
        answer
    }

    fn next(&mut self, answer: Val, buffer: u64) {
        self.load(r10, answer);
        self.load(r8, buffer.into());
        let landing = self.label();
        self.ok(|a| a.lea(r9, ptr(landing)));
        self.ok(|a| a.mov(r15, rsp));
        self.send(false, engine::NEXT);
        self.ok(|a| a.mov(rax, r10));
        self.here(landing);
    }

    /// The test fails where `rax` is an error.
    #[track_caller]
    pub fn check_not_negative(&mut self) {
        let kept = self.var();
        self.store(kept);
        self.ok(|a| a.shr(rax, 63));
        self.check(Val::Rax, 0);
        self.set(kept, kept);
    }

    /// The test fails unless the lower half of a value is this.
    #[track_caller]
    pub fn check_low(&mut self, value: impl Into<Val>, expected: u32) {
        self.load(rax, value.into());
        self.ok(|a| a.mov(eax, eax));
        self.check(Val::Rax, u64::from(expected));
    }

    /// `rax` is what a value has of these bits.
    pub fn masked(&mut self, value: impl Into<Val>, bits: u32) {
        self.load(rax, value.into());
        self.ok(|a| a.and(eax, bits as i32));
    }

    /// `rax` is a variable.
    pub fn load_rax(&mut self, var: Var) {
        self.load(rax, var.into());
    }

    /// Adds a variable to `rax`.
    pub fn add_rax(&mut self, var: Var) {
        self.ok(|a| a.add(rax, qword_ptr(var.0)));
    }

    /// Shifts a variable to the left.
    pub fn shl(&mut self, var: Var, by: u32) {
        self.ok(|a| a.shl(qword_ptr(var.0), by));
    }

    /// Kills a child and waits for it.
    #[track_caller]
    pub fn kill_and_reap(&mut self, child: Var) {
        self.kill(child, SIGKILL);
        self.wait_for(child, SIGKILL.into());
    }
}
