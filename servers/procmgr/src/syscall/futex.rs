//! futex(2): waiting and waking on an address.

use super::Done;
use crate::Procmgr;
use crate::machine::{Machine, SpaceIx};
use crate::task::{State, Wait};
use crate::timers::What;
use abi::linux::general as g;
use abi::{Errno, TaskId};
use alloc::vec::Vec;

impl Procmgr {
    /// futex(2): WAIT, WAKE and their BITSET forms, for the tasks of one address space.
    pub(super) fn sys_futex(&mut self, m: &mut impl Machine, id: TaskId, a: [u64; 6]) -> Done {
        let [addr, op, value, timeout, _, bits] = a;
        let op = op as u32;
        let command = op & !(g::FUTEX_PRIVATE_FLAG | g::FUTEX_CLOCK_REALTIME);
        if !addr.is_multiple_of(4) {
            return Errno::EINVAL.into();
        }
        let space = match self.task(id).space {
            Some(space) => space,
            None => return Errno::EFAULT.into(),
        };
        let bits = match command {
            g::FUTEX_WAIT_BITSET | g::FUTEX_WAKE_BITSET => bits as u32,
            _ => u32::MAX,
        };
        if bits == 0 {
            return Errno::EINVAL.into();
        }
        match command {
            g::FUTEX_WAKE | g::FUTEX_WAKE_BITSET => {
                let woken = self.futex_wake(m, space, addr, value as i32 as u32, bits);
                Done::Result(woken.into())
            }
            g::FUTEX_WAIT | g::FUTEX_WAIT_BITSET => {
                self.futex_wait(m, id, op, addr, value as u32, timeout, bits)
            }
            _ => Errno::ENOSYS.into(),
        }
    }

    #[allow(clippy::too_many_arguments)] // futex(2) has them
    fn futex_wait(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        op: u32,
        addr: u64,
        value: u32,
        timeout: u64,
        bits: u32,
    ) -> Done {
        let deadline = match timeout {
            0 => None,
            at => match self.get_timespec(m, id, at) {
                Ok(ns) if op & g::FUTEX_CLOCK_REALTIME != 0 => {
                    Some(ns.saturating_sub(self.config.realtime_at_boot))
                }
                Ok(ns) if op & 0x7f == g::FUTEX_WAIT_BITSET => Some(ns),
                Ok(ns) => Some(m.now().saturating_add(ns)),
                Err(e) => return e.into(),
            },
        };
        match self.get(m, id, addr).map(u32::from_le_bytes) {
            Err(e) => return e.into(),
            Ok(now) if now != value => return Errno::EAGAIN.into(),
            Ok(_) => {}
        }
        if deadline.is_some_and(|at| at <= m.now()) {
            return Errno::ETIMEDOUT.into();
        }
        let task = self.task_mut(id);
        task.state = State::Waiting(Wait::Futex { addr, bits });
        task.wake_at = deadline;
        if let Some(at) = deadline {
            self.add_timer(m, at, What::Wake(id));
        }
        if self.next_signal(id).is_some() {
            self.interrupt(m, id);
        }
        Done::Later
    }

    /// Wakes up to `count` tasks of a space that wait on an address; how many.
    pub(crate) fn futex_wake(
        &mut self,
        m: &mut impl Machine,
        space: SpaceIx,
        addr: u64,
        count: u32,
        bits: u32,
    ) -> u32 {
        let waiters: Vec<TaskId> = self
            .processes()
            .flat_map(|(_, p)| p.tasks.iter().copied())
            .filter(|t| {
                let t = self.task(*t);
                let waits = matches!(t.state, State::Waiting(Wait::Futex { addr: at, bits: b })
                    if at == addr && b & bits != 0);
                waits && t.space == Some(space)
            })
            .take(count as usize)
            .collect();
        for id in &waiters {
            self.finish_wait(m, *id, 0);
        }
        waiters.len() as u32
    }
}
