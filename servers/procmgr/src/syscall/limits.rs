//! Resource limits.

use crate::Procmgr;
use crate::machine::Machine;
use crate::memory::Limits;
use abi::linux::general as g;
use abi::{Errno, TaskId};

impl Procmgr {
    /// prlimit64(2).
    pub(super) fn sys_prlimit(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        let resource = usize::try_from(a[1])
            .ok()
            .filter(|r| *r < 16)
            .ok_or(Errno::EINVAL)?;
        let own = self.process_of(id);
        let new = match a[2] {
            0 => None,
            at => Some(self.get_words::<2>(m, id, at)?),
        };
        let target = match a[0] as i32 {
            0 => own,
            pid if pid < 0 => return Err(Errno::ESRCH),
            pid => self
                .by_tid(pid as u32)
                .map(|t| self.process_of(t))
                .ok_or(Errno::ESRCH)?,
        };
        let (mine, its) = (
            self.process(own).credentials,
            self.process(target).credentials,
        );
        let same = its.uid.iter().all(|uid| *uid == mine.uid[0])
            && its.gid.iter().all(|gid| *gid == mine.gid[0]);
        if target != own && !same && !mine.privileged() {
            return Err(Errno::EPERM);
        }
        let old = self.process(target).limits[resource];
        if let Some([soft, hard]) = new {
            if soft > hard {
                return Err(Errno::EINVAL);
            }
            if hard > old.1 && !mine.privileged() {
                return Err(Errno::EPERM);
            }
            self.process_mut(target).limits[resource] = (soft, hard);
            self.apply_memory_limits(target);
            if resource == g::RLIMIT_CPU as usize {
                self.start_cpu_limit(m, target);
            }
        }
        match a[3] {
            0 => Ok(()),
            at => self.put_words(m, id, at, [old.0, old.1]),
        }
    }

    /// Tells a process's address space the limits that concern it.
    pub(crate) fn apply_memory_limits(&mut self, ix: crate::process::ProcessIx) {
        let process = self.process(ix);
        let limits = Limits {
            address_space: process.limits[g::RLIMIT_AS as usize].0,
            stack: process.limits[g::RLIMIT_STACK as usize].0,
        };
        if let Some(space) = self.task(process.leader).space {
            self.memory.set_limits(space, limits);
        }
    }
}
