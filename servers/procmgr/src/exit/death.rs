//! Who is told of a death, and the end of the zombie.

use crate::Procmgr;
use crate::hold::Hold;
use crate::machine::Machine;
use crate::process::ProcessIx;
use crate::task::State;
use crate::trace::Attached;
use crate::usage::TICK_NS;
use abi::linux::general::SA_NOCLDWAIT;
use abi::signal::{SIGCHLD, code};
use abi::tracer::Events;
use abi::{SigInfo, TaskId};

impl Procmgr {
    /// Tells whoever reads this zombie first.
    pub(crate) fn announce_death(&mut self, m: &mut impl Machine, id: TaskId) {
        let task = self.task(id);
        let ix = task.process;
        let leader = self.process(ix).leader == id;
        if leader && self.first == Some(ix) && self.alone(id) {
            // The machine's end is its last word, whether its leader or a thread died last.
            return m.power_off(self.wait_status(id));
        }
        if let Some(tracer) = task.trace.tracer {
            // The tracer reads first, though a leader waits for its other threads.
            if leader && !self.alone(id) {
                return;
            }
            if leader && self.tracer_is_parent(id) {
                return self.tell_parent_of_death(m, id);
            }
            let info = self.death_info(m, id);
            let reader = self.task(tracer).process;
            let wants = !self.process(reader).actions.ignores(SIGCHLD);
            self.tell(m, reader, wants.then_some(info));
        } else if !leader {
            self.reap(m, id);
        } else if self.alone(id) {
            self.tell_parent_of_death(m, id);
        }
    }

    /// The exit signal for the real parent, unless it does not want zombies at all.
    pub(crate) fn tell_parent_of_death(&mut self, m: &mut impl Machine, id: TaskId) {
        let ix = self.process_of(id);
        let Some(parent) = self.process(ix).parent else {
            // Nobody is left to wait: the first process itself.
            if self.first != Some(ix) {
                self.unbind(id);
                self.reap(m, id);
            }
            return;
        };
        let signo = self.task(id).exit_signal;
        let action = *self.process(parent).actions.get(SIGCHLD);
        // A traced zombie is kept for its tracer whatever the parent thinks of zombies.
        let ignored = signo == SIGCHLD
            && self.task(id).trace.tracer.is_none()
            && (action.handler == crate::signal::action::SIG_IGN
                || action.flags & u64::from(SA_NOCLDWAIT) != 0);
        let quiet = signo == 0 || (ignored && action.handler == crate::signal::action::SIG_IGN);
        let info = SigInfo {
            signo: signo.into(),
            ..self.death_info(m, id)
        };
        if ignored {
            self.unbind(id);
            self.reap(m, id);
        }
        self.tell(m, parent, (!quiet).then_some(info));
    }

    /// SIGCHLD's siginfo for a dead task.
    pub(crate) fn death_info(&mut self, m: &mut impl Machine, id: TaskId) -> SigInfo {
        let task = self.task(id);
        let leader = self.process(task.process).leader == id;
        let status = match leader {
            true => self.wait_status(id),
            false => task.exit_status.unwrap_or(0),
        };
        let (code, value) = exit_code(status);
        let (tid, uid) = (task.tid, task.credentials.uid[0]);
        let usage = self.process_usage(m, task.process);
        let (user, system) = (usage.user / TICK_NS, usage.system / TICK_NS);
        SigInfo::child(code, tid, uid, value, user, system)
    }

    /// Ends the bond between a task and its tracer.
    pub(crate) fn unbind(&mut self, id: TaskId) {
        let trace = &mut self.task_mut(id).trace;
        let unseen = trace.stopped.as_ref().is_some_and(|s| s.unseen);
        if trace.attached == Attached::Untold {
            // Nothing is left of it anywhere.
            trace.end_bond(None);
        }
        if let Some(id_of_tracer) = trace.tracer.take()
            && let Ok(tracer) = self.find_task(id_of_tracer)
        {
            let ix = tracer.process;
            self.process_mut(ix).tracees.retain(|t| *t != id);
            if unseen {
                self.stop_is_seen(id, id_of_tracer);
            }
        }
        // What its tracer alone saw may be its parent's to see.
        if let Some(parent) = self.process(self.process_of(id)).parent {
            self.process_mut(parent).news = true;
        }
    }

    /// The zombie has been read by all its readers: it has no name and no process from here on.
    /// Its id means something until the tracer has heard of it.
    pub(crate) fn reap(&mut self, m: &mut impl Machine, id: TaskId) {
        let ix = self.process_of(id);
        self.unbind(id);
        let used = self.task(id).usage;
        self.process_mut(ix).usage_gone += used;
        self.process_mut(ix).tasks.retain(|t| *t != id);
        self.tell_fs_of_end(m, self.task(id).tid, true);
        self.forget_tid(id);
        let process = self.process(ix);
        let leader = process.leader;
        if process.tasks.is_empty() {
            self.forget_process(ix);
        } else if leader != id
            && matches!(self.task(leader).state, State::Zombie)
            && self.alone(leader)
        {
            // A leader that died before its threads is told of now that they are gone.
            self.announce_death(m, leader);
        }
        self.others_left(m, ix);
        let trace = &mut self.task_mut(id).trace;
        if core::mem::take(&mut trace.attached) == Attached::Told
            && trace.events.contains(Events::REAP)
        {
            self.report(m, id, Hold::Reap);
        } else {
            self.remove_task(id);
        }
    }

    fn forget_process(&mut self, ix: ProcessIx) {
        if let Some(parent) = self.process(ix).parent {
            self.process_mut(parent).children.retain(|c| *c != ix);
        }
        self.remove_process(ix);
    }
}

/// si_code and si_status of a wait status.
pub(crate) fn exit_code(status: i32) -> (i32, i32) {
    match status & 0x7f {
        0 => (code::CLD_EXITED, status >> 8 & 0xff),
        signo if status & 0x80 != 0 => (code::CLD_DUMPED, signo),
        signo => (code::CLD_KILLED, signo),
    }
}
