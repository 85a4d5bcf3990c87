//! Locks between processes.

use crate::world::*;
use abi::{Errno, TaskId};
use fs::MAX_LOCKS;

const OTHER: TaskId = TaskId::new(3, 1);

/// INIT and CHILD have a file open as descriptor 3.
fn shared_file() -> World {
    let mut w = World::new();
    assert_eq!(w.open("/tmp/a", O_CREAT | O_RDWR), Ok(3));
    w.fork();
    w
}

/// Starts a lock of one byte.
fn lock(w: &mut World, task: TaskId, command: u32, kind: u32, byte: u64) -> u32 {
    let mut flock = [0; 32];
    flock[..2].copy_from_slice(&(kind as u16).to_le_bytes());
    flock[8..16].copy_from_slice(&byte.to_le_bytes());
    flock[16..24].copy_from_slice(&1u64.to_le_bytes());
    w.put(task, DATA, &flock);
    w.start(task, __NR_fcntl, &[3, command.into(), DATA])
}

fn now(w: &mut World, task: TaskId, kind: u32, byte: u64) -> Result<i64, Errno> {
    let number = lock(w, task, F_SETLK, kind, byte);
    Errno::check(w.result(number).expect("it does not wait"))
}

#[test]
fn who_waits_gets_it_in_the_order_of_asking() {
    let mut w = shared_file();
    assert_eq!(w.create(OTHER, INIT, 3, false, false), 0);
    now(&mut w, INIT, F_WRLCK, 0).unwrap();
    let first = lock(&mut w, CHILD, F_SETLKW, F_WRLCK, 0);
    let second = lock(&mut w, OTHER, F_SETLKW, F_WRLCK, 0);
    now(&mut w, INIT, F_UNLCK, 0).unwrap();
    assert_eq!((w.result(first), w.result(second)), (Some(0), None));
    w.exit(CHILD);
    assert_eq!(w.result(second), Some(0));
}

#[test]
fn a_dead_task_waits_for_nothing_and_holds_nothing() {
    let mut w = shared_file();
    assert_eq!(w.create(OTHER, INIT, 3, false, false), 0);
    now(&mut w, INIT, F_WRLCK, 0).unwrap();
    lock(&mut w, CHILD, F_SETLKW, F_WRLCK, 0);
    w.exit(CHILD);
    assert_eq!(w.fs.waiting(), 0);
    now(&mut w, INIT, F_UNLCK, 0).unwrap();
    assert_eq!(now(&mut w, OTHER, F_WRLCK, 0), Ok(0));
}

#[test]
fn a_circle_of_three_is_a_deadlock() {
    let mut w = shared_file();
    assert_eq!(w.create(OTHER, INIT, 3, false, false), 0);
    for (task, byte) in [(INIT, 0), (CHILD, 1), (OTHER, 2)] {
        now(&mut w, task, F_WRLCK, byte).unwrap();
    }
    let first = lock(&mut w, INIT, F_SETLKW, F_WRLCK, 1);
    let second = lock(&mut w, CHILD, F_SETLKW, F_WRLCK, 2);
    let third = lock(&mut w, OTHER, F_SETLKW, F_WRLCK, 0);
    assert_eq!(w.result(third), Some(Errno::EDEADLK.as_result()));
    assert_eq!((w.result(first), w.result(second)), (None, None));
    now(&mut w, OTHER, F_UNLCK, 2).unwrap();
    assert_eq!(w.result(second), Some(0));
}

#[test]
fn a_signal_ends_the_wait() {
    let mut w = shared_file();
    now(&mut w, INIT, F_WRLCK, 0).unwrap();
    let waits = lock(&mut w, CHILD, F_SETLKW, F_WRLCK, 0);
    w.interrupt(CHILD, waits);
    assert_eq!(w.result(waits), Some(Errno::ERESTARTSYS.as_result()));
}

#[test]
fn a_full_table_of_locks_is_enolck() {
    let mut w = shared_file();
    let mut set = 0;
    // Every other byte, so that none is joined to another.
    while now(&mut w, INIT, F_WRLCK, 2 * set).is_ok() {
        set += 1;
    }
    assert_eq!(set as usize, MAX_LOCKS - 1);
    assert_eq!(now(&mut w, INIT, F_WRLCK, 2 * set), Err(Errno::ENOLCK));
    assert_eq!(now(&mut w, INIT, F_UNLCK, 0), Ok(0));
    assert_eq!(now(&mut w, INIT, F_WRLCK, 2 * set), Ok(0));
    w.close(INIT, 3).unwrap();
    let all = [F_UNLCK, F_WRLCK].map(|kind| now(&mut w, CHILD, kind, 0));
    assert_eq!(all, [Ok(0); 2]);
}
