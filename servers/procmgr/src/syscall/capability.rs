//! Capabilities: root has all of them, everybody else none.

use crate::Procmgr;
use crate::machine::Machine;
use abi::{Errno, TaskId};

/// Linux's versions of the call's header: the first has one word per set, the others two.
const VERSION_1: u32 = 0x1998_0330;
const VERSION_2: u32 = 0x2007_1026;
const VERSION_3: u32 = 0x2008_0522;
/// The highest capability of Linux 6.1, CAP_CHECKPOINT_RESTORE.
pub(super) const LAST: u64 = 40;
const ALL: u64 = (1 << (LAST + 1)) - 1;

impl Procmgr {
    fn capabilities(&self, id: TaskId) -> u64 {
        match self.process(self.process_of(id)).credentials.privileged() {
            true => ALL,
            false => 0,
        }
    }

    /// Reads the header of capget and capset: how many words a set has, and about whom it is.
    fn capability_header(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        at: u64,
    ) -> Result<(usize, i32), Errno> {
        let version = u32::from_le_bytes(self.get(m, id, at)?);
        let words = match version {
            VERSION_1 => 1,
            VERSION_2 | VERSION_3 => 2,
            _ => {
                self.put(m, id, at, &VERSION_3.to_le_bytes())?;
                return Err(Errno::EINVAL);
            }
        };
        let pid = self.get(m, id, at.wrapping_add(4))?;
        Ok((words, i32::from_le_bytes(pid)))
    }

    /// capget(2): effective, permitted and inheritable, by words.
    pub(super) fn sys_capget(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        let (words, pid) = match self.capability_header(m, id, a[0]) {
            // Asking for the version that there is.
            Err(Errno::EINVAL) if a[1] == 0 => return Ok(()),
            header => header?,
        };
        let target = match pid {
            0 => id,
            pid if pid < 0 => return Err(Errno::EINVAL),
            pid => self.by_tid(pid as u32).ok_or(Errno::ESRCH)?,
        };
        if a[1] == 0 {
            return Ok(());
        }
        let set = self.capabilities(target);
        for (i, word) in [set as u32, (set >> 32) as u32]
            .iter()
            .take(words)
            .enumerate()
        {
            let mut bytes = [0; 12];
            bytes[..4].copy_from_slice(&word.to_le_bytes());
            bytes[4..8].copy_from_slice(&word.to_le_bytes());
            self.put(m, id, a[1].wrapping_add(12 * i as u64), &bytes)?;
        }
        Ok(())
    }

    /// capset(2): nothing may be gained. What root gives up stays with it, see
    /// docs/differences.md.
    pub(super) fn sys_capset(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        let (words, pid) = self.capability_header(m, id, a[0])?;
        if pid != 0 && self.by_tid(pid as u32) != Some(id) {
            return Err(Errno::EPERM);
        }
        let (mut effective, mut permitted) = (0, 0);
        for i in 0..words {
            let bytes: [u8; 12] = self.get(m, id, a[1].wrapping_add(12 * i as u64))?;
            let word = |at: usize| {
                let word = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
                u64::from(u32::from_le_bytes(word)) << (32 * i)
            };
            effective |= word(0) & ALL;
            permitted |= word(4) & ALL;
        }
        if permitted & !self.capabilities(id) != 0 || effective & !permitted != 0 {
            return Err(Errno::EPERM);
        }
        Ok(())
    }
}
