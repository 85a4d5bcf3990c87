//! Sending signals: who may, where one is put, whom it wakes.

use crate::Procmgr;
use crate::machine::Machine;
use crate::process::ProcessIx;
use crate::signal::pending::Place;
use crate::task::{State, Wait};
use abi::linux::general::RLIMIT_SIGPENDING;
use abi::signal::{SIGCONT, SIGKILL, SIGRTMIN, STOPPING, code};
use abi::{Capability, Errno, SigInfo, SigSet, TaskId};
use alloc::vec::Vec;

impl Procmgr {
    /// kill(2): whether a task may signal another. SIGCONT within a session always passes.
    pub(crate) fn may_signal(&self, from: TaskId, to: TaskId, signo: u8) -> bool {
        let (own, other) = (self.process_of(from), self.process_of(to));
        let (mine, its) = (self.credentials(from), self.credentials(to));
        let [real, effective, _] = mine.uid;
        own == other
            || mine.capable(Capability::CAP_KILL)
            || [its.uid[0], its.uid[2]]
                .iter()
                .any(|uid| *uid == real || *uid == effective)
            || (signo == SIGCONT && self.process(own).sid == self.process(other).sid)
    }

    /// Sends a signal to a process: any of its tasks may take it.
    pub(crate) fn signal_process(
        &mut self,
        m: &mut impl Machine,
        to: ProcessIx,
        info: SigInfo,
    ) -> Result<(), Errno> {
        self.send(m, to, None, info, false)
    }

    /// Sends a signal to one task.
    pub(crate) fn signal_task(
        &mut self,
        m: &mut impl Machine,
        to: TaskId,
        info: SigInfo,
    ) -> Result<(), Errno> {
        let process = self.task(to).process;
        self.send(m, process, Some(to), info, false)
    }

    /// A signal the task cannot escape: blocked or ignored, it takes the default action.
    pub(crate) fn force_signal(&mut self, m: &mut impl Machine, to: TaskId, info: SigInfo) {
        self.unblock_forced(to, &info);
        let process = self.task(to).process;
        // Full queues drop the siginfo and keep the signal, so this cannot fail.
        let _ = self.send(m, process, Some(to), info, true);
    }

    /// Blocked or ignored, a signal that cannot be escaped takes its default action.
    pub(crate) fn unblock_forced(&mut self, to: TaskId, info: &SigInfo) {
        let Some(signo) = info.signal() else { return };
        let process = self.task(to).process;
        let blocked = self.task(to).mask.has(signo);
        let action = *self.process(process).actions.get(signo);
        if blocked || action.handler == super::action::SIG_IGN {
            self.process_mut(process)
                .actions
                .set(signo, super::action::Action::default());
            self.task_mut(to).mask.remove(signo);
        }
    }

    fn send(
        &mut self,
        m: &mut impl Machine,
        to: ProcessIx,
        task: Option<TaskId>,
        info: SigInfo,
        forced: bool,
    ) -> Result<(), Errno> {
        let Some(signo) = info.signal() else {
            return Ok(());
        };
        if self.process(to).group_exit.is_some() && signo != SIGKILL {
            return Ok(());
        }
        self.stop_and_continue(m, to, signo);
        if !forced && self.vanishes(to, task, signo) {
            return Ok(());
        }
        let pending = match task {
            Some(task) => &self.task(task).pending,
            None => &self.process(to).pending,
        };
        if !pending.drops(signo) {
            let place = self.place_for(m, to, &info);
            // Who sent it with a siginfo is told that there is no place for that.
            let told = signo >= SIGRTMIN && info.code != code::SI_USER;
            if matches!(place, Place::None) && told && !forced {
                return Err(Errno::EAGAIN);
            }
            match task {
                Some(task) => self.task_mut(task).pending.add(info, place),
                None => self.process_mut(to).pending.add(info, place),
            }
            self.tell_signalfds(m, to, task, signo);
        }
        if signo == SIGKILL {
            self.kill_process(m, to, i32::from(SIGKILL));
            return Ok(());
        }
        let target = match task {
            Some(task) => Some(task),
            None => self.taker(to, signo),
        };
        if let Some(target) = target {
            self.wake_for_signal(m, target);
        }
        Ok(())
    }

    /// A place for a signal's siginfo, which counts for the user who gets it: within
    /// RLIMIT_SIGPENDING, but for standard signals of kill(2) and of the kernel's own.
    pub(crate) fn place_for(&mut self, m: &impl Machine, to: ProcessIx, info: &SigInfo) -> Place {
        if info.code == code::SI_TIMER {
            return Place::Reserved;
        }
        let standard = info.signal().is_some_and(|signo| signo < SIGRTMIN);
        let limit = match standard && info.code >= 0 {
            true => u64::MAX,
            false => self.process(to).limits[RLIMIT_SIGPENDING as usize].0,
        };
        // A queue of standard signals is short by itself.
        if !standard && self.room(m).is_err() {
            return Place::None;
        }
        let uid = self.credentials_of(to).uid[0];
        let charge = self.users.charge(uid, limit);
        charge.map_or(Place::None, Place::Counted)
    }

    /// Queues a signal as it is; without a place its siginfo is lost. Whether it is one more: a
    /// standard signal that is pending already is not.
    pub(crate) fn queue(
        &mut self,
        m: &mut impl Machine,
        to: ProcessIx,
        task: Option<TaskId>,
        info: SigInfo,
    ) -> bool {
        let pending = match task {
            Some(task) => &self.task(task).pending,
            None => &self.process(to).pending,
        };
        let Some(signo) = info.signal().filter(|signo| !pending.drops(*signo)) else {
            return false;
        };
        let place = self.place_for(m, to, &info);
        match task {
            Some(task) => self.task_mut(task).pending.add(info, place),
            None => self.process_mut(to).pending.add(info, place),
        }
        self.tell_signalfds(m, to, task, signo);
        true
    }

    /// A signal has come that somebody waits for through a signalfd.
    pub(crate) fn tell_signalfds(
        &mut self,
        m: &mut impl Machine,
        to: ProcessIx,
        task: Option<TaskId>,
        signo: u8,
    ) {
        let watches = |id: &TaskId| self.task(*id).watched_signals.has(signo);
        let watchers: Vec<TaskId> = match task {
            Some(task) => core::iter::once(task).filter(watches).collect(),
            None => self
                .process(to)
                .tasks
                .iter()
                .copied()
                .filter(watches)
                .collect(),
        };
        for id in watchers {
            self.task_mut(id).watched_signals = SigSet::EMPTY;
            self.tell_fs_of_signal(m, id);
        }
    }

    /// Whether sending would change nothing: ignored, not blocked, and nobody traces or waits.
    fn vanishes(&self, to: ProcessIx, task: Option<TaskId>, signo: u8) -> bool {
        let process = self.process(to);
        if !process.actions.ignores(signo) {
            return false;
        }
        let concerned = |id: &TaskId| {
            let t = self.task(*id);
            let waits =
                matches!(t.state, State::Waiting(Wait::SignalOf { set, .. }) if set.has(signo));
            t.mask.has(signo) || waits || (t.trace.tracer.is_some() && signo != SIGKILL)
        };
        match task {
            Some(task) => !concerned(&task),
            None => !process.tasks.iter().any(concerned),
        }
    }

    /// A stop signal takes pending SIGCONTs away, SIGCONT takes pending stop signals and
    /// continues the process at once, whatever becomes of the signal itself.
    fn stop_and_continue(&mut self, m: &mut impl Machine, to: ProcessIx, signo: u8) {
        let flush = if STOPPING.has(signo) {
            SigSet::of(&[SIGCONT])
        } else if signo == SIGCONT {
            STOPPING
        } else {
            return;
        };
        self.process_mut(to).pending.flush(flush);
        for task in self.tasks_of(to) {
            self.task_mut(task).pending.flush(flush);
        }
        if signo == SIGCONT {
            self.continue_process(m, to);
        }
    }

    /// Which task of a process takes a signal sent to the process: one that does not block it,
    /// the leader first.
    fn taker(&self, process: ProcessIx, signo: u8) -> Option<TaskId> {
        let p = self.process(process);
        let willing = |id: &TaskId| {
            let t = self.task(*id);
            let waits =
                matches!(t.state, State::Waiting(Wait::SignalOf { set, .. }) if set.has(signo));
            t.alive() && (waits || !t.mask.has(signo))
        };
        core::iter::once(&p.leader)
            .chain(&p.tasks)
            .copied()
            .find(willing)
    }

    /// The next signal a task has to act on, not blocked.
    pub(crate) fn next_signal(&self, task: TaskId) -> Option<(u8, bool)> {
        let t = self.task(task);
        let pending = t.pending.set().or(self.process(t.process).pending.set());
        if pending.is_empty() {
            return None;
        }
        let allowed = SigSet::ALL.without(t.mask);
        let own = t.pending.peek(allowed);
        let shared = self.process(t.process).pending.peek(allowed);
        match (own, shared) {
            (Some(n), _) if abi::signal::SYNCHRONOUS.has(n) => Some((n, true)),
            (Some(n), None) => Some((n, true)),
            (Some(n), Some(s)) if n <= s => Some((n, true)),
            (_, Some(s)) => Some((s, false)),
            (None, None) => None,
        }
    }

    /// A signal has come: bring the task to where it acts on it, if it can act on it now.
    pub(crate) fn wake_for_signal(&mut self, m: &mut impl Machine, task: TaskId) {
        let takes_in_wait = match &self.task(task).state {
            State::Waiting(Wait::SignalOf { set, .. }) => {
                let t = self.task(task);
                let pending = t.pending.set().or(self.process(t.process).pending.set());
                !pending.and(*set).is_empty()
            }
            _ => false,
        };
        if takes_in_wait || self.next_signal(task).is_some() {
            self.interrupt(m, task);
        }
    }
}
