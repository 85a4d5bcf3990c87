//! Threads.
//!
//! A thread has a CSpace of two slots: its fault endpoint and the tracer's. They are behind a
//! guard of 63 bits, of which 18 can be chosen, so that a program that calls the kernel with some
//! number finds an invalid capability, and one that wants to forge a fault has to guess.

use super::memory::{Memory, object};
use super::meter::Meter;
use super::returns::Way;
use super::{CSPACE, DEPTH};
use abi::TaskId;
use abi::task::SLOTS;
use alloc::vec::Vec;
use procmgr::Trap;
use procmgr::machine::{BreakOn, Breakpoint, Breakpoints, NoMemory, SpaceIx};
use rt::cap::{CNode, ObjectType, Page, Pml4, SEND, Tcb, guard};
use rt::clock;
use rt::slots::procmgr::{ENDPOINT, TRACER_ENDPOINT};

/// The priority of all servers and tasks.
pub const PRIORITY: u8 = 100;

/// What a thread has that nobody debugs.
const NO_BREAKPOINTS: Breakpoints = [None; 4];

/// All threads, by the slot of their task.
pub struct Threads {
    threads: Vec<Option<Thread>>,
    guard: u64,
}

/// One thread.
pub struct Thread {
    task: TaskId,
    /// Its space.
    pub space: SpaceIx,
    /// How it comes back from a system call.
    pub way: Way,
    /// The unit of its TCB and its CNode.
    unit: u32,
    /// The slot of its CNode.
    cnode: u32,
    /// To be stepped when it runs,
    pub step: bool,
    /// and whether the kernel has been told.
    pub stepping: bool,
    /// The breakpoints that it has when it runs,
    breakpoints: Breakpoints,
    /// whether there are any: it is asked each time the thread runs,
    watched: bool,
    /// and those that the kernel has.
    armed: Breakpoints,
    /// A trap that it raised, and that was withdrawn.
    pub withdrawn: Option<(Trap, u64)>,
    /// Ticks it has run.
    used: u64,
    /// Ticks that were spent on its traps.
    pub worked: u64,
    /// What the meter showed when it began to run.
    since: Option<u64>,
}

/// The two slots: the process manager's, for faults and messages, and the tracer's.
const FAULT: u64 = 0;
const TRACER: u64 = FAULT + 1;
/// The logarithm of their number.
const BITS: u32 = 1;

impl Threads {
    /// No threads yet.
    pub fn new() -> Threads {
        let mut threads = Vec::new();
        threads.resize_with(SLOTS, || None);
        // Not 0, at which every program's first guess would be right. The multiplier spreads
        // the counter's low bits.
        let random = clock::ticks().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 47;
        Threads {
            threads,
            guard: random | 1 << 16,
        }
    }

    /// Where every task finds its capability to the process manager; the tracer's is behind it.
    pub fn server_caps(&self) -> u64 {
        self.fault_cap()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.threads.iter().flatten().count()
    }

    /// Makes one.
    pub fn create(
        &mut self,
        memory: &mut Memory,
        task: TaskId,
        (space, pml4): (SpaceIx, Pml4),
    ) -> Result<(), NoMemory> {
        let unit = memory.unit().ok_or(NoMemory)?;
        let Some(cnode) = memory.slot() else {
            memory.free_unit(unit);
            return Err(NoMemory);
        };
        memory.make(unit, ObjectType::Tcb);
        memory.make_beside(unit, ObjectType::CNode, BITS, cnode);
        let thread = Thread {
            task,
            space,
            way: Way::NEW,
            unit,
            cnode,
            step: false,
            stepping: false,
            breakpoints: NO_BREAKPOINTS,
            watched: false,
            armed: NO_BREAKPOINTS,
            withdrawn: None,
            used: 0,
            worked: 0,
            since: None,
        };
        thread.fill_cspace();
        let (cspace, no_buffer) = (self.cspace(&thread), (0, Page::at(0)));
        thread
            .tcb()
            .configure(self.fault_cap(), PRIORITY, 0, cspace, pml4, no_buffer)
            .expect("the thread is new");
        let entry = &mut self.threads[task.slot()];
        debug_assert!(entry.is_none(), "a slot has one task");
        *entry = Some(thread);
        Ok(())
    }

    /// Ends one. Copies of its capability go with it.
    pub fn destroy(&mut self, memory: &mut Memory, task: TaskId) {
        let thread = self.threads[task.slot()].take().expect("the thread exists");
        CSPACE
            .revoke(thread.tcb().0.0, DEPTH)
            .expect("the slot is ours");
        memory.unmake(thread.unit);
        memory.delete_slot(thread.cnode);
    }

    /// Moves a thread to another space.
    pub fn set_space(&mut self, task: TaskId, (space, pml4): (SpaceIx, Pml4)) {
        let fault_cap = self.fault_cap();
        self.get(task).space = space;
        let thread = self.threads[task.slot()]
            .as_ref()
            .expect("the thread exists");
        let cspace = self.cspace(thread);
        thread
            .tcb()
            .set_space(fault_cap, cspace, pml4)
            .expect("the thread is ours");
    }

    /// Gives a thread another badge.
    pub fn rename(&mut self, from: TaskId, to: TaskId) {
        let mut thread = self.threads[from.slot()].take().expect("the thread exists");
        thread.task = to;
        for slot in [FAULT, TRACER] {
            thread
                .cspace()
                .delete(slot, BITS as u64)
                .expect("the slot is there");
        }
        thread.fill_cspace();
        self.threads[to.slot()] = Some(thread);
    }

    /// A task's thread.
    ///
    /// # Panics
    /// If it has none.
    pub fn get(&mut self, task: TaskId) -> &mut Thread {
        self.find(task)
            .expect("the library names threads it has made")
    }

    /// A task's thread, if there is one.
    pub fn find(&mut self, task: TaskId) -> Option<&mut Thread> {
        let thread = self.threads[task.slot()].as_mut();
        thread.filter(|thread| thread.task == task)
    }

    /// A task's TCB.
    pub fn tcb(&self, task: TaskId) -> Tcb {
        let thread = self.threads[task.slot()].as_ref();
        thread.expect("the library names threads it has made").tcb()
    }

    fn fault_cap(&self) -> u64 {
        self.guard << BITS | FAULT
    }

    /// A thread's CSpace with the guard it is given.
    fn cspace(&self, thread: &Thread) -> (CNode, u64) {
        (thread.cspace(), guard(self.guard, 64 - BITS))
    }
}

impl Thread {
    /// Its TCB.
    pub fn tcb(&self) -> Tcb {
        Tcb(object(self.unit))
    }

    /// Whether the processor traps after some of its instructions.
    pub fn is_debugged(&self) -> bool {
        self.stepping || self.watched
    }

    /// Gives it breakpoints.
    pub fn watch(&mut self, breakpoints: &Breakpoints) {
        self.breakpoints = *breakpoints;
        self.watched = *breakpoints != NO_BREAKPOINTS;
        self.arm(*breakpoints);
    }

    /// Has the kernel watch for its breakpoints again, which a stub runs without.
    #[inline]
    pub fn rearm(&mut self) {
        if self.watched {
            self.arm(self.breakpoints);
        }
    }

    /// Has the kernel watch for none of them.
    pub fn disarm(&mut self) {
        self.arm(NO_BREAKPOINTS);
    }

    fn arm(&mut self, breakpoints: Breakpoints) {
        let tcb = self.tcb();
        for (number, (armed, wanted)) in self.armed.iter_mut().zip(breakpoints).enumerate() {
            if *armed == wanted {
                continue;
            }
            *armed = wanted;
            match wanted {
                Some(Breakpoint { addr, on }) => {
                    let on = match on {
                        BreakOn::Execute => rt::cap::BreakOn::Execute,
                        BreakOn::Write(size) => rt::cap::BreakOn::Write(size),
                        BreakOn::Access(size) => rt::cap::BreakOn::Access(size),
                    };
                    tcb.set_breakpoint(number as u8, addr, on)
                }
                None => tcb.unset_breakpoint(number as u8),
            }
            .expect("the thread is ours, and the address a program's and aligned");
        }
    }

    /// It can run from now on.
    pub fn runs(&mut self, meter: &mut Meter) {
        if self.since.is_none() {
            self.since = Some(meter.runs());
        }
    }

    /// It is held.
    pub fn held(&mut self, meter: &mut Meter) {
        if let Some(since) = self.since.take() {
            self.used += meter.held(since);
        }
    }

    /// How long it has run.
    pub fn ticks(&self, meter: &Meter) -> u64 {
        self.used + self.since.map_or(0, |since| meter.since_then(since))
    }

    fn cspace(&self) -> CNode {
        CNode::at(self.cnode as u64)
    }

    /// What a task has: the right to speak to the servers, not to hear what others say to them.
    fn fill_cspace(&self) {
        let badge = self.task.badge();
        for (slot, endpoint) in [(FAULT, ENDPOINT), (TRACER, TRACER_ENDPOINT)] {
            self.cspace()
                .mint((slot, BITS as u64), CSPACE, (endpoint, DEPTH), SEND, badge)
                .expect("the slot is empty");
        }
    }
}
