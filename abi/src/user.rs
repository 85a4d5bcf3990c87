//! `struct user`: Linux's view of a stopped tracee by offsets, and what may be written there.

use crate::regs::{USER_FLAGS, USER_REGS_WORDS};
use crate::{Errno, UserRegs};

/// The size of Linux's `struct user`.
pub const USER_SIZE: u64 = 928;
/// One past the highest address a program can have: Linux's TASK_SIZE_MAX.
pub const TASK_SIZE_MAX: u64 = 0x7fff_ffff_f000;
/// Where its registers end.
const REGS_END: u64 = USER_REGS_WORDS as u64 * 8;
/// Where its `u_debugreg` is.
const DEBUG: u64 = 848;
/// Where that ends.
const DEBUG_END: u64 = DEBUG + 8 * 8;

/// A segment of `struct user`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// A word of the general registers.
    Register(usize),
    /// A debug register.
    Debug(usize),
    /// Reads 0 and cannot be written.
    Gap,
}

impl Segment {
    /// The segment of an offset; EIO for one that is misaligned or outside.
    #[inline]
    pub fn at(offset: u64) -> Result<Segment, Errno> {
        if !offset.is_multiple_of(8) || offset >= USER_SIZE {
            return Err(Errno::EIO);
        }
        Ok(match offset {
            0..REGS_END => Segment::Register((offset / 8) as usize),
            DEBUG..DEBUG_END => Segment::Debug(((offset - DEBUG) / 8) as usize),
            _ => Segment::Gap,
        })
    }
}

/// Where in `struct user_regs_struct` a word is that not every value can be written to.
mod word {
    pub const CS: usize = 17;
    pub const FLAGS: usize = 18;
    pub const SS: usize = 20;
    pub const FS_BASE: usize = 21;
    pub const GS_BASE: usize = 22;
    pub const DS: usize = 23;
    pub const ES: usize = 24;
    pub const FS: usize = 25;
    pub const GS: usize = 26;
}

/// The word of `fs_base` in `struct user_regs_struct`.
pub const FS_BASE_WORD: usize = word::FS_BASE;
/// The word of `gs_base`.
pub const GS_BASE_WORD: usize = word::GS_BASE;

impl UserRegs {
    /// Writes words from word `from` on, in order (Linux's `putreg`). A value that is refused, EIO,
    /// leaves the words before it written; how many were.
    pub fn write(&mut self, from: usize, words: &[u64]) -> (usize, Result<(), Errno>) {
        let before = self.to_words();
        let end = before.len().min(from + words.len());
        let mut all = before;
        all[from..end].copy_from_slice(&words[..end - from]);
        for at in CHECKED.into_iter().filter(|at| (from..end).contains(at)) {
            match put(at, before[at], all[at]) {
                Ok(value) => all[at] = value,
                Err(e) => {
                    all[at..end].copy_from_slice(&before[at..end]);
                    *self = UserRegs::from_words(&all);
                    return (at - from, Err(e));
                }
            }
        }
        *self = UserRegs::from_words(&all);
        (end - from, Ok(()))
    }
}

/// The words that do not take every value as it is, in order.
const CHECKED: [usize; 9] = [
    word::CS,
    word::FLAGS,
    word::SS,
    word::FS_BASE,
    word::GS_BASE,
    word::DS,
    word::ES,
    word::FS,
    word::GS,
];

/// What word `at` becomes when `value` is written over `old`.
fn put(at: usize, old: u64, value: u64) -> Result<u64, Errno> {
    match at {
        word::CS | word::SS => {
            selector(value).and_then(|s| if s == 0 { Err(Errno::EIO) } else { Ok(s) })
        }
        word::DS..=word::GS => selector(value),
        word::FLAGS => Ok(old & !USER_FLAGS | value & USER_FLAGS),
        word::FS_BASE | word::GS_BASE if value >= TASK_SIZE_MAX => Err(Errno::EIO),
        _ => Ok(value),
    }
}

/// A selector is null or of the user's privilege level; bits above 16 are dropped.
fn selector(value: u64) -> Result<u64, Errno> {
    let value = value & 0xffff;
    if value != 0 && value & 3 != 3 {
        return Err(Errno::EIO);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::regs::TF;

    #[test]
    fn selectors_must_be_the_users_and_code_and_stack_not_null() {
        assert_eq!(put(word::CS, 0x33, 0x10033), Ok(0x33));
        assert_eq!(put(word::CS, 0x33, 0x10), Err(Errno::EIO));
        assert_eq!(put(word::CS, 0x33, 0), Err(Errno::EIO));
        assert_eq!(put(word::SS, 0x2b, 0), Err(Errno::EIO));
        assert_eq!(put(word::DS, 0, 0), Ok(0));
        assert_eq!(put(word::GS, 0, 8), Err(Errno::EIO));
    }

    #[test]
    fn bases_lie_below_the_kernels_half() {
        assert_eq!(put(word::FS_BASE, 0, 1 << 63), Err(Errno::EIO));
        assert_eq!(put(word::GS_BASE, 0, TASK_SIZE_MAX), Err(Errno::EIO));
        assert_eq!(
            put(word::FS_BASE, 0, TASK_SIZE_MAX - 1),
            Ok(TASK_SIZE_MAX - 1)
        );
    }

    #[test]
    fn only_a_programs_own_flags_can_be_set() {
        let all = put(word::FLAGS, 0x202, u64::MAX).unwrap();
        assert_eq!(all & 0x2b_3601, 0x1_0601);
        assert_eq!(all & TF, TF, "it is the program's own then");
        assert_eq!(put(word::FLAGS, 0x202, 0), Ok(0x202));
    }

    #[test]
    fn a_refused_value_leaves_the_words_before_it_written() {
        let mut regs = UserRegs::default();
        let (done, result) = regs.write(16, &[0x4000, 0x10, 1]);
        assert_eq!((done, result), (1, Err(Errno::EIO)));
        assert_eq!((regs.rip, regs.cs, regs.rflags), (0x4000, 0, 0));
    }

    #[test]
    fn struct_user_has_registers_a_gap_debug_registers_and_an_end() {
        assert_eq!(Segment::at(0), Ok(Segment::Register(0)));
        assert_eq!(Segment::at(208), Ok(Segment::Register(26)));
        for gap in [216, 840, 912, 920] {
            assert_eq!(Segment::at(gap), Ok(Segment::Gap), "{gap}");
        }
        assert_eq!(Segment::at(848 + 7 * 8), Ok(Segment::Debug(7)));
        for bad in [4, 129, 928, u64::MAX - 7, 1 << 40] {
            assert_eq!(Segment::at(bad), Err(Errno::EIO), "{bad}");
        }
    }
}
