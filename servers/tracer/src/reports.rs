//! Reports: taken from the process manager, sent along the chain, answered.

use crate::engine::Next;
use crate::frame::Frame;
use crate::ptrace::{Entry, Request};
use crate::table::Kind;
use crate::{Host, Tracer, host};
use abi::tracer::{Call, Event, Report, Verdict};
use abi::{Errno, TaskId};

impl Tracer {
    /// Takes reports until there is none.
    pub fn on_reports(&mut self, host: &mut impl Host) {
        while let Some(report) = host::next(host) {
            self.on_report(host, report);
            if !report.more {
                break;
            }
        }
    }

    fn on_report(&mut self, host: &mut impl Host, report: Report) {
        let Report { task, number, .. } = report;
        match report.event {
            Event::Ptrace { .. } | Event::ClientExit => self.break_stop(task),
            _ => {}
        }
        match report.event {
            Event::Ptrace { args } => {
                let request = Request::new(task, Entry::SystemCall, args);
                let (result, _) = self.ptrace(host, &request);
                self.conclude(host, task, number, Verdict::Result(result));
            }
            Event::ClientExit => {
                self.client_exit(host, task);
                self.conclude(host, task, number, Verdict::Continue);
            }
            _ => self.on_event(host, report),
        }
    }

    /// A task may be at a stop that the process manager has published by itself: now it is known
    /// here too, as if it had been reported.
    pub(crate) fn see(&mut self, host: &mut impl Host, id: TaskId) {
        if self.tasks.get(id).is_some_and(|task| task.may_be_unseen())
            && let Some(report) = host::take(host, id)
        {
            self.on_event(host, report);
        }
    }

    /// A task at a stop makes no report but when it was killed there: the stop is gone, and nobody
    /// needs to answer it.
    fn break_stop(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.get_mut(id)
            && task.chain.withdraw()
            && let Some((_, tracee)) = task.ptrace()
        {
            tracee.break_stop();
        }
    }

    fn on_event(&mut self, host: &mut impl Host, report: Report) {
        let id = report.task;
        self.tasks.retid(id, report.tid);
        self.break_stop(id);
        let Some(task) = self.tasks.get_mut(id) else {
            // It was detached while this was on its way.
            return self.conclude(host, id, report.number, Verdict::Continue);
        };
        task.frame = Frame::new(report.in_call);
        task.chain.begin(report);
        // The task may be killed before its report is answered; it will be reported dead.
        let _ = self.run(host, id);
    }

    /// Drives a task's chain until somebody keeps the task or it has gone on. ESRCH if its report
    /// was no longer outstanding when it was to go on: it has been killed.
    pub(crate) fn run(&mut self, host: &mut impl Host, id: TaskId) -> Result<(), Errno> {
        loop {
            let task = self.tasks.get_mut(id).ok_or(Errno::ESRCH)?;
            let reported = task.chain.report().copied();
            match task.chain.advance() {
                Next::Idle | Next::Waiting(_) => return Ok(()),
                Next::Held => return self.held(host, reported),
                Next::Tell(_) => {}
                Next::Ask(engine, event) => {
                    let Kind::Ptrace(_) = task.chain.engine(engine)?.kind;
                    let response = self.ptrace_report(host, id, event);
                    let task = self.tasks.get_mut(id).ok_or(Errno::ESRCH)?;
                    let number = reported.map_or(0, |r| r.number);
                    let had_stop = response.state.is_some_and(|s| !s.is_empty());
                    task.chain.answer(engine, number, response)?;
                    let code = task
                        .ptrace()
                        .and_then(|(_, t)| t.stop.as_ref().map(|s| s.code));
                    let posted = reported.is_some_and(|r| r.posted);
                    if let (true, false, Some(code)) = (had_stop, posted, code) {
                        self.publish(host, id, code);
                    }
                }
                Next::Go(go) => {
                    if let Some(info) = go.requeue {
                        host::signal(host, id, info, false)?;
                    }
                    let answer = task.answer(id, go.number, go.verdict);
                    return match reported.map(|r| r.event) {
                        Some(Event::Reap) => {
                            self.tasks.remove(id);
                            host::answer(host, answer)
                        }
                        Some(Event::Death { .. }) => host::answer(host, answer),
                        event => {
                            self.subscribe(host, id)?;
                            host::answer(host, answer)?;
                            self.after(host, id, event)
                        }
                    };
                }
            }
        }
    }

    /// Every engine has been asked and some keep the task: a child it created need not wait.
    fn held(&mut self, host: &mut impl Host, reported: Option<Report>) -> Result<(), Errno> {
        if let Some(Report {
            task,
            number,
            event: Event::Clone { child, .. },
            ..
        }) = reported
            && self
                .tasks
                .get_mut(child)
                .is_none_or(|child| child.chain.born())
        {
            host::done(host, &Call::StartChild { task, number })?;
        }
        Ok(())
    }

    /// What is left to do once a task goes on.
    fn after(
        &mut self,
        host: &mut impl Host,
        id: TaskId,
        event: Option<Event>,
    ) -> Result<(), Errno> {
        if let Some(Event::Clone { child, .. }) = event
            && let Some(child) = self.tasks.get_mut(child)
        {
            child.chain.born();
        }
        let interrupted = self
            .tasks
            .get_mut(id)
            .and_then(|t| t.ptrace())
            .is_some_and(|(_, tracee)| tracee.interrupt);
        if interrupted {
            self.quiesce(host, id)?;
        }
        Ok(())
    }

    /// Has the process manager report what the engines ask for, if that has changed.
    pub(crate) fn subscribe(&mut self, host: &mut impl Host, id: TaskId) -> Result<(), Errno> {
        let task = self.tasks.get_mut(id).ok_or(Errno::ESRCH)?;
        let wanted = (task.events(), task.posting());
        if wanted != task.subscribed {
            host::set_events(host, id, wanted, false)?;
            task.subscribed = wanted;
        }
        Ok(())
    }

    /// The same, and has the task brought to a stand.
    pub(crate) fn quiesce(&mut self, host: &mut impl Host, id: TaskId) -> Result<(), Errno> {
        let task = self.tasks.get_mut(id).ok_or(Errno::ESRCH)?;
        let wanted = (task.events(), task.posting());
        host::set_events(host, id, wanted, true)?;
        task.subscribed = wanted;
        Ok(())
    }
}
