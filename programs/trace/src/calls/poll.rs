//! Waiting for file descriptors.

use bytemuck::{Pod, Zeroable};
use syscalls::x86_64::Sysno;

use super::signal::given_set;
use super::time::{Timespec, Timeval, given_timespec, timespec, timeval};
use crate::call::Arg::{self, Choice, Fd, Flags, In, Int, Out, Size, Uint};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;

names! { POLL, "POLL???", POLLIN = 1, POLLPRI = 2, POLLOUT = 4, POLLRDNORM = 0x40,
POLLRDBAND = 0x80, POLLWRNORM = 0x100, POLLWRBAND = 0x200, POLLMSG = 0x400, POLLERR = 8,
POLLHUP = 0x10, POLLNVAL = 0x20, POLLREMOVE = 0x1000, POLLRDHUP = 0x2000, }
names! { EPOLL, "EPOLL???", EPOLLIN = 1, EPOLLPRI = 2, EPOLLOUT = 4, EPOLLRDNORM = 0x40,
EPOLLRDBAND = 0x80, EPOLLWRNORM = 0x100, EPOLLWRBAND = 0x200, EPOLLMSG = 0x400, EPOLLERR = 8,
EPOLLHUP = 0x10, EPOLLRDHUP = 0x2000, EPOLLEXCLUSIVE = 1 << 28, EPOLLWAKEUP = 1 << 29,
EPOLLONESHOT = 1 << 30, EPOLLET = 1u32 << 31, }
names! { CONTROL, "EPOLL_CTL_???", EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, EPOLL_CTL_MOD = 3, }
names! { CREATE, "EPOLL_???", EPOLL_CLOEXEC = 0o2_000_000, }
names! { EVENTFD, "EFD_???", EFD_SEMAPHORE = 1, EFD_CLOEXEC = 0o2_000_000, EFD_NONBLOCK = 0o4000, }
names! { INOTIFY, "IN_???", IN_CLOEXEC = 0o2_000_000, IN_NONBLOCK = 0o4000, }

/// Linux's `struct pollfd`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct PollFd {
    fd: i32,
    events: u16,
    revents: u16,
}

fn pollfds(cx: &mut Cx<'_>, addr: u64) {
    cx.array::<PollFd>(addr, cx.args[1].min(4096) as usize, |cx, poll| {
        match poll.fd {
            ..0 => cx.put(&format!("{{fd={}}}", poll.fd)),
            fd => cx.put(&format!(
                "{{fd={}, events={}}}",
                cx.fd_text(fd),
                POLL.flags(u64::from(poll.events))
            )),
        }
    });
}

/// The descriptors that are ready, behind their number.
fn ready(cx: &mut Cx<'_>, value: i64) {
    if value == 0 {
        return cx.put("0 (Timeout)");
    }
    let Some(polls) = cx.load_array::<PollFd>(cx.args[0], cx.args[1].min(4096) as usize) else {
        return cx.int(value);
    };
    let ready: Vec<String> = polls
        .iter()
        .filter(|poll| poll.revents != 0)
        .map(|poll| {
            format!(
                "{{fd={}, revents={}}}",
                poll.fd,
                POLL.flags(u64::from(poll.revents))
            )
        })
        .collect();
    let more = ready.len() > cx.look.limit;
    let ready = ready[..ready.len().min(cx.look.limit)].join(", ");
    let rest = if more { ", ..." } else { "" };
    cx.put(&format!("{value} ([{ready}{rest}]"));
    if cx.args[2] != 0 && !more {
        time_left(cx);
    }
    cx.put(")");
}

/// ppoll writes back how much of its time was left.
fn time_left(cx: &mut Cx<'_>) {
    if cx.args[4] == 0 {
        return;
    }
    if let Some(left) = cx.load::<Timespec>(cx.args[2]) {
        cx.put(&format!(", left {}", timespec(&left)));
    }
}

fn poll_ready(cx: &mut Cx<'_>, value: i64) {
    let timeout = std::mem::take(&mut cx.args[2]);
    ready(cx, value);
    cx.args[2] = timeout;
}

/// A descriptor set as the numbers in it, among the first `args[0]`.
fn numbers(cx: &Cx<'_>, addr: u64) -> Option<Vec<i32>> {
    let count = (cx.args[0] as i32).clamp(0, 1024) as usize;
    let words = cx.load_array::<u64>(addr, count.div_ceil(64))?;
    Some(
        (0..count)
            .filter(|at| words[at / 64] >> (at % 64) & 1 == 1)
            .map(|at| at as i32)
            .collect(),
    )
}

fn spaced(cx: &Cx<'_>, numbers: &[i32]) -> String {
    let numbers: Vec<String> = numbers.iter().map(|fd| cx.fd_text(*fd)).collect();
    numbers.join(" ")
}

fn given_fds(cx: &mut Cx<'_>, addr: u64) {
    let negative = (cx.args[0] as i32) < 0;
    match numbers(cx, addr).filter(|_| !negative) {
        Some(numbers) => cx.put(&format!("[{}]", spaced(cx, &numbers))),
        None => cx.addr(addr),
    }
}

fn selected(cx: &mut Cx<'_>, value: i64) {
    if value == 0 {
        return cx.put("0 (Timeout)");
    }
    let mut parts = Vec::new();
    for (at, name) in [(1, "in"), (2, "out"), (3, "except")] {
        if let Some(ready) = numbers(cx, cx.args[at]).filter(|ready| !ready.is_empty()) {
            let ready: Vec<String> = ready.iter().map(i32::to_string).collect();
            parts.push(format!("{name} [{}]", ready.join(" ")));
        }
    }
    let is_select = cx.args[5] == u64::MAX;
    let left = match is_select {
        true => cx.load::<Timeval>(cx.args[4]).map(|left| timeval(&left)),
        false => cx.load::<Timespec>(cx.args[4]).map(|left| timespec(&left)),
    };
    if let Some(left) = left {
        parts.push(format!("left {left}"));
    }
    cx.put(&format!("{value} ({})", parts.join(", ")));
}

/// The two calls differ in the unit of their time; select has no sixth argument to ask.
fn select_ready(cx: &mut Cx<'_>, value: i64) {
    let sixth = std::mem::replace(&mut cx.args[5], u64::MAX);
    selected(cx, value);
    cx.args[5] = sixth;
}

fn select_time(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<Timeval>(addr, |cx, time| cx.put(&timeval(time)));
}

/// pselect6's last argument is a pair of a mask's address and its size.
fn mask_pair(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<[u64; 2]>(addr, |cx, pair| {
        cx.put("{sigmask=");
        given_set(cx, pair[0]);
        cx.put(&format!(", sigsetsize={}}}", pair[1]));
    });
}

/// Linux's `struct epoll_event`, which is packed.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct EpollEvent {
    events: u32,
    data: [u32; 2],
}

fn epoll_event(cx: &mut Cx<'_>, event: &EpollEvent) {
    let data = u64::from(event.data[0]) | u64::from(event.data[1]) << 32;
    cx.put(&format!(
        "{{events={}, data={{u32={}, u64={data}}}}}",
        EPOLL.flags(u64::from(event.events)),
        event.data[0]
    ));
}

fn given_event(cx: &mut Cx<'_>, addr: u64) {
    match cx.args[1] {
        2 => cx.addr(addr),
        _ => cx.given::<EpollEvent>(addr, epoll_event),
    }
}

fn out_events(cx: &mut Cx<'_>, addr: u64) {
    match cx.failed() {
        true => cx.addr(addr),
        false => cx.array::<EpollEvent>(addr, cx.returned() as usize, epoll_event),
    }
}

const FDS: Arg = In(given_fds);

/// The system calls of this file.
pub const CALLS: &[Call] = &[
    Call::new(
        Sysno::poll,
        &[In(pollfds), Uint, Int],
        Ret::Noted(poll_ready),
    ),
    Call::new(
        Sysno::ppoll,
        &[In(pollfds), Uint, In(given_timespec), In(given_set), Size],
        Ret::Noted(ready),
    ),
    Call::new(
        Sysno::select,
        &[Int, FDS, FDS, FDS, In(select_time)],
        Ret::Noted(select_ready),
    ),
    Call::new(
        Sysno::pselect6,
        &[Int, FDS, FDS, FDS, In(given_timespec), In(mask_pair)],
        Ret::Noted(selected),
    ),
    Call::new(Sysno::epoll_create, &[Int], Ret::Fd),
    Call::new(Sysno::epoll_create1, &[Flags(&CREATE)], Ret::Fd),
    Call::new(
        Sysno::epoll_ctl,
        &[Fd, Choice(&CONTROL), Fd, In(epoll_control)],
        Ret::Int,
    ),
    Call::new(
        Sysno::epoll_wait,
        &[Fd, Out(out_events), Int, Int],
        Ret::Int,
    ),
    Call::new(
        Sysno::epoll_pwait,
        &[Fd, Out(out_events), Int, Int, In(given_set), Size],
        Ret::Int,
    ),
    Call::new(Sysno::eventfd, &[Uint], Ret::Fd),
    Call::new(Sysno::eventfd2, &[Uint, Flags(&EVENTFD)], Ret::Fd),
    Call::new(Sysno::inotify_init1, &[Flags(&INOTIFY)], Ret::Fd),
];

fn epoll_control(cx: &mut Cx<'_>, addr: u64) {
    given_event(cx, addr);
}
