//! What a process leaves behind: its children, and the groups that become orphans.

use crate::Procmgr;
use crate::machine::Machine;
use crate::process::ProcessIx;
use crate::task::State;
use abi::signal::{SIGCHLD, SIGCONT, SIGHUP, code};
use abi::{SigInfo, TaskId};

impl Procmgr {
    /// The last task of a process died: its children and its terminal go.
    pub(super) fn process_ends(&mut self, m: &mut impl Machine, ix: ProcessIx) {
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
    pub(super) fn leave_children(&mut self, m: &mut impl Machine, id: TaskId, heir: TaskId) {
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
}
