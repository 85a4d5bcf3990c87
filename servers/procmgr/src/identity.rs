//! Copies of the process manager, and what makes two of them the same: for a search that goes
//! through all states.
//!
//! Two process managers that are fed into a hasher alike, on machines whose frames are alike, do
//! the same from there on. What nobody can find out is left out, and frames are named by who asks,
//! because their numbers depend on the order in which things happened and mean nothing.

use crate::Procmgr;
use crate::machine::{Frame, Machine};
use core::hash::{Hash, Hasher};

impl Clone for Procmgr {
    fn clone(&self) -> Procmgr {
        let mut copy = Procmgr {
            config: self.config.clone(),
            tables: self.tables.clone(),
            memory: self.memory.clone(),
            reports: self.reports.clone(),
            timers: self.timers.clone(),
            futexes: self.futexes.clone(),
            random: self.random.clone(),
            users: self.users.clone(),
            unknown_calls: self.unknown_calls.clone(),
            host_name: self.host_name.clone(),
            domain_name: self.domain_name.clone(),
            callbacks: self.callbacks,
            refused: self.refused,
            first: self.first,
            frames_at_start: self.frames_at_start,
        };
        if !self.users.are_idle() {
            for charge in copy.tables.charges_mut() {
                copy.users.take_over(charge, &self.users);
            }
        }
        copy
    }
}

impl Procmgr {
    /// Feeds everything that matters into a hasher; `frame` does so for a frame: its contents, and
    /// which one of those before it is the same.
    pub fn identify<M: Machine, H: Hasher>(
        &self,
        m: &M,
        hasher: &mut H,
        frame: &mut impl FnMut(Frame, &mut H),
    ) {
        let Procmgr {
            // The same for all of a search's states.
            config: _,
            frames_at_start: _,
            tables,
            memory,
            reports,
            timers,
            futexes,
            random,
            unknown_calls,
            host_name,
            callbacks,
            // Only counted.
            refused: _,
            first,
            users,
            domain_name,
        } = self;
        (tables, reports, timers, futexes, random, users).hash(hasher);
        (unknown_calls, host_name, domain_name, callbacks, first).hash(hasher);
        memory.identify(m, hasher, frame);
    }
}
