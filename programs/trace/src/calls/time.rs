//! Clocks, sleeping and timers.

use bytemuck::{Pod, Zeroable};
use syscalls::x86_64::Sysno;

use super::date::{date, moment};
use crate::call::Arg::{self, Choice, Fd, Flags, In, Out, Path, Uint};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;

/// Linux's `struct timespec`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Timespec {
    sec: i64,
    nsec: i64,
}

/// Linux's `struct timeval`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct Timeval {
    sec: i64,
    usec: i64,
}

names! { CLOCK, "CLOCK_???", CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, CLOCK_PROCESS_CPUTIME_ID = 2,
CLOCK_THREAD_CPUTIME_ID = 3, CLOCK_MONOTONIC_RAW = 4, CLOCK_REALTIME_COARSE = 5,
CLOCK_MONOTONIC_COARSE = 6, CLOCK_BOOTTIME = 7, CLOCK_REALTIME_ALARM = 8,
CLOCK_BOOTTIME_ALARM = 9, CLOCK_SGI_CYCLE = 10, CLOCK_TAI = 11, }
names! { TIMER, "TIMER_???", TIMER_ABSTIME = 1, }
names! { ITIMER, "ITIMER_???", ITIMER_REAL = 0, ITIMER_VIRTUAL = 1, ITIMER_PROF = 2, }
names! { TFD, "TFD_???", TFD_CLOEXEC = 0o2_000_000, TFD_NONBLOCK = 0o4000, }
names! { TFD_TIMER, "TFD_???", TFD_TIMER_ABSTIME = 1, TFD_TIMER_CANCEL_ON_SET = 2, }

/// `{tv_sec=1, tv_nsec=0}`, and the two special values utimensat knows.
pub fn timespec(time: &Timespec) -> String {
    format!("{{tv_sec={}, tv_nsec={}}}", time.sec, time.nsec)
}

/// `{tv_sec=1, tv_usec=0}`.
pub fn timeval(time: &Timeval) -> String {
    format!("{{tv_sec={}, tv_usec={}}}", time.sec, time.usec)
}

/// A time the call reads.
pub fn given_timespec(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<Timespec>(addr, |cx, time| cx.put(&timespec(time)));
}

fn out_timespec(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<Timespec>(addr, |cx, time| cx.put(&timespec(time)));
}

fn given_timeval(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<Timeval>(addr, |cx, time| cx.put(&timeval(time)));
}

fn out_timeval(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<Timeval>(addr, |cx, time| cx.put(&timeval(time)));
}

/// The time left is written only where a signal ended the sleep.
fn time_left(cx: &mut Cx<'_>, addr: u64) {
    match cx.outcome {
        Some(Err(error)) if error.is_restart() => given_timespec(cx, addr),
        _ => cx.addr(addr),
    }
}

fn out_zone(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<[i32; 2]>(addr, |cx, zone| {
        cx.put(&format!(
            "{{tz_minuteswest={}, tz_dsttime={}}}",
            zone[0], zone[1]
        ));
    });
}

fn given_zone(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<[i32; 2]>(addr, |cx, zone| {
        cx.put(&format!(
            "{{tz_minuteswest={}, tz_dsttime={}}}",
            zone[0], zone[1]
        ));
    });
}

fn interval(times: &[Timeval; 2]) -> String {
    format!(
        "{{it_interval={}, it_value={}}}",
        timeval(&times[0]),
        timeval(&times[1])
    )
}

fn given_interval(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<[Timeval; 2]>(addr, |cx, times| cx.put(&interval(times)));
}

fn out_interval(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<[Timeval; 2]>(addr, |cx, times| cx.put(&interval(times)));
}

fn timer_spec(times: &[Timespec; 2]) -> String {
    format!(
        "{{it_interval={}, it_value={}}}",
        timespec(&times[0]),
        timespec(&times[1])
    )
}

fn given_timer_spec(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<[Timespec; 2]>(addr, |cx, times| cx.put(&timer_spec(times)));
}

fn out_timer_spec(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<[Timespec; 2]>(addr, |cx, times| cx.put(&timer_spec(times)));
}

fn out_seconds(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<i64>(addr, |cx, seconds| {
        cx.put(&format!("[{seconds}{}]", moment(*seconds, 0, 0)));
    });
}

fn dated(cx: &mut Cx<'_>, seconds: i64) {
    cx.put(&format!("{seconds} ({}+0000)", date(seconds)));
}

/// Linux's `struct sigevent`, as far as it is printed.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct SigEvent {
    value: u64,
    signal: i32,
    notify: u32,
}

names! { NOTIFY, "SIGEV_???", SIGEV_SIGNAL = 0, SIGEV_NONE = 1, SIGEV_THREAD = 2,
SIGEV_THREAD_ID = 4, }

fn sigevent(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<SigEvent>(addr, |cx, event| {
        let pointer = match event.value {
            0 => "NULL".to_owned(),
            value => format!("{value:#x}"),
        };
        cx.put(&format!(
            "{{sigev_value={{sival_int={}, sival_ptr={pointer}}}, sigev_signo={}, sigev_notify={}}}",
            event.value as i32,
            crate::signals::name(event.signal),
            NOTIFY.choice(u64::from(event.notify))
        ));
    });
}

fn out_timer(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<i32>(addr, |cx, timer| cx.put(&format!("[{timer}]")));
}

fn two_timevals(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<[Timeval; 2]>(addr, |cx, times| {
        let one = |time: &Timeval| timeval(time) + &moment(time.sec, time.usec, 6);
        cx.put(&format!("[{}, {}]", one(&times[0]), one(&times[1])));
    });
}

fn two_seconds(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<[i64; 2]>(addr, |cx, times| {
        let one = |seconds: i64| format!("{seconds}{}", moment(seconds, 0, 0));
        cx.put(&format!(
            "{{actime={}, modtime={}}}",
            one(times[0]),
            one(times[1])
        ));
    });
}

fn file_times(cx: &mut Cx<'_>, addr: u64) {
    const UTIME_NOW: i64 = (1 << 30) - 1;
    const UTIME_OMIT: i64 = (1 << 30) - 2;
    cx.given::<[Timespec; 2]>(addr, |cx, times| {
        if times.iter().all(|time| time.nsec == UTIME_NOW) {
            return cx.put("[UTIME_NOW, UTIME_NOW]");
        }
        let one = |time: &Timespec| match time.nsec {
            UTIME_NOW => "UTIME_NOW".to_owned(),
            UTIME_OMIT => "UTIME_OMIT".to_owned(),
            _ => timespec(time) + &moment(time.sec, time.nsec, 9),
        };
        cx.put(&format!("[{}, {}]", one(&times[0]), one(&times[1])));
    });
}

const CLOCK_ID: Arg = Choice(&CLOCK);

/// The system calls of this file.
pub const CALLS: &[Call] = &[
    Call::new(Sysno::time, &[Out(out_seconds)], Ret::Noted(dated)),
    Call::new(
        Sysno::gettimeofday,
        &[Out(out_timeval), Out(out_zone)],
        Ret::Int,
    ),
    Call::new(
        Sysno::settimeofday,
        &[In(given_timeval), In(given_zone)],
        Ret::Int,
    ),
    Call::new(
        Sysno::clock_gettime,
        &[CLOCK_ID, Out(out_timespec)],
        Ret::Int,
    ),
    Call::new(
        Sysno::clock_getres,
        &[CLOCK_ID, Out(out_timespec)],
        Ret::Int,
    ),
    Call::new(
        Sysno::clock_settime,
        &[CLOCK_ID, In(given_timespec)],
        Ret::Int,
    ),
    Call::new(
        Sysno::nanosleep,
        &[In(given_timespec), Out(time_left)],
        Ret::Int,
    ),
    Call::new(
        Sysno::clock_nanosleep,
        &[CLOCK_ID, Flags(&TIMER), In(given_timespec), Out(time_left)],
        Ret::Int,
    ),
    Call::new(
        Sysno::getitimer,
        &[Choice(&ITIMER), Out(out_interval)],
        Ret::Int,
    ),
    Call::new(
        Sysno::setitimer,
        &[Choice(&ITIMER), In(given_interval), Out(out_interval)],
        Ret::Int,
    ),
    Call::new(Sysno::alarm, &[Uint], Ret::Int),
    Call::new(
        Sysno::timer_create,
        &[CLOCK_ID, In(sigevent), Out(out_timer)],
        Ret::Int,
    ),
    Call::new(
        Sysno::timer_settime,
        &[
            Arg::Int,
            Flags(&TIMER),
            In(given_timer_spec),
            Out(out_timer_spec),
        ],
        Ret::Int,
    ),
    Call::new(
        Sysno::timer_gettime,
        &[Arg::Int, Out(out_timer_spec)],
        Ret::Int,
    ),
    Call::new(Sysno::timer_getoverrun, &[Arg::Int], Ret::Int),
    Call::new(Sysno::timer_delete, &[Arg::Int], Ret::Int),
    Call::new(Sysno::timerfd_create, &[CLOCK_ID, Flags(&TFD)], Ret::Fd),
    Call::new(
        Sysno::timerfd_settime,
        &[
            Fd,
            Flags(&TFD_TIMER),
            In(given_timer_spec),
            Out(out_timer_spec),
        ],
        Ret::Int,
    ),
    Call::new(Sysno::timerfd_gettime, &[Fd, Out(out_timer_spec)], Ret::Int),
    Call::new(Sysno::utime, &[Path, In(two_seconds)], Ret::Int),
    Call::new(Sysno::utimes, &[Path, In(two_timevals)], Ret::Int),
    Call::new(
        Sysno::futimesat,
        &[Arg::DirFd, Path, In(two_timevals)],
        Ret::Int,
    ),
    Call::new(
        Sysno::utimensat,
        &[Arg::DirFd, Path, In(file_times), Flags(&super::path::AT)],
        Ret::Int,
    ),
];
