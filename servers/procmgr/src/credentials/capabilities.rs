//! capset(2) and the prctl(2) calls about capabilities.

use super::Credentials;
use abi::{Capability, CapabilitySet, Errno};

/// Root means nothing at exec.
pub const SECBIT_NOROOT: u32 = 1;
/// Changes of user ids leave capabilities alone.
pub const SECBIT_NO_SETUID_FIXUP: u32 = 1 << 2;
/// Permitted capabilities outlive root; until the next exec.
pub const SECBIT_KEEP_CAPS: u32 = 1 << 4;
/// Ambient capabilities cannot be raised.
const SECBIT_NO_CAP_AMBIENT_RAISE: u32 = 1 << 6;
/// The bits, and behind each the one that locks it.
const BITS: u32 = 0x55;
const LOCKS: u32 = BITS << 1;

/// The sets that capset(2) gives.
pub struct Wanted {
    /// What it may do.
    pub effective: CapabilitySet,
    /// What it may ever do.
    pub permitted: CapabilitySet,
    /// What programs may inherit.
    pub inheritable: CapabilitySet,
}

impl Credentials {
    /// capset(2): EPERM where anything is gained.
    pub fn set_capabilities(&self, wanted: &Wanted) -> Result<Credentials, Errno> {
        let Wanted {
            effective,
            permitted,
            inheritable,
        } = *wanted;
        let may_inherit_any = self.capable(Capability::CAP_SETPCAP);
        let fine = (may_inherit_any
            || inheritable.is_subset_of(self.inheritable.or(self.permitted)))
            && inheritable.is_subset_of(self.inheritable.or(self.bounding))
            && permitted.is_subset_of(self.permitted)
            && effective.is_subset_of(permitted);
        if !fine {
            return Err(Errno::EPERM);
        }
        Ok(Credentials {
            effective,
            permitted,
            inheritable,
            ambient: self.ambient.and(permitted).and(inheritable),
            ..self.clone()
        })
    }

    /// PR_CAPBSET_DROP.
    pub fn drop_bounding(&self, number: u64) -> Result<Credentials, Errno> {
        if !self.capable(Capability::CAP_SETPCAP) {
            return Err(Errno::EPERM);
        }
        let capability = Capability::new(number).ok_or(Errno::EINVAL)?;
        let mut new = self.clone();
        new.bounding.remove(capability);
        Ok(new)
    }

    /// PR_CAP_AMBIENT_RAISE.
    pub fn raise_ambient(&self, capability: Capability) -> Result<Credentials, Errno> {
        if !self.permitted.has(capability)
            || !self.inheritable.has(capability)
            || self.securebits & SECBIT_NO_CAP_AMBIENT_RAISE != 0
        {
            return Err(Errno::EPERM);
        }
        let mut new = self.clone();
        new.ambient.insert(capability);
        Ok(new)
    }

    /// PR_CAP_AMBIENT_LOWER.
    pub fn lower_ambient(&self, capability: Capability) -> Credentials {
        let mut new = self.clone();
        new.ambient.remove(capability);
        new
    }

    /// PR_CAP_AMBIENT_CLEAR_ALL.
    pub fn clear_ambient(&self) -> Credentials {
        Credentials {
            ambient: CapabilitySet::EMPTY,
            ..self.clone()
        }
    }

    /// PR_SET_SECUREBITS.
    pub fn set_securebits(&self, bits: u64) -> Result<Credentials, Errno> {
        let old = self.securebits;
        let new = u32::try_from(bits).map_err(|_| Errno::EPERM)?;
        let locked = (old & LOCKS) >> 1;
        if locked & (old ^ new) != 0
            || old & LOCKS & !new != 0
            || new & !(BITS | LOCKS) != 0
            || !self.capable(Capability::CAP_SETPCAP)
        {
            return Err(Errno::EPERM);
        }
        Ok(Credentials {
            securebits: new,
            ..self.clone()
        })
    }

    /// PR_SET_KEEPCAPS.
    pub fn set_keep_capabilities(&self, keep: u64) -> Result<Credentials, Errno> {
        if keep > 1 {
            return Err(Errno::EINVAL);
        }
        if self.securebits & SECBIT_KEEP_CAPS << 1 != 0 {
            return Err(Errno::EPERM);
        }
        let mut new = self.clone();
        new.securebits &= !SECBIT_KEEP_CAPS;
        new.securebits |= if keep == 1 { SECBIT_KEEP_CAPS } else { 0 };
        Ok(new)
    }

    /// PR_GET_KEEPCAPS.
    pub fn keeps_capabilities(&self) -> bool {
        self.securebits & SECBIT_KEEP_CAPS != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capset_gains_nothing() {
        let root = Credentials::root();
        let wanted = |effective, permitted, inheritable| Wanted {
            effective,
            permitted,
            inheritable,
        };
        let (all, none) = (CapabilitySet::ALL, CapabilitySet::EMPTY);
        let kill = CapabilitySet::of(&[Capability::CAP_KILL]);
        let less = root.set_capabilities(&wanted(none, kill, kill)).unwrap();
        assert_eq!((less.permitted, less.effective), (kill, none));
        assert!(less.set_capabilities(&wanted(kill, all, kill)).is_err());
        assert!(less.set_capabilities(&wanted(all, kill, kill)).is_err());
        assert!(less.set_capabilities(&wanted(none, none, all)).is_err());
        assert!(less.set_capabilities(&wanted(none, none, kill)).is_ok());
    }

    #[test]
    fn a_locked_bit_stays() {
        let root = Credentials::root();
        let locked = root.set_securebits(3).unwrap();
        assert!(locked.set_securebits(2).is_err());
        assert!(locked.set_securebits(1).is_err());
        assert!(locked.set_securebits(3 | 4).is_ok());
        assert!(root.set_securebits(1 << 40).is_err());
    }

    #[test]
    fn an_ambient_capability_is_permitted_and_inheritable() {
        let mut root = Credentials::root();
        assert!(root.raise_ambient(Capability::CAP_KILL).is_err());
        root.inheritable = CapabilitySet::ALL;
        let raised = root.raise_ambient(Capability::CAP_KILL).unwrap();
        let dropped = Wanted {
            effective: CapabilitySet::EMPTY,
            permitted: CapabilitySet::EMPTY,
            inheritable: CapabilitySet::ALL,
        };
        let after = raised.set_capabilities(&dropped).unwrap();
        assert!(after.ambient.is_empty());
    }
}
