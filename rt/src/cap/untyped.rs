//! Untyped memory (seL4 manual 2.4).

use super::{CPtr, SlotRef, capabilities};
use crate::invoke::{Result, invoke, label};

capabilities! {
    /// Memory without a purpose yet.
    Untyped
}

/// What untyped memory can become. The numbers are the kernel's for this configuration (no huge
/// pages, no IOMMU).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum ObjectType {
    /// Smaller untyped memory.
    Untyped = 0,
    /// A thread.
    Tcb = 1,
    /// An endpoint.
    Endpoint = 2,
    /// A notification.
    Notification = 3,
    /// A table of slots; its size is the logarithm of their number.
    CNode = 4,
    /// A paging structure of the second level.
    Pdpt = 5,
    /// A paging structure of the first level, and so an address space.
    Pml4 = 6,
    /// A frame of 4 KiB.
    Page4K = 7,
    /// A frame of 2 MiB.
    Page2M = 8,
    /// A paging structure of the last level.
    PageTable = 9,
    /// A paging structure of the third level.
    Pd = 10,
}

impl ObjectType {
    /// How many bytes an object has, as a logarithm, given the size that it is asked for with.
    pub const fn bits(self, size_bits: u32) -> u32 {
        match self {
            ObjectType::Untyped => size_bits,
            ObjectType::CNode => size_bits + 5,
            ObjectType::Tcb => 11,
            ObjectType::Endpoint => 4,
            ObjectType::Notification => 5,
            ObjectType::Page2M => 21,
            _ => 12,
        }
    }
}

impl Untyped {
    /// Makes `count` objects, at most 256, in slots from `to` on. `size_bits` matters for
    /// untyped memory and CNodes.
    ///
    /// # Errors
    /// `NotEnoughMemory`; `DeleteFirst` when a slot is taken.
    pub fn retype(self, kind: ObjectType, size_bits: u32, to: SlotRef, count: usize) -> Result {
        let args = [
            kind as u64,
            size_bits as u64,
            to.node_index,
            to.node_depth,
            to.offset,
            count as u64,
        ];
        invoke(self.0, label::UntypedRetype, args, [to.root.0]).map(drop)
    }
}
