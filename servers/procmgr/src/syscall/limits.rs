//! Resource limits.

use crate::Procmgr;
use crate::machine::Machine;
use crate::memory::Limits;
use crate::process::ProcessIx;
use abi::linux::general as g;
use abi::{Capability, Errno, TaskId};

/// The highest RLIMIT_NOFILE that may be set: the file server's tables have no more places.
pub const NR_OPEN: u64 = 4096;

impl Procmgr {
    /// prlimit64(2), with Linux's order of checks.
    pub(super) fn sys_prlimit(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        let new = match a[2] {
            0 => None,
            at => Some(self.get_words::<2>(m, id, at)?),
        };
        let target = match a[0] as i32 {
            0 => id,
            pid if pid < 0 => return Err(Errno::ESRCH),
            pid => self.seen(id, pid as u32).ok_or(Errno::ESRCH)?,
        };
        let (mine, its) = (self.credentials(id), self.credentials(target));
        let same = its.uid == [mine.uid[0]; 3] && its.gid == [mine.gid[0]; 3];
        let privileged = mine.capable(Capability::CAP_SYS_RESOURCE);
        if target != id && !same && !privileged {
            return Err(Errno::EPERM);
        }
        let resource = usize::try_from(a[1] as u32)
            .ok()
            .filter(|r| *r < 16)
            .ok_or(Errno::EINVAL)?;
        let ix = self.process_of(target);
        let old = self.process(ix).limits[resource];
        if let Some([soft, hard]) = new {
            if soft > hard {
                return Err(Errno::EINVAL);
            }
            if resource == g::RLIMIT_NOFILE as usize && hard > NR_OPEN {
                return Err(Errno::EPERM);
            }
            if hard > old.1 && !privileged {
                return Err(Errno::EPERM);
            }
            self.set_limit(m, ix, resource, (soft, hard));
        }
        match a[3] {
            0 => Ok(()),
            at => self.put_words(m, id, at, [old.0, old.1]),
        }
    }

    fn set_limit(
        &mut self,
        m: &mut impl Machine,
        ix: ProcessIx,
        resource: usize,
        limit: (u64, u64),
    ) {
        self.process_mut(ix).limits[resource] = limit;
        match resource as u32 {
            g::RLIMIT_CPU => self.start_cpu_limit(m, ix),
            g::RLIMIT_NOFILE | g::RLIMIT_FSIZE => {
                for task in self.tasks_of(ix) {
                    self.task_mut(task).rights_told = false;
                }
            }
            _ => self.apply_memory_limits(ix),
        }
    }

    /// Tells a process's address space the limits that concern it.
    pub(crate) fn apply_memory_limits(&mut self, ix: ProcessIx) {
        let process = self.process(ix);
        let limits = Limits {
            address_space: process.limits[g::RLIMIT_AS as usize].0,
            data: process.limits[g::RLIMIT_DATA as usize],
            locked: process.limits[g::RLIMIT_MEMLOCK as usize].0,
            stack: process.limits[g::RLIMIT_STACK as usize].0,
        };
        if let Some(space) = self.task(process.leader).space {
            self.memory.set_limits(space, limits);
        }
    }
}
