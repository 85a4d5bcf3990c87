//! timerfd_create(2) and its relatives.

use crate::Fs;
use crate::anon::Kind;
use crate::host::{Host, Port};
use crate::io::Io;
use crate::tree::Node;
use abi::Errno;
use abi::linux::general::{
    CLOCK_BOOTTIME, CLOCK_BOOTTIME_ALARM, CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_REALTIME_ALARM,
    O_CLOEXEC, O_NONBLOCK, O_RDWR,
};

const TFD_TIMER_ABSTIME: u32 = 1;
const TFD_TIMER_CANCEL_ON_SET: u32 = 2;
const SECOND: u64 = 1_000_000_000;

/// A timerfd.
#[derive(Clone, Hash)]
pub(crate) struct Timer {
    realtime: bool,
    /// The next expiry on the monotonic clock, and the time between expiries; 0 for only one.
    next: Option<u64>,
    interval: u64,
    /// Expiries that nobody has read.
    pub ticks: u64,
    /// How often it has become readable.
    pub activity: u64,
}

impl Timer {
    /// When somebody has to look at it. Nobody has while it is readable anyway.
    pub fn deadline(&self) -> Option<u64> {
        self.next.filter(|_| self.ticks == 0)
    }

    /// It is `now`; whether it has become readable.
    pub fn expire(&mut self, now: u64) -> bool {
        let Some(next) = self.next.filter(|&next| next <= now) else {
            return false;
        };
        let more = (now - next).checked_div(self.interval).unwrap_or(0);
        self.ticks = self.ticks.saturating_add(1 + more);
        self.next = (self.interval > 0).then(|| next + (more + 1) * self.interval);
        self.activity += 1;
        true
    }

    /// Takes the number of expiries.
    pub fn read<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        io: &mut Io,
    ) -> Result<Option<i64>, Errno> {
        if io.total < 8 {
            return Err(Errno::EINVAL);
        }
        self.expire(port.time()?.0);
        if self.ticks == 0 {
            return Ok(None);
        }
        io.put(port, &self.ticks.to_le_bytes())?;
        self.ticks = 0;
        Ok(Some(io.done()))
    }

    /// struct itimerspec: the interval and the time that is left.
    fn setting(&self, now: u64) -> [u8; 32] {
        let left = self.next.map_or(0, |next| next.saturating_sub(now).max(1));
        let mut bytes = [0; 32];
        let words = [
            self.interval / SECOND,
            self.interval % SECOND,
            left / SECOND,
            left % SECOND,
        ];
        for (to, word) in bytes.chunks_exact_mut(8).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }
}

impl Fs {
    /// timerfd_create(2).
    pub(crate) fn timerfd_create<H: Host>(
        &mut self,
        port: &Port<'_, H>,
        clock: u32,
        flags: u32,
    ) -> Result<i64, Errno> {
        let realtime = matches!(clock, CLOCK_REALTIME | CLOCK_REALTIME_ALARM);
        let known = matches!(
            clock,
            CLOCK_MONOTONIC | CLOCK_BOOTTIME | CLOCK_BOOTTIME_ALARM
        );
        if flags & !(O_CLOEXEC | O_NONBLOCK) != 0 || !(realtime || known) {
            return Err(Errno::EINVAL);
        }
        let timer = Timer {
            realtime,
            next: None,
            interval: 0,
            ticks: 0,
            activity: 0,
        };
        let status = O_RDWR | flags & O_NONBLOCK;
        self.open_anon(port, Kind::Timer(timer), status, flags & O_CLOEXEC != 0)
    }

    /// timerfd_settime(2).
    pub(crate) fn timerfd_settime<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        flags: u32,
        (new, old): (u64, u64),
    ) -> Result<i64, Errno> {
        let [seconds, nanoseconds, first, first_rest] = port.words::<4>(new)?;
        let time = |seconds: u64, rest: u64| match (i64::try_from(seconds), rest < SECOND) {
            (Ok(_), true) => Ok(seconds.saturating_mul(SECOND).saturating_add(rest)),
            _ => Err(Errno::EINVAL),
        };
        if flags & !(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) != 0 {
            return Err(Errno::EINVAL);
        }
        let (interval, value) = (time(seconds, nanoseconds)?, time(first, first_rest)?);
        let (monotonic, realtime) = port.time()?;
        let timer = self.timer(port, fd)?;
        let next = match flags & TFD_TIMER_ABSTIME {
            0 => monotonic.saturating_add(value),
            _ if timer.realtime => value.saturating_sub(realtime - monotonic),
            _ => value,
        };
        let before = timer.setting(monotonic);
        timer.next = (value > 0).then_some(next);
        timer.interval = interval;
        timer.ticks = 0;
        timer.expire(monotonic);
        self.dirty = true;
        if old != 0 {
            port.write(old, &before)?;
        }
        Ok(0)
    }

    /// timerfd_gettime(2).
    pub(crate) fn timerfd_gettime<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        fd: i32,
        out: u64,
    ) -> Result<i64, Errno> {
        let (now, _) = port.time()?;
        let timer = self.timer(port, fd)?;
        timer.expire(now);
        let setting = timer.setting(now);
        port.write(out, &setting).map(|()| 0)
    }

    fn timer<H: Host>(&mut self, port: &Port<'_, H>, fd: i32) -> Result<&mut Timer, Errno> {
        let file = self.file(port.task, fd)?;
        let Node::Anon(id) = self.files[file].node else {
            return Err(Errno::EINVAL);
        };
        match &mut self.anons[id].kind {
            Kind::Timer(timer) => Ok(timer),
            _ => Err(Errno::EINVAL),
        }
    }

    /// The first time that a timerfd has to be looked at.
    pub(crate) fn timer_deadline(&self) -> Option<u64> {
        let timers = self.anons.iter().filter_map(|(_, anon)| match &anon.kind {
            Kind::Timer(timer) => timer.deadline(),
            _ => None,
        });
        timers.min()
    }

    /// It is `now` for every timerfd.
    pub(crate) fn expire_timers(&mut self, now: u64) {
        for anon in self.anons.iter_mut() {
            if let Kind::Timer(timer) = &mut anon.kind
                && timer.deadline().is_some()
            {
                self.dirty |= timer.expire(now);
            }
        }
    }
}
