//! The protocol's own numbers for errors, flags and a file's status (gdb manual, "File-I/O Remote
//! Protocol Extension").

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use libtrace::Errno;

pub const O_RDONLY: u32 = 0;
pub const O_WRONLY: u32 = 1;
pub const O_RDWR: u32 = 2;

/// Flags of open: the protocol's, and Linux's.
const FLAGS: &[(u32, i32)] = &[
    // O_APPEND, O_CREAT, O_TRUNC and O_EXCL.
    (0x8, 0o2000),
    (0x200, 0o100),
    (0x400, 0o1000),
    (0x800, 0o200),
];

/// Errors whose number is Linux's.
const SAME: &[Errno] = &[
    Errno::EPERM,
    Errno::ENOENT,
    Errno::EINTR,
    Errno::EIO,
    Errno::EBADF,
    Errno::EACCES,
    Errno::EFAULT,
    Errno::EBUSY,
    Errno::EEXIST,
    Errno::ENODEV,
    Errno::ENOTDIR,
    Errno::EISDIR,
    Errno::EINVAL,
    Errno::ENFILE,
    Errno::EMFILE,
    Errno::EFBIG,
    Errno::ENOSPC,
    Errno::ESPIPE,
    Errno::EROFS,
];

/// Any other.
const UNKNOWN: i32 = 9999;

/// Linux's flags for the protocol's, beside the two bits for reading and writing.
pub fn open_flags(flags: u32) -> i32 {
    let set = FLAGS.iter().filter(|(ours, _)| flags & ours != 0);
    set.fold(0, |all, (_, linux)| all | linux)
}

/// The protocol's number of a Linux error.
pub fn error(errno: i32) -> i32 {
    match Errno(errno) {
        Errno::ENOSYS => 88,
        Errno::ENAMETOOLONG => 91,
        it if SAME.contains(&it) => errno,
        _ => UNKNOWN,
    }
}

/// The protocol's `struct stat`, whose numbers begin with their most significant byte.
pub fn status(file: &Metadata) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    for word in [
        file.dev() as u32,
        file.ino() as u32,
        file.mode(),
        file.nlink() as u32,
        file.uid(),
        file.gid(),
        file.rdev() as u32,
    ] {
        bytes.extend(word.to_be_bytes());
    }
    for long in [file.size(), file.blksize(), file.blocks()] {
        bytes.extend(long.to_be_bytes());
    }
    for time in [file.atime(), file.mtime(), file.ctime()] {
        bytes.extend((time as u32).to_be_bytes());
    }
    bytes
}
