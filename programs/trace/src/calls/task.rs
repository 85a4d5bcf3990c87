//! Making, changing and ending tasks.

use bytemuck::{Pod, Zeroable};
use syscalls::x86_64::Sysno;

use crate::call::Arg::{self, Addr, Flags, Hex, In, Int, Out, Size, Tail, Uint};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;
use crate::signals;

names! { CLONE, "CLONE_???", CLONE_NEWTIME = 0x80, CLONE_VM = 0x100, CLONE_FS = 0x200,
CLONE_FILES = 0x400, CLONE_SIGHAND = 0x800, CLONE_PIDFD = 0x1000, CLONE_PTRACE = 0x2000,
CLONE_VFORK = 0x4000, CLONE_PARENT = 0x8000, CLONE_THREAD = 0x10000, CLONE_NEWNS = 0x20000,
CLONE_SYSVSEM = 0x40000, CLONE_SETTLS = 0x80000, CLONE_PARENT_SETTID = 0x10_0000,
CLONE_CHILD_CLEARTID = 0x20_0000, CLONE_DETACHED = 0x40_0000, CLONE_UNTRACED = 0x80_0000,
CLONE_CHILD_SETTID = 0x100_0000, CLONE_NEWCGROUP = 0x200_0000, CLONE_NEWUTS = 0x400_0000,
CLONE_NEWIPC = 0x800_0000, CLONE_NEWUSER = 0x1000_0000, CLONE_NEWPID = 0x2000_0000,
CLONE_NEWNET = 0x4000_0000, CLONE_IO = 0x8000_0000u32, CLONE_CLEAR_SIGHAND = 1u64 << 32,
CLONE_INTO_CGROUP = 1u64 << 33, }
names! {
    /// What unshare and setns know.
    UNSHARE, "CLONE_???", CLONE_NEWTIME = 0x80, CLONE_VM = 0x100, CLONE_FS = 0x200,
    CLONE_FILES = 0x400, CLONE_SIGHAND = 0x800, CLONE_THREAD = 0x10000, CLONE_NEWNS = 0x20000,
    CLONE_SYSVSEM = 0x40000, CLONE_NEWCGROUP = 0x200_0000, CLONE_NEWUTS = 0x400_0000,
    CLONE_NEWIPC = 0x800_0000, CLONE_NEWUSER = 0x1000_0000, CLONE_NEWPID = 0x2000_0000,
    CLONE_NEWNET = 0x4000_0000,
}
const PIDFD: u64 = 0x1000;
const SETTLS: u64 = 0x80000;
const PARENT_SETTID: u64 = 0x10_0000;
const CHILD_IDS: u64 = 0x100_0000 | 0x20_0000;

/// The stack comes first on the line, although it is the second argument.
fn clone_stack_and_flags(cx: &mut Cx<'_>, flags: u64) {
    cx.put("child_stack=");
    cx.addr(cx.args[1]);
    cx.comma();
    cx.put("flags=");
    let (named, rest) = CLONE.split(flags & !0xff);
    let signal = (flags & 0xff) as i32;
    let mut parts = Vec::new();
    if !named.is_empty() {
        parts.push(named);
    }
    if rest != 0 {
        parts.push(format!("{rest:#x}"));
    }
    if signal != 0 {
        parts.push(signals::name(signal));
    }
    cx.put(&if parts.is_empty() {
        "0".to_owned()
    } else {
        parts.join("|")
    });
}

fn clone_ids(cx: &mut Cx<'_>, _: u64) {
    let [flags, _, parent, child, tls, _] = cx.args;
    for (bit, name) in [(PARENT_SETTID, "parent_tid"), (PIDFD, "parent_tid")] {
        if flags & bit != 0 {
            cx.comma();
            cx.put(&format!("{name}="));
            cx.out::<i32>(parent, |cx, id| cx.put(&format!("[{id}]")));
            break;
        }
    }
    if flags & SETTLS != 0 {
        cx.comma();
        cx.put(&format!("tls={tls:#x}"));
    }
    if flags & CHILD_IDS != 0 {
        cx.comma();
        cx.put("child_tidptr=");
        cx.addr(child);
    }
}

/// Linux's `struct clone_args`, as its first version has it.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
}

fn clone_args(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<CloneArgs>(addr, |cx, args| {
        cx.put("{flags=");
        cx.put(&CLONE.flags(args.flags));
        if args.flags & PIDFD != 0 {
            cx.put(", pidfd=");
            cx.addr(args.pidfd);
        }
        if args.flags & CHILD_IDS != 0 {
            cx.put(", child_tid=");
            cx.addr(args.child_tid);
        }
        if args.flags & PARENT_SETTID != 0 {
            cx.put(", parent_tid=");
            cx.addr(args.parent_tid);
        }
        cx.put(", exit_signal=");
        cx.put(&signals::name(args.exit_signal as i32));
        cx.put(", stack=");
        cx.addr(args.stack);
        cx.put(", stack_size=");
        cx.hex(args.stack_size);
        if args.flags & SETTLS != 0 {
            cx.put(", tls=");
            cx.addr(args.tls);
        }
        cx.put("}");
    });
}

/// What the call wrote through the pointers in its arguments.
fn clone_results(cx: &mut Cx<'_>, _: u64) {
    if let Some(args) = cx.load::<CloneArgs>(cx.args[0]).filter(|_| !cx.failed()) {
        let wanted = [
            (PIDFD, "pidfd", args.pidfd),
            (PARENT_SETTID, "parent_tid", args.parent_tid),
        ];
        let found: Vec<String> = wanted
            .into_iter()
            .filter(|(bit, ..)| args.flags & bit != 0)
            .filter_map(|(_, name, addr)| Some(format!("{name}=[{}]", cx.load::<i32>(addr)?)))
            .collect();
        if !found.is_empty() {
            cx.put(&format!(" => {{{}}}", found.join(", ")));
        }
    }
    cx.comma();
    cx.int(cx.args[1]);
}

names! { ARCH, "ARCH_???", ARCH_SET_GS = 0x1001, ARCH_SET_FS = 0x1002, ARCH_GET_FS = 0x1003,
ARCH_GET_GS = 0x1004, ARCH_GET_CPUID = 0x1011, ARCH_SET_CPUID = 0x1012,
ARCH_GET_XCOMP_SUPP = 0x1021, ARCH_GET_XCOMP_PERM = 0x1022, ARCH_REQ_XCOMP_PERM = 0x1023,
ARCH_CET_STATUS = 0x3001, ARCH_MAP_VDSO_X32 = 0x2001, ARCH_MAP_VDSO_32 = 0x2002,
ARCH_MAP_VDSO_64 = 0x2003, }

fn arch_value(cx: &mut Cx<'_>, value: u64) {
    match cx.args[0] {
        0x1003 | 0x1004 => cx.out::<u64>(value, |cx, base| {
            cx.put("[");
            cx.addr(*base);
            cx.put("]");
        }),
        0x1001 | 0x1002 => cx.addr(value),
        _ => cx.hex(value),
    }
}

const fn arch(args: &[u64; 6]) -> bool {
    matches!(args[0], 0x1003 | 0x1004)
}

fn out_pid_pointer(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<u64>(addr, |cx, head| {
        cx.put("[");
        cx.addr(*head);
        cx.put("]");
    });
}

fn out_size(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<u64>(addr, |cx, size| cx.put(&format!("[{size}]")));
}

fn out_cpu(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<u32>(addr, |cx, cpu| cx.put(&format!("[{cpu}]")));
}

/// The system calls of this file.
pub const CALLS: &[Call] = &[
    Call::new(
        Sysno::clone,
        &[In(clone_stack_and_flags), Tail(clone_ids)],
        Ret::Int,
    ),
    Call::new(
        Sysno::clone3,
        &[In(clone_args), Tail(clone_results)],
        Ret::Int,
    ),
    Call::new(Sysno::fork, &[], Ret::Int),
    Call::new(Sysno::vfork, &[], Ret::Int),
    Call::new(Sysno::exit, &[Int], Ret::Never),
    Call::new(Sysno::exit_group, &[Int], Ret::Never),
    Call::new(Sysno::unshare, &[Flags(&UNSHARE)], Ret::Int),
    Call::new(Sysno::setns, &[Arg::Fd, Flags(&UNSHARE)], Ret::Int),
    Call::new(Sysno::set_tid_address, &[Addr], Ret::Int),
    Call::new(Sysno::set_robust_list, &[Addr, Size], Ret::Int),
    Call::new(
        Sysno::get_robust_list,
        &[Int, Out(out_pid_pointer), Out(out_size)],
        Ret::Int,
    ),
    Call::new(Sysno::rseq, &[Hex, Hex, Hex, Hex], Ret::Int),
    Call::new(
        Sysno::arch_prctl,
        &[Arg::Choice(&ARCH), ARCH_VALUE],
        Ret::Int,
    ),
    Call::new(Sysno::sched_yield, &[], Ret::Int),
    Call::new(Sysno::getcpu, &[Out(out_cpu), Out(out_cpu), Addr], Ret::Int),
    Call::new(Sysno::getpid, &[], Ret::Int),
    Call::new(Sysno::gettid, &[], Ret::Int),
    Call::new(Sysno::getppid, &[], Ret::Int),
    Call::new(Sysno::getpgrp, &[], Ret::Int),
    Call::new(Sysno::setsid, &[], Ret::Int),
    Call::new(Sysno::vhangup, &[], Ret::Int),
    Call::new(Sysno::getpgid, &[Int], Ret::Int),
    Call::new(Sysno::getsid, &[Int], Ret::Int),
    Call::new(Sysno::setpgid, &[Int, Int], Ret::Int),
    Call::new(Sysno::pidfd_open, &[Int, Hex], Ret::Fd),
    Call::new(Sysno::pidfd_getfd, &[Arg::Fd, Arg::Fd, Hex], Ret::Fd),
    Call::new(Sysno::kcmp, &[Int, Int, Uint, Size, Size], Ret::Int),
];

/// The bases are known at the entry where they are set and at the exit where they are read.
const ARCH_VALUE: Arg = Arg::Either(arch, arch_value);
