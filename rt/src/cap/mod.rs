//! Capabilities by the kind of object they stand for.
//!
//! A value names a slot of this program's CSpace; it does not prove that the slot holds a
//! capability of that kind. The kernel checks, and says so with an error.
//!
//! No method is `unsafe`. What an invocation does to other programs is the point of it; what it
//! can do to this one is to change memory that Rust code refers to, and that is possible only with
//! a capability to this program's own address space, which procmgr alone has, for its windows
//! ([`crate::window`]).

mod cnode;
mod ipc;
mod irq;
mod tcb;
mod untyped;
mod vspace;

pub use cnode::{ALL_RIGHTS, CNode, READ, SEND, SlotRef, guard};
pub use ipc::{Endpoint, Notification};
pub use irq::{IoPort, IrqControl, IrqHandler};
pub use tcb::{BreakOn, Tcb};
pub use untyped::{ObjectType, Untyped};
pub use vspace::{AsidControl, AsidPool, Page, PageTable, Pd, Pdpt, Pml4, Rights, WRITE_BACK};

/// The address of a slot in this program's CSpace. 0 is always empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CPtr(pub u64);

impl CPtr {
    /// No capability.
    pub const NULL: CPtr = CPtr(0);
}

macro_rules! capabilities {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name(pub CPtr);

            impl $name {
                /// The capability at this address.
                pub const fn at(slot: u64) -> Self {
                    Self(CPtr(slot))
                }
            }
        )*
    };
}
use capabilities;
