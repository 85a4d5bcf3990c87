//! The same commands under this tracer and under strace 6.1: the output must be the same,
//! but for what differs between any two runs.

mod choosing;
mod files;
mod looks;
mod normal;
mod programs;
mod starting;
mod support;
mod tampering;
