//! Who a task is, and what machine it is on.

use bytemuck::{Pod, Zeroable};
use syscalls::x86_64::Sysno;

use crate::call::Arg::{self, Flags, Hex, Id, In, Int, Out, Size};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;
use crate::quote::{self, Style};

/// Linux's `struct new_utsname`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Names {
    sysname: [u8; 65],
    nodename: [u8; 65],
    rest: [[u8; 65]; 4],
}

fn out_names(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<Names>(addr, |cx, names| {
        let hex = cx.look.hex;
        let text = |field: &[u8; 65]| {
            let end = field
                .iter()
                .position(|&byte| byte == 0)
                .unwrap_or(field.len());
            let style = hex.style_of(&field[..end]);
            let mut text = String::new();
            quote::quote(&mut text, &field[..end], style);
            text
        };
        let (system, node) = (text(&names.sysname), text(&names.nodename));
        cx.put(&format!("{{sysname={system}, nodename={node}, "));
        match cx.look.verbose {
            true => {
                let [release, version, machine, domain] = names.rest.each_ref().map(text);
                cx.put(&format!(
                    "release={release}, version={version}, machine={machine}, domainname={domain}}}"
                ));
            }
            false => cx.put("...}"),
        }
    });
}

/// Linux's `struct sysinfo`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Info {
    uptime: i64,
    loads: [u64; 3],
    totalram: u64,
    freeram: u64,
    sharedram: u64,
    bufferram: u64,
    totalswap: u64,
    freeswap: u64,
    procs: u16,
    pad: [u16; 3],
    totalhigh: u64,
    freehigh: u64,
    unit: u32,
    pad2: u32,
}

const _: () = assert!(size_of::<Info>() == 112);

fn out_info(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<Info>(addr, |cx, info| {
        cx.put(&format!(
            "{{uptime={}, loads=[{}, {}, {}], totalram={}, freeram={}, sharedram={}, \
             bufferram={}, totalswap={}, freeswap={}, procs={}, totalhigh={}, freehigh={}, \
             mem_unit={}}}",
            info.uptime,
            info.loads[0],
            info.loads[1],
            info.loads[2],
            info.totalram,
            info.freeram,
            info.sharedram,
            info.bufferram,
            info.totalswap,
            info.freeswap,
            info.procs,
            info.totalhigh,
            info.freehigh,
            info.unit
        ));
    });
}

names! { RANDOM, "GRND_???", GRND_NONBLOCK = 1, GRND_RANDOM = 2, GRND_INSECURE = 4, }

fn out_random(cx: &mut Cx<'_>, addr: u64) {
    match cx.failed() {
        true => cx.addr(addr),
        false => cx.bytes(addr, cx.returned(), Style::Hex),
    }
}

fn out_groups(cx: &mut Cx<'_>, addr: u64) {
    match cx.failed() || cx.args[0] == 0 {
        true => cx.addr(addr),
        false => cx.array::<u32>(addr, cx.returned() as usize, |cx, group| cx.int(group)),
    }
}

fn given_groups(cx: &mut Cx<'_>, addr: u64) {
    cx.array::<u32>(addr, cx.args[0].min(65536) as usize, |cx, group| {
        cx.int(group)
    });
}

fn out_id(cx: &mut Cx<'_>, addr: u64) {
    cx.out::<u32>(addr, |cx, id| cx.put(&format!("[{}]", *id as i32)));
}

const IDS: &[Arg] = &[Out(out_id), Out(out_id), Out(out_id)];

names! { PERSONALITY, "PER_???", PER_LINUX = 0, }

fn personality(cx: &mut Cx<'_>, value: u64) {
    let text = match value & 0xffff_ffff {
        value @ 0xffff_ffff => format!("{value:#x}"),
        value => persona(value),
    };
    cx.put(&text);
}

names! { PERSONALITY_FLAGS, "PER_???", ADDR_NO_RANDOMIZE = 0x4_0000, FDPIC_FUNCPTRS = 0x8_0000,
MMAP_PAGE_ZERO = 0x10_0000, ADDR_COMPAT_LAYOUT = 0x20_0000, READ_IMPLIES_EXEC = 0x40_0000,
ADDR_LIMIT_32BIT = 0x80_0000, SHORT_INODE = 0x100_0000, WHOLE_SECONDS = 0x200_0000,
STICKY_TIMEOUTS = 0x400_0000, ADDR_LIMIT_3GB = 0x800_0000, }

fn persona(value: u64) -> String {
    let base = PERSONALITY.choice(value & 0xff);
    match value & !0xff {
        0 => base,
        flags => format!("{base}|{}", PERSONALITY_FLAGS.flags(flags)),
    }
}

fn former_persona(cx: &mut Cx<'_>, value: i64) {
    cx.hex(value as u64);
    cx.put(&format!(" ({})", persona(value as u64)));
}

names! { BARRIER, "MEMBARRIER_CMD_???", MEMBARRIER_CMD_QUERY = 0, MEMBARRIER_CMD_GLOBAL = 1,
MEMBARRIER_CMD_GLOBAL_EXPEDITED = 2, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED = 4,
MEMBARRIER_CMD_PRIVATE_EXPEDITED = 8, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED = 16,
MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE = 32,
MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 64,
MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ = 128,
MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ = 256, }

/// The query answers with a set of commands.
fn barriers(cx: &mut Cx<'_>, value: i64) {
    match cx.args[0] as u32 {
        0 => cx.put(&format!("{value:#x} ({})", BARRIER.flags(value as u64))),
        _ => cx.int(value),
    }
}

/// The system calls of this file.
pub const CALLS: &[Call] = &[
    Call::new(Sysno::uname, &[Out(out_names)], Ret::Int),
    Call::new(Sysno::sysinfo, &[Out(out_info)], Ret::Int),
    Call::new(
        Sysno::getrandom,
        &[Out(out_random), Size, Flags(&RANDOM)],
        Ret::Int,
    ),
    Call::new(Sysno::getuid, &[], Ret::Int),
    Call::new(Sysno::geteuid, &[], Ret::Int),
    Call::new(Sysno::getgid, &[], Ret::Int),
    Call::new(Sysno::getegid, &[], Ret::Int),
    Call::new(Sysno::setuid, &[Id], Ret::Int),
    Call::new(Sysno::setgid, &[Id], Ret::Int),
    Call::new(Sysno::setfsuid, &[Id], Ret::Int),
    Call::new(Sysno::setfsgid, &[Id], Ret::Int),
    Call::new(Sysno::setreuid, &[Id, Id], Ret::Int),
    Call::new(Sysno::setregid, &[Id, Id], Ret::Int),
    Call::new(Sysno::setresuid, &[Id, Id, Id], Ret::Int),
    Call::new(Sysno::setresgid, &[Id, Id, Id], Ret::Int),
    Call::new(Sysno::getresuid, IDS, Ret::Int),
    Call::new(Sysno::getresgid, IDS, Ret::Int),
    Call::new(Sysno::getgroups, &[Int, Out(out_groups)], Ret::Int),
    Call::new(Sysno::setgroups, &[Int, In(given_groups)], Ret::Int),
    Call::new(
        Sysno::personality,
        &[In(personality)],
        Ret::Noted(former_persona),
    ),
    Call::new(
        Sysno::membarrier,
        &[Arg::Choice(&BARRIER), Hex],
        Ret::Noted(barriers),
    ),
];
