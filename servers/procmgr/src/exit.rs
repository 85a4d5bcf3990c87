//! Dying: a task's way from its last instruction to nothing.
//!
//! The steps, each of which may hold the task for an answer: the exit report, the tracer's
//! release of what the task held as a client, the file server's closing of files, the death
//! report, the zombie with its one or two readers, the reap report.

use crate::Procmgr;
use crate::hold::Hold;
use crate::machine::Machine;
use crate::process::ProcessIx;
use crate::task::{FsPurpose, State};
use crate::trace::Attached;
use crate::usage::TICK_NS;
use abi::linux::general::SA_NOCLDWAIT;
use abi::signal::{SIGCHLD, SIGCONT, SIGHUP, code};
use abi::tracer::Events;
use abi::{SigInfo, TaskId};

impl Procmgr {
    /// Every task of a process exits with a wait status: a fatal signal, exit_group, SIGKILL.
    pub(crate) fn kill_process(&mut self, m: &mut impl Machine, ix: ProcessIx, status: i32) {
        if self.process(ix).dump.is_some() && !self.break_dump(m, ix, status) {
            return;
        }
        let process = self.process_mut(ix);
        if process.group_exit.is_none() {
            process.group_exit = Some(status);
        }
        let status = process.group_exit.expect("just set");
        for task in self.tasks_of(ix) {
            if self.find_task(task).is_ok() {
                self.kill_task(m, task, status);
            }
        }
    }

    /// Breaks every hold of a task and sends it on its way out. One that is between two states
    /// gets there by itself.
    pub(crate) fn kill_task(&mut self, m: &mut impl Machine, id: TaskId, status: i32) {
        match &self.task(id).state {
            State::Running => {
                m.suspend(id);
                self.task_mut(id).registers.stand();
            }
            State::Stub(_) => {
                m.suspend(id);
                self.task_mut(id).registers.lost();
            }
            State::Waiting(crate::task::Wait::Fork { .. }) => return,
            State::Waiting(crate::task::Wait::Others(_)) => self.drop_exec(m, id),
            State::Waiting(_) => self.cancel_wake(id),
            State::Fs(
                FsPurpose::Created { .. }
                | FsPurpose::Executed(_)
                | FsPurpose::Core { .. }
                | FsPurpose::CoreWritten { .. }
                | FsPurpose::Exited,
            ) => {
                return;
            }
            State::Fs(_) | State::Stopped | State::Dumping => {}
            State::Held(Hold::Death { .. } | Hold::Reap | Hold::ClientExit) => return,
            // Whoever was shown the exit does not hold it any longer.
            State::Held(Hold::Exit { .. }) => {
                self.end_hold(m, id);
                return self.exit_reported(m, id);
            }
            State::Held(_) => {}
            State::Zombie | State::Moving => return,
        }
        self.end_hold(m, id);
        self.task_mut(id).state = State::Moving;
        self.begin_exit(m, id, status);
    }

    /// The first step: the exit report.
    pub(crate) fn begin_exit(&mut self, m: &mut impl Machine, id: TaskId, status: i32) {
        // Where it dies while its clone was being reported, the child lives all the same.
        self.start_created(m, id);
        self.task_mut(id).trace.created = None;
        if self.waits_for_dump(id) {
            return self.stand_for_dump(m, id);
        }
        let task = self.task_mut(id);
        task.state = State::Moving;
        if task.exit_status.replace(status).is_none() {
            self.note_last_exit(id, status);
            if self.task(id).trace.events.contains(Events::EXIT) {
                return self.report(m, id, Hold::Exit { status });
            }
        }
        self.exit_reported(m, id);
    }

    /// A process that nobody has ended ends with what its last task to exit does (Linux 6.0).
    fn note_last_exit(&mut self, id: TaskId, status: i32) {
        let ix = self.process_of(id);
        let last = |task: &TaskId| !self.task(*task).alive();
        if self.process(ix).tasks.iter().all(last) {
            self.process_mut(ix).group_exit.get_or_insert(status);
        }
    }

    /// The wait status of a task that is dead: what its process ended with, as soon as it has.
    pub(crate) fn wait_status(&self, id: TaskId) -> i32 {
        let task = self.task(id);
        let whole = self.process(task.process).group_exit;
        whole.or(task.exit_status).unwrap_or(0)
    }

    /// Behind the exit report: the tracer lets go of what this task held.
    pub(crate) fn exit_reported(&mut self, m: &mut impl Machine, id: TaskId) {
        self.leave_untold(m, id);
        if self.task(id).trace.client {
            self.report(m, id, Hold::ClientExit);
        } else {
            self.leave(m, id);
        }
    }

    /// The thread, its memory and its files go.
    pub(crate) fn leave(&mut self, m: &mut impl Machine, id: TaskId) {
        self.release_vfork(m, id);
        let task = self.task_mut(id);
        task.state = State::Moving;
        let space = task.space;
        if let Some(space) = space {
            self.leave_words(m, id);
            self.keep_usage(m, id);
            m.thread_destroy(id);
            self.task_mut(id).space = None;
            self.memory.space_release(m, space);
        }
        self.report_fs(m, id, FsPurpose::Exited);
    }

    /// Its files are closed: the death report.
    pub(crate) fn files_closed(&mut self, m: &mut impl Machine, id: TaskId) {
        let task = self.task_mut(id);
        task.state = State::Moving;
        let status = task.exit_status.unwrap_or(0);
        let trace = &self.task(id).trace;
        if trace.attached == Attached::Told && trace.events.contains(Events::DEATH) {
            let natural = self.tracer_is_parent(id);
            self.report(m, id, Hold::Death { status, natural });
        } else {
            self.become_zombie(m, id);
        }
    }

    /// Whether the process of a task's tracer is its real parent.
    pub(crate) fn tracer_is_parent(&self, id: TaskId) -> bool {
        let task = self.task(id);
        let tracer = task.trace.tracer.and_then(|t| self.find_task(t).ok());
        tracer.is_some_and(|t| Some(t.process) == self.process(task.process).parent)
    }

    /// Dead in the eyes of everybody.
    pub(crate) fn become_zombie(&mut self, m: &mut impl Machine, id: TaskId) {
        let ix = self.process_of(id);
        self.end_hold(m, id);
        self.task_mut(id).pending.clear();
        let tasks = self.process(ix).tasks.iter().copied();
        let heir = tasks.filter(|t| *t != id).find(|t| !self.is_dead(*t));
        match heir {
            // Not a zombie yet: what this wakes must not find it and reap it here.
            None => self.process_ends(m, ix),
            Some(heir) => self.leave_children(m, id, heir),
        }
        self.task_mut(id).state = State::Zombie;
        let whole = heir.is_none();
        let leader = self.process(ix).leader;
        if id != leader {
            self.tell_fs_of_end(m, self.task(id).tid, false);
        }
        if whole {
            self.tell_fs_of_end(m, self.process(ix).pid, false);
        }
        self.announce_death(m, id);
        self.others_left(m, ix);
    }

    /// Whether what a pidfd of a task stands for is over: the whole process, of a leader.
    pub(crate) fn has_ended(&self, id: TaskId) -> bool {
        let leads = self.process(self.process_of(id)).leader == id;
        self.is_dead(id) && (!leads || self.alone(id))
    }

    /// Whether a task runs no more.
    fn is_dead(&self, id: TaskId) -> bool {
        matches!(self.task(id).state, State::Zombie | State::Held(Hold::Reap))
    }

    /// Whether no other task of its process is left, dead or alive.
    pub(crate) fn alone(&self, id: TaskId) -> bool {
        self.process(self.process_of(id)).tasks.len() == 1
    }

    /// The last task of a process died: its children and its terminal go.
    fn process_ends(&mut self, m: &mut impl Machine, ix: ProcessIx) {
        self.process_mut(ix).pending.clear();
        if let Some((at, _)) = self.process_mut(ix).real_timer.take() {
            let pid = self.process(ix).pid;
            self.timers.remove(at, crate::timers::What::Alarm(ix, pid));
        }
        self.delete_timers(ix);
        self.stop_cpu_timers(ix);
        let children = core::mem::take(&mut self.process_mut(ix).children);
        let context = self.process(ix).context;
        self.tables.contexts.ends(context, ix);
        let heir = self.heir(ix);
        if let Some(parent) = self.process(ix).parent {
            self.hang_up_if_orphaned(m, ix, parent, ix);
        }
        for child in &children {
            self.hang_up_if_orphaned(m, *child, ix, ix);
        }
        for child in children {
            self.adopt(m, child, heir);
        }
    }

    /// Who adopts the children of a process that ends: the nearest subreaper of its context, the
    /// context's first process, or the machine's.
    fn heir(&self, ix: ProcessIx) -> Option<ProcessIx> {
        let context = self.process(ix).context;
        let lives = |p: ProcessIx| p != ix && self.process(p).group_exit.is_none();
        let mut at = self.process(ix).parent;
        while let Some(p) = at
            && self.process(p).context == context
        {
            if self.process(p).subreaper && lives(p) {
                return Some(p);
            }
            at = self.process(p).parent;
        }
        let first = self.tables.contexts.first(context).filter(|p| lives(*p));
        first.or(self.first.filter(|f| *f != ix))
    }

    fn adopt(&mut self, m: &mut impl Machine, child: ProcessIx, heir: Option<ProcessIx>) {
        let task = heir.map(|heir| self.process(heir).leader);
        let process = self.process_mut(child);
        (process.parent, process.parent_task) = (heir, task);
        let leader = process.leader;
        self.task_mut(leader).exit_signal = SIGCHLD;
        if let Some(heir) = heir {
            self.process_mut(heir).children.push(child);
        }
        self.tell_of_parents_death(m, child);
        let dead = matches!(self.task(leader).state, State::Zombie) && self.alone(leader);
        if dead && self.task(leader).trace.tracer.is_none() {
            self.tell_parent_of_death(m, leader);
        }
    }

    /// A thread dies, and its process lives on: another thread is what its children ask about.
    fn leave_children(&mut self, m: &mut impl Machine, id: TaskId, heir: TaskId) {
        let children = self.process(self.process_of(id)).children.iter().copied();
        let its = |child: &ProcessIx| self.process(*child).parent_task == Some(id);
        let its: alloc::vec::Vec<ProcessIx> = children.filter(its).collect();
        for child in its {
            self.process_mut(child).parent_task = Some(heir);
            self.tell_of_parents_death(m, child);
        }
    }

    /// prctl(2), PR_SET_PDEATHSIG: each thread of a process may have asked for its own.
    fn tell_of_parents_death(&mut self, m: &mut impl Machine, child: ProcessIx) {
        for task in self.tasks_of(child) {
            let Ok(task) = self.find_task(task) else {
                continue;
            };
            let signo = task.parent_death_signal;
            if signo != 0 && task.alive() {
                // A standard signal needs no queue; a real-time one may be lost when it is full.
                let _ = self.signal_process(m, child, SigInfo::new(signo, code::SI_USER));
            }
        }
    }

    /// A process dies that was, or whose parent was, its group's link to the session. A group
    /// that lost its last link and has stopped members gets SIGHUP and SIGCONT.
    fn hang_up_if_orphaned(
        &mut self,
        m: &mut impl Machine,
        of: ProcessIx,
        parent: ProcessIx,
        leaving: ProcessIx,
    ) {
        let Some(process) = self.tables_process(of) else {
            return;
        };
        let pgid = process.pgid;
        let link = self.process(parent);
        if link.pgid == pgid || link.sid != process.sid {
            return;
        }
        let stopped = self
            .processes()
            .any(|(_, p)| p.pgid == pgid && p.stopped.is_some());
        if !stopped || !self.orphaned_without(pgid, Some(leaving)) {
            return;
        }
        let members: alloc::vec::Vec<ProcessIx> = self
            .processes()
            .filter(|(ix, p)| p.pgid == pgid && *ix != leaving)
            .map(|(ix, _)| ix)
            .collect();
        for ix in members {
            for signo in [SIGHUP, SIGCONT] {
                let _ = self.signal_process(m, ix, Procmgr::kernel_signal(signo));
            }
        }
    }

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
