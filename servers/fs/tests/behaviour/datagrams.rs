//! Sockets that keep the boundaries of messages.

use crate::world::*;
use abi::Errno;
use fs::{MAX_PARCELS, MAX_PIPES};

const STREAM: u64 = 1;
const DATAGRAM: u64 = 2;
const PACKET: u64 = 5;
const NOT_TO_WAIT: u64 = 0x40;
/// Where a struct sockaddr_un and its length are.
const ADDRESS: u64 = MEMORY + 0x8000;
const LENGTH: u64 = MEMORY + 0x8100;
/// How many messages fit into the socket of somebody else.
const QUEUE: usize = 11;

fn socket(w: &mut World, kind: u64) -> i64 {
    w.sys(INIT, __NR_socket, &[1, kind, 0]).unwrap()
}

fn pair(w: &mut World, kind: u64) -> [i64; 2] {
    assert_eq!(w.sys(INIT, __NR_socketpair, &[1, kind, 0, DATA]), Ok(0));
    let word = w.word(INIT, DATA);
    [(word & 0xffff_ffff) as i64, (word >> 32) as i64]
}

/// Puts an abstract name; address and length.
fn name(w: &mut World, name: &str) -> [u64; 2] {
    let bytes = [&[1, 0, 0], name.as_bytes()].concat();
    w.put(INIT, ADDRESS, &bytes);
    [ADDRESS, bytes.len() as u64]
}

fn bound(w: &mut World, kind: u64, to: &str) -> i64 {
    let fd = socket(w, kind);
    let [addr, len] = name(w, to);
    assert_eq!(w.sys(INIT, __NR_bind, &[fd as u64, addr, len]), Ok(0));
    fd
}

fn start(w: &mut World, fd: i64, len: u64, to: &str, flags: u64) -> u32 {
    let [addr, addr_len] = name(w, to);
    let args = [fd as u64, DATA, len, flags, addr, addr_len];
    w.start(INIT, __NR_sendto, &args)
}

fn send(w: &mut World, fd: i64, len: u64, to: &str) -> Result<i64, Errno> {
    let number = start(w, fd, len, to, NOT_TO_WAIT);
    Errno::check(w.result(number).expect("it does not wait"))
}

fn send_to_peer(w: &mut World, fd: i64, len: u64) -> Result<i64, Errno> {
    w.sys(INIT, __NR_sendto, &[fd as u64, DATA, len, NOT_TO_WAIT])
}

/// Receives: how many bytes, and the name of who has sent them.
fn receive(w: &mut World, fd: i64) -> Result<(i64, String), Errno> {
    w.put(INIT, LENGTH, &110u32.to_le_bytes());
    let args = [fd as u64, DATA, 99, NOT_TO_WAIT, ADDRESS, LENGTH];
    let count = w.sys(INIT, __NR_recvfrom, &args)?;
    let len = w.word(INIT, LENGTH) as u32 as usize;
    let name = w.get(INIT, ADDRESS, len).split_off(len.min(3));
    Ok((count, String::from_utf8(name).unwrap()))
}

fn events(w: &mut World, fd: i64) -> u64 {
    w.put(INIT, DATA, &(fd as u64 | 5 << 32).to_le_bytes());
    w.sys(INIT, __NR_poll, &[DATA, 1, 0]).unwrap();
    w.word(INIT, DATA) >> 48
}

#[test]
fn messages_keep_their_boundaries_and_names() {
    let mut w = World::new();
    let before = (w.fs.population(), w.out.objects());
    let [a, b] = [bound(&mut w, DATAGRAM, "a"), bound(&mut w, DATAGRAM, "b")];
    let c = socket(&mut w, DATAGRAM);
    for (from, len) in [(a, 3), (c, 0), (a, 5)] {
        assert_eq!(send(&mut w, from, len, "b"), Ok(len as i64));
    }
    let unnamed = String::new();
    assert_eq!(receive(&mut w, b), Ok((3, "a".into())));
    assert_eq!(receive(&mut w, b), Ok((0, unnamed)));
    assert_eq!(receive(&mut w, b), Ok((5, "a".into())));
    assert_eq!(receive(&mut w, b), Err(Errno::EAGAIN));
    for fd in [a, b, c] {
        w.close(INIT, fd).unwrap();
    }
    assert_eq!((w.fs.population(), w.out.objects()), before);
}

#[test]
fn a_name_is_of_one_type_of_socket() {
    let mut w = World::new();
    let _datagrams = bound(&mut w, DATAGRAM, "name");
    let listener = bound(&mut w, STREAM, "name");
    let other = socket(&mut w, PACKET);
    let [addr, len] = name(&mut w, "name");
    let connect = [other as u64, addr, len];
    let result = w.sys(INIT, __NR_connect, &connect);
    assert_eq!(result, Err(Errno::ECONNREFUSED));
    let result = send(&mut w, listener, 1, "name");
    assert_eq!(result, Err(Errno::EOPNOTSUPP));
}

#[test]
fn who_sends_to_a_full_socket_waits_until_it_is_read_or_closed() {
    let mut w = World::new();
    let receiver = bound(&mut w, DATAGRAM, "full");
    let sender = socket(&mut w, DATAGRAM);
    for _ in 0..QUEUE {
        assert_eq!(send(&mut w, sender, 1, "full"), Ok(1));
    }
    assert_eq!(send(&mut w, sender, 1, "full"), Err(Errno::EAGAIN));
    let waits = start(&mut w, sender, 2, "full", 0);
    let too = start(&mut w, sender, 3, "full", 0);
    assert_eq!((w.result(waits), w.result(too)), (None, None));
    assert_eq!(receive(&mut w, receiver).map(|(count, _)| count), Ok(1));
    assert_eq!((w.result(waits), w.result(too)), (Some(2), None));
    w.close(INIT, receiver).unwrap();
    assert_eq!(w.result(too), Some(Errno::ECONNREFUSED.as_result()));
    assert_eq!(w.fs.waiting(), 0);
}

#[test]
fn a_peer_hears_nobody_else() {
    let mut w = World::new();
    let [a, b] = [bound(&mut w, DATAGRAM, "a"), bound(&mut w, DATAGRAM, "b")];
    let c = socket(&mut w, DATAGRAM);
    let [addr, len] = name(&mut w, "b");
    let connect = [a as u64, addr, len];
    assert_eq!(w.sys(INIT, __NR_connect, &connect), Ok(0));
    assert_eq!(send(&mut w, c, 1, "a"), Err(Errno::EPERM));
    assert_eq!(send(&mut w, b, 1, "a"), Ok(1));
    assert_eq!(send_to_peer(&mut w, a, 2), Ok(2));
    w.close(INIT, b).unwrap();
    // Its number is another socket's now, which is no peer.
    let d = bound(&mut w, DATAGRAM, "d");
    assert_eq!(send(&mut w, c, 1, "a"), Err(Errno::EPERM));
    assert_eq!(send_to_peer(&mut w, a, 2), Err(Errno::ECONNREFUSED));
    assert_eq!(send_to_peer(&mut w, a, 2), Err(Errno::ENOTCONN));
    assert_eq!(receive(&mut w, a), Err(Errno::EAGAIN));
    assert_eq!(receive(&mut w, d), Err(Errno::EAGAIN));
    assert_eq!(send(&mut w, c, 1, "a"), Ok(1));
}

#[test]
fn a_pair_is_full_of_messages_or_of_bytes() {
    for kind in [DATAGRAM, PACKET] {
        let mut w = World::new();
        let [a, b] = pair(&mut w, kind);
        for _ in 0..MAX_PARCELS {
            assert_eq!(send_to_peer(&mut w, a, 0), Ok(0));
        }
        assert_eq!(send_to_peer(&mut w, a, 0), Err(Errno::EAGAIN));
        assert_eq!((events(&mut w, a), events(&mut w, b)), (0, 5));
        assert_eq!(receive(&mut w, b).map(|(count, _)| count), Ok(0));
        assert_eq!(events(&mut w, a), 4);
        w.close(INIT, b).unwrap();
        let [a, b] = pair(&mut w, kind);
        assert_eq!(send_to_peer(&mut w, a, 65505), Err(Errno::EMSGSIZE));
        assert_eq!(send_to_peer(&mut w, a, 65504), Ok(65504));
        assert_eq!(send_to_peer(&mut w, a, 33), Err(Errno::EAGAIN));
        // What cannot be read whole from the sender is not sent at all.
        let torn = [a as u64, END - 8, 16, NOT_TO_WAIT];
        assert_eq!(w.sys(INIT, __NR_sendto, &torn), Err(Errno::EFAULT));
        assert_eq!(send_to_peer(&mut w, a, 32), Ok(32));
        assert_eq!(receive(&mut w, b).map(|(count, _)| count), Ok(99));
        assert_eq!(receive(&mut w, b).map(|(count, _)| count), Ok(32));
    }
}

#[test]
fn packets_end_with_their_sender() {
    let mut w = World::new();
    let before = (w.fs.population(), w.out.objects());
    let [a, b] = pair(&mut w, PACKET);
    let reader = w.start(INIT, __NR_read, &[b as u64, DATA, 9]);
    assert_eq!(w.result(reader), None);
    assert_eq!(send_to_peer(&mut w, a, 4), Ok(4));
    assert_eq!(w.result(reader), Some(4));
    let reader = w.start(INIT, __NR_read, &[b as u64, DATA, 9]);
    w.close(INIT, a).unwrap();
    assert_eq!(w.result(reader), Some(0));
    assert_eq!(send_to_peer(&mut w, b, 4), Err(Errno::EPIPE));
    assert!(w.out.signals.is_empty());
    w.close(INIT, b).unwrap();
    assert_eq!((w.fs.population(), w.out.objects()), before);
}

#[test]
fn each_mailbox_takes_the_place_of_a_pipe() {
    let mut w = World::new();
    w.rights(
        INIT,
        abi::fs::Rights {
            max_fds: u64::MAX,
            ..superuser()
        },
    );
    for _ in 0..MAX_PIPES - 1 {
        socket(&mut w, DATAGRAM);
    }
    let before = w.fs.population();
    let args = [1, DATAGRAM, 0, DATA];
    assert_eq!(w.sys(INIT, __NR_socketpair, &args), Err(Errno::ENFILE));
    assert_eq!(w.fs.population(), before);
    socket(&mut w, DATAGRAM);
    let one_more = w.sys(INIT, __NR_socket, &[1, DATAGRAM, 0]);
    assert_eq!(one_more, Err(Errno::ENFILE));
}

#[test]
fn each_message_and_each_place_is_an_edge() {
    let mut w = World::new();
    let receiver = bound(&mut w, DATAGRAM, "edge");
    let sender = socket(&mut w, DATAGRAM);
    let [addr, len] = name(&mut w, "edge");
    let connect = [sender as u64, addr, len];
    assert_eq!(w.sys(INIT, __NR_connect, &connect), Ok(0));
    let epoll = w.sys(INIT, __NR_epoll_create1, &[0]).unwrap();
    for (fd, events) in [(receiver, 1u32), (sender, 4)] {
        w.put(INIT, DATA, &(events | 1 << 31).to_le_bytes());
        w.put(INIT, DATA + 4, &(fd as u64).to_le_bytes());
        let add = [epoll as u64, 1, fd as u64, DATA];
        assert_eq!(w.sys(INIT, __NR_epoll_ctl, &add), Ok(0));
    }
    let ready = |w: &mut World| {
        let args = [epoll as u64, DATA, 8, 0];
        let count = w.sys(INIT, __NR_epoll_wait, &args).unwrap() as u64;
        let fds = (0..count).map(|i| w.word(INIT, DATA + 12 * i + 4) as i64);
        fds.collect::<Vec<i64>>()
    };
    assert_eq!(ready(&mut w), [sender]);
    for _ in 0..QUEUE {
        assert_eq!(send_to_peer(&mut w, sender, 1), Ok(1));
        assert_eq!(ready(&mut w), [receiver]);
    }
    assert_eq!(send_to_peer(&mut w, sender, 1), Err(Errno::EAGAIN));
    assert_eq!(ready(&mut w), []);
    receive(&mut w, receiver).unwrap();
    assert_eq!(ready(&mut w), [sender]);
}
