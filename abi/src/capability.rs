//! Capabilities: what of root's power a task has (capabilities(7)).

use serde::{Deserialize, Serialize};

/// One capability, by Linux's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability(u8);

macro_rules! capabilities {
    ($($name:ident = $number:literal)*) => {
        impl Capability {
            $(#[doc = concat!("Linux's ", stringify!($name), ".")]
            pub const $name: Capability = Capability($number);)*
        }
    };
}

capabilities! {
    CAP_CHOWN = 0
    CAP_DAC_OVERRIDE = 1
    CAP_DAC_READ_SEARCH = 2
    CAP_FOWNER = 3
    CAP_FSETID = 4
    CAP_KILL = 5
    CAP_SETGID = 6
    CAP_SETUID = 7
    CAP_SETPCAP = 8
    CAP_LINUX_IMMUTABLE = 9
    CAP_NET_ADMIN = 12
    CAP_IPC_LOCK = 14
    CAP_SYS_CHROOT = 18
    CAP_SYS_PTRACE = 19
    CAP_SYS_PACCT = 20
    CAP_SYS_ADMIN = 21
    CAP_SYS_BOOT = 22
    CAP_SYS_NICE = 23
    CAP_SYS_RESOURCE = 24
    CAP_SYS_TIME = 25
    CAP_SYS_TTY_CONFIG = 26
    CAP_MKNOD = 27
    CAP_MAC_OVERRIDE = 32
    CAP_SYSLOG = 34
}

impl Capability {
    /// How many there are: those of Linux 6.1, up to CAP_CHECKPOINT_RESTORE.
    pub const COUNT: u8 = 41;

    /// The capability of this number, if there is one.
    pub const fn new(number: u64) -> Option<Capability> {
        if number < Capability::COUNT as u64 {
            Some(Capability(number as u8))
        } else {
            None
        }
    }
}

/// A set of capabilities; bit `n` stands for number `n`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CapabilitySet(u64);

impl CapabilitySet {
    /// No capability.
    pub const EMPTY: CapabilitySet = CapabilitySet(0);
    /// Every capability.
    pub const ALL: CapabilitySet = CapabilitySet((1 << Capability::COUNT) - 1);
    /// What a change of the file system user id takes and gives (capabilities(7), "Effect of
    /// user ID changes on capabilities").
    pub const OF_FILES: CapabilitySet = CapabilitySet::of(&[
        Capability::CAP_CHOWN,
        Capability::CAP_DAC_OVERRIDE,
        Capability::CAP_DAC_READ_SEARCH,
        Capability::CAP_FOWNER,
        Capability::CAP_FSETID,
        Capability::CAP_LINUX_IMMUTABLE,
        Capability::CAP_MAC_OVERRIDE,
        Capability::CAP_MKNOD,
    ]);

    /// The set of these.
    pub const fn of(capabilities: &[Capability]) -> CapabilitySet {
        let mut bits = 0;
        let mut i = 0;
        while i < capabilities.len() {
            bits |= 1 << capabilities[i].0;
            i += 1;
        }
        CapabilitySet(bits)
    }

    /// The set of these bits; what is no capability is left out.
    pub const fn from_bits(bits: u64) -> CapabilitySet {
        CapabilitySet(bits & CapabilitySet::ALL.0)
    }

    /// Its bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether one is in it.
    pub const fn has(self, capability: Capability) -> bool {
        self.0 >> capability.0 & 1 != 0
    }

    /// Puts one in.
    pub fn insert(&mut self, capability: Capability) {
        self.0 |= 1 << capability.0;
    }

    /// Takes one out.
    pub fn remove(&mut self, capability: Capability) {
        self.0 &= !(1 << capability.0);
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: CapabilitySet) -> CapabilitySet {
        CapabilitySet(self.0 & other.0)
    }

    /// What is in either.
    #[must_use]
    pub const fn or(self, other: CapabilitySet) -> CapabilitySet {
        CapabilitySet(self.0 | other.0)
    }

    /// What is in this set and not in `other`.
    #[must_use]
    pub const fn without(self, other: CapabilitySet) -> CapabilitySet {
        CapabilitySet(self.0 & !other.0)
    }

    /// Whether `other` has all of this one.
    pub const fn is_subset_of(self, other: CapabilitySet) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_nothing_has_is_no_capability() {
        assert_eq!(Capability::new(0), Some(Capability::CAP_CHOWN));
        assert_eq!(Capability::new(41), None);
        assert_eq!(CapabilitySet::from_bits(u64::MAX), CapabilitySet::ALL);
    }

    #[test]
    fn the_capabilities_of_files_are_those_of_linux() {
        assert_eq!(CapabilitySet::OF_FILES.bits(), 0x1_0800_021f);
    }
}
