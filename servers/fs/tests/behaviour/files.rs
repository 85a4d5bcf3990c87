//! Opening, reading and writing files.

use crate::world::*;
use abi::Errno;

#[test]
fn a_file_of_the_archive_is_read() {
    let mut w = World::new();
    let fd = w.open("/bin/data", O_RDONLY).unwrap();
    assert_eq!(fd, 3);
    let bytes = w.read(INIT, fd, 10000).unwrap();
    assert_eq!(bytes.len(), 5000);
    assert!(bytes.iter().enumerate().all(|(i, &b)| b == (i % 251) as u8));
    assert_eq!(w.read(INIT, fd, 10), Ok(vec![]));
    assert_eq!(w.contents("/usr/lib/lib.so"), Ok(b"!".to_vec()));
}

#[test]
fn the_archive_is_read_only() {
    let mut w = World::new();
    assert_eq!(w.open("/bin/data", O_WRONLY), Err(Errno::EROFS));
    assert_eq!(w.open("/bin/data", O_RDONLY | O_TRUNC), Err(Errno::EROFS));
    assert_eq!(w.open("/bin/new", O_CREAT | O_WRONLY), Err(Errno::EROFS));
    assert_eq!(
        w.with_path(__NR_mkdir, "/bin/new", &[0o777]),
        Err(Errno::EROFS)
    );
    assert_eq!(
        w.with_path(__NR_mkdir, "/bin", &[0o777]),
        Err(Errno::EEXIST)
    );
    assert_eq!(
        w.with_path(__NR_unlink, "/bin/none", &[]),
        Err(Errno::EROFS)
    );
    assert_eq!(
        w.with_path(__NR_chmod, "/bin/data", &[0]),
        Err(Errno::EROFS)
    );
    assert_eq!(
        w.with_path(__NR_truncate, "/bin/data", &[0]),
        Err(Errno::EROFS)
    );
    assert_eq!(
        w.with_path(__NR_access, "/bin/data", &[W_OK.into()]),
        Err(Errno::EROFS)
    );
    assert_eq!(w.contents("/bin/data").unwrap().len(), 5000);
}

#[test]
fn what_is_written_to_tmp_is_read_back() {
    let mut w = World::new();
    w.file("/tmp/a", b"hello");
    assert_eq!(w.contents("/tmp/a"), Ok(b"hello".to_vec()));
    let fd = w.open("/tmp/a", O_RDWR).unwrap();
    assert_eq!(w.sys(INIT, __NR_lseek, &[fd as u64, 8, 0]), Ok(8));
    assert_eq!(w.write(INIT, fd, b"far"), Ok(3));
    assert_eq!(w.contents("/tmp/a"), Ok(b"hello\0\0\0far".to_vec()));
    assert_eq!(w.stat(__NR_stat, "/tmp/a"), Ok((S_IFREG | 0o644, 11)));
}

#[test]
fn appending_writes_at_the_end_wherever_the_offset_is() {
    let mut w = World::new();
    w.file("/tmp/a", b"one");
    let fd = w.open("/tmp/a", O_RDWR | O_APPEND).unwrap();
    assert_eq!(w.read(INIT, fd, 1), Ok(b"o".to_vec()));
    assert_eq!(w.write(INIT, fd, b"two"), Ok(3));
    w.put(INIT, DATA, b"333");
    assert_eq!(w.sys(INIT, __NR_pwrite64, &[fd as u64, DATA, 3, 0]), Ok(3));
    assert_eq!(w.contents("/tmp/a"), Ok(b"onetwo333".to_vec()));
}

#[test]
fn positions_do_not_move_the_offset() {
    let mut w = World::new();
    w.file("/tmp/a", b"0123456789");
    let fd = w.open("/tmp/a", O_RDWR).unwrap() as u64;
    assert_eq!(w.sys(INIT, __NR_pread64, &[fd, DATA, 3, 7]), Ok(3));
    assert_eq!(w.get(INIT, DATA, 3), b"789");
    assert_eq!(w.sys(INIT, __NR_lseek, &[fd, 0, 1]), Ok(0));
    assert_eq!(
        w.sys(INIT, __NR_pread64, &[fd, DATA, 3, u64::MAX]),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        w.sys(INIT, __NR_pread64, &[0, DATA, 3, 0]),
        Err(Errno::ESPIPE)
    );
}

#[test]
fn vectors_are_read_and_written_piece_by_piece() {
    let mut w = World::new();
    let fd = w.open("/tmp/a", O_CREAT | O_RDWR).unwrap() as u64;
    w.put(INIT, DATA + 0x100, b"abcdef");
    let piece = |addr: u64, len: u64| [addr.to_le_bytes(), len.to_le_bytes()].concat();
    let pieces = [
        piece(DATA + 0x100, 2),
        piece(DATA + 0x100, 0),
        piece(DATA + 0x103, 3),
    ]
    .concat();
    w.put(INIT, DATA, &pieces);
    assert_eq!(w.sys(INIT, __NR_writev, &[fd, DATA, 3]), Ok(5));
    assert_eq!(w.contents("/tmp/a"), Ok(b"abdef".to_vec()));
    w.put(INIT, DATA, &pieces);
    assert_eq!(w.sys(INIT, __NR_preadv, &[fd, DATA, 3, 1]), Ok(4));
    assert_eq!(w.get(INIT, DATA + 0x100, 5), b"bdcef");
    assert_eq!(
        w.sys(INIT, __NR_readv, &[fd, DATA, 1025]),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        w.sys(INIT, __NR_readv, &[fd, DATA, u64::MAX]),
        Err(Errno::EINVAL)
    );
    w.put(INIT, DATA, &piece(DATA, u64::MAX));
    assert_eq!(w.sys(INIT, __NR_readv, &[fd, DATA, 1]), Err(Errno::EINVAL));
    assert_eq!(
        w.sys(INIT, __NR_readv, &[fd, NOWHERE, 1]),
        Err(Errno::EFAULT)
    );
}

#[test]
fn memory_that_ends_makes_a_call_short_and_none_at_all_is_efault() {
    let mut w = World::new();
    let fd = w.open("/bin/data", O_RDONLY).unwrap() as u64;
    assert_eq!(w.sys(INIT, __NR_read, &[fd, END - 10, 100]), Ok(10));
    assert_eq!(w.sys(INIT, __NR_lseek, &[fd, 0, 1]), Ok(10));
    assert_eq!(
        w.sys(INIT, __NR_read, &[fd, NOWHERE, 100]),
        Err(Errno::EFAULT)
    );
    assert_eq!(
        w.sys(INIT, __NR_read, &[fd, u64::MAX - 5, 100]),
        Err(Errno::EFAULT)
    );
    assert_eq!(w.sys(INIT, __NR_read, &[fd, 0, 0]), Ok(0));
}

#[test]
fn access_modes_are_kept() {
    let mut w = World::new();
    w.file("/tmp/a", b"x");
    let fd = w.open("/tmp/a", O_WRONLY).unwrap();
    assert_eq!(w.read(INIT, fd, 1), Err(Errno::EBADF));
    let fd = w.open("/tmp/a", O_RDONLY).unwrap();
    assert_eq!(w.write(INIT, fd, b"x"), Err(Errno::EBADF));
    let fd = w.open("/tmp/a", O_PATH).unwrap();
    assert_eq!(w.read(INIT, fd, 1), Err(Errno::EBADF));
    assert_eq!(w.sys(INIT, __NR_fstat, &[fd as u64, DATA]), Ok(0));
    assert_eq!(w.read(INIT, 99, 1), Err(Errno::EBADF));
    assert_eq!(w.read(INIT, -1, 1), Err(Errno::EBADF));
}

#[test]
fn open_says_what_linux_says() {
    let mut w = World::new();
    w.file("/tmp/a", b"x");
    let none = O_RDONLY;
    assert_eq!(w.open("", none), Err(Errno::ENOENT));
    assert_eq!(w.open("/none", none), Err(Errno::ENOENT));
    assert_eq!(w.open("/none/x", none), Err(Errno::ENOENT));
    assert_eq!(w.open("/tmp/a/", none), Err(Errno::ENOTDIR));
    assert_eq!(w.open("/tmp/a/x", none), Err(Errno::ENOTDIR));
    assert_eq!(w.open("/tmp/a/..", none), Err(Errno::ENOTDIR));
    assert_eq!(w.open("/tmp/a", O_DIRECTORY), Err(Errno::ENOTDIR));
    assert_eq!(w.open("/tmp", O_WRONLY), Err(Errno::EISDIR));
    assert_eq!(w.open("/tmp", O_CREAT), Err(Errno::EISDIR));
    assert_eq!(w.open("/tmp/b/", O_CREAT), Err(Errno::EISDIR));
    assert_eq!(w.open("/tmp/a", O_CREAT | O_EXCL), Err(Errno::EEXIST));
    assert_eq!(w.open("/tmp", O_CREAT | O_EXCL), Err(Errno::EEXIST));
    assert_eq!(w.open("/tmp", O_CREAT | O_DIRECTORY), Err(Errno::EINVAL));
    assert_eq!(w.open("/tmp", O_TMPFILE), Err(Errno::EINVAL));
    assert!(w.open("/tmp", O_TMPFILE | O_RDWR).is_ok());
    assert_eq!(w.open("/etc/loop", none), Err(Errno::ELOOP));
    assert_eq!(w.open("/bin/link", O_NOFOLLOW), Err(Errno::ELOOP));
    assert_eq!(
        w.open("/bin/link", O_NOFOLLOW | O_DIRECTORY),
        Err(Errno::ENOTDIR)
    );
    assert!(w.open("/bin/link", O_NOFOLLOW | O_PATH).is_ok());
    assert!(w.open("/etc/abs/", O_NOFOLLOW | O_DIRECTORY).is_ok());
    assert_eq!(
        w.open(&format!("/{}", "x".repeat(256)), none),
        Err(Errno::ENAMETOOLONG)
    );
    assert_eq!(
        w.open(&format!("/{}", "x".repeat(255)), none),
        Err(Errno::ENOENT)
    );
    assert_eq!(w.sys(INIT, __NR_open, &[NOWHERE]), Err(Errno::EFAULT));
    assert_eq!(w.sys(INIT, __NR_open, &[0]), Err(Errno::EFAULT));
}

#[test]
fn descriptors_are_starting_points() {
    let mut w = World::new();
    let dir = w.open("/bin", O_PATH | O_DIRECTORY).unwrap() as u64;
    let file = w.open("/bin/data", O_RDONLY).unwrap() as u64;
    let path = w.string(INIT, PATH, "tool");
    assert!(w.sys(INIT, __NR_openat, &[dir, path, 0]).is_ok());
    assert_eq!(
        w.sys(INIT, __NR_openat, &[file, path, 0]),
        Err(Errno::ENOTDIR)
    );
    assert_eq!(w.sys(INIT, __NR_openat, &[99, path, 0]), Err(Errno::EBADF));
    let path = w.string(INIT, PATH, "/bin/tool");
    assert!(w.sys(INIT, __NR_openat, &[99, path, 0]).is_ok());
}

#[test]
fn symbolic_links_are_followed_forty_times() {
    let mut w = World::new();
    w.file("/tmp/l0", b"end");
    for i in 1..=41 {
        w.with_paths(__NR_symlink, &format!("l{}", i - 1), &format!("/tmp/l{i}"))
            .unwrap();
    }
    assert_eq!(w.contents("/tmp/l40"), Ok(b"end".to_vec()));
    assert_eq!(w.contents("/tmp/l41"), Err(Errno::ELOOP));
}

#[test]
fn a_dangling_link_is_created_through() {
    let mut w = World::new();
    w.with_paths(__NR_symlink, "target", "/tmp/link").unwrap();
    assert_eq!(
        w.open("/tmp/link", O_CREAT | O_EXCL | O_RDWR),
        Err(Errno::EEXIST)
    );
    w.file("/tmp/link", b"x");
    assert_eq!(w.contents("/tmp/target"), Ok(b"x".to_vec()));
}

#[test]
fn devices_do_what_their_names_say() {
    let mut w = World::new();
    let null = w.open("/dev/null", O_RDWR).unwrap();
    assert_eq!(w.write(INIT, null, b"gone"), Ok(4));
    assert_eq!(w.read(INIT, null, 4), Ok(vec![]));
    let zero = w.open("/dev/zero", O_RDWR).unwrap();
    w.put(INIT, DATA, &[7; 5000]);
    assert_eq!(w.read(INIT, zero, 5000), Ok(vec![0; 5000]));
    let full = w.open("/dev/full", O_RDWR).unwrap();
    assert_eq!(w.write(INIT, full, b"x"), Err(Errno::ENOSPC));
    let random = w.open("/dev/urandom", O_RDONLY).unwrap();
    let first = w.read(INIT, random, 2000).unwrap();
    assert_eq!(first.len(), 2000);
    assert_ne!(first, w.read(INIT, random, 2000).unwrap());
    w.with_path(__NR_stat, "/dev/null", &[DATA]).unwrap();
    assert_eq!(w.word(INIT, DATA + 24) as u32, S_IFCHR | 0o666);
    assert_eq!(w.word(INIT, DATA + 40), 0x103);
    assert_eq!(w.open("/dev/new", O_CREAT), Err(Errno::EROFS));
    assert!(w.open("/dev/shm/new", O_CREAT).is_ok());
}

#[test]
fn an_unlinked_file_lives_until_it_is_closed() {
    let mut w = World::new();
    let objects = w.out.objects();
    w.file("/tmp/a", b"still here");
    let fd = w.open("/tmp/a", O_RDWR).unwrap();
    w.with_path(__NR_unlink, "/tmp/a", &[]).unwrap();
    assert_eq!(w.open("/tmp/a", O_RDONLY), Err(Errno::ENOENT));
    assert_eq!(w.read(INIT, fd, 100), Ok(b"still here".to_vec()));
    assert_eq!(w.out.objects(), objects + 1);
    w.close(INIT, fd).unwrap();
    assert_eq!(w.out.objects(), objects);
}

#[test]
fn truncation_cuts_and_extends() {
    let mut w = World::new();
    w.file("/tmp/a", b"0123456789");
    w.with_path(__NR_truncate, "/tmp/a", &[4]).unwrap();
    assert_eq!(w.contents("/tmp/a"), Ok(b"0123".to_vec()));
    let fd = w.open("/tmp/a", O_RDWR).unwrap() as u64;
    assert_eq!(w.sys(INIT, __NR_ftruncate, &[fd, 6]), Ok(0));
    assert_eq!(w.contents("/tmp/a"), Ok(b"0123\0\0".to_vec()));
    // What is mapped behind the object's own end is SIGBUS, so it must grow too.
    assert_eq!(w.out.last_object(), 6);
    assert_eq!(
        w.sys(INIT, __NR_ftruncate, &[fd, u64::MAX]),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        w.sys(INIT, __NR_ftruncate, &[fd, 1 << 40]),
        Err(Errno::EFBIG)
    );
    let fd = w.open("/tmp/a", O_RDONLY).unwrap() as u64;
    assert_eq!(w.sys(INIT, __NR_ftruncate, &[fd, 0]), Err(Errno::EINVAL));
    assert_eq!(w.with_path(__NR_truncate, "/tmp", &[0]), Err(Errno::EISDIR));
    w.open("/tmp/a", O_RDONLY | O_TRUNC).unwrap();
    assert_eq!(w.contents("/tmp/a"), Ok(vec![]));
}

#[test]
fn seeking_is_bounded_and_typed() {
    let mut w = World::new();
    w.file("/tmp/a", b"0123456789");
    let fd = w.open("/tmp/a", O_RDWR).unwrap() as u64;
    let mut seek =
        |offset: i64, whence: u32| w.sys(INIT, __NR_lseek, &[fd, offset as u64, whence.into()]);
    assert_eq!(seek(-3, SEEK_END), Ok(7));
    assert_eq!(seek(-8, SEEK_CUR), Err(Errno::EINVAL));
    assert_eq!(seek(i64::MAX, SEEK_CUR), Err(Errno::EINVAL));
    assert_eq!(seek(i64::MAX, SEEK_SET), Ok(i64::MAX));
    assert_eq!(seek(3, SEEK_DATA), Ok(3));
    assert_eq!(seek(3, SEEK_HOLE), Ok(10));
    assert_eq!(seek(10, SEEK_DATA), Err(Errno::ENXIO));
    assert_eq!(seek(0, 9), Err(Errno::EINVAL));
    assert_eq!(seek(i64::MAX, SEEK_SET), Ok(i64::MAX));
    assert_eq!(w.write(INIT, fd as i64, b"x"), Err(Errno::EINVAL));
    assert_eq!(w.read(INIT, fd as i64, 1), Err(Errno::EINVAL));
    w.sys(INIT, __NR_lseek, &[fd, fs::MAX_FILE_SIZE, 0])
        .unwrap();
    assert_eq!(w.write(INIT, fd as i64, b"x"), Err(Errno::EFBIG));
    assert_eq!(w.read(INIT, fd as i64, 1), Ok(vec![]));
    assert_eq!(w.sys(INIT, __NR_lseek, &[1, 0, 0]), Err(Errno::ESPIPE));
}

#[test]
fn sendfile_copies_from_a_file() {
    let mut w = World::new();
    let input = w.open("/bin/data", O_RDONLY).unwrap() as u64;
    let output = w.open("/tmp/a", O_CREAT | O_RDWR).unwrap() as u64;
    assert_eq!(
        w.sys(INIT, __NR_sendfile, &[output, input, 0, 100000]),
        Ok(5000)
    );
    assert_eq!(w.contents("/tmp/a"), w.contents("/bin/data"));
    w.put(INIT, DATA, &4990u64.to_le_bytes());
    assert_eq!(w.sys(INIT, __NR_sendfile, &[1, input, DATA, 100]), Ok(10));
    assert_eq!(w.word(INIT, DATA), 5000);
    assert_eq!(w.out.stdout.len(), 10);
    assert_eq!(
        w.sys(INIT, __NR_sendfile, &[1, 0, 0, 100]),
        Err(Errno::EINVAL)
    );
}

#[test]
fn unknown_calls_are_enosys() {
    let mut w = World::new();
    assert_eq!(w.sys(INIT, 9999, &[]), Err(Errno::ENOSYS));
    assert_eq!(w.sys(INIT, __NR_mount, &[]), Err(Errno::EFAULT));
    assert_eq!(w.sys(INIT, __NR_sync, &[]), Ok(0));
    assert_eq!(w.sys(INIT, __NR_fsync, &[0]), Err(Errno::EINVAL));
    w.file("/tmp/a", b"");
    let fd = w.open("/tmp/a", O_RDONLY).unwrap() as u64;
    assert_eq!(w.sys(INIT, __NR_fsync, &[fd]), Ok(0));
}
