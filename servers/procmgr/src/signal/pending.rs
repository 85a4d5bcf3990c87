//! Signals that wait.

use crate::users::Charge;
use abi::signal::{SIGRTMIN, SYNCHRONOUS};
use abi::{SigInfo, SigSet};
use alloc::vec::Vec;

/// The signals pending for a task or a process, in the order in which they came.
#[derive(Clone, Default, Hash)]
pub struct Pending {
    set: SigSet,
    queue: Vec<Queued>,
}

/// A signal with its siginfo.
#[derive(Clone, Hash)]
struct Queued {
    info: SigInfo,
    /// What it counts for its user; a timer has that reserved.
    charge: Option<Charge>,
}

/// Whether there is a place for a signal's siginfo.
#[derive(Debug)]
pub enum Place {
    /// Counted for a user.
    Counted(Charge),
    /// A timer has it reserved.
    Reserved,
    /// There is none: the signal is pending without.
    None,
}

impl Pending {
    /// What its signals count for their users.
    pub fn charges_mut(&mut self) -> impl Iterator<Item = &mut Charge> {
        self.queue.iter_mut().filter_map(|s| s.charge.as_mut())
    }

    /// Which are pending.
    pub fn set(&self) -> SigSet {
        self.set
    }

    /// Whether another one of this number would be dropped: a standard signal that is pending.
    pub fn drops(&self, signo: u8) -> bool {
        signo < SIGRTMIN && self.set.has(signo)
    }

    /// Adds one; what is dropped or finds no place loses its siginfo.
    pub fn add(&mut self, info: SigInfo, place: Place) {
        let Some(signo) = info.signal().filter(|signo| !self.drops(*signo)) else {
            return;
        };
        self.set.insert(signo);
        let charge = match place {
            Place::Counted(charge) => Some(charge),
            Place::Reserved => None,
            Place::None => return,
        };
        if self.queue.try_reserve(1).is_ok() {
            self.queue.push(Queued { info, charge });
        }
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
        let is_it = |queued: &Queued| queued.info.signo == i32::from(signo);
        let info = match self.queue.iter().position(is_it) {
            Some(at) => self.queue.remove(at).info,
            None => SigInfo::new(signo, 0),
        };
        if !self.queue.iter().any(is_it) {
            self.set.remove(signo);
        }
        info
    }

    /// The siginfo at a place in the queue, the oldest at 0.
    pub fn nth(&self, at: u64) -> Option<SigInfo> {
        let queued = self.queue.get(usize::try_from(at).ok()?);
        queued.map(|queued| queued.info)
    }

    /// The queued signal of a POSIX timer.
    pub fn of_timer(&mut self, number: i32) -> Option<&mut SigInfo> {
        let mut infos = self.queue.iter_mut().map(|queued| &mut queued.info);
        infos.find(|info| {
            info.code == abi::signal::code::SI_TIMER && info.fields[0] as u32 == number as u32
        })
    }

    /// Forgets all of a set.
    pub fn flush(&mut self, set: SigSet) {
        self.set = self.set.without(set);
        self.queue
            .retain(|queued| !queued.info.signal().is_some_and(|n| set.has(n)));
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
        p.add(SigInfo::from_process(10, 0, 1, 0), Place::Reserved);
        p.add(SigInfo::from_process(10, 0, 2, 0), Place::Reserved);
        assert_eq!(p.take(10).pid(), 1);
        assert_eq!(p.peek(SigSet::ALL), None);
    }

    #[test]
    fn real_time_signals_queue_in_order_and_faults_come_first() {
        let mut p = Pending::default();
        for pid in 1..4 {
            p.add(SigInfo::from_process(40, -1, pid, 0), Place::Reserved);
        }
        p.add(SigInfo::fault(11, 1, 0), Place::Reserved);
        p.add(SigInfo::from_process(1, 0, 9, 0), Place::Reserved);
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
    fn a_signal_without_a_place_is_pending_without_its_siginfo() {
        let mut p = Pending::default();
        p.add(SigInfo::from_process(40, -1, 7, 0), Place::Reserved);
        p.add(SigInfo::from_process(41, -1, 7, 0), Place::None);
        assert_eq!(p.take(40).pid(), 7);
        assert_eq!(p.take(41), SigInfo::new(41, 0));
        assert_eq!(p.set(), SigSet::EMPTY);
    }

    #[test]
    fn what_is_taken_or_forgotten_counts_no_more() {
        let mut users = crate::users::Users::default();
        let mut p = Pending::default();
        for signo in [40, 40, 41] {
            let charge = users.charge(5, 9).unwrap();
            p.add(SigInfo::new(signo, -1), Place::Counted(charge));
        }
        p.take(40);
        assert_eq!(users.signals(5), 2);
        p.flush(SigSet::of(&[41]));
        assert_eq!(users.signals(5), 1);
        p.clear();
        assert_eq!(users.signals(5), 0);
    }
}
