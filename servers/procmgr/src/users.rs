//! What the tasks of a user use together, and its limits (getrlimit(2), RLIMIT_SIGPENDING).

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use core::cell::Cell;
use core::hash::{Hash, Hasher};

/// The counts of one user.
#[derive(Debug, Default)]
struct User {
    /// Queued signals, and those that timers have reserved.
    signals: Cell<u32>,
}

/// One queued signal that counts for a user, until it is dropped.
#[derive(Debug)]
pub struct Charge(Rc<User>);

impl Drop for Charge {
    fn drop(&mut self) {
        self.0.signals.update(|count| count - 1);
    }
}

/// Users by id: those that have something counted.
#[derive(Default)]
pub struct Users(BTreeMap<u32, Rc<User>>);

/// A copy is one signal more of the same user.
impl Clone for Charge {
    fn clone(&self) -> Charge {
        self.0.signals.update(|count| count + 1);
        Charge(Rc::clone(&self.0))
    }
}

impl Hash for Charge {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.signals.get().hash(hasher);
    }
}

/// The same users, who have nothing counted: [`Users::take_over`] follows.
impl Clone for Users {
    fn clone(&self) -> Users {
        let users = self.0.keys().map(|uid| (*uid, Rc::default()));
        Users(users.collect())
    }
}

impl Hash for Users {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        for (uid, user) in &self.0 {
            (uid, user.signals.get()).hash(hasher);
        }
    }
}

impl Users {
    /// Whether nobody has anything counted.
    pub fn are_idle(&self) -> bool {
        self.0.values().all(|user| user.signals.get() == 0)
    }

    /// Counts here what counts for the same user of those that these are a copy of.
    pub fn take_over(&mut self, charge: &mut Charge, from: &Users) {
        let same = from.0.iter().find(|(_, user)| Rc::ptr_eq(user, &charge.0));
        let (uid, _) = same.expect("who has something counted is known");
        let user = self.0.entry(*uid).or_default();
        user.signals.update(|count| count + 1);
        *charge = Charge(Rc::clone(user));
    }

    /// How many signals count for a user.
    pub fn signals(&self, uid: u32) -> u32 {
        self.0.get(&uid).map_or(0, |user| user.signals.get())
    }

    /// How many count for all users together.
    pub fn all_signals(&self) -> u32 {
        self.0.values().map(|user| user.signals.get()).sum()
    }

    /// Counts one more signal, unless it would be more than `limit`.
    pub fn charge(&mut self, uid: u32, limit: u64) -> Option<Charge> {
        if u64::from(self.signals(uid)) >= limit {
            return None;
        }
        if !self.0.contains_key(&uid) {
            // Whoever has nothing counted need not be known.
            self.0.retain(|_, user| user.signals.get() > 0);
        }
        let user = self.0.entry(uid).or_default();
        user.signals.update(|count| count + 1);
        Some(Charge(Rc::clone(user)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_counts_until_it_is_dropped() {
        let mut users = Users::default();
        let first = users.charge(5, 2).unwrap();
        let _second = users.charge(5, 2).unwrap();
        assert!(users.charge(5, 2).is_none());
        assert!(users.charge(6, 2).is_some());
        drop(first);
        assert_eq!(users.signals(5), 1);
        assert!(users.charge(5, 2).is_some());
    }

    #[test]
    fn users_without_anything_are_forgotten() {
        let mut users = Users::default();
        for uid in 0..100 {
            assert!(users.charge(uid, 1).is_some());
        }
        assert_eq!(users.0.len(), 1);
    }
}
