//! Reports: taken from the process manager, sent along the chain, answered.

use crate::engine::{Choice, EngineId, Go, Next, Response, State};
use crate::ptrace::Request;
use crate::{Host, Tracer, host};
use abi::engine::Handle;
use abi::errno::to_rax;
use abi::ptrace::{Mode, Stop, StopKind};
use abi::signal::Action;
use abi::tracer::{Answer, Call, Course, Event, Reply, Report, SignalAction, Step, Verdict};
use abi::{Errno, TaskId};

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
        self.tasks.retid(id, report.tid);
        self.is_over(id);
        let Some(task) = self.tasks.get_mut(id) else {
            // It was detached while this was on its way.
            return self.conclude(host, id, report.number, Verdict::Continue);
        };
        task.chain.begin(report);
        if let Some(engine) = report.asked {
            task.chain.asked_before(EngineId(engine));
        }
        if let Event::Clone { child_tid, .. } = report.event {
            self.tasks.expect(child_tid, id);
        }
        // The task may be killed before its report is answered; it will be reported dead.
        let _ = self.run(host, id);
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
    fn go_on(
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
    fn call_back(
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

    /// Makes a stop visible to the tracer's wait. Where the task's stops can be leased, the report
    /// is given away with it; whether it was.
    fn publish(&mut self, host: &mut impl Host, id: TaskId, stop: Stop, event: Event) -> bool {
        let Some(task) = self.tasks.get_mut(id) else {
            return false;
        };
        let Some(report) = task.chain.report().copied() else {
            return false;
        };
        let course = task.course();
        if course.leased {
            task.chain.withdraw();
            task.told = course;
        } else if let Some((_, tracee)) = task.ptrace() {
            tracee.stopped = true;
        }
        let call = Call::Post {
            task: id,
            number: report.number,
            stop,
            info: match event {
                Event::Signal { info, .. } => Some(info),
                _ => None,
            },
            course: course.leased.then_some(course),
        };
        // A task that was killed meanwhile says so with its next report.
        let _ = host::done(host, &call);
        if course.leased {
            self.born(id, Some(report.event));
        }
        course.leased
    }

    /// Every engine has been asked and some keep the task: a child it created need not wait, and who
    /// else is to be told of a stop may be.
    fn held(
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
    fn born(&mut self, creator: TaskId, event: Option<Event>) {
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
    fn is_over(&mut self, id: TaskId) {
        let report = self.tasks.get(id).and_then(|task| task.chain.report());
        let event = report.map(|report| report.event);
        self.born(id, event);
    }

    /// Answers a report that is not about tracing, of a task that may be a tracee nevertheless: it
    /// runs on as it did.
    fn conclude(&mut self, host: &mut impl Host, id: TaskId, number: u32, verdict: Verdict) {
        let answer = Answer {
            task: id,
            number,
            course: None,
            verdict,
            quiet: false,
        };
        let _ = host::answer(host, answer);
    }

    /// Takes back what the process manager settles by itself about a task, because another engine is
    /// going to have a word in it.
    pub(crate) fn recall(&mut self, host: &mut impl Host, id: TaskId) -> Result<(), Errno> {
        let Some(task) = self.tasks.get_mut(id) else {
            return Ok(());
        };
        if !task.told.leased && !task.told.relayed {
            return Ok(());
        }
        let Reply::Recalled(recalled) = host::ask(host, &Call::Recall { task: id })? else {
            return Err(Errno::EINVAL);
        };
        task.told.leased = false;
        task.told.relayed = false;
        let Some((engine, tracee)) = task.ptrace() else {
            if let Some(report) = recalled.report {
                task.chain.begin(report);
                if let Some(engine) = report.asked {
                    task.chain.asked_before(EngineId(engine));
                }
            }
            return Ok(());
        };
        tracee.mode = recalled.mode;
        tracee.stopped = recalled.stop.is_some();
        let mut state = match recalled.step {
            Step::None => State::empty(),
            Step::Single => State::SINGLESTEP,
        };
        if recalled.stop.is_some() {
            state = State::QUIESCE;
        }
        task.chain.set_state(engine, state)?;
        let Some(report) = recalled.report else {
            return Ok(());
        };
        let Some(stop) = recalled.stop else {
            // It waits to be taken as any other.
            task.chain.begin(report);
            return Ok(());
        };
        let response = Response {
            state: Some(State::QUIESCE),
            abort: stop.kind == StopKind::SyscallEntry { emulated: true },
            signal: (stop.kind == StopKind::Signal).then_some(Choice::Act(SignalAction::Ignore)),
            ..Response::default()
        };
        task.chain.begin_seen(report, &[(engine, response)]);
        Ok(())
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
