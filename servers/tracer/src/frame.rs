//! A held task's registers as Linux shows them, between one report and its answer.

use crate::Host;
use abi::regs::{RF, TF, USER_FLAGS, USER_REGS_WORDS};
use abi::{Errno, InCall, Regs, TaskId, UserRegs};

/// One past the highest address a program can have: Linux's TASK_SIZE_MAX.
pub const TASK_SIZE_MAX: u64 = 0x7fff_ffff_f000;

/// What is known of a held task's registers. Nothing is read before somebody looks, and it is
/// read once.
///
/// After a write the view keeps what was written, so that a set is followed by an equal get even
/// where the kernel drops a bit (RF, NT, AC) or has no such register (data segments).
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    in_call: InCall,
    view: Option<(Regs, UserRegs)>,
    written: bool,
}

/// Where in `struct user_regs_struct` a word is.
mod word {
    pub const CS: usize = 17;
    pub const FLAGS: usize = 18;
    pub const SS: usize = 20;
    pub const FS_BASE: usize = 21;
    pub const GS_BASE: usize = 22;
    pub const DS: usize = 23;
    pub const GS: usize = 26;
}

impl Frame {
    /// The frame of a task that has just been reported.
    pub fn new(in_call: InCall) -> Frame {
        Frame {
            in_call,
            view: None,
            written: false,
        }
    }

    /// Whether the registers have been read or written since the report.
    pub fn is_read(&self) -> bool {
        self.view.is_some()
    }

    /// `orig_rax` if the registers were written, as [`abi::tracer::Answer`] wants it.
    pub fn written(&self) -> Option<u64> {
        match self.view {
            Some((_, user)) if self.written => Some(user.orig_rax),
            _ => None,
        }
    }

    /// The registers. ESRCH if the task has none any more.
    pub fn get(&mut self, host: &mut impl Host, task: TaskId) -> Result<UserRegs, Errno> {
        self.load(host, task).map(|(_, user)| user)
    }

    /// Writes words of `struct user_regs_struct` from word `from` on, in order. As on Linux, a
    /// value that is refused (EIO) leaves the words before it written.
    pub fn set(
        &mut self,
        host: &mut impl Host,
        task: TaskId,
        from: usize,
        words: &[u64],
    ) -> Result<(), Errno> {
        let (regs, user) = self.load(host, task)?;
        let mut all = user.to_words();
        let mut result = Ok(());
        for (at, value) in (from..USER_REGS_WORDS).zip(words) {
            match put(at, all[at], *value) {
                Ok(value) => all[at] = value,
                Err(e) if at == from => return Err(e),
                Err(e) => {
                    result = Err(e);
                    break;
                }
            }
        }
        let user = UserRegs::from_words(&all);
        let regs = user.to_regs(&regs);
        host.set_regs(task, &regs)?;
        self.view = Some((regs, user));
        self.written = true;
        result
    }

    fn load(&mut self, host: &mut impl Host, task: TaskId) -> Result<(Regs, UserRegs), Errno> {
        if let Some(view) = self.view {
            return Ok(view);
        }
        let regs = host.regs(task)?;
        let view = (
            regs.canonical(self.in_call),
            UserRegs::of(&regs, self.in_call),
        );
        self.view = Some(view);
        Ok(view)
    }
}

/// What word `at` becomes when `value` is written over `old`: Linux's `putreg`.
fn put(at: usize, old: u64, value: u64) -> Result<u64, Errno> {
    match at {
        word::CS | word::SS => {
            selector(value).and_then(|s| if s == 0 { Err(Errno::EIO) } else { Ok(s) })
        }
        word::DS..=word::GS => selector(value),
        word::FLAGS => Ok(old & !USER_FLAGS | value & USER_FLAGS & !TF),
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

const _: () = assert!(RF & USER_FLAGS != 0, "RF is shown as it was written");

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(all & TF, 0);
        assert_eq!(put(word::FLAGS, 0x202, 0), Ok(0x202));
    }
}
