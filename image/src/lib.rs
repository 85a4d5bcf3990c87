//! Kernel build, boot archive, QEMU command line.
#![forbid(unsafe_code)]

pub mod archive;
mod elf;
pub mod host;
pub mod kernel;
pub mod rootimage;
pub mod workspace;
