//! futex: what follows the word's address depends on the operation.

use syscalls::x86_64::Sysno;

use super::time::given_timespec;
use crate::call::Arg::{Addr, In};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;

names! { FUTEX, "FUTEX_???", FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_FD = 2, FUTEX_REQUEUE = 3,
FUTEX_CMP_REQUEUE = 4, FUTEX_WAKE_OP = 5, FUTEX_LOCK_PI = 6, FUTEX_UNLOCK_PI = 7,
FUTEX_TRYLOCK_PI = 8, FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET = 10, FUTEX_WAIT_REQUEUE_PI = 11,
FUTEX_CMP_REQUEUE_PI = 12, FUTEX_LOCK_PI2 = 13, }

fn futex_operation(operation: u64) -> String {
    let (plain, flags) = (operation & 0x7f, operation & 0xffff_ff80);
    let private = if flags & 0x80 != 0 { "_PRIVATE" } else { "" };
    let clock = if flags & 0x100 != 0 {
        "|FUTEX_CLOCK_REALTIME"
    } else {
        ""
    };
    match FUTEX.name(plain) {
        Some(name) => format!("{name}{private}{clock}"),
        None => format!("{operation:#x} /* FUTEX_??? */"),
    }
}

fn futex(cx: &mut Cx<'_>, operation: u64) {
    let [_, _, value, timeout, second, third] = cx.args;
    cx.put(&futex_operation(operation & 0xffff_ffff));
    let bits = |bits: u64| match bits as u32 {
        u32::MAX => "FUTEX_BITSET_MATCH_ANY".to_owned(),
        bits => format!("{bits:#x}"),
    };
    match operation & 0x7f {
        0 | 9 | 11 => {
            cx.comma();
            cx.int(value as u32);
            cx.comma();
            given_timespec(cx, timeout);
        }
        6 | 13 => {
            cx.comma();
            given_timespec(cx, timeout);
        }
        7 | 8 => {}
        2 | 1 | 10 => number(cx, value),
        3 | 4 | 5 | 12 => {
            number(cx, value);
            number(cx, timeout);
        }
        _ => {
            number(cx, value);
            cx.comma();
            cx.hex(timeout);
            cx.comma();
            cx.addr(second);
            cx.comma();
            cx.hex(third & 0xffff_ffff);
        }
    }
    match operation & 0x7f {
        9 | 10 => {
            cx.comma();
            cx.put(&bits(third));
        }
        3 | 11 => {
            cx.comma();
            cx.addr(second);
        }
        4 | 12 => {
            cx.comma();
            cx.addr(second);
            number(cx, third);
        }
        5 => {
            cx.comma();
            cx.addr(second);
            cx.comma();
            cx.put(&format!("{:#x}", third as u32));
        }
        _ => {}
    }
}

/// One more argument.
fn number(cx: &mut Cx<'_>, value: u64) {
    cx.comma();
    cx.int(value as u32);
}

/// The system calls of this file.
pub const CALLS: &[Call] = &[Call::new(Sysno::futex, &[Addr, In(futex)], Ret::Int)];
