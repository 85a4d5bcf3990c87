//! The tracer begins anew, because it was started or because it has faulted: it knows of nothing.
//!
//! What it held goes on as if every tracer had ended: stops are over, and a tracee with PTRACE_O_EXITKILL is
//! killed. Programs are told of their engines' end. Messages to the tracer are said again, but for the one over which it
//! has faulted: that would do so again.

use crate::Procmgr;
use crate::hold::{Going, Hold};
use crate::machine::Machine;
use crate::report::ToTracer;
use crate::task::State;
use crate::trace::Attached;
use abi::engine::Handle;
use abi::tracer::Step;
use abi::{Errno, TaskId};
use alloc::vec::Vec;

impl Procmgr {
    /// [`Call::Begin`](abi::tracer::Call::Begin).
    pub(super) fn tracer_begins(&mut self, m: &mut impl Machine, over: Option<TaskId>) {
        self.reports.forget_tracer();
        if let Some(id) = over {
            self.fail_message(m, id, Errno::EIO);
        }
        let tasks: Vec<TaskId> = self.all_tasks().map(|task| task.id).collect();
        for id in tasks {
            // What goes on may end others.
            if self.find_task(id).is_ok() {
                self.lose_engines(m, id);
                self.lose_bond(m, id);
            }
            if self.find_task(id).is_ok() {
                self.lose_dealings(m, id);
            }
        }
    }

    /// Each engine's client is told of its end, as of its task's.
    fn lose_engines(&mut self, m: &mut impl Machine, id: TaskId) {
        for engine in self.task(id).trace.engines.clone() {
            if self.find_task(engine.client).is_ok() {
                let handle = Handle {
                    task: id,
                    engine: engine.number,
                };
                self.tell_of_reap(m, handle, engine);
            }
        }
        self.disengage_all(id);
        let trace = &mut self.task_mut(id).trace;
        trace.asked = None;
        trace.answered = None;
    }

    /// Whatever the tracer holds of a task goes on. Of a bond that it has not been told of it holds nothing.
    fn lose_bond(&mut self, m: &mut impl Machine, id: TaskId) {
        let trace = &self.task(id).trace;
        match trace.attached {
            Attached::No => return,
            Attached::Untold => {
                if trace.stopped.is_none() && self.is_at_event(id) {
                    self.tell_tracer(m, id, ToTracer::Report);
                }
                return;
            }
            Attached::Told => {}
        }
        if trace.tracer.is_some() {
            // A task that is there cannot refuse.
            let _ = self.leave_at_exit(m, id);
            return;
        }
        self.task_mut(id).trace.end_bond(None);
        match self.task(id).state {
            State::Held(Hold::Ptrace { .. } | Hold::ClientExit) => {}
            State::Held(_) => self.go_on_from_stop(m, id, Step::None, Going::Continue),
            _ => {}
        }
    }

    /// Its own dealings with the tracer, as somebody who traces.
    fn lose_dealings(&mut self, m: &mut impl Machine, id: TaskId) {
        let task = self.task_mut(id);
        match task.state {
            State::Running => self.interrupt(m, id),
            State::Held(Hold::Ptrace { .. }) if !task.trace.taken => {
                self.tell_tracer(m, id, ToTracer::Report);
            }
            State::Held(Hold::Ptrace { .. }) => {
                let going = Going::Result(Errno::EIO.as_result());
                self.go_on_from_stop(m, id, Step::None, going);
            }
            State::Held(Hold::ClientExit) => {
                self.go_on_from_stop(m, id, Step::None, Going::Continue);
            }
            _ => task.trace.client = false,
        }
    }
}
