//! Memory: address spaces, the objects mapped in them, and the frames behind both.
//!
//! Everything works on [`Machine`](crate::machine::Machine); nothing here knows the kernel.
//!
//! - A [`Vma`] says what a range of addresses means. A space has a sorted, merged list of them.
//! - A page table of our own says which pages are present, and of those which the kernel maps: a
//!   page can be present without being mapped (after a fork, under PROT_NONE), never the reverse.
//! - A present page is *owned* (anonymous memory or a private copy, its frame counted by the
//!   spaces that share it) or *borrowed* (an object's page, the archive's, or the zero frame;
//!   whoever lends it keeps it for as long as it is mapped, so borrowing needs no count).
//!
//! Invariant: an owned frame is mapped writable only where its count is one. Copy-on-write is
//! nothing else than that rule.
//!
//! Invariant: a system call that fails leaves what the task can see as it was. Everything that
//! can run out is taken before the first change.

mod access;
mod advise;
mod brk;
mod copy;
mod dump;
mod fault;
mod fork;
mod frames;
mod identity;
pub mod layout;
mod lock;
mod map;
mod object;
mod pages;
mod place;
mod protect;
mod remap;
mod site;
mod space;
mod transfer;
mod unmap;
mod vma;

pub use dump::{DEFAULT_FILTER, DumpProgress, DumpSegment, FILTER_BITS};
pub use fault::{FAULT_AROUND, MemoryFault};
pub use lock::MAX_POPULATE;
pub use map::{MapRequest, Source};
pub use object::{MAX_OBJECT_SIZE, MAX_OBJECTS};
pub use space::{Limits, Memory};
pub use vma::{Backing, MAX_VMAS, Vma};
