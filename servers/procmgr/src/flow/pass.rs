//! A system call, its result, and the way back into the program with all that comes before that: signals, stops, steps.

use crate::Procmgr;
use crate::hold::Hold;
use crate::machine::Machine;
use crate::syscall::Done;
use crate::task::State;
use crate::trace::Attached;
use abi::signal::{SIGTRAP, code};
use abi::tracer::{Events, Step};
use abi::{Errno, SigInfo, TaskId};

impl Procmgr {
    /// A `syscall` instruction.
    pub(super) fn enter_syscall(&mut self, m: &mut impl Machine, id: TaskId) {
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
}
