//! What tasks inherit, share and leave behind.

use crate::world::*;
use abi::fs::{ARCHIVE, Event, FileRange, Outcome, Path};
use abi::{Errno, TaskId};

fn executed(w: &mut World, task: TaskId) {
    let program = FileRange {
        object: ARCHIVE,
        offset: 4096,
        size: 10,
    };
    let event = Event::Executed {
        tid: 1,
        program,
        path: b"bin/tool",
    };
    assert_eq!(w.outcome(task, event), Outcome::Result(0));
}

#[test]
fn a_forked_table_is_a_copy_that_shares_offsets() {
    let mut w = World::new();
    let fd = w.open("/bin/data", O_RDONLY).unwrap();
    w.fork();
    assert_eq!(w.read(INIT, fd, 2), Ok(vec![0, 1]));
    assert_eq!(w.read(CHILD, fd, 2), Ok(vec![2, 3]));
    w.close(INIT, fd).unwrap();
    assert_eq!(w.read(CHILD, fd, 2), Ok(vec![4, 5]));
    assert_eq!(w.open_as(CHILD, "/dev/null", 0), Ok(4));
    assert_eq!(w.read(INIT, 4, 1), Err(Errno::EBADF));
}

#[test]
fn threads_share_the_table_and_the_directory() {
    let mut w = World::new();
    assert_eq!(w.create(CHILD, INIT, 2, true, true), 0);
    let fd = w.open_as(CHILD, "/bin/data", O_RDONLY).unwrap();
    assert_eq!(w.read(INIT, fd, 1), Ok(vec![0]));
    w.with_path(__NR_chdir, "/bin", &[]).unwrap();
    assert!(w.open_as(CHILD, "tool", O_RDONLY).is_ok());
    w.exit(CHILD);
    assert_eq!(w.read(INIT, fd, 1), Ok(vec![1]));
}

#[test]
fn a_forked_directory_is_a_copy() {
    let mut w = World::new();
    w.fork();
    w.with_path(__NR_chdir, "/bin", &[]).unwrap();
    assert_eq!(w.open_as(CHILD, "tool", O_RDONLY), Err(Errno::ENOENT));
}

#[test]
fn exec_closes_what_is_marked_and_unshares_the_table() {
    let mut w = World::new();
    let kept = w.open("/bin/data", O_RDONLY).unwrap();
    let marked = w.open("/bin/data", O_RDONLY | O_CLOEXEC).unwrap();
    assert_eq!(w.create(CHILD, INIT, 2, true, false), 0);
    executed(&mut w, INIT);
    assert_eq!(w.read(INIT, kept, 1), Ok(vec![0]));
    assert_eq!(w.read(INIT, marked, 1), Err(Errno::EBADF));
    assert_eq!(w.read(CHILD, marked, 1), Ok(vec![0]));
}

#[test]
fn the_dead_leave_nothing() {
    let mut w = World::new();
    let before = w.fs.population();
    let objects = w.out.objects();
    w.fork();
    w.open_as(CHILD, "/tmp/a", O_CREAT | O_RDWR).unwrap();
    w.with_path(__NR_unlink, "/tmp/a", &[]).unwrap();
    assert_eq!(w.sys(CHILD, __NR_pipe, &[DATA]), Ok(0));
    w.start(CHILD, __NR_read, &[4, DATA, 1]);
    assert_eq!(w.fs.waiting(), 1);
    w.exit(CHILD);
    assert_eq!(w.fs.waiting(), 0);
    assert_eq!(w.fs.population(), before);
    assert_eq!(w.out.objects(), objects);
    w.exit(INIT);
    assert_eq!(w.fs.population()[1..], [0, 0, 0, 0, 0]);
}

#[test]
fn programs_are_found_by_who_may_run_them() {
    let mut w = World::new();
    let mut find = |path: &[u8]| w.find_program(INIT, Path::Inline(path));
    let error = |errno: Errno| Outcome::Result(errno.as_result());
    let range = FileRange {
        object: ARCHIVE,
        offset: 4096,
        size: TOOL.len() as u64,
    };
    let found = Outcome::Program {
        readable: true,
        shared: false,
        closes: false,
        range,
        uid: 0,
        gid: 0,
        mode: 0o755,
    };
    assert_eq!(find(b"/bin/tool"), found);
    assert_eq!(find(b"bin/link"), found);
    assert_eq!(find(b"/bin/none"), error(Errno::ENOENT));
    assert_eq!(find(b""), error(Errno::ENOENT));
    assert_eq!(find(b"/bin/tool/x"), error(Errno::ENOTDIR));
    assert_eq!(find(b"/bin/data"), error(Errno::EACCES));
    assert_eq!(find(b"/bin"), error(Errno::EACCES));
    assert_eq!(find(b"/dev/null"), error(Errno::EACCES));
    let path = Path::At(w.string(INIT, PATH, "/bin/tool"));
    assert_eq!(w.find_program(INIT, path), found);
    let path = Path::At(NOWHERE);
    assert_eq!(w.find_program(INIT, path), error(Errno::EFAULT));
}

#[test]
fn files_are_mapped_as_they_are_opened() {
    let mut w = World::new();
    let fd = w.open("/bin/data", O_RDONLY).unwrap() as i32;
    let mut map = |fd, shared, write| w.outcome(INIT, Event::Map { fd, shared, write });
    let error = |errno: Errno| Outcome::Result(errno.as_result());
    let range = FileRange {
        object: ARCHIVE,
        offset: 8192,
        size: 5000,
    };
    let may_write = false;
    let mapped = Outcome::File { range, may_write };
    assert_eq!(map(fd, true, false), mapped);
    assert_eq!(map(fd, false, true), mapped, "a copy may be written");
    assert_eq!(map(fd, true, true), error(Errno::EACCES));
    assert_eq!(map(99, false, false), error(Errno::EBADF));
    assert_eq!(map(0, false, false), error(Errno::ENODEV));
    let fd = w.open("/tmp/a", O_CREAT | O_WRONLY).unwrap() as i32;
    let mut map = |fd, shared, write| w.outcome(INIT, Event::Map { fd, shared, write });
    assert_eq!(map(fd, true, true), error(Errno::EACCES));
    let fd = w.open("/tmp/a", O_RDWR).unwrap() as i32;
    let mut map = |fd, shared, write| w.outcome(INIT, Event::Map { fd, shared, write });
    let writable = |outcome| {
        matches!(
            outcome,
            Outcome::File {
                may_write: true,
                ..
            }
        )
    };
    assert!(writable(map(fd, true, false)), "it may become writable");
}

#[test]
fn strangers_are_answered() {
    let mut w = World::new();
    let before = w.fs.population();
    let stranger = TaskId::new(50, 3);
    let esrch = Outcome::Result(Errno::ESRCH.as_result());
    assert_eq!(w.outcome(stranger, Event::Exited), esrch);
    assert_eq!(
        w.outcome(
            stranger,
            Event::Map {
                fd: 0,
                shared: false,
                write: false
            }
        ),
        esrch
    );
    assert_eq!(
        w.outcome(
            stranger,
            Event::Syscall {
                nr: 0,
                args: [0; 6]
            }
        ),
        esrch
    );
    assert_eq!(
        w.create(TaskId::new(51, 1), stranger, 9, false, false),
        Errno::ESRCH.as_result()
    );
    assert_eq!(
        w.create(INIT, INIT, 9, false, false),
        Errno::EINVAL.as_result()
    );
    w.interrupt(stranger, 7);
    assert_eq!(w.fs.population(), before);
}
