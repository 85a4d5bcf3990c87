//! process_vm_readv(2) and process_vm_writev(2): memory of another process, copied page by page
//! without a stop and without the tracer.

use crate::Procmgr;
use crate::machine::{Machine, PAGE, SpaceIx};
use crate::process::ProcessIx;
use abi::{Errno, TaskId};
use alloc::vec::Vec;

/// The most ranges on either side, as IOV_MAX.
const MAX_RANGES: u64 = 1024;
/// The most bytes one call moves, as MAX_RW_COUNT.
const MAX_BYTES: u64 = 0x7fff_f000;

/// Which way the bytes go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// From the other process.
    Read,
    /// Into it.
    Write,
}

/// Ranges of memory, taken piece by piece.
struct Ranges {
    list: Vec<(u64, u64)>,
    at: usize,
    done: u64,
}

impl Ranges {
    /// The rest of the range at hand.
    fn next(&mut self) -> Option<(u64, u64)> {
        while let Some((addr, len)) = self.list.get(self.at) {
            if self.done < *len {
                return Some((addr.wrapping_add(self.done), len - self.done));
            }
            self.at += 1;
            self.done = 0;
        }
        None
    }
}

impl Procmgr {
    /// ptrace(2), "Ptrace access mode checking": PTRACE_MODE_ATTACH_REALCREDS.
    pub(crate) fn may_access(&self, from: ProcessIx, to: ProcessIx) -> bool {
        let (mine, target) = (self.process(from).credentials, self.process(to));
        let its = target.credentials;
        let same = its.uid.iter().all(|uid| *uid == mine.uid[0])
            && its.gid.iter().all(|gid| *gid == mine.gid[0]);
        from == to || mine.privileged() || (same && target.dumpable)
    }

    /// Both calls.
    pub(super) fn sys_process_vm(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
        way: Way,
    ) -> Result<i64, Errno> {
        if a[5] != 0 {
            return Err(Errno::EINVAL);
        }
        let mut local = self.read_ranges(m, id, a[1], a[2])?;
        let mut remote = self.read_ranges(m, id, a[3], a[4])?;
        let target = self.by_tid(a[0] as u32).ok_or(Errno::ESRCH)?;
        let (own, other) = (self.process_of(id), self.process_of(target));
        let there = self.task(target).space.ok_or(Errno::ESRCH)?;
        if !self.may_access(own, other) {
            return Err(Errno::EPERM);
        }
        let here = self.task(id).space.ok_or(Errno::EFAULT)?;
        let mut total = 0;
        while let (Some(l), Some(r)) = (local.next(), remote.next()) {
            let (from, to) = match way {
                Way::Read => ((there, r.0), (here, l.0)),
                Way::Write => ((here, l.0), (there, r.0)),
            };
            let len = l.1.min(r.1).min(PAGE - from.1 % PAGE);
            let n = self.copy_between(m, from, to, len);
            total += n;
            local.done += n;
            remote.done += n;
            if n < len {
                break;
            }
        }
        let asked = local.list.iter().map(|(_, len)| len).sum::<u64>();
        if total == 0 && asked != 0 {
            Err(Errno::EFAULT)
        } else {
            Ok(total as i64)
        }
    }

    /// Copies within one page of the source; how much of it could be.
    fn copy_between(
        &mut self,
        m: &mut impl Machine,
        from: (SpaceIx, u64),
        to: (SpaceIx, u64),
        len: u64,
    ) -> u64 {
        let mut buffer = [0; PAGE as usize];
        let read = self
            .memory
            .read(m, from.0, from.1, &mut buffer[..len as usize]);
        self.memory.write(m, to.0, to.1, &buffer[..read]) as u64
    }

    fn read_ranges(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        at: u64,
        count: u64,
    ) -> Result<Ranges, Errno> {
        if count > MAX_RANGES {
            return Err(Errno::EINVAL);
        }
        let mut list = Vec::new();
        let mut left = MAX_BYTES;
        for i in 0..count {
            let entry = at.checked_add(16 * i).ok_or(Errno::EFAULT)?;
            let [addr, len] = self.get_words(m, id, entry)?;
            if (len as i64) < 0 {
                return Err(Errno::EINVAL);
            }
            let len = len.min(left);
            left -= len;
            list.push((addr, len));
        }
        Ok(Ranges {
            list,
            at: 0,
            done: 0,
        })
    }
}
