//! The C library: `ptrace`, `wait4` and its kin, `process_vm_readv` and `process_vm_writev`, with the prototypes and the behaviour of
//! glibc's, for a C program to be linked with in place of them. In the machine they speak to the servers directly; on Linux they make the same system calls
//! as the C library's own.
//!
//! And engines, which Linux has not.
//!
//! It is linked into programs of any C library, so it is made of `core` only, and needs of the C library no more than
//! what is declared [here](libc).
#![cfg_attr(feature = "alone", no_std)]

mod engine;
mod libc;
mod memory;
// Rather than a dependency on libtrace: that is for Rust programs, and needs Rust's standard library.
#[path = "../../src/message.rs"]
pub mod message;
mod ptrace;
#[path = "../../src/stops.rs"]
pub mod stops;
mod wait;

pub use engine::{
    engine_attach, engine_detach, engine_inject, engine_next, engine_poll, engine_request,
    engine_set,
};
pub use memory::{process_vm_readv, process_vm_writev};
pub use ptrace::ptrace;
pub use wait::{wait, wait3, wait4, waitpid};

/// Nothing here panics.
#[cfg(feature = "alone")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
