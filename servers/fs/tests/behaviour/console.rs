//! The console.

use crate::world::*;
use abi::Errno;

#[test]
fn output_goes_where_it_belongs() {
    let mut w = World::new();
    assert_eq!(w.write(INIT, 1, b"out"), Ok(3));
    assert_eq!(w.write(INIT, 2, b"err"), Ok(3));
    assert_eq!(w.open("/dev/tty", O_RDWR), Err(Errno::ENXIO));
    let console = w.open("/dev/console", O_RDWR).unwrap();
    assert_eq!(w.write(INIT, console, &[b'x'; 2000]), Ok(2000));
    assert_eq!(w.out.stdout.len(), 2003);
    assert_eq!(w.out.stderr, b"err");
    assert_eq!(
        w.sys(INIT, __NR_write, &[1, NOWHERE, 3]),
        Err(Errno::EFAULT)
    );
    assert_eq!(w.sys(INIT, __NR_write, &[1, END - 896, 2000]), Ok(896));
}

#[test]
fn what_is_exported_goes_nowhere_else() {
    let mut w = World::new();
    let export = w.open("/dev/export", O_RDWR).unwrap();
    assert_eq!(w.write(INIT, export, &[b'x'; 3000]), Ok(3000));
    assert_eq!(w.out.exported, [b'x'; 3000]);
    assert!(w.out.stdout.is_empty() && w.out.stderr.is_empty());
    assert_eq!(
        w.sys(INIT, __NR_read, &[export as u64, DATA, 1]),
        Err(Errno::EINVAL)
    );
}

#[test]
fn a_reader_waits_for_input() {
    let mut w = World::new();
    let read = w.start(INIT, __NR_read, &[0, DATA, 100]);
    w.console();
    assert_eq!((w.result(read), w.out.acks), (None, 1));
    w.out.input.extend(b"line\n");
    w.console();
    assert_eq!(w.result(read), Some(5));
    assert_eq!(w.get(INIT, DATA, 5), b"line\n");
    assert_eq!(w.out.acks, 2);
}

#[test]
fn framing_is_undone_and_the_end_stays() {
    let mut w = World::new();
    w.out.input.extend([b'a', 0xff, 0xff, b'b', 0xff]);
    w.console();
    w.out.input.extend([0x04, b'c']);
    w.console();
    assert_eq!(w.read(INIT, 0, 2), Ok(vec![b'a', 0xff]));
    assert_eq!(w.read(INIT, 0, 9), Ok(vec![b'b']));
    assert_eq!(w.read(INIT, 0, 9), Ok(vec![]));
    assert_eq!(w.read(INIT, 0, 9), Ok(vec![]));
}

#[test]
fn the_end_wakes_a_reader() {
    let mut w = World::new();
    let read = w.start(INIT, __NR_read, &[0, DATA, 100]);
    w.out.input.extend([0xff, 0x04]);
    w.console();
    assert_eq!(w.result(read), Some(0));
}

#[test]
fn a_full_ring_keeps_the_interrupt_off_until_there_is_room() {
    let mut w = World::new();
    w.out.input.extend((0..100_000).map(|i| (i % 200) as u8));
    w.console();
    assert_eq!(w.out.acks, 0);
    assert_eq!(w.out.input.len(), 100_000 - 65536);
    let mut all = w.read(INIT, 0, 60_000).unwrap();
    assert_eq!(w.out.acks, 1);
    all.extend(w.read(INIT, 0, 60_000).unwrap());
    assert_eq!(all.len(), 100_000);
    assert!(all.iter().enumerate().all(|(i, &b)| b == (i % 200) as u8));
}

#[test]
fn bad_memory_loses_no_input() {
    let mut w = World::new();
    w.out.input.extend(b"abc");
    w.console();
    assert_eq!(w.sys(INIT, __NR_read, &[0, NOWHERE, 3]), Err(Errno::EFAULT));
    assert_eq!(w.read(INIT, 0, 3), Ok(b"abc".to_vec()));
}

#[test]
fn nonblocking_input_is_eagain() {
    let mut w = World::new();
    w.sys(INIT, __NR_fcntl, &[0, F_SETFL.into(), O_NONBLOCK.into()])
        .unwrap();
    assert_eq!(w.read(INIT, 0, 3), Err(Errno::EAGAIN));
}
