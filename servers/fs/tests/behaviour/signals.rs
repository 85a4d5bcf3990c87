//! signalfd.

use crate::world::*;
use abi::fs::Event;
use abi::{Errno, SigInfo, SigSet, TaskId};

const USR1: u8 = 10;
const USR2: u8 = 12;

fn signalfd(w: &mut World, set: SigSet, flags: u32) -> Result<i64, Errno> {
    w.put(INIT, DATA + 0x800, &set.0.to_le_bytes());
    let new = u64::from(u32::MAX);
    w.sys(INIT, __NR_signalfd4, &[new, DATA + 0x800, 8, flags.into()])
}

/// A signal comes for a task, as the process manager would have it.
fn comes(w: &mut World, task: TaskId, info: SigInfo) {
    w.out.pending.entry(task).or_default().push(info);
    if let Some(set) = w.out.watched.get(&task)
        && set.has(info.signo as u8)
    {
        w.out.watched.remove(&task);
        w.send(task, 0, Event::Signalled);
    }
}

#[test]
fn a_read_takes_what_waits_and_waits_for_what_comes() {
    let mut w = World::new();
    let fd = signalfd(&mut w, SigSet::of(&[USR1, USR2]), 0).unwrap() as u64;
    assert_eq!(w.sys(INIT, __NR_read, &[fd, DATA, 127]), Err(Errno::EINVAL));
    for signo in [USR2, USR1] {
        comes(&mut w, INIT, SigInfo::from_process(signo, 0, 7, 8));
    }
    assert_eq!(w.sys(INIT, __NR_read, &[fd, DATA, 300]), Ok(256));
    assert_eq!(w.word(INIT, DATA), u64::from(USR2));
    assert_eq!(w.word(INIT, DATA + 8), 7 << 32);
    assert_eq!(w.word(INIT, DATA + 16), 8);
    let read = w.start(INIT, __NR_read, &[fd, DATA, 128]);
    assert_eq!(w.result(read), None);
    comes(&mut w, INIT, SigInfo::new(9 + USR1, 0));
    assert_eq!(w.result(read), None, "one that it does not want");
    comes(&mut w, INIT, SigInfo::new(USR1, 0));
    assert_eq!(w.result(read), Some(128));
}

#[test]
fn a_nonblocking_one_says_so_and_another_set_is_its_set() {
    let mut w = World::new();
    let fd = signalfd(&mut w, SigSet::of(&[USR1]), O_NONBLOCK).unwrap() as u64;
    assert_eq!(w.sys(INIT, __NR_read, &[fd, DATA, 128]), Err(Errno::EAGAIN));
    comes(&mut w, INIT, SigInfo::new(USR2, 0));
    assert_eq!(w.sys(INIT, __NR_read, &[fd, DATA, 128]), Err(Errno::EAGAIN));
    let set = SigSet::of(&[USR2]);
    w.put(INIT, DATA + 0x800, &set.0.to_le_bytes());
    let again = [fd, DATA + 0x800, 8, 0];
    assert_eq!(w.sys(INIT, __NR_signalfd4, &again), Ok(fd as i64));
    assert_eq!(w.sys(INIT, __NR_read, &[fd, DATA, 128]), Ok(128));
    assert_eq!(
        w.sys(INIT, __NR_signalfd4, &[0, DATA, 8, 0]),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        w.sys(INIT, __NR_signalfd4, &[fd, DATA, 4, 0]),
        Err(Errno::EINVAL)
    );
    assert_eq!(w.sys(INIT, __NR_write, &[fd, DATA, 8]), Err(Errno::EINVAL));
}

#[test]
fn poll_and_epoll_wake_for_a_signal() {
    let mut w = World::new();
    let fd = signalfd(&mut w, SigSet::of(&[USR1]), 0).unwrap();
    let pollfd = fd as u64 | u64::from(POLLIN) << 32;
    w.put(INIT, DATA, &pollfd.to_le_bytes());
    let poll = w.start(INIT, __NR_poll, &[DATA, 1, u64::MAX]);
    assert_eq!(w.result(poll), None);
    comes(&mut w, INIT, SigInfo::new(USR1, 0));
    assert_eq!(w.result(poll), Some(1));
    assert_eq!(w.sys(INIT, __NR_read, &[fd as u64, DATA, 128]), Ok(128));

    let epoll = w.sys(INIT, __NR_epoll_create1, &[0]).unwrap() as u64;
    let mut event = [0; 12];
    event[..4].copy_from_slice(&POLLIN.to_le_bytes());
    w.put(INIT, DATA, &event);
    w.sys(INIT, __NR_epoll_ctl, &[epoll, 1, fd as u64, DATA])
        .unwrap();
    let wait = w.start(INIT, __NR_epoll_wait, &[epoll, DATA, 4, u64::MAX]);
    assert_eq!(w.result(wait), None);
    comes(&mut w, INIT, SigInfo::new(USR1, 0));
    assert_eq!(w.result(wait), Some(1));
}

#[test]
fn who_reads_gets_its_own_signals() {
    let mut w = World::new();
    let fd = signalfd(&mut w, SigSet::of(&[USR1]), 0).unwrap() as u64;
    w.fork();
    comes(&mut w, INIT, SigInfo::new(USR1, 0));
    let read = w.start(CHILD, __NR_read, &[fd, DATA, 128]);
    assert_eq!(w.result(read), None, "the parent's");
    comes(&mut w, CHILD, SigInfo::new(USR1, 0));
    assert_eq!(w.result(read), Some(128));
    assert_eq!(w.sys(INIT, __NR_read, &[fd, DATA, 128]), Ok(128));
}
