//! The way from a trap through a system call back into the program.

use crate::machine::{Changed, Machine};
use crate::signal::frame::FaultDetail;
use crate::syscall::Done;
use crate::task::{AfterStub, FsPurpose, Sleep, State, Wait};
use crate::{Access, Procmgr, Trap};
use abi::signal::{SIGBUS, SIGFPE, SIGILL, SIGKILL, SIGSEGV, SIGTRAP, code};
use abi::tracer::{Event, Events, Step};
use abi::{Errno, InCall, SigInfo, TaskId};

/// The instructions `syscall` and `sysenter`.
const SYSCALL: [u8; 2] = [0x0f, 0x05];
const SYSENTER: [u8; 2] = [0x0f, 0x34];
/// `int 4`, which Linux lets programs raise as an overflow; the kernel's gate does not.
const INT_4: [u8; 2] = [0xcd, 4];
/// How long to wait before another try to stop a task that is in a message to the tracer.
const RETRY_NS: u64 = 1_000_000;

impl Procmgr {
    /// A running task came to a stand.
    pub fn on_trap(&mut self, m: &mut impl Machine, id: TaskId, trap: Trap) {
        let Ok(task) = self.find_task(id) else {
            self.refused += 1;
            return;
        };
        match &task.state {
            State::Running => self.program_trapped(m, id, trap),
            State::Stub(_) => self.stub_trapped(m, id, trap),
            // A held task has no way to trap: somebody forged the message.
            _ => self.refused += 1,
        }
    }

    fn program_trapped(&mut self, m: &mut impl Machine, id: TaskId, trap: Trap) {
        if let Trap::PageFault {
            addr,
            access,
            present,
            ip: _,
        } = trap
        {
            return self.page_fault(m, id, addr, access, present);
        }
        let regs = self.stands(m, id);
        let task = self.task_mut(id);
        let mut trap = trap;
        if let Trap::Exception { vector: 6 | 13, .. } = trap {
            let space = task.space.expect("a running task has a space");
            match (trap, self.memory.fetch2(m, space, regs.rip)) {
                (Trap::Exception { vector: 6, .. }, Some(SYSCALL)) => {
                    return self.enter_syscall(m, id);
                }
                (Trap::Exception { vector: 13, .. }, Some(INT_4)) => {
                    trap = Trap::Exception { vector: 4, code: 0 };
                    let task = self.task_mut(id);
                    task.regs.rip += INT_4.len() as u64;
                    task.stale = true;
                }
                _ => {}
            }
        }
        let (info, detail) = match trap {
            Trap::Exception {
                vector,
                code: error,
            } => {
                let (signo, code, addr) = exception(vector, regs.rip);
                let info = SigInfo::fault(signo, code, addr);
                (
                    info,
                    FaultDetail {
                        vector: vector.into(),
                        error,
                        addr: 0,
                    },
                )
            }
            // The second is the program's own jump into a stub.
            Trap::Int3 | Trap::StubDone => {
                let info = Procmgr::kernel_signal(SIGTRAP);
                (info, FaultDetail::of(3))
            }
            Trap::Step => {
                let info = SigInfo::fault(SIGTRAP, code::TRAP_TRACE, regs.rip);
                (info, FaultDetail::of(1))
            }
            Trap::Watch { addr, .. } => {
                let info = SigInfo::fault(SIGTRAP, code::TRAP_HWBKPT, addr);
                (info, FaultDetail::of(1))
            }
            Trap::BadCall => {
                let info = SigInfo::fault(SIGILL, code::ILL_ILLOPN, regs.rip);
                (info, FaultDetail::of(6))
            }
            Trap::PageFault { .. } => unreachable!("handled first"),
        };
        self.task_mut(id).fault_detail = detail;
        self.force_signal(m, id, info);
        self.return_to_user(m, id);
    }

    /// A thread that ran stands still: its registers are read, and it is in no system call.
    fn stands(&mut self, m: &mut impl Machine, id: TaskId) -> abi::Regs {
        let regs = m.regs(id);
        let task = self.task_mut(id);
        task.regs = regs;
        task.call = InCall::NONE;
        task.stale = false;
        task.state = State::Moving;
        regs
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
        let process = self.process_of(id);
        self.process_mut(process).faults += 1;
        let Err(fault) = self.memory.fault(m, space, addr, access) else {
            m.retry(id);
            return;
        };
        self.stands(m, id);
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
        task.stale = true;
        task.state = State::Moving;
        self.force_signal(m, id, Procmgr::kernel_signal(SIGSEGV));
        self.return_to_user(m, id);
    }

    fn stub_done(&mut self, m: &mut impl Machine, id: TaskId) {
        let task = self.task_mut(id);
        task.stale = true;
        match core::mem::replace(&mut task.state, State::Moving) {
            State::Stub(AfterStub::Fork(args)) => self.fork_with_fpu_saved(m, id, args),
            State::Stub(AfterStub::Exec { former_tid }) => self.exec_done(m, id, former_tid),
            State::Stub(AfterStub::Handler) => {
                if self.task(id).trace.step == Step::Single {
                    let info = SigInfo::fault(SIGTRAP, code::TRAP_TRACE, self.task(id).regs.rip);
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

    /// A `syscall` instruction; the registers are read.
    fn enter_syscall(&mut self, m: &mut impl Machine, id: TaskId) {
        let task = self.task_mut(id);
        let nr = task.regs.rax;
        task.call = InCall::entry(nr);
        if task.trace.events.contains(Events::SYSCALL_ENTRY) {
            self.report(m, id, Event::SyscallEntry);
        } else {
            self.dispatch(m, id, nr);
        }
    }

    /// Performs a system call.
    pub(crate) fn dispatch(&mut self, m: &mut impl Machine, id: TaskId, nr: u64) {
        let args = self.task(id).regs.args();
        match self.syscall(m, id, nr, args) {
            Done::Result(result) => self.finish_syscall(m, id, result),
            Done::Later => {}
        }
    }

    /// A system call has its result.
    pub(crate) fn finish_syscall(&mut self, m: &mut impl Machine, id: TaskId, result: i64) {
        let task = self.task_mut(id);
        task.state = State::Moving;
        task.set_result(result);
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
        if task.trace.events.contains(Events::SYSCALL_EXIT) && self.may_report(id) {
            self.report(m, id, Event::SyscallExit);
        } else {
            self.syscall_left(m, id);
        }
    }

    /// Behind the exit report: a step over `syscall` ends here.
    pub(crate) fn syscall_left(&mut self, m: &mut impl Machine, id: TaskId) {
        let task = self.task(id);
        if task.trace.step == Step::Single && task.trace.attached {
            let rip = task.regs.canonical(task.call).rip;
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
        loop {
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
                return self.report(m, id, Event::Quiesce);
            }
            match self.next_signal(id) {
                Some((signo, own)) => {
                    if !self.take_signal(m, id, signo, own) {
                        return;
                    }
                }
                None => break,
            }
        }
        self.restart_without_handler(id);
        let step = {
            let task = self.task_mut(id);
            if let Some(mask) = task.saved_mask.take() {
                task.mask = mask;
            }
            task.trace.attached && task.trace.step == Step::Single
        };
        // The mask that came back may let a signal through.
        if self.next_signal(id).is_some() {
            return self.return_to_user(m, id);
        }
        self.run(m, id, step);
    }

    fn run(&mut self, m: &mut impl Machine, id: TaskId, step: bool) {
        if step {
            m.step(id, true);
        }
        let task = self.task_mut(id);
        task.state = State::Running;
        task.interrupted = false;
        let regs = task.regs.canonical(task.call);
        match (task.stale, task.call) {
            (true, _) => m.resume(id, &regs),
            (false, InCall::At { .. }) => m.resume_changed(id, &regs, Changed::Syscall),
            (false, InCall::No { .. }) => m.resume_changed(id, &regs, Changed::Nothing),
        }
    }

    /// A system call that asks to be restarted, and no handler runs.
    fn restart_without_handler(&mut self, id: TaskId) {
        let task = self.task_mut(id);
        let Some(nr) = task.call_number() else { return };
        match Errno::check(task.result()) {
            Err(Errno::ERESTARTSYS | Errno::ERESTARTNOINTR | Errno::ERESTARTNOHAND) => {
                restart(task, nr);
            }
            Err(Errno::ERESTART_RESTARTBLOCK) => {
                restart(task, abi::linux::general::__NR_restart_syscall.into());
            }
            _ => {}
        }
    }

    /// The same, before a handler with these flags runs.
    pub(crate) fn restart_before_handler(&mut self, id: TaskId, flags: u64) {
        let task = self.task_mut(id);
        let Some(nr) = task.call_number() else { return };
        let restarts = flags & u64::from(abi::linux::general::SA_RESTART) != 0;
        match Errno::check(task.result()) {
            Err(Errno::ERESTARTNOINTR) => restart(task, nr),
            Err(Errno::ERESTARTSYS) if restarts => restart(task, nr),
            Err(Errno::ERESTARTSYS | Errno::ERESTARTNOHAND | Errno::ERESTART_RESTARTBLOCK) => {
                task.set_result(Errno::EINTR.as_result());
            }
            _ => {}
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
            State::Stopped | State::Zombie | State::Moving => {}
        }
    }

    fn stop_running(&mut self, m: &mut impl Machine, id: TaskId) {
        let regs = m.regs(id);
        let space = self.task(id).space.expect("a running task has a space");
        let in_message = self.task(id).trace.messages
            && self.memory.fetch2(m, space, regs.rip) == Some(SYSENTER);
        if in_message && self.process(self.process_of(id)).group_exit.is_none() {
            // Stopping it now would make it say its message twice. The tracer answers soon.
            let at = m.now() + RETRY_NS;
            self.add_timer(m, at, crate::timers::What::Retry(id));
            return;
        }
        m.suspend(id);
        // Not the ones from above: it may have run until now, where the priorities are equal.
        self.stands(m, id);
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
        self.finish_syscall(m, id, result);
    }

    /// Forgets the timer of a wait, and its place in a queue.
    pub(crate) fn cancel_wake(&mut self, id: TaskId) {
        self.leave_futex(id);
        if let Some(at) = self.task_mut(id).wake_at.take() {
            self.timers.remove(at, crate::timers::What::Wake(id));
        }
    }
}

fn restart(task: &mut crate::task::Task, nr: u64) {
    match task.call {
        // The kernel's registers still stand at the instruction.
        InCall::At { .. } => {}
        InCall::No { .. } => task.regs.rip = task.regs.rip.wrapping_sub(abi::regs::SYSCALL_LEN),
    }
    task.regs.rax = nr;
    task.call = InCall::NONE;
    task.stale = true;
}

/// The signal of a processor exception: number, code, address.
fn exception(vector: u8, ip: u64) -> (u8, i32, u64) {
    match vector {
        0 => (SIGFPE, code::FPE_INTDIV, ip),
        6 => (SIGILL, code::ILL_ILLOPN, ip),
        16 | 19 => (SIGFPE, 0, ip),
        17 => (SIGBUS, 1, 0),
        _ => (SIGSEGV, code::SI_KERNEL, 0),
    }
}
