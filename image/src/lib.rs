//! Everything between the sources and a running machine: the kernel, the programs, the boot archive, QEMU.
#![forbid(unsafe_code)]

pub mod archive;
pub mod c_library;
pub mod content;
pub mod cpio;
mod elf;
pub mod host;
pub mod kernel;
pub mod libraries;
pub mod machine;
pub mod qemu;
pub mod rootimage;
pub mod workspace;
