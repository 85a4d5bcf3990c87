//! Reading, writing and moving data.

use bytemuck::{Pod, Zeroable};
use syscalls::x86_64::Sysno;

use crate::call::Arg::{self, Bytes, Choice, Fd, Filled, Flags, In, Int, Long, Out, Size};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;
use crate::quote::Style;

names! {
    /// Where a file offset counts from.
    WHENCE, "SEEK_???", SEEK_SET = 0, SEEK_CUR = 1, SEEK_END = 2, SEEK_DATA = 3, SEEK_HOLE = 4,
}
names! { RWF, "RWF_???", RWF_HIPRI = 1, RWF_DSYNC = 2, RWF_SYNC = 4, RWF_NOWAIT = 8,
RWF_APPEND = 16, }
names! { SPLICE, "SPLICE_F_???", SPLICE_F_MOVE = 1, SPLICE_F_NONBLOCK = 2, SPLICE_F_MORE = 4,
SPLICE_F_GIFT = 8, }
names! { FALLOC, "FALLOC_FL_???", FALLOC_FL_KEEP_SIZE = 1, FALLOC_FL_PUNCH_HOLE = 2,
FALLOC_FL_NO_HIDE_STALE = 4, FALLOC_FL_COLLAPSE_RANGE = 8, FALLOC_FL_ZERO_RANGE = 16,
FALLOC_FL_INSERT_RANGE = 32, FALLOC_FL_UNSHARE_RANGE = 64, }
names! { ADVICE, "POSIX_FADV_???", POSIX_FADV_NORMAL = 0, POSIX_FADV_RANDOM = 1,
POSIX_FADV_SEQUENTIAL = 2, POSIX_FADV_WILLNEED = 3, POSIX_FADV_DONTNEED = 4,
POSIX_FADV_NOREUSE = 5, }
names! { LOCK, "LOCK_???", LOCK_SH = 1, LOCK_EX = 2, LOCK_UN = 8, LOCK_NB = 4, LOCK_MAND = 32,
LOCK_READ = 64, LOCK_WRITE = 128, }
names! { PIPE, "O_???", O_EXCL = 0o200, O_NONBLOCK = 0o4000, O_DIRECT = 0o40000,
O_CLOEXEC = 0o2_000_000, }

/// Linux's `struct iovec`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Iovec {
    base: u64,
    len: u64,
}

/// Prints iovecs with what they contain: at most `total` bytes of it.
pub fn iovecs(cx: &mut Cx<'_>, addr: u64, count: u64, total: u64) {
    let left = std::cell::Cell::new(total);
    cx.array::<Iovec>(addr, count.min(1024) as usize, |cx, iovec| {
        let here = iovec.len.min(left.get());
        left.set(left.get() - here);
        cx.put("{iov_base=");
        cx.bytes(iovec.base, here, Style::Octal);
        cx.put(", iov_len=");
        cx.int(iovec.len);
        cx.put("}");
    });
}

fn gather(cx: &mut Cx<'_>, addr: u64) {
    iovecs(cx, addr, cx.args[2], u64::MAX);
}

fn scatter(cx: &mut Cx<'_>, addr: u64) {
    if cx.failed() {
        return bare_iovecs(cx, addr);
    }
    iovecs(cx, addr, cx.args[2], cx.returned());
}

/// Nothing has been read into them.
fn bare_iovecs(cx: &mut Cx<'_>, addr: u64) {
    cx.array::<Iovec>(addr, cx.args[2].min(1024) as usize, |cx, iovec| {
        cx.put("{iov_base=");
        cx.addr(iovec.base);
        cx.put(", iov_len=");
        cx.int(iovec.len);
        cx.put("}");
    });
}

fn offset(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<i64>(addr, |cx, value| {
        cx.put("[");
        cx.int(*value);
        cx.put("]");
    });
}

/// An offset the call reads and writes: `[0] => [5]`.
fn moved_offset(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<i64>(addr, |cx, value| {
        let moved = cx.returned() as i64;
        let before = value - moved;
        match moved {
            0 => cx.put(&format!("[{value}]")),
            _ => cx.put(&format!("[{before}] => [{value}]")),
        }
    });
}

fn pair(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<[i32; 2]>(addr, |cx, fds| {
        let (first, second) = (cx.fd_text(fds[0]), cx.fd_text(fds[1]));
        cx.put(&format!("[{first}, {second}]"));
    });
}

/// `pair` for others: two descriptors the call made.
pub const PAIR: Arg = Out(pair);

const GATHER: Arg = In(gather);
const SCATTER: Arg = Out(scatter);

/// The system calls of this file.
pub const CALLS: &[Call] = &[
    Call::new(Sysno::read, &[Fd, Filled, Size], Ret::Int),
    Call::new(Sysno::write, &[Fd, Bytes, Size], Ret::Int),
    Call::new(Sysno::pread64, &[Fd, Filled, Size, Long], Ret::Int),
    Call::new(Sysno::pwrite64, &[Fd, Bytes, Size, Long], Ret::Int),
    Call::new(Sysno::readv, &[Fd, SCATTER, Size], Ret::Int),
    Call::new(Sysno::writev, &[Fd, GATHER, Size], Ret::Int),
    Call::new(Sysno::preadv, &[Fd, SCATTER, Size, Long], Ret::Int),
    Call::new(Sysno::pwritev, &[Fd, GATHER, Size, Long], Ret::Int),
    Call::new(
        Sysno::preadv2,
        &[Fd, SCATTER, Size, Long, In(rwf)],
        Ret::Int,
    ),
    Call::new(
        Sysno::pwritev2,
        &[Fd, GATHER, Size, Long, In(rwf)],
        Ret::Int,
    ),
    Call::new(Sysno::lseek, &[Fd, Long, Choice(&WHENCE)], Ret::Int),
    Call::new(Sysno::pipe, &[PAIR], Ret::Int),
    Call::new(Sysno::pipe2, &[PAIR, Flags(&PIPE)], Ret::Int),
    Call::new(
        Sysno::sendfile,
        &[Fd, Fd, Out(moved_offset), Size],
        Ret::Int,
    ),
    Call::new(
        Sysno::copy_file_range,
        &[Fd, In(offset), Fd, In(offset), Size, Arg::Hex],
        Ret::Int,
    ),
    Call::new(
        Sysno::splice,
        &[Fd, In(offset), Fd, In(offset), Size, Flags(&SPLICE)],
        Ret::Int,
    ),
    Call::new(Sysno::tee, &[Fd, Fd, Size, Flags(&SPLICE)], Ret::Int),
    Call::new(Sysno::fsync, &[Fd], Ret::Int),
    Call::new(Sysno::fdatasync, &[Fd], Ret::Int),
    Call::new(Sysno::syncfs, &[Fd], Ret::Int),
    Call::new(Sysno::sync, &[], Ret::Int),
    Call::new(Sysno::truncate, &[Arg::Path, Size], Ret::Int),
    Call::new(Sysno::ftruncate, &[Fd, Size], Ret::Int),
    Call::new(
        Sysno::fallocate,
        &[Fd, Flags(&FALLOC), Long, Long],
        Ret::Int,
    ),
    Call::new(
        Sysno::fadvise64,
        &[Fd, Long, Size, Choice(&ADVICE)],
        Ret::Int,
    ),
    Call::new(Sysno::readahead, &[Fd, Long, Size], Ret::Int),
    Call::new(Sysno::flock, &[Fd, Flags(&LOCK)], Ret::Int),
    Call::new(Sysno::umask, &[Arg::Mode], Ret::Octal),
    Call::new(
        Sysno::inotify_add_watch,
        &[Fd, Arg::Path, Arg::Hex],
        Ret::Int,
    ),
    Call::new(Sysno::inotify_rm_watch, &[Fd, Int], Ret::Int),
];

fn rwf(cx: &mut Cx<'_>, _: u64) {
    // The flags are the sixth argument; the fifth is a half of the offset that 64-bit
    // tasks do not use.
    cx.put(&RWF.flags(cx.args[5] & 0xffff_ffff));
}
