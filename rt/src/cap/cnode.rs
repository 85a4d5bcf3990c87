//! Tables of capability slots (seL4 manual 3).

use super::{CPtr, capabilities};
use crate::invoke::{Result, invoke, label};

capabilities! {
    /// A table of slots.
    CNode
}

/// Which slots new objects go to: those from `offset` on, of the CNode that is found from `root`
/// with `node_depth` bits of `node_index`; with depth 0 of `root` itself.
#[derive(Clone, Copy, Debug)]
pub struct SlotRef {
    /// Where the search starts.
    pub root: CNode,
    /// The address of the CNode's slot.
    pub node_index: u64,
    /// How many bits of it count.
    pub node_depth: u64,
    /// The first slot.
    pub offset: u64,
}

/// The data word that gives a CNode capability a guard: `bits` more address bits, which must be
/// `value` (18 bits at most): `cnode_capdata` of the kernel's `structures.bf`.
pub const fn guard(value: u64, bits: u32) -> u64 {
    value << 8 | (bits as u64) << 2
}

impl CNode {
    /// The slot `index` of this very table.
    pub const fn slot(self, index: u64) -> SlotRef {
        SlotRef {
            root: self,
            node_index: 0,
            node_depth: 0,
            offset: index,
        }
    }

    /// Copies a capability.
    pub fn copy(
        self,
        (to, to_depth): (u64, u64),
        from_root: CNode,
        (from, from_depth): (u64, u64),
    ) -> Result {
        let args = [to, to_depth, from, from_depth, ALL_RIGHTS];
        invoke(self.0, label::CNodeCopy, args, [from_root.0]).map(drop)
    }

    /// Copies a capability; the copy allows reading only.
    pub fn copy_read_only(
        self,
        (to, to_depth): (u64, u64),
        from_root: CNode,
        (from, from_depth): (u64, u64),
    ) -> Result {
        let args = [to, to_depth, from, from_depth, READ];
        invoke(self.0, label::CNodeCopy, args, [from_root.0]).map(drop)
    }

    /// Copies a capability with some of its rights, and gives the copy a badge, a guard or a range of
    /// ports.
    pub fn mint(
        self,
        (to, to_depth): (u64, u64),
        from_root: CNode,
        (from, from_depth): (u64, u64),
        rights: u64,
        data: u64,
    ) -> Result {
        let args = [to, to_depth, from, from_depth, rights, data];
        invoke(self.0, label::CNodeMint, args, [from_root.0]).map(drop)
    }

    /// Moves a capability.
    pub fn relocate(
        self,
        (to, to_depth): (u64, u64),
        from_root: CNode,
        (from, from_depth): (u64, u64),
    ) -> Result {
        let args = [to, to_depth, from, from_depth];
        invoke(self.0, label::CNodeMove, args, [from_root.0]).map(drop)
    }

    /// Empties a slot. An object is destroyed with its last capability.
    #[inline]
    pub fn delete(self, slot: u64, depth: u64) -> Result {
        invoke(self.0, label::CNodeDelete, [slot, depth], []).map(drop)
    }

    /// Empties all slots whose capability was derived from this one.
    pub fn revoke(self, slot: u64, depth: u64) -> Result {
        invoke(self.0, label::CNodeRevoke, [slot, depth], []).map(drop)
    }

    /// Puts the reply capability of the last message into a slot.
    pub fn save_caller(self, slot: u64, depth: u64) -> Result {
        invoke(self.0, label::CNodeSaveCaller, [slot, depth], []).map(drop)
    }
}

/// All rights that a capability can carry (`seL4_AllRights`): write, read, grant.
pub const ALL_RIGHTS: u64 = 7;
/// The rights to send to an endpoint and to be answered, or to signal a notification; not to
/// receive what others send there.
pub const SEND: u64 = 5;
/// Only the right to read (`seL4_CanRead`).
pub const READ: u64 = 2;
