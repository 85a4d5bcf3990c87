//! What a task leaves in its memory when it loses it, by death or exec: the owner's death in its
//! robust mutexes (get_robust_list(2)), and a zero where CLONE_CHILD_CLEARTID says.

use crate::Procmgr;
use crate::machine::Machine;
use abi::linux::general as g;
use abi::{Errno, TaskId};

/// The most mutexes that are looked at, as ROBUST_LIST_LIMIT.
const MAX_LOCKS: usize = 2048;
/// The size of `struct robust_list_head`.
const HEAD_SIZE: u64 = 24;
/// In a list entry's address: a mutex with priority inheritance.
const PI: u64 = 1;

impl Procmgr {
    /// set_robust_list(2).
    pub(crate) fn sys_set_robust_list(&mut self, id: TaskId, a: [u64; 6]) -> Result<(), Errno> {
        if a[1] != HEAD_SIZE {
            return Err(Errno::EINVAL);
        }
        self.task_mut(id).robust_list = a[0];
        Ok(())
    }

    /// get_robust_list(2).
    pub(crate) fn sys_get_robust_list(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        let target = match a[0] as i32 {
            0 => id,
            tid => self.seen(id, tid as u32).ok_or(Errno::ESRCH)?,
        };
        if !self.may_access(id, target, crate::credentials::AccessMode::Real) {
            return Err(Errno::EPERM);
        }
        let head = self.task(target).robust_list;
        self.put_words(m, id, a[2], [HEAD_SIZE])?;
        self.put_words(m, id, a[1], [head])
    }

    /// The task is about to lose its memory, which still is there.
    pub(crate) fn leave_words(&mut self, m: &mut impl Machine, id: TaskId) {
        let task = self.task_mut(id);
        let head = core::mem::take(&mut task.robust_list);
        let clear = core::mem::take(&mut task.clear_child_tid);
        let Some(space) = task.space else { return };
        if head != 0 {
            // A list that cannot be read on is at its end.
            let _ = self.walk_robust_list(m, id, head);
        }
        if clear != 0
            && self.memory.references(space) > 1
            && self.put(m, id, clear, &[0; 4]).is_ok()
        {
            self.futex_wake_shared(m, id, clear);
        }
    }

    fn walk_robust_list(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        head: u64,
    ) -> Result<(), Errno> {
        let [mut entry, offset, pending] = self.get_words(m, id, head)?;
        for _ in 0..MAX_LOCKS {
            if entry & !PI == head {
                break;
            }
            // The next one is read first: whoever is woken may free this one.
            let next = self.get_words::<1>(m, id, entry & !PI);
            if entry & !PI != pending & !PI {
                self.owner_died(m, id, entry, offset, false)?;
            }
            [entry] = next?;
        }
        match pending & !PI {
            0 => Ok(()),
            _ => self.owner_died(m, id, pending, offset, true),
        }
    }

    /// `pending`: the task was just locking or unlocking this one.
    fn owner_died(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        entry: u64,
        offset: u64,
        pending: bool,
    ) -> Result<(), Errno> {
        let addr = (entry & !PI).wrapping_add(offset);
        if !addr.is_multiple_of(4) {
            return Err(Errno::EINVAL);
        }
        let pi = entry & PI != 0;
        let word = u32::from_le_bytes(self.get(m, id, addr)?);
        if pending && !pi && word == 0 {
            self.futex_wake_shared(m, id, addr);
        }
        if word & g::FUTEX_TID_MASK != self.task(id).tid {
            return Ok(());
        }
        let left = word & g::FUTEX_WAITERS | g::FUTEX_OWNER_DIED;
        self.put(m, id, addr, &left.to_le_bytes())?;
        if !pi && word & g::FUTEX_WAITERS != 0 {
            self.futex_wake_shared(m, id, addr);
        }
        Ok(())
    }
}
