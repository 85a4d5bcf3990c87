//! Whether a task may look into another one (ptrace(2), "Ptrace access mode checking").

use crate::Procmgr;
use abi::{Capability, TaskId};

/// As whom the task asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessMode {
    /// As its file system ids, with its effective capabilities: what /proc shows.
    FileSystem,
    /// As its real ids, with its permitted capabilities: what system calls do.
    Real,
}

impl Procmgr {
    /// The rule. Reading and attaching differ only where a security module makes them differ.
    pub(crate) fn may_access(&self, viewer: TaskId, target: TaskId, mode: AccessMode) -> bool {
        if self.process_of(viewer) == self.process_of(target) {
            return true;
        }
        if !self.sees(viewer, self.process_of(target)) {
            return false;
        }
        let (mine, its) = (self.credentials(viewer), self.credentials(target));
        if mine.capable(Capability::CAP_SYS_PTRACE) {
            return true;
        }
        let (uid, gid, capabilities) = match mode {
            AccessMode::FileSystem => (mine.fsuid, mine.fsgid, mine.effective),
            AccessMode::Real => (mine.uid[0], mine.gid[0], mine.permitted),
        };
        // Who has no memory has nothing to hide.
        let open = self.task(target).space.is_none() || self.dumpable(target);
        its.uid == [uid; 3]
            && its.gid == [gid; 3]
            && open
            && its.permitted.is_subset_of(capabilities)
    }
}
