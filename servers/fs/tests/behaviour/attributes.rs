//! stat, permissions and times.

use crate::world::*;
use abi::Errno;

#[test]
fn the_stats_agree() {
    let mut w = World::new();
    w.with_path(__NR_stat, "/bin/data", &[DATA]).unwrap();
    let stat = w.get(INIT, DATA, 144);
    let here = AT_FDCWD as u64;
    let path = w.string(INIT, PATH, "/bin/data");
    w.sys(INIT, __NR_newfstatat, &[here, path, DATA, 0])
        .unwrap();
    assert_eq!(w.get(INIT, DATA, 144), stat);
    let fd = w.open("/bin/data", O_RDONLY).unwrap() as u64;
    w.sys(INIT, __NR_fstat, &[fd, DATA]).unwrap();
    assert_eq!(w.get(INIT, DATA, 144), stat);
    let empty = w.string(INIT, PATH, "");
    w.sys(
        INIT,
        __NR_newfstatat,
        &[fd, empty, DATA, AT_EMPTY_PATH.into()],
    )
    .unwrap();
    assert_eq!(w.get(INIT, DATA, 144), stat);
    let path = w.string(INIT, PATH, "/bin/data");
    w.sys(INIT, __NR_statx, &[here, path, 0, STATX_ALL.into(), DATA])
        .unwrap();
    assert_eq!(w.word(INIT, DATA + 40), 5000);
    assert_eq!(w.word(INIT, DATA + 112), 5);
    assert_eq!(w.get(INIT, DATA + 28, 2), 0o100644u16.to_le_bytes());
    let bad = w.sys(INIT, __NR_statx, &[here, path, 0x6000, 0, DATA]);
    assert_eq!(bad, Err(Errno::EINVAL));
    let bad = w.sys(INIT, __NR_newfstatat, &[here, path, DATA, 1]);
    assert_eq!(bad, Err(Errno::EINVAL));
    let empty = w.string(INIT, PATH, "");
    let bad = w.sys(INIT, __NR_newfstatat, &[here, empty, DATA, 0]);
    assert_eq!(bad, Err(Errno::ENOENT));
    assert_eq!(
        w.with_path(__NR_stat, "/bin/data", &[NOWHERE]),
        Err(Errno::EFAULT)
    );
}

#[test]
fn directories_count_their_subdirectories() {
    let mut w = World::new();
    w.with_path(__NR_mkdir, "/tmp/d", &[0o777]).unwrap();
    w.with_path(__NR_mkdir, "/tmp/d/e", &[0o777]).unwrap();
    w.with_path(__NR_stat, "/tmp/d", &[DATA]).unwrap();
    assert_eq!(w.word(INIT, DATA + 16), 3);
    w.with_paths(__NR_rename, "/tmp/d/e", "/tmp/e").unwrap();
    w.with_path(__NR_stat, "/tmp/d", &[DATA]).unwrap();
    assert_eq!(w.word(INIT, DATA + 16), 2);
}

#[test]
fn access_is_the_superusers() {
    let mut w = World::new();
    let mut access = |path: &str, want: u32| w.with_path(__NR_access, path, &[want.into()]);
    assert_eq!(access("/bin/data", R_OK), Ok(0));
    assert_eq!(access("/bin/data", X_OK), Err(Errno::EACCES));
    assert_eq!(access("/bin/tool", X_OK), Ok(0));
    assert_eq!(access("/bin", X_OK), Ok(0));
    assert_eq!(access("/bin/none", F_OK), Err(Errno::ENOENT));
    assert_eq!(access("/bin/data", 8), Err(Errno::EINVAL));
    assert_eq!(access("/dev/null", W_OK), Ok(0));
    assert_eq!(access("/tmp", W_OK), Ok(0));
}

#[test]
fn permissions_and_owners_change() {
    let mut w = World::new();
    w.file("/tmp/a", b"");
    w.with_path(__NR_chmod, "/tmp/a", &[0o4755]).unwrap();
    assert_eq!(w.stat(__NR_stat, "/tmp/a").unwrap().0, S_IFREG | 0o4755);
    w.with_path(__NR_chown, "/tmp/a", &[5, u64::from(u32::MAX)])
        .unwrap();
    assert_eq!(w.stat(__NR_stat, "/tmp/a").unwrap().0, S_IFREG | 0o755);
    assert_eq!(w.word(INIT, DATA + 28), 5);
    let fd = w.open("/tmp/a", O_RDONLY).unwrap() as u64;
    w.sys(INIT, __NR_fchown, &[fd, 6, 7]).unwrap();
    w.sys(INIT, __NR_fchmod, &[fd, 0o600]).unwrap();
    assert_eq!(w.stat(__NR_stat, "/tmp/a").unwrap().0, S_IFREG | 0o600);
    assert_eq!(w.word(INIT, DATA + 28), 7 << 32 | 6);
}

#[test]
fn times_are_kept_and_set() {
    let mut w = World::new();
    w.out.now = 3_000_000_000;
    w.file("/tmp/a", b"x");
    w.out.now = 4_000_000_000;
    let second = |w: &mut World| {
        w.with_path(__NR_stat, "/tmp/a", &[DATA]).unwrap();
        (w.word(INIT, DATA + 72), w.word(INIT, DATA + 88))
    };
    assert_eq!(second(&mut w), (1_700_000_003, 1_700_000_003));
    // The time of a file is that of its closing, whenever somebody asks.
    w.out.now = 9_000_000_000;
    let fd = w.open("/tmp/a", O_WRONLY).unwrap();
    w.write(INIT, fd, b"y").unwrap();
    assert_eq!(second(&mut w), (1_700_000_003, 1_700_000_009));
    let here = AT_FDCWD as u64;
    let times: Vec<u8> = [7u64, 8, 0, u64::from(UTIME_OMIT)]
        .iter()
        .flat_map(|t| t.to_le_bytes())
        .collect();
    w.put(INIT, PATH2, &times);
    let path = w.string(INIT, PATH, "/tmp/a");
    assert_eq!(w.sys(INIT, __NR_utimensat, &[here, path, PATH2, 0]), Ok(0));
    assert_eq!(second(&mut w), (7, 1_700_000_009));
    w.put(INIT, PATH2, &[0xff; 32]);
    assert_eq!(
        w.sys(INIT, __NR_utimensat, &[here, path, PATH2, 0]),
        Err(Errno::EINVAL)
    );
    w.put(INIT, PATH2, &times);
    assert_eq!(w.sys(INIT, __NR_utime, &[path, PATH2]), Ok(0));
    assert_eq!(second(&mut w), (7, 8));
    w.out.now = 11_000_000_000;
    assert_eq!(w.sys(INIT, __NR_utimensat, &[fd as u64, 0, 0, 0]), Ok(0));
    assert_eq!(second(&mut w), (1_700_000_011, 1_700_000_011));
}

#[test]
fn file_systems_say_what_they_are() {
    let mut w = World::new();
    let mut magic = |path: &str| {
        w.with_path(__NR_statfs, path, &[DATA]).unwrap();
        w.word(INIT, DATA) as u32
    };
    assert_eq!(magic("/tmp"), TMPFS_MAGIC);
    assert_eq!(magic("/proc"), PROC_SUPER_MAGIC);
    assert_eq!(magic("/bin"), RAMFS_MAGIC);
    assert_eq!(w.sys(INIT, __NR_fstatfs, &[0, DATA]), Ok(0));
    // What is in memory has as much room as that.
    w.with_path(__NR_statfs, "/tmp", &[DATA]).unwrap();
    let counts = [1, 2, 3, 4].map(|word| w.word(INIT, DATA + 8 * word));
    assert_eq!(counts, [4096, 131_072, 128_000, 128_000]);
    assert!(w.word(INIT, DATA + 48) < w.word(INIT, DATA + 40));
}
