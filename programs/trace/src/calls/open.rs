//! Opening files.

use linux_raw_sys::general as k;
use syscalls::x86_64::Sysno;

use crate::call::Arg::{DirFd, Fd, Flags, In, Mode, Path, Uint, When};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;

names! {
    /// `O_` flags without the access mode.
    FLAGS, "O_???",
    O_CREAT = k::O_CREAT, O_EXCL = k::O_EXCL, O_NOCTTY = k::O_NOCTTY, O_TRUNC = k::O_TRUNC,
    O_APPEND = k::O_APPEND, O_NONBLOCK = k::O_NONBLOCK, O_SYNC = k::O_SYNC, O_DSYNC = k::O_DSYNC,
    O_DIRECT = k::O_DIRECT, O_LARGEFILE = 0o100_000, O_NOFOLLOW = k::O_NOFOLLOW,
    O_NOATIME = k::O_NOATIME, O_CLOEXEC = k::O_CLOEXEC, O_PATH = k::O_PATH,
    O_TMPFILE = 0o20_200_000, O_DIRECTORY = k::O_DIRECTORY, FASYNC = k::FASYNC,
}
names! { ACCESS_MODE, "O_???", O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_ACCMODE = 3, }
names! {
    /// How to close a range.
    CLOSE_RANGE, "CLOSE_RANGE_???", CLOSE_RANGE_UNSHARE = 2, CLOSE_RANGE_CLOEXEC = 4,
}

/// `O_WRONLY|O_CREAT`: the access mode is always there.
pub fn open_flags(value: u64) -> String {
    let value = value & 0xffff_ffff;
    let access = ACCESS_MODE.choice(value & 3);
    match value & !3 {
        0 => access,
        rest => match FLAGS.split(rest) {
            (named, 0) => format!("{access}|{named}"),
            (named, rest) if named.is_empty() => format!("{access}|{rest:#x}"),
            (named, rest) => format!("{access}|{named}|{rest:#x}"),
        },
    }
}

fn flags(cx: &mut Cx<'_>, value: u64) {
    cx.put(&open_flags(value));
}

const CREATES: u64 = k::O_CREAT as u64 | 0o20_000_000;

/// The system calls of this file.
pub const CALLS: &[Call] = &[
    Call::new(
        Sysno::open,
        &[Path, In(flags), When(|args| args[1] & CREATES != 0, &Mode)],
        Ret::Fd,
    ),
    Call::new(
        Sysno::openat,
        &[
            DirFd,
            Path,
            In(flags),
            When(|args| args[2] & CREATES != 0, &Mode),
        ],
        Ret::Fd,
    ),
    Call::new(Sysno::creat, &[Path, Mode], Ret::Fd),
    Call::new(Sysno::close, &[Fd], Ret::Int),
    Call::new(
        Sysno::close_range,
        &[Uint, Uint, Flags(&CLOSE_RANGE)],
        Ret::Int,
    ),
    Call::new(Sysno::dup, &[Fd], Ret::Fd),
    Call::new(Sysno::dup2, &[Fd, Fd], Ret::Fd),
    Call::new(Sysno::dup3, &[Fd, Fd, Flags(&FLAGS)], Ret::Fd),
];
