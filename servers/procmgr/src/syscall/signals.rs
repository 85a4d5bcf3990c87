//! Signal calls.

use super::Done;
use crate::Procmgr;
use crate::machine::Machine;
use crate::process::ProcessIx;
use crate::signal::action::Action;
use crate::signal::frame::{AltStack, SS_AUTODISARM, SS_DISABLE, SS_ONSTACK};
use crate::task::{State, Wait};
use crate::timers::What;
use abi::fs::Scope;
use abi::linux::general as g;
use abi::signal::{SIGMAX, UNBLOCKABLE, code};
use abi::{Errno, PidName, SigInfo, SigSet, TaskId};
use alloc::vec::Vec;

/// The size of a `sigset_t` as the kernel knows it.
const SIGSET: u64 = 8;
/// Linux's MINSIGSTKSZ.
const MIN_STACK: u64 = 2048;

fn signal_number(n: u64) -> Result<u8, Errno> {
    u8::try_from(n as i32)
        .ok()
        .filter(|n| (1..=SIGMAX).contains(n))
        .ok_or(Errno::EINVAL)
}

/// A signal number or 0, which sends nothing and only checks.
fn number_or_zero(n: u64) -> Result<Option<u8>, Errno> {
    if n as i32 == 0 {
        Ok(None)
    } else {
        signal_number(n).map(Some)
    }
}

impl Procmgr {
    /// kill(2).
    pub(super) fn sys_kill(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        let own = self.process_of(id);
        let signo = number_or_zero(a[1]);
        let targets: Vec<ProcessIx> = match a[0] as i32 {
            i32::MIN => return Err(Errno::ESRCH),
            -1 => self.everybody_else(own),
            pid if pid > 0 => self
                .seen(id, pid as u32)
                .map(|t| self.process_of(t))
                .into_iter()
                .collect(),
            pid => {
                let pgid = match pid {
                    0 => self.process(own).pgid,
                    pid => -pid as u32,
                };
                self.seen_processes(id)
                    .filter(|(_, p)| p.pgid == pgid)
                    .map(|(ix, _)| ix)
                    .collect()
            }
        };
        if targets.is_empty() {
            signo?;
            return Err(Errno::ESRCH);
        }
        let signo = signo?;
        let allowed: Vec<ProcessIx> = targets
            .into_iter()
            .filter(|to| self.may_signal(id, self.process(*to).leader, signo.unwrap_or(0)))
            .collect();
        if allowed.is_empty() {
            return Err(Errno::EPERM);
        }
        let Some(signo) = signo else { return Ok(()) };
        let info = self.sent_by(id, signo, code::SI_USER);
        for to in allowed {
            if self.tables_process(to).is_some() {
                self.signal_process(m, to, info)?;
            }
        }
        Ok(())
    }

    /// Whom kill(-1) means: the caller's context, but not the caller, nor the process that stands
    /// for init there. Even the host's watchers mean nobody else's by "everybody".
    fn everybody_else(&self, own: ProcessIx) -> Vec<ProcessIx> {
        let context = self.process(own).context;
        let init = self.tables.contexts.first(context);
        self.processes()
            .filter(|(ix, p)| p.context == context && *ix != own && p.pid > 1 && Some(*ix) != init)
            .map(|(ix, _)| ix)
            .collect()
    }

    /// tgkill(2); tkill(2) with `tgid` 0.
    pub(super) fn sys_tgkill(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        tgid: u64,
        tid: u64,
        signo: u64,
    ) -> Result<(), Errno> {
        if tid as i32 <= 0 {
            return Err(Errno::EINVAL);
        }
        let to = self.seen(id, tid as u32).ok_or(Errno::ESRCH)?;
        let ix = self.process_of(to);
        if tgid as i32 != 0 && self.process(ix).pid != tgid as u32 {
            return Err(Errno::ESRCH);
        }
        let signo = number_or_zero(signo)?;
        if !self.may_signal(id, to, signo.unwrap_or(0)) {
            return Err(Errno::EPERM);
        }
        match signo {
            Some(signo) => {
                let info = self.sent_by(id, signo, code::SI_TKILL);
                self.signal_task(m, to, info)
            }
            None => Ok(()),
        }
    }

    /// rt_sigqueueinfo(2).
    pub(super) fn sys_sigqueueinfo(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        let mut info = SigInfo::from_bytes(&self.get(m, id, a[2])?);
        let own = self.process_of(id);
        let target = self.seen(id, a[0] as u32).ok_or(Errno::ESRCH)?;
        let to = self.process_of(target);
        // Nobody pretends to be the kernel or kill(2) towards others.
        if (info.code >= 0 || info.code == code::SI_TKILL) && to != own {
            return Err(Errno::EPERM);
        }
        let signo = number_or_zero(a[1])?;
        if !self.may_signal(id, target, signo.unwrap_or(0)) {
            return Err(Errno::EPERM);
        }
        let Some(signo) = signo else { return Ok(()) };
        info.signo = signo.into();
        self.signal_process(m, to, info)
    }

    /// rt_tgsigqueueinfo(2).
    pub(super) fn sys_tgsigqueueinfo(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        let mut info = SigInfo::from_bytes(&self.get(m, id, a[3])?);
        if a[0] as i32 <= 0 || a[1] as i32 <= 0 {
            return Err(Errno::EINVAL);
        }
        let to = self.seen(id, a[1] as u32);
        if (info.code >= 0 || info.code == code::SI_TKILL) && to != Some(id) {
            return Err(Errno::EPERM);
        }
        let to = to.ok_or(Errno::ESRCH)?;
        if self.process(self.process_of(to)).pid != a[0] as u32 {
            return Err(Errno::ESRCH);
        }
        let signo = number_or_zero(a[2])?;
        if !self.may_signal(id, to, signo.unwrap_or(0)) {
            return Err(Errno::EPERM);
        }
        let Some(signo) = signo else { return Ok(()) };
        info.signo = signo.into();
        self.signal_task(m, to, info)
    }

    /// rt_sigaction(2).
    pub(super) fn sys_sigaction(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        if a[3] != SIGSET {
            return Err(Errno::EINVAL);
        }
        let new = match a[1] {
            0 => None,
            at => Some(Action::from_words(self.get_words(m, id, at)?)),
        };
        let signo = signal_number(a[0])?;
        let old = *self.process(self.process_of(id)).actions.get(signo);
        if let Some(action) = new {
            self.set_action(id, signo, action)?;
        }
        match a[2] {
            0 => Ok(()),
            at => self.put_words(m, id, at, old.to_words()),
        }
    }

    /// rt_sigprocmask(2).
    pub(super) fn sys_sigprocmask(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        if a[3] != SIGSET {
            return Err(Errno::EINVAL);
        }
        let old = self.task(id).mask;
        if a[1] != 0 {
            let [set] = self.get_words(m, id, a[1])?;
            let set = SigSet(set).without(UNBLOCKABLE);
            let new = match a[0] as u32 {
                g::SIG_BLOCK => old.or(set),
                g::SIG_UNBLOCK => old.without(set),
                g::SIG_SETMASK => set,
                _ => return Err(Errno::EINVAL),
            };
            self.task_mut(id).mask = new;
        }
        match a[2] {
            0 => Ok(()),
            at => self.put_words(m, id, at, [old.0]),
        }
    }

    /// rt_sigpending(2).
    pub(super) fn sys_sigpending(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        if a[1] > SIGSET {
            return Err(Errno::EINVAL);
        }
        let task = self.task(id);
        let shared = self.process(task.process).pending.set();
        let pending = task.pending.set().or(shared).and(task.mask);
        self.put(m, id, a[0], &pending.0.to_le_bytes()[..a[1] as usize])
    }

    /// rt_sigsuspend(2).
    pub(super) fn sys_sigsuspend(&mut self, m: &mut impl Machine, id: TaskId, a: [u64; 6]) -> Done {
        if a[1] != SIGSET {
            return Errno::EINVAL.into();
        }
        let set = match self.get_words(m, id, a[0]) {
            Ok([set]) => SigSet(set).without(UNBLOCKABLE),
            Err(e) => return e.into(),
        };
        let task = self.task_mut(id);
        task.saved_mask = Some(task.mask);
        task.mask = set;
        self.wait_for_signal(id)
    }

    /// pause(2).
    pub(super) fn sys_pause(&mut self, id: TaskId) -> Done {
        self.wait_for_signal(id)
    }

    fn wait_for_signal(&mut self, id: TaskId) -> Done {
        if self.next_signal(id).is_some() {
            return Errno::ERESTARTNOHAND.into();
        }
        self.task_mut(id).state = State::Waiting(Wait::Signal);
        Done::Later
    }

    /// rt_sigtimedwait(2).
    pub(super) fn sys_sigtimedwait(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Done {
        if a[3] != SIGSET {
            return Errno::EINVAL.into();
        }
        let set = match self.get_words(m, id, a[0]) {
            Ok([set]) => SigSet(set).without(UNBLOCKABLE),
            Err(e) => return e.into(),
        };
        let timeout = match a[2] {
            0 => None,
            at => match self.get_timespec(m, id, at) {
                Ok(ns) => Some(ns),
                Err(e) => return e.into(),
            },
        };
        let wait = Wait::SignalOf { set, info: a[1] };
        self.task_mut(id).state = State::Waiting(wait);
        if let Some(result) = self.take_awaited(m, id) {
            self.task_mut(id).state = State::Moving;
            return Done::Result(result);
        }
        if self.next_signal(id).is_some() || timeout == Some(0) {
            self.task_mut(id).state = State::Moving;
            let e = if timeout == Some(0) {
                Errno::EAGAIN
            } else {
                Errno::EINTR
            };
            return e.into();
        }
        if let Some(ns) = timeout {
            let at = m.now().saturating_add(ns);
            self.task_mut(id).wake_at = Some(at);
            self.add_timer(m, at, What::Wake(id));
        }
        Done::Later
    }

    /// A task in rt_sigtimedwait is to look whether its signal has come: whether it had.
    pub(crate) fn finish_sigtimedwait(&mut self, m: &mut impl Machine, id: TaskId) -> bool {
        match self.take_awaited(m, id) {
            Some(result) => {
                self.finish_wait(m, id, result);
                true
            }
            None => false,
        }
    }

    fn take_awaited(&mut self, m: &mut impl Machine, id: TaskId) -> Option<i64> {
        let State::Waiting(Wait::SignalOf { set, info: at }) = self.task(id).state else {
            return None;
        };
        let info = self.take_of_set(id, set)?;
        if at != 0 && self.put(m, id, at, &info.to_bytes()).is_err() {
            return Some(Errno::EFAULT.as_result());
        }
        Some(info.signo.into())
    }

    /// Takes a signal of a set that waits for a task: its own first, then its process's.
    pub(crate) fn take_of_set(&mut self, id: TaskId, set: SigSet) -> Option<SigInfo> {
        let ix = self.process_of(id);
        let info = match self.task(id).pending.peek(set) {
            Some(signo) => self.task_mut(id).pending.take(signo),
            None => {
                let signo = self.process(ix).pending.peek(set)?;
                self.process_mut(ix).pending.take(signo)
            }
        };
        self.timer_signal_taken(ix, &info);
        Some(info)
    }

    /// pidfd_send_signal(2), once it is known whom the descriptor stands for.
    pub(crate) fn signal_pid(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        (name, scope): (PidName, Scope),
        signo: u32,
        info: u64,
    ) -> Result<(), Errno> {
        let code = match scope {
            Scope::Thread => code::SI_TKILL,
            _ => code::SI_USER,
        };
        let info = match info {
            0 => None,
            at => Some(SigInfo::from_bytes(&self.get(m, id, at)?)),
        };
        if let Some(info) = info {
            if info.signo as u32 != signo {
                return Err(Errno::EINVAL);
            }
            let own = self.by_name(name) == Ok(id) && scope != Scope::Group;
            // Nobody pretends to be the kernel or kill(2) towards others.
            if !own && (info.code >= 0 || info.code == code::SI_TKILL) {
                return Err(Errno::EPERM);
            }
        }
        let signo = number_or_zero(signo.into())?;
        let info = info.unwrap_or(self.sent_by(id, signo.unwrap_or(0), code));
        if scope == Scope::Group {
            return self.signal_pid_group(m, id, name.tid, signo.map(|_| info));
        }
        let to = self.by_name(name)?;
        if !self.sees(id, self.process_of(to)) {
            return Err(Errno::ESRCH);
        }
        if !self.may_signal(id, to, signo.unwrap_or(0)) {
            return Err(Errno::EPERM);
        }
        match (signo, scope) {
            (None, _) => Ok(()),
            (_, Scope::Thread) => self.signal_task(m, to, info),
            _ => self.signal_process(m, self.process_of(to), info),
        }
    }

    fn signal_pid_group(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        pgid: u32,
        info: Option<SigInfo>,
    ) -> Result<(), Errno> {
        let of_group = self.seen_processes(id).filter(|(_, p)| p.pgid == pgid);
        let members: Vec<ProcessIx> = of_group.map(|(ix, _)| ix).collect();
        if members.is_empty() {
            return Err(Errno::ESRCH);
        }
        let signo = info.and_then(|info| info.signal()).unwrap_or(0);
        let may = |ix: &ProcessIx| self.may_signal(id, self.process(*ix).leader, signo);
        let allowed: Vec<ProcessIx> = members.into_iter().filter(may).collect();
        if allowed.is_empty() {
            return Err(Errno::EPERM);
        }
        let Some(info) = info else { return Ok(()) };
        for to in allowed {
            if self.tables_process(to).is_some() {
                self.signal_process(m, to, info)?;
            }
        }
        Ok(())
    }

    /// sigaltstack(2).
    pub(super) fn sys_sigaltstack(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        let (old, rsp) = {
            let task = self.task(id);
            (task.altstack, task.registers.get().rsp)
        };
        if a[0] != 0 {
            let [base, flags, size] = self.get_words(m, id, a[0])?;
            let flags = flags as u32;
            if old.holds(rsp) {
                return Err(Errno::EPERM);
            }
            let mode = flags & !SS_AUTODISARM;
            if mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE {
                return Err(Errno::EINVAL);
            }
            let new = if mode == SS_DISABLE {
                AltStack {
                    base: 0,
                    size: 0,
                    flags: flags & SS_AUTODISARM,
                }
            } else if size < MIN_STACK {
                return Err(Errno::ENOMEM);
            } else {
                AltStack {
                    base,
                    size,
                    flags: flags & SS_AUTODISARM,
                }
            };
            self.task_mut(id).altstack = new;
        }
        match a[1] {
            0 => Ok(()),
            at => {
                let words = [old.base, old.shown_flags(rsp).into(), old.size];
                self.put_words(m, id, at, words)
            }
        }
    }
}
