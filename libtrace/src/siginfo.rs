//! What a signal says about its origin.

use core::fmt;

use bytemuck::{Pod, Zeroable};

/// Linux's `siginfo_t`: 128 bytes, of which signal, errno and code are always there
/// and the rest depends on them. Each accessor says for which signals it means something.
#[derive(Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C, align(8))]
pub struct SigInfo([u64; 16]);

const _: () = assert!(size_of::<SigInfo>() == 128);

impl SigInfo {
    /// A siginfo with these three and zeros otherwise.
    pub fn new(signal: i32, errno: i32, code: i32) -> Self {
        let mut info = SigInfo([0; 16]);
        info.set_int(0, signal);
        info.set_int(4, errno);
        info.set_int(8, code);
        info
    }

    /// All of it, as Linux lays it out.
    pub fn bytes(&self) -> &[u8; 128] {
        bytemuck::cast_ref(&self.0)
    }

    /// The siginfo with these bytes.
    pub fn of_bytes(bytes: &[u8; 128]) -> Self {
        SigInfo(bytemuck::pod_read_unaligned(bytes))
    }

    /// `si_signo`.
    pub fn signal(&self) -> i32 {
        self.int(0)
    }

    /// `si_errno`.
    pub fn errno(&self) -> i32 {
        self.int(4)
    }

    /// `si_code`: positive from the kernel, otherwise from a task.
    pub fn code(&self) -> i32 {
        self.int(8)
    }

    /// `si_pid`: the sender, or the child a `SIGCHLD` is about.
    pub fn pid(&self) -> i32 {
        self.int(16)
    }

    /// `si_uid`, of the same task as [`pid`](Self::pid).
    pub fn uid(&self) -> u32 {
        self.int(20) as u32
    }

    /// `si_status` of a `SIGCHLD`: exit code or signal.
    pub fn status(&self) -> i32 {
        self.int(24)
    }

    /// `si_utime` of a `SIGCHLD`, in clock ticks.
    pub fn utime(&self) -> i64 {
        self.word(32) as i64
    }

    /// `si_stime` of a `SIGCHLD`, in clock ticks.
    pub fn stime(&self) -> i64 {
        self.word(40) as i64
    }

    /// `si_value` of a queued signal or a timer, as the pointer it may be.
    pub fn value(&self) -> u64 {
        self.word(24)
    }

    /// `si_timerid` of a `SI_TIMER`.
    pub fn timer(&self) -> i32 {
        self.int(16)
    }

    /// `si_overrun` of a `SI_TIMER`.
    pub fn overrun(&self) -> i32 {
        self.int(20)
    }

    /// `si_addr` of a fault.
    pub fn addr(&self) -> u64 {
        self.word(16)
    }

    /// `si_band` of a `SIGIO`.
    pub fn band(&self) -> i64 {
        self.word(16) as i64
    }

    /// `si_fd` of a `SIGIO`.
    pub fn fd(&self) -> i32 {
        self.int(24)
    }

    /// `si_syscall` of a `SIGSYS`.
    pub fn syscall(&self) -> i32 {
        self.int(24)
    }

    /// `si_arch` of a `SIGSYS`.
    pub fn arch(&self) -> u32 {
        self.int(28) as u32
    }

    /// Sets `si_pid` and `si_uid`.
    pub fn set_sender(&mut self, pid: i32, uid: u32) {
        self.set_int(16, pid);
        self.set_int(20, uid as i32);
    }

    fn int(&self, offset: usize) -> i32 {
        (self.0[offset / 8] >> (offset % 8 * 8)) as i32
    }

    fn set_int(&mut self, offset: usize, value: i32) {
        let shift = offset % 8 * 8;
        let word = &mut self.0[offset / 8];
        *word = *word & !(0xffff_ffff << shift) | u64::from(value as u32) << shift;
    }

    fn word(&self, offset: usize) -> u64 {
        self.0[offset / 8]
    }
}

impl fmt::Debug for SigInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigInfo")
            .field("signal", &self.signal())
            .field("errno", &self.errno())
            .field("code", &self.code())
            .finish_non_exhaustive()
    }
}
