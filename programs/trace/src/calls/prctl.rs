//! prctl: what its arguments are depends on the first.

use syscalls::x86_64::Sysno;

use crate::call::Arg::{self, Choice};
use crate::call::{Call, Ret};
use crate::cx::Cx;
use crate::names::names;
use crate::signals;

names! { OPTION, "PR_???", PR_SET_PDEATHSIG = 1, PR_GET_PDEATHSIG = 2, PR_GET_DUMPABLE = 3,
PR_SET_DUMPABLE = 4, PR_GET_UNALIGN = 5, PR_SET_UNALIGN = 6, PR_GET_KEEPCAPS = 7,
PR_SET_KEEPCAPS = 8, PR_GET_FPEMU = 9, PR_SET_FPEMU = 10, PR_GET_FPEXC = 11, PR_SET_FPEXC = 12,
PR_GET_TIMING = 13, PR_SET_TIMING = 14, PR_SET_NAME = 15, PR_GET_NAME = 16, PR_GET_ENDIAN = 19,
PR_SET_ENDIAN = 20, PR_GET_SECCOMP = 21, PR_SET_SECCOMP = 22, PR_CAPBSET_READ = 23,
PR_CAPBSET_DROP = 24, PR_GET_TSC = 25, PR_SET_TSC = 26, PR_GET_SECUREBITS = 27,
PR_SET_SECUREBITS = 28, PR_SET_TIMERSLACK = 29, PR_GET_TIMERSLACK = 30,
PR_TASK_PERF_EVENTS_DISABLE = 31, PR_TASK_PERF_EVENTS_ENABLE = 32, PR_MCE_KILL = 33,
PR_MCE_KILL_GET = 34, PR_SET_MM = 35, PR_SET_CHILD_SUBREAPER = 36, PR_GET_CHILD_SUBREAPER = 37,
PR_SET_NO_NEW_PRIVS = 38, PR_GET_NO_NEW_PRIVS = 39, PR_GET_TID_ADDRESS = 40,
PR_SET_THP_DISABLE = 41, PR_GET_THP_DISABLE = 42, PR_CAP_AMBIENT = 47,
PR_SET_VMA = 0x5356_4d41, PR_SET_PTRACER = 0x5961_6d61, }

names! { CAPABILITY, "CAP_???", CAP_CHOWN = 0, CAP_DAC_OVERRIDE = 1, CAP_DAC_READ_SEARCH = 2, CAP_FOWNER = 3, CAP_FSETID = 4, CAP_KILL = 5, CAP_SETGID = 6, CAP_SETUID = 7, CAP_SETPCAP = 8, CAP_LINUX_IMMUTABLE = 9, CAP_NET_BIND_SERVICE = 10, CAP_NET_BROADCAST = 11, CAP_NET_ADMIN = 12, CAP_NET_RAW = 13, CAP_IPC_LOCK = 14, CAP_IPC_OWNER = 15, CAP_SYS_MODULE = 16, CAP_SYS_RAWIO = 17, CAP_SYS_CHROOT = 18, CAP_SYS_PTRACE = 19, CAP_SYS_PACCT = 20, CAP_SYS_ADMIN = 21, CAP_SYS_BOOT = 22, CAP_SYS_NICE = 23, CAP_SYS_RESOURCE = 24, CAP_SYS_TIME = 25, CAP_SYS_TTY_CONFIG = 26, CAP_MKNOD = 27, CAP_LEASE = 28, CAP_AUDIT_WRITE = 29, CAP_AUDIT_CONTROL = 30, CAP_SETFCAP = 31, CAP_MAC_OVERRIDE = 32, CAP_MAC_ADMIN = 33, CAP_SYSLOG = 34, CAP_WAKE_ALARM = 35, CAP_BLOCK_SUSPEND = 36, CAP_AUDIT_READ = 37, CAP_PERFMON = 38, CAP_BPF = 39, CAP_CHECKPOINT_RESTORE = 40, }

const SET_PDEATHSIG: u64 = 1;
const GET_PDEATHSIG: u64 = 2;
const SET_NAME: u64 = 15;
const GET_NAME: u64 = 16;
const GET_CHILD_SUBREAPER: u64 = 37;
const GET_TID_ADDRESS: u64 = 40;

fn answers_through_pointer(args: &[u64; 6]) -> bool {
    matches!(
        args[0],
        GET_PDEATHSIG | GET_NAME | GET_CHILD_SUBREAPER | GET_TID_ADDRESS
    )
}

/// Everything behind the option, commas included.
fn rest(cx: &mut Cx<'_>, _: u64) {
    let [option, second, third, fourth, fifth, _] = cx.args;
    match option {
        SET_NAME => {
            // The kernel takes at most fifteen bytes.
            match cx.load_string(second, cx.look.limit.min(15)) {
                Some((name, whole)) => {
                    cx.quote(&name);
                    cx.put(if whole { "" } else { "..." });
                }
                None => cx.addr(second),
            }
        }
        GET_NAME if cx.failed() => cx.addr(second),
        GET_NAME => cx.string(second),
        SET_PDEATHSIG => cx.put(&signals::name(second as i32)),
        GET_PDEATHSIG => {
            cx.out::<i32>(second, |cx, signal| {
                cx.put(&format!("[{}]", signals::name(*signal)))
            });
        }
        GET_CHILD_SUBREAPER => cx.out::<i32>(second, |cx, value| cx.put(&format!("[{value}]"))),
        GET_TID_ADDRESS => cx.out::<u64>(second, |cx, addr| {
            cx.put("[");
            cx.addr(*addr);
            cx.put("]");
        }),
        4 => {
            let name = ["SUID_DUMP_DISABLE", "SUID_DUMP_USER", "SUID_DUMP_ROOT"];
            match name.get(second as usize) {
                Some(name) => cx.put(name),
                None => cx.put(&format!("{second:#x} /* SUID_DUMP_??? */")),
            }
        }
        23 | 24 => cx.put(&CAPABILITY.choice(second)),
        8 | 36 | 29 => cx.int(second),
        38 | 41 | 42 => {
            cx.int(second);
            for value in [third, fourth, fifth] {
                cx.comma();
                cx.hex(value);
            }
        }
        _ => {
            cx.hex(second);
            for value in [third, fourth, fifth] {
                cx.comma();
                cx.hex(value);
            }
        }
    }
}

fn has_more(args: &[u64; 6]) -> bool {
    !matches!(args[0], 3 | 7 | 21 | 27 | 30 | 31 | 32 | 34)
}

/// Said in words where the number alone says little.
fn result(cx: &mut Cx<'_>, value: i64) {
    match cx.args[0] {
        3 => {
            let name = ["SUID_DUMP_DISABLE", "SUID_DUMP_USER", "SUID_DUMP_ROOT"];
            let name = name.get(value as usize).unwrap_or(&"SUID_DUMP_???");
            cx.put(&format!("{value} ({name})"));
        }
        _ => cx.int(value),
    }
}

const REST: Arg = Arg::Either(answers_through_pointer, rest);

/// The system calls of this file.
pub const CALLS: &[Call] = &[Call::new(
    Sysno::prctl,
    &[Choice(&OPTION), Arg::When(has_more, &REST)],
    Ret::Noted(result),
)];
