//! Reports: taken from the process manager, sent along the chain, answered.

mod chain;
mod lease;

use crate::engine::{Choice, EngineId, Response, State};
use crate::ptrace::Request;
use crate::{Host, Tracer, host};
use abi::TaskId;
use abi::engine::Handle;
use abi::errno::to_rax;
use abi::ptrace::Mode;
use abi::tracer::{Call, Event, Reply, Report, SignalAction, Step, Verdict};

impl Tracer {
    /// Takes what the process manager has until there is no more.
    pub fn on_reports(&mut self, host: &mut impl Host) {
        loop {
            match host::ask(host, &Call::Next) {
                Ok(Reply::Report(report)) => {
                    self.on_report(host, report);
                    if !report.more {
                        return;
                    }
                }
                Ok(Reply::Answered {
                    handle,
                    number,
                    response,
                    info,
                    handler,
                }) => {
                    let response = Response::new(response, info, handler);
                    self.on_answer(host, handle, number, response);
                }
                Ok(Reply::Resumed {
                    task,
                    number,
                    mode,
                    step,
                    verdict,
                }) => self.on_resumed(host, task, number, mode, step, verdict),
                Ok(Reply::Interrupt { task }) => self.on_interrupt(host, task),
                Ok(Reply::Adopted(adopted)) => drop(self.adopted(adopted)),
                Ok(Reply::Begun { task }) => self.client_begins(host, task),
                _ => return,
            }
        }
    }

    fn on_report(&mut self, host: &mut impl Host, report: Report) {
        let Report { task, number, .. } = report;
        match report.event {
            Event::Ptrace { args } => {
                self.break_hold(task);
                let result = self.ptrace(host, &Request::new(task, args));
                self.conclude(host, task, number, Verdict::Result(to_rax(result)));
            }
            Event::ClientExit => {
                self.break_hold(task);
                self.client_exit(host, task);
                self.conclude(host, task, number, Verdict::Continue);
            }
            _ => self.on_event(host, report),
        }
    }

    /// A task that is held here makes no report but when it was killed: the hold is broken, and
    /// nobody needs to answer.
    fn break_hold(&mut self, id: TaskId) {
        self.is_over(id);
        if let Some(task) = self.tasks.get_mut(id) {
            task.chain.withdraw();
        }
    }

    fn on_event(&mut self, host: &mut impl Host, report: Report) {
        let id = report.task;
        if !self.begin_report(report) {
            // It was detached while this was on its way.
            return self.conclude(host, id, report.number, Verdict::Continue);
        }
        // The task may be killed before its report is answered; it will be reported dead.
        let _ = self.run(host, id);
    }

    /// A report begins its way along a task's engines, and what was reported before is over. False where the
    /// task has none.
    fn begin_report(&mut self, report: Report) -> bool {
        let id = report.task;
        self.tasks.retid(id, report.tid);
        self.is_over(id);
        let Some(task) = self.tasks.get_mut(id) else {
            return false;
        };
        task.chain.begin(report);
        if let Event::Clone { child_tid, .. } = report.event {
            self.tasks.expect(child_tid, id);
        }
        true
    }

    /// An engine of a program has answered. An answer that is too late is nothing.
    fn on_answer(&mut self, host: &mut impl Host, handle: Handle, number: u32, response: Response) {
        let Some(task) = self.tasks.get_mut(handle.task) else {
            return;
        };
        match task.chain.answer(EngineId(handle.engine), number, response) {
            Err(_) => {}
            Ok(None) => drop(self.run(host, handle.task)),
            Ok(Some(gone)) => {
                self.tasks.discharge(gone.uid);
                let _ = host::done(host, &Call::Disengage { handle });
                self.settle(host, handle.task);
            }
        }
    }

    /// A tracer has ended a stop that is not leased.
    fn on_resumed(
        &mut self,
        host: &mut impl Host,
        id: TaskId,
        number: u32,
        mode: Mode,
        step: Step,
        verdict: Verdict,
    ) {
        let Some(task) = self.tasks.get_mut(id) else {
            return;
        };
        if task.chain.report().is_none_or(|r| r.number != number) {
            return;
        }
        let Some((engine, tracee)) = task.ptrace() else {
            return;
        };
        tracee.mode = mode;
        tracee.stopped = false;
        let state = match step {
            Step::None => State::empty(),
            Step::Single => State::SINGLESTEP,
        };
        task.refresh();
        let set = task.chain.set_state(engine, state);
        self.finally(id, verdict);
        if set.is_ok() {
            let _ = self.run(host, id);
        }
    }

    /// What ptrace's engine wants of the event, in the end.
    pub(crate) fn finally(&mut self, id: TaskId, verdict: Verdict) {
        let Some(task) = self.tasks.get_mut(id) else {
            return;
        };
        let Some((engine, _)) = task.ptrace() else {
            return;
        };
        let event = task.chain.report().map(|report| report.event);
        match (event, verdict) {
            (
                Some(Event::Signal { .. }),
                Verdict::Signal {
                    action: action @ SignalAction::Deliver,
                    info,
                    handler,
                },
            ) => {
                let choice = Choice::Act(action);
                // One that was injected before wins.
                let _ = task.chain.inject(engine, choice, info, handler);
            }
            (
                Some(Event::JobControl { .. } | Event::Quiesce),
                Verdict::Signal {
                    action: SignalAction::Stop,
                    info,
                    ..
                },
            ) => task.chain.stay(info.signo as u8),
            _ => {}
        }
    }

    /// PTRACE_INTERRUPT of a tracee whose stops are not leased: it stops where it stands still, or when
    /// it next can.
    fn on_interrupt(&mut self, host: &mut impl Host, id: TaskId) {
        let Some(task) = self.tasks.get_mut(id) else {
            return;
        };
        let Some((engine, tracee)) = task.ptrace() else {
            return;
        };
        tracee.interrupt = true;
        if tracee.stopped {
            // Remembered: it makes the next stop.
            return;
        }
        task.refresh();
        let Ok(mut flags) = task.chain.engine(engine).map(|e| e.flags) else {
            return;
        };
        flags.state |= State::QUIESCE;
        // One that is dead does not stop any more.
        if task.chain.set_flags(engine, flags).is_ok() {
            self.settle(host, id);
        }
    }

    /// The engines that are told of a child before anybody else may attach to it: those of its creator
    /// that are being asked about it now.
    pub(crate) fn is_asked_about_child(&self, client: TaskId, tid: u32) -> bool {
        let creator = self.tasks.creator(tid).and_then(|id| self.tasks.get(id));
        creator.is_some_and(|creator| {
            let asked = creator.chain.asked();
            asked.is_some_and(|engine| creator.owner(engine) == Some(client))
        })
    }
}
