//! Locked memory: what it counts, what a call makes present, what a fork leaves of it.

use crate::{BASE, RW, World, anonymous};
use abi::Errno;
use abi::linux::general::{MAP_LOCKED, MAP_NORESERVE, MAP_POPULATE, PROT_READ};
use procmgr::machine::PAGE;
use procmgr::memory::{Limits, MAX_POPULATE, MapRequest};

fn lock(w: &mut World, page: u64, pages: u64) -> Result<(), Errno> {
    let range = (BASE + page * PAGE, pages * PAGE);
    w.memory.lock(&mut w.m, w.s, range, true, true)
}

fn locked(w: &World) -> u64 {
    w.memory.parts(w.s)[0] / PAGE
}

fn present(w: &World) -> u64 {
    w.memory.resident(w.s) / PAGE
}

#[test]
fn a_locked_range_is_present_and_counted_once() {
    let w = &mut World::new();
    w.anonymous(0, 8, RW);
    w.memory.set_lock_limit(w.s, 4 * PAGE);
    assert_eq!(lock(w, 1, 3), Ok(()));
    assert_eq!(lock(w, 0, 4), Ok(()));
    assert_eq!((locked(w), present(w)), (4, 4));
    assert_eq!(lock(w, 3, 2), Err(Errno::ENOMEM));
    assert_eq!((locked(w), present(w)), (4, 4));
    assert_eq!(w.memory.unmap(&mut w.m, w.s, BASE, PAGE), Ok(()));
    assert_eq!(lock(w, 7, 1), Ok(()));
    assert_eq!(locked(w), 4);
    w.memory.unlock_all(&mut w.m, w.s);
    assert_eq!(locked(w), 0);
    assert_eq!(w.memory.vmas(w.s).count(), 1);
}

#[test]
fn what_comes_is_locked_too() {
    let w = &mut World::new();
    w.memory.set_lock_limit(w.s, 4 * PAGE);
    let all = (true, true);
    assert_eq!(w.memory.lock_all(&mut w.m, w.s, all, true), Ok(()));
    w.anonymous(0, 3, RW);
    assert_eq!((locked(w), present(w)), (3, 3));
    let more = anonymous(BASE + 8 * PAGE, 2, RW);
    let refused = w.memory.map(&mut w.m, w.s, &more);
    assert_eq!(refused, Err(Errno::EAGAIN));
    assert_eq!(w.memory.vmas(w.s).count(), 1);
    w.memory.set_lock_limit(w.s, 0);
    let flags = more.flags | MAP_LOCKED;
    let refused = w.memory.map(&mut w.m, w.s, &MapRequest { flags, ..more });
    assert_eq!(refused, Err(Errno::EPERM));
}

#[test]
fn a_call_makes_no_more_present_than_others_can_wait_for() {
    let w = &mut World::new();
    let pages = 1 << 30;
    let large = anonymous(BASE, pages, PROT_READ);
    let flags = large.flags | MAP_NORESERVE | MAP_POPULATE;
    assert!(
        w.memory
            .map(&mut w.m, w.s, &MapRequest { flags, ..large })
            .is_ok()
    );
    assert!(present(w) <= MAX_POPULATE);
    assert_eq!(lock(w, 0, pages), Ok(()));
    let all = (true, true);
    assert_eq!(w.memory.lock_all(&mut w.m, w.s, all, true), Ok(()));
    assert!(present(w) <= 2 * MAX_POPULATE);
    assert_eq!(locked(w), pages);
}

#[test]
fn memory_that_is_not_there_is_said() {
    let w = &mut World::new();
    w.anonymous(0, 3000, RW);
    w.m.fail_after = Some(100);
    assert_eq!(lock(w, 0, 3000), Err(Errno::EAGAIN));
    assert_eq!(locked(w), 3000);
    w.anonymous(4000, 1, 0);
    assert_eq!(lock(w, 4000, 1), Err(Errno::ENOMEM));
}

#[test]
fn a_fork_locks_nothing() {
    let w = &mut World::new();
    w.anonymous(0, 8, RW);
    assert_eq!(lock(w, 2, 3), Ok(()));
    assert_eq!(w.memory.vmas(w.s).count(), 3);
    let child = w.memory.space_fork(&mut w.m, w.s).unwrap();
    assert_eq!(w.memory.parts(child)[0], 0);
    assert_eq!(w.memory.vmas(child).count(), 1);
    assert_eq!(locked(w), 3);
}

#[test]
fn the_data_limit_counts_what_becomes_writable() {
    let w = &mut World::new();
    let limits = Limits {
        data: (4 * PAGE, 8 * PAGE),
        ..w.memory.limits(w.s)
    };
    w.memory.set_limits(w.s, limits);
    w.anonymous(0, 3, RW);
    w.anonymous(8, 6, PROT_READ);
    let at = BASE + 8 * PAGE;
    let mut protect = |pages| w.memory.protect(&mut w.m, w.s, at, pages * PAGE, RW);
    assert_eq!(protect(2), Err(Errno::ENOMEM));
    assert_eq!(protect(1), Ok(()));
    assert_eq!(w.memory.parts(w.s)[1], 4 * PAGE);
    // A limit of 0 is the hard one.
    let data = (0, 8 * PAGE);
    w.memory.set_limits(w.s, Limits { data, ..limits });
    w.anonymous(20, 4, RW);
    let more = anonymous(BASE + 30 * PAGE, 1, RW);
    assert_eq!(w.memory.map(&mut w.m, w.s, &more), Err(Errno::ENOMEM));
}
