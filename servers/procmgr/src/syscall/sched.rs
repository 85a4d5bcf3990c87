//! Scheduling policies as programs can ask for them, on one processor.

use crate::Procmgr;
use crate::machine::Machine;
use crate::scheduling::{NICE, REAL_TIME, Scheduling, as_limit, is_real_time};
use abi::linux::general as g;
use abi::{Capability, Errno, TaskId};

/// How long a task runs at most while others want to, in nanoseconds.
const SLICE: u64 = 4_000_000;
/// The same under SCHED_RR, as it is on Linux.
const ROUND: u64 = 100_000_000;
/// The bit of a policy that asks for [`Scheduling::reset_on_fork`].
const RESET_ON_FORK: u32 = 0x4000_0000;
/// The sizes of `struct sched_attr`: the first, and with the clamps, which nobody has here.
const ATTR_SIZES: (usize, usize) = (48, 56);

const POLICIES: [u32; 6] = [
    g::SCHED_NORMAL,
    g::SCHED_FIFO,
    g::SCHED_RR,
    g::SCHED_BATCH,
    g::SCHED_IDLE,
    g::SCHED_DEADLINE,
];

/// What sched_setattr(2) and its forerunners ask for.
struct Wish {
    /// None: as it is.
    policy: Option<u32>,
    flags: u64,
    nice: i32,
    priority: u32,
    /// Runtime, deadline and period.
    deadline: [u64; 3],
}

impl Procmgr {
    /// The sched_ calls and membarrier(2), which has nothing to do on one processor.
    pub(super) fn sched_call(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        nr: u32,
        a: [u64; 6],
    ) -> Result<i64, Errno> {
        match nr {
            g::__NR_sched_getaffinity => {
                if a[1] as u32 == 0 || !(a[1] as u32).is_multiple_of(8) {
                    return Err(Errno::EINVAL);
                }
                self.target(id, a[0])?;
                self.put_words(m, id, a[2], [1])?;
                Ok(8)
            }
            g::__NR_sched_setaffinity => self.set_affinity(m, id, a),
            g::__NR_sched_getscheduler => {
                let of = self.task(self.scheduled(id, a[0])?).scheduling;
                let reset = if of.reset_on_fork { RESET_ON_FORK } else { 0 };
                Ok((of.policy | reset).into())
            }
            g::__NR_sched_getparam => {
                if a[1] == 0 || (a[0] as i32) < 0 {
                    return Err(Errno::EINVAL);
                }
                let of = self.task(self.scheduled(id, a[0])?).scheduling;
                self.put(m, id, a[1], &of.priority.to_le_bytes())?;
                Ok(0)
            }
            g::__NR_sched_setscheduler => self.set_scheduler(m, id, a[0], Some(a[1] as u32), a[2]),
            g::__NR_sched_setparam => self.set_scheduler(m, id, a[0], None, a[1]),
            g::__NR_sched_setattr => self.set_attributes(m, id, a),
            g::__NR_sched_getattr => self.get_attributes(m, id, a),
            g::__NR_sched_get_priority_max => match a[0] as u32 {
                policy if is_real_time(policy) => Ok((*REAL_TIME.end()).into()),
                policy if POLICIES.contains(&policy) => Ok(0),
                _ => Err(Errno::EINVAL),
            },
            g::__NR_sched_get_priority_min => match a[0] as u32 {
                policy if is_real_time(policy) => Ok((*REAL_TIME.start()).into()),
                policy if POLICIES.contains(&policy) => Ok(0),
                _ => Err(Errno::EINVAL),
            },
            g::__NR_sched_rr_get_interval => {
                let policy = self.task(self.scheduled(id, a[0])?).scheduling.policy;
                let slice = match policy {
                    g::SCHED_FIFO => 0,
                    g::SCHED_RR => ROUND,
                    _ => SLICE,
                };
                self.put_words(m, id, a[1], [0, slice])?;
                Ok(0)
            }
            g::__NR_membarrier => match (a[0] as u32, a[1]) {
                (0, 0) => Ok(0x7f),
                (command, 0) if command.is_power_of_two() && command <= 0x40 => Ok(0),
                _ => Err(Errno::EINVAL),
            },
            _ => Err(Errno::ENOSYS),
        }
    }

    /// sched_setaffinity(2): there is one processor to be on.
    fn set_affinity(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<i64, Errno> {
        let mut mask = [0; 8];
        let len = (a[1] as u32 as usize).min(8);
        let space = self.task(id).space.ok_or(Errno::EFAULT)?;
        self.memory.read_exact(m, space, a[2], &mut mask[..len])?;
        let target = self.target(id, a[0])?;
        if !self.may_schedule(id, target) {
            return Err(Errno::EPERM);
        }
        match mask[0] & 1 {
            0 => Err(Errno::EINVAL),
            _ => Ok(0),
        }
    }

    /// Whom a sched_ call is about. ESRCH.
    fn target(&self, id: TaskId, pid: u64) -> Result<TaskId, Errno> {
        match pid as i32 {
            0 => Ok(id),
            pid => u32::try_from(pid)
                .ok()
                .and_then(|pid| self.seen(id, pid))
                .ok_or(Errno::ESRCH),
        }
    }

    /// The same; EINVAL for a negative number.
    fn scheduled(&self, id: TaskId, pid: u64) -> Result<TaskId, Errno> {
        match (pid as i32) < 0 {
            true => Err(Errno::EINVAL),
            false => self.target(id, pid),
        }
    }

    /// Whether one task may change how another one is scheduled.
    pub(super) fn may_schedule(&self, id: TaskId, target: TaskId) -> bool {
        let (mine, its) = (self.credentials(id), self.credentials(target));
        mine.uid[1] == its.uid[1]
            || mine.uid[1] == its.uid[0]
            || mine.capable(Capability::CAP_SYS_NICE)
    }

    /// sched_setscheduler(2) and, without a policy, sched_setparam(2).
    fn set_scheduler(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        pid: u64,
        policy: Option<u32>,
        param: u64,
    ) -> Result<i64, Errno> {
        if param == 0 || (pid as i32) < 0 || policy.is_some_and(|policy| (policy as i32) < 0) {
            return Err(Errno::EINVAL);
        }
        let priority = u32::from_le_bytes(self.get(m, id, param)?);
        let target = self.scheduled(id, pid)?;
        let reset = policy.is_some_and(|policy| policy & RESET_ON_FORK != 0);
        let wish = Wish {
            policy: policy.map(|policy| policy & !RESET_ON_FORK),
            flags: if reset {
                g::SCHED_FLAG_RESET_ON_FORK.into()
            } else {
                0
            },
            nice: self.task(target).scheduling.nice,
            priority,
            deadline: [0; 3],
        };
        self.grant(id, target, &wish)
    }

    /// sched_setattr(2).
    fn set_attributes(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<i64, Errno> {
        let [pid, at, flags, ..] = a;
        if at == 0 || (pid as i32) < 0 || flags as u32 != 0 {
            return Err(Errno::EINVAL);
        }
        let (attr, size) = self.read_attributes(m, id, at)?;
        let word = |at: usize| u32::from_le_bytes(attr[at..at + 4].try_into().expect("4 bytes"));
        let long = |at: usize| u64::from_le_bytes(attr[at..at + 8].try_into().expect("8 bytes"));
        let flags = long(8);
        let clamps = u64::from(g::SCHED_FLAG_UTIL_CLAMP);
        if flags & clamps != 0 && size < ATTR_SIZES.1 || (word(4) as i32) < 0 {
            return Err(Errno::EINVAL);
        }
        let target = self.scheduled(id, pid)?;
        let keep = |flag: u32| flags & u64::from(flag) != 0;
        let mut wish = Wish {
            policy: (!keep(g::SCHED_FLAG_KEEP_POLICY)).then(|| word(4)),
            flags,
            nice: (word(16) as i32).clamp(*NICE.start(), *NICE.end()),
            priority: word(20),
            deadline: [long(24), long(32), long(40)],
        };
        if keep(g::SCHED_FLAG_KEEP_PARAMS) {
            let now = self.task(target).scheduling;
            (wish.nice, wish.priority) = (now.nice, now.priority);
        }
        self.grant(id, target, &wish)
    }

    /// A `struct sched_attr` of any size and what its caller takes to be its size. E2BIG, which
    /// tells the size: there are fields in it that are not known.
    fn read_attributes(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        at: u64,
    ) -> Result<([u8; ATTR_SIZES.1], usize), Errno> {
        let size = match u32::from_le_bytes(self.get(m, id, at)?) as usize {
            0 => ATTR_SIZES.0,
            size => size,
        };
        let known = size.min(ATTR_SIZES.1);
        let mut bytes = [0; 4096];
        let mut fits = (ATTR_SIZES.0..=bytes.len()).contains(&size);
        if fits {
            let space = self.task(id).space.ok_or(Errno::EFAULT)?;
            self.memory.read_exact(m, space, at, &mut bytes[..size])?;
            fits = bytes[known..size].iter().all(|byte| *byte == 0);
        }
        if !fits {
            self.put(m, id, at, &(ATTR_SIZES.1 as u32).to_le_bytes())?;
            return Err(Errno::E2BIG);
        }
        let mut attr = [0; ATTR_SIZES.1];
        attr[..known].copy_from_slice(&bytes[..known]);
        Ok((attr, size))
    }

    /// sched_getattr(2).
    fn get_attributes(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<i64, Errno> {
        let [pid, at, size, flags, ..] = a;
        let (size, page) = (size as u32 as usize, crate::machine::PAGE as usize);
        let fits = (ATTR_SIZES.0..=page).contains(&size);
        if at == 0 || (pid as i32) < 0 || !fits || flags as u32 != 0 {
            return Err(Errno::EINVAL);
        }
        let of = self.task(self.scheduled(id, pid)?).scheduling;
        let size = size.min(ATTR_SIZES.1);
        let real_time = is_real_time(of.policy);
        let flags = if of.reset_on_fork {
            g::SCHED_FLAG_RESET_ON_FORK
        } else {
            0
        };
        let mut attr = [0; ATTR_SIZES.1];
        attr[..4].copy_from_slice(&(size as u32).to_le_bytes());
        attr[4..8].copy_from_slice(&of.policy.to_le_bytes());
        attr[8..16].copy_from_slice(&u64::from(flags).to_le_bytes());
        if real_time {
            attr[20..24].copy_from_slice(&of.priority.to_le_bytes());
        } else {
            attr[16..20].copy_from_slice(&of.nice.to_le_bytes());
            attr[24..32].copy_from_slice(&SLICE.to_le_bytes());
        }
        self.put(m, id, at, &attr[..size])?;
        Ok(0)
    }

    /// Does what is asked for, with Linux's order of checks. EINVAL, EPERM; EBUSY: nobody's
    /// deadlines are kept here.
    fn grant(&mut self, id: TaskId, target: TaskId, wish: &Wish) -> Result<i64, Errno> {
        let now = self.task(target).scheduling;
        let policy = wish.policy.unwrap_or(now.policy);
        let reset_on_fork = match wish.policy {
            Some(_) => wish.flags & u64::from(g::SCHED_FLAG_RESET_ON_FORK) != 0,
            None => now.reset_on_fork,
        };
        let known = POLICIES.contains(&policy) && wish.flags & !u64::from(g::SCHED_FLAG_ALL) == 0;
        let in_range = wish.priority <= *REAL_TIME.end();
        let deadline = policy == g::SCHED_DEADLINE;
        if !known
            || !in_range
            || deadline && !wish.has_deadline()
            || is_real_time(policy) != (wish.priority != 0)
        {
            return Err(Errno::EINVAL);
        }
        let wanted = Scheduling {
            policy,
            priority: wish.priority,
            nice: match policy {
                g::SCHED_NORMAL | g::SCHED_BATCH => wish.nice,
                _ => now.nice,
            },
            reset_on_fork,
            io: now.io,
        };
        let free = !deadline && self.is_free(target, &wanted) && self.may_schedule(id, target);
        if !free && !self.capable(id, Capability::CAP_SYS_NICE) {
            return Err(Errno::EPERM);
        }
        if wish.flags & u64::from(g::SCHED_FLAG_UTIL_CLAMP) != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        if deadline {
            return Err(Errno::EBUSY);
        }
        self.task_mut(target).scheduling = wanted;
        Ok(0)
    }

    /// Whether a task may be scheduled so without a capability: within RLIMIT_NICE and
    /// RLIMIT_RTPRIO, or no better than it is.
    fn is_free(&self, target: TaskId, wanted: &Scheduling) -> bool {
        let task = self.task(target);
        let now = task.scheduling;
        let limits = &self.process(task.process).limits;
        let priorities = limits[g::RLIMIT_RTPRIO as usize].0;
        let within = |nice| as_limit(nice) <= limits[g::RLIMIT_NICE as usize].0;
        let nicer = wanted.nice >= now.nice || within(wanted.nice);
        let real_time = !is_real_time(wanted.policy)
            || (wanted.policy == now.policy || priorities > 0)
                && (wanted.priority <= now.priority || u64::from(wanted.priority) <= priorities);
        let leaves_idle = now.policy == g::SCHED_IDLE && wanted.policy != g::SCHED_IDLE;
        nicer
            && real_time
            && (!leaves_idle || within(now.nice))
            && (!now.reset_on_fork || wanted.reset_on_fork)
    }
}

impl Wish {
    /// Whether its runtime, deadline and period make sense, as Linux's `__checkparam_dl`.
    fn has_deadline(&self) -> bool {
        /// Shorter runtimes have no meaning.
        const LEAST: u64 = 1 << 10;
        /// The shortest and longest period.
        const PERIODS: core::ops::RangeInclusive<u64> = 100_000..=4_194_304_000;
        let [runtime, deadline, period] = self.deadline;
        let period = if period == 0 { deadline } else { period };
        deadline != 0
            && runtime >= LEAST
            && runtime <= deadline
            && deadline <= period
            && PERIODS.contains(&period)
    }
}
