//! What the library asks for at once, done with capabilities.

use super::mail::Withdrawn;
use super::{Kernel, SYSCALL_WORDS, stubs, threads};
use abi::proc::{MachineCounts, Work};
use abi::regs::REGS_WORDS;
use abi::{Regs, TaskId};
use procmgr::Trap;
use procmgr::machine::{
    Breakpoints, CpuTime, Frame, Machine, Mapping, NoMemory, PAGE, Rights, SpaceIx, Stub,
};
use rt::boot;
use rt::cap::{Endpoint, Notification};
use rt::log::Log;
use rt::slots::procmgr as slots;
use rt::syscall::MessageInfo;

impl Machine for Kernel {
    fn now(&mut self) -> u64 {
        self.clock.now()
    }

    fn set_timer(&mut self, deadline: Option<u64>) {
        let now = self.clock.now();
        self.timer.set(deadline, now);
    }

    fn heap_free(&self) -> usize {
        rt::heap::free()
    }

    fn frame_alloc(&mut self) -> Option<Frame> {
        self.memory.frame(&mut self.window).map(Frame)
    }

    fn frame_free(&mut self, frame: Frame) {
        self.memory.free_frame(frame.0);
    }

    fn frames_free(&mut self) -> usize {
        self.memory.frames_free()
    }

    fn counts(&mut self) -> MachineCounts {
        let made = self.memory.made();
        MachineCounts {
            objects: made.objects,
            mappings: made.mappings,
            slots: made.slots,
            threads: self.threads.count() as u64,
            spaces: self.spaces.count() as u64,
            heap: rt::heap::used() as u64,
        }
    }

    fn work(&self) -> Work {
        let [traps, messages, requests] = self.mail.received();
        Work {
            entries: rt::syscall::entries(),
            traps,
            messages,
            requests,
        }
    }

    fn bytes(&self, frame: Frame) -> &[u8; PAGE as usize] {
        self.window.bytes(frame.0)
    }

    fn bytes_mut(&mut self, frame: Frame) -> &mut [u8; PAGE as usize] {
        self.window.bytes_mut(frame.0)
    }

    fn words(&self, frame: Frame) -> &[u64; PAGE as usize / 8] {
        self.window.words(frame.0)
    }

    fn words_mut(&mut self, frame: Frame) -> &mut [u64; PAGE as usize / 8] {
        self.window.words_mut(frame.0)
    }

    fn frame_copy(&mut self, to: Frame, from: Frame) {
        self.window.copy(to.0, from.0);
    }

    fn archive_frame(&mut self, page: u32) -> Option<Frame> {
        self.memory.archive_frame(page).map(Frame)
    }

    fn space_create(&mut self, space: SpaceIx) -> Result<(), NoMemory> {
        self.spaces.create(&mut self.memory, space)
    }

    fn space_destroy(&mut self, space: SpaceIx) {
        self.spaces.destroy(&mut self.memory, space);
    }

    fn map(
        &mut self,
        space: SpaceIx,
        addr: u64,
        frame: Frame,
        rights: Rights,
    ) -> Result<Mapping, NoMemory> {
        self.spaces
            .map(&mut self.memory, space, addr, frame.0, rights)
            .map(Mapping)
    }

    fn protect(&mut self, space: SpaceIx, mapping: Mapping, rights: Rights) {
        self.spaces.protect(space, mapping.0, rights);
    }

    fn unmap(&mut self, mapping: Mapping) {
        self.memory.unmap(mapping.0);
    }

    fn thread_create(&mut self, task: TaskId, space: SpaceIx) -> Result<(), NoMemory> {
        let pml4 = self.spaces.pml4(space);
        self.threads.create(&mut self.memory, task, (space, pml4))
    }

    fn thread_destroy(&mut self, task: TaskId) {
        self.mail.forget(task);
        self.threads.get(task).held(&mut self.meter);
        self.leave_place(task);
        self.threads.destroy(&mut self.memory, task);
    }

    fn thread_move(&mut self, task: TaskId, space: SpaceIx) {
        self.leave_place(task);
        let pml4 = self.spaces.pml4(space);
        self.threads.set_space(task, (space, pml4));
    }

    fn thread_rename(&mut self, from: TaskId, to: TaskId) {
        self.leave_place(from);
        self.threads.rename(from, to);
    }

    fn regs(&mut self, task: TaskId) -> Regs {
        let tcb = self.threads.tcb(task);
        let mut regs = tcb.read_registers().expect("the thread is ours");
        if stubs::contains(regs.rip)
            && let Some(end) = self.end_of_way(task, regs.rip)
        {
            end.put(&mut regs);
        }
        regs
    }

    fn set_regs(&mut self, task: TaskId, regs: &Regs) {
        let tcb = self.threads.tcb(task);
        tcb.write_registers(regs, false);
    }

    fn resume(&mut self, task: TaskId, regs: &Regs) {
        self.run(task, regs, REGS_WORDS);
    }

    #[inline]
    fn resume_after_call(&mut self, task: TaskId, at: &Regs, result: i64) {
        match self.way_back(task, at) {
            Some(place) => {
                // Nothing else is to be prepared of a thread that nobody debugs.
                self.threads.get(task).runs(&mut self.meter);
                let regs = at.after_syscall(result);
                let ip = place.lead(&mut self.window, &regs);
                self.mail.send_back(ip, &regs);
            }
            None => self.run(task, &at.after_syscall(result), SYSCALL_WORDS),
        }
    }

    fn retry(&mut self, task: TaskId) {
        match self.prepare(task) {
            Some((trap, ip)) => self.mail.again(task, trap, ip),
            None if self.mail.retry(task) => {}
            None => {
                let tcb = self.threads.tcb(task);
                tcb.resume();
            }
        }
    }

    fn land(&mut self, task: TaskId, ip: u64, sp: u64, result: u64) {
        let again = self.prepare(task);
        debug_assert!(again.is_none(), "a thread in a message raises no trap");
        self.threads.tcb(task).land(ip, sp, result);
    }

    fn run_stub(&mut self, task: TaskId, stub: Stub, area: u64) {
        let thread = self.threads.get(task);
        Self::set_stepping(thread, false);
        thread.disarm();
        thread.runs(&mut self.meter);
        thread.tcb().run_at(stubs::address(stub), area);
    }

    fn run_stub_now(&mut self, task: TaskId, stub: Stub, area: u64) -> bool {
        let thread = self.threads.get(task);
        Self::set_stepping(thread, false);
        thread.disarm();
        let tcb = thread.tcb();
        // Above everybody, so that it is at its `int3` when the call that lets it run returns.
        tcb.set_priority(threads::PRIORITY + 1)
            .expect("the process manager may");
        tcb.run_at(stubs::address(stub), area);
        let trap = self.mail.withdraw(task);
        tcb.set_priority(threads::PRIORITY)
            .expect("the process manager may");
        debug_assert!(!matches!(trap, Withdrawn::Return(_)), "it is held");
        matches!(trap, Withdrawn::Trap(Trap::StubDone, _))
    }

    fn suspend(&mut self, task: TaskId, ends_trap: impl FnOnce(&mut Self, u64) -> bool) {
        let thread = self.threads.get(task);
        thread.held(&mut self.meter);
        let (tcb, debugged) = (thread.tcb(), thread.is_debugged());
        let withdrawn = match self.mail.withdraw_taken(task) {
            Some(withdrawn) => withdrawn,
            // To look into the endpoint takes more than all of this, and has others say their messages again.
            None if !debugged && !self.may_have_trapped(tcb, ends_trap) => Withdrawn::Nothing,
            None => self.mail.withdraw(task),
        };
        let thread = self.threads.get(task);
        match withdrawn {
            // The kernel has moved on behind it, so it would not be raised again by itself.
            Withdrawn::Trap(Trap::Int3, _) => {
                let mut regs = tcb.read_registers().expect("the thread is ours");
                regs.rip -= 1;
                tcb.write_registers(&regs, false);
            }
            Withdrawn::Trap(trap @ (Trap::Step | Trap::Breakpoint { .. }), ip) => {
                thread.withdrawn = Some((trap, ip));
            }
            Withdrawn::Trap(..) | Withdrawn::Retry => {}
            Withdrawn::Return(ip) => self.come_back(task, ip),
            Withdrawn::Nothing => tcb.suspend(),
        }
    }

    fn suspend_for_good(&mut self, task: TaskId) {
        let thread = self.threads.get(task);
        thread.held(&mut self.meter);
        thread.tcb().suspend();
        if let Some(Withdrawn::Return(ip)) = self.mail.withdraw_taken(task) {
            self.come_back(task, ip);
        }
        self.mail.forget(task);
    }

    fn step(&mut self, task: TaskId, on: bool) {
        self.threads.get(task).step = on;
    }

    fn set_breakpoints(&mut self, task: TaskId, breakpoints: &Breakpoints) {
        self.threads.get(task).watch(breakpoints);
    }

    fn runnable(&self) -> u64 {
        self.meter.running()
    }

    fn cpu_time(&mut self, task: TaskId) -> CpuTime {
        let thread = self.threads.get(task);
        CpuTime {
            user: self.clock.nanoseconds(thread.ticks(&self.meter)),
            system: self.clock.nanoseconds(thread.worked),
        }
    }

    fn server_caps(&self) -> u64 {
        self.threads.server_caps()
    }

    fn notify_tracer(&mut self) {
        Notification::at(slots::TRACER_NOTIFICATION).signal();
    }

    fn answer_fs(&mut self, message: &[u8]) {
        self.mail.answer_parked_fs(message);
    }

    fn log(&mut self, text: core::fmt::Arguments<'_>) {
        Log.line(text);
    }

    fn power_off(&mut self, status: i32) {
        let info = MessageInfo::new(boot::init::POWER_OFF, 0, 1);
        Endpoint::at(rt::slots::SUPERVISOR).send(info, [status as u32 as u64, 0, 0, 0]);
    }
}
