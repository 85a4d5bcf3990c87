//! One traced task.

use std::cell::Cell;

use libtrace::{Pid, UserRegs, memory};
use syscalls::x86_64::Sysno;

use crate::call::{self, Arg, Call, Ret};
use crate::calls;
use crate::cx::{Cx, Memory};

/// A traced task, between two of its stops.
#[derive(Default)]
pub struct Tracee {
    /// The system call it is in.
    pub call: Option<Ongoing>,
    /// The `SIGSTOP` that comes with being attached is still to come.
    pub starting: bool,
    /// Options have to be set at its first stop: it was attached, not made by a tracee.
    pub needs_options: bool,
    /// The program that was asked for does not run yet: only its execve is shown.
    pub preparing: bool,
    /// The last call it made. Where a signal interrupts that, the kernel may resume it.
    pub previous: u64,
    /// The processor time in the system when the call began, in microseconds.
    pub began: u64,
}

/// A system call that has begun.
pub struct Ongoing {
    /// Its number, sign-extended from what the register has.
    pub nr: u64,
    /// It is being printed.
    pub shown: bool,
    args: [u64; 6],
    known: Option<&'static Call>,
    /// How many of the arguments have been printed.
    printed: usize,
}

/// A tracee's memory while it is stopped.
pub struct Stopped {
    /// Whose.
    pub pid: Pid,
    /// Its stack pointer.
    pub stack_pointer: u64,
    /// Nothing could be read, and nothing will be: the tracee has gone.
    pub gone: Cell<bool>,
}

impl Memory for Stopped {
    fn read(&self, addr: u64, buffer: &mut [u8]) -> usize {
        if self.gone.get() {
            return 0;
        }
        memory::read_memory(self.pid, addr, buffer).unwrap_or_else(|error| {
            self.gone.set(error == libtrace::Errno::ESRCH);
            0
        })
    }

    fn stack_pointer(&self) -> u64 {
        self.stack_pointer
    }
}

/// Unknown calls: all six registers.
const REGISTERS: &[Arg] = &[Arg::Hex; 6];

impl Ongoing {
    /// The call that `regs`, taken at a syscall-entry-stop, begin.
    pub fn new(regs: &UserRegs, shown: bool) -> Ongoing {
        let nr = regs.orig_rax;
        Ongoing {
            nr,
            shown,
            args: regs.args(),
            known: calls::find(nr),
            printed: 0,
        }
    }

    /// The call's name.
    pub fn name(&self) -> String {
        name(self.nr)
    }

    /// It never comes back.
    pub fn is_exit(&self) -> bool {
        matches!(self.known.map(|call| call.ret), Some(Ret::Never))
    }

    /// What is printed at the entry.
    pub fn entry(&mut self, memory: &dyn Memory, limit: usize, resumed: Option<u64>) -> String {
        let mut cx = self.cx(memory, limit, None);
        cx.put(&self.name());
        cx.put("(");
        if let Some(nr) = resumed {
            cx.put(&format!("<... resuming interrupted {} ...>", name(nr)));
            self.printed = self.args().len();
        } else {
            self.printed = call::print_entry(self.args(), &mut cx);
        }
        cx.text
    }

    /// What is printed at the exit: the arguments that were to come, and the result.
    pub fn exit(&self, memory: &dyn Memory, limit: usize, rax: i64) -> (String, String) {
        let outcome = libtrace::Errno::of_result(rax);
        let mut cx = self.cx(memory, limit, Some(outcome));
        call::print_exit(self.args(), self.printed, &mut cx);
        let arguments = std::mem::take(&mut cx.text);
        let ret = self.known.map_or(Ret::Hex, |call| call.ret);
        call::print_result(ret, &mut cx);
        (arguments, cx.text)
    }

    fn args(&self) -> &'static [Arg] {
        self.known.map_or(REGISTERS, |call| call.args)
    }

    fn cx<'a>(
        &self,
        memory: &'a dyn Memory,
        limit: usize,
        outcome: Option<libtrace::Result<i64>>,
    ) -> Cx<'a> {
        Cx {
            text: String::new(),
            args: self.args,
            outcome,
            limit,
            memory,
        }
    }
}

/// The name of call number `nr`, or `syscall_0x1ff`.
pub fn name(nr: u64) -> String {
    match usize::try_from(nr).ok().and_then(Sysno::new) {
        Some(call) => call.name().to_owned(),
        None => format!("syscall_{nr:#x}"),
    }
}
