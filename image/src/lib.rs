//! Kernel build, boot archive, QEMU command line.
#![forbid(unsafe_code)]

pub mod host;
pub mod kernel;
pub mod workspace;
