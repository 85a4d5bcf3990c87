//! The remote protocol's lowest layer (gdb manual, "Remote Protocol", "Overview"): packets on a
//! stream of bytes. Nothing here reads or writes anything.

mod decode;
mod encode;
pub mod hex;
mod thread_id;

pub use decode::{Decoder, Input, MAX_PACKET, NEXT};
pub use encode::{escape, notification, packet};
pub use thread_id::{Choice, ThreadId};

/// So many random cases, the same each time.
#[cfg(test)]
pub fn repeatable(cases: u32) -> proptest::test_runner::Config {
    proptest::test_runner::Config {
        cases,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        failure_persistence: None,
        ..Default::default()
    }
}
