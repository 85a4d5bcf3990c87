//! capget(2), capset(2), and prctl(2) about capabilities.

use crate::Procmgr;
use crate::credentials::{Credentials, Wanted};
use crate::machine::Machine;
use abi::{Capability, CapabilitySet, Errno, TaskId};
use alloc::rc::Rc;

/// Linux's versions of the call's header: the first has one word per set, the others two.
const VERSION_1: u32 = 0x1998_0330;
const VERSION_2: u32 = 0x2007_1026;
const VERSION_3: u32 = 0x2008_0522;

pub(super) const PR_GET_KEEPCAPS: u64 = 7;
pub(super) const PR_SET_KEEPCAPS: u64 = 8;
pub(super) const PR_CAPBSET_READ: u64 = 23;
pub(super) const PR_CAPBSET_DROP: u64 = 24;
pub(super) const PR_GET_SECUREBITS: u64 = 27;
pub(super) const PR_SET_SECUREBITS: u64 = 28;
pub(super) const PR_CAP_AMBIENT: u64 = 47;

const PR_CAP_AMBIENT_IS_SET: u64 = 1;
const PR_CAP_AMBIENT_RAISE: u64 = 2;
const PR_CAP_AMBIENT_LOWER: u64 = 3;
const PR_CAP_AMBIENT_CLEAR_ALL: u64 = 4;

impl Procmgr {
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
            pid => self.seen(id, pid as u32).ok_or(Errno::ESRCH)?,
        };
        if a[1] == 0 {
            return Ok(());
        }
        let its = Rc::clone(self.credentials(target));
        for i in 0..words {
            let mut bytes = [0; 12];
            let sets = [its.effective, its.permitted, its.inheritable];
            for (to, set) in bytes.chunks_exact_mut(4).zip(sets) {
                to.copy_from_slice(&((set.bits() >> (32 * i)) as u32).to_le_bytes());
            }
            self.put(m, id, a[1].wrapping_add(12 * i as u64), &bytes)?;
        }
        Ok(())
    }

    /// capset(2).
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
        let mut sets = [0; 3];
        for i in 0..words {
            let bytes: [u8; 12] = self.get(m, id, a[1].wrapping_add(12 * i as u64))?;
            for (set, word) in sets.iter_mut().zip(bytes.chunks_exact(4)) {
                let word = u32::from_le_bytes(word.try_into().expect("four bytes"));
                *set |= u64::from(word) << (32 * i);
            }
        }
        let [effective, permitted, inheritable] = sets.map(CapabilitySet::from_bits);
        let wanted = Wanted {
            effective,
            permitted,
            inheritable,
        };
        let new = self.credentials(id).set_capabilities(&wanted)?;
        self.commit_credentials(id, new);
        Ok(())
    }

    /// prctl(2), what concerns capabilities.
    pub(super) fn capability_prctl(&mut self, id: TaskId, a: [u64; 6]) -> Result<i64, Errno> {
        let ids = self.credentials(id);
        let new = match a[0] {
            PR_GET_KEEPCAPS => return Ok(ids.keeps_capabilities().into()),
            PR_SET_KEEPCAPS => ids.set_keep_capabilities(a[1])?,
            PR_CAPBSET_READ => {
                let capability = Capability::new(a[1]).ok_or(Errno::EINVAL)?;
                return Ok(ids.bounding.has(capability).into());
            }
            PR_CAPBSET_DROP => ids.drop_bounding(a[1])?,
            PR_GET_SECUREBITS => return Ok(ids.securebits.into()),
            PR_SET_SECUREBITS => ids.set_securebits(a[1])?,
            PR_CAP_AMBIENT => match ambient(ids, a)? {
                Ambient::Is(set) => return Ok(set.into()),
                Ambient::Becomes(new) => new,
            },
            _ => return Err(Errno::EINVAL),
        };
        self.commit_credentials(id, new);
        Ok(0)
    }
}

/// What PR_CAP_AMBIENT answers or does.
enum Ambient {
    Is(bool),
    Becomes(Credentials),
}

fn ambient(ids: &Credentials, a: [u64; 6]) -> Result<Ambient, Errno> {
    if a[1] == PR_CAP_AMBIENT_CLEAR_ALL {
        return match a[2..5] {
            [0, 0, 0] => Ok(Ambient::Becomes(ids.clear_ambient())),
            _ => Err(Errno::EINVAL),
        };
    }
    let capability = Capability::new(a[2]).filter(|_| a[3..5] == [0, 0]);
    let capability = capability.ok_or(Errno::EINVAL)?;
    match a[1] {
        PR_CAP_AMBIENT_IS_SET => Ok(Ambient::Is(ids.ambient.has(capability))),
        PR_CAP_AMBIENT_RAISE => Ok(Ambient::Becomes(ids.raise_ambient(capability)?)),
        PR_CAP_AMBIENT_LOWER => Ok(Ambient::Becomes(ids.lower_ambient(capability))),
        _ => Err(Errno::EINVAL),
    }
}
