//! User and group ids, supplementary groups.

use crate::Procmgr;
use crate::credentials::{Credentials, GROUPS_MAX, sorted};
use crate::machine::Machine;
use abi::linux::general as g;
use abi::{Capability, Errno, TaskId};
use alloc::rc::Rc;
use alloc::vec::Vec;

impl Procmgr {
    /// The get and set calls of ids.
    pub(super) fn identity_call(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        nr: u32,
        a: [u64; 6],
    ) -> Result<i64, Errno> {
        let ids = Rc::clone(self.credentials(id));
        let three = [a[0] as u32, a[1] as u32, a[2] as u32];
        let [one, other, _] = three;
        let new = match nr {
            g::__NR_getuid => return Ok(ids.uid[0].into()),
            g::__NR_geteuid => return Ok(ids.uid[1].into()),
            g::__NR_getgid => return Ok(ids.gid[0].into()),
            g::__NR_getegid => return Ok(ids.gid[1].into()),
            g::__NR_getresuid => return self.put_ids(m, id, a, ids.uid),
            g::__NR_getresgid => return self.put_ids(m, id, a, ids.gid),
            g::__NR_getgroups => return self.get_groups(m, id, a),
            g::__NR_setgroups => self.new_groups(m, id, a)?,
            g::__NR_setuid => ids.set_uid(one)?,
            g::__NR_setreuid => ids.set_reuid([one, other])?,
            g::__NR_setresuid => ids.set_resuid(three)?,
            g::__NR_setgid => ids.set_gid(one)?,
            g::__NR_setregid => ids.set_regid([one, other])?,
            g::__NR_setresgid => ids.set_resgid(three)?,
            g::__NR_setfsuid => {
                if let Some(new) = ids.set_fsuid(one) {
                    self.commit_credentials(id, new);
                }
                return Ok(ids.fsuid.into());
            }
            g::__NR_setfsgid => {
                if let Some(new) = ids.set_fsgid(one) {
                    self.commit_credentials(id, new);
                }
                return Ok(ids.fsgid.into());
            }
            _ => return Err(Errno::ENOSYS),
        };
        let another_user = new.uid[0] != ids.uid[0];
        self.commit_credentials(id, new);
        if another_user {
            self.task_mut(id).over_process_limit = self.joins_too_many(id);
        }
        Ok(0)
    }

    fn get_groups(&mut self, m: &mut impl Machine, id: TaskId, a: [u64; 6]) -> Result<i64, Errno> {
        let groups = Rc::clone(&self.credentials(id).groups);
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

    /// setgroups(2).
    fn new_groups(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<Credentials, Errno> {
        if !self.capable(id, Capability::CAP_SETGID) {
            return Err(Errno::EPERM);
        }
        let count = a[0] as u32 as usize;
        if count > GROUPS_MAX {
            return Err(Errno::EINVAL);
        }
        self.room(m)?;
        let mut groups = Vec::with_capacity(count);
        for i in 0..count {
            let group = self.get(m, id, a[1].wrapping_add(4 * i as u64))?;
            groups.push(u32::from_le_bytes(group));
        }
        Ok(Credentials {
            groups: sorted(groups),
            ..(**self.credentials(id)).clone()
        })
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
