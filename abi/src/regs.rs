//! Registers: what the kernel keeps of a task, and Linux's view of it.

use crate::Errno;
use serde::{Deserialize, Serialize};

/// What the kernel reads and writes of a thread, in its order. There is no `gs` base, no segment
/// register and no `orig_rax`: those are the process manager's.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Regs {
    pub rip: u64,
    pub rsp: u64,
    pub rflags: u64,
    pub rax: u64,
    pub rbx: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rsi: u64,
    pub rdi: u64,
    pub rbp: u64,
    pub r8: u64,
    pub r9: u64,
    pub r10: u64,
    pub r11: u64,
    pub r12: u64,
    pub r13: u64,
    pub r14: u64,
    pub r15: u64,
    pub fs_base: u64,
}

/// How many words [`Regs`] has.
pub const REGS_WORDS: usize = 19;
const _: () = assert!(size_of::<Regs>() == REGS_WORDS * 8);

/// Flags a program may set, as Linux lets it (ptrace's FLAG_MASK): CF PF AF ZF SF TF DF OF RF NT AC.
pub const USER_FLAGS: u64 = 0x0005_4dd5;
/// The trap flag. Everywhere but in the kernel's copy it is the program's own: that of a tracer's step
/// does not show.
pub const TF: u64 = 0x100;
/// The resume flag: the instruction is not to be stopped at by a breakpoint once more.
pub const RF: u64 = 0x1_0000;

/// Where a held task stands with respect to a system call, which says how [`Regs`] are to be read.
///
/// The kernel stops a task *at* its `syscall` instruction with all registers as they were. Linux
/// shows it behind the instruction, `rcx` and `r11` overwritten and the number in `orig_rax`. The
/// difference is computed when somebody looks, so a stop nobody looks at costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum InCall {
    /// The registers are what they are. `orig_rax` is -1, or what a write said.
    No {
        /// `orig_rax` to show.
        orig_rax: u64,
    },
    /// At the `syscall` instruction of call `nr`, which has `result` (-ENOSYS before it ran).
    At {
        /// The call's number as the task put it into `rax`.
        nr: u64,
        /// What `rax` shows.
        result: i64,
    },
}

impl InCall {
    /// Not in a system call.
    pub const NONE: InCall = InCall::No { orig_rax: u64::MAX };

    /// At the entry of system call `nr`.
    pub const fn entry(nr: u64) -> InCall {
        InCall::At {
            nr,
            result: Errno::ENOSYS.as_result(),
        }
    }
}

/// The length of the `syscall` instruction.
pub const SYSCALL_LEN: u64 = 2;

impl Regs {
    /// These registers as the task has them once its system call returned `result`.
    #[must_use]
    pub fn after_syscall(&self, result: i64) -> Regs {
        let rip = self.rip.wrapping_add(SYSCALL_LEN);
        let rflags = self.rflags & !RF;
        Regs {
            rip,
            rcx: rip,
            r11: rflags,
            rax: result as u64,
            rflags,
            ..*self
        }
    }

    /// The registers Linux would have at this point.
    #[must_use]
    pub fn canonical(&self, call: InCall) -> Regs {
        match call {
            InCall::No { .. } => *self,
            InCall::At { result, .. } => self.after_syscall(result),
        }
    }

    /// The flags Linux would have at this point.
    pub fn canonical_flags(&self, call: InCall) -> u64 {
        match call {
            InCall::No { .. } => self.rflags,
            InCall::At { .. } => self.rflags & !RF,
        }
    }

    /// The six arguments of a system call.
    pub fn args(&self) -> [u64; 6] {
        [self.rdi, self.rsi, self.rdx, self.r10, self.r8, self.r9]
    }
}

/// Linux's `struct user_regs_struct`: what PTRACE_GETREGS gives.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct UserRegs {
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub rbp: u64,
    pub rbx: u64,
    pub r11: u64,
    pub r10: u64,
    pub r9: u64,
    pub r8: u64,
    pub rax: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rsi: u64,
    pub rdi: u64,
    pub orig_rax: u64,
    pub rip: u64,
    pub cs: u64,
    pub rflags: u64,
    pub rsp: u64,
    pub ss: u64,
    pub fs_base: u64,
    pub gs_base: u64,
    pub ds: u64,
    pub es: u64,
    pub fs: u64,
    pub gs: u64,
}

/// How many words [`UserRegs`] has.
pub const USER_REGS_WORDS: usize = 27;
const _: () = assert!(size_of::<UserRegs>() == USER_REGS_WORDS * 8);

/// Linux's code segment selector of a 64-bit program.
pub const USER_CS: u64 = 0x33;
/// Linux's stack segment selector.
pub const USER_SS: u64 = 0x2b;

impl UserRegs {
    /// Linux's view of a held task.
    pub fn of(regs: &Regs, call: InCall) -> UserRegs {
        let r = regs.canonical(call);
        let orig_rax = match call {
            InCall::No { orig_rax } => orig_rax,
            InCall::At { nr, .. } => nr,
        };
        UserRegs {
            r15: r.r15,
            r14: r.r14,
            r13: r.r13,
            r12: r.r12,
            rbp: r.rbp,
            rbx: r.rbx,
            r11: r.r11,
            r10: r.r10,
            r9: r.r9,
            r8: r.r8,
            rax: r.rax,
            rcx: r.rcx,
            rdx: r.rdx,
            rsi: r.rsi,
            rdi: r.rdi,
            orig_rax,
            rip: r.rip,
            cs: USER_CS,
            rflags: r.rflags,
            rsp: r.rsp,
            ss: USER_SS,
            fs_base: r.fs_base,
            ..UserRegs::default()
        }
    }

    /// The kernel's part of this view: everything but `orig_rax` and the segments. Flags a
    /// program may not set are taken from the `old` ones.
    pub fn to_regs(&self, old: u64) -> Regs {
        Regs {
            rip: self.rip,
            rsp: self.rsp,
            rflags: (old & !USER_FLAGS) | (self.rflags & USER_FLAGS),
            rax: self.rax,
            rbx: self.rbx,
            rcx: self.rcx,
            rdx: self.rdx,
            rsi: self.rsi,
            rdi: self.rdi,
            rbp: self.rbp,
            r8: self.r8,
            r9: self.r9,
            r10: self.r10,
            r11: self.r11,
            r12: self.r12,
            r13: self.r13,
            r14: self.r14,
            r15: self.r15,
            fs_base: self.fs_base,
        }
    }

    /// The six arguments of a system call.
    pub fn args(&self) -> [u64; 6] {
        [self.rdi, self.rsi, self.rdx, self.r10, self.r8, self.r9]
    }

    /// The words in order of `struct user_regs_struct`.
    pub fn to_words(&self) -> [u64; USER_REGS_WORDS] {
        [
            self.r15,
            self.r14,
            self.r13,
            self.r12,
            self.rbp,
            self.rbx,
            self.r11,
            self.r10,
            self.r9,
            self.r8,
            self.rax,
            self.rcx,
            self.rdx,
            self.rsi,
            self.rdi,
            self.orig_rax,
            self.rip,
            self.cs,
            self.rflags,
            self.rsp,
            self.ss,
            self.fs_base,
            self.gs_base,
            self.ds,
            self.es,
            self.fs,
            self.gs,
        ]
    }

    /// The reverse of [`UserRegs::to_words`].
    pub fn from_words(w: &[u64; USER_REGS_WORDS]) -> UserRegs {
        UserRegs {
            r15: w[0],
            r14: w[1],
            r13: w[2],
            r12: w[3],
            rbp: w[4],
            rbx: w[5],
            r11: w[6],
            r10: w[7],
            r9: w[8],
            r8: w[9],
            rax: w[10],
            rcx: w[11],
            rdx: w[12],
            rsi: w[13],
            rdi: w[14],
            orig_rax: w[15],
            rip: w[16],
            cs: w[17],
            rflags: w[18],
            rsp: w[19],
            ss: w[20],
            fs_base: w[21],
            gs_base: w[22],
            ds: w[23],
            es: w[24],
            fs: w[25],
            gs: w[26],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distinct() -> UserRegs {
        let mut words = [0; USER_REGS_WORDS];
        for (i, w) in words.iter_mut().enumerate() {
            *w = 0x100 + i as u64;
        }
        UserRegs::from_words(&words)
    }

    #[test]
    fn words_round_trip() {
        let r = distinct();
        assert_eq!(UserRegs::from_words(&r.to_words()), r);
    }

    #[test]
    fn what_is_set_is_what_is_read() {
        let mut set = distinct();
        set.rflags = 0xcd5;
        let kept = set.to_regs(0x202);
        let got = UserRegs::of(
            &kept,
            InCall::No {
                orig_rax: set.orig_rax,
            },
        );
        let expected = UserRegs {
            rflags: 0xcd5 | 0x202,
            cs: USER_CS,
            ss: USER_SS,
            gs_base: 0,
            ds: 0,
            es: 0,
            fs: 0,
            gs: 0,
            ..set
        };
        assert_eq!(got, expected);
    }

    #[test]
    fn a_system_call_is_shown_behind_its_instruction() {
        let r = Regs {
            rip: 0x1000,
            rax: 39,
            rflags: 0x1_0346,
            ..Regs::default()
        };
        let u = UserRegs::of(&r, InCall::entry(39));
        assert_eq!((u.rip, u.rcx, u.r11), (0x1002, 0x1002, 0x346));
        assert_eq!((u.orig_rax, u.rax as i64, u.rflags), (39, -38, 0x346));
    }
}
