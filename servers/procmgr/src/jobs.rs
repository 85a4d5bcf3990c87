//! Job control: stopping and continuing whole processes, orphaned groups.

use crate::Procmgr;
use crate::hold::Hold;
use crate::machine::Machine;
use crate::process::ProcessIx;
use crate::task::State;
use crate::usage::TICK_NS;
use abi::linux::general::SA_NOCLDSTOP;
use abi::signal::{SIGCHLD, SIGCONT, code};
use abi::tracer::Events;
use abi::{SigInfo, TaskId};

impl Procmgr {
    /// A stop signal is acted on: every task of the process stops when it next could return.
    pub(crate) fn stop_process(&mut self, m: &mut impl Machine, ix: ProcessIx, signo: u8) {
        let process = self.process_mut(ix);
        if process.group_exit.is_some() {
            return;
        }
        process.stopped = Some(signo);
        process.stop_unseen = false;
        process.continue_unseen = false;
        for task in self.tasks_of(ix) {
            self.task_mut(task).trace.quiet = false;
            if self.task(task).alive() {
                self.task_mut(task).stop_pending = true;
                self.interrupt(m, task);
            }
        }
    }

    /// A task has come to where it stops for its process.
    pub(crate) fn enter_stop(&mut self, m: &mut impl Machine, id: TaskId) {
        let ix = self.process_of(id);
        self.task_mut(id).stop_pending = false;
        let Some(signo) = self.process(ix).stopped else {
            return self.return_to_user(m, id);
        };
        if self.task(id).trace.events.contains(Events::JCTL) {
            self.report(m, id, Hold::JobControl { signo, stop: true });
        } else {
            self.task_mut(id).state = State::Stopped;
        }
        self.stop_complete(m, ix, id);
    }

    /// Tells the parent once every task stands still, `last` the last of them. Where the parent traces that
    /// one, it knows already.
    fn stop_complete(&mut self, m: &mut impl Machine, ix: ProcessIx, last: TaskId) {
        let all = self.process(ix).tasks.iter().all(|id| {
            let t = self.task(*id);
            match t.state {
                State::Stopped | State::Zombie => true,
                // Others are told of it once its engines have been.
                State::Held(Hold::JobControl { stop: true, .. }) => t.trace.stop_seen(),
                State::Held(_) => !t.stop_pending,
                _ => !t.alive(),
            }
        });
        let process = self.process(ix);
        if !all || process.stop_unseen {
            return;
        }
        let Some(signo) = process.stopped else { return };
        if process.tasks.iter().any(|t| self.task(*t).trace.quiet) {
            return;
        }
        self.process_mut(ix).stop_unseen = true;
        if !self.tracer_is_parent(last) {
            self.tell_parent_of_stop(m, ix, code::CLD_STOPPED, signo);
        }
    }

    /// The engines of a task have seen that it stops or goes on for job control: now others may be told,
    /// unless the engines want it `quiet`.
    pub(crate) fn stop_reported(&mut self, m: &mut impl Machine, id: TaskId, quiet: bool) {
        let ix = self.process_of(id);
        let trace = &mut self.task_mut(id).trace;
        let first = !core::mem::replace(&mut trace.seen, true);
        trace.quiet |= quiet;
        let State::Held(Hold::JobControl { stop, .. }) = self.task(id).state else {
            return;
        };
        if stop {
            if first {
                self.stop_complete(m, ix, id);
            }
        } else if core::mem::take(&mut self.process_mut(ix).continue_untold) && !quiet {
            self.process_mut(ix).continue_unseen = true;
            self.tell_parent_of_stop(m, ix, code::CLD_CONTINUED, SIGCONT);
        }
    }

    /// SIGCONT: the process goes on, whatever becomes of the signal.
    pub(crate) fn continue_process(&mut self, m: &mut impl Machine, ix: ProcessIx) {
        let process = self.process_mut(ix);
        let was_stopped = process.stopped.take().is_some();
        process.stop_unseen = false;
        // Engines hear of it before the parent does.
        let asks = |t: &TaskId| {
            let trace = &self.task(*t).trace;
            trace.bond.is_none() && trace.events.contains(Events::JCTL)
        };
        let asked = was_stopped && self.process(ix).tasks.iter().any(asks);
        let process = self.process_mut(ix);
        process.continue_untold = asked;
        process.continue_unseen |= was_stopped && !asked;
        for task in self.tasks_of(ix) {
            let t = self.task_mut(task);
            t.stop_pending = false;
            t.trace.stop_undone = matches!(t.state, State::Held(Hold::Signal { .. }));
            let seized = t.trace.bond.is_some_and(|bond| bond.seized);
            let asked = t.trace.bond.is_none() && t.trace.events.contains(Events::JCTL);
            t.trace.continued = seized || was_stopped && asked;
            if matches!(t.state, State::Stopped) {
                t.state = State::Moving;
                self.return_to_user(m, task);
            } else if seized && !self.stop_listening(m, task, true) {
                // As Linux tells a seized tracee of SIGCONT, whether it was stopped or not.
                self.interrupt(m, task);
            }
        }
        if was_stopped && !self.process(ix).continue_untold {
            self.tell_parent_of_stop(m, ix, code::CLD_CONTINUED, SIGCONT);
        }
    }

    /// A task that may return again tells its tracer that its process was continued.
    pub(crate) fn report_continued(&mut self, m: &mut impl Machine, id: TaskId) {
        self.task_mut(id).trace.continued = false;
        let event = Hold::JobControl {
            signo: SIGCONT,
            stop: false,
        };
        self.report(m, id, event);
    }

    /// SIGCHLD for a stop or a continuation, and a look at the parent's waits.
    fn tell_parent_of_stop(&mut self, m: &mut impl Machine, ix: ProcessIx, code: i32, signo: u8) {
        let Some(parent) = self.process(ix).parent else {
            return;
        };
        let process = self.process(ix);
        let uid = self.credentials_of(ix).uid[0];
        let pid = process.pid;
        let used = self.process_usage(m, ix);
        let (user, system) = (used.user / TICK_NS, used.system / TICK_NS);
        let info = SigInfo::child(code, pid, uid, signo.into(), user, system);
        let wanted = {
            let action = self.process(parent).actions.get(SIGCHLD);
            action.flags & u64::from(SA_NOCLDSTOP) == 0
        };
        self.tell(m, parent, wanted.then_some(info));
    }

    /// Something a parent or tracer may wait for has happened: its waits look again, then the
    /// signal comes. The signal is queued first, so that a wait that ends finds it on its way
    /// out.
    pub(crate) fn tell(&mut self, m: &mut impl Machine, to: ProcessIx, signal: Option<SigInfo>) {
        self.process_mut(to).news = true;
        let signal = signal.filter(|_| self.hears(to));
        self.tell_of_stop(m, to, signal);
    }

    /// The same where all that happened is a ptrace stop, and the signal is one that it hears.
    pub(crate) fn tell_of_stop(
        &mut self,
        m: &mut impl Machine,
        to: ProcessIx,
        signal: Option<SigInfo>,
    ) {
        let queued = signal.is_some_and(|info| self.queue(m, to, None, info));
        self.wake_waiters(m, to);
        if queued && self.tables_process(to).is_some() {
            for task in self.tasks_of(to) {
                if self.find_task(task).is_ok() {
                    self.wake_for_signal(m, task);
                }
            }
        }
    }

    /// Whether a process hears of a child by SIGCHLD. An ignored one is queued all the same while it is
    /// blocked, awaited, or shown to a tracer.
    pub(crate) fn hears(&self, ix: ProcessIx) -> bool {
        let process = self.process(ix);
        let minds = |id: &TaskId| {
            let task = self.task(*id);
            task.mask.has(SIGCHLD) || task.trace.tracer.is_some()
        };
        process.group_exit.is_none()
            && (!process.actions.ignores(SIGCHLD) || process.tasks.iter().any(minds))
    }

    /// Whether no process of a group has a parent outside the group but in its session: nobody
    /// could continue it.
    pub(crate) fn orphaned(&self, pgid: u32) -> bool {
        self.orphaned_without(pgid, None)
    }

    /// The same once a process will have gone.
    pub(crate) fn orphaned_without(&self, pgid: u32, leaving: Option<ProcessIx>) -> bool {
        !self.processes().any(|(ix, p)| {
            p.pgid == pgid
                && Some(ix) != leaving
                && (leaving.is_none() || p.parent != leaving)
                && self.task(p.leader).alive()
                && p.parent.is_some_and(|parent| {
                    let parent = self.process(parent);
                    parent.pgid != pgid && parent.sid == p.sid
                })
        })
    }
}
