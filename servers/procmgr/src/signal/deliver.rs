//! Acting on a signal, entering a handler and coming back from one.

use super::action::{Action, SIG_DFL, SIG_IGN};
use super::frame::{self, AltStack, Frame, UCONTEXT_SIZE};
use crate::Procmgr;
use crate::hold::Hold;
use crate::machine::{Machine, Stub};
use crate::syscall::Done;
use crate::task::{AfterStub, State};
use abi::linux::general::{SA_NODEFER, SA_RESETHAND};
use abi::signal::{SIGKILL, SIGSEGV, SIGSTOP, UNBLOCKABLE, code};
use abi::tracer::SignalAction;
use abi::{Errno, InCall, SigInfo, TaskId};

impl Procmgr {
    /// Takes a pending signal and acts on it, or reports it. Whether the task goes on looking.
    pub(crate) fn take_signal(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        signo: u8,
        own: bool,
    ) -> bool {
        let ix = self.process_of(id);
        let info = match own {
            true => self.task_mut(id).pending.take(signo),
            false => self.process_mut(ix).pending.take(signo),
        };
        self.timer_signal_taken(ix, &info);
        self.meet_signal(m, id, info)
    }

    /// Reports a signal, or acts on it. Whether the task goes on looking for more.
    pub(crate) fn meet_signal(&mut self, m: &mut impl Machine, id: TaskId, info: SigInfo) -> bool {
        let Some(signo) = info.signal() else {
            return true;
        };
        let ix = self.process_of(id);
        let action = self.process(ix).actions.disposition(signo);
        if signo != SIGKILL && self.task(id).trace.events.contains(action.events()) {
            self.task_mut(id).trace.signal = info;
            self.report(m, id, Hold::Signal { action });
            return false;
        }
        self.act_on_signal(m, id, info, action, None)
    }

    /// Does with a signal what was decided, with another handler than the process has set if there is
    /// one. Whether the task goes on looking for more.
    pub(crate) fn act_on_signal(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        info: SigInfo,
        action: SignalAction,
        handler: Option<Action>,
    ) -> bool {
        let Some(signo) = info.signal() else {
            return true;
        };
        let ix = self.process_of(id);
        let action = match action {
            SignalAction::Deliver => self.process(ix).actions.disposition(signo),
            other => other,
        };
        match action {
            SignalAction::Ignore | SignalAction::Deliver => true,
            SignalAction::Terminate => {
                self.kill_process(m, ix, signo.into());
                true
            }
            SignalAction::Core => {
                if !self.begin_dump(m, id, &info) {
                    self.kill_process(m, ix, signo.into());
                }
                true
            }
            SignalAction::TerminalStop if self.orphaned(self.process(ix).pgid) => true,
            SignalAction::Stop | SignalAction::TerminalStop => {
                self.stop_process(m, ix, signo);
                true
            }
            SignalAction::Handler => self.enter_handler(m, id, info, handler),
        }
    }

    fn enter_handler(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        info: SigInfo,
        handler: Option<Action>,
    ) -> bool {
        let Some(signo) = info.signal() else {
            return true;
        };
        let ix = self.process_of(id);
        let action = handler.unwrap_or(*self.process(ix).actions.get(signo));
        if action.handler == SIG_DFL || action.handler == SIG_IGN {
            return true;
        }
        self.read_registers(m, id);
        self.restart_before_handler(id, action.flags);
        let task = self.task_mut(id);
        task.registers.settle();
        let mask = task.saved_mask.unwrap_or(task.mask);
        let detail = core::mem::take(&mut task.fault_detail);
        let frame = frame::build(
            task.registers.get(),
            &action,
            &info,
            mask,
            &task.altstack,
            detail,
        );
        if !self.write_frame(m, id, &frame) {
            return self.frame_failed(m, id, signo);
        }
        self.handler_entered(ix, id, signo, &action, &frame);
        m.run_stub(id, Stub::FpuSaveInit, frame.fpu);
        self.task_mut(id).state = State::Stub(AfterStub::Handler);
        false
    }

    fn write_frame(&mut self, m: &mut impl Machine, id: TaskId, frame: &Frame) -> bool {
        let space = self
            .task(id)
            .space
            .expect("a task with a program has a space");
        // The stub writes the FPU state; zeros here make its page present and private.
        let fpu = [0; frame::FPU_SIZE as usize];
        self.memory.write(m, space, frame.fpu, &fpu) == fpu.len()
            && self.memory.write(m, space, frame.addr, &frame.bytes) == frame.bytes.len()
    }

    /// No stack to run the handler on: SIGSEGV, which kills if it was to be handled itself.
    fn frame_failed(&mut self, m: &mut impl Machine, id: TaskId, signo: u8) -> bool {
        if signo == SIGSEGV {
            let ix = self.process_of(id);
            self.process_mut(ix).actions.set(SIGSEGV, Action::default());
        }
        self.force_signal(m, id, Procmgr::kernel_signal(SIGSEGV));
        true
    }

    fn handler_entered(
        &mut self,
        ix: crate::process::ProcessIx,
        id: TaskId,
        signo: u8,
        action: &Action,
        frame: &Frame,
    ) {
        if action.flags & u64::from(SA_RESETHAND) != 0 {
            self.process_mut(ix).actions.set(signo, Action::default());
        }
        let task = self.task_mut(id);
        if task.altstack.flags & frame::SS_AUTODISARM != 0 {
            task.altstack = AltStack::default();
        }
        task.saved_mask = None;
        task.mask = task.mask.or(action.mask);
        if action.flags & u64::from(SA_NODEFER) == 0 {
            task.mask.insert(signo);
        }
        task.mask = task.mask.without(UNBLOCKABLE);
        task.registers.set(frame.regs, InCall::NONE);
    }

    /// rt_sigreturn(2).
    pub(crate) fn sigreturn(&mut self, m: &mut impl Machine, id: TaskId) -> Done {
        let task = self.task(id);
        let regs = *task.registers.get();
        let space = task.space.expect("a task with a program has a space");
        let mut uc = [0; UCONTEXT_SIZE];
        let at = regs.rsp;
        let mut fpu_area = [0; frame::FPU_SIZE as usize];
        let readable = self.memory.read(m, space, at, &mut uc) == uc.len();
        let restored = frame::restore(&uc, &regs);
        let fpu_fine = restored.fpu == 0
            || (restored.fpu.is_multiple_of(16)
                && self.memory.read(m, space, restored.fpu, &mut fpu_area) == fpu_area.len());
        if !readable || !fpu_fine {
            self.task_mut(id).registers.settle();
            self.force_signal(m, id, Procmgr::kernel_signal(SIGSEGV));
            self.return_to_user(m, id);
            return Done::Later;
        }
        let task = self.task_mut(id);
        task.mask = restored.mask.without(UNBLOCKABLE);
        task.registers.set(restored.regs, InCall::NONE);
        let (base, flags, size) = restored.altstack;
        if flags & frame::SS_DISABLE != 0 {
            task.altstack = AltStack::default();
        } else if !task.altstack.holds(regs.rsp) {
            task.altstack = AltStack {
                base,
                size,
                flags: flags & frame::SS_AUTODISARM,
            };
        }
        match restored.fpu {
            0 => m.run_stub(id, Stub::FpuInit, 0),
            area => m.run_stub(id, Stub::FpuLoad, area),
        }
        self.task_mut(id).state = State::Stub(AfterStub::Sigreturn);
        Done::Later
    }

    /// The tracer's word on the signal that it was shown, or that it put in its place.
    pub(crate) fn signal_answered(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        action: SignalAction,
    ) {
        let stop_undone = core::mem::take(&mut self.task_mut(id).trace.stop_undone);
        if action == SignalAction::Ignore {
            self.task_mut(id).trace.handler = None;
            return self.return_to_user(m, id);
        }
        let trace = &mut self.task_mut(id).trace;
        let (info, handler) = (trace.signal, trace.handler.take());
        // A signal that the tracer put in place of another one waits if it is blocked, as on
        // Linux.
        if let Some(signo) = info.signal() {
            let task = self.task(id);
            if task.mask.has(signo) && action == SignalAction::Deliver {
                self.queue(m, task.process, Some(id), info);
            } else if signo == SIGKILL {
                let ix = task.process;
                self.kill_process(m, ix, SIGKILL.into());
            } else {
                let action = match (signo, action) {
                    (SIGSTOP, SignalAction::Deliver) => SignalAction::Stop,
                    (_, other) => other,
                };
                let undone = stop_undone && self.is_stop(id, signo, action);
                if !undone && !self.act_on_signal(m, id, info, action, handler) {
                    return;
                }
            }
        }
        self.return_to_user(m, id);
    }

    /// Whether a signal stops the process of a task, with what is to happen with it.
    fn is_stop(&self, id: TaskId, signo: u8, action: SignalAction) -> bool {
        let actions = &self.process(self.process_of(id)).actions;
        let action = match action {
            SignalAction::Deliver => actions.disposition(signo),
            other => other,
        };
        matches!(action, SignalAction::Stop | SignalAction::TerminalStop)
    }

    /// rt_sigaction(2).
    pub(crate) fn set_action(
        &mut self,
        id: TaskId,
        signo: u8,
        action: Action,
    ) -> Result<(), Errno> {
        if UNBLOCKABLE.has(signo) {
            return Err(Errno::EINVAL);
        }
        let ix = self.process_of(id);
        let action = Action {
            mask: action.mask.without(UNBLOCKABLE),
            ..action
        };
        self.process_mut(ix).actions.set(signo, action);
        if self.process(ix).actions.ignores(signo) {
            let gone = abi::SigSet::of(&[signo]);
            self.process_mut(ix).pending.flush(gone);
            for task in self.tasks_of(ix) {
                self.task_mut(task).pending.flush(gone);
            }
        }
        Ok(())
    }
}

/// `si_code` of a signal that kill(2) sends.
pub const KILL_CODE: i32 = code::SI_USER;
