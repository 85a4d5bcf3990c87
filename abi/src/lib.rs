//! What two parts of Stillpoint say to each other: every message, number and layout.
//!
//! Nothing here does anything. A server's library is driven by these types, a client encodes
//! them, and the tests on the host send the same bytes that cross the kernel in the machine.
//!
//! Linux constants keep Linux's names and values; they come from `linux-raw-sys`, re-exported as
//! [`linux`]. Where a layout is Linux's, the type says which structure it is.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod archive;
pub mod capability;
pub mod client;
pub mod compat;
pub mod engine;
pub mod errno;
pub mod fs;
pub mod proc;
pub mod ptrace;
pub mod regs;
pub mod signal;
pub mod stops;
pub mod task;
pub mod tracer;
pub mod user;
pub mod wire;

pub use capability::{Capability, CapabilitySet};
pub use errno::Errno;
pub use linux_raw_sys as linux;
pub use regs::{InCall, Regs, UserRegs};
pub use signal::{SigInfo, SigSet};
pub use task::{PidName, TaskId};
