//! Directories, links and renaming.

use crate::world::*;
use abi::Errno;

#[test]
fn directories_are_made_listed_and_removed() {
    let mut w = World::new();
    w.with_path(__NR_mkdir, "/tmp/d", &[0o777]).unwrap();
    assert_eq!(w.stat(__NR_stat, "/tmp/d"), Ok((S_IFDIR | 0o755, 40)));
    w.file("/tmp/d/a", b"");
    w.with_path(__NR_mkdir, "/tmp/d/b/", &[0o700]).unwrap();
    w.with_paths(__NR_symlink, "a", "/tmp/d/c").unwrap();
    let expected: Vec<(String, u8)> = [(".", 4), ("..", 4), ("a", 8), ("b", 4), ("c", 10)]
        .map(|(n, t)| (n.into(), t))
        .into();
    assert_eq!(w.list("/tmp/d", 4096), expected);
    assert_eq!(w.list("/tmp/d", 30), expected);
    assert_eq!(
        w.with_path(__NR_rmdir, "/tmp/d", &[]),
        Err(Errno::ENOTEMPTY)
    );
    assert_eq!(
        w.with_path(__NR_rmdir, "/tmp/d/a", &[]),
        Err(Errno::ENOTDIR)
    );
    assert_eq!(w.with_path(__NR_rmdir, "/tmp/d/.", &[]), Err(Errno::EINVAL));
    assert_eq!(
        w.with_path(__NR_rmdir, "/tmp/d/..", &[]),
        Err(Errno::ENOTEMPTY)
    );
    assert_eq!(w.with_path(__NR_rmdir, "/", &[]), Err(Errno::EBUSY));
    assert_eq!(w.with_path(__NR_rmdir, "/tmp", &[]), Err(Errno::EBUSY));
    assert_eq!(
        w.with_path(__NR_unlink, "/tmp/d/b", &[]),
        Err(Errno::EISDIR)
    );
    assert_eq!(
        w.with_path(__NR_unlink, "/tmp/d/a/", &[]),
        Err(Errno::ENOTDIR)
    );
    assert_eq!(
        w.with_path(__NR_unlink, "/tmp/none", &[]),
        Err(Errno::ENOENT)
    );
    for name in ["/tmp/d/a", "/tmp/d/c"] {
        w.with_path(__NR_unlink, name, &[]).unwrap();
    }
    w.with_path(__NR_rmdir, "/tmp/d/b", &[]).unwrap();
    w.with_path(__NR_rmdir, "/tmp/d", &[]).unwrap();
    assert_eq!(w.stat(__NR_stat, "/tmp/d"), Err(Errno::ENOENT));
}

#[test]
fn getdents_says_what_does_not_fit() {
    let mut w = World::new();
    let fd = w.open("/tmp", O_RDONLY).unwrap() as u64;
    assert_eq!(
        w.sys(INIT, __NR_getdents64, &[fd, DATA, 10]),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        w.sys(INIT, __NR_getdents64, &[0, DATA, 100]),
        Err(Errno::ENOTDIR)
    );
    assert_eq!(
        w.sys(INIT, __NR_getdents64, &[fd, NOWHERE, 100]),
        Err(Errno::EFAULT)
    );
    assert_eq!(w.sys(INIT, __NR_getdents64, &[fd, DATA, 100]), Ok(48));
}

#[test]
fn a_name_removed_while_a_directory_is_read_loses_no_other() {
    let mut w = World::new();
    for name in ["/tmp/a", "/tmp/b", "/tmp/c"] {
        w.file(name, b"");
    }
    let fd = w.open("/tmp", O_RDONLY).unwrap() as u64;
    assert_eq!(w.sys(INIT, __NR_getdents64, &[fd, DATA, 72]), Ok(72));
    w.with_path(__NR_unlink, "/tmp/a", &[]).unwrap();
    assert_eq!(w.sys(INIT, __NR_getdents64, &[fd, DATA, 72]), Ok(48));
    assert_eq!(w.get(INIT, DATA + 19, 1), b"b");
    assert_eq!(w.get(INIT, DATA + 24 + 19, 1), b"c");
}

#[test]
fn the_root_has_what_is_mounted() {
    let mut w = World::new();
    let names: Vec<String> = w
        .list("/", 4096)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    for name in ["bin", "etc", "usr", "tmp", "dev", "proc"] {
        assert!(names.iter().any(|own| own == name), "{name} in {names:?}");
    }
}

#[test]
fn renaming_moves_and_replaces() {
    let mut w = World::new();
    w.file("/tmp/a", b"a");
    w.file("/tmp/b", b"b");
    let objects = w.out.objects();
    w.with_paths(__NR_rename, "/tmp/a", "/tmp/b").unwrap();
    assert_eq!(w.out.objects(), objects - 1);
    assert_eq!(w.contents("/tmp/b"), Ok(b"a".to_vec()));
    assert_eq!(w.contents("/tmp/a"), Err(Errno::ENOENT));
    for name in ["/tmp/d", "/tmp/d/e", "/tmp/f"] {
        w.with_path(__NR_mkdir, name, &[0o777]).unwrap();
    }
    assert_eq!(
        w.with_paths(__NR_rename, "/tmp/d", "/tmp/d/e/x"),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        w.with_paths(__NR_rename, "/tmp/f", "/tmp/d"),
        Err(Errno::ENOTEMPTY)
    );
    assert_eq!(
        w.with_paths(__NR_rename, "/tmp/d/e", "/tmp/d"),
        Err(Errno::ENOTEMPTY)
    );
    assert_eq!(
        w.with_paths(__NR_rename, "/tmp/b", "/tmp/d"),
        Err(Errno::EISDIR)
    );
    assert_eq!(
        w.with_paths(__NR_rename, "/tmp/d", "/tmp/b"),
        Err(Errno::ENOTDIR)
    );
    assert_eq!(
        w.with_paths(__NR_rename, "/tmp/b/", "/tmp/c"),
        Err(Errno::ENOTDIR)
    );
    assert_eq!(
        w.with_paths(__NR_rename, "/tmp/b", "/bin/b"),
        Err(Errno::EXDEV)
    );
    assert_eq!(
        w.with_paths(__NR_rename, "/bin/tool", "/bin/b"),
        Err(Errno::EROFS)
    );
    assert_eq!(
        w.with_paths(__NR_rename, "/tmp/none", "/tmp/c"),
        Err(Errno::ENOENT)
    );
    assert_eq!(
        w.with_paths(__NR_rename, "/tmp/.", "/tmp/c"),
        Err(Errno::EBUSY)
    );
    w.with_paths(__NR_rename, "/tmp/d", "/tmp/f").unwrap();
    assert!(w.stat(__NR_stat, "/tmp/f/e").is_ok());
    assert_eq!(w.stat(__NR_stat, "/tmp/d"), Err(Errno::ENOENT));
    w.with_paths(__NR_rename, "/tmp/f/e", "/tmp/e").unwrap();
    assert_eq!(w.stat(__NR_stat, "/tmp/e/../b"), Ok((S_IFREG | 0o644, 1)));
    let here = AT_FDCWD as u64;
    let (a, b) = (
        w.string(INIT, PATH, "/tmp/b"),
        w.string(INIT, PATH2, "/tmp/e"),
    );
    let mut rename = |flags: u32| w.sys(INIT, __NR_renameat2, &[here, a, here, b, flags.into()]);
    assert_eq!(rename(RENAME_NOREPLACE), Err(Errno::EEXIST));
    let both = RENAME_EXCHANGE | RENAME_NOREPLACE;
    assert_eq!(rename(both), Err(Errno::EINVAL));
    assert_eq!(rename(8), Err(Errno::EINVAL));
    assert_eq!(rename(RENAME_EXCHANGE), Ok(0));
    assert_eq!(w.stat(__NR_stat, "/tmp/e"), Ok((S_IFREG | 0o644, 1)));
    assert_eq!(w.stat(__NR_stat, "/tmp/b/../e"), Ok((S_IFREG | 0o644, 1)));
}

#[test]
fn hard_links_are_one_file() {
    let mut w = World::new();
    w.file("/tmp/a", b"a");
    w.with_paths(__NR_link, "/tmp/a", "/tmp/b").unwrap();
    w.with_path(__NR_stat, "/tmp/b", &[DATA]).unwrap();
    assert_eq!(w.word(INIT, DATA + 16), 2);
    w.with_path(__NR_unlink, "/tmp/a", &[]).unwrap();
    assert_eq!(w.contents("/tmp/b"), Ok(b"a".to_vec()));
    assert_eq!(
        w.with_paths(__NR_link, "/tmp/b", "/tmp/b"),
        Err(Errno::EEXIST)
    );
    assert_eq!(w.with_paths(__NR_link, "/tmp", "/tmp/t"), Err(Errno::EPERM));
    assert_eq!(
        w.with_paths(__NR_link, "/bin/tool", "/tmp/t"),
        Err(Errno::EXDEV)
    );
    w.with_path(__NR_mkdir, "/tmp/d", &[0o777]).unwrap();
    assert_eq!(
        w.with_paths(__NR_link, "/tmp/d", "/tmp/e"),
        Err(Errno::EPERM)
    );
}

#[test]
fn links_are_read() {
    let mut w = World::new();
    assert_eq!(w.with_path(__NR_readlink, "/bin/link", &[DATA, 100]), Ok(4));
    assert_eq!(w.get(INIT, DATA, 4), b"tool");
    assert_eq!(w.with_path(__NR_readlink, "/bin/link", &[DATA, 2]), Ok(2));
    assert_eq!(
        w.with_path(__NR_readlink, "/bin/link", &[DATA, 0]),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        w.with_path(__NR_readlink, "/bin/tool", &[DATA, 9]),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        w.with_path(__NR_readlink, "/bin/none", &[DATA, 9]),
        Err(Errno::ENOENT)
    );
    assert_eq!(w.stat(__NR_lstat, "/bin/link"), Ok((S_IFLNK | 0o777, 4)));
    assert_eq!(w.stat(__NR_stat, "/bin/link").unwrap().1, TOOL.len() as u64);
    assert_eq!(
        w.stat(__NR_stat, "/etc/abs/tool").unwrap().1,
        TOOL.len() as u64
    );
}

#[test]
fn the_working_directory_moves() {
    let mut w = World::new();
    w.with_path(__NR_mkdir, "/tmp/d", &[0o777]).unwrap();
    w.with_path(__NR_chdir, "/tmp/d", &[]).unwrap();
    assert_eq!(w.sys(INIT, __NR_getcwd, &[DATA, 100]), Ok(7));
    assert_eq!(w.get(INIT, DATA, 7), b"/tmp/d\0");
    assert_eq!(w.sys(INIT, __NR_getcwd, &[DATA, 6]), Err(Errno::ERANGE));
    w.file("here", b"x");
    assert_eq!(w.contents("/tmp/d/here"), Ok(b"x".to_vec()));
    assert_eq!(w.with_path(__NR_chdir, "here", &[]), Err(Errno::ENOTDIR));
    w.with_path(__NR_unlink, "here", &[]).unwrap();
    w.with_path(__NR_rmdir, "/tmp/d", &[]).unwrap();
    assert_eq!(w.sys(INIT, __NR_getcwd, &[DATA, 100]), Err(Errno::ENOENT));
    assert_eq!(w.open("new", O_CREAT), Err(Errno::ENOENT));
    assert_eq!(w.with_path(__NR_mkdir, "new", &[0]), Err(Errno::ENOENT));
    assert_eq!(w.with_path(__NR_chdir, "..", &[]), Ok(0));
    let fd = w.open("/bin", O_PATH).unwrap() as u64;
    assert_eq!(w.sys(INIT, __NR_fchdir, &[fd]), Ok(0));
    assert!(w.open("tool", O_RDONLY).is_ok());
}

#[test]
fn removed_directories_with_users_go_in_any_order() {
    let mut w = World::new();
    let before = w.fs.population();
    w.with_path(__NR_mkdir, "/tmp/a", &[0o777]).unwrap();
    w.with_path(__NR_mkdir, "/tmp/a/b", &[0o777]).unwrap();
    let fd = w.open("/tmp/a/b", O_RDONLY).unwrap();
    w.file("/tmp/a/b/f", b"x");
    let file = w.open("/tmp/a/b/f", O_RDONLY).unwrap();
    w.with_path(__NR_unlink, "/tmp/a/b/f", &[]).unwrap();
    w.with_path(__NR_rmdir, "/tmp/a/b", &[]).unwrap();
    w.with_path(__NR_rmdir, "/tmp/a", &[]).unwrap();
    w.close(INIT, fd).unwrap();
    let link = format!("/proc/self/fd/{file}");
    let len = w.with_path(__NR_readlink, &link, &[DATA, 100]).unwrap();
    assert_eq!(w.get(INIT, DATA, len as usize), b"/tmp/a/b/f (deleted)");
    w.close(INIT, file).unwrap();
    assert_eq!(w.fs.population(), before);
}

#[test]
fn the_mask_takes_permissions_away() {
    let mut w = World::new();
    assert_eq!(w.sys(INIT, __NR_umask, &[0o7077]), Ok(0o022));
    w.file("/tmp/a", b"");
    assert_eq!(w.stat(__NR_stat, "/tmp/a").unwrap().0, S_IFREG | 0o600);
    assert_eq!(w.sys(INIT, __NR_umask, &[0]), Ok(0o077));
}
