//! Who may do what: owners, groups, others, and capabilities.

use crate::world::*;
use abi::fs::Rights;
use abi::{Capability, CapabilitySet, Errno};

const ALICE: u32 = 1000;
const BOB: u32 = 1001;

/// A directory of Alice's with a file in it, made by INIT; CHILD is Bob.
fn home() -> World {
    let mut w = World::new();
    w.rights(INIT, user(ALICE));
    w.with_path(__NR_mkdir, "/tmp/home", &[0o777]).unwrap();
    w.file("/tmp/home/file", b"secret");
    w.fork();
    w.rights(CHILD, user(BOB));
    w
}

fn as_bob(w: &mut World, path: &str, flags: u32) -> Result<i64, Errno> {
    w.open_as(CHILD, path, flags)
}

fn chmod(w: &mut World, path: &str, mode: u64) {
    w.with_path(__NR_chmod, path, &[mode]).unwrap();
}

fn call_as_bob(w: &mut World, nr: u32, path: &str, rest: &[u64]) -> Result<i64, Errno> {
    let at = w.string(CHILD, PATH, path);
    let mut args = vec![at];
    args.extend(rest);
    w.sys(CHILD, nr, &args)
}

#[test]
fn what_somebody_makes_is_theirs() {
    let mut w = home();
    w.with_path(__NR_stat, "/tmp/home/file", &[DATA]).unwrap();
    let owner = w.word(INIT, DATA + 24) >> 32 | w.word(INIT, DATA + 32) << 32;
    assert_eq!(owner, u64::from(ALICE) | u64::from(ALICE) << 32);
}

#[test]
fn a_directory_is_searched_with_its_execute_bit_only() {
    let mut w = home();
    chmod(&mut w, "/tmp/home", 0o754);
    assert_eq!(as_bob(&mut w, "/tmp/home/file", 0), Err(Errno::EACCES));
    assert_eq!(as_bob(&mut w, "/tmp/home/none", 0), Err(Errno::EACCES));
    assert!(as_bob(&mut w, "/tmp/home", O_DIRECTORY).is_ok());
    chmod(&mut w, "/tmp/home", 0o751);
    assert!(as_bob(&mut w, "/tmp/home/file", 0).is_ok());
    assert_eq!(as_bob(&mut w, "/tmp/home/none", 0), Err(Errno::ENOENT));
    assert_eq!(as_bob(&mut w, "/tmp/home", O_DIRECTORY), Err(Errno::EACCES));
    assert_eq!(call_as_bob(&mut w, __NR_chdir, "/tmp/home", &[]), Ok(0));
    chmod(&mut w, "/tmp/home", 0o700);
    // The working directory stays it, and is looked at again.
    assert_eq!(as_bob(&mut w, "file", 0), Err(Errno::EACCES));
    assert_eq!(as_bob(&mut w, ".", 0), Err(Errno::EACCES));
}

#[test]
fn open_asks_for_what_it_is_opened_for() {
    let mut w = home();
    let open = |w: &mut World, flags| as_bob(w, "/tmp/home/file", flags).err();
    chmod(&mut w, "/tmp/home/file", 0o604);
    assert_eq!(open(&mut w, O_RDONLY), None);
    assert_eq!(open(&mut w, O_WRONLY), Some(Errno::EACCES));
    assert_eq!(open(&mut w, O_RDONLY | O_TRUNC), Some(Errno::EACCES));
    assert_eq!(open(&mut w, O_RDONLY | O_NOATIME), Some(Errno::EPERM));
    chmod(&mut w, "/tmp/home/file", 0o602);
    assert_eq!(open(&mut w, O_WRONLY), None);
    assert_eq!(open(&mut w, O_RDWR), Some(Errno::EACCES));
    chmod(&mut w, "/tmp/home/file", 0);
    assert_eq!(open(&mut w, O_PATH), None);
    assert_eq!(w.open("/tmp/home/file", O_RDONLY), Err(Errno::EACCES));
}

#[test]
fn names_are_made_and_removed_by_who_may_write_the_directory() {
    let mut w = home();
    let eacces = Err(Errno::EACCES);
    let mode = [0o777];
    assert_eq!(as_bob(&mut w, "/tmp/home/new", O_CREAT | O_RDWR), eacces);
    assert_eq!(
        call_as_bob(&mut w, __NR_mkdir, "/tmp/home/d", &mode),
        eacces
    );
    assert_eq!(
        call_as_bob(&mut w, __NR_unlink, "/tmp/home/file", &[]),
        eacces
    );
    assert_eq!(
        call_as_bob(&mut w, __NR_rmdir, "/tmp/home/file", &[]),
        eacces
    );
    let exists = Err(Errno::EEXIST);
    assert_eq!(
        call_as_bob(&mut w, __NR_mkdir, "/tmp/home/file", &mode),
        exists
    );
    let to = w.string(CHILD, PATH2, "/tmp/home/other");
    assert_eq!(
        call_as_bob(&mut w, __NR_rename, "/tmp/home/file", &[to]),
        eacces
    );
    let to = w.string(CHILD, PATH2, "/tmp/home/link");
    assert_eq!(call_as_bob(&mut w, __NR_symlink, "x", &[to]), eacces);
    chmod(&mut w, "/tmp/home", 0o777);
    assert_eq!(call_as_bob(&mut w, __NR_symlink, "x", &[to]), Ok(0));
    assert_eq!(
        call_as_bob(&mut w, __NR_unlink, "/tmp/home/file", &[]),
        Ok(0)
    );
}

#[test]
fn a_sticky_directory_keeps_what_others_own() {
    let mut w = home();
    chmod(&mut w, "/tmp/home", 0o1777);
    let eperm = Err(Errno::EPERM);
    assert_eq!(
        call_as_bob(&mut w, __NR_unlink, "/tmp/home/file", &[]),
        eperm
    );
    let to = w.string(CHILD, PATH2, "/tmp/home/other");
    assert_eq!(
        call_as_bob(&mut w, __NR_rename, "/tmp/home/file", &[to]),
        eperm
    );
    assert!(as_bob(&mut w, "/tmp/home/bobs", O_CREAT | O_RDWR).is_ok());
    let to = w.string(CHILD, PATH2, "/tmp/home/file");
    assert_eq!(
        call_as_bob(&mut w, __NR_rename, "/tmp/home/bobs", &[to]),
        eperm
    );
    // The directory's owner may, and Bob his own.
    assert_eq!(w.with_path(__NR_unlink, "/tmp/home/bobs", &[]), Ok(0));
    assert!(as_bob(&mut w, "/tmp/home/bobs", O_CREAT | O_RDWR).is_ok());
    assert_eq!(
        call_as_bob(&mut w, __NR_unlink, "/tmp/home/bobs", &[]),
        Ok(0)
    );
}

#[test]
fn only_the_owner_changes_modes_and_times() {
    let mut w = home();
    let eperm = Err(Errno::EPERM);
    assert_eq!(
        call_as_bob(&mut w, __NR_chmod, "/tmp/home/file", &[0o777]),
        eperm
    );
    let times: Vec<u8> = [1u64; 4].iter().flat_map(|w| w.to_le_bytes()).collect();
    w.put(CHILD, DATA, &times);
    let here = AT_FDCWD as u64;
    let path = w.string(CHILD, PATH, "/tmp/home/file");
    let touch = |w: &mut World, times| w.sys(CHILD, __NR_utimensat, &[here, path, times, 0]);
    assert_eq!(touch(&mut w, DATA), eperm);
    assert_eq!(touch(&mut w, 0), Err(Errno::EACCES));
    chmod(&mut w, "/tmp/home/file", 0o666);
    assert_eq!(touch(&mut w, 0), Ok(0));
    assert_eq!(touch(&mut w, DATA), eperm);
}

#[test]
fn files_are_given_away_by_the_privileged_only() {
    let mut w = home();
    let keep = u64::from(u32::MAX);
    let chown =
        |w: &mut World, uid: u64, gid: u64| w.with_path(__NR_chown, "/tmp/home/file", &[uid, gid]);
    let eperm = Err(Errno::EPERM);
    assert_eq!(chown(&mut w, BOB.into(), keep), eperm);
    assert_eq!(chown(&mut w, ALICE.into(), ALICE.into()), Ok(0));
    assert_eq!(chown(&mut w, keep, BOB.into()), eperm);
    w.rights(
        INIT,
        Rights {
            effective: CapabilitySet::of(&[Capability::CAP_CHOWN]),
            ..user(ALICE)
        },
    );
    assert_eq!(chown(&mut w, BOB.into(), keep), Ok(0));
}

#[test]
fn set_id_bits_go_where_others_write_or_own() {
    let mut w = home();
    let mode = |w: &mut World| w.stat(__NR_stat, "/tmp/home/file").unwrap().0 & 0o7777;
    chmod(&mut w, "/tmp/home/file", 0o6777);
    let fd = as_bob(&mut w, "/tmp/home/file", O_WRONLY).unwrap() as u64;
    assert_eq!(w.sys(CHILD, __NR_write, &[fd, DATA, 0]), Ok(0));
    assert_eq!(mode(&mut w), 0o6777);
    assert_eq!(w.sys(CHILD, __NR_write, &[fd, DATA, 1]), Ok(1));
    assert_eq!(mode(&mut w), 0o777);
    chmod(&mut w, "/tmp/home/file", 0o6767);
    let same = [u64::from(ALICE), u64::from(ALICE)];
    w.with_path(__NR_chown, "/tmp/home/file", &same).unwrap();
    // Set-group-id without execute is a mark that its own group keeps.
    assert_eq!(mode(&mut w), 0o2767);
    w.rights(CHILD, superuser());
    chmod(&mut w, "/tmp/home/file", 0o6777);
    assert_eq!(w.sys(CHILD, __NR_write, &[fd, DATA, 1]), Ok(1));
    assert_eq!(mode(&mut w), 0o6777, "with CAP_FSETID");
    // Nobody marks a file with a group that is not theirs.
    w.rights(CHILD, user(ALICE));
    w.rights(
        CHILD,
        Rights {
            fsgid: BOB,
            ..user(ALICE)
        },
    );
    call_as_bob(&mut w, __NR_chmod, "/tmp/home/file", &[0o2777]).unwrap();
    assert_eq!(mode(&mut w), 0o777);
}

#[test]
fn a_set_group_id_directory_gives_its_group_on() {
    let mut w = home();
    chmod(&mut w, "/tmp/home", 0o2777);
    call_as_bob(&mut w, __NR_mkdir, "/tmp/home/d", &[0o755]).unwrap();
    assert_eq!(
        w.stat(__NR_stat, "/tmp/home/d").unwrap().0,
        S_IFDIR | 0o2755
    );
    w.with_path(__NR_stat, "/tmp/home/d", &[DATA]).unwrap();
    assert_eq!(w.word(INIT, DATA + 32) as u32, ALICE);
}

#[test]
fn access_asks_as_the_real_user() {
    let mut w = home();
    chmod(&mut w, "/tmp/home/file", 0o600);
    let set_user = Rights {
        uid: [BOB, 0, 0],
        ..superuser()
    };
    w.rights(CHILD, set_user);
    let path = w.string(CHILD, PATH, "/tmp/home/file");
    let read = u64::from(R_OK);
    assert_eq!(w.sys(CHILD, __NR_access, &[path, read]), Err(Errno::EACCES));
    let here = AT_FDCWD as u64;
    let effective = [here, path, read, AT_EACCESS.into()];
    assert_eq!(w.sys(CHILD, __NR_faccessat2, &effective), Ok(0));
    assert!(as_bob(&mut w, "/tmp/home/file", 0).is_ok());
}

#[test]
fn a_program_that_is_written_is_not_run_nor_the_reverse() {
    let mut w = World::new();
    w.file("/tmp/program", b"#!x");
    chmod(&mut w, "/tmp/program", 0o755);
    let find = |w: &mut World| {
        let path = abi::fs::Path::Inline(b"/tmp/program");
        w.find_program(INIT, path)
    };
    let fd = w.open("/tmp/program", O_WRONLY).unwrap();
    let busy = abi::fs::Outcome::Result(Errno::ETXTBSY.as_result());
    assert_eq!(find(&mut w), busy);
    w.close(INIT, fd).unwrap();
    let abi::fs::Outcome::Program { range, .. } = find(&mut w) else {
        panic!("it is not written any more");
    };
    let done = abi::fs::Event::Executed {
        tid: 1,
        program: range,
        path: b"/tmp/program",
    };
    assert_eq!(w.outcome(INIT, done), abi::fs::Outcome::Result(0));
    assert_eq!(w.open("/tmp/program", O_WRONLY), Err(Errno::ETXTBSY));
    assert!(w.open("/tmp/program", O_RDONLY).is_ok());
}

#[test]
fn a_program_needs_its_execute_bit_and_may_be_unreadable() {
    let mut w = home();
    let find = |w: &mut World| {
        let path = abi::fs::Path::Inline(b"/tmp/home/file");
        w.find_program(CHILD, path)
    };
    let eacces = abi::fs::Outcome::Result(Errno::EACCES.as_result());
    chmod(&mut w, "/tmp/home/file", 0o766);
    assert_eq!(find(&mut w), eacces);
    chmod(&mut w, "/tmp/home/file", 0o4711);
    let abi::fs::Outcome::Program {
        uid,
        mode,
        readable,
        shared,
        ..
    } = find(&mut w)
    else {
        panic!("Bob may run it");
    };
    assert_eq!((uid, mode, readable, shared), (ALICE, 0o4711, false, false));
}

#[test]
fn a_directory_that_others_share_makes_a_program_no_more_than_its_user() {
    let mut w = home();
    chmod(&mut w, "/tmp/home/file", 0o4711);
    let other = abi::TaskId::new(3, 1);
    assert_eq!(w.create(other, CHILD, 3, false, true), 0);
    let find = |w: &mut World| {
        let path = abi::fs::Path::Inline(b"/tmp/home/file");
        w.find_program(CHILD, path)
    };
    let shared = |found| matches!(found, abi::fs::Outcome::Program { shared: true, .. });
    assert!(shared(find(&mut w)));
    w.exit(other);
    assert!(!shared(find(&mut w)));
    // While it is under way nobody else gets it.
    let eagain = Errno::EAGAIN.as_result();
    assert_eq!(w.create(other, CHILD, 3, false, true), eagain);
    w.sys(CHILD, __NR_umask, &[0o22]).unwrap();
    assert_eq!(w.create(other, CHILD, 3, false, true), 0);
}

#[test]
fn device_files_are_made_by_the_privileged() {
    let mut w = home();
    let null = 1 << 8 | 3;
    let device = [u64::from(S_IFCHR | 0o666), null];
    let made = w.with_path(__NR_mknod, "/tmp/home/null", &device);
    assert_eq!(made, Err(Errno::EPERM));
    w.rights(INIT, superuser());
    let made = w.with_path(__NR_mknod, "/tmp/home/null", &device);
    assert_eq!(made, Ok(0));
    let fd = w.open("/tmp/home/null", O_WRONLY).unwrap() as u64;
    assert_eq!(w.sys(INIT, __NR_write, &[fd, DATA, 5]), Ok(5));
    let nothing = [u64::from(S_IFBLK | 0o666), 77 << 8];
    w.with_path(__NR_mknod, "/tmp/home/disk", &nothing).unwrap();
    assert_eq!(w.open("/tmp/home/disk", 0), Err(Errno::ENXIO));
}

#[test]
fn a_process_s_files_in_proc_are_its_user_s() {
    let mut w = home();
    assert_eq!(as_bob(&mut w, "/proc/2/fd", O_DIRECTORY).err(), None);
    assert_eq!(
        as_bob(&mut w, "/proc/1/fd", O_DIRECTORY),
        Err(Errno::EACCES)
    );
    assert_eq!(as_bob(&mut w, "/proc/1/environ", 0), Err(Errno::EACCES));
    assert!(as_bob(&mut w, "/proc/1/stat", 0).is_ok());
}

#[test]
fn nobody_links_what_they_could_not_have_read_and_written() {
    let mut w = home();
    chmod(&mut w, "/tmp/home", 0o777);
    chmod(&mut w, "/tmp/home/file", 0o644);
    let to = w.string(CHILD, PATH2, "/tmp/home/link");
    let eperm = Err(Errno::EPERM);
    assert_eq!(
        call_as_bob(&mut w, __NR_link, "/tmp/home/file", &[to]),
        eperm
    );
    chmod(&mut w, "/tmp/home/file", 0o4666);
    assert_eq!(
        call_as_bob(&mut w, __NR_link, "/tmp/home/file", &[to]),
        eperm
    );
    chmod(&mut w, "/tmp/home/file", 0o666);
    assert_eq!(
        call_as_bob(&mut w, __NR_link, "/tmp/home/file", &[to]),
        Ok(0)
    );
}

#[test]
fn a_root_of_one_s_own_ends_every_path() {
    let mut w = home();
    let chroot = |w: &mut World, path| w.with_path(__NR_chroot, path, &[]);
    assert_eq!(chroot(&mut w, "/tmp/home"), Err(Errno::EPERM));
    w.rights(INIT, superuser());
    assert_eq!(chroot(&mut w, "/tmp/home/file"), Err(Errno::ENOTDIR));
    assert_eq!(chroot(&mut w, "/tmp/home"), Ok(0));
    assert!(w.open("/file", 0).is_ok());
    assert!(w.open("/../../file", 0).is_ok());
    assert_eq!(w.open("/tmp", 0), Err(Errno::ENOENT));
    // The working directory stays where it was: outside.
    assert!(w.open("tmp/home/file", 0).is_ok());
}
