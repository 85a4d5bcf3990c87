//! The kernel's part, as the process manager sees it.

use super::frames::{Frames, Page};
use super::memory::{Fault, Spaces};
use super::threads::{Activity, Pending, Server, Thread, Threads, initial_fpu};
use super::{Shortage, cpu};
use abi::client::SYSENTER;
use abi::regs::TF;
use abi::{Regs, TaskId};
use procmgr::Trap;
use procmgr::machine::{
    Breakpoints, CpuTime, Frame, Machine, Mapping, NoMemory, PAGE, Rights, SpaceIx, Stub,
};
use std::rc::Rc;

/// Where a task finds its capability to the process manager; the next one is the tracer's.
pub const SERVER_CAPS: u64 = 0x3e;
/// The last pages of a program's memory, in which the stubs are.
const STUBS: u64 = 0x7fff_ffff_d000;
/// How long an instruction takes, in nanoseconds.
const INSTRUCTION_NS: u64 = 10;
/// What a trap counts as system time, in nanoseconds.
const TRAP_NS: u64 = 100;
/// The flags that a write of registers changes; the others are fixed.
const SETTABLE: u64 = abi::regs::USER_FLAGS;

/// The machine.
#[derive(Clone)]
pub struct SimMachine {
    /// Its memory.
    pub frames: Frames,
    /// Its address spaces.
    pub spaces: Spaces,
    /// Its threads.
    pub threads: Threads,
    /// The time.
    pub clock: u64,
    /// Nothing takes any time.
    pub stands_still: bool,
    /// When the process manager wants to be woken.
    pub deadline: Option<u64>,
    /// The tracer's notification is signalled.
    pub tracer_notified: bool,
    /// The file server sleeps in its call.
    pub fs_parked: bool,
    /// The answer to that call.
    pub fs_answer: Option<Vec<u8>>,
    /// The wait status the machine ended with.
    pub off: Option<i32>,
    /// What the process manager said.
    pub said: Vec<String>,
}

impl SimMachine {
    /// A machine with so many frames.
    pub fn new(frames: u32, archive: Rc<Vec<Page>>) -> SimMachine {
        SimMachine {
            frames: Frames::new(frames, archive),
            spaces: Spaces::default(),
            threads: Threads::default(),
            clock: 1_000_000,
            stands_still: false,
            deadline: None,
            tracer_notified: false,
            fs_parked: false,
            fs_answer: None,
            off: None,
            said: Vec::new(),
        }
    }

    /// Lets a thread that runs run on for at most `budget` instructions. What it needs of the
    /// world is given to `hook`. Afterwards it runs, or has trapped, or calls the tracer.
    pub fn burst(
        &mut self,
        task: TaskId,
        budget: u32,
        hook: &mut dyn FnMut(cpu::Hook, &mut Regs),
    ) -> u32 {
        let thread = self.threads.one(task);
        if thread.pending == Pending::Answered {
            thread.regs.rip += SYSENTER.len() as u64;
            thread.go_on();
            thread.pending = Pending::Running(Activity::Program);
        }
        if thread.stepping {
            // As in the kernel, for a step's flag shows in the registers.
            thread.regs.rflags |= TF;
        }
        let Pending::Running(activity) = thread.pending else {
            panic!("{task:?} does not run");
        };
        let (ran, next) = match activity {
            Activity::Stub(stub, area) => {
                let trap = run_stub(thread, &self.spaces, &mut self.frames, stub, area);
                (1, Pending::Trapped(trap, activity))
            }
            Activity::Program => cpu::run(thread, &self.spaces, &mut self.frames, budget, hook),
        };
        thread.instructions += u64::from(ran);
        thread.pending = next;
        if !self.stands_still {
            self.clock += u64::from(ran) * INSTRUCTION_NS;
        }
        ran
    }

    /// Takes the trap of a thread, which is held from then on, and where it stands.
    pub fn take_trap(&mut self, task: TaskId) -> (Trap, u64) {
        let thread = self.threads.one(task);
        let Pending::Trapped(trap, activity) = thread.pending else {
            panic!("{task:?} has no trap");
        };
        thread.traps += 1;
        // A stub that is done has left registers that nobody wants.
        let retry = (trap != Trap::StubDone).then_some(activity);
        thread.pending = Pending::Held { retry };
        if trap == Trap::Int3 {
            thread.regs.rip += 1;
        }
        (trap, thread.regs.rip)
    }

    /// A server's answer to a thread's call, unless that has ended meanwhile. As in the kernel, the
    /// words are in the thread's registers at once, and it moves on when it runs.
    pub fn answer_client(&mut self, task: TaskId, server: Server, words: [u64; 4]) {
        let Some(thread) = self.threads.get_mut(task) else {
            return;
        };
        if let Pending::Calling {
            taken: true,
            server: from,
            ..
        } = thread.pending
            && from == server
        {
            let r = &mut thread.regs;
            (r.r10, r.r8, r.r9, r.r15) = (words[0], words[1], words[2], words[3]);
            (r.rdi, r.rsi) = (0, words.len() as u64);
            thread.pending = Pending::Answered;
        }
    }

    fn start(&mut self, task: TaskId, activity: Activity) -> &mut Thread {
        let thread = self.threads.held(task);
        if thread.stepping && !thread.step_next {
            thread.regs.rflags &= !TF;
        }
        thread.stepping = thread.step_next;
        thread.pending = Pending::Running(activity);
        thread
    }
}

/// A stub's work. Its page faults come from the stub's page.
fn run_stub(
    thread: &mut Thread,
    spaces: &Spaces,
    frames: &mut Frames,
    stub: Stub,
    area: u64,
) -> Trap {
    let space = thread.space;
    let done: Result<(), Fault> = match stub {
        Stub::FpuSave => spaces.write(frames, space, area, &thread.fpu),
        Stub::FpuSaveInit => spaces
            .write(frames, space, area, &thread.fpu)
            .map(|()| thread.fpu = initial_fpu()),
        Stub::FpuLoad => {
            let mut fpu = [0; 512];
            spaces
                .read(frames, space, area, &mut fpu)
                .map(|()| thread.fpu = fpu)
        }
        Stub::FpuInit => {
            thread.fpu = initial_fpu();
            Ok(())
        }
    };
    match done {
        Ok(()) => Trap::StubDone,
        Err(f) => Trap::PageFault {
            addr: f.addr,
            access: f.access,
            present: f.present,
        },
    }
}

impl Machine for SimMachine {
    fn now(&mut self) -> u64 {
        self.clock
    }

    fn set_timer(&mut self, deadline: Option<u64>) {
        self.deadline = deadline;
    }

    fn frame_alloc(&mut self) -> Option<Frame> {
        self.frames.alloc()
    }

    fn frame_free(&mut self, frame: Frame) {
        self.frames.free(frame);
    }

    fn frames_free(&mut self) -> usize {
        self.frames.count_free()
    }

    fn bytes(&self, frame: Frame) -> &[u8; PAGE as usize] {
        bytemuck::cast_ref(self.frames.words(frame))
    }

    fn bytes_mut(&mut self, frame: Frame) -> &mut [u8; PAGE as usize] {
        bytemuck::cast_mut(self.frames.words_mut(frame))
    }

    fn words(&self, frame: Frame) -> &[u64; PAGE as usize / 8] {
        self.frames.words(frame)
    }

    fn words_mut(&mut self, frame: Frame) -> &mut [u64; PAGE as usize / 8] {
        self.frames.words_mut(frame)
    }

    fn frame_copy(&mut self, to: Frame, from: Frame) {
        let page = *self.frames.words(from);
        *self.frames.words_mut(to) = page;
    }

    fn archive_frame(&mut self, page: u32) -> Option<Frame> {
        self.frames.of_archive(page)
    }

    fn space_create(&mut self, space: SpaceIx) -> Result<(), NoMemory> {
        if !self.frames.permit() {
            return Err(NoMemory);
        }
        self.spaces.create(space);
        Ok(())
    }

    fn space_destroy(&mut self, space: SpaceIx) {
        let used = self.threads.all().any(|(_, t)| t.space == space);
        assert!(!used, "{space:?} is destroyed while a thread uses it");
        self.spaces.destroy(space);
    }

    fn map(
        &mut self,
        space: SpaceIx,
        addr: u64,
        frame: Frame,
        rights: Rights,
    ) -> Result<Mapping, NoMemory> {
        assert!(
            !(STUBS..STUBS + 2 * PAGE).contains(&addr),
            "mapped over the stubs"
        );
        if !self.frames.permit() {
            return Err(NoMemory);
        }
        Ok(self
            .spaces
            .map(&mut self.frames, space, addr, frame, rights))
    }

    fn protect(&mut self, space: SpaceIx, mapping: Mapping, rights: Rights) {
        self.spaces.protect(&self.frames, space, mapping, rights);
    }

    fn unmap(&mut self, mapping: Mapping) {
        self.spaces.unmap(&mut self.frames, mapping);
    }

    fn thread_create(&mut self, task: TaskId, space: SpaceIx) -> Result<(), NoMemory> {
        assert!(
            self.spaces.exists(space),
            "a thread in a space that does not exist"
        );
        if !self.frames.permit() {
            return Err(NoMemory);
        }
        self.threads.create(task, space);
        Ok(())
    }

    fn thread_destroy(&mut self, task: TaskId) {
        self.threads.destroy(task);
    }

    fn thread_move(&mut self, task: TaskId, space: SpaceIx) {
        assert!(
            self.spaces.exists(space),
            "a thread in a space that does not exist"
        );
        self.threads.held(task).space = space;
    }

    fn thread_rename(&mut self, from: TaskId, to: TaskId) {
        self.threads.rename(from, to);
    }

    fn regs(&mut self, task: TaskId) -> Regs {
        self.threads.one(task).regs
    }

    fn set_regs(&mut self, task: TaskId, regs: &Regs) {
        let thread = self.threads.held(task);
        thread.set_regs(settable(regs));
        if let Pending::Held { retry } = &mut thread.pending {
            *retry = Some(Activity::Program);
        }
    }

    fn resume(&mut self, task: TaskId, regs: &Regs) {
        self.start(task, Activity::Program).set_regs(settable(regs));
    }

    fn resume_after_call(&mut self, task: TaskId, at: &Regs, result: i64) {
        let regs = &at.after_syscall(result);
        let thread = self.threads.one(task);
        let intact = matches!(thread.pending, Pending::Held { retry: Some(_) });
        assert!(intact, "the registers of {task:?} are lost");
        // What the kernel would write: the rest has to be there.
        let expected = Regs {
            rip: regs.rip,
            rflags: regs.rflags,
            rax: regs.rax,
            rcx: regs.rcx,
            r11: regs.r11,
            ..thread.regs
        };
        assert_eq!(expected, *regs, "the rest of {task:?} is not written");
        self.resume(task, regs);
    }

    fn retry(&mut self, task: TaskId) {
        match self.threads.held(task).pending {
            Pending::Held {
                retry: Some(activity),
            } => {
                self.start(task, activity).go_on();
            }
            Pending::Calling { .. } => {
                self.start(task, Activity::Program).go_on();
            }
            other => panic!("{task:?} cannot run on as it is: {other:?}"),
        }
    }

    fn land(&mut self, task: TaskId, ip: u64, sp: u64, result: u64) {
        let pending = &self.threads.held(task).pending;
        let calls = matches!(pending, Pending::Calling { .. });
        assert!(calls, "{task:?} waits in no message");
        let thread = self.start(task, Activity::Program);
        thread.set_regs(Regs {
            rip: ip,
            rsp: sp,
            rax: result,
            rflags: 0x202,
            ..thread.regs
        });
    }

    fn run_stub(&mut self, task: TaskId, stub: Stub, area: u64) {
        assert_eq!(area % 16, 0, "the FPU state's address is aligned");
        // Whatever the registers were, they are not any more.
        let thread = self.start(task, Activity::Stub(stub, area));
        thread.set_regs(Regs {
            rip: STUBS,
            rflags: 2,
            ..Regs::default()
        });
    }

    fn run_stub_now(&mut self, task: TaskId, stub: Stub, area: u64) -> bool {
        assert_eq!(area % 16, 0, "the FPU state's address is aligned");
        let thread = self.threads.held(task);
        let trap = run_stub(thread, &self.spaces, &mut self.frames, stub, area);
        thread.pending = Pending::Held { retry: None };
        thread.set_regs(Regs {
            rip: STUBS,
            rflags: 2,
            ..Regs::default()
        });
        trap == Trap::StubDone
    }

    fn suspend(&mut self, task: TaskId, ends_trap: impl FnOnce(&mut Self, u64) -> bool) {
        let thread = self.threads.one(task);
        if let Pending::Trapped(Trap::Int3 | Trap::Step | Trap::Breakpoint { .. }, _) =
            thread.pending
        {
            let (ip, debugged) = (thread.regs.rip, thread.is_debugged());
            assert!(
                debugged || ends_trap(self, ip),
                "the kernel forgets {task:?}'s trap"
            );
        }
        self.suspend_for_good(task);
    }

    fn suspend_for_good(&mut self, task: TaskId) {
        let thread = self.threads.one(task);
        thread.pending = match thread.pending {
            Pending::Running(activity) | Pending::Trapped(_, activity) => Pending::Held {
                retry: (activity == Activity::Program).then_some(activity),
            },
            // Resumed, it stands at its `sysenter` again, whatever the registers are by then.
            Pending::Calling { .. } | Pending::Answered => Pending::Held {
                retry: Some(Activity::Program),
            },
            Pending::Held { .. } => panic!("{task:?} is suspended and held already"),
        };
    }

    fn step(&mut self, task: TaskId, on: bool) {
        self.threads.one(task).step_next = on;
    }

    fn set_breakpoints(&mut self, task: TaskId, breakpoints: &Breakpoints) {
        self.threads.held(task).breakpoints = *breakpoints;
    }

    fn runnable(&self) -> u64 {
        let others = self.threads.all().filter(|(_, thread)| !thread.held());
        others.count() as u64 + 1
    }

    fn cpu_time(&mut self, task: TaskId) -> CpuTime {
        if self.stands_still {
            return CpuTime::default();
        }
        let thread = self.threads.one(task);
        CpuTime {
            user: thread.instructions * INSTRUCTION_NS,
            system: thread.traps * TRAP_NS,
        }
    }

    fn server_caps(&self) -> u64 {
        SERVER_CAPS
    }

    fn notify_tracer(&mut self) {
        self.tracer_notified = true;
    }

    fn answer_fs(&mut self, message: &[u8]) {
        assert!(
            self.fs_parked,
            "the file server is answered and did not call"
        );
        self.fs_parked = false;
        self.fs_answer = Some(message.to_vec());
    }

    fn log(&mut self, text: core::fmt::Arguments<'_>) {
        self.said.push(text.to_string());
    }

    fn power_off(&mut self, status: i32) {
        assert_eq!(self.off, None, "the machine ends once");
        self.off = Some(status);
    }
}

/// What a write of registers leaves of them.
fn settable(regs: &Regs) -> Regs {
    Regs {
        rflags: regs.rflags & SETTABLE | 0x202,
        ..*regs
    }
}

impl SimMachine {
    /// Has one allocation of the coming ones fail.
    pub fn run_short(&mut self, shortage: Shortage) {
        self.frames.shortage = shortage;
    }
}
