//! What has stopped a task: a fault, a step, a system call, the end of a stub.

use crate::hold::Hold;
use crate::machine::{Machine, SpaceIx};
use crate::registers::Registers;
use crate::signal::frame::FaultDetail;
use crate::task::{AfterStub, State};
use crate::{Access, Procmgr, Trap};
use abi::signal::{SIGBUS, SIGFPE, SIGILL, SIGKILL, SIGSEGV, SIGTRAP, code};
use abi::tracer::{Events, Step};
use abi::{SigInfo, TaskId};

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
        self.settle_doubt(m, id);
        self.task_mut(id).registers.read(m, id)
    }

    /// Sees to the message that a task may stand in, if nobody has.
    pub(crate) fn settle_doubt(&mut self, m: &mut impl Machine, id: TaskId) {
        if self.task_mut(id).registers.take_doubt()
            && let Some(space) = self.task(id).space
        {
            self.stop_in_message(m, id, space);
        }
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
