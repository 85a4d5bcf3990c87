//! Pipes.

use crate::world::*;
use abi::Errno;
use fs::PIPE_CAPACITY;

#[test]
fn bytes_come_out_in_order_across_the_rings_end() {
    let mut w = World::new();
    let (r, wr) = w.pipe(0);
    let mut sent = 0u32;
    let mut received = 0u32;
    for round in 0..200u32 {
        let bytes: Vec<u8> = (0..1000 + round)
            .map(|i| ((sent + i) % 253) as u8)
            .collect();
        assert_eq!(w.write(INIT, wr, &bytes), Ok(bytes.len() as i64));
        sent += bytes.len() as u32;
        if round > 20 {
            let bytes = w.read(INIT, r, 1100).unwrap();
            for byte in bytes {
                assert_eq!(byte, (received % 253) as u8);
                received += 1;
            }
        }
    }
}

#[test]
fn a_reader_waits_for_a_writer() {
    let mut w = World::new();
    let (r, wr) = w.pipe(0);
    w.fork();
    let read = w.start(CHILD, __NR_read, &[r as u64, DATA, 100]);
    assert_eq!(w.result(read), None);
    assert_eq!(w.write(INIT, wr, b"hello"), Ok(5));
    assert_eq!(w.result(read), Some(5));
    assert_eq!(w.get(CHILD, DATA, 5), b"hello");
}

#[test]
fn a_writer_waits_for_a_reader() {
    let mut w = World::new();
    let (r, wr) = w.pipe(0);
    w.fork();
    let write = w.start(CHILD, __NR_write, &[wr as u64, DATA, 100_000]);
    assert_eq!(w.result(write), None);
    assert_eq!(w.read(INIT, r, 60_000).unwrap().len(), 60_000);
    assert_eq!(w.result(write), Some(100_000));
    assert_eq!(w.read(INIT, r, 60_000).unwrap().len(), 40_000);
}

#[test]
fn waiting_readers_are_served_in_order() {
    let mut w = World::new();
    let (r, wr) = w.pipe(0);
    w.fork();
    let third = abi::TaskId::new(3, 1);
    assert_eq!(w.create(third, INIT, 3, false, false), 0);
    let first = w.start(CHILD, __NR_read, &[r as u64, DATA, 3]);
    let second = w.start(third, __NR_read, &[r as u64, DATA, 3]);
    assert_eq!(w.write(INIT, wr, b"abcdef"), Ok(6));
    assert_eq!((w.result(first), w.result(second)), (Some(3), Some(3)));
    assert_eq!(w.get(CHILD, DATA, 3), b"abc");
    assert_eq!(w.get(third, DATA, 3), b"def");
    assert!(w.out.order.ends_with(&[first, second]));
}

#[test]
fn no_writer_overtakes_another() {
    let mut w = World::new();
    let (r, wr) = w.pipe(0);
    w.fork();
    let third = abi::TaskId::new(3, 1);
    assert_eq!(w.create(third, INIT, 3, false, false), 0);
    w.write(INIT, wr, &vec![0; PIPE_CAPACITY as usize - 10])
        .unwrap();
    let first = w.start(CHILD, __NR_write, &[wr as u64, DATA, 100]);
    let second = w.start(third, __NR_write, &[wr as u64, DATA, 5]);
    assert_eq!((w.result(first), w.result(second)), (None, None));
    w.read(INIT, r, 50).unwrap();
    assert_eq!((w.result(first), w.result(second)), (None, None));
    w.read(INIT, r, 50).unwrap();
    assert_eq!((w.result(first), w.result(second)), (Some(100), Some(5)));
}

#[test]
fn short_writes_are_whole() {
    let mut w = World::new();
    let (r, wr) = w.pipe(O_NONBLOCK);
    assert_eq!(w.write(INIT, wr, &[1; 65000]), Ok(65000));
    assert_eq!(w.write(INIT, wr, &[2; 4096]), Err(Errno::EAGAIN));
    assert_eq!(w.write(INIT, wr, &[3; 4097]), Ok(536));
    assert_eq!(w.write(INIT, wr, &[4; 1]), Err(Errno::EAGAIN));
    assert_eq!(w.read(INIT, r, 70000).unwrap().len(), 65536);
    assert_eq!(w.read(INIT, r, 1), Err(Errno::EAGAIN));
    assert_eq!(w.write(INIT, wr, b""), Ok(0));
    assert_eq!(w.read(INIT, r, 0), Ok(vec![]));
}

#[test]
fn the_last_writer_ends_the_input() {
    let mut w = World::new();
    let (r, wr) = w.pipe(0);
    w.fork();
    w.write(INIT, wr, b"x").unwrap();
    w.close(INIT, wr).unwrap();
    assert_eq!(w.read(INIT, r, 5), Ok(b"x".to_vec()));
    let read = w.start(INIT, __NR_read, &[r as u64, DATA, 5]);
    assert_eq!(w.result(read), None);
    w.exit(CHILD);
    assert_eq!(w.result(read), Some(0));
}

#[test]
fn a_write_without_reader_is_sigpipe() {
    let mut w = World::new();
    let (r, wr) = w.pipe(0);
    w.fork();
    let write = w.start(CHILD, __NR_write, &[wr as u64, DATA, 70_000]);
    w.close(INIT, r).unwrap();
    assert_eq!(w.result(write), None);
    w.close(INIT, wr).unwrap();
    // The writer's own descriptor was the last reader.
    w.exit(CHILD);
    let (r, wr) = w.pipe(0);
    w.close(INIT, r).unwrap();
    assert_eq!(w.write(INIT, wr, b"x"), Err(Errno::EPIPE));
    assert_eq!(w.out.signals, [(INIT, SIGPIPE as u8)]);
}

#[test]
fn a_waiting_writer_loses_its_reader() {
    let mut w = World::new();
    let (r, wr) = w.pipe(0);
    w.fork();
    w.close(CHILD, r).unwrap();
    let write = w.start(CHILD, __NR_write, &[wr as u64, DATA, 70_000]);
    w.close(INIT, r).unwrap();
    assert_eq!(w.result(write), Some(65536));
    assert_eq!(w.out.signals, [(CHILD, SIGPIPE as u8)]);
}

#[test]
fn an_interrupt_ends_a_wait_with_what_is_done() {
    let mut w = World::new();
    let (r, wr) = w.pipe(0);
    let read = w.start(INIT, __NR_read, &[r as u64, DATA, 5]);
    w.interrupt(INIT, read + 1);
    assert_eq!(w.result(read), None);
    w.interrupt(INIT, read);
    assert_eq!(w.result(read), Some(Errno::ERESTARTSYS.as_result()));
    w.interrupt(INIT, read);
    let write = w.start(INIT, __NR_write, &[wr as u64, DATA, 70_000]);
    w.interrupt(INIT, write);
    assert_eq!(w.result(write), Some(65536));
    assert_eq!(w.fs.waiting(), 0);
}

#[test]
fn a_dead_writer_is_not_in_the_way() {
    let mut w = World::new();
    let (r, wr) = w.pipe(0);
    w.fork();
    let third = abi::TaskId::new(3, 1);
    assert_eq!(w.create(third, INIT, 3, false, false), 0);
    w.write(INIT, wr, &vec![0; PIPE_CAPACITY as usize - 10])
        .unwrap();
    w.start(CHILD, __NR_write, &[wr as u64, DATA, 100]);
    let second = w.start(third, __NR_write, &[wr as u64, DATA, 5]);
    w.exit(CHILD);
    assert_eq!(w.result(second), Some(5));
    assert_eq!(
        w.read(INIT, r, 100_000).unwrap().len(),
        PIPE_CAPACITY as usize - 5
    );
}

#[test]
fn a_parked_call_keeps_its_file_open() {
    let mut w = World::new();
    let (r, wr) = w.pipe(0);
    assert_eq!(w.create(CHILD, INIT, 2, true, true), 0);
    let read = w.start(CHILD, __NR_read, &[r as u64, DATA, 5]);
    w.close(INIT, r).unwrap();
    assert_eq!(w.write(INIT, wr, b"late"), Ok(4));
    assert_eq!(w.result(read), Some(4));
    assert_eq!(w.write(INIT, wr, b"x"), Err(Errno::EPIPE));
}

#[test]
fn bad_memory_takes_nothing_out() {
    let mut w = World::new();
    let (r, wr) = w.pipe(0);
    w.write(INIT, wr, b"hello").unwrap();
    assert_eq!(
        w.sys(INIT, __NR_read, &[r as u64, NOWHERE, 5]),
        Err(Errno::EFAULT)
    );
    assert_eq!(
        w.sys(INIT, __NR_write, &[wr as u64, NOWHERE, 5]),
        Err(Errno::EFAULT)
    );
    assert_eq!(w.sys(INIT, __NR_write, &[wr as u64, END - 3, 5]), Ok(3));
    assert_eq!(w.read(INIT, r, 100).unwrap().len(), 8);
    let before = w.fs.population();
    assert_eq!(w.sys(INIT, __NR_pipe, &[NOWHERE]), Err(Errno::EFAULT));
    assert_eq!(w.sys(INIT, __NR_pipe2, &[DATA, 1]), Err(Errno::EINVAL));
    assert_eq!(w.fs.population(), before);
}

#[test]
fn sendfile_waits_for_room_and_gives_what_fits() {
    let mut w = World::new();
    let (r, wr) = w.pipe(0);
    w.fork();
    w.write(INIT, wr, &vec![0; PIPE_CAPACITY as usize - 100])
        .unwrap();
    let input = w.open_as(CHILD, "/bin/data", O_RDONLY).unwrap() as u64;
    let send = [wr as u64, input, 0, 5000];
    assert_eq!(w.sys(CHILD, __NR_sendfile, &send), Ok(100));
    let copy = w.start(CHILD, __NR_sendfile, &send);
    assert_eq!(w.result(copy), None);
    w.read(INIT, r, 60_000).unwrap();
    assert_eq!(w.result(copy), Some(4900), "up to the end");
}

#[test]
fn pipes_are_told_apart() {
    let mut w = World::new();
    let (r, wr) = w.pipe(O_CLOEXEC | O_NONBLOCK);
    let (r, wr) = (r as u64, wr as u64);
    assert_eq!(w.sys(INIT, __NR_fcntl, &[r, F_GETFD.into()]), Ok(1));
    assert_eq!(
        w.sys(INIT, __NR_fcntl, &[r, F_GETFL.into()]),
        Ok(O_NONBLOCK.into())
    );
    assert_eq!(
        w.sys(INIT, __NR_fcntl, &[wr, F_GETPIPE_SZ.into()]),
        Ok(65536)
    );
    assert_eq!(w.sys(INIT, __NR_lseek, &[r, 0, 0]), Err(Errno::ESPIPE));
    assert_eq!(w.sys(INIT, __NR_fstat, &[r, DATA]), Ok(0));
    assert_eq!(w.word(INIT, DATA + 24) as u32, S_IFIFO | 0o600);
    w.write(INIT, wr as i64, b"abc").unwrap();
    assert_eq!(w.sys(INIT, __NR_ioctl, &[r, 0x541b, DATA]), Ok(0));
    assert_eq!(w.word(INIT, DATA) as u32, 3);
    assert_eq!(w.write(INIT, r as i64, b"abc"), Err(Errno::EBADF));
}
