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
    assert_eq!(
        readlink(&mut w, "/proc/self/fd/2"),
        Ok("/dev/ttyprintk".into())
    );
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
fn what_a_viewer_does_not_see_is_not_there_even_through_an_open_directory() {
    let mut w = World::new();
    w.fork();
    let dir = w.open("/proc/2", O_RDONLY | O_DIRECTORY).unwrap();
    let stat = w.open("/proc/2/stat", O_RDONLY).unwrap();
    let fds = w.open("/proc/2/fd", O_RDONLY | O_DIRECTORY).unwrap();
    w.out.hidden.insert((INIT, 2));
    assert_eq!(w.contents("/proc/2/stat"), Err(Errno::ENOENT));
    assert_eq!(readlink(&mut w, "/proc/2/exe"), Err(Errno::ENOENT));
    let at = |w: &mut World, dir: i64, name: &str| {
        let path = w.string(INIT, PATH, name);
        w.sys(INIT, __NR_openat, &[dir as u64, path, 0])
    };
    assert_eq!(at(&mut w, dir, "fd/0"), Err(Errno::ENOENT));
    assert_eq!(at(&mut w, fds, "0"), Err(Errno::ESRCH));
    assert_eq!(w.read(INIT, stat, 10), Err(Errno::ESRCH));
    let listed = w.sys(INIT, __NR_getdents64, &[fds as u64, DATA, 1000]);
    let names = w.get(INIT, DATA, listed.unwrap() as usize);
    assert!(names.len() < 64, "only itself and its parent");
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
    assert_eq!(fields.split_whitespace().nth(29), Some("2"));
    assert_eq!(fields.split_whitespace().nth(35), Some("17"));
    let status = String::from_utf8(w.contents("/proc/1/status").unwrap()).unwrap();
    assert!(status.contains("\nState:\tt (tracing stop)\n"));
    assert!(status.contains("\nTracerPid:\t7\n"));
    w.out.now = 12_340_000_000;
    assert_eq!(w.contents("/proc/uptime"), Ok(b"12.34 10.34\n".to_vec()));
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

#[test]
fn parts_of_a_task_s_memory_are_files() {
    let mut w = World::new();
    w.put(INIT, DATA + 0x8000, b"prog\0-x\0HOME=/\0");
    w.out.layout.arguments = (DATA + 0x8000, DATA + 0x8008);
    w.out.layout.environment = (DATA + 0x8008, DATA + 0x8010);
    assert_eq!(w.contents("/proc/self/cmdline"), Ok(b"prog\0-x\0".into()));
    assert_eq!(w.contents("/proc/1/environ"), Ok(b"HOME=/\0\0".into()));
    let fd = w.open("/proc/1/mem", O_RDWR).unwrap();
    w.put(INIT, DATA, b"P");
    let at = DATA + 0x8000;
    assert_eq!(w.sys(INIT, __NR_pwrite64, &[fd as u64, DATA, 1, at]), Ok(1));
    assert_eq!(
        w.sys(INIT, __NR_pread64, &[fd as u64, DATA + 8, 4, at]),
        Ok(4)
    );
    assert_eq!(w.get(INIT, DATA + 8, 4), b"Prog");
    assert_eq!(
        w.sys(INIT, __NR_pread64, &[fd as u64, DATA, 4, NOWHERE]),
        Err(Errno::EIO)
    );
    w.fork();
    w.out.closed.extend([1, 2]);
    assert!(w.open("/proc/1/mem", O_RDONLY).is_ok(), "one's own");
    for file in ["mem", "environ", "maps", "auxv", "fdinfo/0"] {
        let path = format!("/proc/2/{file}");
        assert_eq!(w.open(&path, O_RDONLY), Err(Errno::EACCES), "{path}");
    }
    for link in ["exe", "cwd", "root", "fd/0"] {
        let path = format!("/proc/2/{link}");
        let read = w.with_path(__NR_readlink, &path, &[DATA, 64]);
        assert_eq!(read, Err(Errno::EACCES), "{path}");
    }
    assert!(w.open("/proc/2/stat", O_RDONLY).is_ok());
}

#[test]
fn maps_has_a_line_for_each_mapping_however_many() {
    let mut w = World::new();
    let tool = FileRange {
        object: ARCHIVE,
        offset: 4096,
        size: 10,
    };
    w.out.mappings = (0..40u64)
        .map(|i| abi::fs::Mapping {
            start: 0x400000 + i * 0x2000,
            end: 0x401000 + i * 0x2000,
            prot: PROT_READ | PROT_EXEC,
            shared: false,
            offset: 0x3000,
            of: match i {
                0 => abi::fs::MappingOf::File(tool),
                39 => abi::fs::MappingOf::Stack,
                _ => abi::fs::MappingOf::Anonymous,
            },
        })
        .collect();
    let text = String::from_utf8(w.contents("/proc/self/maps").unwrap()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 40);
    let mut words = lines[0].split_whitespace();
    assert_eq!(words.next(), Some("00400000-00401000"));
    assert_eq!(words.next(), Some("r-xp"));
    assert_eq!(words.next(), Some("00003000"));
    assert_eq!(words.next(), Some("00:01"));
    assert_eq!(words.nth(1), Some("/bin/tool"));
    assert_eq!(&lines[39][73..], "[stack]");
}

#[test]
fn a_process_sets_its_own_name_and_no_other() {
    let mut w = World::new();
    w.fork();
    let fd = w.open("/proc/self/comm", O_RDWR).unwrap();
    assert_eq!(w.write(INIT, fd, b"a new name that is long\n"), Ok(24));
    assert_eq!(w.contents("/proc/1/comm"), Ok(b"a new name that\n".into()));
    let fd = w.open("/proc/2/comm", O_RDWR).unwrap();
    assert_eq!(w.write(INIT, fd, b"x"), Err(Errno::EINVAL));
}

#[test]
fn the_machine_is_told_of_as_programs_parse_it() {
    let mut w = World::new();
    let text = |w: &mut World, path: &str| String::from_utf8(w.contents(path).unwrap()).unwrap();
    assert!(text(&mut w, "/proc/meminfo").starts_with("MemTotal:         524288 kB\nMemFree: "));
    assert_eq!(text(&mut w, "/proc/loadavg"), "1.00 1.00 1.00 1/3 9\n");
    assert_eq!(text(&mut w, "/proc/sys/kernel/pid_max"), "32768\n");
    assert!(text(&mut w, "/proc/stat").starts_with("cpu  200 0 0 0 "));
    assert!(text(&mut w, "/proc/mounts").starts_with("archive / "));
    assert!(text(&mut w, "/proc/self/limits").contains("\nMax open files            1024  "));
    assert!(text(&mut w, "/proc/self/fdinfo/0").starts_with("pos:\t0\nflags:\t02\n"));
}

#[test]
fn a_file_that_is_read_again_from_the_start_says_how_it_is_now() {
    let mut w = World::new();
    w.out.now = 2_000_000_000;
    let fd = w.open("/proc/uptime", O_RDONLY).unwrap();
    assert_eq!(w.read(INIT, fd, 4), Ok(b"2.00".into()));
    w.out.now = 3_000_000_000;
    assert_eq!(w.read(INIT, fd, 100), Ok(b" 0.00\n".into()));
    assert_eq!(w.sys(INIT, __NR_lseek, &[fd as u64, 0, 0]), Ok(0));
    assert_eq!(w.read(INIT, fd, 100), Ok(b"3.00 1.00\n".into()));
}

#[test]
fn the_counts_are_for_the_superuser() {
    let mut w = World::new();
    let text = String::from_utf8(w.contents("/proc/stillpoint").unwrap()).unwrap();
    let has = |line: &str| assert!(text.lines().any(|own| own == line), "{line}: {text}");
    has("tasks 3");
    has("frames_free 1099511627776");
    has("fs_tasks 1");
    let fd = w.open("/proc/stillpoint", O_RDONLY).unwrap();
    w.fork();
    assert_eq!(w.read(CHILD, fd, 9), Err(Errno::EACCES));
}
