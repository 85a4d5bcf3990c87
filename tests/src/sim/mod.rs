//! The simulated machine: what the kernel and the processor do, and nothing else.
//!
//! It is strict. What the kernel would answer with an error, and what the process manager
//! promises never to do (map over a mapping, free a mapped frame, resume a running thread), is a
//! panic that names it.

mod alu;
pub mod cpu;
mod frames;
mod machine;
mod memory;
mod operand;
mod threads;

pub use frames::{Frames, Page, Shortage};
pub use machine::{SERVER_CAPS, SimMachine};
pub use memory::{Fault, Spaces};
pub use threads::{Activity, Pending, Server, Thread};
