//! /proc.

use crate::world::*;
use abi::Errno;
use abi::fs::{ARCHIVE, Event, FileRange, Outcome};

fn readlink(w: &mut World, path: &str) -> Result<String, Errno> {
    let len = w.with_path(__NR_readlink, path, &[DATA, 200])?;
    Ok(String::from_utf8(w.get(INIT, DATA, len as usize)).unwrap())
}

#[test]
fn exe_is_the_program_by_its_whole_path() {
    let mut w = World::new();
    assert_eq!(readlink(&mut w, "/proc/self/exe"), Err(Errno::ENOENT));
    let program = FileRange {
        object: ARCHIVE,
        offset: 4096,
        size: 10,
    };
    let event = Event::Executed {
        tid: 1,
        program,
        path: b"bin/link",
    };
    assert_eq!(w.outcome(INIT, event), Outcome::Result(0));
    assert_eq!(readlink(&mut w, "/proc/self/exe"), Ok("/bin/tool".into()));
    assert_eq!(readlink(&mut w, "/proc/1/exe"), Ok("/bin/tool".into()));
    assert_eq!(w.contents("/proc/self/exe"), Ok(TOOL.to_vec()));
    w.fork();
    assert_eq!(readlink(&mut w, "/proc/2/exe"), Ok("/bin/tool".into()));
}

#[test]
fn links_say_and_lead_where_they_should() {
    let mut w = World::new();
    assert_eq!(readlink(&mut w, "/proc/self"), Ok("1".into()));
    assert_eq!(readlink(&mut w, "/proc/thread-self"), Ok("1/task/1".into()));
    assert_eq!(
        readlink(&mut w, "/proc/self/fd/0"),
        Ok("/dev/console".into())
    );
    assert_eq!(readlink(&mut w, "/proc/self/fd/2"), Ok("/dev/ttyS1".into()));
    assert_eq!(readlink(&mut w, "/proc/self/fd/9"), Err(Errno::ENOENT));
    assert_eq!(readlink(&mut w, "/dev/stdin"), Ok("/proc/self/fd/0".into()));
    w.with_path(__NR_chdir, "/bin", &[]).unwrap();
    assert_eq!(readlink(&mut w, "/proc/self/cwd"), Ok("/bin".into()));
    assert_eq!(readlink(&mut w, "/proc/self/root"), Ok("/".into()));
    assert_eq!(w.contents("/proc/self/cwd/tool"), Ok(TOOL.to_vec()));
    assert_eq!(
        w.contents("/proc/thread-self/root/bin/tool"),
        Ok(TOOL.to_vec())
    );
    let out = w.open("/dev/stdout", O_WRONLY).unwrap();
    w.write(INIT, out, b"through").unwrap();
    assert_eq!(w.out.stdout, b"through");
}

#[test]
fn a_pipe_is_opened_again_through_proc() {
    let mut w = World::new();
    let (r, wr) = w.pipe(0);
    assert!(
        readlink(&mut w, &format!("/proc/self/fd/{r}"))
            .unwrap()
            .starts_with("pipe:[")
    );
    let again = w.open(&format!("/dev/fd/{wr}"), O_WRONLY).unwrap();
    w.close(INIT, wr).unwrap();
    w.write(INIT, again, b"x").unwrap();
    w.close(INIT, again).unwrap();
    assert_eq!(w.read(INIT, r, 9), Ok(b"x".to_vec()));
    assert_eq!(w.read(INIT, r, 9), Ok(vec![]));
}

#[test]
fn files_tell_what_the_process_manager_knows() {
    let mut w = World::new();
    assert_eq!(w.contents("/proc/self/comm"), Ok(b"name (x)\n".to_vec()));
    let stat = String::from_utf8(w.contents("/proc/1/stat").unwrap()).unwrap();
    assert!(stat.starts_with("1 (name (x)) t 1 1 1 "));
    let fields = stat.rsplit_once(')').unwrap().1;
    assert_eq!(fields.split_whitespace().count(), 50);
    assert_eq!(fields.split_whitespace().nth(11), Some("3"));
    assert_eq!(fields.split_whitespace().nth(20), Some("8192"));
    let status = String::from_utf8(w.contents("/proc/1/status").unwrap()).unwrap();
    assert!(status.contains("\nState:\tt (tracing stop)\n"));
    assert!(status.contains("\nTracerPid:\t7\n"));
    w.out.now = 12_340_000_000;
    assert_eq!(w.contents("/proc/uptime"), Ok(b"12.34 0.00\n".to_vec()));
    assert!(
        w.contents("/proc/mounts")
            .unwrap()
            .starts_with(b"archive / ")
    );
    assert_eq!(w.contents("/proc/99/stat"), Err(Errno::ENOENT));
    assert_eq!(w.contents("/proc/01/stat"), Err(Errno::ENOENT));
    let fd = w.open("/proc/1/stat", O_WRONLY).unwrap();
    assert_eq!(w.write(INIT, fd, b"x"), Err(Errno::EIO));
    assert_eq!(
        w.with_path(__NR_unlink, "/proc/none", &[]),
        Err(Errno::ENOENT)
    );
    assert_eq!(w.open("/proc/new", O_CREAT), Err(Errno::ENOENT));
    assert_eq!(
        w.with_path(__NR_unlink, "/proc/self", &[]),
        Err(Errno::EPERM)
    );
}

#[test]
fn directories_list_tasks_threads_and_descriptors() {
    let mut w = World::new();
    w.fork();
    let names = |w: &mut World, path: &str| -> Vec<String> {
        w.list(path, 4096)
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    };
    let root = names(&mut w, "/proc");
    assert!(
        ["self", "1", "2", "uptime"]
            .iter()
            .all(|n| root.iter().any(|own| own == n))
    );
    assert_eq!(names(&mut w, "/proc/2/fd"), [".", "..", "0", "1", "2"]);
    assert!(names(&mut w, "/proc/self/").contains(&"exe".into()));
    let third = abi::TaskId::new(3, 1);
    assert_eq!(w.create(third, INIT, 3, true, true), 0);
    assert_eq!(names(&mut w, "/proc/1/task"), [".", "..", "1", "3"]);
    assert!(w.contents("/proc/1/task/3/comm").is_ok());
    assert_eq!(w.contents("/proc/1/task/2/comm"), Err(Errno::ENOENT));
    assert!(!names(&mut w, "/proc").contains(&"3".into()));
}
