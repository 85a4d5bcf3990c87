//! Threads.

use abi::regs::TF;
use abi::{Regs, TaskId};
use procmgr::Trap;
use procmgr::machine::{Breakpoints, SpaceIx, Stub};
use std::collections::BTreeMap;

/// What a thread does when it gets the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activity {
    /// Its program.
    Program,
    /// A stub.
    Stub(Stub, u64),
}

/// Whom a thread can call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Server {
    /// The process manager.
    Procmgr,
    /// The tracer.
    Tracer,
}

/// Where a thread stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pending {
    /// It waits for a resume.
    Held {
        /// What it goes on with, its registers as they are; none where a stub has destroyed them.
        retry: Option<Activity>,
    },
    /// It has the answer to its call and runs, but has not done so yet: its registers hold the
    /// answer, and its instruction pointer stands at the call still.
    Answered,
    /// It runs.
    Running(Activity),
    /// It came to a stand, and the process manager has not been told.
    Trapped(Trap, Activity),
    /// It calls a server: label and words. The server may have taken the message.
    Calling {
        /// Which server.
        server: Server,
        /// The label.
        label: u64,
        /// The words.
        words: [u64; 4],
        /// The server has it.
        taken: bool,
    },
}

/// What the kernel has for a register that it has not kept.
const STALE: u64 = 0x5741_1e00_5741_1e00;

/// A thread.
#[derive(Clone, Debug)]
pub struct Thread {
    /// Its address space.
    pub space: SpaceIx,
    /// Its registers.
    pub regs: Regs,
    /// Its FPU state as FXSAVE lays it out.
    pub fpu: [u8; 512],
    /// Where it stands.
    pub pending: Pending,
    /// It traps after each instruction.
    pub stepping: bool,
    /// The same from the next resume on.
    pub step_next: bool,
    /// Its hardware breakpoints.
    pub breakpoints: Breakpoints,
    /// It is in a message, or was and has not run since: the kernel gives it `rdx` and `rcx` as it goes on,
    /// and has something else in their place before.
    pub speaks: bool,
    /// Instructions it has run.
    pub instructions: u64,
    /// Traps it has raised.
    pub traps: u64,
}

/// The FPU state that a program starts with.
pub fn initial_fpu() -> [u8; 512] {
    let mut fpu = [0; 512];
    fpu[..2].copy_from_slice(&0x37fu16.to_le_bytes());
    fpu[24..28].copy_from_slice(&0x1f80u32.to_le_bytes());
    fpu
}

impl Thread {
    fn new(space: SpaceIx) -> Thread {
        // What nobody has set must not look like something: a kernel's thread starts with zeros,
        // but its FPU with whatever the kernel chose.
        let mut fpu = initial_fpu();
        fpu[160..416].fill(0xee);
        Thread {
            space,
            regs: Regs::default(),
            fpu,
            pending: Pending::Held { retry: None },
            stepping: false,
            step_next: false,
            breakpoints: [None; 4],
            speaks: false,
            instructions: 0,
            traps: 0,
        }
    }

    /// Whether the processor traps after some of its instructions.
    pub fn is_debugged(&self) -> bool {
        self.stepping || self.regs.rflags & TF != 0 || self.breakpoints != [None; 4]
    }

    /// Enters the kernel by `sysenter`, which takes the place to go on from `rdx`, and the stack pointer
    /// from `rcx`.
    pub fn speak(&mut self) {
        let r = &mut self.regs;
        (r.rip, r.rsp) = (r.rdx, r.rcx);
        (r.rdx, r.rcx) = (STALE, STALE);
        self.speaks = true;
    }

    /// Leaves the kernel with its registers as they are.
    pub fn go_on(&mut self) {
        if std::mem::take(&mut self.speaks) {
            let r = &mut self.regs;
            (r.rdx, r.rcx) = (r.rip, r.rsp);
        }
    }

    /// Leaves the kernel with other registers, if it leaves it.
    pub fn set_regs(&mut self, regs: Regs) {
        self.regs = regs;
        self.speaks = false;
    }

    /// Whether it waits to be resumed. So does one whose message the process manager has taken and
    /// not answered.
    pub fn held(&self) -> bool {
        let parked = Server::Procmgr;
        match self.pending {
            Pending::Held { .. } => true,
            Pending::Calling { server, taken, .. } => taken && server == parked,
            _ => false,
        }
    }
}

/// Every thread.
#[derive(Clone, Default)]
pub struct Threads(BTreeMap<TaskId, Thread>);

impl Threads {
    pub fn create(&mut self, task: TaskId, space: SpaceIx) {
        let same_slot = self.0.keys().any(|t| t.slot() == task.slot());
        assert!(!same_slot, "the slot of {task:?} is taken");
        self.0.insert(task, Thread::new(space));
    }

    pub fn destroy(&mut self, task: TaskId) {
        let thread = self
            .0
            .remove(&task)
            .unwrap_or_else(|| panic!("no thread of {task:?}"));
        assert!(
            thread.held(),
            "the thread of {task:?} is destroyed while it runs"
        );
    }

    pub fn rename(&mut self, from: TaskId, to: TaskId) {
        let thread = self
            .0
            .remove(&from)
            .unwrap_or_else(|| panic!("no thread of {from:?}"));
        let old = self.0.insert(to, thread);
        assert!(old.is_none(), "{to:?} has a thread already");
    }

    pub fn get(&self, task: TaskId) -> Option<&Thread> {
        self.0.get(&task)
    }

    pub fn get_mut(&mut self, task: TaskId) -> Option<&mut Thread> {
        self.0.get_mut(&task)
    }

    /// A thread that the process manager may touch: it exists and is held.
    pub fn held(&mut self, task: TaskId) -> &mut Thread {
        let thread = self.one(task);
        assert!(
            thread.held(),
            "the thread of {task:?} is not held: {:?}",
            thread.pending
        );
        thread
    }

    pub fn one(&mut self, task: TaskId) -> &mut Thread {
        self.0
            .get_mut(&task)
            .unwrap_or_else(|| panic!("no thread of {task:?}"))
    }

    pub fn all(&self) -> impl Iterator<Item = (TaskId, &Thread)> {
        self.0.iter().map(|(id, t)| (*id, t))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}
