//! The console as a terminal, and pseudo-terminals.

use crate::world::*;
use abi::Errno;

const TCGETS: u64 = 0x5401;
const TCSETS: u64 = 0x5402;
const TIOCSCTTY: u64 = 0x540e;
const TIOCSPGRP: u64 = 0x5410;
const TIOCGWINSZ: u64 = 0x5413;
const TIOCGPTN: u64 = 0x8004_5430;
const TIOCSPTLCK: u64 = 0x4004_5431;

fn terminal() -> World {
    let mut w = World::new();
    assert_eq!(ioctl(&mut w, 0, TCGETS), Err(Errno::ENOTTY));
    let World { fs, out, .. } = &mut w;
    fs.set_terminal(out, 30, 90);
    w.out.groups.clear();
    w
}

fn ioctl(w: &mut World, fd: i64, request: u64) -> Result<i64, Errno> {
    w.sys(INIT, __NR_ioctl, &[fd as u64, request, DATA])
}

fn type_in(w: &mut World, bytes: &[u8]) {
    w.out.input.extend(bytes);
    w.console();
}

/// A master and its opened slave.
fn pty(w: &mut World) -> (i64, i64) {
    let master = w.open("/dev/ptmx", O_RDWR).unwrap();
    assert_eq!(ioctl(w, master, TIOCGPTN), Ok(0));
    let path = format!("/dev/pts/{}", w.word(INIT, DATA) as u32);
    assert_eq!(w.open(&path, O_RDWR), Err(Errno::EIO));
    w.put(INIT, DATA, &[0; 4]);
    assert_eq!(ioctl(w, master, TIOCSPTLCK), Ok(0));
    (master, w.open(&path, O_RDWR).unwrap())
}

#[test]
fn a_line_is_read_when_it_is_whole_and_shown_as_it_is_typed() {
    let mut w = terminal();
    let read = w.start(INIT, __NR_read, &[0, DATA, 100]);
    type_in(&mut w, b"caz\x7ft");
    assert_eq!(w.result(read), None);
    assert_eq!(w.out.stdout, b"caz\x08 \x08t");
    type_in(&mut w, b"\r");
    assert_eq!(w.result(read), Some(4));
    assert_eq!(w.get(INIT, DATA, 4), b"cat\n");
    w.out.stdout.clear();
    w.write(INIT, 1, b"a\nb").unwrap();
    assert_eq!(w.out.stdout, b"a\r\nb");
    type_in(&mut w, b"\x04");
    assert_eq!(w.read(INIT, 0, 9), Ok(vec![]));
}

#[test]
fn what_the_user_interrupts_is_the_foreground() {
    let mut w = terminal();
    type_in(&mut w, b"half\x03\x1a");
    assert_eq!(w.out.groups, [(1, 2), (1, 20)]);
    let read = w.start(INIT, __NR_read, &[0, DATA, 100]);
    type_in(&mut w, b"x\n");
    assert_eq!(w.result(read), Some(2));
}

#[test]
fn the_background_is_stopped_when_it_reads_unless_it_cannot_be() {
    let mut w = terminal();
    w.fork();
    w.out.jobs.insert(2, (2, 1));
    let read = w.sys(CHILD, __NR_read, &[0, DATA, 9]);
    assert_eq!(read, Err(Errno::ERESTARTSYS));
    assert_eq!(w.out.groups, [(2, 21)]);
    w.out.orphaned = true;
    assert_eq!(w.sys(CHILD, __NR_read, &[0, DATA, 9]), Err(Errno::EIO));
    w.out.orphaned = false;
    w.put(INIT, DATA, &2u32.to_le_bytes());
    assert_eq!(ioctl(&mut w, 0, TIOCSPGRP), Ok(0));
    type_in(&mut w, b"\x1c");
    assert_eq!(w.out.groups[1..], [(2, 3)]);
    w.put(INIT, DATA, &9u32.to_le_bytes());
    // Now the shell is in the background.
    assert_eq!(ioctl(&mut w, 0, TIOCSPGRP), Err(Errno::ERESTARTSYS));
}

#[test]
fn a_new_window_size_is_told() {
    let mut w = terminal();
    assert_eq!(ioctl(&mut w, 0, TIOCGWINSZ), Ok(0));
    assert_eq!(w.get(INIT, DATA, 4), [30, 0, 90, 0]);
    type_in(&mut w, &[0xff, 0x06, 50, 0, 0xff, 0, b'!']);
    assert_eq!(w.out.groups, [(1, 28)]);
    assert_eq!(ioctl(&mut w, 0, TIOCGWINSZ), Ok(0));
    assert_eq!(w.get(INIT, DATA, 4), [50, 0, 255, 0]);
}

#[test]
fn raw_input_comes_at_once_and_a_timed_read_gives_up() {
    let mut w = terminal();
    ioctl(&mut w, 0, TCGETS).unwrap();
    let mut termios = w.get(INIT, DATA, 36);
    termios[12..16].fill(0);
    (termios[17 + 5], termios[17 + 6]) = (2, 0);
    w.put(INIT, DATA, &termios);
    ioctl(&mut w, 0, TCSETS).unwrap();
    type_in(&mut w, b"\x03");
    assert_eq!(w.read(INIT, 0, 9), Ok(vec![3]));
    assert!(w.out.groups.is_empty());
    let read = w.start(INIT, __NR_read, &[0, DATA, 9]);
    assert_eq!((w.result(read), w.out.wake), (None, 200_000_000));
    w.out.now = 200_000_000;
    w.console();
    assert_eq!(w.result(read), Some(0));
}

#[test]
fn a_pseudo_terminal_goes_both_ways_and_leaves_nothing() {
    let mut w = World::new();
    let before = (w.fs.population(), w.out.objects());
    let (master, slave) = pty(&mut w);
    w.write(INIT, master, b"in\n").unwrap();
    assert_eq!(w.read(INIT, slave, 9), Ok(b"in\n".to_vec()));
    w.write(INIT, slave, b"out").unwrap();
    assert_eq!(w.read(INIT, master, 9), Ok(b"in\r\nout".to_vec()));
    w.close(INIT, slave).unwrap();
    assert_eq!(w.read(INIT, master, 9), Err(Errno::EIO));
    w.close(INIT, master).unwrap();
    assert_eq!((w.fs.population(), w.out.objects()), before);
    assert_eq!(w.list("/dev/pts", 999).len(), 2);
}

#[test]
fn a_terminal_hangs_up_when_its_master_is_closed() {
    let mut w = World::new();
    let (master, slave) = pty(&mut w);
    assert_eq!(ioctl(&mut w, slave, TIOCSCTTY), Ok(0));
    let read = w.start(INIT, __NR_read, &[slave as u64, DATA, 9]);
    w.close(INIT, master).unwrap();
    assert_eq!(w.result(read), Some(0));
    assert_eq!(w.out.groups, [(1, 1), (1, 18)]);
    assert_eq!(w.write(INIT, slave, b"x"), Err(Errno::EIO));
}

#[test]
fn there_is_a_limit_to_terminals() {
    let mut w = World::new();
    for _ in 2..fs::MAX_TTYS {
        w.open("/dev/ptmx", O_RDWR).unwrap();
    }
    assert_eq!(w.open("/dev/ptmx", O_RDWR), Err(Errno::ENOSPC));
}

#[test]
fn the_serial_port_passes_bytes_on_as_they_are() {
    let mut w = World::new();
    w.out.serial_in.extend(b"before");
    w.console();
    let fd = w.open("/dev/ttyS1", O_RDWR).unwrap();
    assert_eq!(w.read(INIT, fd, 9), Ok(b"before".to_vec()));
    let read = w.start(INIT, __NR_read, &[fd as u64, DATA, 100]);
    assert_eq!(w.result(read), None);
    w.out.serial_in.extend(b"\x03\x04\r\n\xff\x11");
    w.console();
    assert_eq!(w.result(read), Some(6));
    assert_eq!(w.get(INIT, DATA, 6), b"\x03\x04\r\n\xff\x11");
    w.out.serial_room = 100;
    w.write(INIT, fd, b"a\nb").unwrap();
    assert_eq!(w.out.serial_out, b"a\nb");
    assert!(w.out.stdout.is_empty());
}

#[test]
fn what_the_serial_port_does_not_take_waits_and_then_the_writer() {
    let mut w = World::new();
    let fd = w.open("/dev/ttyS1", O_RDWR).unwrap();
    w.out.serial_room = 10;
    assert_eq!(w.write(INIT, fd, &[1; 100]), Ok(100));
    assert_eq!(w.out.serial_out.len(), 10);
    for _ in 0..64 {
        w.write(INIT, fd, &[2; 1000]).unwrap();
    }
    let write = w.start(INIT, __NR_write, &[fd as u64, DATA, 2000]);
    assert_eq!(w.result(write), None);
    w.out.serial_room = 70_000;
    w.console();
    assert_eq!(w.result(write), Some(2000));
    assert_eq!(w.out.serial_out.len(), 100 + 64_000 + 2000);
}

#[test]
fn the_serial_port_is_no_terminal_of_a_session_unless_one_takes_it() {
    let mut w = World::new();
    assert_eq!(w.open("/dev/tty", O_RDWR).map(drop), Err(Errno::ENXIO));
    let fd = w.open("/dev/ttyS1", O_RDWR).unwrap();
    assert_eq!(ioctl(&mut w, fd, TCGETS), Ok(0));
    // Raw: no canonical input, no echo, no signals.
    assert_eq!(w.word(INIT, DATA + 12) as u32, 0);
    // The first pseudo-terminal is still number 0.
    let (master, _) = pty(&mut w);
    assert_eq!(ioctl(&mut w, master, TIOCGPTN), Ok(0));
    assert_eq!(w.word(INIT, DATA) as u32, 0);
}
