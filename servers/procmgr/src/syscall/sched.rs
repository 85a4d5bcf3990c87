//! Scheduling as programs can ask about it: one processor, one policy.

use crate::Procmgr;
use crate::machine::Machine;
use crate::process::ProcessIx;
use abi::linux::general as g;
use abi::{Capability, Errno, TaskId};

/// A niceness of 0 as the kernel returns it.
const NICE_0: i64 = 20;
/// I/O priority: best effort, 4.
const IOPRIO: i64 = 2 << 13 | 4;

const POLICIES: [u32; 6] = [
    g::SCHED_NORMAL,
    g::SCHED_FIFO,
    g::SCHED_RR,
    g::SCHED_BATCH,
    g::SCHED_IDLE,
    g::SCHED_DEADLINE,
];

impl Procmgr {
    /// The sched_ calls, priorities, and membarrier(2), which has nothing to do on one processor.
    pub(super) fn sched_call(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        nr: u32,
        a: [u64; 6],
    ) -> Result<i64, Errno> {
        match nr {
            g::__NR_sched_getaffinity => {
                if a[1] == 0 || !a[1].is_multiple_of(8) {
                    return Err(Errno::EINVAL);
                }
                self.scheduled(id, a[0])?;
                self.put_words(m, id, a[2], [1])?;
                Ok(8)
            }
            g::__NR_sched_setaffinity => {
                let target = self.scheduled(id, a[0])?;
                self.may_schedule(id, target)?;
                let mut mask = [0; 8];
                let len = a[1].min(8) as usize;
                let space = self.task(id).space.ok_or(Errno::EFAULT)?;
                self.memory.read_exact(m, space, a[2], &mut mask[..len])?;
                match mask[0] & 1 {
                    0 => Err(Errno::EINVAL),
                    _ => Ok(0),
                }
            }
            g::__NR_sched_getscheduler => self.scheduled(id, a[0]).map(|_| 0),
            g::__NR_sched_getparam => {
                if a[1] == 0 || (a[0] as i32) < 0 {
                    return Err(Errno::EINVAL);
                }
                self.scheduled(id, a[0])?;
                self.put(m, id, a[1], &[0; 4])?;
                Ok(0)
            }
            g::__NR_sched_setscheduler => self.set_policy(m, id, a[0], Some(a[1] as u32), a[2]),
            g::__NR_sched_setparam => self.set_policy(m, id, a[0], None, a[1]),
            g::__NR_sched_get_priority_max => match a[0] as u32 {
                g::SCHED_FIFO | g::SCHED_RR => Ok(99),
                policy if POLICIES.contains(&policy) => Ok(0),
                _ => Err(Errno::EINVAL),
            },
            g::__NR_sched_get_priority_min => match a[0] as u32 {
                g::SCHED_FIFO | g::SCHED_RR => Ok(1),
                policy if POLICIES.contains(&policy) => Ok(0),
                _ => Err(Errno::EINVAL),
            },
            g::__NR_sched_rr_get_interval => {
                self.scheduled(id, a[0])?;
                self.put_words(m, id, a[1], [0, 4_000_000])?;
                Ok(0)
            }
            g::__NR_getpriority => self.prioritized(id, a[0], a[1]).map(|_| NICE_0),
            g::__NR_setpriority => {
                for target in self.prioritized(id, a[0], a[1])? {
                    self.may_schedule_process(id, target)?;
                    let privileged = self.capable(id, Capability::CAP_SYS_NICE);
                    if (a[2] as i32) < 0 && !privileged {
                        return Err(Errno::EACCES);
                    }
                }
                Ok(0)
            }
            g::__NR_ioprio_get => Ok(IOPRIO),
            g::__NR_ioprio_set => Ok(0),
            g::__NR_membarrier => match (a[0] as u32, a[1]) {
                (0, 0) => Ok(0x7f),
                (command, 0) if command.is_power_of_two() && command <= 0x40 => Ok(0),
                _ => Err(Errno::EINVAL),
            },
            _ => Err(Errno::ENOSYS),
        }
    }

    /// Whom a sched_ call is about. ESRCH; EINVAL for a negative number.
    fn scheduled(&self, id: TaskId, pid: u64) -> Result<TaskId, Errno> {
        match pid as i32 {
            0 => Ok(id),
            pid if pid < 0 => Err(Errno::EINVAL),
            pid => self.by_tid(pid as u32).ok_or(Errno::ESRCH),
        }
    }

    fn may_schedule(&self, id: TaskId, target: TaskId) -> Result<(), Errno> {
        self.may_schedule_process(id, self.process_of(target))
    }

    fn may_schedule_process(&self, id: TaskId, target: ProcessIx) -> Result<(), Errno> {
        let (mine, its) = (self.credentials(id), self.credentials_of(target));
        let own = mine.uid[1] == its.uid[1] || mine.uid[1] == its.uid[0];
        if own || mine.capable(Capability::CAP_SYS_NICE) {
            Ok(())
        } else {
            Err(Errno::EPERM)
        }
    }

    /// Checks a policy and its priority. All run alike: the real-time policies are refused to
    /// those who may not have them and mean nothing to those who may.
    fn set_policy(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        pid: u64,
        policy: Option<u32>,
        param: u64,
    ) -> Result<i64, Errno> {
        if param == 0 || (pid as i32) < 0 {
            return Err(Errno::EINVAL);
        }
        let priority = i32::from_le_bytes(self.get(m, id, param)?);
        let target = self.scheduled(id, pid)?;
        let policy = policy.unwrap_or(g::SCHED_NORMAL) & !0x4000_0000;
        let real_time = matches!(policy, g::SCHED_FIFO | g::SCHED_RR);
        let known = real_time || matches!(policy, g::SCHED_NORMAL | g::SCHED_BATCH | g::SCHED_IDLE);
        let range = if real_time { 1..=99 } else { 0..=0 };
        if !known || !range.contains(&priority) {
            return Err(Errno::EINVAL);
        }
        if real_time && !self.capable(id, Capability::CAP_SYS_NICE) {
            return Err(Errno::EPERM);
        }
        self.may_schedule(id, target)?;
        Ok(0)
    }

    /// The processes that a call about priorities means. EINVAL, ESRCH.
    fn prioritized(
        &self,
        id: TaskId,
        which: u64,
        who: u64,
    ) -> Result<alloc::vec::Vec<ProcessIx>, Errno> {
        let own = self.process_of(id);
        let who = who as u32;
        let found: alloc::vec::Vec<ProcessIx> = match which as u32 {
            0 if who == 0 => alloc::vec![own],
            0 => self
                .by_tid(who)
                .map(|t| self.process_of(t))
                .into_iter()
                .collect(),
            1 => {
                let pgid = if who == 0 {
                    self.process(own).pgid
                } else {
                    who
                };
                let of_group = |p: &crate::process::Process| p.pgid == pgid;
                self.processes()
                    .filter(|(_, p)| of_group(p))
                    .map(|(ix, _)| ix)
                    .collect()
            }
            2 => {
                let uid = if who == 0 {
                    self.credentials(id).uid[0]
                } else {
                    who
                };
                self.processes()
                    .map(|(ix, _)| ix)
                    .filter(|ix| self.credentials_of(*ix).uid[0] == uid)
                    .collect()
            }
            _ => return Err(Errno::EINVAL),
        };
        match found.is_empty() {
            true => Err(Errno::ESRCH),
            false => Ok(found),
        }
    }
}
