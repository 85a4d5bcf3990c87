//! Calls about the machine as a whole: its names, its time, its end.

use super::Done;
use crate::Procmgr;
use crate::machine::Machine;
use abi::linux::general as g;
use abi::{Capability, Errno, TaskId};
use alloc::string::String;

/// The longest host and domain name.
const MAX_NAME: usize = 64;

const REBOOT_MAGIC: u32 = 0xfee1_dead;
const REBOOT_MAGIC2: [u32; 4] = [0x2812_1969, 0x0512_1996, 0x1604_1998, 0x2011_2000];
const RESTART: u32 = 0x0123_4567;
const HALT: u32 = 0xcdef_0123;
const CTRL_ALT_DEL_ON: u32 = 0x89ab_cdef;
const CTRL_ALT_DEL_OFF: u32 = 0;
const POWER_OFF: u32 = 0x4321_fedc;
const RESTART_WITH: u32 = 0xa1b2_c3d4;

// What syslog(2) is to do.
const LOG_CLOSE: u32 = 0;
const LOG_OPEN: u32 = 1;
const LOG_READ: u32 = 2;
const LOG_READ_ALL: u32 = 3;
const LOG_READ_CLEAR: u32 = 4;
const LOG_CLEAR: u32 = 5;
const LOG_CONSOLE_OFF: u32 = 6;
const LOG_CONSOLE_ON: u32 = 7;
const LOG_CONSOLE_LEVEL: u32 = 8;
const LOG_SIZE_UNREAD: u32 = 9;
const LOG_SIZE_BUFFER: u32 = 10;

/// The size of `struct timex`.
const TIMEX: usize = 208;
/// adjtimex(2): the clock is not synchronized.
const TIME_ERROR: i64 = 5;

impl Procmgr {
    /// Calls that need a capability, or only tell.
    pub(super) fn machine_call(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        nr: u32,
        a: [u64; 6],
    ) -> Result<i64, Errno> {
        match nr {
            g::__NR_sethostname => self.host_name = self.read_name(m, id, a)?,
            g::__NR_setdomainname => self.domain_name = self.read_name(m, id, a)?,
            g::__NR_settimeofday => self.set_time_of_day(m, id, a)?,
            g::__NR_adjtimex => return self.adjust_time(m, id, a[0]),
            g::__NR_clock_adjtime => {
                // The clocks that have a way to be set, and those that exist.
                return match a[0] as u32 {
                    g::CLOCK_REALTIME => self.adjust_time(m, id, a[1]),
                    g::CLOCK_PROCESS_CPUTIME_ID..=g::CLOCK_TAI | g::CLOCK_MONOTONIC => {
                        self.get::<TIMEX>(m, id, a[1])?;
                        Err(Errno::EOPNOTSUPP)
                    }
                    _ => {
                        self.get::<TIMEX>(m, id, a[1])?;
                        Err(Errno::EINVAL)
                    }
                };
            }
            g::__NR_acct => {
                if !self.capable(id, Capability::CAP_SYS_PACCT) {
                    return Err(Errno::EPERM);
                }
                // It is off.
                return if a[0] == 0 { Ok(0) } else { Err(Errno::ENOSYS) };
            }
            g::__NR_pkey_alloc if a[0] as u32 == 0 && a[1] & !3 == 0 => return Err(Errno::ENOSPC),
            _ => return Err(Errno::EINVAL),
        }
        Ok(0)
    }

    /// A host or domain name.
    fn read_name(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<String, Errno> {
        if !self.capable(id, Capability::CAP_SYS_ADMIN) {
            return Err(Errno::EPERM);
        }
        let len = usize::try_from(a[1] as i32).map_err(|_| Errno::EINVAL)?;
        let mut name = [0; MAX_NAME];
        let name = name.get_mut(..len).ok_or(Errno::EINVAL)?;
        let space = self.task(id).space.ok_or(Errno::EFAULT)?;
        self.memory.read_exact(m, space, a[0], name)?;
        let name = String::from_utf8_lossy(name);
        let name = name.trim_end_matches('\0').chars();
        Ok(name.filter(char::is_ascii).collect())
    }

    /// settimeofday(2): nobody sets the machine's time, and nobody keeps its zone.
    fn set_time_of_day(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        if a[0] != 0 {
            let [seconds, micros] = self.get_words(m, id, a[0])?;
            if micros > 999_999 || (seconds as i64) < 0 {
                return Err(Errno::EINVAL);
            }
        }
        if a[1] != 0 {
            self.get::<8>(m, id, a[1])?;
        }
        match a[0] == 0 && self.capable(id, Capability::CAP_SYS_TIME) {
            true => Ok(()),
            false => Err(Errno::EPERM),
        }
    }

    /// adjtimex(2) that only asks, adjtime(3)'s way too; the other one is EPERM, as setting the
    /// time is.
    fn adjust_time(&mut self, m: &mut impl Machine, id: TaskId, at: u64) -> Result<i64, Errno> {
        const ADJTIME: u32 = 0x8000;
        const READ_ONLY: u32 = 0x2000;
        const SINGLE_SHOT: u32 = 1;
        const UNSYNCHRONIZED: u32 = 0x40;
        /// The most that the time can be off, in microseconds.
        const MAX_ERROR: u64 = 16_000_000;
        /// 500 parts in a million, as parts in 2^16.
        const TOLERANCE: u64 = 500 << 16;
        let asked: [u8; TIMEX] = self.get(m, id, at)?;
        let modes = u32::from_le_bytes(asked[..4].try_into().expect("4 bytes"));
        let only_asks = match modes & ADJTIME {
            0 => modes == 0,
            _ if modes & SINGLE_SHOT == 0 => return Err(Errno::EINVAL),
            _ => modes & READ_ONLY != 0,
        };
        if !only_asks {
            return Err(Errno::EPERM);
        }
        let now = self.realtime(m);
        let mut timex = [0; TIMEX];
        let mut word = |at: usize, value: u64| {
            timex[at..at + 8].copy_from_slice(&value.to_le_bytes());
        };
        word(0, modes.into());
        word(24, MAX_ERROR);
        word(32, MAX_ERROR);
        word(40, UNSYNCHRONIZED.into());
        // Time constant, precision.
        word(48, 2);
        word(56, 1);
        word(64, TOLERANCE);
        word(72, now / 1_000_000_000);
        word(80, now % 1_000_000_000 / 1000);
        // Microseconds of a tick.
        word(88, 10_000);
        self.put(m, id, at, &timex)?;
        Ok(TIME_ERROR)
    }

    /// syslog(2) of a log that nobody writes: messages go to the console at once.
    pub(super) fn sys_syslog(&mut self, id: TaskId, a: [u64; 6]) -> Done {
        const LOG_SIZE: i64 = 1 << 14;
        let [what, buffer, len, ..] = a;
        let (what, len) = (what as u32, len as i32);
        let open = matches!(what, LOG_READ_ALL | LOG_SIZE_BUFFER);
        if !open && !self.capable(id, Capability::CAP_SYSLOG) {
            return Errno::EPERM.into();
        }
        match what {
            LOG_READ | LOG_READ_ALL | LOG_READ_CLEAR if buffer == 0 || len < 0 => {
                Errno::EINVAL.into()
            }
            LOG_READ if len > 0 => self.sys_pause(id),
            LOG_CONSOLE_LEVEL if !(1..=8).contains(&len) => Errno::EINVAL.into(),
            LOG_SIZE_BUFFER => Done::Result(LOG_SIZE),
            LOG_CLOSE | LOG_OPEN | LOG_READ | LOG_READ_ALL | LOG_READ_CLEAR | LOG_CLEAR
            | LOG_CONSOLE_OFF | LOG_CONSOLE_ON | LOG_CONSOLE_LEVEL | LOG_SIZE_UNREAD => {
                Done::Result(0)
            }
            _ => Errno::EINVAL.into(),
        }
    }

    /// reboot(2): every end of the machine is that it is switched off.
    pub(super) fn sys_reboot(&mut self, m: &mut impl Machine, id: TaskId, a: [u64; 6]) -> Done {
        if !self.capable(id, Capability::CAP_SYS_BOOT) {
            return Errno::EPERM.into();
        }
        if a[0] as u32 != REBOOT_MAGIC || !REBOOT_MAGIC2.contains(&(a[1] as u32)) {
            return Errno::EINVAL.into();
        }
        match a[2] as u32 {
            RESTART | HALT | POWER_OFF => {}
            RESTART_WITH => {
                let space = self.task(id).space.expect("a caller has a space");
                let mut command = [0; 256];
                let read = self.memory.read_cstr(m, space, a[3], &mut command);
                if read == Err(Errno::EFAULT) {
                    return Errno::EFAULT.into();
                }
            }
            CTRL_ALT_DEL_ON | CTRL_ALT_DEL_OFF => return Done::Result(0),
            _ => return Errno::EINVAL.into(),
        }
        m.power_off(0);
        self.sys_exit_group(m, id, 0)
    }
}
