//! Signal actions, masks and sending.

use bytemuck::{Pod, Zeroable};
use libtrace::SigInfo;
use syscalls::x86_64::Sysno;

use crate::call::Arg::{self, Addr, Choice, Fd, Flags, In, Int, Out, Signal, Size};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;
use crate::signals;

/// The kernel's `struct sigaction`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Action {
    handler: u64,
    flags: u64,
    restorer: u64,
    mask: u64,
}

names! { SA, "SA_???", SA_RESTORER = 0x0400_0000, SA_ONSTACK = 0x0800_0000,
SA_RESTART = 0x1000_0000, SA_INTERRUPT = 0x2000_0000, SA_NODEFER = 0x4000_0000,
SA_RESETHAND = 0x8000_0000u32, SA_SIGINFO = 4, SA_NOCLDSTOP = 1, SA_NOCLDWAIT = 2,
SA_EXPOSE_TAGBITS = 0x800, }
names! { HOW, "SIG_???", SIG_BLOCK = 0, SIG_UNBLOCK = 1, SIG_SETMASK = 2, }
names! { HANDLER, "SIG_???", SIG_DFL = 0, SIG_IGN = 1, SIG_ERR = u64::MAX, }
names! { STACK, "SS_???", SS_ONSTACK = 1, SS_DISABLE = 2, SS_AUTODISARM = 1u32 << 31, }
names! { SFD, "SFD_???", SFD_CLOEXEC = 0o2_000_000, SFD_NONBLOCK = 0o4000, }

fn action(cx: &mut Cx<'_>, action: &Action) {
    let handler = match HANDLER.name(action.handler) {
        Some(name) => name.to_owned(),
        None => format!("{:#x}", action.handler),
    };
    cx.put(&format!(
        "{{sa_handler={handler}, sa_mask={}, sa_flags={}",
        signals::set(action.mask),
        SA.flags(action.flags)
    ));
    const RESTORER: u64 = 0x0400_0000;
    if action.flags & RESTORER != 0 {
        cx.put(", sa_restorer=");
        cx.addr(action.restorer);
    }
    cx.put("}");
}

fn given_action(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<Action>(addr, action);
}

fn out_action(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<Action>(addr, action);
}

/// A set the call reads.
pub fn given_set(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<u64>(addr, |cx, mask| cx.put(&signals::set(*mask)));
}

fn out_set(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<u64>(addr, |cx, mask| cx.put(&signals::set(*mask)));
}

fn out_siginfo(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<SigInfo>(addr, signals::info);
}

fn given_siginfo(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<SigInfo>(addr, signals::info);
}

/// Linux's `stack_t`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Stack {
    sp: u64,
    flags: u32,
    pad: u32,
    size: u64,
}

fn stack(cx: &mut Cx<'_>, stack: &Stack) {
    cx.put("{ss_sp=");
    cx.addr(stack.sp);
    let flags = STACK.flags(u64::from(stack.flags));
    cx.put(&format!(", ss_flags={flags}, ss_size={}}}", stack.size));
}

fn given_stack(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<Stack>(addr, stack);
}

fn out_stack(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<Stack>(addr, stack);
}

/// The mask the return restores, from the frame on the stack: `uc_sigmask` follows flags,
/// link, stack and the 256 bytes of registers.
fn frame_mask(cx: &mut Cx<'_>, _: u64) {
    const MASK: u64 = 8 + 8 + 24 + 256;
    if let Some(mask) = cx.load::<u64>(cx.tracee.stack_pointer().wrapping_add(MASK)) {
        cx.put(&format!("{{mask={}}}", signals::set(mask)));
    }
}

/// The system calls of this file.
pub const CALLS: &[Call] = &[
    Call::new(
        Sysno::rt_sigaction,
        &[Signal, In(given_action), Out(out_action), Size],
        Ret::Int,
    ),
    Call::new(
        Sysno::rt_sigprocmask,
        &[Choice(&HOW), In(given_set), Out(out_set), Size],
        Ret::Int,
    ),
    Call::new(Sysno::rt_sigreturn, &[In(frame_mask)], Ret::Int),
    Call::new(Sysno::rt_sigsuspend, &[In(given_set), Size], Ret::Int),
    Call::new(Sysno::rt_sigpending, &[Out(out_set), Size], Ret::Int),
    Call::new(
        Sysno::rt_sigtimedwait,
        &[
            In(given_set),
            Out(out_siginfo),
            Arg::Out(super::time::given_timespec),
            Size,
        ],
        Ret::Noted(|cx, value| cx.put(&received(value))),
    ),
    Call::new(
        Sysno::rt_sigqueueinfo,
        &[Int, Signal, In(given_siginfo)],
        Ret::Int,
    ),
    Call::new(
        Sysno::rt_tgsigqueueinfo,
        &[Int, Int, Signal, In(given_siginfo)],
        Ret::Int,
    ),
    Call::new(
        Sysno::sigaltstack,
        &[In(given_stack), Out(out_stack)],
        Ret::Int,
    ),
    Call::new(Sysno::signalfd, &[Fd, In(given_set), Size], Ret::Fd),
    Call::new(
        Sysno::signalfd4,
        &[Fd, In(given_set), Size, Flags(&SFD)],
        Ret::Fd,
    ),
    Call::new(Sysno::kill, &[Int, Signal], Ret::Int),
    Call::new(Sysno::tkill, &[Int, Signal], Ret::Int),
    Call::new(Sysno::tgkill, &[Int, Int, Signal], Ret::Int),
    Call::new(Sysno::pause, &[], Ret::Int),
    Call::new(Sysno::restart_syscall, &[Addr], Ret::Int),
];

/// `10 (SIGUSR1)`.
fn received(signal: i64) -> String {
    match signal {
        1.. => format!("{signal} ({})", signals::name(signal as i32)),
        _ => signal.to_string(),
    }
}
