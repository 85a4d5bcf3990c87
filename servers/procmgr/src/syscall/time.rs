//! Clocks, sleeping and the interval timer.

use super::Done;
use crate::Procmgr;
use crate::cpu_timers::Kind;
use crate::machine::Machine;
use crate::task::{Restart, Sleep, State, Wait};
use crate::timers::What;
use abi::linux::general as g;
use abi::{Errno, TaskId};

const SECOND: u64 = 1_000_000_000;

fn timespec(ns: u64) -> [u64; 2] {
    [ns / SECOND, ns % SECOND]
}

/// Which interval timer; none for ITIMER_REAL.
fn itimer(which: u64) -> Result<Option<Kind>, Errno> {
    match which as u32 {
        g::ITIMER_REAL => Ok(None),
        g::ITIMER_VIRTUAL => Ok(Some(Kind::Virtual)),
        g::ITIMER_PROF => Ok(Some(Kind::Prof)),
        _ => Err(Errno::EINVAL),
    }
}

impl Procmgr {
    /// Reads a `struct timespec` as nanoseconds: EFAULT, EINVAL.
    pub(crate) fn get_timespec(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        at: u64,
    ) -> Result<u64, Errno> {
        let [seconds, ns] = self.get_words(m, id, at)?;
        if seconds as i64 >= 0 && ns < SECOND {
            Ok(seconds.saturating_mul(SECOND).saturating_add(ns))
        } else {
            Err(Errno::EINVAL)
        }
    }

    fn clock(&mut self, m: &mut impl Machine, id: TaskId, clock: u64) -> Result<u64, Errno> {
        match clock as u32 {
            g::CLOCK_REALTIME | g::CLOCK_REALTIME_COARSE | g::CLOCK_TAI => Ok(self.realtime(m)),
            g::CLOCK_MONOTONIC
            | g::CLOCK_MONOTONIC_RAW
            | g::CLOCK_MONOTONIC_COARSE
            | g::CLOCK_BOOTTIME => Ok(m.now()),
            g::CLOCK_PROCESS_CPUTIME_ID => Ok(self.process_cpu(m, self.process_of(id))),
            g::CLOCK_THREAD_CPUTIME_ID => Ok(self.task_cpu(m, id)),
            of if (of as i32) < 0 => self.cpu_clock(m, id, of),
            _ => Err(Errno::EINVAL),
        }
    }

    /// The clock of another process or thread: its number's complement above three bits, the
    /// third of which says thread (clock_getcpuclockid(3), "pthread_getcpuclockid").
    fn cpu_clock(&mut self, m: &mut impl Machine, id: TaskId, clock: u32) -> Result<u64, Errno> {
        let tid = !((clock as i32) >> 3) as u32;
        let target = match tid {
            0 => Some(id),
            tid => self.seen(id, tid),
        };
        let target = target
            .filter(|t| clock & 3 != 3 && self.task(*t).space.is_some())
            .ok_or(Errno::EINVAL)?;
        let ix = self.process_of(target);
        let thread = clock & 4 != 0;
        match thread {
            true if ix != self.process_of(id) => Err(Errno::EINVAL),
            true => Ok(self.task_cpu(m, target)),
            false if self.process(ix).leader != target && target != id => Err(Errno::EINVAL),
            false => Ok(self.process_cpu(m, ix)),
        }
    }

    /// clock_settime(2): nobody sets the machine's time.
    pub(super) fn sys_clock_settime(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        if a[0] as u32 != g::CLOCK_REALTIME {
            return Err(Errno::EINVAL);
        }
        self.get_timespec(m, id, a[1])?;
        Err(Errno::EPERM)
    }

    pub(super) fn sys_clock_gettime(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        let ns = self.clock(m, id, a[0])?;
        self.put_words(m, id, a[1], timespec(ns))
    }

    pub(super) fn sys_clock_getres(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        self.clock(m, id, a[0])?;
        match a[1] {
            0 => Ok(()),
            at => self.put_words(m, id, at, timespec(1)),
        }
    }

    pub(super) fn sys_gettimeofday(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        let now = self.realtime(m);
        if a[0] != 0 {
            self.put_words(m, id, a[0], [now / SECOND, now % SECOND / 1000])?;
        }
        if a[1] != 0 {
            self.put_words(m, id, a[1], [0])?;
        }
        Ok(())
    }

    pub(super) fn sys_time(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<i64, Errno> {
        let seconds = self.realtime(m) / SECOND;
        if a[0] != 0 {
            self.put_words(m, id, a[0], [seconds])?;
        }
        Ok(seconds as i64)
    }

    /// nanosleep(2).
    pub(super) fn sys_nanosleep(&mut self, m: &mut impl Machine, id: TaskId, a: [u64; 6]) -> Done {
        match self.get_timespec(m, id, a[0]) {
            Ok(ns) => {
                let deadline = m.now().saturating_add(ns);
                self.sleep(
                    m,
                    id,
                    Sleep {
                        deadline,
                        remaining: a[1],
                        absolute: false,
                    },
                )
            }
            Err(e) => e.into(),
        }
    }

    /// clock_nanosleep(2).
    pub(super) fn sys_clock_nanosleep(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Done {
        let realtime = match a[0] as u32 {
            g::CLOCK_REALTIME | g::CLOCK_TAI => true,
            g::CLOCK_MONOTONIC | g::CLOCK_BOOTTIME => false,
            _ => return Errno::EINVAL.into(),
        };
        let ns = match self.get_timespec(m, id, a[2]) {
            Ok(ns) => ns,
            Err(e) => return e.into(),
        };
        let absolute = a[1] as u32 & g::TIMER_ABSTIME != 0;
        let deadline = match (absolute, realtime) {
            (true, true) => ns.saturating_sub(self.config.realtime_at_boot),
            (true, false) => ns,
            (false, _) => m.now().saturating_add(ns),
        };
        self.sleep(
            m,
            id,
            Sleep {
                deadline,
                remaining: a[3],
                absolute,
            },
        )
    }

    fn sleep(&mut self, m: &mut impl Machine, id: TaskId, restart: Sleep) -> Done {
        if restart.deadline <= m.now() {
            return Done::Result(0);
        }
        let task = self.task_mut(id);
        task.state = State::Waiting(Wait::Sleep(restart));
        task.wake_at = Some(restart.deadline);
        self.add_timer(m, restart.deadline, What::Wake(id));
        if self.next_signal(id).is_some() {
            self.interrupt(m, id);
        }
        Done::Later
    }

    /// A sleep ends early: the rest is told, and kept for a restart.
    pub(crate) fn sleep_interrupted(&mut self, m: &mut impl Machine, id: TaskId, restart: Sleep) {
        if restart.absolute {
            return;
        }
        self.task_mut(id).restart = Some(Restart::Sleep(restart));
        if restart.remaining != 0 {
            let left = restart.deadline.saturating_sub(m.now());
            // A bad address is told when the sleep ends, which it does not here.
            let _ = self.put_words(m, id, restart.remaining, timespec(left));
        }
    }

    /// restart_syscall(2): goes on with what a signal without handler interrupted.
    pub(super) fn sys_restart(&mut self, m: &mut impl Machine, id: TaskId) -> Done {
        match self.task_mut(id).restart.take() {
            Some(Restart::Sleep(sleep)) => self.sleep(m, id, sleep),
            Some(Restart::Futex(wait)) => self.futex_wait(m, id, wait),
            None => Errno::EINTR.into(),
        }
    }

    /// alarm(2): the seconds left of the former one.
    pub(super) fn sys_alarm(&mut self, m: &mut impl Machine, id: TaskId, a: [u64; 6]) -> Done {
        let ns = u64::from(a[0] as u32).saturating_mul(SECOND);
        let (left, _) = self.set_real_timer(m, id, ns, 0);
        Done::Result(left.div_ceil(SECOND) as i64)
    }

    /// setitimer(2).
    pub(super) fn sys_setitimer(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        let kind = itimer(a[0])?;
        let [interval_s, interval_us, value_s, value_us] = match a[1] {
            0 => [0; 4],
            at => self.get_words(m, id, at)?,
        };
        let timeval = |s: u64, us: u64| {
            let fits = s as i64 >= 0 && us < 1_000_000;
            let ns = s
                .saturating_mul(SECOND)
                .saturating_add(us.saturating_mul(1000));
            if fits { Ok(ns) } else { Err(Errno::EINVAL) }
        };
        let value = timeval(value_s, value_us)?;
        let interval = timeval(interval_s, interval_us)?;
        let old = match kind {
            None => self.set_real_timer(m, id, value, interval),
            Some(kind) => self.set_cpu_timer(m, self.process_of(id), kind, value, interval),
        };
        self.put_itimer(m, id, a[2], old)
    }

    /// getitimer(2).
    pub(super) fn sys_getitimer(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        let ix = self.process_of(id);
        let left = match itimer(a[0])? {
            Some(kind) => self.cpu_timer_left(m, ix, kind),
            None => {
                let now = m.now();
                let timer = self.process(ix).real_timer;
                timer.map_or((0, 0), |(at, interval)| {
                    (at.saturating_sub(now).max(1000), interval)
                })
            }
        };
        if a[1] == 0 {
            return Err(Errno::EFAULT);
        }
        self.put_itimer(m, id, a[1], left)
    }

    fn put_itimer(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        at: u64,
        (value, interval): (u64, u64),
    ) -> Result<(), Errno> {
        if at == 0 {
            return Ok(());
        }
        let split = |ns: u64| [ns / SECOND, ns % SECOND / 1000];
        let ([i0, i1], [v0, v1]) = (split(interval), split(value));
        self.put_words(m, id, at, [i0, i1, v0, v1])
    }

    /// Sets ITIMER_REAL; what was left of the former one, and its interval.
    fn set_real_timer(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        value: u64,
        interval: u64,
    ) -> (u64, u64) {
        let ix = self.process_of(id);
        let pid = self.process(ix).pid;
        let now = m.now();
        let old = self.process_mut(ix).real_timer.take();
        if let Some((at, _)) = old {
            self.timers.remove(at, What::Alarm(ix, pid));
        }
        if value != 0 {
            let at = now.saturating_add(value);
            self.process_mut(ix).real_timer = Some((at, interval));
            self.add_timer(m, at, What::Alarm(ix, pid));
        }
        old.map_or((0, 0), |(at, interval)| {
            (at.saturating_sub(now).max(1000), interval)
        })
    }
}
