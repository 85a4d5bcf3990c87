//! Answers to reports: how a held task goes on.

use crate::Procmgr;
use crate::hold::{Going, Hold};
use crate::machine::Machine;
use crate::task::State;
use abi::tracer::{Answer, Events, SignalAction, Step, Verdict};
use abi::{Errno, InCall, TaskId};

impl Procmgr {
    /// A held task goes on. Everything is checked before anything changes.
    pub(super) fn answered(&mut self, m: &mut impl Machine, answer: &Answer) -> Result<(), Errno> {
        let id = answer.task;
        let event = self.held_by(id, answer.number)?;
        let fits = match answer.verdict {
            Verdict::Continue => !matches!(event, Hold::Ptrace { .. }),
            Verdict::AbortSyscall => matches!(event, Hold::SyscallEntry),
            Verdict::Signal { .. } => !matches!(event, Hold::Ptrace { .. }),
            Verdict::Result(_) => matches!(event, Hold::Ptrace { .. }),
        };
        if !fits {
            return Err(Errno::EINVAL);
        }
        self.load_fpu_state(m, id);
        if let Some(course) = &answer.course {
            self.task_mut(id).trace.set_course(course);
        }
        let step = self.task(id).trace.step;
        let step = answer.course.map_or(step, |course| course.step);
        let (going, signal) = Going::of(answer.verdict);
        if let Some((info, handler)) = signal {
            let trace = &mut self.task_mut(id).trace;
            (trace.signal, trace.handler) = (info, handler);
        }
        if let Hold::JobControl { .. } = event {
            self.stop_reported(m, id, answer.quiet);
        }
        self.release(m, id, step);
        self.go_on(m, id, event, going);
        Ok(())
    }

    /// A report is over; the task runs like this when it does.
    pub(crate) fn release(&mut self, m: &mut impl Machine, id: TaskId, step: Step) {
        let task = self.task_mut(id);
        if task.trace.step != step {
            task.trace.step = step;
            if step == Step::None && task.space.is_some() {
                m.step(id, false);
            }
        }
        self.end_hold(m, id);
        self.task_mut(id).state = State::Moving;
    }

    /// What follows a report.
    pub(crate) fn go_on(&mut self, m: &mut impl Machine, id: TaskId, event: Hold, going: Going) {
        if self.stays_stopped(id, event, going) {
            self.task_mut(id).state = State::Stopped;
            return;
        }
        if let Going::Signal(action) = going
            && !matches!(event, Hold::Signal { .. })
        {
            // Sent along with the resumption from a stop that was not a signal's.
            if action != SignalAction::Ignore && self.task(id).alive() {
                let info = self.task(id).trace.signal;
                self.push_signal(m, id, info);
            }
        }
        match event {
            Hold::SyscallEntry => self.entry_answered(m, id, going),
            Hold::SyscallExit => self.syscall_left(m, id),
            Hold::Signal { action } => match going {
                Going::Signal(action) => self.signal_answered(m, id, action),
                _ => self.signal_answered(m, id, action),
            },
            Hold::Quiesce | Hold::HandlerStep => self.return_to_user(m, id),
            Hold::Clone { .. } => self.clone_reported(m, id),
            Hold::VforkDone { child_tid } => self.finish_syscall(m, id, child_tid.into()),
            Hold::Exec { .. } => self.finish_syscall(m, id, 0),
            Hold::Exit { .. } => self.exit_reported(m, id),
            Hold::ClientExit => {
                self.task_mut(id).trace.client = false;
                self.leave(m, id);
            }
            Hold::Death { .. } => self.become_zombie(m, id),
            Hold::Reap => self.remove_task(id),
            Hold::JobControl { .. } => self.return_to_user(m, id),
            Hold::Ptrace { .. } => match going {
                Going::Result(result) => self.finish_syscall(m, id, result),
                _ => self.finish_syscall(m, id, Errno::EIO.as_result()),
            },
        }
    }

    /// Whether the answer to a stop leaves the task in its process's job-control stop, if that
    /// still lasts: the answer says so by the action `Stop`.
    fn stays_stopped(&self, id: TaskId, event: Hold, going: Going) -> bool {
        matches!(event, Hold::Quiesce | Hold::JobControl { .. })
            && going == Going::Signal(SignalAction::Stop)
            && self.process(self.process_of(id)).stopped.is_some()
            && self.may_report(id)
    }

    fn entry_answered(&mut self, m: &mut impl Machine, id: TaskId, going: Going) {
        let task = self.task(id);
        let nr = match task.registers.call() {
            InCall::At { nr, .. } => nr,
            InCall::No { orig_rax } => orig_rax,
        };
        if self.doomed(id).is_some() {
            return self.return_to_user(m, id);
        }
        match going {
            // A call that is emulated is not stepped over: the next instruction is.
            Going::AbortSyscall if !self.task(id).trace.events.contains(Events::SYSCALL_EXIT) => {
                self.return_to_user(m, id);
            }
            Going::AbortSyscall => self.leave_syscall(m, id),
            _ if nr as i64 == -1 => self.leave_syscall(m, id),
            _ => self.dispatch(m, id, nr),
        }
    }
}
