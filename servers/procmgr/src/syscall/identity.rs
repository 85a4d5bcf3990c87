//! User and group ids.

use crate::Procmgr;
use crate::machine::Machine;
use abi::linux::general as g;
use abi::{Errno, TaskId};

/// "Leave it as it is" in the setre and setres calls.
const KEEP: u32 = u32::MAX;

impl Procmgr {
    /// The get and set calls of ids.
    pub(super) fn identity_call(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        nr: u32,
        a: [u64; 6],
    ) -> Result<i64, Errno> {
        let ix = self.process_of(id);
        let ids = self.process(ix).credentials;
        let three = [a[0] as u32, a[1] as u32, a[2] as u32];
        match nr {
            g::__NR_getuid => Ok(ids.uid[0].into()),
            g::__NR_geteuid => Ok(ids.uid[1].into()),
            g::__NR_getgid => Ok(ids.gid[0].into()),
            g::__NR_getegid => Ok(ids.gid[1].into()),
            g::__NR_getresuid => self.put_ids(m, id, a, ids.uid),
            g::__NR_getresgid => self.put_ids(m, id, a, ids.gid),
            g::__NR_getgroups => self.get_groups(m, id, a),
            g::__NR_setgroups if ids.privileged() => self.set_groups(m, id, a),
            g::__NR_setgroups => Err(Errno::EPERM),
            g::__NR_setuid | g::__NR_setreuid | g::__NR_setresuid => {
                let new = changed(nr == g::__NR_setuid, ids.uid, three, a, ids.privileged())?;
                let new = if nr == g::__NR_setreuid {
                    reset_saved(ids.uid, new, three)
                } else {
                    new
                };
                self.process_mut(ix).credentials.uid = new;
                if new[1] != ids.uid[1] {
                    self.process_mut(ix).dumpable = false;
                }
                Ok(0)
            }
            g::__NR_setgid | g::__NR_setregid | g::__NR_setresgid => {
                let new = changed(nr == g::__NR_setgid, ids.gid, three, a, ids.privileged())?;
                let new = if nr == g::__NR_setregid {
                    reset_saved(ids.gid, new, three)
                } else {
                    new
                };
                self.process_mut(ix).credentials.gid = new;
                if new[1] != ids.gid[1] {
                    self.process_mut(ix).dumpable = false;
                }
                Ok(0)
            }
            _ => Err(Errno::ENOSYS),
        }
    }

    fn get_groups(&mut self, m: &mut impl Machine, id: TaskId, a: [u64; 6]) -> Result<i64, Errno> {
        let groups = self.process(self.process_of(id)).groups.clone();
        let room = a[0] as i32;
        if room < 0 || (room != 0 && (room as usize) < groups.len()) {
            return Err(Errno::EINVAL);
        }
        if room != 0 {
            for (i, group) in groups.iter().enumerate() {
                self.put(m, id, a[1].wrapping_add(4 * i as u64), &group.to_le_bytes())?;
            }
        }
        Ok(groups.len() as i64)
    }

    fn set_groups(&mut self, m: &mut impl Machine, id: TaskId, a: [u64; 6]) -> Result<i64, Errno> {
        let count = a[0] as u32 as usize;
        if count > crate::process::GROUPS_MAX {
            return Err(Errno::EINVAL);
        }
        let mut groups = alloc::vec::Vec::new();
        groups.try_reserve_exact(count).map_err(|_| Errno::ENOMEM)?;
        for i in 0..count {
            let group = self.get(m, id, a[1].wrapping_add(4 * i as u64))?;
            groups.push(u32::from_le_bytes(group));
        }
        // As Linux keeps them.
        groups.sort_unstable();
        let ix = self.process_of(id);
        self.process_mut(ix).groups = groups;
        Ok(0)
    }

    fn put_ids(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
        ids: [u32; 3],
    ) -> Result<i64, Errno> {
        for (addr, value) in a.into_iter().zip(ids) {
            self.put(m, id, addr, &value.to_le_bytes())?;
        }
        Ok(0)
    }
}

/// The ids after a call: `single` is setuid, else the words of setreuid or setresuid. Without
/// privilege every new id has to be one of the old ones.
fn changed(
    single: bool,
    old: [u32; 3],
    mut three: [u32; 3],
    a: [u64; 6],
    privileged: bool,
) -> Result<[u32; 3], Errno> {
    if single {
        let to = a[0] as u32;
        if to == KEEP {
            return Err(Errno::EINVAL);
        }
        return match privileged {
            true => Ok([to; 3]),
            false if to == old[0] || to == old[2] => Ok([old[0], to, old[2]]),
            false => Err(Errno::EPERM),
        };
    }
    // setreuid has two words; what is in the third register means nothing.
    if a[2] as u32 == KEEP || three[2] == 0 && a[2] != 0 {
        three[2] = KEEP;
    }
    let allowed = |id: u32| id == KEEP || privileged || old.contains(&id);
    if !three.iter().all(|id| allowed(*id)) {
        return Err(Errno::EPERM);
    }
    let pick = |i: usize| if three[i] == KEEP { old[i] } else { three[i] };
    Ok([pick(0), pick(1), pick(2)])
}

/// setreuid's rule for the saved id: it follows the effective one when the real one is set or
/// the effective one becomes something other than the old real one.
fn reset_saved(old: [u32; 3], new: [u32; 3], words: [u32; 3]) -> [u32; 3] {
    let follows = words[0] != KEEP || (words[1] != KEEP && words[1] != old[0]);
    [new[0], new[1], if follows { new[1] } else { old[2] }]
}
