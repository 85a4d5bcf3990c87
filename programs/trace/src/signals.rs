//! Signals, signal sets and where a signal comes from.

use libtrace::SigInfo;

use crate::cx::Cx;
use crate::names::names;

const NAMES: [&str; 32] = [
    "0",
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

const SIGCHLD: i32 = 17;
const SIGSYS: i32 = 31;
/// The first realtime signal.
const SIGRTMIN: i32 = 32;

/// `SIGUSR1`, `SIGRT_1`, or the number of what is no signal.
pub fn name(signal: i32) -> String {
    match signal {
        0..=31 => NAMES[signal as usize].to_owned(),
        SIGRTMIN => "SIGRTMIN".to_owned(),
        33..=64 => format!("SIGRT_{}", signal - SIGRTMIN),
        _ => signal.to_string(),
    }
}

/// The signal that `text` names, with or without `SIG`, or by its number.
pub fn parse(text: &str) -> Option<i32> {
    let upper = text.to_ascii_uppercase();
    let is_named = |signal: &i32| {
        let name = name(*signal);
        name == upper || name.strip_prefix("SIG") == Some(&upper)
    };
    (1..=64).find(is_named).or_else(|| {
        let number = text.parse().ok()?;
        (1..=64).contains(&number).then_some(number)
    })
}

/// A signal set: `[INT CHLD]`, or `~[KILL]` where more signals are in it than not.
pub fn set(mask: u64) -> String {
    // Strictly more than two thirds reads better the other way round.
    let negated = mask.count_ones() >= 64 * 2 / 3;
    let shown = if negated { !mask } else { mask };
    let names: Vec<String> = (1..=64)
        .filter(|signal| shown >> (signal - 1) & 1 == 1)
        .map(|signal| name(signal).trim_start_matches("SIG").to_owned())
        .collect();
    format!("{}[{}]", if negated { "~" } else { "" }, names.join(" "))
}

names! {
    /// Codes that mean the same for every signal.
    CODE, "SI_???",
    SI_USER = 0, SI_KERNEL = 0x80, SI_QUEUE = -1i32 as u32, SI_TIMER = -2i32 as u32,
    SI_MESGQ = -3i32 as u32, SI_ASYNCIO = -4i32 as u32, SI_SIGIO = -5i32 as u32,
    SI_TKILL = -6i32 as u32, SI_DETHREAD = -7i32 as u32, SI_ASYNCNL = -60i32 as u32,
}
names! { ILL, "ILL_???", ILL_ILLOPC = 1, ILL_ILLOPN = 2, ILL_ILLADR = 3, ILL_ILLTRP = 4,
ILL_PRVOPC = 5, ILL_PRVREG = 6, ILL_COPROC = 7, ILL_BADSTK = 8, }
names! { FPE, "FPE_???", FPE_INTDIV = 1, FPE_INTOVF = 2, FPE_FLTDIV = 3, FPE_FLTOVF = 4,
FPE_FLTUND = 5, FPE_FLTRES = 6, FPE_FLTINV = 7, FPE_FLTSUB = 8, }
names! { SEGV, "SEGV_???", SEGV_MAPERR = 1, SEGV_ACCERR = 2, SEGV_BNDERR = 3, SEGV_PKUERR = 4, }
names! { BUS, "BUS_???", BUS_ADRALN = 1, BUS_ADRERR = 2, BUS_OBJERR = 3, BUS_MCEERR_AR = 4,
BUS_MCEERR_AO = 5, }
names! { TRAP, "TRAP_???", TRAP_BRKPT = 1, TRAP_TRACE = 2, TRAP_BRANCH = 3, TRAP_HWBKPT = 4, }
names! { CLD, "CLD_???", CLD_EXITED = 1, CLD_KILLED = 2, CLD_DUMPED = 3, CLD_TRAPPED = 4,
CLD_STOPPED = 5, CLD_CONTINUED = 6, }
names! { POLL, "POLL_???", POLL_IN = 1, POLL_OUT = 2, POLL_MSG = 3, POLL_ERR = 4, POLL_PRI = 5,
POLL_HUP = 6, }
names! { SYS, "SYS_???", SYS_SECCOMP = 1, SYS_USER_DISPATCH = 2, }

fn code(signal: i32, code: i32) -> String {
    let own = match signal {
        4 => &ILL,
        5 => &TRAP,
        7 => &BUS,
        8 => &FPE,
        11 => &SEGV,
        SIGCHLD => &CLD,
        29 => &POLL,
        SIGSYS => &SYS,
        _ => &CODE,
    };
    let value = u64::from(code as u32);
    match CODE.name(value).or_else(|| own.name(value)) {
        Some(name) => name.to_owned(),
        None => format!("{code:#x}"),
    }
}

/// Prints a siginfo.
pub fn info(cx: &mut Cx<'_>, info: &SigInfo) {
    cx.put(&siginfo(info));
}

/// `{si_signo=SIGUSR1, si_code=SI_USER, si_pid=7, si_uid=0}`.
pub fn siginfo(info: &SigInfo) -> String {
    const SI_TIMER: i32 = -2;
    const SI_TKILL: i32 = -6;
    const SI_KERNEL: i32 = 0x80;
    let mut text = format!("{{si_signo={}, si_code=", name(info.signal()));
    text += &code(info.signal(), info.code());
    if info.errno() != 0 {
        let errno = libtrace::Errno(info.errno());
        text += &format!(", si_errno={}", errno.name().unwrap_or("?"));
    }
    let sender = || format!(", si_pid={}, si_uid={}", info.pid(), info.uid());
    let value = || {
        format!(
            ", si_int={}, si_ptr={}",
            info.value() as i32,
            pointer(info.value())
        )
    };
    text += &match (info.signal(), info.code()) {
        (_, SI_TKILL | 0) => sender(),
        (_, SI_KERNEL) => String::new(),
        (_, SI_TIMER) => {
            format!(
                ", si_timerid={:#x}, si_overrun={}",
                info.timer(),
                info.overrun()
            ) + &value()
        }
        (_, ..0) => {
            sender()
                + &if info.value() != 0 {
                    value()
                } else {
                    String::new()
                }
        }
        (SIGCHLD, code) => {
            let status = match code {
                1 => info.status().to_string(),
                _ => name(info.status()),
            };
            sender()
                + &format!(
                    ", si_status={status}, si_utime={}, si_stime={}",
                    info.utime(),
                    info.stime()
                )
        }
        (4 | 5 | 7 | 8 | 11, _) => format!(", si_addr={}", pointer(info.addr())),
        (29, _) => format!(", si_band={}, si_fd={}", info.band(), info.fd()),
        (SIGSYS, _) => {
            let call = syscalls::x86_64::Sysno::new(info.syscall() as usize);
            let call = call.map_or(info.syscall().to_string(), |call| {
                format!("__NR_{}", call.name())
            });
            format!(
                ", si_call_addr={}, si_syscall={call}, si_arch=AUDIT_ARCH_X86_64",
                pointer(info.addr())
            )
        }
        _ => String::new(),
    };
    text + "}"
}

fn pointer(addr: u64) -> String {
    match addr {
        0 => "NULL".to_owned(),
        _ => format!("{addr:#x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_sets_are_shown_by_what_they_lack() {
        assert_eq!(set(0), "[]");
        assert_eq!(set(1 << 1 | 1 << 16), "[INT CHLD]");
        assert_eq!(set(!0), "~[]");
        assert_eq!(set(!(3 << 31)), "~[RTMIN RT_1]");
    }

    #[test]
    fn signals_are_known_by_name_and_number() {
        assert_eq!(parse("SIGUSR1"), Some(10));
        assert_eq!(parse("chld"), Some(17));
        assert_eq!(parse("9"), Some(9));
        assert_eq!(parse("SIGFOO"), None);
        assert_eq!(parse("65"), None);
    }

    #[test]
    fn a_sender_is_named() {
        let mut info = SigInfo::new(10, 0, 0);
        info.set_sender(7, 0);
        assert_eq!(
            siginfo(&info),
            "{si_signo=SIGUSR1, si_code=SI_USER, si_pid=7, si_uid=0}"
        );
    }

    #[test]
    fn a_fault_has_its_address() {
        let info = SigInfo::new(11, 0, 1);
        assert_eq!(
            siginfo(&info),
            "{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL}"
        );
    }
}
