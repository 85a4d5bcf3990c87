//! The way from a trap through a system call back into the program.

use crate::hold::Hold;
use crate::machine::{Machine, SpaceIx};
use crate::registers::Registers;
use crate::signal::frame::FaultDetail;
use crate::syscall::Done;
use crate::task::{AfterStub, FsPurpose, Sleep, State, Wait};
use crate::trace::Attached;
use crate::{Access, Procmgr, Trap};
use abi::signal::{SIGBUS, SIGFPE, SIGILL, SIGKILL, SIGSEGV, SIGTRAP, code};
use abi::tracer::{Events, Step};
use abi::{Errno, SigInfo, TaskId};

/// The instruction `syscall`.
const SYSCALL: [u8; 2] = [0x0f, 0x05];
/// `int1`, by which in-circuit emulators were entered.
const ICEBP: u8 = 0xf1;
/// `int 4`, which Linux lets programs raise as an overflow; the kernel's gate does not.
const INT_4: [u8; 2] = [0xcd, 4];

impl Procmgr {
    /// A running task came to a stand at `ip`: at the instruction that caused it, or behind the one
    /// that was a trap.
    pub fn on_trap(&mut self, m: &mut impl Machine, id: TaskId, trap: Trap, ip: u64) {
        let Ok(task) = self.find_task(id) else {
            self.refused += 1;
            return;
        };
        match &task.state {
            State::Running => self.program_trapped(m, id, trap, ip),
            State::Stub(_) => self.stub_trapped(m, id, trap),
            // A held task has no way to trap: somebody forged the message.
            _ => self.refused += 1,
        }
    }

    fn program_trapped(&mut self, m: &mut impl Machine, id: TaskId, trap: Trap, ip: u64) {
        if let Trap::PageFault {
            addr,
            access,
            present,
        } = trap
        {
            return self.page_fault(m, id, addr, access, present);
        }
        let space = self.stands(id);
        self.task_mut(id).registers.stand_at(ip);
        if matches!(trap, Trap::Step | Trap::Breakpoint { .. })
            && self.task(id).registers.may_trap_itself()
        {
            self.read_registers(m, id);
        }
        let (info, detail) = match trap {
            Trap::Exception { vector: 6, .. }
                if self.memory.fetch2(m, space, ip) == Some(SYSCALL) =>
            {
                return self.enter_syscall(m, id);
            }
            Trap::Exception { vector: 13, .. }
                if self.memory.fetch2(m, space, ip) == Some(INT_4) =>
            {
                let behind = ip + INT_4.len() as u64;
                let registers = self.read_registers(m, id);
                registers.change(|regs| regs.rip = behind);
                exception(4, 0, behind)
            }
            Trap::Exception { vector: 6, .. } if self.is_icebp(m, space, ip) => {
                let behind = ip + 1;
                let registers = self.read_registers(m, id);
                registers.change(|regs| regs.rip = behind);
                let info = SigInfo::fault(SIGTRAP, code::TRAP_BRKPT, behind);
                (info, FaultDetail::of(1))
            }
            Trap::Exception { vector, code } => exception(vector, code, ip),
            // The second is the program's own jump into a stub.
            Trap::Int3 | Trap::StubDone => {
                let info = Procmgr::kernel_signal(SIGTRAP);
                (info, FaultDetail::of(3))
            }
            Trap::Step => {
                self.task_mut(id).trace.debug.stepped();
                let info = SigInfo::fault(SIGTRAP, code::TRAP_TRACE, ip);
                (info, FaultDetail::of(1))
            }
            Trap::Breakpoint { status } => {
                let code = match self.task_mut(id).trace.debug.trapped(status) {
                    true => code::TRAP_TRACE,
                    false => code::TRAP_HWBKPT,
                };
                (SigInfo::fault(SIGTRAP, code, ip), FaultDetail::of(1))
            }
            Trap::BadCall => {
                let info = SigInfo::fault(SIGILL, code::ILL_ILLOPN, ip);
                (info, FaultDetail::of(6))
            }
            Trap::PageFault { .. } => unreachable!("handled first"),
        };
        self.task_mut(id).fault_detail = detail;
        self.trap_signal(m, id, info);
    }

    /// A signal for what a task did itself. It comes before all others; where nothing else keeps the
    /// task either it need not be queued.
    fn trap_signal(&mut self, m: &mut impl Machine, id: TaskId, info: SigInfo) {
        let at_once = self.is_calm(id) && self.task(id).pending.set().is_empty();
        if at_once {
            self.unblock_forced(id, &info);
            if !self.meet_signal(m, id, info) {
                return;
            }
        } else {
            self.force_signal(m, id, info);
        }
        self.return_to_user(m, id);
    }

    /// `int1`, which raises a debug exception that has no reason; the emulator takes it for invalid.
    fn is_icebp(&mut self, m: &mut impl Machine, space: SpaceIx, ip: u64) -> bool {
        self.memory
            .fetch2(m, space, ip)
            .is_some_and(|[first, _]| first == ICEBP)
    }

    /// A thread that ran stands still, in no system call; its space.
    pub(crate) fn stands(&mut self, id: TaskId) -> SpaceIx {
        let task = self.task_mut(id);
        task.registers.stand();
        task.state = State::Moving;
        task.space.expect("a task that ran has a space")
    }

    /// A task's registers, read from the kernel if that has not been done.
    pub(crate) fn read_registers(&mut self, m: &mut impl Machine, id: TaskId) -> &mut Registers {
        if self.task_mut(id).registers.take_doubt()
            && let Some(space) = self.task(id).space
        {
            self.stop_in_message(m, id, space);
        }
        self.task_mut(id).registers.read(m, id)
    }

    fn page_fault(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        addr: u64,
        access: Access,
        present: bool,
    ) {
        let space = self.task(id).space.expect("a running task has a space");
        self.task_mut(id).usage.faults += 1;
        let Err(fault) = self.memory.fault(m, space, addr, access) else {
            m.retry(id);
            return;
        };
        self.stands(id);
        let task = self.task_mut(id);
        let tried = match access {
            Access::Read => 0,
            Access::Write => 2,
            Access::Execute => 16,
        };
        let error = u64::from(present) | tried | 4;
        task.fault_detail = FaultDetail {
            vector: 14,
            error,
            addr,
        };
        self.memory_signal(m, id, fault, addr);
        self.return_to_user(m, id);
    }

    fn memory_signal(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        fault: crate::memory::MemoryFault,
        addr: u64,
    ) {
        use crate::memory::MemoryFault::*;
        let info = match fault {
            NotMapped => SigInfo::fault(SIGSEGV, code::SEGV_MAPERR, addr),
            Denied => SigInfo::fault(SIGSEGV, code::SEGV_ACCERR, addr),
            Bus => SigInfo::fault(SIGBUS, code::BUS_ADRERR, addr),
            NoMemory => {
                m.log(format_args!(
                    "out of memory: pid {} is killed",
                    self.task(id).tid
                ));
                SigInfo::new(SIGKILL, code::SI_KERNEL)
            }
        };
        self.force_signal(m, id, info);
    }

    fn stub_trapped(&mut self, m: &mut impl Machine, id: TaskId, trap: Trap) {
        match trap {
            Trap::StubDone => self.stub_done(m, id),
            Trap::PageFault { addr, access, .. } => {
                let space = self.task(id).space.expect("a task in a stub has a space");
                match self.memory.fault(m, space, addr, access) {
                    Ok(()) => m.retry(id),
                    Err(_) => self.stub_failed(m, id),
                }
            }
            _ => self.stub_failed(m, id),
        }
    }

    /// The area a stub was to use is not there: the program destroyed it.
    fn stub_failed(&mut self, m: &mut impl Machine, id: TaskId) {
        let task = self.task_mut(id);
        task.registers.lost();
        task.state = State::Moving;
        self.force_signal(m, id, Procmgr::kernel_signal(SIGSEGV));
        self.return_to_user(m, id);
    }

    fn stub_done(&mut self, m: &mut impl Machine, id: TaskId) {
        let task = self.task_mut(id);
        task.registers.lost();
        match core::mem::replace(&mut task.state, State::Moving) {
            State::Stub(AfterStub::Fork(args)) => self.fork_with_fpu_saved(m, id, args),
            State::Stub(AfterStub::Exec { former_tid }) => self.exec_done(m, id, former_tid),
            State::Stub(AfterStub::Handler) => {
                let trace = &self.task(id).trace;
                let told = trace.leased || trace.events.contains(Events::HANDLER_STEP);
                if trace.step == Step::Single && told {
                    return self.report(m, id, Hold::HandlerStep);
                }
                if trace.step == Step::Single {
                    let rip = self.task(id).registers.get().rip;
                    let info = SigInfo::fault(SIGTRAP, code::TRAP_TRACE, rip);
                    self.force_signal(m, id, info);
                }
                self.return_to_user(m, id);
            }
            // The end of rt_sigreturn, shown with the registers that it restored.
            State::Stub(AfterStub::Sigreturn) => self.leave_syscall(m, id),
            State::Stub(AfterStub::Start) => self.return_to_user(m, id),
            _ => unreachable!("a stub was running"),
        }
    }

    /// A `syscall` instruction.
    fn enter_syscall(&mut self, m: &mut impl Machine, id: TaskId) {
        let task = self.task_mut(id);
        let registers = task.registers.read(m, id);
        registers.enter();
        let nr = registers.get().rax;
        if task.trace.events.contains(Events::SYSCALL_ENTRY) && task.trace.reports_call(nr) {
            self.report(m, id, Hold::SyscallEntry);
        } else {
            self.dispatch(m, id, nr);
        }
    }

    /// Performs a system call.
    pub(crate) fn dispatch(&mut self, m: &mut impl Machine, id: TaskId, nr: u64) {
        let args = self.task(id).registers.get().args();
        match self.syscall(m, id, nr, args) {
            Done::Result(result) => self.finish_syscall(m, id, result),
            Done::Later => {}
        }
    }

    /// A system call has its result.
    pub(crate) fn finish_syscall(&mut self, m: &mut impl Machine, id: TaskId, result: i64) {
        let task = self.task_mut(id);
        task.state = State::Moving;
        task.registers.set_result(result);
        // A mask that the call replaced lasts into a handler only where one ended the call.
        if result != Errno::ERESTARTNOHAND.as_result()
            && let Some(mask) = task.saved_mask.take()
        {
            task.mask = mask;
        }
        self.leave_syscall(m, id);
    }

    /// The same where the result is in place already.
    pub(crate) fn leave_syscall(&mut self, m: &mut impl Machine, id: TaskId) {
        let task = self.task(id);
        if task.trace.events.contains(Events::SYSCALL_EXIT)
            && task
                .trace
                .reports_call(task.registers.call_number().unwrap_or(u64::MAX))
            && self.may_report(id)
        {
            self.report(m, id, Hold::SyscallExit);
        } else {
            self.syscall_left(m, id);
        }
    }

    /// Behind the exit report: a step over `syscall` ends here.
    pub(crate) fn syscall_left(&mut self, m: &mut impl Machine, id: TaskId) {
        let task = self.task(id);
        if task.trace.step == Step::Single && task.trace.attached != Attached::No {
            let rip = task.registers.canonical().rip;
            self.force_signal(m, id, SigInfo::fault(SIGTRAP, code::TRAP_BRKPT, rip));
        }
        self.return_to_user(m, id);
    }

    /// Whether a report may still be made: not once the process is being killed.
    pub(crate) fn may_report(&self, id: TaskId) -> bool {
        self.doomed(id).is_none()
    }

    /// The way back into the program: kills, stops, the tracer's wish for quiescence and signals
    /// come first, in this order, as on Linux.
    pub(crate) fn return_to_user(&mut self, m: &mut impl Machine, id: TaskId) {
        while !self.is_calm(id) {
            let task = self.task(id);
            let process = self.process(task.process);
            if (process.group_exit.is_some() || process.execing.is_some())
                && let Some(status) = self.doomed(id)
            {
                return self.begin_exit(m, id, status);
            }
            if task.stop_pending {
                return self.enter_stop(m, id);
            }
            if task.trace.continued {
                return self.report_continued(m, id);
            }
            if task.trace.quiesce {
                self.task_mut(id).trace.quiesce = false;
                return self.report(m, id, Hold::Quiesce);
            }
            match self.next_signal(id) {
                Some((signo, own)) => {
                    if !self.take_signal(m, id, signo, own) {
                        return;
                    }
                }
                None => match self.task_mut(id).saved_mask.take() {
                    // The mask that comes back may let a signal through.
                    Some(mask) => {
                        self.restart_without_handler(id);
                        self.task_mut(id).mask = mask;
                    }
                    None => break,
                },
            }
        }
        self.restart_without_handler(id);
        let trace = &self.task(id).trace;
        let step = trace.attached != Attached::No && trace.step == Step::Single;
        self.run(m, id, step);
    }

    /// Whether nothing keeps a task from its program: no kill, no stop, no wish of the tracer's, no
    /// signal, no mask to come back.
    #[inline]
    pub(crate) fn is_calm(&self, id: TaskId) -> bool {
        let task = self.task(id);
        let process = self.process(task.process);
        let pending = task.pending.set().or(process.pending.set());
        let asked = task.stop_pending | task.trace.continued | task.trace.quiesce;
        pending.without(task.mask).is_empty()
            && !asked
            && task.saved_mask.is_none()
            && process.group_exit.is_none()
            && process.execing.is_none()
    }

    fn run(&mut self, m: &mut impl Machine, id: TaskId, step: bool) {
        let forced = step && self.steps_by_force(m, id);
        if step {
            m.step(id, true);
        }
        let task = self.task_mut(id);
        task.registers.force_step(step, forced);
        task.state = State::Running;
        task.interrupted = false;
        task.landing = None;
        task.registers.resume(m, id);
    }

    /// A system call that asks to be restarted, and no handler runs.
    fn restart_without_handler(&mut self, id: TaskId) {
        let registers = &mut self.task_mut(id).registers;
        match registers.wants_restart() {
            Some((_, Errno::ERESTART_RESTARTBLOCK)) => {
                registers.restart(abi::linux::general::__NR_restart_syscall.into());
            }
            Some((nr, _)) => registers.restart(nr),
            None => {}
        }
    }

    /// The same, before a handler with these flags runs.
    pub(crate) fn restart_before_handler(&mut self, id: TaskId, flags: u64) {
        if let Some(landing) = self.task(id).landing {
            return self.interrupt_message(id, landing, flags);
        }
        let registers = &mut self.task_mut(id).registers;
        let restarts = flags & u64::from(abi::linux::general::SA_RESTART) != 0;
        match registers.wants_restart() {
            Some((nr, Errno::ERESTARTNOINTR)) => registers.restart(nr),
            Some((nr, Errno::ERESTARTSYS)) if restarts => registers.restart(nr),
            Some(_) => registers.set_result(Errno::EINTR.as_result()),
            None => {}
        }
    }

    /// Brings a task to the point where it looks at kills, stops and signals, if it is not there
    /// or on its way. A system call that waits is ended.
    pub(crate) fn interrupt(&mut self, m: &mut impl Machine, id: TaskId) {
        match &self.task(id).state {
            State::Running => self.stop_running(m, id),
            State::Waiting(Wait::Fork { .. } | Wait::Vfork { .. } | Wait::Others(_)) => {}
            State::Waiting(wait) => {
                let result = self.interrupted_result(wait, id);
                if matches!(&self.task(id).state, State::Waiting(Wait::SignalOf { .. }))
                    && self.finish_sigtimedwait(m, id)
                {
                    return;
                }
                self.finish_wait(m, id, result);
            }
            State::Fs(FsPurpose::Syscall { .. }) => self.interrupt_fs(m, id),
            State::Fs(_) | State::Held(_) | State::Stub(_) => {}
            State::Stopped | State::Dumping | State::Zombie | State::Moving => {}
        }
    }

    fn stop_running(&mut self, m: &mut impl Machine, id: TaskId) {
        m.suspend(id);
        let space = self.stands(id);
        if self.memory.speaks(space) {
            match self.task(id).has_spoken() {
                true => self.stop_in_message(m, id, space),
                // Nobody has answered it yet: it says its first message again by itself, if it is in the middle
                // of that and nobody looks.
                false => self.task_mut(id).registers.doubt(),
            }
        }
        self.return_to_user(m, id);
    }

    /// What a wait that a signal ends returns.
    fn interrupted_result(&self, wait: &Wait, _id: TaskId) -> i64 {
        match wait {
            Wait::Sleep(Sleep {
                absolute: false, ..
            }) => Errno::ERESTART_RESTARTBLOCK,
            Wait::Futex { wait, .. } => wait.interrupted(),
            Wait::Sleep(_) | Wait::Signal => Errno::ERESTARTNOHAND,
            Wait::SignalOf { .. } => Errno::EINTR,
            _ => Errno::ERESTARTSYS,
        }
        .as_result()
    }

    /// Ends a wait with a result.
    pub(crate) fn finish_wait(&mut self, m: &mut impl Machine, id: TaskId, result: i64) {
        self.cancel_wake(id);
        let task = self.task_mut(id);
        task.usage.waits += 1;
        let wait = core::mem::replace(&mut task.state, State::Moving);
        match wait {
            State::Waiting(Wait::Sleep(sleep)) if result != 0 => {
                self.sleep_interrupted(m, id, sleep);
            }
            State::Waiting(Wait::Futex { wait, .. }) if result != 0 => {
                self.futex_interrupted(id, wait);
            }
            _ => {}
        }
        match self.task(id).landing {
            Some(landing) => self.land(m, id, landing, result),
            None => self.finish_syscall(m, id, result),
        }
    }

    /// Forgets the timer of a wait, and its place in a queue.
    pub(crate) fn cancel_wake(&mut self, id: TaskId) {
        self.leave_futex(id);
        if let Some(at) = self.task_mut(id).wake_at.take() {
            self.timers.remove(at, crate::timers::What::Wake(id));
        }
    }
}

/// What a processor exception tells a program.
fn exception(vector: u8, error: u64, ip: u64) -> (SigInfo, FaultDetail) {
    let (signo, code, addr) = match vector {
        0 => (SIGFPE, code::FPE_INTDIV, ip),
        6 => (SIGILL, code::ILL_ILLOPN, ip),
        16 | 19 => (SIGFPE, 0, ip),
        17 => (SIGBUS, 1, 0),
        _ => (SIGSEGV, code::SI_KERNEL, 0),
    };
    let detail = FaultDetail {
        vector: vector.into(),
        error,
        addr: 0,
    };
    (SigInfo::fault(signo, code, addr), detail)
}
