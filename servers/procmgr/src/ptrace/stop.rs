//! Stops: which the process manager makes by itself, and what can be asked of one.

use super::{Done, OK, Request};
use crate::Procmgr;
use crate::hold::Hold;
use crate::machine::Machine;
use crate::process::ProcessIx;
use crate::task::State;
use crate::wait::message_result;
use abi::linux::general::SA_NOCLDSTOP;
use abi::linux::ptrace as nr;
use abi::ptrace::{Mode, Stop, StopKind};
use abi::signal::{SIGCHLD, SIGTRAP, code};
use abi::{Errno, SigInfo, TaskId};
use alloc::boxed::Box;

/// A task at a ptrace stop.
#[derive(Clone, Hash)]
pub struct Stopped {
    /// The stop.
    pub stop: Stop,
    /// Nobody has waited for it.
    pub unseen: bool,
    /// PTRACE_LISTEN: still held, but not for requests.
    pub listening: bool,
    /// It is in its tracer's page of stops,
    pub shown: bool,
    /// with something to read.
    pub readable: bool,
    /// What PTRACE_SETSIGINFO made of its siginfo.
    pub info: Option<Box<SigInfo>>,
}

impl Stopped {
    fn new(stop: Stop) -> Stopped {
        Stopped {
            stop,
            unseen: true,
            listening: false,
            shown: false,
            readable: false,
            info: None,
        }
    }
}

impl Procmgr {
    /// The stop that an event is of a task that is leased; none for what the tracer has to hear of.
    pub(crate) fn leased_stop(&self, id: TaskId, event: &Hold) -> Option<Stop> {
        let task = self.task(id);
        let bond = task.trace.bond.filter(|_| task.trace.leased)?;
        task.trace.tracer?;
        Some(match *event {
            Hold::SyscallEntry => {
                let emulated = task.trace.mode == Mode::Emulate;
                Stop::syscall(StopKind::SyscallEntry { emulated }, bond.options)
            }
            Hold::SyscallExit => Stop::syscall(StopKind::SyscallExit, bond.options),
            Hold::Signal { .. } => Stop::signal(task.trace.signal.signo as u8 & 0x7f),
            Hold::HandlerStep => Stop::handler_step(),
            Hold::Quiesce => match (self.process(task.process).stopped, bond.seized) {
                (Some(signo), false) => Stop::group(signo),
                (signo, _) => Stop::event_stop(signo.unwrap_or(SIGTRAP)),
            },
            Hold::JobControl { signo, stop: true } if bond.seized => Stop::event_stop(signo),
            Hold::JobControl { signo, stop: true } => Stop::group(signo),
            Hold::JobControl { stop: false, .. } => Stop::event_stop(SIGTRAP),
            _ => return None,
        })
    }

    /// Publishes a stop of a held task and tells its tracer, whose wait wakes even where it ignores
    /// SIGCHLD. Order: the task is held, the stop is published, then somebody hears of it.
    pub(crate) fn publish(&mut self, m: &mut impl Machine, id: TaskId, stop: Stop) {
        let Some(tracer) = self.task(id).trace.tracer else {
            return;
        };
        let Ok(waiter) = self.find_task(tracer) else {
            return;
        };
        let ix = waiter.process;
        let sole_waiter = self.sole_waiter(ix, id);
        let trace = &mut self.task_mut(id).trace;
        let before = trace.stopped.replace(Stopped {
            unseen: sole_waiter.is_none(),
            ..Stopped::new(stop)
        });
        // Any stop is the one that PTRACE_INTERRUPT asked for, and an event-stop of its kind tells
        // of SIGCONT as well.
        trace.quiesce = false;
        trace.continued &= stop.code >> 8 != nr::PTRACE_EVENT_STOP;
        self.show_new_stop(m, id, ix);
        let signal = self.stop_signal(ix, id, stop);
        match sole_waiter {
            Some((waiter, landing)) => {
                if let Some(info) = signal {
                    self.queue(m, ix, None, info);
                }
                let status = stop.status();
                let task = self.task_mut(waiter);
                task.usage.waits += 1;
                task.state = State::Moving;
                let result = message_result(self.task(id).tid, status);
                self.land(m, waiter, landing, result);
            }
            None => {
                if !before.is_some_and(|before| before.unseen) {
                    // There is room for every tracee.
                    self.process_mut(ix).stops.push_back(id);
                }
                self.tell_of_stop(m, ix, signal);
            }
        }
    }

    /// The SIGCHLD that a tracer's process gets for a stop, unless it wants none.
    fn stop_signal(&self, ix: ProcessIx, id: TaskId, stop: Stop) -> Option<SigInfo> {
        let action = self.process(ix).actions.get(SIGCHLD);
        if action.flags & u64::from(SA_NOCLDSTOP) != 0 || !self.hears(ix) {
            return None;
        }
        let task = self.task(id);
        let uid = task.credentials.uid[0];
        let status = stop.signo().into();
        Some(SigInfo::child(
            code::CLD_TRAPPED,
            task.tid,
            uid,
            status,
            0,
            0,
        ))
    }

    /// A report of a task is over, or withdrawn; if it was a stop, the task leaves it.
    pub(crate) fn end_hold(&mut self, m: &mut impl Machine, id: TaskId) {
        self.end_stop(m, id);
        self.task_mut(id).trace.end_report();
    }

    /// A task leaves its stop.
    pub(crate) fn end_stop(&mut self, m: &mut impl Machine, id: TaskId) {
        self.end_shown_stop(m, id);
        let trace = &mut self.task_mut(id).trace;
        if let Some(stopped) = trace.stopped.take()
            && stopped.unseen
            && let Some(tracer) = trace.tracer
        {
            self.stop_is_seen(id, tracer);
        }
    }

    /// Somebody has waited for a stop, or it is over.
    pub(crate) fn stop_is_seen(&mut self, id: TaskId, tracer: TaskId) {
        if let Ok(tracer) = self.find_task(tracer) {
            let ix = tracer.process;
            let stops = &mut self.process_mut(ix).stops;
            match stops.front() {
                Some(first) if *first == id => drop(stops.pop_front()),
                _ => stops.retain(|stopped| *stopped != id),
            }
        }
    }

    /// A3, steps 6 and 7: a tracee at a stop, which a listening one is not.
    #[inline(always)]
    pub(crate) fn at_stop(&self, id: TaskId) -> Result<&Stopped, Errno> {
        let task = self.task(id);
        match (&task.state, &task.trace.stopped) {
            (State::Held(_), Some(stopped)) if !stopped.listening => Ok(stopped),
            _ => Err(Errno::ESRCH),
        }
    }

    /// The same, to change it.
    pub(super) fn at_stop_mut(&mut self, id: TaskId) -> Result<&mut Stopped, Errno> {
        self.at_stop(id)?;
        let stopped = &mut self.task_mut(id).trace.stopped;
        stopped.as_mut().ok_or(Errno::ESRCH)
    }

    /// The siginfo of a stop, if it has one.
    pub(super) fn stop_info(&self, id: TaskId) -> Result<Option<SigInfo>, Errno> {
        let stopped = self.at_stop(id)?;
        if let Some(info) = &stopped.info {
            return Ok(Some(**info));
        }
        let task = self.task(id);
        if stopped.stop.kind == StopKind::Signal {
            return Ok(Some(task.trace.signal));
        }
        let uid = task.credentials.uid[0];
        Ok(stopped.stop.info(task.tid, uid))
    }

    /// PTRACE_GETEVENTMSG.
    pub(super) fn event_message(
        &mut self,
        m: &mut impl Machine,
        r: &Request,
    ) -> Result<Done, Errno> {
        let message = self.at_stop(r.target)?.stop.message;
        self.put(m, r.client, r.data, &message.to_le_bytes())?;
        Ok(OK)
    }
}
