//! PTRACE_GET_SYSCALL_INFO: `struct ptrace_syscall_info`.

use super::{Done, Request, bytes_of};
use crate::Procmgr;
use crate::machine::Machine;
use abi::Errno;
use abi::linux::ptrace as nr;
use abi::ptrace::StopKind;
use abi::signal::SIGTRAP;

/// AUDIT_ARCH_X86_64.
const ARCH: u64 = 0xc000_003e;
/// How much of the structure each kind of stop fills.
const NONE_SIZE: usize = 24;
const ENTRY_SIZE: usize = 80;
const EXIT_SIZE: usize = 33;

impl Procmgr {
    /// `addr` is the buffer's size. Returns how much there is, stores what fits. Only syscall
    /// stops that show themselves (PTRACE_O_TRACESYSGOOD) count as such.
    pub(super) fn syscall_info(
        &mut self,
        m: &mut impl Machine,
        r: &Request,
    ) -> Result<Done, Errno> {
        let regs = self.user_regs(m, r.target)?;
        let info = self.stop_info(r.target)?;
        let shown = info.is_some_and(|i| i.code == i32::from(SIGTRAP | 0x80));
        let (op, size) = match self.at_stop(r.target)?.stop.kind {
            StopKind::SyscallEntry { .. } if shown => (nr::PTRACE_SYSCALL_INFO_ENTRY, ENTRY_SIZE),
            StopKind::SyscallExit if shown => (nr::PTRACE_SYSCALL_INFO_EXIT, EXIT_SIZE),
            _ => (nr::PTRACE_SYSCALL_INFO_NONE, NONE_SIZE),
        };
        let mut words = [0; ENTRY_SIZE / 8];
        words[..3].copy_from_slice(&[u64::from(op) | ARCH << 32, regs.rip, regs.rsp]);
        if size == ENTRY_SIZE {
            words[3] = regs.orig_rax;
            words[4..].copy_from_slice(&regs.args());
        } else if size == EXIT_SIZE {
            words[3] = regs.rax;
            words[4] = Errno::check(regs.rax as i64).is_err().into();
        }
        let bytes: [u8; ENTRY_SIZE] = bytes_of(&words);
        let fits = size.min(usize::try_from(r.addr).unwrap_or(size));
        if fits > 0 {
            self.put(m, r.client, r.data, &bytes[..fits])?;
        }
        Ok(Done::Result(size as i64))
    }
}
