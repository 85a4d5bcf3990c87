//! Test programs: an assembler with statements, variables and system calls.
//!
//! A program is straight-line code with blocks. Its variables are words in its data segment, so
//! that no statement depends on a register that another one uses, and a fork copies them.
//! It speaks to the test by software interrupts that only the simulated processor knows.

mod calls;
mod engines;
mod flow;
mod trace;

use crate::elf;
use crate::sim::cpu::Hook;
use abi::{Regs, TaskId};
use iced_x86::BlockEncoderOptions;
use iced_x86::code_asm::*;
use std::panic::Location;
use std::sync::Mutex;

pub use engines::Callback;
pub use flow::{Choice, Is};
pub use trace::{Entry, event, exited, stopped, word};

/// Compares two values; the test fails where they differ.
pub const CHECK: Hook = Hook(0);
/// Tells the test a number.
pub const NOTE: Hook = Hook(1);
/// Gets a random number below one that is given.
pub const CHOOSE: Hook = Hook(2);
const HOOKS: i32 = 0x90;

/// Where each check stands in the tests' source, by its number.
static CHECKS: Mutex<Vec<&'static Location<'static>>> = Mutex::new(Vec::new());

/// A check that a program makes: number in r10, value in r8, what it should be in r9.
pub fn check(task: TaskId, regs: &Regs) {
    let at = CHECKS.lock().expect("nothing panics with it")[regs.r10 as usize];
    let (is, should) = (regs.r8, regs.r9);
    assert!(
        is == should,
        "{at}: {task:?} has {is:#x} ({}), not {should:#x} ({})",
        is as i64,
        should as i64
    );
}

/// A word of a program's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Var(pub u64);

/// A value a statement uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Val {
    /// This number.
    Num(u64),
    /// What a word of memory holds.
    At(u64),
    /// What `rax` holds: the result of the last system call.
    Rax,
}

impl From<Var> for Val {
    fn from(var: Var) -> Val {
        Val::At(var.0)
    }
}

macro_rules! from_number {
    ($($t:ty)*) => {
        $(impl From<$t> for Val {
            fn from(n: $t) -> Val {
                Val::Num(n as i64 as u64)
            }
        })*
    };
}
from_number!(i32 i64 u8 u32 u64);

/// A program being written.
pub struct Prog {
    /// The assembler, for what there is no statement for.
    pub asm: CodeAssembler,
    data: Vec<u8>,
    zeros: u64,
    /// How it speaks to the servers.
    pub entry: Entry,
    /// How many messages it has sent to the process manager and to the tracer.
    said: [Var; 2],
    /// The page in which it is shown its tracees' stops, and where its tid is.
    shown: Option<(u64, Var)>,
}

/// A place to jump to, for code that statements cannot express.
pub type Label = CodeLabel;

impl Default for Prog {
    fn default() -> Prog {
        Prog::new()
    }
}

impl Prog {
    /// An empty program that traces by system calls.
    pub fn new() -> Prog {
        let asm = CodeAssembler::new(64).expect("64 bits are a width");
        Prog {
            asm,
            data: Vec::new(),
            zeros: 0,
            entry: Entry::SystemCall,
            said: [Var(0); 2],
            shown: None,
        }
    }

    /// A program made of what `body` writes; where it does not exit, status 0 follows.
    pub fn of(body: impl FnOnce(&mut Prog)) -> Prog {
        Prog::tracing(Entry::SystemCall, body)
    }

    /// The same, speaking to the tracer in a given way.
    pub fn tracing(entry: Entry, body: impl FnOnce(&mut Prog)) -> Prog {
        let mut p = Prog::new();
        p.entry = entry;
        p.begin();
        body(&mut p);
        p.exit(0);
        p
    }

    /// Its file.
    pub fn into_elf(mut self) -> Vec<u8> {
        self.ok(|a| a.nop());
        let options = BlockEncoderOptions::RETURN_NEW_INSTRUCTION_OFFSETS;
        let code = self
            .asm
            .assemble_options(elf::ENTRY, options)
            .expect("labels are all set");
        elf::file(&code.inner.code_buffer, &self.data, self.zeros)
    }

    /// Writes one instruction.
    pub fn ok(&mut self, f: impl FnOnce(&mut CodeAssembler) -> Result<(), iced_x86::IcedError>) {
        f(&mut self.asm).expect("an instruction that exists");
    }

    /// Bytes in the program's data; their address, a multiple of 16.
    pub fn bytes(&mut self, bytes: &[u8]) -> u64 {
        self.data.resize(self.data.len().next_multiple_of(16), 0);
        let addr = elf::DATA + self.data.len() as u64;
        self.data.extend(bytes);
        addr
    }

    /// A string with its final zero.
    pub fn string(&mut self, text: &str) -> u64 {
        let addr = self.bytes(text.as_bytes());
        self.data.push(0);
        addr
    }

    /// So many words; their address.
    pub fn words(&mut self, words: &[u64]) -> u64 {
        let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        self.bytes(&bytes)
    }

    /// A variable that starts as 0.
    pub fn var(&mut self) -> Var {
        Var(self.words(&[0]))
    }

    /// A page of data of its own.
    pub fn page(&mut self) -> u64 {
        self.data.resize(self.data.len().next_multiple_of(4096), 0);
        let addr = elf::DATA + self.data.len() as u64;
        self.data.resize(self.data.len() + 4096, 0);
        addr
    }

    /// Where the next instruction will be reachable as a label.
    pub fn label(&mut self) -> Label {
        self.asm.create_label()
    }

    /// Puts a label here. A `nop` separates it from one that stands here already.
    pub fn here(&mut self, mut label: Label) -> Label {
        self.ok(|a| a.nop());
        self.ok(|a| a.set_label(&mut label));
        label
    }

    /// The address of a label into a variable.
    pub fn address_of(&mut self, var: Var, label: Label) {
        self.ok(|a| a.lea(rax, ptr(label)));
        self.store(var);
    }

    /// Goes on at a label.
    pub fn jump(&mut self, label: Label) {
        self.ok(|a| a.jmp(label));
    }

    fn load(&mut self, register: AsmRegister64, value: Val) {
        match value {
            Val::Num(n) => self.ok(|a| a.mov(register, n)),
            Val::At(addr) => self.ok(|a| a.mov(register, qword_ptr(addr))),
            Val::Rax => self.ok(|a| a.mov(register, rax)),
        }
    }

    /// Keeps `rax` in a variable.
    pub fn store(&mut self, var: Var) {
        self.ok(|a| a.mov(qword_ptr(var.0), rax));
    }

    /// Sets a variable.
    pub fn set(&mut self, var: Var, value: impl Into<Val>) {
        self.load(rax, value.into());
        self.store(var);
    }

    /// Adds to a variable.
    pub fn add(&mut self, var: Var, value: impl Into<Val>) {
        self.load(rcx, value.into());
        self.ok(|a| a.add(qword_ptr(var.0), rcx));
    }

    /// Sets memory that a variable points to.
    pub fn set_at(&mut self, pointer: Var, value: impl Into<Val>) {
        self.load(rax, value.into());
        self.ok(|a| a.mov(rcx, qword_ptr(pointer.0)));
        self.ok(|a| a.mov(qword_ptr(rcx), rax));
    }

    /// The low 32 bits of a word of memory into a variable.
    pub fn set_low(&mut self, var: Var, addr: u64) {
        self.ok(|a| a.mov(eax, dword_ptr(addr)));
        self.store(var);
    }

    /// `rax` becomes the result of a system call.
    pub fn sys(&mut self, nr: u32, args: &[Val]) {
        const REGISTERS: [AsmRegister64; 6] = [rdi, rsi, rdx, r10, r8, r9];
        // What is in rax goes first, before the number takes its place.
        for (register, value) in REGISTERS.iter().zip(args) {
            self.load(*register, *value);
        }
        self.load(rax, nr.into());
        self.ok(|a| a.syscall());
    }

    /// The test fails unless these are equal.
    #[track_caller]
    pub fn check(&mut self, value: impl Into<Val>, expected: impl Into<Val>) {
        let number = {
            let mut checks = CHECKS.lock().expect("nothing panics with it");
            checks.push(Location::caller());
            checks.len() - 1
        };
        self.load(r8, value.into());
        self.load(r9, expected.into());
        self.load(r10, (number as u64).into());
        self.ok(|a| a.int(HOOKS + i32::from(CHECK.0)));
    }

    /// Tells the test a number.
    pub fn note(&mut self, value: impl Into<Val>) {
        self.load(rdi, value.into());
        self.ok(|a| a.int(HOOKS + i32::from(NOTE.0)));
    }

    /// `rax` becomes a random number below this one.
    pub fn choose(&mut self, end: impl Into<Val>) {
        self.load(rdi, end.into());
        self.ok(|a| a.int(HOOKS + i32::from(CHOOSE.0)));
    }
}
