//! Who waits on which futex: a hashed table of queues, first come first served.

use crate::machine::SpaceIx;
use abi::TaskId;
use abi::fs::ObjectId;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// What makes two addresses the same futex (futex(2), "Private futexes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// FUTEX_PRIVATE_FLAG: an address of one space.
    Private(SpaceIx, u64),
    /// Without the flag, in memory that is not shared: that is a futex of its own.
    Unshared(SpaceIx, u64),
    /// Without the flag, in a shared mapping: an offset of an object.
    Shared(ObjectId, u64),
}

/// One task in a queue. A task waits once, so there are no more of them than tasks.
#[derive(Clone, Hash)]
struct Waiter {
    key: Key,
    bits: u32,
    task: TaskId,
}

const BUCKETS: usize = 256;

/// All queues.
#[derive(Clone, Hash)]
pub struct Futexes {
    buckets: Vec<VecDeque<Waiter>>,
}

impl Key {
    fn bucket(&self) -> usize {
        let (kind, word) = match *self {
            Key::Private(space, addr) => (u64::from(space.0), addr),
            Key::Unshared(space, addr) => (u64::from(space.0) + 1, addr),
            Key::Shared(object, offset) => (u64::from(object.0) << 16, offset),
        };
        let mixed = ((word / 4) ^ (kind << 40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 56) as usize % BUCKETS
    }
}

impl Futexes {
    /// Nobody waits.
    pub fn new() -> Futexes {
        let mut buckets = Vec::new();
        // Room for a few in each, so that waiting seldom asks for memory.
        buckets.resize_with(BUCKETS, || VecDeque::with_capacity(4));
        Futexes { buckets }
    }

    /// How many tasks wait.
    pub fn waiters(&self) -> usize {
        self.buckets.iter().map(VecDeque::len).sum()
    }

    /// Puts a task at the end of a queue. Whether there was memory for it.
    pub fn add(&mut self, key: Key, bits: u32, task: TaskId) -> bool {
        let bucket = &mut self.buckets[key.bucket()];
        if bucket.try_reserve(1).is_err() {
            return false;
        }
        bucket.push_back(Waiter { key, bits, task });
        true
    }

    /// Takes a task out of its queue, if it is in it.
    pub fn remove(&mut self, key: Key, task: TaskId) {
        self.buckets[key.bucket()].retain(|w| w.task != task || w.key != key);
    }

    /// Takes the first one that waits for one of these bits.
    pub fn pop(&mut self, key: Key, bits: u32) -> Option<TaskId> {
        let bucket = &mut self.buckets[key.bucket()];
        let at = bucket
            .iter()
            .position(|w| w.key == key && w.bits & bits != 0)?;
        bucket.remove(at).map(|w| w.task)
    }

    /// Takes the first one to another queue's end; None when nobody waits or memory is short.
    pub fn requeue(&mut self, from: Key, to: Key) -> Option<TaskId> {
        self.buckets[to.bucket()].try_reserve(1).ok()?;
        let bucket = &mut self.buckets[from.bucket()];
        let at = bucket.iter().position(|w| w.key == from)?;
        let waiter = bucket.remove(at)?;
        let task = waiter.task;
        self.buckets[to.bucket()].push_back(Waiter { key: to, ..waiter });
        Some(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Key = Key::Private(SpaceIx(1), 0x1000);
    const B: Key = Key::Private(SpaceIx(1), 0x1004);

    fn task(slot: usize) -> TaskId {
        TaskId::new(slot, 1)
    }

    #[test]
    fn the_first_to_wait_is_the_first_to_wake() {
        let mut f = Futexes::new();
        for slot in 1..4 {
            assert!(f.add(A, u32::MAX, task(slot)));
        }
        f.remove(A, task(2));
        assert_eq!(f.pop(A, 1), Some(task(1)));
        assert_eq!(f.pop(A, 1), Some(task(3)));
        assert_eq!(f.pop(A, 1), None);
    }

    #[test]
    fn bits_choose_and_keys_keep_apart() {
        let mut f = Futexes::new();
        assert!(f.add(A, 1, task(1)) && f.add(A, 2, task(2)) && f.add(B, 2, task(3)));
        assert!(f.add(Key::Unshared(SpaceIx(1), 0x1000), 2, task(4)));
        assert_eq!(f.pop(A, 2), Some(task(2)));
        assert_eq!(f.pop(A, 2), None);
    }

    #[test]
    fn a_requeued_task_waits_behind_those_that_were_there() {
        let mut f = Futexes::new();
        assert!(f.add(B, 1, task(9)) && f.add(A, 1, task(1)) && f.add(A, 1, task(2)));
        assert_eq!(f.requeue(A, B), Some(task(1)));
        assert_eq!(f.requeue(A, B), Some(task(2)));
        assert_eq!(f.requeue(A, B), None);
        assert_eq!(f.pop(B, 1), Some(task(9)));
        assert_eq!(f.pop(B, 1), Some(task(1)));
    }
}
