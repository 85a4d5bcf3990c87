//! What is due by CPU time: ITIMER_VIRTUAL, which counts the user's, ITIMER_PROF and RLIMIT_CPU.
//!
//! CPU time runs at most as fast as the clock, so a timer of the clock that is set for what is
//! left, and set again when it came too early, is never late by more than a pause.

use crate::Procmgr;
use crate::machine::Machine;
use crate::process::{ProcessIx, RLIM_INFINITY};
use crate::timers::What;
use abi::linux::general::RLIMIT_CPU;
use abi::signal::{SIGKILL, SIGPROF, SIGVTALRM, SIGXCPU};

/// Which one; the index in [`Process::cpu_timers`](crate::process::Process).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// ITIMER_VIRTUAL.
    Virtual,
    /// ITIMER_PROF.
    Prof,
    /// RLIMIT_CPU.
    Limit,
}

const PAUSE_NS: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;

impl Procmgr {
    /// Sets one: what was left of it before, and its interval.
    pub(crate) fn set_cpu_timer(
        &mut self,
        m: &mut impl Machine,
        ix: ProcessIx,
        kind: Kind,
        value: u64,
        interval: u64,
    ) -> (u64, u64) {
        let old = self.cpu_timer_left(m, ix, kind);
        self.stop_cpu_timer(ix, kind);
        if value != 0 {
            let at = self.used_for(m, ix, kind).saturating_add(value);
            self.process_mut(ix).cpu_timers[kind as usize] = Some((at, interval));
            self.watch_cpu(m, ix, kind, value);
        }
        old
    }

    /// What is left, and the interval.
    pub(crate) fn cpu_timer_left(
        &mut self,
        m: &mut impl Machine,
        ix: ProcessIx,
        kind: Kind,
    ) -> (u64, u64) {
        let used = self.used_for(m, ix, kind);
        let timer = self.process(ix).cpu_timers[kind as usize];
        timer.map_or((0, 0), |(at, interval)| {
            (at.saturating_sub(used).max(1000), interval)
        })
    }

    /// The CPU time that a timer goes by.
    fn used_for(&self, m: &mut impl Machine, ix: ProcessIx, kind: Kind) -> u64 {
        let used = self.process_usage(m, ix);
        match kind {
            Kind::Virtual => used.user,
            Kind::Prof | Kind::Limit => used.cpu(),
        }
    }

    /// RLIMIT_CPU is new for a process: SIGXCPU at the soft limit and every second after it.
    pub(crate) fn start_cpu_limit(&mut self, m: &mut impl Machine, ix: ProcessIx) {
        self.stop_cpu_timer(ix, Kind::Limit);
        let (soft, _) = self.process(ix).limits[RLIMIT_CPU as usize];
        if soft != RLIM_INFINITY {
            let at = soft.max(1).saturating_mul(SECOND);
            self.process_mut(ix).cpu_timers[Kind::Limit as usize] = Some((at, SECOND));
            let left = at.saturating_sub(self.process_cpu(m, ix));
            self.watch_cpu(m, ix, Kind::Limit, left);
        }
    }

    /// The process ends.
    pub(crate) fn stop_cpu_timers(&mut self, ix: ProcessIx) {
        for kind in [Kind::Virtual, Kind::Prof, Kind::Limit] {
            self.stop_cpu_timer(ix, kind);
        }
    }

    fn stop_cpu_timer(&mut self, ix: ProcessIx, kind: Kind) {
        let process = self.process_mut(ix);
        if process.cpu_timers[kind as usize].take().is_some() {
            let what = What::Cpu(ix, process.pid, kind);
            self.timers.remove_all(what);
        }
    }

    fn watch_cpu(&mut self, m: &mut impl Machine, ix: ProcessIx, kind: Kind, left: u64) {
        let what = What::Cpu(ix, self.process(ix).pid, kind);
        let at = m.now().saturating_add(left.max(PAUSE_NS));
        self.add_timer(m, at, what);
    }

    /// One may be due.
    pub(crate) fn cpu_timer_fires(
        &mut self,
        m: &mut impl Machine,
        ix: ProcessIx,
        pid: u32,
        kind: Kind,
    ) {
        if self.tables_process(ix).is_none_or(|p| p.pid != pid) {
            return;
        }
        let Some((at, interval)) = self.process(ix).cpu_timers[kind as usize] else {
            return;
        };
        let used = self.used_for(m, ix, kind);
        if used < at {
            return self.watch_cpu(m, ix, kind, at - used);
        }
        let missed = (used - at).checked_div(interval).unwrap_or(0);
        let next = (interval != 0).then(|| {
            (
                at.saturating_add(missed.saturating_add(1).saturating_mul(interval)),
                interval,
            )
        });
        self.process_mut(ix).cpu_timers[kind as usize] = next;
        if let Some((next, _)) = next {
            self.watch_cpu(m, ix, kind, next - used);
        }
        let (_, hard) = self.process(ix).limits[RLIMIT_CPU as usize];
        let signo = match kind {
            Kind::Virtual => SIGVTALRM,
            Kind::Prof => SIGPROF,
            Kind::Limit if used >= hard.saturating_mul(SECOND) => SIGKILL,
            Kind::Limit => SIGXCPU,
        };
        // A standard signal always finds room.
        let _ = self.signal_process(m, ix, Procmgr::kernel_signal(signo));
    }
}
