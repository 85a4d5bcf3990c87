//! Build, run and test entry point.
fn main() {}
