//! Running programs.

use syscalls::x86_64::Sysno;

use crate::call::Arg::{self, DirFd, Flags, In, Path};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;

names! { AT_EXEC, "AT_???", AT_SYMLINK_NOFOLLOW = 0x100, AT_EMPTY_PATH = 0x1000, }

/// Pointers up to the null one that ends them; the flag says that it was found. At most
/// `limit` are read, in blocks that end at page boundaries as the readable memory does.
fn pointers(cx: &Cx<'_>, addr: u64, limit: usize) -> (Vec<u64>, bool) {
    const BLOCK: u64 = 32;
    const PAGE: u64 = 4096;
    let mut found = Vec::new();
    let mut at = addr;
    while found.len() < limit {
        let count = (BLOCK.min((PAGE - at % PAGE) / 8)).max(1);
        let Some(block) = cx.load_array::<u64>(at, count as usize) else {
            break;
        };
        for pointer in block {
            match pointer {
                0 => return (found, true),
                _ => found.push(pointer),
            }
        }
        at = at.wrapping_add(count * 8);
    }
    (found, false)
}

/// The list of strings at `addr`, at most `-s` of them unless everything is asked for.
fn strings(cx: &mut Cx<'_>, addr: u64) {
    let limit = match cx.look.verbose {
        true => usize::MAX,
        false => cx.look.limit,
    };
    let (found, whole) = pointers(cx, addr, limit.saturating_add(1));
    if addr == 0 || found.is_empty() && !whole {
        return cx.addr(addr);
    }
    cx.put("[");
    let shown = found.len().min(limit);
    for (at, &pointer) in found[..shown].iter().enumerate() {
        cx.put(if at > 0 { ", " } else { "" });
        cx.string(pointer);
    }
    if found.len() > shown || !whole {
        cx.put(if shown > 0 { ", ..." } else { "..." });
    }
    if found.len() <= shown && !whole {
        cx.put(&format!(
            " /* {:#x} */",
            addr.wrapping_add(found.len() as u64 * 8)
        ));
    }
    cx.put("]");
}

/// The environment is only counted, unless everything is asked for.
fn environment(cx: &mut Cx<'_>, addr: u64) {
    if cx.look.verbose {
        return strings(cx, addr);
    }
    cx.addr(addr);
    let (found, whole) = pointers(cx, addr, usize::MAX);
    match (found.len(), whole) {
        (1, true) => cx.put(" /* 1 var */"),
        (count, true) => cx.put(&format!(" /* {count} vars */")),
        (0, false) => {}
        (_, false) => cx.put(" /* ... */"),
    }
}

const ARGV: Arg = In(strings);
const ENVP: Arg = In(environment);

/// The system calls of this file.
pub const CALLS: &[Call] = &[
    Call::new(Sysno::execve, &[Path, ARGV, ENVP], Ret::Int),
    Call::new(
        Sysno::execveat,
        &[DirFd, Path, ARGV, ENVP, Flags(&AT_EXEC)],
        Ret::Int,
    ),
];
