//! What a 32-bit program sees of a tracee: words of four bytes, and structures made of them.
//!
//! No such program can run on this kernel. The layouts are here because the protocol has an entry for
//! them ([`PTRACE_COMPAT`](crate::client::PTRACE_COMPAT)), for whoever runs 32-bit code by other means.

use crate::signal::{
    SIGBUS, SIGCHLD, SIGFPE, SIGILL, SIGINFO_SIZE, SIGIO, SIGSEGV, SIGSYS, SIGTRAP,
};
use crate::signal::{SigInfo, code};
use crate::{Errno, UserRegs};

/// How many registers `struct user_regs_struct` has on i386.
pub const REGS: usize = 17;
/// The size of i386's `struct user`.
pub const USER_SIZE: u64 = 284;
/// Where its registers end, and where its `u_debugreg` is.
const REGS_END: u64 = 4 * REGS as u64;
const DEBUG: u64 = 252;
/// The word of [`UserRegs`] for each register of i386, in its order: ebx ecx edx esi edi ebp eax ds es fs gs
/// orig_eax eip cs eflags esp ss.
const WORDS: [usize; REGS] = [
    5, 11, 12, 13, 14, 4, 10, 23, 24, 25, 26, ORIG_RAX, 16, 17, 18, 19, 20,
];
const ORIG_RAX: usize = 15;

/// A place in i386's `struct user`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A word of [`UserRegs`].
    Register(usize),
    /// A debug register.
    Debug(usize),
    /// Reads 0 and ignores what is written.
    Gap,
}

impl Place {
    /// The place at an offset; EIO for one that is misaligned or outside.
    pub fn at(offset: u32) -> Result<Place, Errno> {
        let offset = u64::from(offset);
        if !offset.is_multiple_of(4) || offset >= USER_SIZE {
            return Err(Errno::EIO);
        }
        Ok(match offset {
            0..REGS_END => Place::Register(WORDS[(offset / 4) as usize]),
            DEBUG..USER_SIZE => Place::Debug(((offset - DEBUG) / 4) as usize),
            _ => Place::Gap,
        })
    }
}

/// A register's value as it is written from 32 bits: the number of a system call has a sign.
pub fn widened(word: usize, value: u32) -> u64 {
    match word {
        ORIG_RAX => i64::from(value as i32) as u64,
        _ => value.into(),
    }
}

/// The registers as i386 has them.
pub fn registers(regs: &UserRegs) -> [u32; REGS] {
    let words = regs.to_words();
    WORDS.map(|word| words[word] as u32)
}

/// The words of [`UserRegs`] that i386's registers are, each with its value.
pub fn assignments(values: &[u32; REGS]) -> [(usize, u64); REGS] {
    core::array::from_fn(|n| (WORDS[n], widened(WORDS[n], values[n])))
}

/// What is behind the first three words of a siginfo, each part with the size that it has on i386.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Layout {
    Kill,
    Value,
    Child,
    Fault,
    Poll,
    System,
}

fn layout(info_signo: i32, info_code: i32) -> Layout {
    let signo = u8::try_from(info_signo).unwrap_or(0);
    let own = info_code > code::SI_USER && info_code < code::SI_KERNEL;
    match signo {
        SIGILL | SIGFPE | SIGSEGV | SIGBUS | SIGTRAP if own => Layout::Fault,
        SIGCHLD if own => Layout::Child,
        SIGIO if own => Layout::Poll,
        SIGSYS if own => Layout::System,
        // SI_SIGIO
        _ if info_code == -5 => Layout::Poll,
        _ if info_code < code::SI_USER => Layout::Value,
        _ => Layout::Kill,
    }
}

/// The words behind the first three, and where each is in [`SigInfo::fields`]: index, upper half.
const fn places(layout: Layout) -> &'static [(usize, bool)] {
    match layout {
        Layout::Kill => &[(0, false), (0, true)],
        Layout::Value => &[(0, false), (0, true), (1, false)],
        Layout::Child => &[(0, false), (0, true), (1, false), (2, false), (3, false)],
        Layout::Fault => &[(0, false)],
        Layout::Poll => &[(0, false), (1, false)],
        Layout::System => &[(0, false), (1, false), (1, true)],
    }
}

/// `compat_siginfo_t`, which is as large as the other one.
pub fn siginfo_bytes(info: &SigInfo) -> [u8; SIGINFO_SIZE] {
    let mut bytes = [0; SIGINFO_SIZE];
    let mut put = |at: usize, word: u32| bytes[4 * at..][..4].copy_from_slice(&word.to_le_bytes());
    for (at, word) in [info.signo, info.errno, info.code].into_iter().enumerate() {
        put(at, word as u32);
    }
    let places = places(layout(info.signo, info.code)).iter();
    for (at, (field, upper)) in places.enumerate() {
        put(
            3 + at,
            (info.fields[*field] >> if *upper { 32 } else { 0 }) as u32,
        );
    }
    bytes
}

/// The reverse of [`siginfo_bytes`].
pub fn siginfo_of(bytes: &[u8; SIGINFO_SIZE]) -> SigInfo {
    let word = |at: usize| {
        let word = bytes[4 * at..][..4].try_into().expect("four bytes");
        u32::from_le_bytes(word)
    };
    let mut info = SigInfo {
        signo: word(0) as i32,
        errno: word(1) as i32,
        code: word(2) as i32,
        ..SigInfo::default()
    };
    let places = places(layout(info.signo, info.code)).iter();
    for (at, (field, upper)) in places.enumerate() {
        info.fields[*field] |= u64::from(word(3 + at)) << if *upper { 32 } else { 0 };
    }
    info
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_are_in_the_order_of_i386() {
        let mut words = [0; crate::regs::USER_REGS_WORDS];
        for (n, word) in words.iter_mut().enumerate() {
            *word = 0x1_0000_0000 + n as u64;
        }
        let regs = registers(&UserRegs::from_words(&words));
        assert_eq!(regs[0], 5, "ebx");
        assert_eq!([regs[6], regs[11], regs[12], regs[15]], [10, 15, 16, 19]);
        assert_eq!(assignments(&[u32::MAX; REGS])[11], (15, u64::MAX));
        assert_eq!(assignments(&[u32::MAX; REGS])[6], (10, 0xffff_ffff));
    }

    #[test]
    fn struct_user_has_words_of_four_bytes() {
        assert_eq!(Place::at(48), Ok(Place::Register(16)));
        assert_eq!(Place::at(252 + 28), Ok(Place::Debug(7)));
        assert_eq!([Place::at(68), Place::at(248)], [Ok(Place::Gap); 2]);
        for bad in [2, 284, u32::MAX - 3] {
            assert_eq!(Place::at(bad), Err(Errno::EIO), "{bad}");
        }
    }

    #[test]
    fn every_layout_of_a_siginfo_round_trips() {
        let child = SigInfo::child(code::CLD_KILLED, 7, 1000, 9, 3, 4);
        let mut value = SigInfo::from_process(34, code::SI_QUEUE, 7, 1000);
        value.fields[1] = 0x1234_5678;
        let fault = SigInfo::fault(SIGSEGV, 1, 0xdead_beef);
        let user = SigInfo::from_process(10, code::SI_USER, 7, 1000);
        for info in [child, value, fault, user] {
            assert_eq!(siginfo_of(&siginfo_bytes(&info)), info);
        }
        assert_eq!(siginfo_bytes(&child)[12..16], [7, 0, 0, 0], "no padding");
    }
}
