//! Fork: what is shared, what is copied, and what it costs.

use crate::{BASE, RW, World, load, store};
use abi::Errno;
use abi::linux::general::{MAP_ANONYMOUS, MAP_FIXED, MAP_SHARED, PROT_READ};
use procmgr::machine::{PAGE, SpaceIx};
use procmgr::memory::{MapRequest, Source};

fn fork(w: &mut World) -> SpaceIx {
    w.memory.space_fork(&mut w.m, w.s).unwrap()
}

#[test]
fn private_writes_of_either_side_stay_private() {
    let w = &mut World::new();
    w.anonymous(0, 2, RW);
    w.store(BASE, 1).unwrap();
    w.store(BASE + PAGE, 1).unwrap();
    let child = fork(w);
    w.store(BASE, 2).unwrap();
    store(&mut w.m, &mut w.memory, child, BASE + PAGE, 3).unwrap();
    assert_eq!(load(&mut w.m, &mut w.memory, child, BASE), Ok(1));
    assert_eq!(w.load(BASE + PAGE), Ok(1));
    assert_eq!(w.m.copies, 2);
}

#[test]
fn shared_writes_are_seen_by_the_other_even_where_nothing_was_present() {
    let w = &mut World::new();
    let request = MapRequest {
        addr: BASE,
        len: PAGE,
        prot: RW,
        flags: MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED,
        source: Source::Anonymous,
    };
    w.memory.map(&mut w.m, w.s, &request).unwrap();
    let child = fork(w);
    store(&mut w.m, &mut w.memory, child, BASE, 3).unwrap();
    assert_eq!(w.load(BASE), Ok(3));
    w.memory.space_release(&mut w.m, w.s);
    assert_eq!(load(&mut w.m, &mut w.memory, child, BASE), Ok(3));
}

#[test]
fn the_last_owner_writes_without_a_copy() {
    let w = &mut World::new();
    w.anonymous(0, 1, RW);
    w.store(BASE, 1).unwrap();
    let child = fork(w);
    w.memory.space_release(&mut w.m, child);
    let (maps, protects) = (w.m.maps, w.m.protects);
    w.store(BASE, 2).unwrap();
    assert_eq!(
        (w.m.copies, w.m.maps, w.m.protects),
        (0, maps, protects + 1)
    );
}

#[test]
fn fork_maps_nothing_and_protects_what_was_writable() {
    let w = &mut World::new();
    w.anonymous(0, 20, RW);
    for page in 0..10 {
        w.store(BASE + page * PAGE, 1).unwrap();
        w.load(BASE + (page + 10) * PAGE).unwrap();
    }
    let (maps, protects) = (w.m.maps, w.m.protects);
    let child = fork(w);
    assert_eq!((w.m.maps, w.m.protects), (maps, protects + 10));
    fork(w);
    assert_eq!(w.m.protects, protects + 10, "they are read-only already");
    assert_eq!(w.memory.resident(child), 10 * PAGE);
}

#[test]
fn out_of_memory_anywhere_leaves_everything_as_it_was() {
    let w = &mut World::new();
    w.anonymous(0, 16, RW);
    for page in 0..16 {
        w.store(BASE + page * PAGE, page as u8).unwrap();
    }
    let free = w.m.free();
    for n in 0.. {
        w.m.fail_after = Some(n);
        match w.memory.space_fork(&mut w.m, w.s) {
            Err(errno) => assert_eq!(errno, Errno::ENOMEM),
            Ok(child) => {
                assert_eq!(n, 3, "two leaves and a space");
                w.memory.space_release(&mut w.m, child);
                break;
            }
        }
        assert_eq!((w.m.free(), w.m.spaces()), (free, 1));
        assert!(w.m.store(w.s, BASE, 0), "still writable");
    }
    w.m.fail_after = None;
    assert_eq!(w.m.free(), free);
}

#[test]
fn references_are_counted() {
    let w = &mut World::new();
    w.anonymous(0, 1, PROT_READ);
    w.memory.space_retain(w.s);
    w.memory.space_release(&mut w.m, w.s);
    assert_eq!((w.memory.references(w.s), w.m.spaces()), (1, 1));
    w.memory.space_release(&mut w.m, w.s);
    assert_eq!(w.m.spaces(), 0);
}

#[test]
fn a_full_table_of_spaces_is_eagain() {
    let w = &mut World::new();
    for _ in 1..abi::task::SLOTS {
        w.memory.space_new(&mut w.m).unwrap();
    }
    assert_eq!(w.memory.space_new(&mut w.m), Err(Errno::EAGAIN));
    assert_eq!(w.memory.space_fork(&mut w.m, w.s), Err(Errno::EAGAIN));
}
