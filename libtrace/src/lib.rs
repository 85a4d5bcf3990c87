//! Process tracing for clients: what a debugger or a system-call tracer needs.
//!
//! [`ptrace`] has one function per request of ptrace(2), with types that cannot be
//! confused; [`wait`](mod@wait) decodes what happened to a tracee; [`memory`] reads
//! what it points to; [`engine`] is for more than one tracer, and so is the module `redox`, which
//! speaks as Redox does. All but engines go through one gate, [`raw::ptrace`], and below it
//! through the [`transport`] of the machine the process runs on.
#![deny(missing_docs)]

pub mod context;
pub mod engine;
pub mod errno;
pub mod interrupt;
pub mod launch;
pub mod memory;
pub mod message;
pub mod ptrace;
pub mod raw;
#[cfg(feature = "redox")]
pub mod redox;
pub mod siginfo;
pub mod sleep;
pub mod spawn;
mod stops;
pub mod transport;
pub mod wait;

pub use abi::UserRegs;
pub use errno::Errno;
pub use siginfo::SigInfo;
pub use wait::{Event, Status};

/// A task's id, as Linux counts them: of one thread of execution, not of its process.
pub type Pid = i32;

/// What every call into the tracing machinery returns.
pub type Result<T> = core::result::Result<T, Errno>;
