//! Descriptors and what they share.

use crate::world::*;
use abi::Errno;

#[test]
fn duplicates_share_the_offset() {
    let mut w = World::new();
    let fd = w.open("/bin/data", O_RDONLY).unwrap();
    let copy = w.sys(INIT, __NR_dup, &[fd as u64]).unwrap();
    assert_eq!(copy, fd + 1);
    assert_eq!(w.read(INIT, fd, 2), Ok(vec![0, 1]));
    assert_eq!(w.read(INIT, copy, 2), Ok(vec![2, 3]));
    w.close(INIT, fd).unwrap();
    assert_eq!(w.read(INIT, fd, 2), Err(Errno::EBADF));
    assert_eq!(w.read(INIT, copy, 2), Ok(vec![4, 5]));
    assert_eq!(w.close(INIT, fd), Err(Errno::EBADF));
}

#[test]
fn dup2_replaces_and_dup3_refuses_itself() {
    let mut w = World::new();
    let fd = w.open("/bin/data", O_RDONLY).unwrap() as u64;
    assert_eq!(w.sys(INIT, __NR_dup2, &[fd, 0]), Ok(0));
    assert_eq!(w.read(INIT, 0, 1), Ok(vec![0]));
    assert_eq!(w.sys(INIT, __NR_dup2, &[fd, fd]), Ok(fd as i64));
    assert_eq!(w.sys(INIT, __NR_dup2, &[9, 9]), Err(Errno::EBADF));
    assert_eq!(w.sys(INIT, __NR_dup2, &[fd, 1024]), Err(Errno::EBADF));
    assert_eq!(w.sys(INIT, __NR_dup2, &[fd, u64::MAX]), Err(Errno::EBADF));
    assert_eq!(w.sys(INIT, __NR_dup2, &[fd, 1023]), Ok(1023));
    assert_eq!(w.sys(INIT, __NR_dup3, &[fd, fd, 0]), Err(Errno::EINVAL));
    assert_eq!(w.sys(INIT, __NR_dup3, &[fd, 5, 1]), Err(Errno::EINVAL));
    assert_eq!(w.sys(INIT, __NR_dup3, &[fd, 5, O_CLOEXEC.into()]), Ok(5));
    assert_eq!(w.sys(INIT, __NR_fcntl, &[5, F_GETFD.into()]), Ok(1));
}

#[test]
fn fcntl_tells_and_changes_flags() {
    let mut w = World::new();
    let fd = w
        .open("/tmp/a", O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC)
        .unwrap() as u64;
    let mut fcntl = |command: u32, arg: u64| w.sys(INIT, __NR_fcntl, &[fd, command.into(), arg]);
    assert_eq!(
        fcntl(F_GETFL, 0),
        Ok((O_RDWR | O_APPEND | O_LARGEFILE).into())
    );
    assert_eq!(fcntl(F_SETFL, (O_NONBLOCK | O_WRONLY).into()), Ok(0));
    assert_eq!(
        fcntl(F_GETFL, 0),
        Ok((O_RDWR | O_NONBLOCK | O_LARGEFILE).into())
    );
    assert_eq!(fcntl(F_GETFD, 0), Ok(1));
    assert_eq!(fcntl(F_SETFD, 0), Ok(0));
    assert_eq!(fcntl(F_GETFD, 0), Ok(0));
    assert_eq!(fcntl(F_DUPFD, 10), Ok(10));
    assert_eq!(fcntl(F_DUPFD_CLOEXEC, 10), Ok(11));
    assert_eq!(fcntl(F_DUPFD, 1024), Err(Errno::EINVAL));
    assert_eq!(fcntl(F_GETPIPE_SZ, 0), Err(Errno::EBADF));
    assert_eq!(fcntl(F_SETLK, DATA), Ok(0));
    assert_eq!(fcntl(F_GETLK, DATA), Ok(0));
    assert_eq!(fcntl(F_SETLK, NOWHERE), Err(Errno::EFAULT));
    assert_eq!(fcntl(9999, 0), Err(Errno::EINVAL));
    assert_eq!(w.get(INIT, DATA, 2), [2, 0]);
    assert_eq!(
        w.sys(INIT, __NR_fcntl, &[77, F_GETFD.into()]),
        Err(Errno::EBADF)
    );
}

#[test]
fn ranges_are_closed() {
    let mut w = World::new();
    for _ in 3..8 {
        w.open("/dev/null", O_RDONLY).unwrap();
    }
    assert_eq!(
        w.sys(INIT, __NR_close_range, &[5, 4, 0]),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        w.sys(INIT, __NR_close_range, &[3, 4, 8]),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        w.sys(INIT, __NR_close_range, &[6, u32::MAX.into(), 4]),
        Ok(0)
    );
    assert_eq!(w.sys(INIT, __NR_fcntl, &[7, F_GETFD.into()]), Ok(1));
    assert_eq!(
        w.sys(INIT, __NR_close_range, &[4, u32::MAX.into(), 0]),
        Ok(0)
    );
    assert_eq!(w.sys(INIT, __NR_fcntl, &[3, F_GETFD.into()]), Ok(0));
    assert_eq!(
        w.sys(INIT, __NR_fcntl, &[4, F_GETFD.into()]),
        Err(Errno::EBADF)
    );
}

#[test]
fn ioctl_knows_a_few() {
    let mut w = World::new();
    let fd = w.open("/bin/data", O_RDONLY).unwrap() as u64;
    assert_eq!(w.sys(INIT, __NR_ioctl, &[fd, 0x541b, DATA]), Ok(0));
    assert_eq!(w.word(INIT, DATA) as u32, 5000);
    assert_eq!(w.sys(INIT, __NR_ioctl, &[fd, 0x5451]), Ok(0));
    assert_eq!(w.sys(INIT, __NR_fcntl, &[fd, F_GETFD.into()]), Ok(1));
    assert_eq!(
        w.sys(INIT, __NR_ioctl, &[fd, 0x5401, DATA]),
        Err(Errno::ENOTTY)
    );
    assert_eq!(
        w.sys(INIT, __NR_ioctl, &[99, 0x5401, DATA]),
        Err(Errno::EBADF)
    );
}
