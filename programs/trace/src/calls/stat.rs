//! What the file system tells of a file, a directory and itself.

use bytemuck::{Pod, Zeroable};
use syscalls::x86_64::Sysno;

use super::date::moment;
use crate::call::Arg::{self, DirFd, Fd, Flags, Out, Path};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;

/// Linux's `struct stat`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Stat {
    dev: u64,
    ino: u64,
    nlink: u64,
    mode: u32,
    uid: u32,
    gid: u32,
    pad: u32,
    rdev: u64,
    size: i64,
    blksize: i64,
    blocks: i64,
    times: [[i64; 2]; 3],
    reserved: [u64; 3],
}

const _: () = assert!(size_of::<Stat>() == 144);

/// Linux's `struct statfs`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Statfs {
    kind: u64,
    bsize: u64,
    blocks: u64,
    bfree: u64,
    bavail: u64,
    files: u64,
    ffree: u64,
    fsid: [u32; 2],
    namelen: u64,
    frsize: u64,
    flags: u64,
    spare: [u64; 4],
}

names! {
    /// File systems by their magic numbers.
    MAGIC, "???_MAGIC",
    EXT2_SUPER_MAGIC = 0xef53, TMPFS_MAGIC = 0x0102_1994, PROC_SUPER_MAGIC = 0x9fa0,
    SYSFS_MAGIC = 0x6265_6572, RAMFS_MAGIC = 0x8584_58f6u32, OVERLAYFS_SUPER_MAGIC = 0x794c_7630,
    XFS_SUPER_MAGIC = 0x5846_5342, BTRFS_SUPER_MAGIC = 0x9123_683eu32, DEVPTS_SUPER_MAGIC = 0x1cd1,
    CGROUP2_SUPER_MAGIC = 0x6367_7270, SQUASHFS_MAGIC = 0x7371_7368, NFS_SUPER_MAGIC = 0x6969,
    V9FS_MAGIC = 0x0102_1997, PIPEFS_MAGIC = 0x5049_5045, SOCKFS_MAGIC = 0x534f_434b,
}
names! { ST, "ST_???", ST_VALID = 0x20, ST_RDONLY = 1, ST_NOSUID = 2, ST_NODEV = 4, ST_NOEXEC = 8,
ST_SYNCHRONOUS = 16, ST_MANDLOCK = 64, ST_WRITE = 128, ST_APPEND = 256, ST_IMMUTABLE = 512,
ST_NOATIME = 1024, ST_NODIRATIME = 2048, ST_RELATIME = 4096, }
/// `S_IFDIR`, from a mode.
pub fn file_type(mode: u64) -> Option<&'static str> {
    Some(match mode >> 12 & 15 {
        1 => "S_IFIFO",
        2 => "S_IFCHR",
        4 => "S_IFDIR",
        6 => "S_IFBLK",
        8 => "S_IFREG",
        10 => "S_IFLNK",
        12 => "S_IFSOCK",
        _ => return None,
    })
}

/// `S_IFDIR|S_ISVTX|0777`.
pub fn mode(mode: u64) -> String {
    let mut text = match file_type(mode) {
        Some(name) => name.to_owned(),
        None => format!("0{:02o}", mode & 0o170_000),
    };
    for (bit, name) in [
        (0o4000, "S_ISUID"),
        (0o2000, "S_ISGID"),
        (0o1000, "S_ISVTX"),
    ] {
        if mode & bit != 0 {
            text = text + "|" + name;
        }
    }
    format!("{text}|0{:03o}", mode & 0o777)
}

/// `makedev(0x1, 0x3)`.
pub fn device(device: u64) -> String {
    let major = device >> 8 & 0xfff | device >> 32 & !0xfff;
    let minor = device & 0xff | device >> 12 & 0xffff_ff00;
    format!("makedev({}, {})", hex(major), hex(minor))
}

fn stat(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<Stat>(addr, |cx, stat| {
        let node = matches!(stat.mode >> 12 & 15, 2 | 6);
        let size = match node {
            true => format!("st_rdev={}", device(stat.rdev)),
            false => format!("st_size={}", stat.size),
        };
        let mode = mode(u64::from(stat.mode));
        match cx.look.verbose {
            true => cx.put(&full_stat(stat, &mode, &size)),
            false => cx.put(&format!("{{st_mode={mode}, {size}, ...}}")),
        }
    });
}

fn full_stat(stat: &Stat, mode: &str, size: &str) -> String {
    let mut text = format!(
        "{{st_dev={}, st_ino={}, st_mode={mode}, st_nlink={}, st_uid={}, st_gid={}, \
         st_blksize={}, st_blocks={}, {size}",
        device(stat.dev),
        stat.ino,
        stat.nlink,
        stat.uid,
        stat.gid,
        stat.blksize,
        stat.blocks
    );
    for (name, [sec, nsec]) in ["atime", "mtime", "ctime"].into_iter().zip(stat.times) {
        let date = moment(sec, nsec, 9);
        text += &format!(", st_{name}={sec}{date}, st_{name}_nsec={nsec}");
    }
    text + "}"
}

/// In hexadecimal, zero as `0`.
pub fn hex(value: u64) -> String {
    if value == 0 {
        "0".to_owned()
    } else {
        format!("{value:#x}")
    }
}

fn statfs(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<Statfs>(addr, |cx, fs| {
        cx.put(&format!(
            "{{f_type={}, f_bsize={}, f_blocks={}, f_bfree={}, f_bavail={}, f_files={}, \
             f_ffree={}, f_fsid={{val=[{}, {}]}}, f_namelen={}, f_frsize={}, f_flags={}}}",
            MAGIC.choice(fs.kind),
            fs.bsize,
            fs.blocks,
            fs.bfree,
            fs.bavail,
            fs.files,
            fs.ffree,
            hex(u64::from(fs.fsid[0])),
            hex(u64::from(fs.fsid[1])),
            fs.namelen,
            fs.frsize,
            ST.flags(fs.flags)
        ));
    });
}

const STAT: Arg = Out(stat);

/// The system calls of this file.
pub const CALLS: &[Call] = &[
    Call::new(Sysno::stat, &[Path, STAT], Ret::Int),
    Call::new(Sysno::lstat, &[Path, STAT], Ret::Int),
    Call::new(Sysno::fstat, &[Fd, STAT], Ret::Int),
    Call::new(
        Sysno::newfstatat,
        &[DirFd, Path, STAT, Flags(&super::path::AT)],
        Ret::Int,
    ),
    Call::new(Sysno::statfs, &[Path, Out(statfs)], Ret::Int),
    Call::new(Sysno::fstatfs, &[Fd, Out(statfs)], Ret::Int),
];

#[cfg(test)]
mod tests {
    use super::{device, mode};

    #[test]
    fn devices_are_taken_apart() {
        assert_eq!(device(0x103), "makedev(0x1, 0x3)");
        assert_eq!(device(0xfe00), "makedev(0xfe, 0)");
        assert_eq!(device(0x1234_5000_0678), "makedev(0x1006, 0x23450078)");
    }

    #[test]
    fn modes_name_the_type_and_the_special_bits() {
        assert_eq!(mode(0o041_777), "S_IFDIR|S_ISVTX|0777");
        assert_eq!(mode(0o104_755), "S_IFREG|S_ISUID|0755");
        assert_eq!(mode(0o644), "000|0644");
    }
}
