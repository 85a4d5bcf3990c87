//! fcntl: what its third argument is depends on the second.

use bytemuck::{Pod, Zeroable};
use syscalls::x86_64::Sysno;

use crate::call::Arg::{self, Choice, Fd};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;
use crate::signals;

names! { COMMAND, "F_???", F_DUPFD = 0, F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4,
F_GETLK = 5, F_SETLK = 6, F_SETLKW = 7, F_SETOWN = 8, F_GETOWN = 9, F_SETSIG = 10, F_GETSIG = 11,
F_SETOWN_EX = 15, F_GETOWN_EX = 16, F_OFD_GETLK = 36, F_OFD_SETLK = 37, F_OFD_SETLKW = 38,
F_SETLEASE = 1024, F_GETLEASE = 1025, F_NOTIFY = 1026, F_DUPFD_CLOEXEC = 1030,
F_SETPIPE_SZ = 1031, F_GETPIPE_SZ = 1032, F_ADD_SEALS = 1033, F_GET_SEALS = 1034, }
names! { FD, "FD_???", FD_CLOEXEC = 1, }
names! { LOCK, "F_???", F_RDLCK = 0, F_WRLCK = 1, F_UNLCK = 2, F_EXLCK = 4, F_SHLCK = 8, }
names! { SEAL, "F_SEAL_???", F_SEAL_SEAL = 1, F_SEAL_SHRINK = 2, F_SEAL_GROW = 4,
F_SEAL_WRITE = 8, F_SEAL_FUTURE_WRITE = 16, }

const GETFD: u64 = 1;
const SETFD: u64 = 2;
const GETFL: u64 = 3;
const SETFL: u64 = 4;
const GETLK: u64 = 5;
const OFD_GETLK: u64 = 36;
const ADD_SEALS: u64 = 1033;
const GET_SEALS: u64 = 1034;

/// Linux's `struct flock`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Flock {
    kind: i16,
    whence: i16,
    pad: i32,
    start: i64,
    len: i64,
    pid: i32,
    pad2: i32,
}

fn lock(cx: &mut Cx<'_>, lock: &Flock, with_pid: bool) {
    const WHENCE: [&str; 3] = ["SEEK_SET", "SEEK_CUR", "SEEK_END"];
    cx.put(&format!(
        "{{l_type={}, l_whence={}, l_start={}, l_len={}",
        LOCK.choice(lock.kind as u64),
        WHENCE.get(lock.whence as usize).unwrap_or(&"SEEK_???"),
        lock.start,
        lock.len
    ));
    if with_pid {
        cx.put(&format!(", l_pid={}", lock.pid));
    }
    cx.put("}");
}

fn fills(args: &[u64; 6]) -> bool {
    matches!(args[1], GETLK | OFD_GETLK)
}

fn has_argument(args: &[u64; 6]) -> bool {
    !matches!(args[1], GETFD | GETFL | 9 | 11 | 1025 | 1032 | GET_SEALS)
}

fn argument(cx: &mut Cx<'_>, value: u64) {
    match cx.args[1] {
        0 | 8 | 1030 | 1031 => cx.int(value as i32),
        10 => cx.put(&signals::name(value as i32)),
        SETFD => cx.put(&FD.flags(value & 0xffff_ffff)),
        SETFL => cx.put(&super::open::open_flags(value)),
        GETLK | OFD_GETLK => cx.out::<Flock>(value, |cx, it| lock(cx, it, true)),
        6 | 7 | 37 | 38 => cx.given::<Flock>(value, |cx, it| lock(cx, it, false)),
        1024 => cx.put(&LOCK.choice(value)),
        ADD_SEALS => cx.put(&SEAL.flags(value & 0xffff_ffff)),
        _ => cx.hex(value),
    }
}

fn result(cx: &mut Cx<'_>, value: i64) {
    let bits = value as u64;
    match cx.args[1] {
        GETFD if value != 0 => cx.put(&format!("{value:#x} (flags {})", FD.flags(bits))),
        GETFL => cx.put(&format!(
            "{value:#x} (flags {})",
            super::open::open_flags(bits)
        )),
        GET_SEALS => cx.put(&format!("{value:#x} (seals {})", SEAL.flags(bits))),
        1025 => cx.put(&format!("{value:#x} ({})", LOCK.choice(bits))),
        11 => cx.put(&format!("{value} ({})", signals::name(value as i32))),
        0 | 1030 => cx.fd(value as i32),
        _ => cx.int(value),
    }
}

const ARGUMENT: Arg = Arg::Either(fills, argument);

/// The system calls of this file.
pub const CALLS: &[Call] = &[Call::new(
    Sysno::fcntl,
    &[Fd, Choice(&COMMAND), Arg::When(has_argument, &ARGUMENT)],
    Ret::Noted(result),
)];
