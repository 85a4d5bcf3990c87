//! What the tracer is told: events that hold their task, and how tasks go on.

use super::ToTracer;
use crate::Procmgr;
use crate::hold::{Hold, Resumed};
use crate::machine::Machine;
use crate::task::State;
use abi::TaskId;
use abi::tracer::{Reply, Report};

impl Procmgr {
    /// Holds a task and reports it to the tracer. Order: hold, publish, notify.
    pub(crate) fn report(&mut self, m: &mut impl Machine, id: TaskId, event: Hold) {
        let stop = self.leased_stop(id, &event);
        let task = self.task_mut(id);
        task.report_number = task.report_number.wrapping_add(1);
        task.trace.taken = false;
        task.trace.seen = false;
        task.state = State::Held(event);
        if let Some(stop) = stop {
            return self.publish(m, id, stop);
        }
        if !self.relay(m, id, &event) {
            self.tell_tracer(m, id, ToTracer::Report);
        }
    }

    /// Something for the tracer to take.
    pub(crate) fn tell_tracer(&mut self, m: &mut impl Machine, id: TaskId, what: ToTracer) {
        let first = self.reports.to_tracer.is_empty();
        if self.reports.to_tracer.contains(&(id, what)) {
            return;
        }
        self.reports.to_tracer.push_back((id, what));
        if first {
            m.notify_tracer();
        }
    }

    /// The next thing for the tracer. What was withdrawn meanwhile is passed over, whatever holds its
    /// task now.
    pub(crate) fn next_for_tracer(&mut self) -> Reply {
        while let Some((id, what)) = self.reports.to_tracer.pop_front() {
            if what == ToTracer::Report
                && self.is_at_event(id)
                && let Some(adopted) = self.hand_over(id)
            {
                self.reports.to_tracer.push_front((id, what));
                return adopted;
            }
            let reply = match what {
                ToTracer::Report => self.next_report(id).map(Reply::Report),
                ToTracer::Answered => self.take_answered(id),
                ToTracer::Resumed => self.take_resumed(id),
                ToTracer::Interrupt => {
                    let found = self.find_task(id).is_ok();
                    found.then_some(Reply::Interrupt { task: id })
                }
                ToTracer::Begun => {
                    let found = self.find_task(id).is_ok();
                    found.then_some(Reply::Begun { task: id })
                }
            };
            if let Some(reply) = reply {
                return reply;
            }
        }
        Reply::None
    }

    /// Whether a task is held by an event of its own, which engines have a word in.
    pub(crate) fn is_at_event(&self, id: TaskId) -> bool {
        let task = self.find_task(id);
        task.is_ok_and(|t| matches!(t.state, State::Held(hold) if hold.is_event()))
    }

    fn next_report(&mut self, id: TaskId) -> Option<Report> {
        let leased = self.find_task(id).ok()?.trace.stopped.is_some();
        if leased {
            return None;
        }
        self.take_report(id)
    }

    /// How a tracee goes on from its stop, for the tracer.
    fn take_resumed(&mut self, id: TaskId) -> Option<Reply> {
        let number = self.find_task(id).ok()?.report_number;
        let trace = &mut self.task_mut(id).trace;
        let Resumed { mode, step, going } = trace.resumed.take()?;
        Some(Reply::Resumed {
            task: id,
            number,
            mode,
            step,
            verdict: going.verdict(trace.signal),
        })
    }

    /// The report a task is held by, if the tracer has not taken it.
    pub(crate) fn take_report(&mut self, id: TaskId) -> Option<Report> {
        let more = !self.reports.to_tracer.is_empty();
        let task = self.find_task(id).ok()?;
        let State::Held(event) = task.state else {
            return None;
        };
        if task.trace.taken {
            return None;
        }
        let report = Report {
            task: id,
            tid: task.tid,
            number: task.report_number,
            more,
            stopped: match event {
                Hold::Reap => 0,
                _ => self.process(task.process).stopped.unwrap_or(0),
            },
            call: match event {
                Hold::SyscallEntry | Hold::SyscallExit => {
                    task.registers.call_number().unwrap_or(u64::MAX)
                }
                _ => 0,
            },
            asked: task.trace.asked_already(),
            event: event.event(task.trace.signal),
        };
        self.task_mut(id).trace.taken = true;
        Some(report)
    }
}
