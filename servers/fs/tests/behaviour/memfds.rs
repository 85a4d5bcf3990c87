//! memfd_create and seals.

use crate::world::*;
use abi::Errno;
use abi::fs::{Event, Outcome};

fn memfd(w: &mut World, flags: u32) -> u64 {
    let fd = w.with_path(__NR_memfd_create, "name", &[flags.into()]);
    fd.unwrap() as u64
}

fn seal(w: &mut World, fd: u64, seals: u32) -> Result<i64, Errno> {
    w.sys(INIT, __NR_fcntl, &[fd, F_ADD_SEALS.into(), seals.into()])
}

#[test]
fn a_memfd_is_a_file_without_a_name() {
    let mut w = World::new();
    let before = (w.fs.population(), w.out.objects());
    let fd = memfd(&mut w, MFD_CLOEXEC);
    assert_eq!(w.sys(INIT, __NR_fcntl, &[fd, F_GETFD.into()]), Ok(1));
    w.put(INIT, DATA, b"hello");
    assert_eq!(w.sys(INIT, __NR_write, &[fd, DATA, 5]), Ok(5));
    let link = format!("/proc/self/fd/{fd}");
    let len = w.with_path(__NR_readlink, &link, &[DATA, 99]).unwrap();
    assert_eq!(w.get(INIT, DATA, len as usize), b"/memfd:name (deleted)");
    assert_eq!(w.contents(&link), Ok(b"hello".into()));
    assert_eq!(w.stat(__NR_stat, &link).unwrap().0, S_IFREG | 0o777);
    w.close(INIT, fd as i64).unwrap();
    assert_eq!((w.fs.population(), w.out.objects()), before);
}

#[test]
fn seals_forbid_and_stay() {
    let mut w = World::new();
    let fd = memfd(&mut w, MFD_ALLOW_SEALING);
    w.sys(INIT, __NR_write, &[fd, DATA, 5]).unwrap();
    assert_eq!(seal(&mut w, fd, F_SEAL_GROW), Ok(0));
    let eperm = Err(Errno::EPERM);
    assert_eq!(w.sys(INIT, __NR_ftruncate, &[fd, 6]), eperm);
    assert_eq!(w.sys(INIT, __NR_pwrite64, &[fd, DATA, 4, 3]), eperm);
    assert_eq!(w.sys(INIT, __NR_pwrite64, &[fd, DATA, 2, 3]), Ok(2));
    assert_eq!(w.sys(INIT, __NR_ftruncate, &[fd, 4]), Ok(0));
    assert_eq!(seal(&mut w, fd, F_SEAL_SHRINK), Ok(0));
    assert_eq!(w.sys(INIT, __NR_ftruncate, &[fd, 3]), eperm);
    w.out.writers = 1;
    assert_eq!(seal(&mut w, fd, F_SEAL_WRITE), Err(Errno::EBUSY));
    assert_eq!(seal(&mut w, fd, F_SEAL_FUTURE_WRITE), Ok(0));
    assert_eq!(w.sys(INIT, __NR_pwrite64, &[fd, DATA, 1, 0]), eperm);
    let mut map = |write| {
        let (fd, shared) = (fd as i32, true);
        w.outcome(INIT, Event::Map { fd, shared, write })
    };
    assert_eq!(map(true), Outcome::Result(Errno::EPERM.as_result()));
    let read_only = matches!(map(false), Outcome::File { may_write, .. } if !may_write);
    assert!(read_only, "and stays so");
    w.out.writers = 0;
    assert_eq!(seal(&mut w, fd, F_SEAL_WRITE | F_SEAL_SEAL), Ok(0));
    assert_eq!(seal(&mut w, fd, F_SEAL_EXEC), eperm);
    let seals = w.sys(INIT, __NR_fcntl, &[fd, F_GET_SEALS.into()]);
    assert_eq!(seals, Ok(31));
}

#[test]
fn who_cannot_write_cannot_seal() {
    let mut w = World::new();
    let fd = memfd(&mut w, MFD_ALLOW_SEALING);
    let reader = w.open(&format!("/proc/self/fd/{fd}"), O_RDONLY).unwrap() as u64;
    assert_eq!(seal(&mut w, reader, F_SEAL_GROW), Err(Errno::EPERM));
    assert_eq!(seal(&mut w, fd, 1 << 9), Err(Errno::EINVAL));
    let plain = memfd(&mut w, 0);
    assert_eq!(seal(&mut w, plain, F_SEAL_GROW), Err(Errno::EPERM));
    w.file("/tmp/a", b"");
    let named = w.open("/tmp/a", O_RDWR).unwrap() as u64;
    assert_eq!(seal(&mut w, named, F_SEAL_GROW), Err(Errno::EPERM));
    assert_eq!(seal(&mut w, 0, F_SEAL_GROW), Err(Errno::EINVAL));
}

#[test]
fn one_that_is_no_program_stays_none() {
    let mut w = World::new();
    let fd = memfd(&mut w, MFD_NOEXEC_SEAL);
    assert_eq!(w.sys(INIT, __NR_fchmod, &[fd, 0o777]), Err(Errno::EPERM));
    assert_eq!(w.sys(INIT, __NR_fchmod, &[fd, 0o600]), Ok(0));
    let both = [u64::from(MFD_EXEC | MFD_NOEXEC_SEAL)];
    let made = w.with_path(__NR_memfd_create, "x", &both);
    assert_eq!(made, Err(Errno::EINVAL));
    let long = "x".repeat(250);
    let made = w.with_path(__NR_memfd_create, &long, &[0]);
    assert_eq!(made, Err(Errno::EINVAL));
}

#[test]
fn a_memfd_is_run_through_its_descriptor() {
    let mut w = World::new();
    let fd = memfd(&mut w, MFD_CLOEXEC);
    w.sys(INIT, __NR_write, &[fd, DATA, 5]).unwrap();
    let find = |w: &mut World, flags| {
        let path = abi::fs::Path::Inline(b"");
        let dirfd = fd as i32;
        w.outcome(INIT, Event::FindProgram { path, dirfd, flags })
    };
    let enoent = Outcome::Result(Errno::ENOENT.as_result());
    assert_eq!(find(&mut w, 0), enoent);
    let program = find(&mut w, AT_EMPTY_PATH);
    assert!(matches!(program, Outcome::Program { closes: true, .. }));
    // Another open file that may write it is in the way.
    let path = format!("/proc/self/fd/{fd}");
    let writer = w.open(&path, O_WRONLY).unwrap();
    let busy = Outcome::Result(Errno::ETXTBSY.as_result());
    assert_eq!(find(&mut w, AT_EMPTY_PATH), busy);
    w.close(INIT, writer).unwrap();
    assert_eq!(find(&mut w, AT_EMPTY_PATH), program);
}
