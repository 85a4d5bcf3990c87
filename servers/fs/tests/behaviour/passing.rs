//! Descriptors and credentials that go through sockets.

use crate::world::*;
use abi::Errno;
use abi::fs::Rights;
use fs::{MAX_ALL_PARCELS, MAX_IN_FLIGHT, MAX_PARCELS};

/// Where struct msghdr, its piece and the control messages are.
const HEADER: u64 = MEMORY + 0x8000;
const PIECE: u64 = MEMORY + 0x8100;
const CONTROL: u64 = MEMORY + 0x9000;
const NOT_TO_WAIT: u64 = 0x40;
const CUT: u64 = 8;

/// A world in which descriptors are limited by tables alone.
fn world() -> World {
    let mut w = World::new();
    w.rights(
        INIT,
        Rights {
            max_fds: u64::MAX,
            ..superuser()
        },
    );
    w
}

fn socketpair(w: &mut World) -> [i64; 2] {
    assert_eq!(w.sys(INIT, __NR_socketpair, &[1, 1, 0, DATA]), Ok(0));
    let word = w.word(INIT, DATA);
    [(word & 0xffff_ffff) as i64, (word >> 32) as i64]
}

fn header(w: &mut World, len: u64, control: u64) {
    for (at, word) in [(0, DATA), (8, len)] {
        w.put(INIT, PIECE + at, &u64::to_le_bytes(word));
    }
    for (i, word) in (0..).zip([0, 0, PIECE, 1, CONTROL, control, 0]) {
        w.put(INIT, HEADER + 8 * i, &u64::to_le_bytes(word));
    }
}

/// Starts to send bytes with descriptors.
fn start(w: &mut World, to: i64, len: u64, fds: &[i64]) -> u32 {
    let control = 16 + 4 * fds.len() as u64;
    header(w, len, if fds.is_empty() { 0 } else { control });
    w.put(INIT, CONTROL, &control.to_le_bytes());
    w.put(INIT, CONTROL + 8, &(1 | 1u64 << 32).to_le_bytes());
    for (i, fd) in (0..).zip(fds) {
        w.put(INIT, CONTROL + 16 + 4 * i, &(*fd as i32).to_le_bytes());
    }
    w.start(INIT, __NR_sendmsg, &[to as u64, HEADER, 0])
}

fn send(w: &mut World, to: i64, len: u64, fds: &[i64]) -> Result<i64, Errno> {
    let number = start(w, to, len, fds);
    Errno::check(w.result(number).expect("it waits"))
}

/// Receives: how many bytes, which descriptors, and the flags.
fn receive(w: &mut World, from: i64, len: u64) -> (Result<i64, Errno>, Vec<i64>, u64) {
    header(w, len, 4096);
    let args = [from as u64, HEADER, NOT_TO_WAIT];
    let result = w.sys(INIT, __NR_recvmsg, &args);
    let mut fds = Vec::new();
    if result.is_ok() && w.word(INIT, HEADER + 40) > 0 {
        let len = w.word(INIT, CONTROL);
        let fd = |at| i32::from_le_bytes(w.get(INIT, CONTROL + at, 4).try_into().unwrap());
        fds.extend((16..len).step_by(4).map(|at| i64::from(fd(at))));
    }
    (result, fds, w.word(INIT, HEADER + 48))
}

fn close(w: &mut World, fds: &[i64]) {
    for &fd in fds {
        w.close(INIT, fd).unwrap();
    }
}

#[test]
fn a_descriptor_comes_out_at_the_other_end() {
    let mut w = world();
    let before = (w.fs.population(), w.out.objects());
    let [a, b] = socketpair(&mut w);
    let (read, write) = w.pipe(0);
    assert_eq!(send(&mut w, a, 3, &[write, read]), Ok(3));
    close(&mut w, &[read, write]);
    let (result, fds, flags) = receive(&mut w, b, 9);
    assert_eq!((result, fds.len(), flags), (Ok(3), 2, 0));
    w.write(INIT, fds[0], b"hello").unwrap();
    assert_eq!(w.read(INIT, fds[1], 9), Ok(b"hello".to_vec()));
    close(&mut w, &fds);
    close(&mut w, &[a, b]);
    assert_eq!((w.fs.population(), w.out.objects()), before);
}

#[test]
fn a_message_that_waits_keeps_its_files_and_gives_them_up() {
    let mut w = world();
    let [a, b] = socketpair(&mut w);
    let before = w.fs.population();
    w.sys(INIT, __NR_sendto, &[a as u64, DATA, 65536, 0])
        .unwrap();
    for interrupted in [false, true] {
        let (read, write) = w.pipe(0);
        let waits = start(&mut w, a, 2, &[write]);
        close(&mut w, &[write]);
        assert_eq!(w.result(waits), None);
        if interrupted {
            w.interrupt(INIT, waits);
            assert_eq!(w.result(waits), Some(Errno::ERESTARTSYS.as_result()));
        } else {
            let (result, fds, _) = receive(&mut w, b, 65536);
            assert_eq!((result, fds), (Ok(65536), vec![]));
            assert_eq!(w.result(waits), Some(2));
            w.sys(INIT, __NR_sendto, &[a as u64, DATA, 65534, 0])
                .unwrap();
            // Its bytes, and none of those that follow.
            assert_eq!(w.read(INIT, b, 9).map(|bytes| bytes.len()), Ok(2));
            w.sys(INIT, __NR_sendto, &[a as u64, DATA, 2, 0]).unwrap();
        }
        assert_eq!(w.read(INIT, read, 1), Ok(vec![]));
        close(&mut w, &[read]);
    }
    assert_eq!(w.fs.population(), before);
}

#[test]
fn sockets_within_sockets_are_closed_however_deep() {
    let mut w = world();
    let before = (w.fs.population(), w.out.objects());
    // Each pair is on its way through the next one.
    let mut last = socketpair(&mut w);
    for _ in 0..400 {
        let next = socketpair(&mut w);
        assert_eq!(send(&mut w, next[0], 1, &last), Ok(1));
        close(&mut w, &last);
        last = next;
    }
    assert!(w.fs.population()[1] > 800);
    close(&mut w, &last);
    assert_eq!((w.fs.population(), w.out.objects()), before);
}

#[test]
fn a_cycle_of_sockets_in_flight_goes_with_its_last_owner() {
    let mut w = world();
    let before = (w.fs.population(), w.out.objects());
    let [a, b] = socketpair(&mut w);
    let [c, d] = socketpair(&mut w);
    let (read, write) = w.pipe(0);
    // b's queue has d and a, d's has b, c and the pipe.
    assert_eq!(send(&mut w, a, 1, &[d, a]), Ok(1));
    assert_eq!(send(&mut w, c, 1, &[b, c, write]), Ok(1));
    close(&mut w, &[a, c, d, write]);
    // Somebody still has b, and with it all.
    let (result, fds, _) = receive(&mut w, b, 1);
    assert_eq!((result, fds.len()), (Ok(1), 2));
    assert_eq!(send(&mut w, fds[1], 1, &fds), Ok(1));
    close(&mut w, &fds);
    let nothing = w.start(INIT, __NR_read, &[read as u64, DATA, 1]);
    assert_eq!(w.result(nothing), None);
    close(&mut w, &[b]);
    assert_eq!(w.result(nothing), Some(0));
    close(&mut w, &[read]);
    assert_eq!((w.fs.population(), w.out.objects()), before);
}

#[test]
fn connections_that_nobody_accepts_are_part_of_cycles() {
    let mut w = world();
    let before = (w.fs.population(), w.out.objects());
    w.put(INIT, PATH, b"\x01\0\0name");
    let listener = w.sys(INIT, __NR_socket, &[1, 1, 0]).unwrap();
    let client = w.sys(INIT, __NR_socket, &[1, 1, 0]).unwrap();
    w.sys(INIT, __NR_bind, &[listener as u64, PATH, 7]).unwrap();
    w.sys(INIT, __NR_listen, &[listener as u64, 3]).unwrap();
    w.sys(INIT, __NR_connect, &[client as u64, PATH, 7])
        .unwrap();
    assert_eq!(send(&mut w, client, 1, &[listener, client]), Ok(1));
    close(&mut w, &[listener, client]);
    assert_eq!((w.fs.population(), w.out.objects()), before);
}

#[test]
fn what_is_in_flight_has_a_limit() {
    let mut w = world();
    let fds = [0; 253];
    let mut pairs = Vec::new();
    let mut sent = 0;
    'full: loop {
        let pair = socketpair(&mut w);
        pairs.push(pair);
        for _ in 0..MAX_PARCELS {
            match send(&mut w, pair[0], 1, &fds) {
                Ok(1) => sent += fds.len(),
                result => {
                    assert_eq!(result, Err(Errno::ETOOMANYREFS));
                    break 'full;
                }
            }
        }
    }
    assert!(sent <= MAX_IN_FLIGHT && sent + fds.len() > MAX_IN_FLIGHT);
    let [a, b] = socketpair(&mut w);
    for _ in sent..MAX_IN_FLIGHT {
        assert_eq!(send(&mut w, a, 1, &[0]), Ok(1));
    }
    assert_eq!(send(&mut w, a, 1, &[0]), Err(Errno::ETOOMANYREFS));
    assert_eq!(w.read(INIT, b, 9).map(|bytes| bytes.len()), Ok(1));
    assert_eq!(send(&mut w, a, 1, &[0]), Ok(1));
}

#[test]
fn many_messages_with_something_are_as_a_full_connection() {
    let mut w = world();
    let [a, b] = socketpair(&mut w);
    for _ in 0..MAX_PARCELS {
        assert_eq!(send(&mut w, a, 1, &[0]), Ok(1));
    }
    let poll = |w: &mut World| {
        w.put(INIT, DATA, &(a as u64 | 4 << 32).to_le_bytes());
        w.sys(INIT, __NR_poll, &[DATA, 1, 0])
    };
    assert_eq!(poll(&mut w), Ok(0));
    let waits = start(&mut w, a, 1, &[0]);
    assert_eq!(w.result(waits), None);
    // Bytes alone still fit, and are behind nobody's back.
    let later = w.start(INIT, __NR_write, &[a as u64, DATA, 1]);
    assert_eq!(w.result(later), None);
    let (result, fds, _) = receive(&mut w, b, 9);
    assert_eq!((result, fds.len()), (Ok(1), 1));
    assert_eq!((w.result(waits), w.result(later)), (Some(1), Some(1)));
    assert_eq!(poll(&mut w), Ok(0));
    assert_eq!(receive(&mut w, b, 9).1.len(), 1);
    assert_eq!(poll(&mut w), Ok(1));
}

#[test]
fn all_connections_together_have_a_limit_of_such_messages() {
    let mut w = world();
    let pairs: Vec<_> = (0..MAX_ALL_PARCELS / MAX_PARCELS)
        .map(|_| socketpair(&mut w))
        .collect();
    for &[a, _] in &pairs {
        for _ in 0..MAX_PARCELS {
            assert_eq!(send(&mut w, a, 1, &[0]), Ok(1));
        }
    }
    let [a, b] = socketpair(&mut w);
    let waits = start(&mut w, a, 1, &[0]);
    assert_eq!(w.result(waits), None);
    close(&mut w, &pairs[0]);
    assert_eq!(w.result(waits), Some(1));
    for _ in 1..MAX_PARCELS {
        assert_eq!(send(&mut w, a, 1, &[0]), Ok(1));
    }
    close(&mut w, &[a, b]);
    close(&mut w, pairs[1..].as_flattened());
    assert_eq!(w.fs.population()[1], World::new().fs.population()[1]);
}

#[test]
fn what_finds_no_room_is_closed_and_told_of() {
    let mut w = world();
    let [a, b] = socketpair(&mut w);
    let before = w.fs.population();
    let (read, write) = w.pipe(0);
    assert_eq!(send(&mut w, a, 1, &[write, read]), Ok(1));
    close(&mut w, &[read, write]);
    w.rights(INIT, superuser_with(read as u64));
    assert_eq!(receive(&mut w, b, 9), (Ok(1), vec![], CUT));
    assert_eq!(w.fs.population(), before);
}

fn superuser_with(max_fds: u64) -> Rights {
    Rights {
        max_fds,
        ..superuser()
    }
}

#[test]
fn a_receiver_of_credentials_reads_one_sender_at_a_time() {
    let mut w = world();
    let [a, b] = socketpair(&mut w);
    w.put(INIT, DATA, &1u32.to_le_bytes());
    let option = [b as u64, 1, 16, DATA, 4];
    assert_eq!(w.sys(INIT, __NR_setsockopt, &option), Ok(0));
    w.fork();
    w.rights(CHILD, user(7));
    w.write(INIT, a, b"init").unwrap();
    w.write(CHILD, a, b"child").unwrap();
    w.write(CHILD, a, b"more").unwrap();
    for (len, who) in [(4, [1, 0, 0]), (9, [2, 7, 7])] {
        header(&mut w, 99, 4096);
        let result = w.sys(INIT, __NR_recvmsg, &[b as u64, HEADER, 0]);
        assert_eq!(result, Ok(len));
        assert_eq!(w.word(INIT, HEADER + 40), 32);
        let ids = who.iter().flat_map(|id: &u32| id.to_le_bytes());
        assert_eq!(w.get(INIT, CONTROL + 16, 12), ids.collect::<Vec<u8>>());
    }
}

#[test]
fn a_mailbox_in_its_own_queue_goes_with_its_last_owner() {
    let mut w = world();
    let before = (w.fs.population(), w.out.objects());
    assert_eq!(w.sys(INIT, __NR_socketpair, &[1, 2, 0, DATA]), Ok(0));
    let word = w.word(INIT, DATA);
    let [a, b] = [(word & 0xffff_ffff) as i64, (word >> 32) as i64];
    let (read, write) = w.pipe(0);
    assert_eq!(send(&mut w, a, 0, &[b, write]), Ok(0));
    assert_eq!(send(&mut w, b, 1, &[b, a]), Ok(1));
    close(&mut w, &[a, write]);
    let nothing = w.start(INIT, __NR_read, &[read as u64, DATA, 1]);
    assert_eq!(w.result(nothing), None);
    close(&mut w, &[b]);
    assert_eq!(w.result(nothing), Some(0));
    close(&mut w, &[read]);
    assert_eq!((w.fs.population(), w.out.objects()), before);
}
