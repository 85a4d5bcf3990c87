//! One traced task.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Instant;

use libtrace::{Errno, Pid, UserRegs, memory};
use syscalls::x86_64::Sysno;

use crate::call::{self, Arg, Call, Ret};
use crate::calls;
use crate::cx::{Cx, Descriptors, Look, Subject};
use crate::descriptor;

/// A traced task, between two of its stops.
#[derive(Default)]
pub struct Tracee {
    /// Its process; 0 where nobody needs to know.
    pub process: Pid,
    /// The system call it is in.
    pub call: Option<Ongoing>,
    /// The `SIGSTOP` that comes with being attached is still to come.
    pub starting: bool,
    /// Options have to be set at its first stop: it was attached, not made by a tracee.
    pub needs_options: bool,
    /// The program that was asked for does not run yet: only its execve is shown.
    pub preparing: bool,
    /// The number of the call it is in, or was in last.
    pub number: u64,
    /// The last call it came back from. Where a signal interrupts that, the kernel may resume it.
    pub previous: u64,
    /// How often it has made each call that is tampered with.
    pub invocations: BTreeMap<u64, u64>,
    /// It is kept in its stop until then; with the signal it gets when it goes on.
    pub delayed: Option<(Instant, i32)>,
}

/// A system call that has begun.
pub struct Ongoing {
    /// Its number, sign-extended from what the register has.
    pub nr: u64,
    /// It is traced at all.
    pub traced: bool,
    /// It is being printed.
    pub shown: bool,
    /// A record will be made of it.
    pub recorded: bool,
    /// The beginning of its line, where that has not been printed yet.
    pub prefix: String,
    /// What is known since the entry: the arguments, each where it begins.
    pub text: String,
    /// Where in the text arguments begin that follow others.
    pub cuts: Vec<usize>,
    /// When it began, in nanoseconds of the trace.
    pub began: u64,
    /// The processor time in the system when it began, in microseconds.
    pub system_us: u64,
    /// The program that an execve asks for: its path, and its name for itself.
    pub program: (Option<String>, Option<String>),
    /// What is done to it.
    pub tampering: Tampering,
    args: [u64; 6],
    known: Option<&'static Call>,
    look: Look,
    /// How many of the arguments have been printed.
    printed: usize,
    /// What a length was before the call changed it.
    length: Option<u32>,
}

/// What is done to a call, by an injection.
#[derive(Debug, Default)]
pub struct Tampering {
    /// Which injection, by its place.
    pub injection: Option<usize>,
    /// What the call returns instead of what it would.
    pub result: Option<i64>,
    /// It was delayed.
    pub delayed: bool,
    /// What its arguments point to was written over.
    pub poked: bool,
}

/// A tracee while it is stopped.
pub struct Stopped {
    /// Whose.
    pub pid: Pid,
    /// Its stack pointer.
    pub stack_pointer: u64,
    /// Nothing could be read, and nothing will be: the tracee has gone.
    pub gone: Cell<bool>,
}

impl Stopped {
    /// Task `pid`, whose registers these are.
    pub fn new(pid: Pid, regs: &UserRegs) -> Stopped {
        Stopped {
            pid,
            stack_pointer: regs.rsp,
            gone: Cell::new(false),
        }
    }
}

impl Subject for Stopped {
    fn read(&self, addr: u64, buffer: &mut [u8]) -> usize {
        if self.gone.get() {
            return 0;
        }
        memory::read_memory(self.pid, addr, buffer).unwrap_or_else(|error| {
            self.gone.set(error == Errno::ESRCH);
            0
        })
    }

    fn stack_pointer(&self) -> u64 {
        self.stack_pointer
    }

    fn descriptor(&self, fd: i32, wanted: Descriptors) -> Option<String> {
        descriptor::describe(self.pid, fd, wanted)
    }

    fn working_directory(&self) -> Option<String> {
        descriptor::working_directory(self.pid)
    }
}

/// Unknown calls, and those that are not to be decoded: all six registers.
const REGISTERS: &[Arg] = &[Arg::Hex; 6];

impl Ongoing {
    /// The call that `regs`, taken at a syscall-entry-stop, begin.
    pub fn new(regs: &UserRegs, look: Look) -> Ongoing {
        let nr = regs.orig_rax;
        Ongoing {
            nr,
            traced: false,
            shown: false,
            recorded: false,
            prefix: String::new(),
            text: String::new(),
            cuts: Vec::new(),
            began: 0,
            system_us: 0,
            program: (None, None),
            tampering: Tampering::default(),
            args: regs.args(),
            known: calls::find(nr),
            look,
            printed: 0,
            length: None,
        }
    }

    /// The call's name.
    pub fn name(&self) -> Cow<'static, str> {
        name(self.nr)
    }

    /// It never comes back.
    pub fn is_exit(&self) -> bool {
        matches!(self.known.map(|call| call.ret), Some(Ret::Never))
    }

    /// Its arguments' registers.
    pub fn registers(&self) -> &[u64; 6] {
        &self.args
    }

    /// What its arguments are.
    pub fn args(&self) -> &'static [Arg] {
        match (self.look.raw, self.known) {
            (false, None) => REGISTERS,
            (false, Some(call)) => call.args,
            (true, call) => {
                let registers = |arg: &&Arg| !matches!(arg, Arg::Tail(_));
                let count = call.map_or(6, |call| call.args.iter().filter(registers).count());
                &REGISTERS[..count.min(6)]
            }
        }
    }

    /// A string that an argument points to.
    pub fn string(&self, tracee: &dyn Subject, argument: usize) -> Option<String> {
        self.string_at(tracee, self.args[argument])
    }

    /// The first of the strings that an argument points to.
    pub fn first_string(&self, tracee: &dyn Subject, argument: usize) -> Option<String> {
        let pointer = self.cx(tracee, None).load(self.args[argument])?;
        self.string_at(tracee, pointer)
    }

    fn string_at(&self, tracee: &dyn Subject, addr: u64) -> Option<String> {
        const PATH_MAX: usize = 4095;
        let (bytes, _) = self.cx(tracee, None).load_string(addr, PATH_MAX)?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Takes down what is known at the entry.
    pub fn enter(&mut self, tracee: &dyn Subject, resumed: Option<u64>) {
        let mut cx = self.cx(tracee, None);
        if let Some(nr) = resumed {
            cx.put(&format!("<... resuming interrupted {} ...>", name(nr)));
            self.printed = self.args().len();
        } else {
            self.printed = call::print_entry(self.args(), &mut cx);
        }
        self.length = call::length(self.args(), &cx);
        self.text = cx.text;
        self.cuts = cx.cuts;
    }

    /// Takes down what is known at the exit, of which the register `rax` is a part: returns what has
    /// come to the arguments, and the result.
    pub fn exit(&mut self, tracee: &dyn Subject, rax: i64) -> (String, String) {
        let outcome = Errno::of_result(rax);
        let mut cx = self.cx(tracee, Some(outcome));
        call::print_exit(self.args(), self.printed, &mut cx);
        let arguments = std::mem::take(&mut cx.text);
        let cuts = std::mem::take(&mut cx.cuts);
        let ret = match (self.look.raw, self.known) {
            (false, Some(call)) => call.ret,
            _ => Ret::Hex,
        };
        call::print_result(ret, &mut cx);
        let mut result = cx.text;
        result += match (self.tampering.result, self.tampering.poked) {
            (Some(_), true) => " (INJECTED: args, retval)",
            (None, true) => " (INJECTED: args)",
            (Some(_), false) => " (INJECTED)",
            (None, false) => "",
        };
        if self.tampering.delayed {
            result += " (DELAYED)";
        }
        if self.recorded {
            let behind = self.text.len();
            self.cuts.extend(cuts.iter().map(|cut| behind + cut));
            self.text += &arguments;
        }
        (arguments, result)
    }

    /// The arguments that are known by now, one by one.
    pub fn arguments(&self) -> Vec<String> {
        let mut start = 0;
        let mut arguments = Vec::new();
        for &cut in &self.cuts {
            arguments.push(self.text[start..cut].trim_end_matches(", ").to_owned());
            start = cut;
        }
        // A call that did not come back has a comma and nothing behind it.
        if start < self.text.len() {
            arguments.push(self.text[start..].to_owned());
        }
        arguments
    }

    fn cx<'a>(&self, tracee: &'a dyn Subject, outcome: Option<libtrace::Result<i64>>) -> Cx<'a> {
        Cx {
            text: String::new(),
            cuts: Vec::new(),
            args: self.args,
            outcome,
            length: self.length,
            look: self.look,
            tracee,
        }
    }
}

/// No call has number `nr`.
pub fn is_unknown(nr: u64) -> bool {
    usize::try_from(nr).ok().and_then(Sysno::new).is_none()
}

/// The name of call number `nr`, or `syscall_0x1ff`.
pub fn name(nr: u64) -> Cow<'static, str> {
    match usize::try_from(nr).ok().and_then(Sysno::new) {
        Some(call) => Cow::Borrowed(call.name()),
        None => Cow::Owned(format!("syscall_{nr:#x}")),
    }
}
