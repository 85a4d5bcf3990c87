//! What a task asked the scheduler for. All tasks run alike, so it is only kept, inherited, shown
//! and refused to those who may not have it (sched(7), ioprio_set(2)).

use abi::linux::general as g;

/// The nicenesses there are.
pub const NICE: core::ops::RangeInclusive<i32> = -20..=19;
/// The priorities of the real-time policies.
pub const REAL_TIME: core::ops::RangeInclusive<u32> = 1..=99;

/// How a task would like to be scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scheduling {
    /// SCHED_ number.
    pub policy: u32,
    /// The priority under a real-time policy; 0 under another one.
    pub priority: u32,
    /// Its niceness, in [`NICE`].
    pub nice: i32,
    /// Its children do not inherit what is better than the default.
    pub reset_on_fork: bool,
    /// I/O class and priority; 0 means that the niceness says it.
    pub io: u16,
}

impl Default for Scheduling {
    fn default() -> Scheduling {
        Scheduling {
            policy: g::SCHED_NORMAL,
            priority: 0,
            nice: 0,
            reset_on_fork: false,
            io: 0,
        }
    }
}

/// Whether a policy has priorities.
pub const fn is_real_time(policy: u32) -> bool {
    matches!(policy, g::SCHED_FIFO | g::SCHED_RR)
}

impl Scheduling {
    /// What a child gets.
    pub fn child(self) -> Scheduling {
        if !self.reset_on_fork {
            return self;
        }
        let normal = Scheduling {
            reset_on_fork: false,
            ..self
        };
        match is_real_time(self.policy) {
            true => Scheduling {
                policy: g::SCHED_NORMAL,
                priority: 0,
                nice: 0,
                ..normal
            },
            false => Scheduling {
                nice: self.nice.max(0),
                ..normal
            },
        }
    }

    /// The priority as proc_pid_stat(5) has it: lower is better, negative is real-time.
    pub fn shown_priority(self) -> i32 {
        match is_real_time(self.policy) {
            true => -1 - self.priority as i32,
            false => 20 + self.nice,
        }
    }
}

/// A niceness as RLIMIT_NICE and getpriority(2) count it: from 1, the least, to 40.
pub const fn as_limit(nice: i32) -> u64 {
    (20 - nice) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_inherits_unless_that_is_reset() {
        let better = Scheduling {
            nice: -5,
            ..Scheduling::default()
        };
        assert_eq!(better.child(), better);
        let reset = |of: Scheduling| {
            let reset_on_fork = true;
            Scheduling {
                reset_on_fork,
                ..of
            }
            .child()
        };
        assert_eq!(reset(better), Scheduling::default());
        let worse = Scheduling { nice: 5, ..better };
        assert_eq!(reset(worse), worse);
        let real_time = Scheduling {
            policy: g::SCHED_RR,
            priority: 7,
            ..worse
        };
        assert_eq!(real_time.shown_priority(), -8);
        assert_eq!(reset(real_time), Scheduling::default());
    }
}
