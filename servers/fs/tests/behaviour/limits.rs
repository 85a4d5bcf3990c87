//! Full tables.

use crate::world::*;
use abi::{Errno, TaskId};
use fs::{MAX_FDS, MAX_FILES, MAX_INODES, MAX_PIPES};

#[test]
fn a_full_table_of_descriptors_is_emfile() {
    let mut w = World::new();
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
fn a_full_table_of_tasks_is_enomem() {
    let mut w = World::new();
    for slot in 2..=abi::task::SLOTS as u32 {
        let task = TaskId::from_badge(u64::from(slot) | 1 << 12).unwrap();
        let task = if slot as usize == abi::task::SLOTS {
            TaskId::new(1, 9)
        } else {
            task
        };
        w.out.objects_full = false;
        assert_eq!(w.create(task, INIT, slot, false, false), 0, "{slot}");
        w.forget(task);
    }
    let one_more = w.create(TaskId::new(5, 99), INIT, 9999, false, false);
    assert_eq!(one_more, Errno::ENOMEM.as_result());
}
