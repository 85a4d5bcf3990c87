//! Full tables.

use crate::world::*;
use abi::fs::Rights;
use abi::{Errno, TaskId};
use fs::{MAX_ATTRIBUTE_BYTES, MAX_FD_SLOTS, MAX_FDS, MAX_FILES, MAX_INODES, MAX_PIPES};

fn unlimited() -> Rights {
    Rights {
        max_fds: u64::MAX,
        ..superuser()
    }
}

#[test]
fn the_limit_of_descriptors_is_the_task_s_own() {
    let mut w = World::new();
    w.rights(
        INIT,
        Rights {
            max_fds: 5,
            ..superuser()
        },
    );
    assert_eq!(w.open("/dev/null", 0), Ok(3));
    assert_eq!(w.sys(INIT, __NR_pipe, &[DATA]), Err(Errno::EMFILE));
    assert_eq!(w.sys(INIT, __NR_dup, &[0]), Ok(4));
    assert_eq!(w.sys(INIT, __NR_eventfd2, &[0, 0]), Err(Errno::EMFILE));
    assert_eq!(w.sys(INIT, __NR_dup2, &[0, 5]), Err(Errno::EBADF));
    assert_eq!(w.sys(INIT, __NR_dup2, &[0, 4]), Ok(4));
    let dupfd = [0, F_DUPFD.into(), 5];
    assert_eq!(w.sys(INIT, __NR_fcntl, &dupfd), Err(Errno::EINVAL));
    assert_eq!(w.sys(INIT, __NR_poll, &[DATA, 6, 0]), Err(Errno::EINVAL));
    // What is open above stays so.
    w.rights(
        INIT,
        Rights {
            max_fds: 1,
            ..superuser()
        },
    );
    assert_eq!(w.sys(INIT, __NR_dup2, &[4, 0]), Ok(0));
    assert_eq!(w.sys(INIT, __NR_dup, &[4]), Err(Errno::EMFILE));
}

#[test]
fn all_tables_together_have_a_limit() {
    let mut w = World::new();
    w.rights(INIT, unlimited());
    w.sys(INIT, __NR_dup2, &[0, MAX_FDS as u64 - 1]).unwrap();
    let room = (MAX_FD_SLOTS / MAX_FDS) as u32;
    for slot in 2..room + 1 {
        let task = TaskId::new(slot as usize, 1);
        // Each pays for all of it, whether it shares it or not.
        let share = slot % 2 == 0;
        assert_eq!(w.create(task, INIT, slot, share, false), 0);
    }
    let one_more = TaskId::new(room as usize + 1, 1);
    let enomem = Errno::ENOMEM.as_result();
    assert_eq!(w.create(one_more, INIT, room + 1, false, false), enomem);
    w.exit(TaskId::new(2, 1));
    assert_eq!(w.create(one_more, INIT, room + 1, false, false), 0);
}

#[test]
fn a_file_grows_to_its_limit_and_no_further() {
    let mut w = World::new();
    let fd = w.open("/tmp/a", O_CREAT | O_RDWR).unwrap() as u64;
    w.rights(
        INIT,
        Rights {
            max_file_size: 10,
            ..superuser()
        },
    );
    assert_eq!(w.sys(INIT, __NR_write, &[fd, DATA, 8]), Ok(8));
    assert_eq!(w.sys(INIT, __NR_write, &[fd, DATA, 8]), Ok(2));
    assert_eq!(w.sys(INIT, __NR_write, &[fd, DATA, 1]), Err(Errno::EFBIG));
    assert_eq!(w.out.signals, [(INIT, 25)]);
    assert_eq!(w.sys(INIT, __NR_ftruncate, &[fd, 11]), Err(Errno::EFBIG));
    assert_eq!(w.out.signals, [(INIT, 25); 2]);
    assert_eq!(w.sys(INIT, __NR_ftruncate, &[fd, 5]), Ok(0));
}

#[test]
fn a_full_table_of_descriptors_is_emfile() {
    let mut w = World::new();
    w.rights(INIT, unlimited());
    for fd in 3..MAX_FDS as i64 {
        assert_eq!(w.sys(INIT, __NR_dup, &[0]), Ok(fd));
    }
    let before = w.fs.population();
    assert_eq!(w.sys(INIT, __NR_dup, &[0]), Err(Errno::EMFILE));
    assert_eq!(w.open("/dev/null", 0), Err(Errno::EMFILE));
    assert_eq!(w.open("/tmp/new", O_CREAT), Err(Errno::EMFILE));
    assert_eq!(w.sys(INIT, __NR_pipe, &[DATA]), Err(Errno::EMFILE));
    w.close(INIT, 700).unwrap();
    assert_eq!(w.sys(INIT, __NR_pipe, &[DATA]), Err(Errno::EMFILE));
    assert_eq!(
        w.sys(INIT, __NR_fcntl, &[0, F_DUPFD.into(), 701]),
        Err(Errno::EMFILE)
    );
    assert_eq!(w.sys(INIT, __NR_dup, &[0]), Ok(700));
    assert_eq!(w.fs.population(), before);
}

#[test]
fn full_tables_of_files_and_pipes_are_enfile() {
    let mut w = World::new();
    w.rights(INIT, unlimited());
    let mut tasks = 0;
    let mut full = None;
    'all: for slot in 2..20 {
        let task = TaskId::new(slot, 1);
        assert_eq!(w.create(task, INIT, slot as u32, false, false), 0);
        tasks += 1;
        for _ in 3..MAX_FDS {
            if let Err(errno) = w.open_as(task, "/dev/null", 0) {
                full = Some(errno);
                break 'all;
            }
        }
    }
    assert_eq!(full, Some(Errno::ENFILE));
    assert_eq!(w.fs.population()[1], MAX_FILES);
    assert_eq!(w.sys(INIT, __NR_pipe, &[DATA]), Err(Errno::ENFILE));
    assert_eq!(w.open("/tmp/a", O_CREAT), Err(Errno::ENFILE));
    for slot in 2..2 + tasks {
        w.exit(TaskId::new(slot, 1));
    }
    for slot in 2..5 {
        let task = TaskId::new(slot, 2);
        assert_eq!(w.create(task, INIT, slot as u32, false, false), 0);
        while w.sys(task, __NR_pipe, &[DATA]).is_ok() {}
    }
    assert_eq!(w.fs.population()[4], MAX_PIPES);
    assert_eq!(w.sys(INIT, __NR_pipe, &[DATA]), Err(Errno::ENFILE));
}

#[test]
fn a_full_tmp_is_enospc() {
    let mut w = World::new();
    let mut made = 0;
    while w
        .with_path(__NR_mkdir, &format!("/tmp/{made}"), &[0o777])
        .is_ok()
    {
        made += 1;
    }
    assert!(made > MAX_INODES - 10);
    let (before, objects) = (w.fs.population(), w.out.objects());
    assert_eq!(w.with_path(__NR_mkdir, "/tmp/x", &[0]), Err(Errno::ENOSPC));
    assert_eq!(w.open("/tmp/x", O_CREAT), Err(Errno::ENOSPC));
    assert_eq!(
        w.with_paths(__NR_symlink, "a", "/tmp/x"),
        Err(Errno::ENOSPC)
    );
    assert_eq!((w.fs.population(), w.out.objects()), (before, objects));
    w.with_path(__NR_rmdir, "/tmp/5", &[]).unwrap();
    assert!(w.open("/tmp/x", O_CREAT).is_ok());
}

#[test]
fn no_more_objects_is_an_error_without_effect() {
    let mut w = World::new();
    let before = w.fs.population();
    w.out.objects_full = true;
    assert_eq!(w.open("/tmp/a", O_CREAT), Err(Errno::ENOSPC));
    assert_eq!(w.sys(INIT, __NR_pipe, &[DATA]), Err(Errno::ENFILE));
    assert_eq!(w.fs.population(), before);
}

#[test]
fn every_slot_has_its_task_and_no_other() {
    let mut w = World::new();
    for slot in 2..abi::task::SLOTS as u32 {
        let task = TaskId::new(slot as usize, 1);
        assert_eq!(w.create(task, INIT, slot, false, false), 0, "{slot}");
        w.forget(task);
    }
    let one_more = w.create(TaskId::new(5, 99), INIT, 9999, false, false);
    assert_eq!(one_more, Errno::EINVAL.as_result());
    w.exit(TaskId::new(5, 1));
    assert_eq!(w.create(TaskId::new(5, 2), INIT, 5, false, false), 0);
}

#[test]
fn extended_attributes_have_a_budget_that_comes_back() {
    let mut w = World::new();
    w.string(INIT, PATH2, "user.a");
    let set = |w: &mut World, file: usize| {
        w.file(&format!("/tmp/{file}"), b"");
        w.with_path(
            __NR_setxattr,
            &format!("/tmp/{file}"),
            &[PATH2, DATA, 65536, 0],
        )
    };
    let full = (0..).find(|file| set(&mut w, *file) == Err(Errno::ENOSPC));
    assert_eq!(full, Some(MAX_ATTRIBUTE_BYTES / 65536 - 1));
    // The same again where a value is replaced, removed or gone with its file.
    assert_eq!(set(&mut w, 0), Ok(0));
    assert_eq!(w.with_path(__NR_unlink, "/tmp/0", &[]), Ok(0));
    assert_eq!(set(&mut w, 100), Ok(0));
    assert_eq!(set(&mut w, 101), Err(Errno::ENOSPC));
    assert_eq!(w.with_path(__NR_removexattr, "/tmp/1", &[PATH2]), Ok(0));
    assert_eq!(set(&mut w, 101), Ok(0));
}
