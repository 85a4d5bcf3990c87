//! The time-stamp counter.

/// Its value.
#[inline]
pub fn ticks() -> u64 {
    // SAFETY: every processor this runs on has the counter, and the kernel lets programs read it.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// Turns ticks into nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    at_boot: u64,
    /// Nanoseconds per tick, in 2^-32.
    scale: u64,
}

impl Clock {
    /// A clock that showed 0 when the counter was `at_boot`.
    pub const fn new(at_boot: u64, mhz: u32) -> Clock {
        let mhz = if mhz == 0 { 1000 } else { mhz };
        Clock {
            at_boot,
            scale: (1000 << 32) / mhz as u64,
        }
    }

    /// Nanoseconds since boot.
    #[inline]
    pub fn now(&self) -> u64 {
        self.nanoseconds(ticks().wrapping_sub(self.at_boot))
    }

    /// How long so many ticks are.
    #[inline]
    pub fn nanoseconds(&self, ticks: u64) -> u64 {
        ((ticks as u128 * self.scale as u128) >> 32) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;

    #[test]
    fn a_million_ticks_at_999_mhz_are_1001001_nanoseconds() {
        assert_eq!(Clock::new(0, 999).nanoseconds(1_000_000), 1_001_001);
    }

    #[test]
    fn years_of_ticks_do_not_overflow() {
        let year = 365 * 24 * 3600 * 2_500_000_000;
        assert_eq!(
            Clock::new(0, 2500).nanoseconds(year) / 1_000_000_000,
            365 * 24 * 3600 - 1
        );
    }
}
