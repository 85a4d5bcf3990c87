//! What an exec makes of credentials (capabilities(7), "Transformation of capabilities during
//! execve()"; execve(2), "Effect on process attributes").

use super::Credentials;
use super::capabilities::{SECBIT_KEEP_CAPS, SECBIT_NOROOT};
use abi::linux::general::{S_ISGID, S_ISUID, S_IXGRP};
use abi::{Capability, CapabilitySet};

const ROOT: u32 = 0;

/// Whose program it is, and its mode bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Executable {
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Permission and set-id bits.
    pub mode: u32,
}

/// Why a program may get less than it asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unsafe {
    /// prctl(2), PR_SET_NO_NEW_PRIVS.
    pub no_new_privileges: bool,
    /// Another process has its working directory and mask too.
    pub shared: bool,
    /// Somebody traces it who had not CAP_SYS_PTRACE when it attached.
    pub traced: bool,
}

impl Credentials {
    /// The credentials that a program starts with, and whether it has to be careful (AT_SECURE).
    pub fn executing(&self, program: Executable, unsafety: Unsafe) -> (Credentials, bool) {
        let mut new = self.clone();
        if !unsafety.no_new_privileges {
            if program.mode & S_ISUID != 0 {
                new.uid[1] = program.uid;
            }
            if program.mode & (S_ISGID | S_IXGRP) == S_ISGID | S_IXGRP {
                new.gid[1] = program.gid;
            }
        }
        let (permitted, effective) = new.power_of_root();
        new.permitted = permitted;
        let changed = |new: &Credentials| new.uid[1] != self.uid[1] || !self.in_group(new.gid[1]);
        let gained = !new.permitted.is_subset_of(self.permitted);
        let id_changed = changed(&new);
        if (id_changed || gained)
            && (unsafety.no_new_privileges || unsafety.shared || unsafety.traced)
        {
            if unsafety.no_new_privileges || !self.capable(Capability::CAP_SETUID) {
                new.uid[1] = self.uid[1];
                new.gid[1] = self.gid[1];
            }
            new.permitted = new.permitted.and(self.permitted);
        }
        new.uid[2] = new.uid[1];
        new.gid[2] = new.gid[1];
        new.fsuid = new.uid[1];
        new.fsgid = new.gid[1];
        if id_changed {
            new.ambient = CapabilitySet::EMPTY;
        }
        new.permitted = new.permitted.or(new.ambient);
        new.effective = if effective {
            new.permitted
        } else {
            new.ambient
        };
        new.securebits &= !SECBIT_KEEP_CAPS;
        let secure = id_changed
            || new.uid[1] != self.uid[0]
            || new.gid[1] != self.gid[0]
            || (new.uid[0] != ROOT && (effective || !new.permitted.is_subset_of(new.ambient)));
        (new, secure)
    }

    /// What a program without capabilities of its own is permitted, and whether it has it at
    /// once: all for root, else nothing.
    fn power_of_root(&self) -> (CapabilitySet, bool) {
        let [real, effective, _] = self.uid;
        if self.securebits & SECBIT_NOROOT != 0 || (real != ROOT && effective != ROOT) {
            return (CapabilitySet::EMPTY, false);
        }
        (self.bounding.or(self.inheritable), effective == ROOT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET_ROOT: Executable = Executable {
        uid: 0,
        gid: 0,
        mode: 0o4755,
    };
    const PLAIN: Executable = Executable {
        uid: 0,
        gid: 0,
        mode: 0o755,
    };
    const SAFE: Unsafe = Unsafe {
        no_new_privileges: false,
        shared: false,
        traced: false,
    };

    fn user() -> Credentials {
        Credentials::root().set_gid(5).unwrap().set_uid(5).unwrap()
    }

    #[test]
    fn a_set_user_id_program_is_root_and_careful() {
        let (new, secure) = user().executing(SET_ROOT, SAFE);
        assert_eq!((new.uid, new.fsuid), ([5, 0, 0], 0));
        assert_eq!(new.effective, CapabilitySet::ALL);
        assert!(secure);
        let (new, secure) = user().executing(PLAIN, SAFE);
        assert_eq!(new, user());
        assert!(!secure);
    }

    #[test]
    fn who_is_traced_without_privilege_gets_none() {
        for unsafety in [
            Unsafe {
                traced: true,
                ..SAFE
            },
            Unsafe {
                shared: true,
                ..SAFE
            },
            Unsafe {
                no_new_privileges: true,
                ..SAFE
            },
        ] {
            let (new, _) = user().executing(SET_ROOT, unsafety);
            assert_eq!((new.uid, new.permitted), ([5; 3], CapabilitySet::EMPTY));
        }
    }

    #[test]
    fn a_set_group_id_bit_without_execute_means_nothing() {
        let locked = Executable {
            mode: 0o2705,
            ..PLAIN
        };
        assert_eq!(user().executing(locked, SAFE).0.gid, [5; 3]);
        let set = Executable {
            mode: 0o2755,
            ..PLAIN
        };
        let (new, secure) = user().executing(set, SAFE);
        assert_eq!(new.gid, [5, 0, 0]);
        assert!(secure && new.effective.is_empty());
    }

    #[test]
    fn ambient_capabilities_pass_on_and_end_where_ids_change() {
        let mut from = user();
        let kill = CapabilitySet::of(&[Capability::CAP_KILL]);
        (from.permitted, from.inheritable, from.ambient) = (kill, kill, kill);
        let (new, _) = from.executing(PLAIN, SAFE);
        assert_eq!((new.permitted, new.effective), (kill, kill));
        let other = Executable { uid: 6, ..SET_ROOT };
        assert!(from.executing(other, SAFE).0.permitted.is_empty());
    }

    #[test]
    fn root_without_its_power_has_none() {
        let mut root = Credentials::root();
        root.securebits = SECBIT_NOROOT;
        assert!(root.executing(PLAIN, SAFE).0.permitted.is_empty());
        root.securebits = 0;
        root.bounding.remove(Capability::CAP_KILL);
        let (new, _) = root.executing(PLAIN, SAFE);
        assert!(!new.permitted.has(Capability::CAP_KILL));
    }
}
