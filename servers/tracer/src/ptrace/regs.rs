//! PTRACE_GETREGS, SETREGS, GETREGSET, SETREGSET and ARCH_PRCTL: register sets.

use super::fpregs::FPU_SIZE;
use super::{Done, OK, Request, Target, bytes_of, get_user, put_user, words_of};
use crate::frame::TASK_SIZE_MAX;
use crate::{Host, Tracer, host};
use abi::regs::USER_REGS_WORDS;
use abi::tracer::Call;
use abi::{Errno, UserRegs};

const REGS_SIZE: usize = USER_REGS_WORDS * 8;
const NT_PRSTATUS: u64 = 1;
const NT_PRFPREG: u64 = 2;

const ARCH_SET_GS: u64 = 0x1001;
const ARCH_SET_FS: u64 = 0x1002;
const ARCH_GET_FS: u64 = 0x1003;
const ARCH_GET_GS: u64 = 0x1004;
const FS_BASE_WORD: usize = 21;
const GS_BASE_WORD: usize = 22;

impl Tracer {
    pub(super) fn get_regs(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
    ) -> Result<Done, Errno> {
        let task = self.tasks.get(target.task).ok_or(Errno::ESRCH)?;
        let number = task.chain.report().map(|report| report.number);
        if task.frame.is_read() {
            let regs = self.read_regs(host, target)?;
            let bytes: [u8; REGS_SIZE] = bytes_of(&regs.to_words());
            put_user(host, request.client, request.data, &bytes)?;
            return Ok(OK);
        }
        self.store_regs(host, request, target, number)
    }

    /// The process manager has a held task's registers at hand. Without the number of its report
    /// the task is at a stop that nobody has looked at, if at one at all.
    pub(super) fn store_regs(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
        number: Option<u32>,
    ) -> Result<Done, Errno> {
        let call = Call::StoreRegs {
            task: target.task,
            number,
            client: request.client,
            addr: request.data,
        };
        host::done(host, &call)?;
        Ok(OK)
    }

    pub(super) fn set_regs(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
    ) -> Result<Done, Errno> {
        let mut bytes = [0; REGS_SIZE];
        get_user(host, request.client, request.data, &mut bytes)?;
        let words: [u64; USER_REGS_WORDS] = words_of(&bytes);
        self.write_regs(host, target, 0, &words)?;
        Ok(OK)
    }

    /// `addr` is the note type, `data` points to an iovec whose length is written back. EINVAL:
    /// no such set, or a length that is not whole words. Short buffers get what fits.
    pub(super) fn get_regset(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
    ) -> Result<Done, Errno> {
        let (set, base, len) = regset_buffer(host, request)?;
        if set == NT_PRFPREG {
            let image = self.read_fpu(host, target)?;
            put_user(host, request.client, base, &image[..len])?;
            return put_len(host, request, len);
        }
        let regs = self.read_regs(host, target)?;
        let bytes: [u8; REGS_SIZE] = bytes_of(&regs.to_words());
        put_user(host, request.client, base, &bytes[..len])?;
        put_len(host, request, len)
    }

    /// The reverse of PTRACE_GETREGSET, with the same errors.
    pub(super) fn set_regset(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
    ) -> Result<Done, Errno> {
        let (set, base, len) = regset_buffer(host, request)?;
        if set == NT_PRFPREG {
            let mut image = self.read_fpu(host, target)?;
            get_user(host, request.client, base, &mut image[..len])?;
            self.write_fpu(host, target, &image)?;
            return put_len(host, request, len);
        }
        let mut bytes = [0; REGS_SIZE];
        get_user(host, request.client, base, &mut bytes[..len])?;
        let words: [u64; USER_REGS_WORDS] = words_of(&bytes);
        self.write_regs(host, target, 0, &words[..len / 8])?;
        put_len(host, request, len)
    }

    /// `data` is the code, `addr` the address or where to store it. EPERM: not an address of a
    /// program. EINVAL: no such code.
    pub(super) fn arch_prctl(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
    ) -> Result<Done, Errno> {
        let word = match request.data {
            ARCH_SET_FS | ARCH_GET_FS => FS_BASE_WORD,
            ARCH_SET_GS | ARCH_GET_GS => GS_BASE_WORD,
            _ => return Err(Errno::EINVAL),
        };
        if matches!(request.data, ARCH_SET_FS | ARCH_SET_GS) {
            if request.addr >= TASK_SIZE_MAX {
                return Err(Errno::EPERM);
            }
            self.write_regs(host, target, word, &[request.addr])?;
        } else {
            let value = self.read_regs(host, target)?.to_words()[word];
            put_user(host, request.client, request.addr, &value.to_le_bytes())?;
        }
        Ok(OK)
    }

    pub(super) fn read_regs(
        &mut self,
        host: &mut impl Host,
        target: Target,
    ) -> Result<UserRegs, Errno> {
        let task = self.tasks.get_mut(target.task).ok_or(Errno::ESRCH)?;
        task.frame.get(host, target.task)
    }

    pub(super) fn write_regs(
        &mut self,
        host: &mut impl Host,
        target: Target,
        from: usize,
        words: &[u64],
    ) -> Result<(), Errno> {
        let task = self.tasks.get_mut(target.task).ok_or(Errno::ESRCH)?;
        task.frame.set(host, target.task, from, words)
    }
}

/// Which register set is meant, and the client's buffer for it, its length cut to the set's.
fn regset_buffer(host: &mut impl Host, request: &Request) -> Result<(u64, u64, usize), Errno> {
    let mut iovec = [0; 16];
    get_user(host, request.client, request.data, &mut iovec)?;
    let [base, len] = words_of(&iovec);
    let size = match request.addr {
        NT_PRSTATUS => REGS_SIZE,
        NT_PRFPREG => FPU_SIZE,
        _ => return Err(Errno::EINVAL),
    };
    if len % 8 != 0 {
        return Err(Errno::EINVAL);
    }
    Ok((request.addr, base, len.min(size as u64) as usize))
}

fn put_len(host: &mut impl Host, request: &Request, len: usize) -> Result<Done, Errno> {
    let at = request.data.wrapping_add(8);
    put_user(host, request.client, at, &(len as u64).to_le_bytes())?;
    Ok(OK)
}
