//! A report on its way along the chain of its task's engines, and what follows.

use crate::engine::{EngineId, Go, Next};
use crate::{Host, Tracer, host};
use abi::engine::Handle;
use abi::signal::Action;
use abi::tracer::{Answer, Call, Course, Event, Report, Verdict};
use abi::{Errno, TaskId};

impl Tracer {
    /// Drives a task's chain until somebody keeps the task or it has gone on. ESRCH if its report
    /// was no longer outstanding when it was to go on: it has been killed.
    pub(crate) fn run(&mut self, host: &mut impl Host, id: TaskId) -> Result<(), Errno> {
        loop {
            let task = self.tasks.get_mut(id).ok_or(Errno::ESRCH)?;
            let reported = task.chain.report().copied();
            match task.chain.advance() {
                Next::Idle | Next::Waiting(_) => return Ok(()),
                Next::Held { news, quiet } => return self.held(host, reported, news, quiet),
                Next::Tell(engine) => self.call_back(host, id, engine, Event::Reap, None),
                Next::Ask(engine, event, handler) if task.owner(engine).is_some() => {
                    self.call_back(host, id, engine, event, handler);
                }
                Next::Ask(engine, event, _) => {
                    let number = reported.map_or(0, |r| r.number);
                    let response = self.ptrace_report(host, id, event);
                    let task = self.tasks.get_mut(id).ok_or(Errno::ESRCH)?;
                    task.chain.answer(engine, number, response)?;
                    let stop = task.ptrace().and_then(|(_, tracee)| tracee.stop.take());
                    if let Some(stop) = stop
                        && self.publish(host, id, stop, event)
                    {
                        return Ok(());
                    }
                }
                Next::Go(go) => {
                    if let Some(info) = go.requeue {
                        host::signal(host, id, info, false)?;
                    }
                    return self.go_on(host, id, reported, go);
                }
            }
        }
    }

    /// No engine keeps a task.
    pub(super) fn go_on(
        &mut self,
        host: &mut impl Host,
        id: TaskId,
        reported: Option<Report>,
        go: Go,
    ) -> Result<(), Errno> {
        let event = reported.map(|report| report.event);
        let mut interrupt = false;
        let mut course = None;
        if event == Some(Event::Reap) {
            self.tasks.remove(id);
        } else if let Some(task) = self.tasks.get_mut(id) {
            task.refresh();
            interrupt = task.tracee().is_some_and(|tracee| tracee.interrupt);
            course = task.new_course();
            self.tell_calls(host, id);
        }
        let answer = Answer {
            task: id,
            number: go.number,
            course,
            verdict: go.verdict,
            quiet: go.quiet,
        };
        let answered = host::answer(host, answer);
        if answered.is_err()
            && let Some(task) = self.tasks.get_mut(id)
        {
            // It may not have heard of its course: that is said again.
            task.told = Course::default();
        }
        self.born(id, event);
        if self.tasks.get(id).is_some_and(|task| task.chain.is_empty()) {
            self.tasks.remove(id);
        } else if interrupt {
            self.on_interrupt(host, id);
        }
        answered
    }

    /// Which system calls are reported, where that has changed.
    pub(crate) fn tell_calls(&mut self, host: &mut impl Host, id: TaskId) {
        let Some(task) = self.tasks.get_mut(id) else {
            return;
        };
        let calls = task.calls();
        if task.told_calls != calls {
            task.told_calls = calls;
            let _ = host::done(host, &Call::SetCalls { task: id, calls });
        }
    }

    /// Calls a program's engine back. One whose owner is gone has nothing to say any more.
    pub(super) fn call_back(
        &mut self,
        host: &mut impl Host,
        id: TaskId,
        engine: EngineId,
        event: Event,
        handler: Option<Action>,
    ) {
        let Some(task) = self.tasks.get_mut(id) else {
            return;
        };
        if task.owner(engine).is_none() {
            return;
        }
        let handle = Handle {
            task: id,
            engine: engine.0,
        };
        let call = Call::CallBack {
            handle,
            number: task.chain.report().map_or(0, |report| report.number),
            event,
            handler,
        };
        match host::done(host, &call) {
            // Its next report says that it was killed.
            Ok(()) | Err(Errno::EAGAIN) => {}
            Err(_) => self.forget_engine(host, handle),
        }
    }

    /// An engine whose owner is gone, or that has just been attached in vain.
    pub(crate) fn forget_engine(&mut self, host: &mut impl Host, handle: Handle) {
        let Some(task) = self.tasks.get_mut(handle.task) else {
            return;
        };
        if let Ok(gone) = task.chain.forget(EngineId(handle.engine)) {
            self.tasks.discharge(gone.uid);
            let _ = host::done(host, &Call::Disengage { handle });
        }
    }

    /// The engines of a task have changed, or what they want: it goes on if nobody keeps it, and what
    /// is reported follows.
    pub(crate) fn settle(&mut self, host: &mut impl Host, id: TaskId) {
        let Some(task) = self.tasks.get_mut(id) else {
            return;
        };
        task.refresh();
        if task.chain.report().is_some() {
            let _ = self.run(host, id);
            return;
        }
        if task.chain.resume_action().stops() {
            self.tell_calls(host, id);
            return self.bring_to_a_stand(host, id);
        }
        let step = task.told.step;
        if let Some(course) = task.new_course() {
            // How it runs is said when it goes on.
            task.told.step = step;
            let call = Call::SetCourse {
                task: id,
                course,
                at_stop: false,
                quiesce: false,
            };
            let _ = host::done(host, &call);
        }
        self.tell_calls(host, id);
        if self.tasks.get(id).is_some_and(|task| task.chain.is_empty()) {
            self.tasks.remove(id);
        }
    }

    /// Every engine has been asked and some keep the task: a child it created need not wait, and who
    /// else is to be told of a stop may be.
    pub(super) fn held(
        &mut self,
        host: &mut impl Host,
        reported: Option<Report>,
        news: bool,
        quiet: bool,
    ) -> Result<(), Errno> {
        let Some(Report {
            task,
            number,
            event: event @ (Event::Clone { .. } | Event::JobControl { .. }),
            ..
        }) = reported.filter(|_| news)
        else {
            return Ok(());
        };
        self.born(task, Some(event));
        let call = Call::Seen {
            task,
            number,
            quiet,
        };
        host::done(host, &call)
    }

    /// A clone report is over: anyone may attach to the child.
    pub(super) fn born(&mut self, creator: TaskId, event: Option<Event>) {
        let Some(Event::Clone {
            child, child_tid, ..
        }) = event
        else {
            return;
        };
        self.tasks.born(child_tid, creator);
        if let Some(child) = self.tasks.get_mut(child) {
            child.chain.born();
        }
    }

    /// Whatever is reported of a task is over: it has been killed, or says something else.
    pub(super) fn is_over(&mut self, id: TaskId) {
        let report = self.tasks.get(id).and_then(|task| task.chain.report());
        let event = report.map(|report| report.event);
        self.born(id, event);
    }

    /// Answers a report that is not about tracing, of a task that may be a tracee nevertheless: it
    /// runs on as it did.
    pub(super) fn conclude(
        &mut self,
        host: &mut impl Host,
        id: TaskId,
        number: u32,
        verdict: Verdict,
    ) {
        let answer = Answer {
            task: id,
            number,
            course: None,
            verdict,
            quiet: false,
        };
        let _ = host::answer(host, answer);
    }

    /// Has the process manager bring a task to a stand, where nothing is reported of it now.
    pub(crate) fn bring_to_a_stand(&mut self, host: &mut impl Host, id: TaskId) {
        let Some(task) = self.tasks.get_mut(id) else {
            return;
        };
        let course = task.course();
        // How it runs is said when it goes on.
        let step = task.told.step;
        task.told = Course { step, ..course };
        let call = Call::SetCourse {
            task: id,
            course,
            at_stop: false,
            quiesce: true,
        };
        let _ = host::done(host, &call);
    }
}
