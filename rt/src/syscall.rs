//! The kernel's system calls (seL4 manual 2.2), by `sysenter`.
//!
//! The kernel is built without `syscall`, so that a Linux program's `syscall` is a fault. It
//! returns to the address in `rdx` with the stack pointer in `rcx`, which is why both are lost.

use crate::cap::CPtr;
use core::arch::asm;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

/// The system calls' numbers (`SysCall` and so on of the kernel's generated `arch/api/syscall.h`).
#[allow(missing_docs)]
pub mod number {
    pub const CALL: i64 = -1;
    pub const REPLY_RECV: i64 = -2;
    pub const SEND: i64 = -3;
    pub const NB_SEND: i64 = -4;
    pub const RECV: i64 = -5;
    pub const REPLY: i64 = -6;
    pub const YIELD: i64 = -7;
    pub const NB_RECV: i64 = -8;
}

/// `seL4_MessageInfo`: length 0..6, capabilities 7..8, capabilities unwrapped 9..11, label 12..31.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageInfo(pub u64);

impl MessageInfo {
    /// For a message of `words` words and `caps` capabilities.
    #[inline]
    pub const fn new(label: u64, caps: usize, words: usize) -> MessageInfo {
        MessageInfo((label & 0xf_ffff) << 12 | (caps as u64) << 7 | words as u64)
    }

    /// The label: what the message is, or for a fault which one.
    #[inline]
    pub const fn label(self) -> u64 {
        self.0 >> 12 & 0xf_ffff
    }

    /// How many words it has.
    #[inline]
    pub const fn words(self) -> usize {
        (self.0 & 0x7f) as usize
    }

    /// Whether a capability came along and lies in the receive slot.
    #[inline]
    pub const fn has_cap(self) -> bool {
        self.0 >> 7 & 3 != 0
    }
}

/// The message words that travel in registers.
pub type Words = [u64; MAX_SHORT];

/// How many words the longest message has that the kernel's fast path takes.
pub const MAX_SHORT: usize = 4;

/// What was received. The words beyond the fourth are in the IPC buffer.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    /// The badge of the capability it was sent with; 0 when a poll found nothing.
    pub badge: u64,
    /// Its shape.
    pub info: MessageInfo,
    /// Its first words.
    pub words: Words,
}

/// How many system calls this server has made.
static ENTRIES: AtomicU64 = AtomicU64::new(0);

/// How many system calls this server has made.
pub fn entries() -> u64 {
    ENTRIES.load(Relaxed)
}

#[inline(always)]
fn enter(number: i64, to: u64, info: MessageInfo, words: Words) -> Received {
    ENTRIES.fetch_add(1, Relaxed);
    let (badge, out_info, w0, w1, w2, w3);
    // SAFETY: the kernel changes no memory of this program but its IPC buffer (not referred to
    // across system calls) and what the invoked object stands for, which `cap` answers for. Of
    // the registers it changes the ones named, and the stack is as before.
    unsafe {
        asm!(
            "mov rcx, rsp",
            "lea rdx, [rip + 2f]",
            "2: sysenter",
            inlateout("rax") number => _,
            inlateout("rdi") to => badge,
            inlateout("rsi") info.0 => out_info,
            inlateout("r10") words[0] => w0,
            inlateout("r8") words[1] => w1,
            inlateout("r9") words[2] => w2,
            inlateout("r15") words[3] => w3,
            lateout("rcx") _,
            lateout("rdx") _,
            lateout("r11") _,
        );
    }
    Received {
        badge,
        info: MessageInfo(out_info),
        words: [w0, w1, w2, w3],
    }
}

/// Sends, and waits for the answer.
#[inline]
pub fn call(to: CPtr, info: MessageInfo, words: Words) -> Received {
    enter(number::CALL, to.0, info, words)
}

/// Answers the caller of the last message, and waits for the next one.
#[inline]
pub fn reply_recv(from: CPtr, info: MessageInfo, words: Words) -> Received {
    enter(number::REPLY_RECV, from.0, info, words)
}

/// Waits for a message.
#[inline]
pub fn recv(from: CPtr) -> Received {
    enter(number::RECV, from.0, MessageInfo(0), [0; 4])
}

/// Takes a message if there is one; else the badge is 0.
#[inline]
pub fn nb_recv(from: CPtr) -> Received {
    enter(number::NB_RECV, from.0, MessageInfo(0), [0; 4])
}

/// Sends, waiting until somebody receives.
#[inline]
pub fn send(to: CPtr, info: MessageInfo, words: Words) {
    enter(number::SEND, to.0, info, words);
}

/// Sends if somebody is waiting to receive.
#[inline]
pub fn nb_send(to: CPtr, info: MessageInfo, words: Words) {
    enter(number::NB_SEND, to.0, info, words);
}

/// Answers the caller of the last message.
#[inline]
pub fn reply(info: MessageInfo, words: Words) {
    enter(number::REPLY, 0, info, words);
}

/// Lets another thread of the same priority run.
#[inline]
pub fn yield_now() {
    enter(number::YIELD, 0, MessageInfo(0), [0; 4]);
}
