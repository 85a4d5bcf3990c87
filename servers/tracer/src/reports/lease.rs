//! What the process manager settles by itself: given away and taken back ([`Course::leased`],
//! [`Course::relayed`]).

use crate::engine::{Choice, Response, State};
use crate::{Host, Tracer, host};
use abi::ptrace::{Stop, StopKind};
use abi::tracer::{Call, Event, Reply, SignalAction, Step};
use abi::{Errno, TaskId};

impl Tracer {
    /// Makes a stop visible to the tracer's wait. Where the task's stops can be leased, the report
    /// is given away with it; whether it was.
    pub(super) fn publish(
        &mut self,
        host: &mut impl Host,
        id: TaskId,
        stop: Stop,
        event: Event,
    ) -> bool {
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
                self.begin_report(report);
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
            self.begin_report(report);
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
}
