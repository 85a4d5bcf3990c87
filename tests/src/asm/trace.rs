//! ptrace as statements, by system call and by message.

use super::{Label, Prog, Val, Var};
use crate::sim::SERVER_CAPS;
use abi::client::{self, ASK_TRACER, NR_SERVER_CAPS, PTRACE};
use abi::linux::general as g;
use abi::linux::ptrace as nr;
use abi::signal::SIGSTOP;
use abi::stops::{HEAD, PLACE_WORDS, PLACES, STATUS, UNSEEN, WHAT};
use iced_x86::code_asm::*;

/// How a program speaks to the tracer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// By the `ptrace` system call, as unmodified programs do.
    SystemCall,
    /// By messages of its own, as libtrace does.
    Message,
}

impl Entry {
    /// Both.
    pub const ALL: [Entry; 2] = [Entry::SystemCall, Entry::Message];
}

impl Prog {
    /// What a program does first: asks for its capabilities to the servers if it needs them.
    pub fn begin(&mut self) {
        if self.entry == Entry::Message {
            self.said = [self.var(), self.var()];
            self.sys(NR_SERVER_CAPS, &[]);
        }
    }

    /// A message; the answer's first words are in `rax` and `r8`.
    pub(super) fn say(&mut self, tracer: bool, kind: u64, args: [Val; 4]) {
        for (register, value) in [r10, r8, r9, r15].into_iter().zip(args) {
            self.load(register, value);
        }
        self.send(tracer, kind);
        self.ok(|a| a.mov(rax, r10));
    }

    /// Sends a message whose words are in their registers.
    pub(super) fn send(&mut self, tracer: bool, kind: u64) {
        let said = self.said[usize::from(tracer)];
        // One instruction: threads count together.
        self.ok(|a| a.add(qword_ptr(said.0), 1));
        self.ok(|a| a.mov(rsi, qword_ptr(said.0)));
        self.ok(|a| a.sub(rsi, 1));
        self.ok(|a| a.and(rsi, i32::from(client::MAX_NUMBER) - 1));
        self.ok(|a| a.inc(rsi));
        self.ok(|a| a.shl(rsi, 20));
        self.ok(|a| a.or(rsi, (kind << 12 | 4) as i32));
        self.load(rdi, (SERVER_CAPS + u64::from(tracer)).into());
        self.load(rax, (-1).into());
        let call = self.label();
        self.ok(|a| a.mov(rcx, rsp));
        self.ok(|a| a.lea(rdx, ptr(call)));
        self.here(call);
        self.ok(|a| a.sysenter());
    }

    /// wait4 by a message, or by the page of stops; where something was found, `status` is the status word.
    pub(super) fn wait_by_message(&mut self, pid: Val, status: Var, options: Val) {
        let (landing, nothing) = (self.label(), self.label());
        if let Some((page, tid)) = self.shown {
            self.wait_by_page(page, tid, pid, status, nothing);
        }
        self.load(r10, pid);
        self.load(r8, options);
        self.ok(|a| a.lea(r9, ptr(landing)));
        self.ok(|a| a.mov(r15, rsp));
        self.send(false, client::WAIT);
        self.ok(|a| a.mov(rax, r10));
        self.here(landing);
        self.ok(|a| a.cmp(rax, 0));
        self.ok(|a| a.jle(nothing));
        self.ok(|a| a.mov(r8, rax));
        self.ok(|a| a.shr(r8, 32));
        self.ok(|a| a.mov(qword_ptr(status.0), r8));
        self.ok(|a| a.mov(eax, eax));
        self.here(nothing);
    }

    /// Goes on at `found` with the tid in `rax`, where a stop is shown that nobody has waited for.
    fn wait_by_page(&mut self, page: u64, tid: Var, pid: Val, status: Var, found: Label) {
        const { assert!(PLACE_WORDS * 8 == 16 + 32 + 64 + 256) };
        let at = |word: usize| 8 * (HEAD + word) as i32;
        let unseen = UNSEEN as i32;
        let ask = self.label();
        self.load(rcx, pid);
        self.load(rdx, page.into());
        self.ok(|a| a.cmp(qword_ptr(rdx), 0));
        self.ok(|a| a.je(ask));
        self.ok(|a| a.mov(r8, rcx));
        self.ok(|a| a.and(r8, PLACES as i32 - 1));
        for by in [4u32, 1, 1, 2] {
            self.ok(|a| a.shl(r8, by));
            self.ok(|a| a.add(rdx, r8));
        }
        self.load(r9, tid.into());
        self.ok(|a| a.shl(r9, 32u32));
        self.ok(|a| a.or(r9, rcx));
        self.ok(|a| a.cmp(qword_ptr(rdx + at(0)), r9));
        self.ok(|a| a.jne(ask));
        self.ok(|a| a.mov(rax, qword_ptr(rdx + at(WHAT))));
        self.ok(|a| a.test(rax, unseen));
        self.ok(|a| a.je(ask));
        self.ok(|a| a.mov(r8, qword_ptr(rdx + at(STATUS))));
        self.ok(|a| a.mov(r9, rax));
        self.ok(|a| a.and(r9, !unseen));
        self.ok(|a| a.lock().cmpxchg(qword_ptr(rdx + at(WHAT)), r9));
        self.ok(|a| a.jne(ask));
        self.ok(|a| a.mov(qword_ptr(status.0), r8));
        self.ok(|a| a.mov(rax, rcx));
        self.ok(|a| a.jmp(found));
        self.here(ask);
    }

    /// Has the program shown its tracees' stops, if it speaks by messages; the page's address.
    pub fn share_stops(&mut self) -> u64 {
        let page = self.page();
        self.share_stops_in(page);
        page
    }

    /// The same in a page that it has.
    pub fn share_stops_in(&mut self, page: u64) {
        if self.entry == Entry::Message {
            let words = [page, 0, 0, 0].map(Val::from);
            self.say(false, client::SHARE_STOPS, words);
            let tid = self.var();
            self.store(tid);
            self.shown = Some((page, tid));
        }
    }

    /// A ptrace request: `rax` is the result as the system call gives it, where a PEEK stores its
    /// word through `data`.
    pub fn ptrace(
        &mut self,
        request: u32,
        pid: impl Into<Val>,
        addr: impl Into<Val>,
        data: impl Into<Val>,
    ) {
        let data = data.into();
        self.ptrace_any(request, pid, addr, data);
        let peeks = matches!(
            request,
            nr::PTRACE_PEEKTEXT | nr::PTRACE_PEEKDATA | nr::PTRACE_PEEKUSR
        );
        if peeks && self.entry == Entry::Message {
            self.load(rcx, data);
            self.ok(|a| a.mov(qword_ptr(rcx), r8));
        }
    }

    /// The same for a request that is not known here: what a PEEK by message reads is lost.
    pub fn ptrace_any(
        &mut self,
        request: impl Into<Val>,
        pid: impl Into<Val>,
        addr: impl Into<Val>,
        data: impl Into<Val>,
    ) {
        let args = [request.into(), pid.into(), addr.into(), data.into()];
        if self.entry == Entry::SystemCall {
            return self.sys(g::__NR_ptrace, &args);
        }
        // What is in rax does not outlast the first message.
        let kept = self.var();
        let args = args.map(|value| match value {
            Val::Rax => {
                self.store(kept);
                kept.into()
            }
            other => other,
        });
        self.say(false, PTRACE, args);
        let done = self.label();
        self.ok(|a| a.mov(rcx, ASK_TRACER));
        self.ok(|a| a.cmp(rax, rcx));
        self.ok(|a| a.jne(done));
        self.say(true, PTRACE, args);
        self.here(done);
    }

    /// The same; the test fails unless it succeeds.
    #[track_caller]
    pub fn ptrace_ok(
        &mut self,
        request: u32,
        pid: impl Into<Val>,
        addr: impl Into<Val>,
        data: impl Into<Val>,
    ) {
        self.ptrace(request, pid, addr, data);
        self.check(Val::Rax, 0);
    }

    /// PTRACE_ATTACH and the wait for its SIGSTOP.
    #[track_caller]
    pub fn attach(&mut self, pid: Var) {
        self.ptrace_ok(nr::PTRACE_ATTACH, pid, 0, 0);
        self.wait_for(pid, stopped(SIGSTOP.into()));
    }

    /// PTRACE_CONT with a signal.
    #[track_caller]
    pub fn cont(&mut self, pid: Var, signo: u8) {
        self.ptrace_ok(nr::PTRACE_CONT, pid, 0, signo);
    }

    /// PTRACE_DETACH with a signal.
    #[track_caller]
    pub fn detach(&mut self, pid: Var, signo: u8) {
        self.ptrace_ok(nr::PTRACE_DETACH, pid, 0, signo);
    }

    /// PTRACE_SETOPTIONS.
    #[track_caller]
    pub fn set_options(&mut self, pid: Var, options: u32) {
        self.ptrace_ok(nr::PTRACE_SETOPTIONS, pid, 0, options);
    }

    /// PTRACE_GETREGS; the address of `struct user_regs_struct`.
    #[track_caller]
    pub fn get_regs(&mut self, pid: Var) -> u64 {
        let regs = self.words(&[0; abi::regs::USER_REGS_WORDS]);
        self.ptrace_ok(nr::PTRACE_GETREGS, pid, 0, regs);
        regs
    }

    /// PTRACE_GETEVENTMSG into a variable.
    #[track_caller]
    pub fn event_message(&mut self, pid: Var, message: Var) {
        self.ptrace_ok(nr::PTRACE_GETEVENTMSG, pid, 0, message.0);
    }

    /// Makes the child of a fork one that has itself traced and stops.
    pub fn traced_child(&mut self, child: Var, body: impl FnOnce(&mut Prog)) {
        self.fork(|p| {
            p.ptrace_ok(nr::PTRACE_TRACEME, 0, 0, 0);
            p.getpid();
            p.kill(Val::Rax, SIGSTOP);
            body(p);
        });
        self.store(child);
        self.wait_for(child, stopped(SIGSTOP.into()));
    }
}

/// Where a register is in `struct user_regs_struct`, in words.
pub mod word {
    /// rax.
    pub const RAX: u64 = 10;
    /// orig_rax.
    pub const ORIG_RAX: u64 = 15;
    /// rip.
    pub const RIP: u64 = 16;
    /// rbx.
    pub const RBX: u64 = 5;
}

/// The wait status of a stop.
pub const fn stopped(code: u32) -> i32 {
    (code << 8) as i32 | 0x7f
}

/// The stop code of an event.
pub const fn event(number: u32) -> u32 {
    5 | number << 8
}

/// The wait status of an exit.
pub const fn exited(status: i32) -> i32 {
    status << 8
}
