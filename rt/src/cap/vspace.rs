//! Address spaces (seL4 manual 7).

use super::{CNode, CPtr, Untyped, capabilities};
use crate::invoke::{Result, invoke, label};

capabilities! {
    /// An address space.
    Pml4
    /// 512 GiB of one.
    Pdpt
    /// 1 GiB of one.
    Pd
    /// 2 MiB of one.
    PageTable
    /// A frame, and at most one mapping of it.
    Page
    /// The right to make pools.
    AsidControl
    /// 512 address-space identifiers; an address space needs one before anything is mapped.
    AsidPool
}

/// What a mapping allows besides reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Writing.
    pub write: bool,
    /// Executing.
    pub execute: bool,
}

impl Rights {
    /// Reading only.
    pub const READ: Rights = Rights {
        write: false,
        execute: false,
    };
    /// Reading and writing.
    pub const READ_WRITE: Rights = Rights {
        write: true,
        execute: false,
    };

    /// The kernel's word for it (`seL4_CapRights`): write 1, read 2.
    pub const fn word(self) -> u64 {
        2 | self.write as u64
    }

    /// The attributes of a page of ordinary memory with these rights.
    pub const fn attributes(self) -> u64 {
        if self.execute {
            WRITE_BACK
        } else {
            WRITE_BACK | EXECUTE_NEVER
        }
    }
}

/// The memory attributes of ordinary memory: none of the bits of `vm_attributes`.
pub const WRITE_BACK: u64 = 0;
/// The bit of `vm_attributes` for a page that cannot be executed. The kernel has it by fix P7.
pub const EXECUTE_NEVER: u64 = 8;

macro_rules! paging_structures {
    ($($name:ident $label:ident)*) => {
        $(impl $name {
            /// Puts the structure into the address space where `addr` belongs.
            ///
            /// # Errors
            /// `FailedLookup` when the structure above is missing, `DeleteFirst` when there is
            /// one already.
            pub fn map(self, space: Pml4, addr: u64) -> Result {
                invoke(self.0, label::$label, [addr, WRITE_BACK], [space.0]).map(drop)
            }
        })*
    };
}

paging_structures! {
    Pdpt X86PDPTMap
    Pd X86PageDirectoryMap
    PageTable X86PageTableMap
}

impl Page {
    /// Maps the frame. Errors as for the paging structures.
    #[inline]
    pub fn map(self, space: Pml4, addr: u64, rights: Rights) -> Result {
        let args = [addr, rights.word(), rights.attributes()];
        invoke(self.0, label::X86PageMap, args, [space.0]).map(drop)
    }

    /// Changes the mapping's rights.
    #[inline]
    pub fn remap(self, space: Pml4, rights: Rights) -> Result {
        invoke(
            self.0,
            label::X86PageRemap,
            [rights.word(), rights.attributes()],
            [space.0],
        )
        .map(drop)
    }

    /// Ends the mapping.
    pub fn unmap(self) -> Result {
        invoke(self.0, label::X86PageUnmap, [], []).map(drop)
    }
}

impl AsidControl {
    /// Makes a pool out of 4 KiB of untyped memory.
    pub fn make_pool(self, memory: Untyped, root: CNode, slot: u64, depth: u64) -> Result {
        let args = [slot, depth];
        invoke(
            self.0,
            label::X86ASIDControlMakePool,
            args,
            [memory.0, root.0],
        )
        .map(drop)
    }
}

impl AsidPool {
    /// Gives an address space an identifier. `DeleteFirst` when the pool has none left.
    pub fn assign(self, space: Pml4) -> Result {
        invoke(self.0, label::X86ASIDPoolAssign, [], [space.0]).map(drop)
    }
}
