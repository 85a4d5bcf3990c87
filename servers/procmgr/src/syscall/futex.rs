//! futex(2): waiting and waking on an address.

use super::Done;
use crate::Procmgr;
use crate::futex::Key;
use crate::machine::Machine;
use crate::task::{Restart, State, Wait};
use crate::timers::What;
use abi::linux::general as g;
use abi::{Errno, TaskId};

/// What FUTEX_WAIT waits for; kept for its restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FutexWait {
    addr: u64,
    shared: bool,
    value: u32,
    bits: u32,
    /// Until when, on the monotonic clock.
    deadline: Option<u64>,
}

impl FutexWait {
    /// How a signal ends it: with a deadline it goes on by restart_syscall(2), which a handler
    /// turns into EINTR.
    pub fn interrupted(&self) -> Errno {
        match self.deadline {
            None => Errno::ERESTARTSYS,
            Some(_) => Errno::ERESTART_RESTARTBLOCK,
        }
    }
}

impl Procmgr {
    /// futex(2), with Linux's order of checks. The PI operations are not there: ENOSYS.
    pub(super) fn sys_futex(&mut self, m: &mut impl Machine, id: TaskId, a: [u64; 6]) -> Done {
        let (op, value, bits) = (a[1] as u32, a[2] as u32, a[5] as u32);
        let command = op & !(g::FUTEX_PRIVATE_FLAG | g::FUTEX_CLOCK_REALTIME);
        let shared = op & g::FUTEX_PRIVATE_FLAG == 0;
        match command {
            g::FUTEX_WAIT => self.sys_futex_wait(m, id, a, u32::MAX),
            g::FUTEX_WAIT_BITSET => self.sys_futex_wait(m, id, a, bits),
            _ if op & g::FUTEX_CLOCK_REALTIME != 0 => Errno::ENOSYS.into(),
            g::FUTEX_WAKE => self.sys_futex_wake(m, id, a[0], shared, value, u32::MAX),
            g::FUTEX_WAKE_BITSET => self.sys_futex_wake(m, id, a[0], shared, value, bits),
            g::FUTEX_REQUEUE => self.sys_futex_requeue(m, id, a, None).into(),
            g::FUTEX_CMP_REQUEUE => self.sys_futex_requeue(m, id, a, Some(bits)).into(),
            g::FUTEX_WAKE_OP => self.sys_futex_wake_op(m, id, a).into(),
            _ => Errno::ENOSYS.into(),
        }
    }

    /// Which futex an address is. EINVAL, EFAULT.
    fn futex_key(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        addr: u64,
        shared: bool,
    ) -> Result<Key, Errno> {
        if !addr.is_multiple_of(4) {
            return Err(Errno::EINVAL);
        }
        if addr >= crate::memory::layout::USER_END {
            return Err(Errno::EFAULT);
        }
        let space = self.task(id).space.ok_or(Errno::EFAULT)?;
        if !shared {
            return Ok(Key::Private(space, addr));
        }
        self.get::<4>(m, id, addr)?;
        Ok(match self.memory.shared_place(space, addr) {
            Some((object, offset)) => Key::Shared(object, offset),
            None => Key::Unshared(space, addr),
        })
    }

    fn futex_word(&mut self, m: &mut impl Machine, id: TaskId, addr: u64) -> Result<u32, Errno> {
        self.get(m, id, addr).map(u32::from_le_bytes)
    }

    fn sys_futex_wait(&mut self, m: &mut impl Machine, id: TaskId, a: [u64; 6], bits: u32) -> Done {
        let op = a[1] as u32;
        let absolute = op & 0x7f == g::FUTEX_WAIT_BITSET;
        let realtime = op & g::FUTEX_CLOCK_REALTIME != 0;
        let deadline = match a[3] {
            0 => None,
            at => match self.get_timespec(m, id, at) {
                Ok(ns) if absolute && realtime => {
                    Some(ns.saturating_sub(self.config.realtime_at_boot))
                }
                Ok(ns) if absolute => Some(ns),
                Ok(ns) => Some(m.now().saturating_add(ns)),
                Err(e) => return e.into(),
            },
        };
        if realtime && !absolute {
            return Errno::ENOSYS.into();
        }
        if bits == 0 {
            return Errno::EINVAL.into();
        }
        let wait = FutexWait {
            addr: a[0],
            shared: op & g::FUTEX_PRIVATE_FLAG == 0,
            value: a[2] as u32,
            bits,
            deadline,
        };
        self.futex_wait(m, id, wait)
    }

    /// Waits, for the first time or after a signal without handler.
    pub(super) fn futex_wait(&mut self, m: &mut impl Machine, id: TaskId, wait: FutexWait) -> Done {
        let found = self
            .futex_key(m, id, wait.addr, wait.shared)
            .and_then(|key| Ok((key, self.futex_word(m, id, wait.addr)?)));
        let key = match found {
            Err(e) => return e.into(),
            Ok((_, now)) if now != wait.value => return Errno::EAGAIN.into(),
            Ok((key, _)) => key,
        };
        if wait.deadline.is_some_and(|at| at <= m.now()) {
            return Errno::ETIMEDOUT.into();
        }
        if !self.futexes.add(key, wait.bits, id) {
            return Errno::ENOMEM.into();
        }
        let task = self.task_mut(id);
        task.state = State::Waiting(Wait::Futex { key, wait });
        task.wake_at = wait.deadline;
        if let Some(at) = wait.deadline {
            self.add_timer(m, at, What::Wake(id));
        }
        if self.next_signal(id).is_some() {
            self.interrupt(m, id);
        }
        Done::Later
    }

    fn sys_futex_wake(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        addr: u64,
        shared: bool,
        count: u32,
        bits: u32,
    ) -> Done {
        if bits == 0 {
            return Errno::EINVAL.into();
        }
        self.futex_key(m, id, addr, shared)
            .map(|key| i64::from(self.futex_wake(m, key, count, bits)))
            .into()
    }

    /// Wakes up to `count` tasks, and one where it is not positive, as Linux does; how many.
    fn futex_wake(&mut self, m: &mut impl Machine, key: Key, count: u32, bits: u32) -> u32 {
        let count = (count as i32).max(1) as u32;
        let mut woken = 0;
        while woken < count
            && let Some(id) = self.futexes.pop(key, bits)
        {
            self.finish_wait(m, id, 0);
            woken += 1;
        }
        woken
    }

    /// What the end of a task does: wakes one that waits on an address without
    /// FUTEX_PRIVATE_FLAG.
    pub(crate) fn futex_wake_shared(&mut self, m: &mut impl Machine, id: TaskId, addr: u64) {
        if let Ok(key) = self.futex_key(m, id, addr, true) {
            self.futex_wake(m, key, 1, u32::MAX);
        }
    }

    fn sys_futex_requeue(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
        expected: Option<u32>,
    ) -> Result<i64, Errno> {
        let (wake, move_) = (a[2] as i32, a[3] as i32);
        if wake < 0 || move_ < 0 {
            return Err(Errno::EINVAL);
        }
        let shared = a[1] as u32 & g::FUTEX_PRIVATE_FLAG == 0;
        let from = self.futex_key(m, id, a[0], shared)?;
        let to = self.futex_key(m, id, a[4], shared)?;
        if let Some(expected) = expected
            && self.futex_word(m, id, a[0])? != expected
        {
            return Err(Errno::EAGAIN);
        }
        let mut woken = 0;
        while woken < wake
            && let Some(waiter) = self.futexes.pop(from, u32::MAX)
        {
            self.finish_wait(m, waiter, 0);
            woken += 1;
        }
        let mut moved = 0;
        while woken == wake
            && moved < move_
            && from != to
            && let Some(waiter) = self.futexes.requeue(from, to)
        {
            if let State::Waiting(Wait::Futex { key, .. }) = &mut self.task_mut(waiter).state {
                *key = to;
            }
            moved += 1;
        }
        Ok(i64::from(woken) + i64::from(moved))
    }

    /// FUTEX_WAKE_OP: changes the second word, wakes on the first, and on the second where its
    /// old value compares.
    fn sys_futex_wake_op(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<i64, Errno> {
        let shared = a[1] as u32 & g::FUTEX_PRIVATE_FLAG == 0;
        let first = self.futex_key(m, id, a[0], shared)?;
        let second = self.futex_key(m, id, a[4], shared)?;
        let code = a[5] as u32;
        let signed = |at: u32| (code << (20 - at)) as i32 >> 20;
        let (mut operand, compared) = (signed(12), signed(0));
        if code >> 31 != 0 {
            operand = 1i32.wrapping_shl(operand as u32);
        }
        let old = self.futex_word(m, id, a[4])?;
        let new = match code >> 28 & 7 {
            g::FUTEX_OP_SET => operand as u32,
            g::FUTEX_OP_ADD => old.wrapping_add(operand as u32),
            g::FUTEX_OP_OR => old | operand as u32,
            g::FUTEX_OP_ANDN => old & !(operand as u32),
            g::FUTEX_OP_XOR => old ^ operand as u32,
            _ => return Err(Errno::ENOSYS),
        };
        self.put(m, id, a[4], &new.to_le_bytes())?;
        let old = old as i32;
        let holds = match code >> 24 & 15 {
            g::FUTEX_OP_CMP_EQ => old == compared,
            g::FUTEX_OP_CMP_NE => old != compared,
            g::FUTEX_OP_CMP_LT => old < compared,
            g::FUTEX_OP_CMP_LE => old <= compared,
            g::FUTEX_OP_CMP_GT => old > compared,
            g::FUTEX_OP_CMP_GE => old >= compared,
            _ => return Err(Errno::ENOSYS),
        };
        let mut woken = self.futex_wake(m, first, a[2] as u32, u32::MAX);
        if holds {
            woken += self.futex_wake(m, second, a[3] as u32, u32::MAX);
        }
        Ok(woken.into())
    }

    /// Takes a task that waits out of its queue.
    pub(crate) fn leave_futex(&mut self, id: TaskId) {
        if let State::Waiting(Wait::Futex { key, .. }) = self.task(id).state {
            self.futexes.remove(key, id);
        }
    }

    /// What a futex wait that a signal ended goes on with.
    pub(crate) fn futex_interrupted(&mut self, id: TaskId, wait: FutexWait) {
        self.task_mut(id).restart = wait.deadline.map(|_| Restart::Futex(wait));
    }
}
