//! Signals: numbers, sets and siginfo.

use crate::linux::general as g;
use serde::{Deserialize, Serialize};

macro_rules! signals {
    ($($name:ident)*) => {
        $(#[doc = concat!("Linux's ", stringify!($name), ".")]
        pub const $name: u8 = g::$name as u8;)*
        const NAMES: &[(u8, &str)] = &[$(($name, stringify!($name)),)*];
    };
}

signals! {
    SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2
    SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG
    SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS
}

/// The highest signal number; 32 to 64 are real-time signals.
pub const SIGMAX: u8 = 64;
/// The first real-time signal.
pub const SIGRTMIN: u8 = 32;

/// The name of a standard signal.
pub fn name(signo: u8) -> Option<&'static str> {
    NAMES
        .iter()
        .find(|(n, _)| *n == signo)
        .map(|(_, name)| *name)
}

macro_rules! codes {
    ($($name:ident = $value:expr;)*) => {
        /// Values of `si_code`.
        pub mod code {
            $(#[doc = concat!("Linux's ", stringify!($name), ".")]
            pub const $name: i32 = $value;)*
        }
    };
}

codes! {
    SI_USER = 0;
    SI_KERNEL = 0x80;
    SI_QUEUE = -1;
    SI_TIMER = -2;
    SI_TKILL = -6;
    CLD_EXITED = 1;
    CLD_KILLED = 2;
    CLD_DUMPED = 3;
    CLD_TRAPPED = 4;
    CLD_STOPPED = 5;
    CLD_CONTINUED = 6;
    SEGV_MAPERR = 1;
    SEGV_ACCERR = 2;
    BUS_ADRERR = 2;
    FPE_INTDIV = 1;
    ILL_ILLOPN = 2;
    TRAP_BRKPT = 1;
    TRAP_TRACE = 2;
    TRAP_HWBKPT = 4;
}

/// A set of signals; bit `n - 1` stands for signal `n`, as in `sigset_t`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SigSet(pub u64);

impl SigSet {
    /// No signal.
    pub const EMPTY: SigSet = SigSet(0);
    /// Every signal.
    pub const ALL: SigSet = SigSet(u64::MAX);

    /// The set of these signals.
    pub const fn of(signals: &[u8]) -> SigSet {
        let mut bits = 0;
        let mut i = 0;
        while i < signals.len() {
            bits |= 1 << (signals[i] - 1);
            i += 1;
        }
        SigSet(bits)
    }

    /// Whether `signo` (1 to 64) is in the set.
    pub const fn has(self, signo: u8) -> bool {
        signo != 0 && self.0 >> (signo - 1) & 1 != 0
    }

    /// Puts `signo` in.
    pub fn insert(&mut self, signo: u8) {
        self.0 |= 1 << (signo - 1);
    }

    /// Takes `signo` out.
    pub fn remove(&mut self, signo: u8) {
        self.0 &= !(1 << (signo - 1));
    }

    /// What is in this set and not in `other`.
    #[must_use]
    pub const fn without(self, other: SigSet) -> SigSet {
        SigSet(self.0 & !other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: SigSet) -> SigSet {
        SigSet(self.0 & other.0)
    }

    /// What is in either.
    #[must_use]
    pub const fn or(self, other: SigSet) -> SigSet {
        SigSet(self.0 | other.0)
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The lowest signal in it.
    pub fn first(self) -> Option<u8> {
        if self.0 == 0 {
            None
        } else {
            Some(self.0.trailing_zeros() as u8 + 1)
        }
    }
}

/// Cannot be blocked, caught or ignored.
pub const UNBLOCKABLE: SigSet = SigSet::of(&[SIGKILL, SIGSTOP]);
/// Stop the process by default.
pub const STOPPING: SigSet = SigSet::of(&[SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU]);
/// Do nothing by default.
pub const IGNORED: SigSet = SigSet::of(&[SIGCONT, SIGCHLD, SIGWINCH, SIGURG]);
/// Dump core by default.
pub const CORE: SigSet = SigSet::of(&[
    SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGSEGV, SIGBUS, SIGSYS, SIGXCPU, SIGXFSZ,
]);
/// Raised by an instruction of the task itself; taken before any other signal.
pub const SYNCHRONOUS: SigSet = SigSet::of(&[SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS]);

/// Linux's `siginfo_t`: 128 bytes, three numbers, four bytes of padding and a union of 112.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SigInfo {
    /// `si_signo`.
    pub signo: i32,
    /// `si_errno`.
    pub errno: i32,
    /// `si_code`.
    pub code: i32,
    /// The union behind `si_code`, from byte 16 on, as words.
    pub fields: [u64; 14],
}

/// Linux's `struct sigaction` as the kernel takes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Action {
    /// SIG_DFL, SIG_IGN or the handler's address.
    pub handler: u64,
    /// SA_ flags.
    pub flags: u64,
    /// Where a handler returns to.
    pub restorer: u64,
    /// Blocked while the handler runs.
    pub mask: SigSet,
}

/// Words of an [`Action`].
pub const ACTION_WORDS: usize = 4;

impl Action {
    /// Its words in memory.
    pub const fn to_words(self) -> [u64; ACTION_WORDS] {
        [self.handler, self.flags, self.restorer, self.mask.0]
    }

    /// The reverse of [`Action::to_words`].
    pub const fn from_words([handler, flags, restorer, mask]: [u64; ACTION_WORDS]) -> Action {
        Action {
            handler,
            flags,
            restorer,
            mask: SigSet(mask),
        }
    }
}

/// The size of [`SigInfo`] in memory.
pub const SIGINFO_SIZE: usize = 128;

impl SigInfo {
    /// A siginfo with an empty union.
    pub fn new(signo: u8, code: i32) -> SigInfo {
        SigInfo {
            signo: signo.into(),
            code,
            ..SigInfo::default()
        }
    }

    /// Sent by a process: `kill`, `tgkill` (SI_TKILL), `sigqueue` (SI_QUEUE).
    pub fn from_process(signo: u8, code: i32, pid: u32, uid: u32) -> SigInfo {
        let mut info = SigInfo::new(signo, code);
        info.fields[0] = u64::from(pid) | u64::from(uid) << 32;
        info
    }

    /// A fault of the task's own at `addr`.
    pub fn fault(signo: u8, code: i32, addr: u64) -> SigInfo {
        let mut info = SigInfo::new(signo, code);
        info.fields[0] = addr;
        info
    }

    /// SIGCHLD: `code` is a CLD_ constant; `utime` and `stime` are in clock ticks of 10 ms.
    pub fn child(code: i32, pid: u32, uid: u32, status: i32, utime: u64, stime: u64) -> SigInfo {
        let mut info = SigInfo::from_process(SIGCHLD, code, pid, uid);
        info.fields[1] = u64::from(status as u32);
        info.fields[2] = utime;
        info.fields[3] = stime;
        info
    }

    /// `si_signo` if it is a signal at all.
    pub fn signal(&self) -> Option<u8> {
        u8::try_from(self.signo)
            .ok()
            .filter(|n| (1..=SIGMAX).contains(n))
    }

    /// `si_pid` of a signal a process sent.
    pub fn pid(&self) -> u32 {
        self.fields[0] as u32
    }

    /// `si_uid` of a signal a process sent.
    pub fn uid(&self) -> u32 {
        (self.fields[0] >> 32) as u32
    }

    /// The bytes of `siginfo_t`.
    pub fn to_bytes(&self) -> [u8; SIGINFO_SIZE] {
        let mut bytes = [0; SIGINFO_SIZE];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(self.to_words()) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// The same in words, lowest bytes first.
    pub fn to_words(&self) -> [u64; SIGINFO_SIZE / 8] {
        let mut words = [0; SIGINFO_SIZE / 8];
        words[0] = u64::from(self.signo as u32) | u64::from(self.errno as u32) << 32;
        words[1] = u64::from(self.code as u32);
        words[2..].copy_from_slice(&self.fields);
        words
    }

    /// The reverse of [`SigInfo::to_bytes`].
    pub fn from_bytes(bytes: &[u8; SIGINFO_SIZE]) -> SigInfo {
        let int = |at: usize| {
            i32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let mut fields = [0; 14];
        for (word, chunk) in fields.iter_mut().zip(bytes[16..].chunks_exact(8)) {
            *word = u64::from_le_bytes(chunk.try_into().expect("chunks of eight bytes"));
        }
        SigInfo {
            signo: int(0),
            errno: int(4),
            code: int(8),
            fields,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn siginfo_bytes_round_trip() {
        let info = SigInfo::child(code::CLD_KILLED, 7, 1000, 9, 3, 4);
        assert_eq!(SigInfo::from_bytes(&info.to_bytes()), info);
        assert_eq!(&info.to_bytes()[16..24], &[7, 0, 0, 0, 0xe8, 3, 0, 0]);
        let bytes = info.to_words().into_iter().flat_map(u64::to_le_bytes);
        assert!(bytes.eq(info.to_bytes()));
    }

    #[test]
    fn sets_number_signals_from_one() {
        let mut set = SigSet::EMPTY;
        set.insert(1);
        set.insert(64);
        assert_eq!(set.0, 1 | 1 << 63);
        assert_eq!(set.first(), Some(1));
        assert!(!set.has(0) && set.has(64));
    }
}
