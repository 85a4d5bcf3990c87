//! What a task may do with files: its ids and capabilities as the process manager tells them
//! (credentials(7), path_resolution(7)).

use crate::Fs;
use crate::host::{Host, Port};
use abi::linux::general::{R_OK, S_IFDIR, S_IFMT, W_OK, X_OK};
use abi::{Capability, CapabilitySet, wire};
use alloc::rc::Rc;
use alloc::vec::Vec;

/// Every permission bit of everybody.
const ANY_EXECUTE: u32 = 0o111;

/// Who asks.
#[derive(Clone, Hash)]
pub(crate) struct Rights {
    /// As the process manager has told it.
    pub told: abi::fs::Rights,
    /// Supplementary groups, ascending.
    groups: Vec<u32>,
}

impl Rights {
    /// The superuser's, without limits: the first process has them until it is told of, and the
    /// file server itself.
    pub fn root() -> Rights {
        Rights {
            told: abi::fs::Rights {
                uid: [0; 3],
                gid: [0; 3],
                fsuid: 0,
                fsgid: 0,
                groups: 0,
                effective: CapabilitySet::ALL,
                permitted: CapabilitySet::ALL,
                ids_only: false,
                max_fds: u64::MAX,
                max_file_size: u64::MAX,
            },
            groups: Vec::new(),
        }
    }

    /// User and group of what it makes.
    pub fn ids(&self) -> (u32, u32) {
        (self.told.fsuid, self.told.fsgid)
    }

    pub fn capable(&self, capability: Capability) -> bool {
        self.told.effective.has(capability)
    }

    pub fn in_group(&self, gid: u32) -> bool {
        gid == self.told.fsgid || self.groups.binary_search(&gid).is_ok()
    }

    /// Whether it owns what this user owns, or may act as if it did.
    pub fn owns(&self, uid: u32) -> bool {
        self.told.fsuid == uid || self.capable(Capability::CAP_FOWNER)
    }

    /// Whether it keeps set-group-id bits for this group.
    pub fn keeps_set_gid(&self, gid: u32) -> bool {
        self.in_group(gid) || self.capable(Capability::CAP_FSETID)
    }

    /// Whether it may do to a file what `want` says with access(2)'s bits. `mode` is st_mode.
    pub fn allow(&self, (uid, gid): (u32, u32), mode: u32, want: u32) -> bool {
        let class = if self.told.fsuid == uid {
            mode >> 6
        } else if self.in_group(gid) {
            mode >> 3
        } else {
            mode
        };
        class & want == want || self.overrides(mode, want)
    }

    /// What capabilities allow whatever the mode says.
    fn overrides(&self, mode: u32, want: u32) -> bool {
        let directory = mode & S_IFMT == S_IFDIR;
        let reads = if directory {
            want & W_OK == 0
        } else {
            want == R_OK
        };
        if reads && self.capable(Capability::CAP_DAC_READ_SEARCH) {
            return true;
        }
        let runnable = directory || want & X_OK == 0 || mode & ANY_EXECUTE != 0;
        runnable && self.capable(Capability::CAP_DAC_OVERRIDE)
    }

    /// Those of its real ids, as which access(2) asks.
    pub fn of_real_ids(&self) -> Rights {
        let mut rights = self.clone();
        let told = &mut rights.told;
        (told.fsuid, told.fsgid) = (told.uid[0], told.gid[0]);
        if !told.ids_only {
            told.effective = match told.uid[0] {
                0 => told.permitted,
                _ => CapabilitySet::EMPTY,
            };
        }
        rights
    }
}

impl Fs {
    /// [`Event::Rights`](abi::fs::Event::Rights).
    pub(crate) fn take_rights<H: Host>(&mut self, port: &mut Port<'_, H>, told: &[u8]) {
        let Ok(told) = wire::decode::<abi::fs::Rights>(told) else {
            self.malformed += 1;
            return;
        };
        let mut groups = Vec::new();
        while (groups.len() as u32) < told.groups {
            match port.groups(port.task, groups.len() as u32) {
                Ok(more) if !more.is_empty() => groups.extend(more),
                // It is gone, and asks for nothing any more.
                _ => break,
            }
        }
        if let Some(task) = self.tasks.get_mut(port.task) {
            task.rights = Rc::new(Rights { told, groups });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(uid: u32, groups: &[u32]) -> Rights {
        let mut rights = Rights::root();
        rights.told.uid = [uid; 3];
        (rights.told.fsuid, rights.told.fsgid) = (uid, uid);
        rights.told.effective = CapabilitySet::EMPTY;
        rights.told.permitted = CapabilitySet::EMPTY;
        rights.groups = groups.to_vec();
        rights
    }

    #[test]
    fn the_first_class_that_fits_decides() {
        assert!(!user(5, &[]).allow((5, 5), 0o077, R_OK));
        assert!(!user(6, &[5]).allow((5, 5), 0o707, R_OK));
        assert!(user(6, &[]).allow((5, 5), 0o004, R_OK));
    }

    #[test]
    fn nobody_executes_what_nobody_may() {
        assert!(!Rights::root().allow((5, 5), 0o666, X_OK));
        assert!(Rights::root().allow((5, 5), 0o001, X_OK));
        assert!(Rights::root().allow((5, 5), S_IFDIR, X_OK | W_OK));
    }

    #[test]
    fn read_and_search_do_not_write() {
        let mut rights = user(5, &[]);
        rights.told.effective = CapabilitySet::of(&[Capability::CAP_DAC_READ_SEARCH]);
        assert!(rights.allow((6, 6), 0o000, R_OK));
        assert!(rights.allow((6, 6), S_IFDIR, R_OK | X_OK));
        assert!(!rights.allow((6, 6), 0o000, R_OK | W_OK));
        assert!(!rights.allow((6, 6), S_IFDIR, W_OK));
    }

    #[test]
    fn real_ids_of_root_have_all_that_is_permitted() {
        let mut rights = Rights::root();
        rights.told.effective = CapabilitySet::EMPTY;
        assert!(rights.of_real_ids().capable(Capability::CAP_CHOWN));
        rights.told.uid[0] = 5;
        assert!(!rights.of_real_ids().capable(Capability::CAP_CHOWN));
        assert_eq!(rights.of_real_ids().told.fsuid, 5);
    }
}
