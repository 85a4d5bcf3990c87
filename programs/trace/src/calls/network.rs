//! Sockets.

use std::net::{Ipv4Addr, Ipv6Addr};

use bytemuck::{Pod, Zeroable};
use syscalls::x86_64::Sysno;

use super::io;
use crate::call::Arg::{
    self, Bytes, Choice, Fd, Filled, Flags, Hex, In, Int, Length, Out, Size, Uint,
};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;
use crate::quote::{self, Style};

names! { FAMILY, "AF_???", AF_UNSPEC = 0, AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10,
AF_NETLINK = 16, AF_PACKET = 17, AF_VSOCK = 40, }
names! { KIND, "SOCK_???", SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_RDM = 4,
SOCK_SEQPACKET = 5, SOCK_DCCP = 6, SOCK_PACKET = 10, }
names! { KIND_FLAGS, "SOCK_???", SOCK_CLOEXEC = 0o2_000_000, SOCK_NONBLOCK = 0o4000, }
names! { INET, "IPPROTO_???", IPPROTO_IP = 0, IPPROTO_ICMP = 1, IPPROTO_TCP = 6, IPPROTO_UDP = 17,
IPPROTO_IPV6 = 41, IPPROTO_ICMPV6 = 58, IPPROTO_SCTP = 132, IPPROTO_RAW = 255, }
names! { NETLINK, "NETLINK_???", NETLINK_ROUTE = 0, NETLINK_SOCK_DIAG = 4, NETLINK_AUDIT = 9,
NETLINK_NETFILTER = 12, NETLINK_KOBJECT_UEVENT = 15, NETLINK_GENERIC = 16, }
names! { MESSAGE, "MSG_???", MSG_OOB = 1, MSG_PEEK = 2, MSG_DONTROUTE = 4, MSG_CTRUNC = 8,
MSG_PROBE = 0x10, MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40, MSG_EOR = 0x80, MSG_WAITALL = 0x100,
MSG_FIN = 0x200, MSG_SYN = 0x400, MSG_CONFIRM = 0x800, MSG_RST = 0x1000, MSG_ERRQUEUE = 0x2000,
MSG_NOSIGNAL = 0x4000, MSG_MORE = 0x8000, MSG_WAITFORONE = 0x10000, MSG_FASTOPEN = 0x2000_0000,
MSG_CMSG_CLOEXEC = 0x4000_0000, }
names! { HOW, "SHUT_???", SHUT_RD = 0, SHUT_WR = 1, SHUT_RDWR = 2, }
names! { LEVEL, "SOL_???", SOL_SOCKET = 1, SOL_IP = 0, SOL_TCP = 6, SOL_UDP = 17, SOL_IPV6 = 41,
SOL_PACKET = 263, SOL_NETLINK = 270, }
names! { OPTION, "SO_???", SO_DEBUG = 1, SO_REUSEADDR = 2, SO_TYPE = 3, SO_ERROR = 4,
SO_DONTROUTE = 5, SO_BROADCAST = 6, SO_SNDBUF = 7, SO_RCVBUF = 8, SO_KEEPALIVE = 9,
SO_OOBINLINE = 10, SO_PRIORITY = 12, SO_LINGER = 13, SO_REUSEPORT = 15, SO_PASSCRED = 16,
SO_PEERCRED = 17, SO_RCVLOWAT = 18, SO_SNDLOWAT = 19, SO_RCVTIMEO_OLD = 20, SO_SNDTIMEO_OLD = 21,
SO_BINDTODEVICE = 25, SO_TIMESTAMP_OLD = 29, SO_ACCEPTCONN = 30, SO_SNDBUFFORCE = 32,
SO_RCVBUFFORCE = 33, SO_PROTOCOL = 38, SO_DOMAIN = 39, }
names! { TCP, "TCP_???", TCP_NODELAY = 1, TCP_MAXSEG = 2, TCP_CORK = 3, TCP_KEEPIDLE = 4,
TCP_KEEPINTVL = 5, TCP_KEEPCNT = 6, TCP_SYNCNT = 7, TCP_LINGER2 = 8, TCP_DEFER_ACCEPT = 9,
TCP_WINDOW_CLAMP = 10, TCP_INFO = 11, TCP_QUICKACK = 12, TCP_CONGESTION = 13,
TCP_USER_TIMEOUT = 18, TCP_FASTOPEN = 23, }

const UNIX: u16 = 1;
const INET4: u16 = 2;
const INET6: u16 = 10;
const NETLINK_FAMILY: u16 = 16;

fn kind(cx: &mut Cx<'_>, value: u64) {
    const TYPE: u64 = 15;
    let value = value & 0xffff_ffff;
    cx.put(&KIND.choice(value & TYPE));
    if value & !TYPE != 0 {
        cx.put("|");
        cx.put(&KIND_FLAGS.flags(value & !TYPE));
    }
}

fn protocol(cx: &mut Cx<'_>, value: u64) {
    match cx.args[0] as u16 {
        INET4 | INET6 => cx.put(&INET.choice(value & 0xffff_ffff)),
        NETLINK_FAMILY => cx.put(&NETLINK.choice(value & 0xffff_ffff)),
        _ => cx.int(value as i32),
    }
}

/// An address as the structure it is, by its family.
fn address(cx: &mut Cx<'_>, addr: u64, length: u64) {
    let length = length.min(128) as usize;
    let bytes = match cx.load_array::<u8>(addr, length) {
        Some(bytes) if length >= 2 => bytes,
        _ => return cx.addr(addr),
    };
    let family = u16::from_ne_bytes([bytes[0], bytes[1]]);
    let short = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    let text = match family {
        UNIX => unix_address(&bytes[2..]),
        INET4 if length >= 16 => format!(
            "sin_port=htons({}), sin_addr=inet_addr(\"{}\")",
            short(2),
            Ipv4Addr::new(bytes[4], bytes[5], bytes[6], bytes[7])
        ),
        INET6 if length >= 28 => {
            let mut octets = [0; 16];
            octets.copy_from_slice(&bytes[8..24]);
            let word = |at: usize| <[u8; 4]>::try_from(&bytes[at..at + 4]).unwrap_or_default();
            format!(
                "sin6_port=htons({}), sin6_flowinfo=htonl({}), \
                 inet_pton(AF_INET6, \"{}\", &sin6_addr), sin6_scope_id={}",
                short(2),
                u32::from_be_bytes(word(4)),
                Ipv6Addr::from(octets),
                u32::from_ne_bytes(word(24))
            )
        }
        NETLINK_FAMILY if length >= 12 => {
            let word = |at: usize| <[u8; 4]>::try_from(&bytes[at..at + 4]).unwrap_or_default();
            format!(
                "nl_pid={}, nl_groups={:08x}",
                u32::from_ne_bytes(word(4)),
                u32::from_ne_bytes(word(8))
            )
        }
        _ => {
            let mut text = "sa_data=".to_owned();
            quote::quote(&mut text, &bytes[2..], Style::Octal);
            text
        }
    };
    let comma = if text.is_empty() { "" } else { ", " };
    cx.put(&format!(
        "{{sa_family={}{comma}{text}}}",
        FAMILY.choice(u64::from(family))
    ));
}

/// A path, or a name in the abstract space, which begins with a zero byte.
fn unix_address(path: &[u8]) -> String {
    let mut text = String::new();
    match path {
        [] => {}
        [0, name @ ..] => {
            text.push_str("sun_path=@");
            quote::quote(&mut text, name, Style::Octal);
        }
        path => {
            text.push_str("sun_path=");
            let end = path
                .iter()
                .position(|&byte| byte == 0)
                .unwrap_or(path.len());
            quote::quote(&mut text, &path[..end], Style::Octal);
        }
    }
    text
}

fn given_address(cx: &mut Cx<'_>, addr: u64) {
    address(cx, addr, cx.args[2]);
}

fn destination(cx: &mut Cx<'_>, addr: u64) {
    address(cx, addr, cx.args[5]);
}

fn out_address(cx: &mut Cx<'_>, addr: u64) {
    filled_address(cx, addr, cx.args[2]);
}

fn source(cx: &mut Cx<'_>, addr: u64) {
    filled_address(cx, addr, cx.args[5]);
}

fn filled_address(cx: &mut Cx<'_>, addr: u64, length: u64) {
    match cx.load::<u32>(length) {
        Some(length) if !cx.failed() && addr != 0 => address(cx, addr, u64::from(length)),
        _ => cx.addr(addr),
    }
}

fn option(cx: &mut Cx<'_>, value: u64) {
    let value = value & 0xffff_ffff;
    match cx.args[1] {
        1 => cx.put(&OPTION.choice(value)),
        6 => cx.put(&TCP.choice(value)),
        _ => cx.hex(value),
    }
}

fn given_option(cx: &mut Cx<'_>, addr: u64) {
    option_value(cx, addr, cx.args[4] & 0xffff_ffff);
}

fn out_option(cx: &mut Cx<'_>, addr: u64) {
    match cx.load::<u32>(cx.args[4]) {
        Some(length) if !cx.failed() => option_value(cx, addr, u64::from(length)),
        _ => cx.addr(addr),
    }
}

fn option_value(cx: &mut Cx<'_>, addr: u64, length: u64) {
    match length {
        4 => cx.given::<i32>(addr, |cx, value| cx.put(&format!("[{value}]"))),
        _ => cx.bytes(addr, length, Style::Octal),
    }
}

/// Linux's `struct msghdr`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Message {
    name: u64,
    namelen: u64,
    iov: u64,
    iovlen: u64,
    control: u64,
    controllen: u64,
    flags: u64,
}

fn message(cx: &mut Cx<'_>, message: &Message, total: u64) {
    cx.put("{msg_name=");
    address(cx, message.name, message.namelen & 0xffff_ffff);
    cx.put(&format!(
        ", msg_namelen={}, msg_iov=",
        message.namelen as u32
    ));
    io::iovecs(cx, message.iov, message.iovlen, total);
    cx.put(&format!(", msg_iovlen={}", message.iovlen));
    if message.controllen != 0 {
        cx.put(", msg_control=");
        cx.addr(message.control);
    }
    let flags = MESSAGE.flags(message.flags & 0xffff_ffff);
    cx.put(&format!(
        ", msg_controllen={}, msg_flags={flags}}}",
        message.controllen
    ));
}

fn given_message(cx: &mut Cx<'_>, addr: u64) {
    cx.given::<Message>(addr, |cx, it| message(cx, it, u64::MAX));
}

fn out_message(cx: &mut Cx<'_>, addr: u64) {
    if cx.failed() {
        return cx.given::<Message>(addr, |cx, it| {
            cx.put(&format!("{{msg_namelen={}}}", it.namelen as u32));
        });
    }
    cx.out::<Message>(addr, |cx, it| message(cx, it, cx.returned()));
}

const DOMAIN: Arg = Choice(&FAMILY);
const ACCEPTED: Arg = Out(out_address);

/// The system calls of this file.
pub const CALLS: &[Call] = &[
    Call::new(Sysno::socket, &[DOMAIN, In(kind), In(protocol)], Ret::Fd),
    Call::new(
        Sysno::socketpair,
        &[DOMAIN, In(kind), In(protocol), io::PAIR],
        Ret::Int,
    ),
    Call::new(Sysno::bind, &[Fd, In(given_address), Int], Ret::Int),
    Call::new(Sysno::connect, &[Fd, In(given_address), Int], Ret::Int),
    Call::new(Sysno::listen, &[Fd, Int], Ret::Int),
    Call::new(Sysno::accept, &[Fd, ACCEPTED, Length], Ret::Fd),
    Call::new(
        Sysno::accept4,
        &[Fd, ACCEPTED, Length, Flags(&KIND_FLAGS)],
        Ret::Fd,
    ),
    Call::new(Sysno::getsockname, &[Fd, ACCEPTED, Length], Ret::Int),
    Call::new(Sysno::getpeername, &[Fd, ACCEPTED, Length], Ret::Int),
    Call::new(Sysno::shutdown, &[Fd, Choice(&HOW)], Ret::Int),
    Call::new(
        Sysno::sendto,
        &[Fd, Bytes, Size, Flags(&MESSAGE), In(destination), Uint],
        Ret::Int,
    ),
    Call::new(
        Sysno::recvfrom,
        &[Fd, Filled, Size, Flags(&MESSAGE), Out(source), Length],
        Ret::Int,
    ),
    Call::new(
        Sysno::sendmsg,
        &[Fd, In(given_message), Flags(&MESSAGE)],
        Ret::Int,
    ),
    Call::new(
        Sysno::recvmsg,
        &[Fd, Out(out_message), Flags(&MESSAGE)],
        Ret::Int,
    ),
    Call::new(
        Sysno::setsockopt,
        &[Fd, Choice(&LEVEL), In(option), In(given_option), Uint],
        Ret::Int,
    ),
    Call::new(
        Sysno::getsockopt,
        &[Fd, Choice(&LEVEL), In(option), Out(out_option), Length],
        Ret::Int,
    ),
    Call::new(Sysno::sendmmsg, &[Fd, Hex, Uint, Flags(&MESSAGE)], Ret::Int),
    Call::new(
        Sysno::recvmmsg,
        &[Fd, Hex, Uint, Flags(&MESSAGE), Hex],
        Ret::Int,
    ),
];
