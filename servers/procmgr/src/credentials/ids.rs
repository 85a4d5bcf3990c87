//! setuid(2) and its relatives, and what changes of user ids do to capabilities.

use super::Credentials;
use super::capabilities::{SECBIT_KEEP_CAPS, SECBIT_NO_SETUID_FIXUP};
use abi::{Capability, CapabilitySet, Errno};

/// "Leave it as it is" in the setre and setres calls; no id otherwise.
const KEEP: u32 = u32::MAX;
const ROOT: u32 = 0;

/// Real, effective and saved id after setuid or setgid.
fn set(old: [u32; 3], id: u32, privileged: bool) -> Result<[u32; 3], Errno> {
    match id {
        KEEP => Err(Errno::EINVAL),
        id if privileged => Ok([id; 3]),
        id if id == old[0] || id == old[2] => Ok([old[0], id, old[2]]),
        _ => Err(Errno::EPERM),
    }
}

/// The same after setreuid or setregid. The saved id follows the effective one where the real one
/// is set, or the effective one becomes something else than the real one was.
fn set_two(
    old: [u32; 3],
    [real, effective]: [u32; 2],
    privileged: bool,
) -> Result<[u32; 3], Errno> {
    let may_real = [KEEP, old[0], old[1]].contains(&real);
    let may_effective = [KEEP, old[0], old[1], old[2]].contains(&effective);
    let allowed = may_real && may_effective;
    if !allowed && !privileged {
        return Err(Errno::EPERM);
    }
    let new = [keep_or(real, old[0]), keep_or(effective, old[1])];
    let follows = real != KEEP || (effective != KEEP && effective != old[0]);
    Ok([new[0], new[1], if follows { new[1] } else { old[2] }])
}

/// The same after setresuid or setresgid.
fn set_three(old: [u32; 3], new: [u32; 3], privileged: bool) -> Result<[u32; 3], Errno> {
    if !privileged && new.iter().any(|id| *id != KEEP && !old.contains(id)) {
        return Err(Errno::EPERM);
    }
    Ok([0, 1, 2].map(|i| keep_or(new[i], old[i])))
}

fn keep_or(new: u32, old: u32) -> u32 {
    if new == KEEP { old } else { new }
}

impl Credentials {
    fn may_set_uid(&self) -> bool {
        self.capable(Capability::CAP_SETUID)
    }

    fn may_set_gid(&self) -> bool {
        self.capable(Capability::CAP_SETGID)
    }

    /// setuid(2).
    pub fn set_uid(&self, uid: u32) -> Result<Credentials, Errno> {
        Ok(self.with_uids(set(self.uid, uid, self.may_set_uid())?))
    }

    /// setreuid(2).
    pub fn set_reuid(&self, uids: [u32; 2]) -> Result<Credentials, Errno> {
        Ok(self.with_uids(set_two(self.uid, uids, self.may_set_uid())?))
    }

    /// setresuid(2). What names the ids as they are does nothing at all.
    pub fn set_resuid(&self, uids: [u32; 3]) -> Result<Credentials, Errno> {
        let same = (0..3).all(|i| uids[i] == KEEP || uids[i] == self.uid[i]);
        if same && (uids[1] == KEEP || uids[1] == self.fsuid) {
            return Ok(self.clone());
        }
        Ok(self.with_uids(set_three(self.uid, uids, self.may_set_uid())?))
    }

    /// setfsuid(2): none where nothing changes.
    pub fn set_fsuid(&self, uid: u32) -> Option<Credentials> {
        let known = self.uid.contains(&uid) || uid == self.fsuid || self.may_set_uid();
        if uid == KEEP || !known || uid == self.fsuid {
            return None;
        }
        let mut new = self.clone();
        new.fsuid = uid;
        if self.securebits & SECBIT_NO_SETUID_FIXUP == 0 {
            let of_files = CapabilitySet::OF_FILES;
            if self.fsuid == ROOT {
                new.effective = self.effective.without(of_files);
            } else if uid == ROOT {
                new.effective = self.effective.or(of_files.and(self.permitted));
            }
        }
        Some(new)
    }

    /// setgid(2).
    pub fn set_gid(&self, gid: u32) -> Result<Credentials, Errno> {
        Ok(self.with_gids(set(self.gid, gid, self.may_set_gid())?))
    }

    /// setregid(2).
    pub fn set_regid(&self, gids: [u32; 2]) -> Result<Credentials, Errno> {
        Ok(self.with_gids(set_two(self.gid, gids, self.may_set_gid())?))
    }

    /// setresgid(2).
    pub fn set_resgid(&self, gids: [u32; 3]) -> Result<Credentials, Errno> {
        let same = (0..3).all(|i| gids[i] == KEEP || gids[i] == self.gid[i]);
        if same && (gids[1] == KEEP || gids[1] == self.fsgid) {
            return Ok(self.clone());
        }
        Ok(self.with_gids(set_three(self.gid, gids, self.may_set_gid())?))
    }

    /// setfsgid(2): none where nothing changes.
    pub fn set_fsgid(&self, gid: u32) -> Option<Credentials> {
        let known = self.gid.contains(&gid) || gid == self.fsgid || self.may_set_gid();
        if gid == KEEP || !known || gid == self.fsgid {
            return None;
        }
        Some(Credentials {
            fsgid: gid,
            ..self.clone()
        })
    }

    fn with_gids(&self, gid: [u32; 3]) -> Credentials {
        Credentials {
            gid,
            fsgid: gid[1],
            ..self.clone()
        }
    }

    /// New user ids and what follows from them (capabilities(7), "Effect of user ID changes on
    /// capabilities").
    fn with_uids(&self, uid: [u32; 3]) -> Credentials {
        let mut new = Credentials {
            uid,
            fsuid: uid[1],
            ..self.clone()
        };
        if self.securebits & SECBIT_NO_SETUID_FIXUP != 0 {
            return new;
        }
        if self.uid.contains(&ROOT) && !uid.contains(&ROOT) {
            if self.securebits & SECBIT_KEEP_CAPS == 0 {
                new.permitted = CapabilitySet::EMPTY;
                new.effective = CapabilitySet::EMPTY;
            }
            new.ambient = CapabilitySet::EMPTY;
        }
        if self.uid[1] == ROOT && uid[1] != ROOT {
            new.effective = CapabilitySet::EMPTY;
        }
        if self.uid[1] != ROOT && uid[1] == ROOT {
            new.effective = new.permitted;
        }
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(uid: [u32; 3]) -> Credentials {
        Credentials::root().with_uids(uid)
    }

    #[test]
    fn leaving_root_for_good_loses_every_capability() {
        let new = Credentials::root().set_uid(5).unwrap();
        assert_eq!((new.uid, new.fsuid), ([5; 3], 5));
        assert!(new.permitted.is_empty() && new.effective.is_empty());
        assert_eq!(new.set_uid(0), Err(Errno::EPERM));
    }

    #[test]
    fn a_saved_root_gets_its_capabilities_back() {
        let away = Credentials::root().set_resuid([KEEP, 5, KEEP]).unwrap();
        assert!(away.effective.is_empty());
        assert_eq!(away.permitted, CapabilitySet::ALL);
        let back = away.set_uid(0).unwrap();
        assert_eq!((back.uid, back.effective), ([0, 0, 0], CapabilitySet::ALL));
    }

    #[test]
    fn the_saved_id_follows_where_setreuid_says_so() {
        let ids = user([5, 6, 7]);
        assert_eq!(ids.set_reuid([KEEP, 7]).unwrap().uid, [5, 7, 7]);
        assert_eq!(ids.set_reuid([KEEP, 5]).unwrap().uid, [5, 5, 7]);
        assert_eq!(ids.set_reuid([6, KEEP]).unwrap().uid, [6, 6, 6]);
        assert_eq!(ids.set_reuid([7, KEEP]), Err(Errno::EPERM));
    }

    #[test]
    fn the_file_system_id_takes_the_capabilities_of_files_only() {
        let new = Credentials::root().set_fsuid(5).unwrap();
        assert_eq!(
            new.effective,
            CapabilitySet::ALL.without(CapabilitySet::OF_FILES)
        );
        assert_eq!(new.set_fsuid(0).unwrap().effective, CapabilitySet::ALL);
        assert_eq!(user([5; 3]).set_fsuid(0), None);
    }

    #[test]
    fn kept_capabilities_are_permitted_and_not_effective() {
        let mut root = Credentials::root();
        root.securebits = SECBIT_KEEP_CAPS;
        let new = root.set_uid(5).unwrap();
        assert_eq!(new.permitted, CapabilitySet::ALL);
        assert!(new.effective.is_empty());
    }
}
