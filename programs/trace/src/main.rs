//! Traces a program as strace does.
fn main() {}
