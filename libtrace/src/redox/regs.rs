//! Registers as Redox lays them out.

use std::ops::{Deref, DerefMut};

use super::Memory;
use super::stop::Place;
use crate::UserRegs;

/// The general registers. Before a system call `rax` is its number, and behind it the result; there is
/// no `orig_rax`.
#[derive(Clone, Copy, Debug, Default)]
pub struct IntRegisters(pub syscall::IntRegisters);

/// The FPU's and SSE's registers.
#[derive(Clone, Copy, Debug, Default)]
pub struct FloatRegisters(pub syscall::FloatRegisters);

/// The bases of `fs` and `gs`.
#[derive(Clone, Copy, Debug, Default)]
pub struct EnvRegisters(pub syscall::EnvRegisters);

macro_rules! wrapper {
    ($name:ident) => {
        impl Deref for $name {
            type Target = syscall::$name;
            fn deref(&self) -> &syscall::$name {
                &self.0
            }
        }
        impl DerefMut for $name {
            fn deref_mut(&mut self) -> &mut syscall::$name {
                &mut self.0
            }
        }
    };
}
wrapper!(IntRegisters);
wrapper!(FloatRegisters);
wrapper!(EnvRegisters);

/// How many bytes of FXSAVE's area the floating-point registers are: all but what is unused.
pub(super) const FLOAT_SIZE: usize = size_of::<syscall::FloatRegisters>();

/// The system calls that have a path, and which argument it is.
const PATHS: [(&str, usize); 13] = [
    ("access", 0),
    ("chdir", 0),
    ("execve", 0),
    ("faccessat", 1),
    ("mkdir", 0),
    ("newfstatat", 1),
    ("open", 0),
    ("openat", 1),
    ("readlink", 0),
    ("rmdir", 0),
    ("stat", 0),
    ("unlink", 0),
    ("unlinkat", 1),
];
/// The longest path that is shown.
const PATH_MAX: usize = 256;

impl IntRegisters {
    /// The system call that the task is before, with its arguments as numbers.
    pub fn format_syscall_bare(&self) -> String {
        self.format(None)
    }

    /// The same with its path, where it has one.
    pub fn format_syscall_full(&self, mem: &mut Memory) -> String {
        self.format(Some(mem))
    }

    /// What a system call returned: an error is a negated number, as `syscall::Error::demux` reads it.
    pub fn return_value(&self) -> usize {
        self.rax
    }

    fn format(&self, mem: Option<&mut Memory>) -> String {
        let regs = &self.0;
        let args = [regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9];
        let mut shown = args.map(|arg| format!("{arg:#x}"));
        let name = syscalls::Sysno::new(regs.rax).map(|call| call.name());
        let path = PATHS.iter().find(|(call, _)| Some(*call) == name);
        if let (Some((_, index)), Some(mem)) = (path, mem)
            && let Some(text) = string(mem, args[*index])
        {
            shown[*index] = format!("{text:?}");
        }
        let name = name.map_or_else(|| format!("syscall_{:#x}", regs.rax), String::from);
        format!("{name}({})", shown.join(", "))
    }
}

/// The text at an address.
fn string(mem: &mut Memory, at: usize) -> Option<String> {
    let mut bytes = [0; PATH_MAX];
    let count = mem.read_some(at as *const u8, &mut bytes).ok()?;
    let end = bytes[..count].iter().position(|byte| *byte == 0)?;
    Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

impl FloatRegisters {
    /// Register `st(index)`, rounded.
    ///
    /// # Panics
    /// Where there is no such register: from 8 on.
    pub fn st_space_nth(&self, index: usize) -> f64 {
        let space = self.0.st_space;
        f80_to_f64(space[index])
    }

    /// Sets `st(index)`.
    ///
    /// # Panics
    /// As [`FloatRegisters::st_space_nth`].
    pub fn set_st_space_nth(&mut self, index: usize, value: f64) {
        let mut space = self.0.st_space;
        space[index] = f64_to_f80(value);
        self.0.st_space = space;
    }

    /// All eight.
    pub fn st_space(&self) -> [f64; 8] {
        std::array::from_fn(|index| self.st_space_nth(index))
    }

    /// Sets all eight.
    pub fn set_st_space(&mut self, values: [f64; 8]) {
        self.0.st_space = values.map(f64_to_f80);
    }
}

const F80_BIAS: i32 = 16383;
const F64_BIAS: i32 = 1023;

/// The number that 80 bits are: a sign, 15 bits of exponent, 64 of significand.
fn f80_to_f64(bits: u128) -> f64 {
    let significand = bits as u64;
    let exponent = (bits >> 64) as i32 & 0x7fff;
    let sign = if bits >> 79 & 1 == 0 { 1.0 } else { -1.0 };
    if exponent == 0x7fff {
        return match significand << 1 {
            0 => sign * f64::INFINITY,
            _ => f64::NAN,
        };
    }
    // In two halves: one power alone can lie outside of what a f64 can be.
    let power = exponent.max(1) - F80_BIAS - 63;
    let half = power / 2;
    sign * (significand as f64) * 2f64.powi(half) * 2f64.powi(power - half)
}

/// The reverse, which is exact.
fn f64_to_f80(value: f64) -> u128 {
    let bits = value.to_bits();
    let fraction = bits << 12 >> 1;
    let (exponent, significand) = match (bits >> 52) as i32 & 0x7ff {
        0 if fraction == 0 => (0, 0),
        0 => {
            let shift = fraction.leading_zeros();
            (1 - F64_BIAS + F80_BIAS - shift as i32, fraction << shift)
        }
        0x7ff => (0x7fff, 1 << 63 | fraction),
        exponent => (exponent - F64_BIAS + F80_BIAS, 1 << 63 | fraction),
    };
    u128::from(bits >> 63) << 79 | (exponent as u128) << 64 | u128::from(significand)
}

/// What Redox would show of a task at a place.
pub(super) fn int_of(user: &UserRegs, place: Place) -> syscall::IntRegisters {
    let rax = match place {
        Place::PreSyscall => user.orig_rax,
        _ => user.rax,
    };
    syscall::IntRegisters {
        r15: user.r15 as usize,
        r14: user.r14 as usize,
        r13: user.r13 as usize,
        r12: user.r12 as usize,
        rbp: user.rbp as usize,
        rbx: user.rbx as usize,
        r11: user.r11 as usize,
        r10: user.r10 as usize,
        r9: user.r9 as usize,
        r8: user.r8 as usize,
        rax: rax as usize,
        rcx: user.rcx as usize,
        rdx: user.rdx as usize,
        rsi: user.rsi as usize,
        rdi: user.rdi as usize,
        rip: user.rip as usize,
        cs: user.cs as usize,
        rflags: user.rflags as usize,
        rsp: user.rsp as usize,
        ss: user.ss as usize,
    }
}

/// What the task has after a write; what Redox does not show stays.
pub(super) fn user_of(int: &syscall::IntRegisters, old: &UserRegs, place: Place) -> UserRegs {
    let rax = int.rax as u64;
    let (rax, orig_rax) = match place {
        Place::PreSyscall => (old.rax, rax),
        _ => (rax, old.orig_rax),
    };
    UserRegs {
        r15: int.r15 as u64,
        r14: int.r14 as u64,
        r13: int.r13 as u64,
        r12: int.r12 as u64,
        rbp: int.rbp as u64,
        rbx: int.rbx as u64,
        r11: int.r11 as u64,
        r10: int.r10 as u64,
        r9: int.r9 as u64,
        r8: int.r8 as u64,
        rax,
        rcx: int.rcx as u64,
        rdx: int.rdx as u64,
        rsi: int.rsi as u64,
        rdi: int.rdi as u64,
        orig_rax,
        rip: int.rip as u64,
        cs: int.cs as u64,
        rflags: int.rflags as u64,
        rsp: int.rsp as u64,
        ss: int.ss as u64,
        ..*old
    }
}

/// The bases.
pub(super) fn env_of(user: &UserRegs) -> syscall::EnvRegisters {
    syscall::EnvRegisters {
        fsbase: user.fs_base,
        gsbase: user.gs_base,
    }
}

/// The registers with other bases.
pub(super) fn with_env(old: &UserRegs, env: &syscall::EnvRegisters) -> UserRegs {
    UserRegs {
        fs_base: env.fsbase,
        gs_base: env.gsbase,
        ..*old
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::regs::USER_REGS_WORDS;

    fn distinct() -> UserRegs {
        UserRegs::from_words(&std::array::from_fn::<u64, USER_REGS_WORDS, _>(|i| {
            0x100 + i as u64
        }))
    }

    #[test]
    fn what_is_read_and_written_back_is_the_same() {
        let user = distinct();
        for place in [Place::Quiet, Place::PreSyscall, Place::PostSyscall] {
            assert_eq!(user_of(&int_of(&user, place), &user, place), user);
        }
        assert_eq!(with_env(&user, &env_of(&user)), user);
    }

    #[test]
    fn before_a_call_rax_is_its_number() {
        let user = distinct();
        let mut int = int_of(&user, Place::PreSyscall);
        assert_eq!(int.rax as u64, user.orig_rax);
        assert_eq!(int_of(&user, Place::PostSyscall).rax as u64, user.rax);
        int.rax = 39;
        let written = user_of(&int, &user, Place::PreSyscall);
        assert_eq!((written.orig_rax, written.rax), (39, user.rax));
        let written = user_of(&int, &user, Place::Signal);
        assert_eq!((written.orig_rax, written.rax), (user.orig_rax, 39));
    }

    #[test]
    fn the_structures_are_as_large_as_redoxs() {
        assert_eq!(size_of::<syscall::IntRegisters>(), 160);
        assert_eq!(FLOAT_SIZE, 416);
        assert_eq!(size_of::<syscall::EnvRegisters>(), 16);
    }

    #[test]
    fn numbers_of_80_bits_come_back_as_they_were() {
        let smallest = f64::from_bits(1);
        for value in [
            0.0,
            1.0,
            -2.5,
            1e300,
            1e-300,
            smallest,
            f64::MAX,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ] {
            assert_eq!(f80_to_f64(f64_to_f80(value)), value, "{value}");
        }
        assert!(f80_to_f64(f64_to_f80(f64::NAN)).is_nan());
        // 1.0 as the processor has it.
        assert_eq!(f64_to_f80(1.0), 0x3fff << 64 | 1 << 63);
        assert_eq!(f64_to_f80(-0.0), 1 << 79);
    }

    #[test]
    fn a_call_is_shown_with_its_name() {
        let mut regs = IntRegisters(syscall::IntRegisters {
            rax: 39,
            rdi: 1,
            ..Default::default()
        });
        assert_eq!(
            regs.format_syscall_bare(),
            "getpid(0x1, 0x0, 0x0, 0x0, 0x0, 0x0)"
        );
        regs.rax = 0xffff;
        assert!(regs.format_syscall_bare().starts_with("syscall_0xffff("));
    }
}
