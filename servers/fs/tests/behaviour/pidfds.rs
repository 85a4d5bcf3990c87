//! pidfds.

use crate::world::*;
use abi::fs::{Event, Outcome, Scope};
use abi::{Errno, PidName, TaskId};

const CHILDS: PidName = PidName { tid: 2, serial: 1 };

#[test]
fn a_pidfd_is_ready_when_its_process_is_dead_and_hung_up_when_it_is_reaped() {
    let mut w = World::new();
    w.fork();
    let fd = w.sys(INIT, __NR_pidfd_open, &[2, 0]).unwrap() as u64;
    assert_eq!(w.sys(INIT, __NR_fcntl, &[fd, F_GETFD.into()]), Ok(1));
    let pollfd = fd | u64::from(POLLIN) << 32;
    w.put(INIT, DATA, &pollfd.to_le_bytes());
    let poll = w.start(INIT, __NR_poll, &[DATA, 1, u64::MAX]);
    assert_eq!(w.result(poll), None);
    let ended = |reaped| Event::Ended {
        name: CHILDS,
        reaped,
    };
    let other = Event::Ended {
        name: PidName { tid: 2, serial: 2 },
        reaped: true,
    };
    w.send(TaskId::FS, 0, other);
    assert_eq!(w.result(poll), None, "the next process of this number");
    w.send(TaskId::FS, 0, ended(false));
    assert_eq!(w.result(poll), Some(1));
    assert_eq!(w.word(INIT, DATA) >> 48, u64::from(POLLIN));
    w.send(TaskId::FS, 0, ended(true));
    assert_eq!(w.sys(INIT, __NR_poll, &[DATA, 1, 0]), Ok(1));
    assert_eq!(w.word(INIT, DATA) >> 48, u64::from(POLLIN | POLLHUP));
    assert_eq!(w.sys(INIT, __NR_read, &[fd, DATA, 8]), Err(Errno::EINVAL));
}

#[test]
fn a_signal_goes_to_what_it_stands_for() {
    let mut w = World::new();
    w.fork();
    let fd = w.sys(INIT, __NR_pidfd_open, &[2, 0]).unwrap() as u64;
    let mut send = |fd: u64, flags: u64| w.sys(INIT, __NR_pidfd_send_signal, &[fd, 15, 0, flags]);
    assert_eq!(send(fd, 0), Ok(0));
    assert_eq!(send(fd, 1), Ok(0));
    assert_eq!(send(fd, 4), Ok(0));
    assert_eq!(send(fd, 3), Err(Errno::EINVAL));
    assert_eq!(send(fd, 8), Err(Errno::EINVAL));
    assert_eq!(send(0, 0), Err(Errno::EBADF));
    let sent = [Scope::Process, Scope::Thread, Scope::Group];
    assert_eq!(w.out.pid_signals, sent.map(|scope| (CHILDS, scope, 15)));
}

#[test]
fn a_descriptor_is_taken_from_who_may_be_looked_into() {
    let mut w = World::new();
    w.fork();
    let file = w.open_as(CHILD, "/bin/data", 0).unwrap() as u64;
    let fd = w.sys(INIT, __NR_pidfd_open, &[2, 0]).unwrap() as u64;
    let mut get = |wanted: u64| w.sys(INIT, __NR_pidfd_getfd, &[fd, wanted, 0]);
    assert_eq!(get(99), Err(Errno::EBADF));
    let own = get(file).unwrap() as u64;
    assert_eq!(w.sys(INIT, __NR_read, &[own, DATA, 8]), Ok(8));
    w.out.closed.insert(2);
    let get = [fd, file, 0];
    assert_eq!(w.sys(INIT, __NR_pidfd_getfd, &get), Err(Errno::EPERM));
    assert_eq!(
        w.sys(INIT, __NR_pidfd_getfd, &[fd, file, 1]),
        Err(Errno::EINVAL)
    );
}

#[test]
fn a_new_task_s_creator_gets_a_pidfd_of_it() {
    let mut w = World::new();
    let created = Event::Created {
        parent: INIT,
        tid: 2,
        tgid: 2,
        share_files: false,
        share_fs: false,
        pidfd: Some(CHILDS),
    };
    let before = w.fs.population();
    w.rights(
        INIT,
        abi::fs::Rights {
            max_fds: 3,
            ..superuser()
        },
    );
    let emfile = Outcome::Result(Errno::EMFILE.as_result());
    assert_eq!(w.outcome(CHILD, created), emfile);
    assert_eq!(w.fs.population(), before);
    w.rights(INIT, superuser());
    assert_eq!(w.outcome(CHILD, created), Outcome::Result(3));
    let find = w.outcome(INIT, Event::FindPid { fd: 3 });
    let found = Outcome::Pid {
        name: CHILDS,
        nonblocking: false,
    };
    assert_eq!(find, found);
    let ebadf = Outcome::Result(Errno::EBADF.as_result());
    assert_eq!(w.outcome(CHILD, Event::FindPid { fd: 3 }), ebadf);
    assert_eq!(w.outcome(INIT, Event::FindPid { fd: 0 }), ebadf);
}

#[test]
fn namespaces_are_entered_by_nobody() {
    let mut w = World::new();
    let fd = w.sys(INIT, __NR_pidfd_open, &[1, 0]).unwrap() as u64;
    let uts = u64::from(CLONE_NEWUTS);
    assert_eq!(w.sys(INIT, __NR_setns, &[99, uts]), Err(Errno::EBADF));
    assert_eq!(w.sys(INIT, __NR_setns, &[0, uts]), Err(Errno::EINVAL));
    assert_eq!(w.sys(INIT, __NR_setns, &[fd, 0]), Err(Errno::EINVAL));
    w.rights(INIT, user(5));
    assert_eq!(w.sys(INIT, __NR_setns, &[fd, uts]), Err(Errno::EPERM));
    assert_eq!(w.sys(INIT, __NR_unshare, &[uts]), Err(Errno::EPERM));
    assert_eq!(w.sys(INIT, __NR_unshare, &[1]), Err(Errno::EINVAL));
}

#[test]
fn what_is_unshared_is_one_s_own() {
    let mut w = World::new();
    let thread = TaskId::new(3, 1);
    assert_eq!(w.create(thread, INIT, 3, true, true), 0);
    let both = u64::from(CLONE_FILES | CLONE_FS);
    assert_eq!(w.sys(thread, __NR_unshare, &[both]), Ok(0));
    w.close(thread, 0).unwrap();
    assert_eq!(w.sys(INIT, __NR_dup, &[0]), Ok(3));
    w.sys(thread, __NR_umask, &[0o77]).unwrap();
    assert_eq!(w.sys(INIT, __NR_umask, &[0]), Ok(0o22));
    let thread_flag = u64::from(CLONE_THREAD);
    assert_eq!(
        w.sys(thread, __NR_unshare, &[thread_flag]),
        Err(Errno::EINVAL)
    );
}
