//! poll, ppoll, select and pselect6.

use crate::world::*;
use abi::Errno;

const FOREVER: u64 = u64::MAX;

fn pollfd(fd: i64, events: u32) -> Vec<u8> {
    [
        &(fd as i32).to_le_bytes()[..],
        &(events as u16).to_le_bytes(),
        &[0, 0],
    ]
    .concat()
}

fn revents(w: &World, index: u64) -> u32 {
    (w.word(INIT, DATA + index * 8) >> 48) as u32
}

#[test]
fn what_is_ready_is_told_at_once() {
    let mut w = World::new();
    let (r, wr) = w.pipe(0);
    let fds = [
        pollfd(r, POLLIN),
        pollfd(wr, POLLOUT),
        pollfd(-1, POLLIN),
        pollfd(99, 0),
    ]
    .concat();
    w.put(INIT, DATA, &fds);
    assert_eq!(w.sys(INIT, __NR_poll, &[DATA, 4, FOREVER]), Ok(2));
    assert_eq!(
        [0, 1, 2, 3].map(|i| revents(&w, i)),
        [0, POLLOUT, 0, POLLNVAL]
    );
    w.write(INIT, wr, b"x").unwrap();
    w.close(INIT, wr).unwrap();
    w.put(INIT, DATA, &fds);
    assert_eq!(w.sys(INIT, __NR_poll, &[DATA, 1, 0]), Ok(1));
    assert_eq!(revents(&w, 0), POLLIN | POLLHUP);
    let (r, wr) = w.pipe(0);
    w.close(INIT, r).unwrap();
    w.put(INIT, DATA, &pollfd(wr, POLLIN));
    assert_eq!(w.sys(INIT, __NR_poll, &[DATA, 1, 0]), Ok(1));
    assert_eq!(revents(&w, 0), POLLERR);
}

#[test]
fn nothing_ready_waits_until_something_is() {
    let mut w = World::new();
    let (r, wr) = w.pipe(0);
    w.fork();
    w.put(INIT, DATA, &[pollfd(r, POLLIN), pollfd(0, POLLIN)].concat());
    let poll = w.start(INIT, __NR_poll, &[DATA, 2, FOREVER]);
    assert_eq!((w.result(poll), w.out.wake), (None, 0));
    w.write(CHILD, wr, b"x").unwrap();
    assert_eq!((w.result(poll), revents(&w, 0)), (Some(1), POLLIN));
    w.read(CHILD, r, 1).unwrap();
    let poll = w.start(INIT, __NR_poll, &[DATA, 2, FOREVER]);
    w.out.input.push_back(b'k');
    w.console();
    assert_eq!((w.result(poll), revents(&w, 1)), (Some(1), POLLIN));
}

#[test]
fn time_runs_out() {
    let mut w = World::new();
    w.out.now = 1_000_000;
    w.put(INIT, DATA, &pollfd(0, POLLIN));
    assert_eq!(w.sys(INIT, __NR_poll, &[DATA, 1, 0]), Ok(0));
    let poll = w.start(INIT, __NR_poll, &[DATA, 1, 10]);
    assert_eq!(w.out.wake, 11_000_000);
    w.out.now = 5_000_000;
    w.console();
    assert_eq!(w.result(poll), None);
    assert_eq!(w.out.wake, 11_000_000);
    w.out.now = 11_000_000;
    w.console();
    assert_eq!(w.result(poll), Some(0));
}

#[test]
fn the_first_deadline_is_the_one_asked_for() {
    let mut w = World::new();
    w.fork();
    let first = w.start(INIT, __NR_poll, &[0, 0, 20]);
    let second = w.start(CHILD, __NR_poll, &[0, 0, 10]);
    assert_eq!(w.out.wake, 10_000_000);
    w.out.now = 10_000_000;
    w.console();
    assert_eq!((w.result(first), w.result(second)), (None, Some(0)));
    assert_eq!(w.out.wake, 20_000_000);
    w.out.now = 21_000_000;
    w.console();
    assert_eq!(w.result(first), Some(0));
}

#[test]
fn an_interrupt_ends_a_poll_that_restarts_unless_a_handler_runs() {
    let mut w = World::new();
    let poll = w.start(INIT, __NR_poll, &[0, 0, FOREVER]);
    w.interrupt(INIT, poll);
    assert_eq!(w.result(poll), Some(Errno::ERESTARTNOHAND.as_result()));
}

#[test]
fn ppoll_tells_what_time_was_left() {
    let mut w = World::new();
    let time = [2u64.to_le_bytes(), 500u64.to_le_bytes()].concat();
    w.put(INIT, PATH, &time);
    w.put(INIT, DATA, &pollfd(0, POLLIN));
    let poll = w.start(INIT, __NR_ppoll, &[DATA, 1, PATH, 0, 8]);
    w.out.now = 500_000_000;
    w.out.input.push_back(b'k');
    w.console();
    assert_eq!(w.result(poll), Some(1));
    assert_eq!(
        (w.word(INIT, PATH), w.word(INIT, PATH + 8)),
        (1, 500_000_500)
    );
    w.put(INIT, PATH, &[0xff; 16]);
    assert_eq!(
        w.sys(INIT, __NR_ppoll, &[DATA, 1, PATH]),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        w.sys(INIT, __NR_ppoll, &[DATA, 1, 0, DATA, 4]),
        Err(Errno::EINVAL)
    );
}

#[test]
fn poll_checks_what_it_gets() {
    let mut w = World::new();
    assert_eq!(w.sys(INIT, __NR_poll, &[DATA, 1025, 0]), Err(Errno::EINVAL));
    assert_eq!(
        w.sys(INIT, __NR_poll, &[DATA, u64::MAX, 0]),
        Err(Errno::EINVAL)
    );
    assert_eq!(w.sys(INIT, __NR_poll, &[NOWHERE, 1, 0]), Err(Errno::EFAULT));
    assert_eq!(w.sys(INIT, __NR_poll, &[DATA, 1024, 0]), Ok(0));
}

#[test]
fn select_finds_what_is_ready() {
    let mut w = World::new();
    let (r, wr) = w.pipe(0);
    let bit = |fd: i64| (1u64 << fd).to_le_bytes();
    w.put(INIT, DATA, &bit(r));
    w.put(INIT, DATA + 8, &bit(wr));
    assert_eq!(w.sys(INIT, __NR_select, &[64, DATA, DATA + 8, 0, 0]), Ok(1));
    assert_eq!((w.word(INIT, DATA), w.word(INIT, DATA + 8)), (0, 1 << wr));
    w.put(INIT, DATA, &bit(40));
    assert_eq!(
        w.sys(INIT, __NR_select, &[64, DATA, 0, 0, 0]),
        Err(Errno::EBADF)
    );
    assert_eq!(
        w.sys(INIT, __NR_select, &[40, DATA, 0, 0, DATA + 16]),
        Ok(0)
    );
    assert_eq!(
        w.sys(INIT, __NR_select, &[u64::MAX, 0, 0, 0, 0]),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        w.sys(INIT, __NR_select, &[64, NOWHERE, 0, 0, 0]),
        Err(Errno::EFAULT)
    );
}

#[test]
fn select_waits_and_times_out() {
    let mut w = World::new();
    w.put(
        INIT,
        PATH,
        &[1u64.to_le_bytes(), 5u64.to_le_bytes()].concat(),
    );
    w.put(INIT, DATA, &1u64.to_le_bytes());
    let select = w.start(INIT, __NR_select, &[1, DATA, 0, 0, PATH]);
    assert_eq!((w.result(select), w.out.wake), (None, 1_000_005_000));
    w.out.now = 2_000_000_000;
    w.console();
    assert_eq!(
        (w.result(select), w.word(INIT, DATA), w.word(INIT, PATH)),
        (Some(0), 0, 0)
    );
    let mask = [0u64.to_le_bytes(), 0u64.to_le_bytes()].concat();
    w.put(INIT, DATA, &1u64.to_le_bytes());
    w.put(INIT, PATH, &mask);
    let select = w.start(INIT, __NR_pselect6, &[1, DATA, 0, 0, 0, PATH]);
    w.out.input.push_back(b'k');
    w.console();
    assert_eq!((w.result(select), w.word(INIT, DATA)), (Some(1), 1));
}
