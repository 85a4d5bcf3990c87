//! Signals that wait.

use abi::signal::{SIGRTMIN, SYNCHRONOUS};
use abi::{SigInfo, SigSet};
use alloc::vec::Vec;

/// The most queued signals of one task or process; RLIMIT_SIGPENDING is enforced elsewhere.
pub const QUEUE_MAX: usize = 1024;

/// The signals pending for a task or a process, in the order in which they came.
#[derive(Default)]
pub struct Pending {
    set: SigSet,
    queue: Vec<SigInfo>,
}

impl Pending {
    /// Which are pending.
    pub fn set(&self) -> SigSet {
        self.set
    }

    /// Adds one. A standard signal that is pending already is dropped; a real-time signal that
    /// finds no room loses its siginfo but is pending, or is refused where `must_queue`.
    pub fn add(&mut self, info: SigInfo, must_queue: bool) -> bool {
        let Some(signo) = info.signal() else {
            return false;
        };
        if signo < SIGRTMIN && self.set.has(signo) {
            return true;
        }
        let room = self.queue.len() < QUEUE_MAX && self.queue.try_reserve(1).is_ok();
        if room {
            self.queue.push(info);
        } else if must_queue {
            return false;
        }
        self.set.insert(signo);
        true
    }

    /// The next of `allowed` and its siginfo: faults first, then the lowest number, the oldest
    /// of its number.
    pub fn peek(&self, allowed: SigSet) -> Option<u8> {
        let candidates = self.set.and(allowed);
        candidates
            .and(SYNCHRONOUS)
            .first()
            .or_else(|| candidates.first())
    }

    /// Takes the oldest of one number.
    pub fn take(&mut self, signo: u8) -> SigInfo {
        let is_it = |info: &SigInfo| info.signo == i32::from(signo);
        let info = match self.queue.iter().position(is_it) {
            Some(at) => self.queue.remove(at),
            None => SigInfo::new(signo, 0),
        };
        if !self.queue.iter().any(is_it) {
            self.set.remove(signo);
        }
        info
    }

    /// The siginfo at a place in the queue, the oldest at 0.
    pub fn nth(&self, at: u64) -> Option<SigInfo> {
        self.queue.get(usize::try_from(at).ok()?).copied()
    }

    /// The queued signal of a POSIX timer.
    pub fn of_timer(&mut self, number: i32) -> Option<&mut SigInfo> {
        self.queue.iter_mut().find(|info| {
            info.code == abi::signal::code::SI_TIMER && info.fields[0] as u32 == number as u32
        })
    }

    /// Forgets all of a set.
    pub fn flush(&mut self, set: SigSet) {
        self.set = self.set.without(set);
        self.queue
            .retain(|info| !info.signal().is_some_and(|n| set.has(n)));
    }

    /// Forgets everything and gives its memory back.
    pub fn clear(&mut self) {
        *self = Pending::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standard_signal_is_pending_once() {
        let mut p = Pending::default();
        p.add(SigInfo::from_process(10, 0, 1, 0), false);
        p.add(SigInfo::from_process(10, 0, 2, 0), false);
        assert_eq!(p.take(10).pid(), 1);
        assert_eq!(p.peek(SigSet::ALL), None);
    }

    #[test]
    fn real_time_signals_queue_in_order_and_faults_come_first() {
        let mut p = Pending::default();
        for pid in 1..4 {
            p.add(SigInfo::from_process(40, -1, pid, 0), false);
        }
        p.add(SigInfo::fault(11, 1, 0), false);
        p.add(SigInfo::from_process(1, 0, 9, 0), false);
        assert_eq!(p.peek(SigSet::ALL), Some(11));
        p.take(11);
        assert_eq!(p.peek(SigSet::ALL), Some(1));
        p.take(1);
        assert_eq!(
            [p.take(40).pid(), p.take(40).pid(), p.take(40).pid()],
            [1, 2, 3]
        );
        assert_eq!(p.set(), SigSet::EMPTY);
    }

    #[test]
    fn a_full_queue_keeps_the_signal_without_its_siginfo() {
        let mut p = Pending::default();
        for _ in 0..QUEUE_MAX {
            assert!(p.add(SigInfo::new(40, -1), true));
        }
        assert!(!p.add(SigInfo::new(41, -1), true));
        assert!(p.add(SigInfo::new(12, 0), false));
        assert_eq!(p.take(12), SigInfo::new(12, 0));
    }
}
