//! Limits, usage and scheduling.

use bytemuck::{Pod, Zeroable};
use syscalls::x86_64::Sysno;

use super::time::{Timespec, Timeval, timespec, timeval};
use crate::call::Arg::{self, Choice, In, Int, Out, Uint};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;

names! { RLIMIT, "RLIMIT_???", RLIMIT_CPU = 0, RLIMIT_FSIZE = 1, RLIMIT_DATA = 2, RLIMIT_STACK = 3,
RLIMIT_CORE = 4, RLIMIT_RSS = 5, RLIMIT_NPROC = 6, RLIMIT_NOFILE = 7, RLIMIT_MEMLOCK = 8,
RLIMIT_AS = 9, RLIMIT_LOCKS = 10, RLIMIT_SIGPENDING = 11, RLIMIT_MSGQUEUE = 12, RLIMIT_NICE = 13,
RLIMIT_RTPRIO = 14, RLIMIT_RTTIME = 15, }
names! { WHO, "RUSAGE_???", RUSAGE_SELF = 0, RUSAGE_CHILDREN = -1i32 as u32,
RUSAGE_BOTH = -2i32 as u32, RUSAGE_THREAD = 1, }
names! { PRIO, "PRIO_???", PRIO_PROCESS = 0, PRIO_PGRP = 1, PRIO_USER = 2, }
names! { SCHED, "SCHED_???", SCHED_OTHER = 0, SCHED_FIFO = 1, SCHED_RR = 2, SCHED_BATCH = 3,
SCHED_ISO = 4, SCHED_IDLE = 5, SCHED_DEADLINE = 6, }

/// Linux's `struct rlimit64`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Rlimit {
    cur: u64,
    max: u64,
}

/// Sizes in whole KiB read better as such.
fn limit(value: u64, infinity: &str) -> String {
    match value {
        u64::MAX => infinity.to_owned(),
        _ if value > 1024 && value.is_multiple_of(1024) => format!("{}*1024", value / 1024),
        _ => value.to_string(),
    }
}

fn rlimit(cx: &mut Cx<'_>, limits: &Rlimit, infinity: &str) {
    cx.put(&format!(
        "{{rlim_cur={}, rlim_max={}}}",
        limit(limits.cur, infinity),
        limit(limits.max, infinity)
    ));
}

fn out_rlimit64(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<Rlimit>(addr, |cx, limits| rlimit(cx, limits, "RLIM64_INFINITY"));
}

fn given_rlimit64(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<Rlimit>(addr, |cx, limits| rlimit(cx, limits, "RLIM64_INFINITY"));
}

fn out_rlimit(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<Rlimit>(addr, |cx, limits| rlimit(cx, limits, "RLIM64_INFINITY"));
}

fn given_rlimit(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<Rlimit>(addr, |cx, limits| rlimit(cx, limits, "RLIM64_INFINITY"));
}

/// Linux's `struct rusage`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Usage {
    user: Timeval,
    system: Timeval,
    rest: [i64; 14],
}

/// Its fields behind the times.
const USAGE: [&str; 14] = [
    "maxrss", "ixrss", "idrss", "isrss", "minflt", "majflt", "nswap", "inblock", "oublock",
    "msgsnd", "msgrcv", "nsignals", "nvcsw", "nivcsw",
];

/// Prints an rusage; the times only, unless everything is asked for.
pub fn out_usage(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<Usage>(addr, |cx, usage| {
        cx.put(&format!(
            "{{ru_utime={}, ru_stime={}, ",
            timeval(&usage.user),
            timeval(&usage.system)
        ));
        if !cx.look.verbose {
            return cx.put("...}");
        }
        let fields = USAGE.iter().zip(usage.rest);
        let fields: Vec<String> = fields
            .map(|(name, value)| format!("ru_{name}={value}"))
            .collect();
        cx.put(&format!("{}}}", fields.join(", ")));
    });
}

fn out_times(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<[i64; 4]>(addr, |cx, times| {
        cx.put(&format!(
            "{{tms_utime={}, tms_stime={}, tms_cutime={}, tms_cstime={}}}",
            times[0], times[1], times[2], times[3]
        ));
    });
}

/// A processor mask as the numbers in it.
fn processors(cx: &mut Cx<'_>, addr: u64, bytes: u64) {
    let Some(mask) = cx.load_array::<u8>(addr, bytes.min(1024) as usize) else {
        return cx.addr(addr);
    };
    let numbers: Vec<String> = (0..mask.len() * 8)
        .filter(|at| mask[at / 8] >> (at % 8) & 1 == 1)
        .map(|at| at.to_string())
        .collect();
    cx.put(&format!("[{}]", numbers.join(" ")));
}

fn given_processors(cx: &mut Cx<'_>, addr: u64) {
    processors(cx, addr, cx.args[1]);
}

fn out_processors(cx: &mut Cx<'_>, addr: u64) {
    match cx.failed() {
        true => cx.addr(addr),
        false => processors(cx, addr, cx.returned()),
    }
}

fn given_priority(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<i32>(addr, |cx, priority| cx.put(&format!("[{priority}]")));
}

fn out_priority(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<i32>(addr, |cx, priority| cx.put(&format!("[{priority}]")));
}

fn out_interval(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<Timespec>(addr, |cx, time| cx.put(&timespec(time)));
}

fn policy(cx: &mut Cx<'_>, value: u64) {
    cx.put(&scheduler(value));
}

fn scheduler(value: u64) -> String {
    const RESET: u64 = 0x4000_0000;
    let value = value & 0xffff_ffff;
    let name = SCHED.choice(value & !RESET);
    if value & RESET != 0 {
        format!("{name}|SCHED_RESET_ON_FORK")
    } else {
        name
    }
}

fn noted_policy(cx: &mut Cx<'_>, value: i64) {
    cx.put(&format!("{value} ({})", scheduler(value as u64)));
}

const RESOURCE: Arg = Choice(&RLIMIT);

/// The system calls of this file.
pub const CALLS: &[Call] = &[
    Call::new(
        Sysno::prlimit64,
        &[Int, RESOURCE, In(given_rlimit64), Out(out_rlimit64)],
        Ret::Int,
    ),
    Call::new(Sysno::getrlimit, &[RESOURCE, Out(out_rlimit)], Ret::Int),
    Call::new(Sysno::setrlimit, &[RESOURCE, In(given_rlimit)], Ret::Int),
    Call::new(Sysno::getrusage, &[Choice(&WHO), Out(out_usage)], Ret::Int),
    Call::new(Sysno::times, &[Out(out_times)], Ret::Int),
    Call::new(Sysno::getpriority, &[Choice(&PRIO), Int], Ret::Int),
    Call::new(Sysno::setpriority, &[Choice(&PRIO), Int, Int], Ret::Int),
    Call::new(
        Sysno::sched_setaffinity,
        &[Int, Uint, In(given_processors)],
        Ret::Int,
    ),
    Call::new(
        Sysno::sched_getaffinity,
        &[Int, Uint, Out(out_processors)],
        Ret::Int,
    ),
    Call::new(Sysno::sched_setparam, &[Int, In(given_priority)], Ret::Int),
    Call::new(Sysno::sched_getparam, &[Int, Out(out_priority)], Ret::Int),
    Call::new(
        Sysno::sched_setscheduler,
        &[Int, In(policy), In(given_priority)],
        Ret::Int,
    ),
    Call::new(Sysno::sched_getscheduler, &[Int], Ret::Noted(noted_policy)),
    Call::new(Sysno::sched_get_priority_max, &[Choice(&SCHED)], Ret::Int),
    Call::new(Sysno::sched_get_priority_min, &[Choice(&SCHED)], Ret::Int),
    Call::new(
        Sysno::sched_rr_get_interval,
        &[Int, Out(out_interval)],
        Ret::Int,
    ),
];
