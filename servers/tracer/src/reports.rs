//! Reports: taken from the process manager, sent along the chain, answered.

use crate::engine::Next;
use crate::ptrace::Request;
use crate::table::Kind;
use crate::{Host, Tracer, host};
use abi::errno::to_rax;
use abi::ptrace::Stop;
use abi::tracer::{Answer, Call, Event, Report, Verdict};
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
        if let Some(task) = self.tasks.get_mut(id) {
            task.chain.withdraw();
        }
    }

    fn on_event(&mut self, host: &mut impl Host, report: Report) {
        let id = report.task;
        self.tasks.retid(id, report.tid);
        let Some(task) = self.tasks.get_mut(id) else {
            // It was detached while this was on its way.
            return self.conclude(host, id, report.number, Verdict::Continue);
        };
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
                    task.chain.answer(engine, number, response)?;
                    let stop = task.ptrace().and_then(|(_, tracee)| tracee.stop.take());
                    if let Some(stop) = stop
                        && self.publish(host, id, stop)
                    {
                        return Ok(());
                    }
                }
                Next::Go(go) => {
                    if let Some(info) = go.requeue {
                        host::signal(host, id, info, false)?;
                    }
                    let event = reported.map(|report| report.event);
                    if event == Some(Event::Reap) {
                        self.tasks.remove(id);
                    }
                    let course = self.tasks.get_mut(id).and_then(|task| task.new_course());
                    let answer = Answer {
                        task: id,
                        number: go.number,
                        course,
                        verdict: go.verdict,
                    };
                    host::answer(host, answer)?;
                    self.born(event);
                    return Ok(());
                }
            }
        }
    }

    /// Makes a stop visible to the tracer's wait. Where the task's stops can be leased, the report
    /// is given away with it; whether it was.
    fn publish(&mut self, host: &mut impl Host, id: TaskId, stop: Stop) -> bool {
        let Some(task) = self.tasks.get_mut(id) else {
            return false;
        };
        let Some(report) = task.chain.report().copied() else {
            return false;
        };
        let course = task.course();
        let leased = course.lease.is_some();
        if leased {
            task.chain.withdraw();
            task.told = Some(course);
        }
        let call = Call::Post {
            task: id,
            number: report.number,
            stop,
            course: leased.then_some(course),
        };
        // A task that was killed meanwhile says so with its next report.
        let _ = host::done(host, &call);
        if leased {
            self.born(Some(report.event));
        }
        leased
    }

    /// Every engine has been asked and some keep the task: a child it created need not wait.
    fn held(&mut self, host: &mut impl Host, reported: Option<Report>) -> Result<(), Errno> {
        if let Some(Report {
            task,
            number,
            event: Event::Clone { .. },
            ..
        }) = reported
            && self.born(reported.map(|report| report.event))
        {
            host::done(host, &Call::StartChild { task, number })?;
        }
        Ok(())
    }

    /// A clone report is over: anyone may attach to the child. Whether that is news.
    fn born(&mut self, event: Option<Event>) -> bool {
        let Some(Event::Clone { child, .. }) = event else {
            return false;
        };
        let child = self.tasks.get_mut(child);
        child.is_none_or(|child| child.chain.born())
    }

    /// Answers a report that is not about tracing, of a task that may be a tracee nevertheless: it
    /// runs on as it did.
    fn conclude(&mut self, host: &mut impl Host, id: TaskId, number: u32, verdict: Verdict) {
        let answer = Answer {
            task: id,
            number,
            course: None,
            verdict,
        };
        let _ = host::answer(host, answer);
    }
}
