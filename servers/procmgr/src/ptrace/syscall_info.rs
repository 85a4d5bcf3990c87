//! PTRACE_GET_SYSCALL_INFO and SET_SYSCALL_INFO: `struct ptrace_syscall_info`.

use super::{Done, OK, Request, bytes_of, words_of};
use crate::Procmgr;
use crate::machine::Machine;
use abi::linux::ptrace as nr;
use abi::ptrace::StopKind;
use abi::signal::SIGTRAP;
use abi::{Errno, TaskId};

/// AUDIT_ARCH_X86_64.
const ARCH: u64 = 0xc000_003e;
/// How much of the structure each kind of stop fills.
const NONE_SIZE: usize = 24;
const ENTRY_SIZE: usize = 80;
const EXIT_SIZE: usize = 33;
/// All of it, which is what a change takes.
const SIZE: usize = 88;
/// Words of the structure: the number of the call or its result, the arguments or whether the result
/// is an error. The first word holds the kind and, above it, what has to be 0.
const VALUE: usize = 3;
const REST: usize = 4;
const KIND: u64 = 0xff;
const RESERVED: u64 = 0xffff_ff00;

impl Procmgr {
    /// `addr` is the buffer's size. Returns how much there is, stores what fits.
    pub(super) fn syscall_info(
        &mut self,
        m: &mut impl Machine,
        r: &Request,
    ) -> Result<Done, Errno> {
        let kind = self.syscall_stop(r.target)?;
        let regs = self.user_regs(m, r.target)?;
        let mut words = [0; ENTRY_SIZE / 8];
        words[..VALUE].copy_from_slice(&[u64::from(kind) | ARCH << 32, regs.rip, regs.rsp]);
        let size = match kind {
            nr::PTRACE_SYSCALL_INFO_ENTRY => {
                words[VALUE] = regs.orig_rax;
                words[REST..].copy_from_slice(&regs.args());
                ENTRY_SIZE
            }
            nr::PTRACE_SYSCALL_INFO_EXIT => {
                words[VALUE] = regs.rax;
                words[REST] = Errno::check(regs.rax as i64).is_err().into();
                EXIT_SIZE
            }
            _ => NONE_SIZE,
        };
        let bytes: [u8; ENTRY_SIZE] = bytes_of(&words);
        let fits = size.min(usize::try_from(r.addr).unwrap_or(size));
        if fits > 0 {
            self.put(m, r.client, r.data, &bytes[..fits])?;
        }
        Ok(Done::Result(size as i64))
    }

    /// Changes the call, at its entry, or its result, at its exit. EINVAL: less than the whole
    /// structure, something where nothing is defined, another kind of stop than this one. ERANGE: a
    /// number that is no int. Instruction and stack pointer are not changed.
    pub(super) fn set_syscall_info(
        &mut self,
        m: &mut impl Machine,
        r: &Request,
    ) -> Result<Done, Errno> {
        if r.addr < SIZE as u64 {
            return Err(Errno::EINVAL);
        }
        let bytes: [u8; SIZE] = self.get(m, r.client, r.data)?;
        let words: [u64; SIZE / 8] = words_of(&bytes);
        if words[0] & RESERVED != 0 {
            return Err(Errno::EINVAL);
        }
        let kind = self.syscall_stop(r.target)?;
        if words[0] & KIND != u64::from(kind) {
            return Err(Errno::EINVAL);
        }
        let value = words[VALUE];
        let mut regs = self.user_regs(m, r.target)?;
        match kind {
            nr::PTRACE_SYSCALL_INFO_ENTRY => {
                if i64::from(value as i32) as u64 != value {
                    return Err(Errno::ERANGE);
                }
                regs.orig_rax = value;
                if value as i64 != -1 {
                    let args = &words[REST..REST + 6];
                    [regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9] =
                        args.try_into().expect("six arguments");
                }
            }
            // An error is told by its number, negative like any other result.
            nr::PTRACE_SYSCALL_INFO_EXIT => regs.rax = value,
            _ => return Err(Errno::EINVAL),
        }
        self.write_user_regs(m, r.target, 0, &regs.to_words())?;
        Ok(OK)
    }

    /// What kind of system call stop a task is at. Only those count that show themselves
    /// (PTRACE_O_TRACESYSGOOD), and none is a filter's: there is no seccomp.
    fn syscall_stop(&self, id: TaskId) -> Result<u32, Errno> {
        let info = self.stop_info(id)?;
        let shown = info.is_some_and(|i| i.code == i32::from(SIGTRAP | 0x80));
        Ok(match self.at_stop(id)?.stop.kind {
            StopKind::SyscallEntry { .. } if shown => nr::PTRACE_SYSCALL_INFO_ENTRY,
            StopKind::SyscallExit if shown => nr::PTRACE_SYSCALL_INFO_EXIT,
            _ => nr::PTRACE_SYSCALL_INFO_NONE,
        })
    }
}
