//! Who a task acts as (credentials(7), capabilities(7)), and the rules by which that changes.
//!
//! The rules are functions from old credentials to new ones; nothing here knows a task but
//! [`Procmgr::commit_credentials`], through which every change goes. Each thread has its own, as on
//! Linux: a C library changes those of all.

mod access;
mod capabilities;
mod exec;
mod ids;

use crate::Procmgr;
use crate::process::ProcessIx;
use abi::{Capability, CapabilitySet, SigInfo, TaskId};
use alloc::rc::Rc;
use alloc::vec::Vec;

pub use access::AccessMode;
pub use capabilities::{SECBIT_NO_SETUID_FIXUP, Wanted};
pub use exec::{Executable, Unsafe};

/// The most supplementary groups (Linux's NGROUPS_MAX is 65536).
pub const GROUPS_MAX: usize = 1024;

/// Who a task acts as.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Credentials {
    /// real, effective, saved user id
    pub uid: [u32; 3],
    /// User id towards files.
    pub fsuid: u32,
    /// real, effective, saved group id
    pub gid: [u32; 3],
    /// Group id towards files.
    pub fsgid: u32,
    /// Supplementary groups, ascending, at most [`GROUPS_MAX`].
    pub groups: Rc<[u32]>,
    /// What it may ever do.
    pub permitted: CapabilitySet,
    /// What it may do.
    pub effective: CapabilitySet,
    /// What programs may inherit from it.
    pub inheritable: CapabilitySet,
    /// What an exec can give at most.
    pub bounding: CapabilitySet,
    /// What every program inherits from it.
    pub ambient: CapabilitySet,
    /// prctl(2), PR_SET_SECUREBITS.
    pub securebits: u32,
}

impl Credentials {
    /// Those of the first process.
    pub fn root() -> Credentials {
        Credentials {
            uid: [0; 3],
            fsuid: 0,
            gid: [0; 3],
            fsgid: 0,
            groups: Rc::default(),
            permitted: CapabilitySet::ALL,
            effective: CapabilitySet::ALL,
            inheritable: CapabilitySet::EMPTY,
            bounding: CapabilitySet::ALL,
            ambient: CapabilitySet::EMPTY,
            securebits: 0,
        }
    }

    /// Whether it may do now what this capability allows.
    pub const fn capable(&self, capability: Capability) -> bool {
        self.effective.has(capability)
    }

    /// Whether it is of a group towards files.
    pub fn in_group(&self, gid: u32) -> bool {
        gid == self.fsgid || self.groups.binary_search(&gid).is_ok()
    }

    /// Whether a process that these are the credentials of, or its memory, must be hidden from
    /// who it was before: its identity towards others has changed, or it may do more.
    fn conceals(&self, before: &Credentials) -> bool {
        self.uid[1] != before.uid[1]
            || self.gid[1] != before.gid[1]
            || self.fsuid != before.fsuid
            || self.fsgid != before.fsgid
            || !self.permitted.is_subset_of(before.permitted)
    }
}

impl Procmgr {
    /// A task's credentials.
    pub(crate) fn credentials(&self, id: TaskId) -> &Rc<Credentials> {
        &self.task(id).credentials
    }

    /// Those of a process as others see it: its leader's.
    pub(crate) fn credentials_of(&self, ix: ProcessIx) -> &Rc<Credentials> {
        self.credentials(self.process(ix).leader)
    }

    /// Whether a task may do what a capability allows.
    pub(crate) fn capable(&self, id: TaskId, capability: Capability) -> bool {
        self.credentials(id).capable(capability)
    }

    /// Gives a task new credentials. Whoever becomes somebody else cannot be traced by its user
    /// any more, nor is it told of its parent's death.
    pub(crate) fn commit_credentials(&mut self, id: TaskId, new: Credentials) {
        let task = self.task_mut(id);
        let conceal = new.conceals(&task.credentials);
        task.credentials = Rc::new(new);
        task.rights_told = false;
        if conceal {
            task.parent_death_signal = 0;
            self.set_dumpable(id, false);
        }
    }

    /// Whether a task may be traced by its user. A task without memory may not.
    pub(crate) fn dumpable(&self, id: TaskId) -> bool {
        self.task(id).space.is_some_and(|s| self.memory.dumpable(s))
    }

    /// The same for everybody who shares its memory.
    pub(crate) fn set_dumpable(&mut self, id: TaskId, dumpable: bool) {
        let Some(space) = self.task(id).space else {
            return;
        };
        if self.memory.dumpable(space) != dumpable {
            self.memory.set_dumpable(space, dumpable);
        }
    }

    /// A siginfo that says a task sent it.
    pub(crate) fn sent_by(&self, id: TaskId, signo: u8, code: i32) -> SigInfo {
        let pid = self.process(self.process_of(id)).pid;
        SigInfo::from_process(signo, code, pid, self.credentials(id).uid[0])
    }

    /// Every task whose real user this is.
    pub(crate) fn tasks_of_user(&self, uid: u32) -> impl Iterator<Item = TaskId> {
        let all = self.processes().flat_map(|(_, process)| &process.tasks);
        all.copied()
            .filter(move |task| self.credentials(*task).uid[0] == uid)
    }
}

/// Supplementary groups as Linux keeps them.
pub fn sorted(mut groups: Vec<u32>) -> Rc<[u32]> {
    groups.sort_unstable();
    groups.into()
}
