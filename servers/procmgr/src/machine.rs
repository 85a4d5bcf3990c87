//! What the kernel does for the process manager at once.
//!
//! The library knows frames, spaces and threads by number; the implementation keeps the
//! capabilities. `rt` has the one on the kernel, `tests` the simulated one.

use abi::proc::{MachineCounts, Work};
use abi::{Regs, TaskId};

/// One frame of 4 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Frame(pub u32);

/// One address space; an index below [`abi::task::SLOTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpaceIx(pub u16);

/// One frame mapped at one place of one space: the implementation's own name for it, below 2^28.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mapping(pub u32);

/// CPU time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuTime {
    /// In which the thread ran.
    pub user: u64,
    /// In which the process manager worked on its traps.
    pub system: u64,
}

/// The machine has no memory left for this. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;

/// The size of a page and of a frame.
pub const PAGE: u64 = 4096;

/// What a mapping allows besides reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rights {
    /// Writing.
    pub write: bool,
    /// Executing.
    pub execute: bool,
}

/// Pieces of code that run in a task's address space, at an address of the implementation's
/// choice, while the task is held for them. Each ends in `int3`, which is reported as
/// [`Trap::StubDone`](crate::Trap::StubDone) when it comes from there.
///
/// They are there because the kernel has no call that reaches a thread's FPU state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stub {
    /// Save the FPU state at address `area` (512 bytes, FXSAVE, aligned to 16).
    FpuSave,
    /// Save it, then load the state a new program starts with.
    FpuSaveInit,
    /// Load it from `area`.
    FpuLoad,
    /// Load the state a new program starts with.
    FpuInit,
}

/// What makes a hardware breakpoint trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BreakOn {
    /// The execution of an instruction.
    Execute,
    /// A write to one of so many bytes: 1, 2, 4 or 8.
    Write(u8),
    /// Any access to one of them.
    Access(u8),
}

/// A hardware breakpoint. Its address is a multiple of its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Breakpoint {
    /// Where.
    pub addr: u64,
    /// What.
    pub on: BreakOn,
}

/// The four of a thread.
pub type Breakpoints = [Option<Breakpoint>; 4];

/// The kernel's part. Nothing here waits.
///
/// A thread belongs to a task and is named by it; the slot of the id is the index to keep it by.
pub trait Machine {
    /// Nanoseconds since the machine started.
    fn now(&mut self) -> u64;
    /// Have `Procmgr::on_timer` called once this time has come; the last call counts.
    fn set_timer(&mut self, deadline: Option<u64>);

    /// How many bytes the process manager has left for its own tables.
    fn heap_free(&self) -> usize {
        usize::MAX
    }

    /// A frame full of zeros.
    fn frame_alloc(&mut self) -> Option<Frame>;
    /// Gives a frame back; it is mapped nowhere.
    fn frame_free(&mut self, frame: Frame);
    /// How many frames could be allocated.
    fn frames_free(&mut self) -> usize;
    /// What was made of the memory that is not free.
    fn counts(&mut self) -> MachineCounts {
        MachineCounts::default()
    }
    /// How much was done since the machine started.
    fn work(&self) -> Work {
        Work::default()
    }
    /// A frame's bytes.
    fn bytes(&self, frame: Frame) -> &[u8; PAGE as usize];
    /// A frame's bytes.
    fn bytes_mut(&mut self, frame: Frame) -> &mut [u8; PAGE as usize];
    /// A frame as words.
    fn words(&self, frame: Frame) -> &[u64; PAGE as usize / 8];
    /// A frame as words.
    fn words_mut(&mut self, frame: Frame) -> &mut [u64; PAGE as usize / 8];
    /// Copies a whole frame.
    fn frame_copy(&mut self, to: Frame, from: Frame);
    /// The frame of a page of the boot archive; never freed, never written.
    fn archive_frame(&mut self, page: u32) -> Option<Frame>;

    /// Makes an empty address space, with the stubs in it.
    fn space_create(&mut self, space: SpaceIx) -> Result<(), NoMemory>;
    /// Destroys one that no thread uses and in which nothing is mapped any more.
    fn space_destroy(&mut self, space: SpaceIx);
    /// Maps a frame at a page address below 2^47 where nothing is mapped.
    fn map(
        &mut self,
        space: SpaceIx,
        addr: u64,
        frame: Frame,
        rights: Rights,
    ) -> Result<Mapping, NoMemory>;
    /// Changes a mapping's rights.
    fn protect(&mut self, space: SpaceIx, mapping: Mapping, rights: Rights);
    /// Ends a mapping.
    fn unmap(&mut self, mapping: Mapping);

    /// Makes a thread in a space, not running. Its faults arrive with `task`'s badge.
    fn thread_create(&mut self, task: TaskId, space: SpaceIx) -> Result<(), NoMemory>;
    /// Ends a thread for good; nothing arrives from it afterwards.
    fn thread_destroy(&mut self, task: TaskId);
    /// Moves a held thread to another space.
    fn thread_move(&mut self, task: TaskId, space: SpaceIx);
    /// Gives a thread another id: exec by a thread that was not the leader keeps the thread.
    fn thread_rename(&mut self, from: TaskId, to: TaskId);
    /// A thread's registers. The trap flag of a thread that is stepped is among its flags.
    fn regs(&mut self, task: TaskId) -> Regs;
    /// Writes all registers of a held thread, which stays held.
    fn set_regs(&mut self, task: TaskId, regs: &Regs);
    /// Writes all registers and lets a held thread run. Flags that no program may set are cleared; a
    /// trap flag among the others traps after the next instruction.
    fn resume(&mut self, task: TaskId, regs: &Regs);
    /// Lets a held thread run behind the system call at which its registers are `at`, with a result:
    /// [`Regs::after_syscall`].
    fn resume_after_call(&mut self, task: TaskId, at: &Regs, result: i64) {
        self.resume(task, &at.after_syscall(result));
    }
    /// Lets a held thread run with its registers as they are: after a fault or an exception the
    /// instruction runs again, and a message that was not answered is sent again.
    fn retry(&mut self, task: TaskId);
    /// Lets a thread that waits in a message run on elsewhere: at `ip`, with a stack pointer and a
    /// result in `rax`. Its flags are those of a program that starts.
    fn land(&mut self, task: TaskId, ip: u64, sp: u64, result: u64);
    /// Runs a stub with a held thread; its registers are lost.
    fn run_stub(&mut self, task: TaskId, stub: Stub, area: u64);
    /// The same, over when it returns: whether the stub came to its end. It is for a held task
    /// that is looked at, where nobody may see that it ran; its area must be present and writable.
    /// The two instructions run before anything else does, so nobody waits for a program here.
    fn run_stub_now(&mut self, task: TaskId, stub: Stub, area: u64) -> bool;
    /// Stops a running thread, which is not held; afterwards it is. A trap that it raised and
    /// that was not delivered yet is withdrawn and will be raised again. Most are by running the
    /// instruction again; `ends_trap` says whether the one before an address may be of those that trap
    /// when they are done.
    fn suspend(&mut self, task: TaskId, ends_trap: impl FnOnce(&mut Self, u64) -> bool);
    /// Stops a thread, held or not, that is never going to run its program again.
    fn suspend_for_good(&mut self, task: TaskId);
    /// From the next resume on: trap after each instruction, or run freely.
    fn step(&mut self, task: TaskId, on: bool);
    /// Sets a held thread's hardware breakpoints. They are not in force in stubs.
    fn set_breakpoints(&mut self, task: TaskId, breakpoints: &Breakpoints);
    /// How many threads run or could, who has said the message that is answered among them. Who cannot tell says
    /// many.
    fn runnable(&self) -> u64 {
        u64::MAX
    }
    /// CPU time a thread has used.
    fn cpu_time(&mut self, task: TaskId) -> CpuTime;

    /// Where a task finds its capability to the process manager; the next one is the tracer's.
    fn server_caps(&self) -> u64;
    /// Tells the tracer that there are reports.
    fn notify_tracer(&mut self);
    /// Answers the file server's parked call.
    fn answer_fs(&mut self, message: &[u8]);
    /// Says something to whoever runs the machine.
    fn log(&mut self, text: core::fmt::Arguments<'_>);
    /// The first program is over: ends the machine with its wait status.
    fn power_off(&mut self, status: i32);
}
