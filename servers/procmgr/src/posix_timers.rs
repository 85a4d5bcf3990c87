//! POSIX timers: timer_create(2) and its relatives.
//!
//! A timer that fires while its signal is still queued counts an overrun in that signal's
//! siginfo; the count is the timer's once the signal is taken.

use crate::Procmgr;
use crate::machine::Machine;
use crate::process::ProcessIx;
use crate::timers::What;
use crate::users::Charge;
use abi::linux::general as g;
use abi::signal::{SIGALRM, SIGMAX, code};
use abi::{Errno, SigInfo, TaskId};

/// The most timers of a process.
pub const MAX_TIMERS: usize = 128;
/// A timer whose signal is queued, or that has none, need not fire more often than this.
const QUEUED_PAUSE_NS: u64 = 500_000;
/// How long to wait at least before CPU time is looked at again.
const CPU_PAUSE_NS: u64 = 1_000_000;

/// One timer.
#[derive(Clone, Hash)]
pub struct PosixTimer {
    id: i32,
    clock: Clock,
    /// Which task gets the signal; none for the process.
    target: Option<TaskId>,
    /// The signal and its value; none for SIGEV_NONE.
    signal: Option<(u8, u64)>,
    /// When it fires next, on its clock.
    at: Option<u64>,
    interval: u64,
    overrun: u32,
    /// The place in the queue that its signal has.
    charge: Charge,
}

impl PosixTimer {
    /// What it counts for its user.
    pub fn charge_mut(&mut self) -> &mut Charge {
        &mut self.charge
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Clock {
    Monotonic,
    Realtime,
    ProcessCpu,
    ThreadCpu(TaskId),
}

impl Procmgr {
    fn timer_clock(&mut self, m: &mut impl Machine, ix: ProcessIx, clock: Clock) -> u64 {
        match clock {
            Clock::Monotonic | Clock::Realtime => m.now(),
            Clock::ProcessCpu => self.process_cpu(m, ix),
            Clock::ThreadCpu(id) => match self.find_task(id) {
                Ok(t) if t.space.is_some() => self.task_cpu(m, id),
                _ => 0,
            },
        }
    }

    /// timer_create(2).
    pub(crate) fn sys_timer_create(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        let ix = self.process_of(id);
        let clock = match a[0] as u32 {
            g::CLOCK_REALTIME | g::CLOCK_TAI => Clock::Realtime,
            g::CLOCK_MONOTONIC | g::CLOCK_BOOTTIME => Clock::Monotonic,
            g::CLOCK_PROCESS_CPUTIME_ID => Clock::ProcessCpu,
            g::CLOCK_THREAD_CPUTIME_ID => Clock::ThreadCpu(id),
            _ => return Err(Errno::EINVAL),
        };
        let number = self.process(ix).next_timer;
        let (target, signal) = match a[1] {
            0 => (None, Some((SIGALRM, number as u64))),
            at => self.read_sigevent(m, id, at)?,
        };
        let limit = self.process(ix).limits[g::RLIMIT_SIGPENDING as usize].0;
        let uid = self.credentials(id).uid[0];
        let charge = self.users.charge(uid, limit).ok_or(Errno::EAGAIN)?;
        let timers = &mut self.process_mut(ix).posix_timers;
        if timers.len() == MAX_TIMERS || timers.try_reserve(1).is_err() {
            return Err(Errno::EAGAIN);
        }
        self.put(m, id, a[2], &number.to_le_bytes())?;
        let process = self.process_mut(ix);
        process.next_timer = number.wrapping_add(1) & i32::MAX;
        process.posix_timers.push(PosixTimer {
            id: number,
            clock,
            target,
            signal,
            at: None,
            interval: 0,
            overrun: 0,
            charge,
        });
        Ok(())
    }

    #[allow(clippy::type_complexity)] // the two fields of a timer that it is about
    fn read_sigevent(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        at: u64,
    ) -> Result<(Option<TaskId>, Option<(u8, u64)>), Errno> {
        let [value, kind, tid] = self.get_words(m, id, at)?;
        let signo = u8::try_from(kind as u32).ok();
        let signo = signo.filter(|n| (1..=SIGMAX).contains(n));
        let target = match (kind >> 32) as u32 {
            g::SIGEV_NONE => return Ok((None, None)),
            g::SIGEV_SIGNAL | g::SIGEV_THREAD => None,
            g::SIGEV_THREAD_ID => {
                let target = self.by_tid(tid as u32).ok_or(Errno::EINVAL)?;
                if self.process_of(target) != self.process_of(id) {
                    return Err(Errno::EINVAL);
                }
                Some(target)
            }
            _ => return Err(Errno::EINVAL),
        };
        Ok((target, Some((signo.ok_or(Errno::EINVAL)?, value))))
    }

    fn timer_index(&self, ix: ProcessIx, number: u64) -> Result<usize, Errno> {
        let timers = &self.process(ix).posix_timers;
        timers
            .iter()
            .position(|t| t.id == number as i32)
            .ok_or(Errno::EINVAL)
    }

    /// timer_settime(2).
    pub(crate) fn sys_timer_settime(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        if a[2] == 0 {
            return Err(Errno::EINVAL);
        }
        let interval = self.get_timespec(m, id, a[2])?;
        let value = self.get_timespec(m, id, a[2].wrapping_add(16))?;
        let ix = self.process_of(id);
        let i = self.timer_index(ix, a[0])?;
        let clock = self.process(ix).posix_timers[i].clock;
        let old = self.timer_left(m, ix, i);
        self.stop_timer(ix, i);
        let now = self.timer_clock(m, ix, clock);
        let absolute = a[1] as u32 & g::TIMER_ABSTIME != 0;
        let at = match (absolute, clock) {
            (true, Clock::Realtime) => value.saturating_sub(self.config.realtime_at_boot),
            (true, _) => value,
            (false, _) => now.saturating_add(value),
        };
        let timer = &mut self.process_mut(ix).posix_timers[i];
        timer.interval = interval;
        timer.overrun = 0;
        timer.at = (value != 0).then_some(at);
        self.start_timer(m, ix, i);
        match a[3] {
            0 => Ok(()),
            at => self.put_words(m, id, at, old),
        }
    }

    /// timer_gettime(2).
    pub(crate) fn sys_timer_gettime(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        let ix = self.process_of(id);
        let i = self.timer_index(ix, a[0])?;
        let left = self.timer_left(m, ix, i);
        self.put_words(m, id, a[1], left)
    }

    /// timer_getoverrun(2).
    pub(crate) fn sys_timer_getoverrun(&self, id: TaskId, number: u64) -> Result<i64, Errno> {
        let ix = self.process_of(id);
        let i = self.timer_index(ix, number)?;
        Ok(self.process(ix).posix_timers[i].overrun.into())
    }

    /// timer_delete(2).
    pub(crate) fn sys_timer_delete(&mut self, id: TaskId, number: u64) -> Result<(), Errno> {
        let ix = self.process_of(id);
        let i = self.timer_index(ix, number)?;
        self.stop_timer(ix, i);
        self.process_mut(ix).posix_timers.remove(i);
        Ok(())
    }

    /// exec, and the end of the process.
    pub(crate) fn delete_timers(&mut self, ix: ProcessIx) {
        for i in 0..self.process(ix).posix_timers.len() {
            self.stop_timer(ix, i);
        }
        self.process_mut(ix).posix_timers.clear();
    }

    /// `struct itimerspec` of a timer: its interval and what is left.
    fn timer_left(&mut self, m: &mut impl Machine, ix: ProcessIx, i: usize) -> [u64; 4] {
        let clock = self.process(ix).posix_timers[i].clock;
        let now = self.timer_clock(m, ix, clock);
        let timer = &self.process(ix).posix_timers[i];
        let left = timer.at.map_or(0, |at| at.saturating_sub(now).max(1));
        let split = |ns: u64| (ns / 1_000_000_000, ns % 1_000_000_000);
        let ((i0, i1), (v0, v1)) = (split(timer.interval), split(left));
        [i0, i1, v0, v1]
    }

    fn start_timer(&mut self, m: &mut impl Machine, ix: ProcessIx, i: usize) {
        let process = self.process(ix);
        let timer = &process.posix_timers[i];
        let (Some(at), clock) = (timer.at, timer.clock) else {
            return;
        };
        let what = What::Posix(ix, process.pid, timer.id);
        let due = match clock {
            Clock::Monotonic | Clock::Realtime => at,
            // CPU time runs at most as fast as the clock.
            Clock::ProcessCpu | Clock::ThreadCpu(_) => {
                let used = self.timer_clock(m, ix, clock);
                m.now()
                    .saturating_add(at.saturating_sub(used).max(CPU_PAUSE_NS))
            }
        };
        self.add_timer(m, due, what);
    }

    fn stop_timer(&mut self, ix: ProcessIx, i: usize) {
        let process = self.process(ix);
        let timer = &process.posix_timers[i];
        if timer.at.is_some() {
            let what = What::Posix(ix, process.pid, timer.id);
            self.timers.remove_all(what);
        }
    }

    /// A timer may be due.
    pub(crate) fn posix_timer_fires(
        &mut self,
        m: &mut impl Machine,
        ix: ProcessIx,
        pid: u32,
        number: i32,
    ) {
        if self.tables_process(ix).is_none_or(|p| p.pid != pid) {
            return;
        }
        let Ok(i) = self.timer_index(ix, number as u64) else {
            return;
        };
        let clock = self.process(ix).posix_timers[i].clock;
        let now = self.timer_clock(m, ix, clock);
        let timer = &self.process(ix).posix_timers[i];
        let Some(at) = timer.at else { return };
        if now < at {
            return self.start_timer(m, ix, i);
        }
        let (target, signal, interval) = (timer.target, timer.signal, timer.interval);
        let target = target.filter(|t| self.find_task(*t).is_ok());
        let pending = match target {
            Some(task) => &mut self.task_mut(task).pending,
            None => &mut self.process_mut(ix).pending,
        };
        let queued = pending.of_timer(number);
        let slack = if queued.is_some() || signal.is_none() {
            QUEUED_PAUSE_NS
        } else {
            0
        };
        let missed = (now + slack - at).checked_div(interval).unwrap_or(0);
        let again = queued.is_some();
        if let Some(info) = queued {
            let count = (info.fields[0] >> 32) + missed + 1;
            info.fields[0] = overrun_field(number, count);
        }
        let timer = &mut self.process_mut(ix).posix_timers[i];
        timer.at = (interval != 0)
            .then(|| at.saturating_add(missed.saturating_add(1).saturating_mul(interval)));
        self.start_timer(m, ix, i);
        let Some((signo, value)) = signal.filter(|_| !again) else {
            return;
        };
        let mut info = SigInfo::new(signo, code::SI_TIMER);
        info.fields[0] = overrun_field(number, missed);
        info.fields[1] = value;
        // A full queue keeps the signal and drops its siginfo.
        let _ = match target {
            Some(task) => self.signal_task(m, task, info),
            None => self.signal_process(m, ix, info),
        };
    }

    /// A task takes a signal: its overruns are what timer_getoverrun tells from now on.
    pub(crate) fn timer_signal_taken(&mut self, ix: ProcessIx, info: &SigInfo) {
        if info.code == code::SI_TIMER
            && let Ok(i) = self.timer_index(ix, u64::from(info.fields[0] as u32))
        {
            self.process_mut(ix).posix_timers[i].overrun = (info.fields[0] >> 32) as u32;
        }
    }
}

/// `si_timerid` and `si_overrun`.
fn overrun_field(number: i32, count: u64) -> u64 {
    u64::from(number as u32) | count.min(i32::MAX as u64) << 32
}
