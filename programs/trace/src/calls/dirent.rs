//! Directories' entries.

use syscalls::x86_64::Sysno;

use crate::call::Arg::{Fd, Out, Uint};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;

names! { TYPE, "DT_???", DT_UNKNOWN = 0, DT_FIFO = 1, DT_CHR = 2, DT_DIR = 4, DT_BLK = 6, DT_REG = 8,
DT_LNK = 10, DT_SOCK = 12, DT_WHT = 14, }

/// Where the fields of Linux's `struct linux_dirent64` begin.
const OFFSET: usize = 8;
const LENGTH: usize = 16;
const KIND: usize = 18;
const NAME: usize = 19;
/// In the older structure the name comes at once, and the type is the last byte.
const OLD_NAME: usize = 18;

fn entries(cx: &mut Cx<'_>, addr: u64) {
    print_entries(cx, addr, print);
}

fn old_entries(cx: &mut Cx<'_>, addr: u64) {
    print_entries(cx, addr, print_old);
}

/// The address and how many entries lie there; with `-v`, the entries.
fn print_entries(cx: &mut Cx<'_>, addr: u64, print: fn(&mut Cx<'_>, &[u8])) {
    let bytes = match cx.failed() {
        true => None,
        false => cx.load_array::<u8>(addr, cx.returned() as usize),
    };
    let Some(bytes) = bytes else {
        return cx.addr(addr);
    };
    let mut rest = &bytes[..];
    let mut found = Vec::new();
    while let Some(length) = rest.get(LENGTH..KIND) {
        let length = usize::from(u16::from_ne_bytes([length[0], length[1]]));
        let Some((entry, behind)) = rest.split_at_checked(length.max(1)) else {
            break;
        };
        found.push(entry);
        rest = behind;
    }
    if !cx.look.verbose {
        cx.addr(addr);
        return cx.put(&format!(" /* {} entries */", found.len()));
    }
    cx.put("[");
    for (at, entry) in found.into_iter().enumerate() {
        cx.put(if at > 0 { ", " } else { "" });
        print(cx, entry);
    }
    cx.put("]");
}

fn print(cx: &mut Cx<'_>, entry: &[u8]) {
    numbers(cx, entry);
    let kind = TYPE.choice(entry.get(KIND).copied().unwrap_or(0).into());
    cx.put(&format!(", d_type={kind}, d_name="));
    name(cx, entry, NAME);
    cx.put("}");
}

fn print_old(cx: &mut Cx<'_>, entry: &[u8]) {
    numbers(cx, entry);
    cx.put(", d_name=");
    name(cx, entry, OLD_NAME);
    let kind = TYPE.choice(entry.last().copied().unwrap_or(0).into());
    cx.put(&format!(", d_type={kind}}}"));
}

/// What both structures begin with.
fn numbers(cx: &mut Cx<'_>, entry: &[u8]) {
    let word = |at: usize| <[u8; 8]>::try_from(entry.get(at..at + 8).unwrap_or_default());
    let (Ok(inode), Ok(offset)) = (word(0), word(OFFSET)) else {
        return;
    };
    cx.put(&format!(
        "{{d_ino={}, d_off={}, d_reclen={}",
        u64::from_ne_bytes(inode),
        i64::from_ne_bytes(offset),
        entry.len()
    ));
}

fn name(cx: &mut Cx<'_>, entry: &[u8], start: usize) {
    let name = entry.get(start..).unwrap_or_default();
    let end = name.iter().position(|&byte| byte == 0);
    cx.quote(&name[..end.unwrap_or(name.len())]);
}

/// The system calls of this file.
pub const CALLS: &[Call] = &[
    Call::new(Sysno::getdents, &[Fd, Out(old_entries), Uint], Ret::Int),
    Call::new(Sysno::getdents64, &[Fd, Out(entries), Uint], Ret::Int),
];
