//! What the tracer asks for.

mod anew;
mod answer;
mod attach;
mod leave;
mod untold;

use crate::Procmgr;
use crate::hold::Hold;
use crate::machine::Machine;
use crate::task::State;
use abi::engine::Calls;
use abi::tracer::{Call, Recalled, Reply};
use abi::{Errno, SigInfo, TaskId};

impl Procmgr {
    pub(crate) fn tracer_call(
        &mut self,
        m: &mut impl Machine,
        call: &Call,
    ) -> Result<Reply, Errno> {
        match *call {
            Call::Begin { over } => self.tracer_begins(m, over),
            Call::Next => return Ok(self.next_for_tracer()),
            Call::Find { tid } => {
                let task = self.by_tid(tid).ok_or(Errno::ESRCH)?;
                return Ok(Reply::Found { task });
            }
            Call::CheckTracer { client, tid } => {
                self.named_task(client)?;
                let tid = i32::try_from(tid).map_err(|_| Errno::ESRCH)?;
                let task = self.own_tracee(client, tid)?;
                return Ok(Reply::Found { task });
            }
            Call::Adopt { task } => return Ok(self.hand_over(task).unwrap_or(Reply::None)),
            Call::Who { task } => {
                // Of one that exits already nobody might say so any more.
                if !self.named_task(task)?.alive() {
                    return Err(Errno::ESRCH);
                }
                self.task_mut(task).trace.client = true;
                let watches = self.watches(task);
                let task = self.task(task);
                let (tid, uid) = (task.tid, task.credentials.uid[0]);
                return Ok(Reply::Who { tid, uid, watches });
            }
            Call::Trace {
                tid,
                known,
                tracer,
                ref course,
                first,
            } => {
                let traced = self.trace(m, (tid, known), tracer, course, first)?;
                return Ok(self.told(traced));
            }
            Call::TraceMe { task, ref course } => {
                let traced = self.trace_me(m, task, course)?;
                return Ok(self.told(traced));
            }
            Call::TraceChild {
                task,
                creator,
                ref course,
                first,
            } => {
                let traced = self.trace_child(m, task, creator, course, first)?;
                return Ok(self.told(traced));
            }
            Call::Recall { task } => return self.recall(task).map(Reply::Recalled),
            Call::Leave {
                task,
                why,
                ref course,
            } => return self.leave_tracee(m, task, why, course.as_ref()),
            Call::SetCourse {
                task,
                ref course,
                at_stop,
                quiesce,
            } => {
                self.named_task(task)?;
                if at_stop {
                    self.at_stop(task)?;
                }
                self.task_mut(task).trace.set_course(course);
                if quiesce {
                    self.quiesce(m, task);
                }
            }
            Call::Answer(ref answer) => self.answered(m, answer)?,
            Call::Seen {
                task,
                number,
                quiet,
            } => match self.held_by(task, number)? {
                Hold::Clone { .. } => self.start_created(m, task),
                Hold::JobControl { .. } => self.stop_reported(m, task, quiet),
                _ => return Err(Errno::EINVAL),
            },
            Call::Post {
                task,
                number,
                stop,
                info,
                ref course,
            } => {
                self.held_by(task, number)?;
                self.task(task).trace.tracer.ok_or(Errno::ESRCH)?;
                let trace = &mut self.task_mut(task).trace;
                trace.signal = info.unwrap_or(trace.signal);
                if let Some(course) = course {
                    trace.set_course(course);
                    trace.taken = !course.leased;
                    self.start_created(m, task);
                }
                self.publish(m, task, stop);
            }
            Call::Engage {
                task,
                client,
                engine,
                data,
            } => return self.engage(task, client, engine, data),
            Call::Disengage { handle } => self.disengage(m, handle)?,
            Call::CallBack {
                handle,
                number,
                event,
                handler,
            } => self.call_back(m, handle, number, event, handler)?,
            Call::SetCalls { task, ref calls } => {
                self.named_task(task)?;
                self.task_mut(task).trace.set_calls(calls);
            }
            Call::ReadCalls { client, addr } => {
                self.named_task(client)?;
                return Ok(Reply::Calls(Calls(self.get_words(m, client, addr)?)));
            }
            Call::ReadSignal {
                client,
                info,
                action,
            } => {
                self.named_task(client)?;
                let info = self.read_siginfo(m, client, info)?;
                let handler = match action {
                    0 => None,
                    at => Some(self.read_action(m, client, at)?),
                };
                return Ok(Reply::Signal { info, handler });
            }
            Call::Signal { task, info, force } => self.signal_for_tracer(m, task, info, force)?,
        }
        Ok(Reply::Done)
    }

    /// The tracer has made a bond itself.
    fn told(&mut self, traced: Reply) -> Reply {
        if let Reply::Traced { task, tracer, .. } = traced {
            self.tracer_knows(task, tracer);
        }
        traced
    }

    /// The event a task is held by, if the report has this number and was taken.
    pub(crate) fn held_by(&self, id: TaskId, number: u32) -> Result<Hold, Errno> {
        let task = self.find_task(id)?;
        match task.state {
            State::Held(event) if task.report_number == number && task.trace.taken => Ok(event),
            _ => Err(Errno::ESRCH),
        }
    }

    /// Brings a task to a stand for the tracer, or when it next runs.
    pub(crate) fn quiesce(&mut self, m: &mut impl Machine, id: TaskId) {
        match self.task(id).state {
            State::Zombie => {}
            State::Stopped => {
                self.task_mut(id).state = State::Moving;
                self.report(m, id, Hold::Quiesce);
            }
            _ => {
                self.task_mut(id).trace.quiesce = true;
                self.interrupt(m, id);
            }
        }
    }

    fn recall(&mut self, id: TaskId) -> Result<Recalled, Errno> {
        self.named_task(id)?;
        // What it asks of the tracer, and its end, are nothing that is settled here.
        let report = match self.is_at_event(id) {
            true => self.take_report(id),
            false => None,
        };
        let trace = &mut self.task_mut(id).trace;
        let stop = trace.stopped.as_ref().map(|stopped| stopped.stop);
        trace.recall();
        let (mode, step) = (trace.mode, trace.step);
        Ok(Recalled {
            report,
            stop,
            mode,
            step,
        })
    }

    fn signal_for_tracer(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        info: SigInfo,
        force: bool,
    ) -> Result<(), Errno> {
        let alive = self.named_task(id)?.alive();
        info.signal().ok_or(Errno::EINVAL)?;
        if !alive {
            return Err(Errno::ESRCH);
        }
        if !force {
            return self.signal_task(m, id, info);
        }
        self.push_signal(m, id, info);
        Ok(())
    }

    /// A signal the tracer puts on a task whatever it blocks or ignores: it will be reported.
    fn push_signal(&mut self, m: &mut impl Machine, id: TaskId, info: SigInfo) {
        if info.signal() == Some(abi::signal::SIGKILL) {
            // SIGKILL cannot fail to be queued.
            let _ = self.signal_task(m, id, info);
            return;
        }
        self.queue(m, self.process_of(id), Some(id), info);
        self.wake_for_signal(m, id);
    }
}
