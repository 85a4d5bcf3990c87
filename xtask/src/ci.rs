//! `cargo xtask ci`: everything a change has to pass.

use crate::Status;
use crate::test;

/// Style and every test.
pub fn main() -> Status {
    test::main(test::Args::default())
}
