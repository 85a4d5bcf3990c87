//! The address space.

use syscalls::x86_64::Sysno;

use crate::call::Arg::{Addr, Choice, Fd, Flags, Flags64, Hex, In, Int, Out, Size, When};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;

names! { PROT, "PROT_???", PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4,
PROT_SEM = 8, PROT_GROWSDOWN = 0x0100_0000, PROT_GROWSUP = 0x0200_0000, }
names! { MAP, "MAP_???", MAP_FILE = 0, MAP_SHARED_VALIDATE = 3, MAP_SHARED = 1, MAP_PRIVATE = 2,
MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20, MAP_32BIT = 0x40, MAP_NORESERVE = 0x4000,
MAP_POPULATE = 0x8000, MAP_NONBLOCK = 0x10000, MAP_GROWSDOWN = 0x100, MAP_DENYWRITE = 0x800,
MAP_EXECUTABLE = 0x1000, MAP_LOCKED = 0x2000, MAP_STACK = 0x20000, MAP_HUGETLB = 0x40000,
MAP_SYNC = 0x80000, MAP_FIXED_NOREPLACE = 0x10_0000, }
names! { REMAP, "MREMAP_???", MREMAP_MAYMOVE = 1, MREMAP_FIXED = 2, MREMAP_DONTUNMAP = 4, }
names! { ADVICE, "MADV_???", MADV_NORMAL = 0, MADV_RANDOM = 1, MADV_SEQUENTIAL = 2,
MADV_WILLNEED = 3, MADV_DONTNEED = 4, MADV_FREE = 8, MADV_REMOVE = 9, MADV_DONTFORK = 10,
MADV_DOFORK = 11, MADV_MERGEABLE = 12, MADV_UNMERGEABLE = 13, MADV_HUGEPAGE = 14,
MADV_NOHUGEPAGE = 15, MADV_DONTDUMP = 16, MADV_DODUMP = 17, MADV_WIPEONFORK = 18,
MADV_KEEPONFORK = 19, MADV_COLD = 20, MADV_PAGEOUT = 21, MADV_POPULATE_READ = 22,
MADV_POPULATE_WRITE = 23, MADV_DONTNEED_LOCKED = 24, MADV_COLLAPSE = 25,
MADV_HWPOISON = 100, MADV_SOFT_OFFLINE = 101, }
names! { SYNC, "MS_???", MS_ASYNC = 1, MS_INVALIDATE = 2, MS_SYNC = 4, }
names! { LOCK, "MCL_???", MCL_CURRENT = 1, MCL_FUTURE = 2, MCL_ONFAULT = 4, }
names! { LOCK2, "MLOCK_???", MLOCK_ONFAULT = 1, }

/// The kernel looks at 32 bits of them.
fn map_flags(cx: &mut Cx<'_>, value: u64) {
    cx.put(&MAP.flags(value & 0xffff_ffff));
}

/// One byte per page, of which only the lowest bit has a meaning.
fn residence(cx: &mut Cx<'_>, addr: u64) {
    let pages = cx.args[1].div_ceil(4096) as usize;
    if cx.failed() {
        return cx.addr(addr);
    }
    cx.array::<u8>(addr, pages, |cx, page| cx.int(page & 1));
}

/// The system calls of this file.
pub const CALLS: &[Call] = &[
    Call::new(Sysno::brk, &[Addr], Ret::Hex),
    Call::new(
        Sysno::mmap,
        &[Addr, Size, Flags64(&PROT), In(map_flags), Fd, Hex],
        Ret::Hex,
    ),
    Call::new(Sysno::munmap, &[Addr, Size], Ret::Int),
    Call::new(Sysno::mprotect, &[Addr, Size, Flags64(&PROT)], Ret::Int),
    Call::new(
        Sysno::pkey_mprotect,
        &[Addr, Size, Flags64(&PROT), Int],
        Ret::Int,
    ),
    Call::new(
        Sysno::mremap,
        &[
            Addr,
            Size,
            Size,
            Flags64(&REMAP),
            When(|args| args[3] & 6 != 0, &Addr),
        ],
        Ret::Hex,
    ),
    Call::new(Sysno::madvise, &[Addr, Size, Choice(&ADVICE)], Ret::Int),
    Call::new(Sysno::msync, &[Addr, Size, Flags(&SYNC)], Ret::Int),
    Call::new(Sysno::mincore, &[Addr, Size, Out(residence)], Ret::Int),
    Call::new(Sysno::mlock, &[Addr, Size], Ret::Int),
    Call::new(Sysno::mlock2, &[Addr, Size, Flags(&LOCK2)], Ret::Int),
    Call::new(Sysno::munlock, &[Addr, Size], Ret::Int),
    Call::new(Sysno::mlockall, &[Flags(&LOCK)], Ret::Int),
    Call::new(Sysno::munlockall, &[], Ret::Int),
    Call::new(
        Sysno::remap_file_pages,
        &[Addr, Size, Flags64(&PROT), Size, In(map_flags)],
        Ret::Int,
    ),
];
