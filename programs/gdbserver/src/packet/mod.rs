//! The remote protocol's lowest layer (gdb manual, "Remote Protocol", "Overview"): packets on a
//! stream of bytes. Nothing here reads or writes anything.

mod decode;
mod encode;
pub mod hex;
mod thread_id;

pub use decode::{Decoder, Input, MAX_PACKET, UNDERSTOOD};
pub use encode::{escape, notification, packet};
pub use thread_id::{Choice, ThreadId};
