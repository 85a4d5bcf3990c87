//! A task's registers, and how the kernel's copy of them relates to ours.
//!
//! Reading a thread's registers costs about 800 instructions and writing them about 1,000, as much
//! as all the rest of a short stop together. So they are read when somebody looks, and written
//! when they differ: a task that was stopped and goes on unseen needs neither.

use crate::machine::Machine;
use abi::regs::TF;
use abi::{Errno, InCall, Regs, TaskId};

/// The registers of a task that does not run.
#[derive(Clone)]
pub struct Registers {
    regs: Regs,
    call: InCall,
    copy: Copy,
    /// Where the thread stands, if it has told and the registers have not been read.
    at: Option<u64>,
    /// The thread may be in the middle of a message, which is to be seen to when they are read.
    doubtful: bool,
    /// The trap flag in the kernel's copy is the tracer's step: the program has none.
    forced: bool,
    /// The thread ran last to be stepped.
    stepped: bool,
}

/// What the kernel has.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Copy {
    /// The registers; here is nothing.
    Only,
    /// The same as here.
    Same,
    /// Something else, which is to be replaced.
    Old,
}

impl Registers {
    /// Those of a task that has not run: zeros, which are not the kernel's.
    pub fn new() -> Registers {
        Registers {
            regs: Regs::default(),
            call: InCall::NONE,
            copy: Copy::Old,
            at: None,
            doubtful: false,
            forced: false,
            stepped: false,
        }
    }

    /// The thread has run and stands still, in no system call.
    pub fn stand(&mut self) {
        self.call = InCall::NONE;
        self.copy = Copy::Only;
        self.at = None;
        self.doubtful = false;
    }

    /// The thread, which stands still, may be in the middle of a message.
    pub fn doubt(&mut self) {
        self.doubtful = true;
    }

    /// Whether it may be and nobody has seen to it, which is done now.
    pub fn take_doubt(&mut self) -> bool {
        core::mem::take(&mut self.doubtful)
    }

    /// The same, and where it stands.
    pub fn stand_at(&mut self, ip: u64) {
        self.stand();
        self.at = Some(ip);
    }

    /// The instruction that the thread goes on at, and whether the trap flag is its program's; read
    /// from the kernel only where that says more than is known. As on Linux a flag that was the
    /// program's in one step is so in the next, whatever became of it.
    pub fn next_step(&mut self, m: &mut impl Machine, id: TaskId) -> (u64, bool) {
        match self.at {
            Some(ip) if self.forced && self.copy == Copy::Only => (ip, false),
            _ => {
                let regs = self.read(m, id).canonical();
                let own = regs.rflags & TF != 0 || (self.stepped && !self.forced);
                (regs.rip, own)
            }
        }
    }

    /// Whether the thread is stepped from here on, and the trap flag is there for that alone.
    pub fn force_step(&mut self, step: bool, forced: bool) {
        self.stepped = step;
        self.forced = forced;
        if !forced && self.copy == Copy::Same && self.regs.rflags & TF != 0 {
            // The kernel's copy loses it with the end of the tracer's step.
            self.copy = Copy::Old;
        }
    }

    /// Whether the trap flag may be the program's own.
    pub fn may_trap_itself(&self) -> bool {
        !self.forced
    }

    /// Reads them from the kernel, if that has not been done since the thread ran.
    pub fn read(&mut self, m: &mut impl Machine, id: TaskId) -> &mut Registers {
        debug_assert!(!self.doubtful, "nobody has seen to the message");
        if self.copy == Copy::Only {
            self.regs = m.regs(id);
            if self.forced {
                self.regs.rflags &= !TF;
            }
            self.copy = Copy::Same;
        }
        self
    }

    /// Whether somebody has read them since the thread ran.
    pub fn are_read(&self) -> bool {
        self.copy != Copy::Only
    }

    /// All that is known here: of registers that nobody has read, only that.
    pub fn known(&self) -> impl core::hash::Hash + use<> {
        let read = (self.copy != Copy::Only).then_some((self.regs, self.call));
        (read, self.copy, self.doubtful)
    }

    /// The registers as the kernel keeps them, to be read by [`Registers::call`].
    ///
    /// They have been read: in a system call they always are.
    pub fn get(&self) -> &Regs {
        debug_assert!(self.copy != Copy::Only, "nobody has read the registers");
        &self.regs
    }

    /// The registers as Linux would have them here.
    pub fn canonical(&self) -> Regs {
        self.get().canonical(self.call)
    }

    /// The flags as Linux would have them here.
    pub fn flags(&self) -> u64 {
        self.get().canonical_flags(self.call)
    }

    /// How they are to be read.
    pub fn call(&self) -> InCall {
        self.call
    }

    /// Replaces them.
    pub fn set(&mut self, regs: Regs, call: InCall) {
        self.regs = regs;
        self.call = call;
        self.copy = Copy::Old;
        self.doubtful = false;
    }

    /// Changes some of them.
    pub fn change(&mut self, change: impl FnOnce(&mut Regs)) {
        debug_assert!(self.copy != Copy::Only, "nobody has read the registers");
        change(&mut self.regs);
        self.copy = Copy::Old;
    }

    /// The kernel's copy is lost: a stub ran with the thread.
    pub fn lost(&mut self) {
        debug_assert!(self.copy != Copy::Only, "nobody has read the registers");
        self.copy = Copy::Old;
    }

    /// A `syscall` instruction, at which they were read.
    pub fn enter(&mut self) {
        self.call = InCall::entry(self.regs.rax);
    }

    /// Gives a system call its result.
    pub fn set_result(&mut self, value: i64) {
        match &mut self.call {
            InCall::At { result, .. } => *result = value,
            InCall::No { .. } => self.change(|regs| regs.rax = value as u64),
        }
    }

    /// The result as it stands.
    pub fn result(&self) -> i64 {
        match self.call {
            InCall::At { result, .. } => result,
            InCall::No { .. } => self.get().rax as i64,
        }
    }

    /// The number of the system call the task is in, as `orig_rax` shows it.
    pub fn call_number(&self) -> Option<u64> {
        match self.call {
            InCall::At { nr, .. } => Some(nr),
            InCall::No { orig_rax } => Some(orig_rax).filter(|nr| (*nr as i64) >= 0),
        }
    }

    /// Makes them what Linux would have here; the task is in no system call afterwards.
    pub fn settle(&mut self) {
        match self.call {
            InCall::At { .. } => self.set(self.canonical(), InCall::NONE),
            InCall::No { .. } => self.call = InCall::NONE,
        }
    }

    /// Back to the `syscall` instruction, for call `nr`.
    pub fn restart(&mut self, nr: u64) {
        let mut regs = *self.get();
        if let InCall::No { .. } = self.call {
            // The kernel's registers do not stand at the instruction any more.
            regs.rip = regs.rip.wrapping_sub(abi::regs::SYSCALL_LEN);
        }
        regs.rax = nr;
        self.set(regs, InCall::NONE);
    }

    /// Lets the thread run with them.
    pub fn resume(&self, m: &mut impl Machine, id: TaskId) {
        match (self.copy, self.call) {
            (Copy::Only | Copy::Same, InCall::No { .. }) => m.retry(id),
            (Copy::Same, InCall::At { result, .. }) => m.resume_after_call(id, &self.regs, result),
            (Copy::Only, InCall::At { .. }) => unreachable!("read at the call"),
            (Copy::Old, _) => m.resume(id, &self.canonical()),
        }
    }

    /// Whether the call asks to be restarted, whoever does it.
    pub fn wants_restart(&self) -> Option<(u64, Errno)> {
        let nr = self.call_number()?;
        let error = Errno::check(self.result()).err()?;
        let restarts = [
            Errno::ERESTARTSYS,
            Errno::ERESTARTNOINTR,
            Errno::ERESTARTNOHAND,
            Errno::ERESTART_RESTARTBLOCK,
        ];
        restarts.contains(&error).then_some((nr, error))
    }
}
