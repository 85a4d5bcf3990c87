//! Names of files: making, moving, removing and looking them up.

use syscalls::x86_64::Sysno;

use super::stat::file_type;
use crate::call::Arg::{
    DirFd, Fd, Filled, Flags, Flags64, Id, In, Mode, Out, Path, Size, Str, Uint, When,
};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;

names! {
    /// `AT_` flags of the calls that take a directory.
    AT, "AT_???",
    AT_SYMLINK_NOFOLLOW = 0x100, AT_REMOVEDIR = 0x200, AT_SYMLINK_FOLLOW = 0x400,
    AT_NO_AUTOMOUNT = 0x800, AT_EMPTY_PATH = 0x1000, AT_RECURSIVE = 0x8000,
}
names! {
    /// `AT_EACCESS` has the number that `AT_REMOVEDIR` has elsewhere.
    AT_ACCESS, "AT_???", AT_SYMLINK_NOFOLLOW = 0x100, AT_EACCESS = 0x200, AT_EMPTY_PATH = 0x1000,
}
names! { ACCESS, "?_OK", F_OK = 0, R_OK = 4, W_OK = 2, X_OK = 1, }
names! { RENAME, "RENAME_???", RENAME_NOREPLACE = 1, RENAME_EXCHANGE = 2, RENAME_WHITEOUT = 4, }
names! { UMOUNT, "MNT_???", MNT_FORCE = 1, MNT_DETACH = 2, MNT_EXPIRE = 4, UMOUNT_NOFOLLOW = 8, }
names! { MOUNT, "MS_???", MS_RDONLY = 1, MS_NOSUID = 2, MS_NODEV = 4, MS_NOEXEC = 8,
MS_SYNCHRONOUS = 16, MS_REMOUNT = 32, MS_MANDLOCK = 64, MS_DIRSYNC = 128, MS_NOSYMFOLLOW = 256,
MS_NOATIME = 1024, MS_NODIRATIME = 2048, MS_BIND = 4096, MS_MOVE = 8192, MS_REC = 16384,
MS_SILENT = 32768, MS_POSIXACL = 1 << 16, MS_UNBINDABLE = 1 << 17, MS_PRIVATE = 1 << 18,
MS_SLAVE = 1 << 19, MS_SHARED = 1 << 20, MS_RELATIME = 1 << 21, MS_KERNMOUNT = 1 << 22,
MS_I_VERSION = 1 << 23, MS_STRICTATIME = 1 << 24, MS_LAZYTIME = 1 << 25, }
names! { XATTR, "XATTR_???", XATTR_CREATE = 1, XATTR_REPLACE = 2, }

fn working_directory(cx: &mut Cx<'_>, addr: u64) {
    match cx.failed() {
        true => cx.addr(addr),
        false => cx.path(addr),
    }
}

fn node_mode(cx: &mut Cx<'_>, mode: u64) {
    match file_type(mode) {
        Some(name) => cx.put(&format!("{name}|0{:02o}", mode & 0o7777)),
        None => cx.mode(mode & 0xffff),
    }
}

fn is_device(mode: u64) -> bool {
    matches!(mode & 0o170_000, 0o020_000 | 0o060_000)
}

fn device(cx: &mut Cx<'_>, device: u64) {
    cx.put(&super::stat::device(device));
}

/// With these flags the kernel looks at neither type nor data.
const NO_TYPE: u64 = 32 | 4096 | 8192 | 1 << 17 | 1 << 18 | 1 << 19 | 1 << 20;
const NO_DATA: u64 = NO_TYPE & !32;

fn mount_type(cx: &mut Cx<'_>, addr: u64) {
    match cx.args[3] & NO_TYPE {
        0 => cx.string(addr),
        _ => cx.addr(addr),
    }
}

fn mount_data(cx: &mut Cx<'_>, addr: u64) {
    match cx.args[3] & NO_DATA {
        0 => cx.string(addr),
        _ => cx.addr(addr),
    }
}

fn attribute(cx: &mut Cx<'_>, addr: u64) {
    cx.bytes(addr, cx.args[3], crate::quote::Style::Octal);
}

/// The system calls of this file.
pub const CALLS: &[Call] = &[
    Call::new(Sysno::access, &[Path, Flags(&ACCESS)], Ret::Int),
    Call::new(Sysno::faccessat, &[DirFd, Path, Flags(&ACCESS)], Ret::Int),
    Call::new(
        Sysno::faccessat2,
        &[DirFd, Path, Flags(&ACCESS), Flags(&AT_ACCESS)],
        Ret::Int,
    ),
    Call::new(Sysno::readlink, &[Path, Filled, Size], Ret::Int),
    Call::new(Sysno::readlinkat, &[DirFd, Path, Filled, Size], Ret::Int),
    Call::new(Sysno::unlink, &[Path], Ret::Int),
    Call::new(Sysno::unlinkat, &[DirFd, Path, Flags(&AT)], Ret::Int),
    Call::new(Sysno::rename, &[Path, Path], Ret::Int),
    Call::new(Sysno::renameat, &[DirFd, Path, DirFd, Path], Ret::Int),
    Call::new(
        Sysno::renameat2,
        &[DirFd, Path, DirFd, Path, Flags(&RENAME)],
        Ret::Int,
    ),
    Call::new(Sysno::link, &[Path, Path], Ret::Int),
    Call::new(
        Sysno::linkat,
        &[DirFd, Path, DirFd, Path, Flags(&AT)],
        Ret::Int,
    ),
    Call::new(Sysno::symlink, &[Path, Path], Ret::Int),
    Call::new(Sysno::symlinkat, &[Path, DirFd, Path], Ret::Int),
    Call::new(Sysno::mkdir, &[Path, Mode], Ret::Int),
    Call::new(Sysno::mkdirat, &[DirFd, Path, Mode], Ret::Int),
    Call::new(Sysno::rmdir, &[Path], Ret::Int),
    Call::new(Sysno::chdir, &[Path], Ret::Int),
    Call::new(Sysno::fchdir, &[Fd], Ret::Int),
    Call::new(Sysno::chroot, &[Path], Ret::Int),
    Call::new(Sysno::pivot_root, &[Path, Path], Ret::Int),
    Call::new(Sysno::getcwd, &[Out(working_directory), Size], Ret::Int),
    Call::new(Sysno::chmod, &[Path, Mode], Ret::Int),
    Call::new(Sysno::fchmod, &[Fd, Mode], Ret::Int),
    Call::new(Sysno::fchmodat, &[DirFd, Path, Mode], Ret::Int),
    Call::new(Sysno::chown, &[Path, Id, Id], Ret::Int),
    Call::new(Sysno::lchown, &[Path, Id, Id], Ret::Int),
    Call::new(Sysno::fchown, &[Fd, Id, Id], Ret::Int),
    Call::new(
        Sysno::fchownat,
        &[DirFd, Path, Id, Id, Flags(&AT)],
        Ret::Int,
    ),
    Call::new(
        Sysno::mknod,
        &[
            Path,
            In(node_mode),
            When(|args| is_device(args[1]), &In(device)),
        ],
        Ret::Int,
    ),
    Call::new(
        Sysno::mknodat,
        &[
            DirFd,
            Path,
            In(node_mode),
            When(|args| is_device(args[2]), &In(device)),
        ],
        Ret::Int,
    ),
    Call::new(
        Sysno::mount,
        &[Path, Path, In(mount_type), Flags64(&MOUNT), In(mount_data)],
        Ret::Int,
    ),
    Call::new(Sysno::umount2, &[Path, Flags(&UMOUNT)], Ret::Int),
    Call::new(Sysno::swapon, &[Path, crate::call::Arg::Hex], Ret::Int),
    Call::new(Sysno::swapoff, &[Path], Ret::Int),
    Call::new(Sysno::acct, &[Path], Ret::Int),
    Call::new(Sysno::uselib, &[Path], Ret::Int),
    Call::new(Sysno::getxattr, &[Path, Str, Filled, Size], Ret::Int),
    Call::new(Sysno::lgetxattr, &[Path, Str, Filled, Size], Ret::Int),
    Call::new(Sysno::fgetxattr, &[Fd, Str, Filled, Size], Ret::Int),
    Call::new(
        Sysno::setxattr,
        &[Path, Str, In(attribute), Size, Flags(&XATTR)],
        Ret::Int,
    ),
    Call::new(
        Sysno::lsetxattr,
        &[Path, Str, In(attribute), Size, Flags(&XATTR)],
        Ret::Int,
    ),
    Call::new(
        Sysno::fsetxattr,
        &[Fd, Str, In(attribute), Size, Flags(&XATTR)],
        Ret::Int,
    ),
    Call::new(Sysno::listxattr, &[Path, Filled, Size], Ret::Int),
    Call::new(Sysno::llistxattr, &[Path, Filled, Size], Ret::Int),
    Call::new(Sysno::flistxattr, &[Fd, Filled, Size], Ret::Int),
    Call::new(Sysno::removexattr, &[Path, Str], Ret::Int),
    Call::new(Sysno::lremovexattr, &[Path, Str], Ret::Int),
    Call::new(Sysno::fremovexattr, &[Fd, Str], Ret::Int),
    Call::new(Sysno::inotify_init, &[], Ret::Fd),
    Call::new(Sysno::memfd_create, &[Str, Flags(&MFD)], Ret::Fd),
    Call::new(Sysno::sethostname, &[Str, Uint], Ret::Int),
    Call::new(Sysno::setdomainname, &[Str, Uint], Ret::Int),
];

names! { MFD, "MFD_???", MFD_CLOEXEC = 1, MFD_ALLOW_SEALING = 2, MFD_HUGETLB = 4,
MFD_NOEXEC_SEAL = 8, MFD_EXEC = 16, }
