//! PTRACE_GETREGS, SETREGS and ARCH_PRCTL: the general registers.

use super::{Done, OK, Request, bytes_of, words_of};
use crate::Procmgr;
use crate::machine::Machine;
use crate::task::Task;
use abi::regs::USER_REGS_WORDS;
use abi::user::{FS_BASE_WORD, GS_BASE_WORD, TASK_SIZE_MAX};
use abi::{Errno, InCall, TaskId, UserRegs};
use alloc::boxed::Box;

/// Bytes of `struct user_regs_struct`.
pub(super) const REGS_SIZE: usize = USER_REGS_WORDS * 8;

const ARCH_SET_GS: u64 = 0x1001;
const ARCH_SET_FS: u64 = 0x1002;
const ARCH_GET_FS: u64 = 0x1003;
const ARCH_GET_GS: u64 = 0x1004;

impl Procmgr {
    pub(super) fn get_regs(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        let words = self.user_regs(m, r.target)?.to_words();
        self.put(m, r.client, r.data, &bytes_of::<REGS_SIZE>(&words))?;
        self.show_stop(m, r);
        Ok(OK)
    }

    pub(super) fn set_regs(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        let words: [u64; USER_REGS_WORDS] = match self.buffer::<REGS_SIZE>(m, r) {
            Some(bytes) => words_of(bytes),
            None => words_of(&self.get::<REGS_SIZE>(m, r.client, r.data)?),
        };
        self.write_user_regs(m, r.target, 0, &words)?;
        Ok(OK)
    }

    /// `data` is the code, `addr` the address or where to store it. EPERM: not an address of a
    /// program. EINVAL: no such code.
    pub(super) fn arch_prctl_tracee(
        &mut self,
        m: &mut impl Machine,
        r: &Request,
    ) -> Result<Done, Errno> {
        let word = match r.data {
            ARCH_SET_FS | ARCH_GET_FS => FS_BASE_WORD,
            ARCH_SET_GS | ARCH_GET_GS => GS_BASE_WORD,
            _ => return Err(Errno::EINVAL),
        };
        if matches!(r.data, ARCH_SET_FS | ARCH_SET_GS) {
            if r.addr >= TASK_SIZE_MAX {
                return Err(Errno::EPERM);
            }
            self.write_user_regs(m, r.target, word, &[r.addr])?;
        } else {
            let value = self.user_regs(m, r.target)?.to_words()[word];
            self.put(m, r.client, r.addr, &value.to_le_bytes())?;
        }
        Ok(OK)
    }

    /// A stopped task's registers as Linux shows them. ESRCH if it has none any more.
    pub(super) fn user_regs(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
    ) -> Result<UserRegs, Errno> {
        self.task(id).space.ok_or(Errno::ESRCH)?;
        self.read_registers(m, id);
        Ok(self.task(id).user_regs())
    }

    /// Writes words of `struct user_regs_struct` from word `from` on, in order. As on Linux, a
    /// value that is refused (EIO) leaves the words before it written.
    pub(super) fn write_user_regs(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        from: usize,
        words: &[u64],
    ) -> Result<(), Errno> {
        let mut user = self.user_regs(m, id)?;
        let (done, result) = user.write(from, words);
        if done == 0 {
            return result;
        }
        self.hide_stop(m, id);
        let old = self.read_registers(m, id).flags();
        let task = self.task_mut(id);
        let call = InCall::No {
            orig_rax: user.orig_rax,
        };
        task.registers.set(user.to_regs(old), call);
        task.gs_base = user.gs_base;
        match &mut self.task_mut(id).trace.view {
            Some(view) => **view = user,
            view => *view = Some(Box::new(user)),
        }
        result
    }
}

impl Task {
    /// Its registers as Linux shows them, which have been read.
    #[inline]
    pub(super) fn user_regs(&self) -> UserRegs {
        match &self.trace.view {
            Some(view) => **view,
            None => UserRegs {
                gs_base: self.gs_base,
                ..UserRegs::of(self.registers.get(), self.registers.call())
            },
        }
    }
}
