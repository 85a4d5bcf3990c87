//! PTRACE_PEEKSIGINFO, GETSIGMASK and SETSIGMASK: a tracee's queued and blocked signals.

use super::{Done, OK, Request};
use crate::Procmgr;
use crate::machine::Machine;
use abi::linux::ptrace::PTRACE_PEEKSIGINFO_SHARED;
use abi::signal::{SIGINFO_SIZE, UNBLOCKABLE};
use abi::{Errno, SigSet};

/// Bytes of `sigset_t` as the kernel has it.
const SIGSET_SIZE: u64 = 8;
/// Bytes of `struct ptrace_peeksiginfo_args`: offset, flags, count.
const ARGS_SIZE: usize = 16;

impl Procmgr {
    /// `addr` points to the arguments, `data` to room for the siginfos. How many were stored: fewer
    /// than asked for where the queue or the room ends, EFAULT where there is no room for one.
    /// EINVAL: unknown flags, a negative count.
    pub(super) fn peek_siginfo(
        &mut self,
        m: &mut impl Machine,
        r: &Request,
    ) -> Result<Done, Errno> {
        let args: [u8; ARGS_SIZE] = self.get(m, r.client, r.addr)?;
        let word = |at: usize| u64::from_le_bytes(args[at..at + 8].try_into().expect("a word"));
        let (offset, flags, count) = (word(0), word(8) as u32, (word(8) >> 32) as i32);
        let unknown = flags & !PTRACE_PEEKSIGINFO_SHARED != 0;
        let count = u64::try_from(count).map_err(|_| Errno::EINVAL)?;
        if unknown {
            return Err(Errno::EINVAL);
        }
        let shared = flags & PTRACE_PEEKSIGINFO_SHARED != 0;
        for done in 0..count {
            let task = self.task(r.target);
            let queue = match shared {
                true => &self.process(task.process).pending,
                false => &task.pending,
            };
            let Some(info) = queue.nth(offset.wrapping_add(done)) else {
                return Ok(Done::Result(done as i64));
            };
            let at = r.data.wrapping_add(done * SIGINFO_SIZE as u64);
            match self.put(m, r.client, at, &info.to_bytes()) {
                Err(e) if done == 0 => return Err(e),
                Err(_) => return Ok(Done::Result(done as i64)),
                Ok(()) => {}
            }
        }
        Ok(Done::Result(count as i64))
    }

    /// `addr` is the size of a set. EINVAL: another one than Linux's. A mask that a system call has
    /// put in place of another one for its duration does not show.
    pub(super) fn get_sigmask(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        if r.addr != SIGSET_SIZE {
            return Err(Errno::EINVAL);
        }
        let task = self.task(r.target);
        let mask = task.saved_mask.unwrap_or(task.mask);
        self.put(m, r.client, r.data, &mask.0.to_le_bytes())?;
        Ok(OK)
    }

    /// The reverse. SIGKILL and SIGSTOP cannot be blocked.
    pub(super) fn set_sigmask(&mut self, m: &mut impl Machine, r: &Request) -> Result<Done, Errno> {
        if r.addr != SIGSET_SIZE {
            return Err(Errno::EINVAL);
        }
        let [mask] = self.get_words(m, r.client, r.data)?;
        let task = self.task_mut(r.target);
        task.mask = SigSet(mask).without(UNBLOCKABLE);
        task.saved_mask = None;
        Ok(OK)
    }
}
