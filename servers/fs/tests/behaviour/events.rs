//! eventfd, timerfd, epoll and sockets.

use crate::world::*;
use abi::Errno;
use abi::fs::Event;

const IN: u32 = 1;
const ET: u32 = 1 << 31;

fn epoll(w: &mut World) -> i64 {
    w.sys(INIT, __NR_epoll_create1, &[0]).unwrap()
}

fn ctl(w: &mut World, epfd: i64, op: u64, fd: i64, events: u32) -> Result<i64, Errno> {
    w.put(INIT, DATA, &events.to_le_bytes());
    w.put(INIT, DATA + 4, &(fd as u64).to_le_bytes());
    let args = [epfd as u64, op, fd as u64, DATA];
    w.sys(INIT, __NR_epoll_ctl, &args)
}

fn wait(w: &mut World, epfd: i64, timeout: i32) -> u32 {
    let args = [epfd as u64, DATA, 8, timeout as u64];
    w.start(INIT, __NR_epoll_wait, &args)
}

fn socketpair(w: &mut World) -> (i64, i64) {
    assert_eq!(w.sys(INIT, __NR_socketpair, &[1, 1, 0, DATA]), Ok(0));
    let word = w.word(INIT, DATA);
    ((word & 0xffff_ffff) as i64, (word >> 32) as i64)
}

fn address(w: &mut World, name: &[u8]) -> [u64; 2] {
    w.put(INIT, PATH2, &[1, 0]);
    w.put(INIT, PATH2 + 2, name);
    [PATH2, 2 + name.len() as u64]
}

#[test]
fn an_epoll_wakes_for_what_happens_and_tells_an_edge_once() {
    let mut w = World::new();
    let (r, wr) = w.pipe(0);
    let ep = epoll(&mut w);
    assert_eq!(ctl(&mut w, ep, 1, r, IN | ET), Ok(0));
    assert_eq!(ctl(&mut w, ep, 1, r, IN), Err(Errno::EEXIST));
    let waiting = wait(&mut w, ep, -1);
    assert_eq!(w.result(waiting), None);
    w.write(INIT, wr, b"x").unwrap();
    assert_eq!(w.result(waiting), Some(1));
    let again = wait(&mut w, ep, 0);
    assert_eq!(w.result(again), Some(0));
    w.write(INIT, wr, b"y").unwrap();
    let new = wait(&mut w, ep, 0);
    assert_eq!(w.result(new), Some(1));
    assert_eq!(ctl(&mut w, ep, 2, r, 0), Ok(0));
    assert_eq!(ctl(&mut w, ep, 2, r, 0), Err(Errno::ENOENT));
}

#[test]
fn an_epoll_gives_up_when_its_time_is_over_and_when_a_signal_comes() {
    let mut w = World::new();
    let ep = epoll(&mut w);
    let waiting = wait(&mut w, ep, 5);
    assert_eq!(w.out.wake, 5_000_000);
    w.out.now = 5_000_000;
    w.console();
    assert_eq!(w.result(waiting), Some(0));
    let waiting = wait(&mut w, ep, -1);
    w.interrupt(INIT, waiting);
    assert_eq!(w.result(waiting), Some(Errno::EINTR.as_result()));
}

#[test]
fn a_closed_file_is_watched_no_more_and_nothing_is_left() {
    let mut w = World::new();
    let before = w.fs.population();
    let (r, wr) = w.pipe(0);
    let ep = epoll(&mut w);
    ctl(&mut w, ep, 1, r, IN).unwrap();
    w.close(INIT, r).unwrap();
    w.close(INIT, wr).unwrap();
    let waiting = wait(&mut w, ep, 0);
    assert_eq!(w.result(waiting), Some(0));
    w.close(INIT, ep).unwrap();
    assert_eq!(w.fs.population(), before);
}

#[test]
fn epolls_do_not_watch_each_other_in_circles() {
    let mut w = World::new();
    let (a, b) = (epoll(&mut w), epoll(&mut w));
    assert_eq!(ctl(&mut w, a, 1, a, IN), Err(Errno::EINVAL));
    assert_eq!(ctl(&mut w, a, 1, b, IN), Ok(0));
    assert_eq!(ctl(&mut w, b, 1, a, IN), Err(Errno::ELOOP));
    w.file("/tmp/f", b"");
    let file = w.open("/tmp/f", O_RDWR).unwrap();
    assert_eq!(ctl(&mut w, a, 1, file, IN), Err(Errno::EPERM));
}

#[test]
fn a_timerfd_counts_its_expiries() {
    let mut w = World::new();
    let fd = w.sys(INIT, __NR_timerfd_create, &[1, 0]).unwrap();
    for (at, word) in [(0, 0), (8, 10), (16, 0), (24, 5)] {
        w.put(INIT, DATA + at, &u64::to_le_bytes(word));
    }
    let args = [fd as u64, 0, DATA, 0];
    assert_eq!(w.sys(INIT, __NR_timerfd_settime, &args), Ok(0));
    assert_eq!(w.out.wake, 5);
    let reader = w.start(INIT, __NR_read, &[fd as u64, DATA, 8]);
    w.out.now = 27;
    w.console();
    assert_eq!(w.result(reader), Some(8));
    assert_eq!(w.word(INIT, DATA), 3);
    w.close(INIT, fd).unwrap();
}

#[test]
fn an_eventfd_waits_for_a_count_and_for_room() {
    let mut w = World::new();
    let fd = w.sys(INIT, __NR_eventfd2, &[0, 0]).unwrap();
    let reader = w.start(INIT, __NR_read, &[fd as u64, DATA, 8]);
    assert_eq!(w.result(reader), None);
    assert_eq!(w.write(INIT, fd, &7u64.to_le_bytes()), Ok(8));
    assert_eq!(w.result(reader), Some(8));
    assert_eq!(w.word(INIT, DATA), 7);
    let full = (u64::MAX - 1).to_le_bytes();
    assert_eq!(w.write(INIT, fd, &full), Ok(8));
    w.put(INIT, DATA, &1u64.to_le_bytes());
    let writer = w.start(INIT, __NR_write, &[fd as u64, DATA, 8]);
    assert_eq!(w.result(writer), None);
    assert_eq!(w.read(INIT, fd, 8), Ok(full.to_vec()));
    assert_eq!(w.result(writer), Some(8));
    assert_eq!(w.read(INIT, fd, 4), Err(Errno::EINVAL));
}

#[test]
fn a_socket_pair_goes_both_ways_and_ends() {
    let mut w = World::new();
    let before = (w.fs.population(), w.out.objects());
    let (a, b) = socketpair(&mut w);
    assert_eq!(w.write(INIT, a, b"there"), Ok(5));
    assert_eq!(w.write(INIT, b, b"back"), Ok(4));
    assert_eq!(w.read(INIT, b, 99), Ok(b"there".to_vec()));
    assert_eq!(w.read(INIT, a, 99), Ok(b"back".to_vec()));
    let reader = w.start(INIT, __NR_read, &[b as u64, DATA, 9]);
    w.close(INIT, a).unwrap();
    assert_eq!(w.result(reader), Some(0));
    assert_eq!(w.write(INIT, b, b"x"), Err(Errno::EPIPE));
    assert_eq!(w.out.signals, [(INIT, SIGPIPE as u8)]);
    w.close(INIT, b).unwrap();
    assert_eq!((w.fs.population(), w.out.objects()), before);
}

#[test]
fn a_connection_waits_to_be_accepted_and_goes_with_its_listener() {
    let mut w = World::new();
    let before = w.out.objects();
    let [addr, len] = address(&mut w, b"\0name");
    let listener = w.sys(INIT, __NR_socket, &[1, 1, 0]).unwrap();
    let bind = [listener as u64, addr, len];
    assert_eq!(w.sys(INIT, __NR_bind, &bind), Ok(0));
    assert_eq!(w.sys(INIT, __NR_bind, &bind), Err(Errno::EINVAL));
    let clients: Vec<i64> = (0..3)
        .map(|_| w.sys(INIT, __NR_socket, &[1, 1, 0]).unwrap())
        .collect();
    let connect = |fd: i64| [fd as u64, addr, len];
    assert_eq!(
        w.sys(INIT, __NR_connect, &connect(clients[0])),
        Err(Errno::ECONNREFUSED)
    );
    assert_eq!(w.sys(INIT, __NR_listen, &[listener as u64, 1]), Ok(0));
    assert_eq!(w.sys(INIT, __NR_connect, &connect(clients[0])), Ok(0));
    assert_eq!(w.sys(INIT, __NR_connect, &connect(clients[1])), Ok(0));
    let third = w.start(INIT, __NR_connect, &connect(clients[2]));
    assert_eq!(w.result(third), None);
    w.write(INIT, clients[0], b"hello").unwrap();
    let end = w.sys(INIT, __NR_accept, &[listener as u64, 0, 0]).unwrap();
    assert_eq!(w.result(third), Some(0));
    assert_eq!(w.read(INIT, end, 9), Ok(b"hello".to_vec()));
    w.close(INIT, listener).unwrap();
    assert_eq!(w.read(INIT, clients[1], 9), Ok(vec![]));
    for fd in clients.into_iter().chain([end]) {
        w.close(INIT, fd).unwrap();
    }
    assert_eq!(w.out.objects(), before);
}

#[test]
fn sockets_of_other_families_are_refused() {
    let mut w = World::new();
    let inet = w.sys(INIT, __NR_socket, &[2, 1, 0]);
    assert_eq!(inet, Err(Errno::EAFNOSUPPORT));
    let strange = w.sys(INIT, __NR_socket, &[1, 4, 0]);
    assert_eq!(strange, Err(Errno::ESOCKTNOSUPPORT));
    let (r, _) = w.pipe(0);
    let listen = w.sys(INIT, __NR_listen, &[r as u64, 1]);
    assert_eq!(listen, Err(Errno::ENOTSOCK));
}

#[test]
fn there_is_a_limit_to_files_without_a_name() {
    let mut w = World::new();
    let mut made = 0;
    let mut tasks = vec![INIT];
    let error = loop {
        let task = *tasks.last().unwrap();
        match w.sys(task, __NR_eventfd2, &[0, 0]) {
            Ok(_) => made += 1,
            Err(Errno::EMFILE) => {
                let next = abi::TaskId::new(tasks.len() + 1, 1);
                let tid = tasks.len() as u32 + 1;
                assert_eq!(w.create(next, INIT, tid, false, false), 0);
                let args = [3, u64::from(u32::MAX), 0];
                w.sys(next, __NR_close_range, &args).unwrap();
                tasks.push(next);
            }
            Err(errno) => break errno,
        }
    };
    assert_eq!((made, error), (fs::MAX_ANONS, Errno::ENFILE));
    for task in tasks {
        let number = w.report(task, Event::Exited);
        assert_eq!(w.result(number), Some(0));
    }
    assert_eq!(w.fs.population()[5], 0);
}
