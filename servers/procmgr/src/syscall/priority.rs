//! Nicenesses and I/O priorities of tasks, process groups and users.

use crate::Procmgr;
use crate::scheduling::{NICE, as_limit};
use abi::linux::general as g;
use abi::{Capability, Errno, TaskId};
use alloc::vec::Vec;

/// How a call names tasks.
#[derive(Clone, Copy)]
enum Whose {
    Task,
    Group,
    User,
}

/// Where an I/O priority has its class.
const CLASS_SHIFT: u32 = 13;
/// The levels of a class.
const LEVELS: u32 = 8;

// Whose an I/O priority is.
const WHO_PROCESS: u32 = 1;
const WHO_GROUP: u32 = 2;
const WHO_USER: u32 = 3;

const CLASS_NONE: u32 = 0;
const CLASS_REAL_TIME: u32 = 1;
const CLASS_BEST_EFFORT: u32 = 2;
const CLASS_IDLE: u32 = 3;

impl Procmgr {
    /// getpriority(2) and its like.
    pub(super) fn priority_call(&mut self, id: TaskId, nr: u32, a: [u64; 6]) -> Result<i64, Errno> {
        match nr {
            g::__NR_getpriority => {
                let tasks = self.prioritized(id, priority_of(a[0])?, a[1])?;
                let nicest = tasks.iter().map(|t| self.task(*t).scheduling.nice).min();
                Ok(as_limit(nicest.ok_or(Errno::ESRCH)?) as i64)
            }
            g::__NR_setpriority => self.set_niceness(id, a),
            g::__NR_ioprio_get => {
                let tasks = self.prioritized(id, io_priority_of(a[0])?, a[1])?;
                let best = tasks.iter().map(|t| self.io_priority(*t, a[0])).min();
                Ok(best.ok_or(Errno::ESRCH)?.into())
            }
            _ => self.set_io_priority(id, a),
        }
    }

    /// setpriority(2): whoever may be changed is, whatever may not; the last failure is told.
    fn set_niceness(&mut self, id: TaskId, a: [u64; 6]) -> Result<i64, Errno> {
        let tasks = self.prioritized(id, priority_of(a[0])?, a[1])?;
        let nice = (a[2] as i32).clamp(*NICE.start(), *NICE.end());
        let mut result = Ok(0);
        for target in tasks {
            let task = self.task(target);
            let limit = self.process(task.process).limits[g::RLIMIT_NICE as usize].0;
            let better = nice < task.scheduling.nice && as_limit(nice) > limit;
            if !self.may_schedule(id, target) {
                result = Err(Errno::EPERM);
            } else if better && !self.capable(id, Capability::CAP_SYS_NICE) {
                result = Err(Errno::EACCES);
            } else {
                self.task_mut(target).scheduling.nice = nice;
            }
        }
        result
    }

    /// ioprio_set(2): up to the first that may not be changed.
    fn set_io_priority(&mut self, id: TaskId, a: [u64; 6]) -> Result<i64, Errno> {
        let priority = a[2] as u32;
        let (class, level) = (priority >> CLASS_SHIFT, priority & (LEVELS - 1));
        let may = |capability| self.capable(id, capability);
        match class {
            CLASS_REAL_TIME
                if !may(Capability::CAP_SYS_ADMIN) && !may(Capability::CAP_SYS_NICE) =>
            {
                return Err(Errno::EPERM);
            }
            CLASS_REAL_TIME | CLASS_BEST_EFFORT | CLASS_IDLE => {}
            CLASS_NONE if level == 0 => {}
            _ => return Err(Errno::EINVAL),
        }
        for target in self.prioritized(id, io_priority_of(a[0])?, a[1])? {
            let (mine, its) = (self.credentials(id), self.credentials(target).uid[0]);
            let own = its == mine.uid[1] || its == mine.uid[0];
            if !own && !mine.capable(Capability::CAP_SYS_NICE) {
                return Err(Errno::EPERM);
            }
            self.task_mut(target).scheduling.io = priority as u16;
        }
        Ok(0)
    }

    /// What was set for one task; among several, what that comes to.
    fn io_priority(&self, id: TaskId, which: u64) -> u16 {
        let of = self.task(id).scheduling;
        match of.io {
            0 if which as u32 != WHO_PROCESS => {
                (CLASS_BEST_EFFORT << CLASS_SHIFT) as u16 | ((of.nice + 20) / 5) as u16
            }
            io => io,
        }
    }

    /// The tasks that a call means. ESRCH: none.
    fn prioritized(&self, id: TaskId, whose: Whose, who: u64) -> Result<Vec<TaskId>, Errno> {
        let who = match who as u32 {
            0 => None,
            who => Some(who),
        };
        let found: Vec<TaskId> = match whose {
            Whose::Task => match who {
                None => alloc::vec![id],
                Some(tid) => self.seen(id, tid).into_iter().collect(),
            },
            Whose::Group => {
                let pgid = who.unwrap_or(self.process(self.process_of(id)).pgid);
                let group = self.seen_processes(id).filter(|(_, p)| p.pgid == pgid);
                group.flat_map(|(_, p)| p.tasks.iter().copied()).collect()
            }
            Whose::User => {
                let uid = who.unwrap_or(self.credentials(id).uid[0]);
                let seen = |task: &TaskId| self.sees(id, self.process_of(*task));
                self.tasks_of_user(uid).filter(seen).collect()
            }
        };
        match found.is_empty() {
            true => Err(Errno::ESRCH),
            false => Ok(found),
        }
    }
}

fn priority_of(which: u64) -> Result<Whose, Errno> {
    match which as u32 {
        0 => Ok(Whose::Task),
        1 => Ok(Whose::Group),
        2 => Ok(Whose::User),
        _ => Err(Errno::EINVAL),
    }
}

fn io_priority_of(which: u64) -> Result<Whose, Errno> {
    match which as u32 {
        WHO_PROCESS => Ok(Whose::Task),
        WHO_GROUP => Ok(Whose::Group),
        WHO_USER => Ok(Whose::User),
        _ => Err(Errno::EINVAL),
    }
}
