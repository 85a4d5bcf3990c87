//! Measuring CPU time.
//!
//! The kernel does not tell which thread runs. Those that can run take turns, so of the time in
//! which n of them could, each gets an n-th: a clock that goes the slower the more of them there
//! are measures each one's time, and no instant is counted twice. It stands still while the process
//! manager itself works.

use rt::clock;

/// Fractions of a tick.
const FRACTION: u32 = 8;

/// The clock.
pub struct Meter {
    /// What it shows, in 2^-[`FRACTION`] ticks.
    shown: u64,
    /// The counter when it was set or started last.
    since: u64,
    /// How many threads can run.
    running: u64,
    /// The process manager works.
    stands: bool,
}

impl Meter {
    /// Standing: the process manager has just started.
    pub fn new() -> Meter {
        Meter {
            shown: 0,
            since: clock::ticks(),
            running: 0,
            stands: true,
        }
    }

    /// A message has come: the process manager works.
    pub fn stop(&mut self) {
        let now = clock::ticks();
        if let Some(share) = ((now - self.since) << FRACTION).checked_div(self.running) {
            self.shown += share;
        }
        self.since = now;
        self.stands = true;
    }

    /// The process manager is about to wait for a message; how many ticks it has worked.
    pub fn start(&mut self) -> u64 {
        let now = clock::ticks();
        let worked = if self.stands { now - self.since } else { 0 };
        self.since = now;
        self.stands = false;
        worked
    }

    /// How many threads can run.
    pub fn running(&self) -> u64 {
        self.running
    }

    /// One thread more can run; what the clock shows.
    pub fn runs(&mut self) -> u64 {
        self.running += 1;
        self.shown
    }

    /// One that could run since the clock showed `then` cannot any more: its time in ticks.
    pub fn held(&mut self, then: u64) -> u64 {
        self.running -= 1;
        self.since_then(then)
    }

    /// How long a thread has run that can since the clock showed `then`, in ticks.
    pub fn since_then(&self, then: u64) -> u64 {
        (self.shown - then) >> FRACTION
    }
}
