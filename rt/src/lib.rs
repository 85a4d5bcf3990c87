//! The seL4 shell of the servers: the one place, with the root task, that knows the kernel.
//!
//! The modules are named after the kernel's nouns. [`syscall`] is the way in, [`invoke`] what can
//! be asked of an object, [`cap`] the same with types, [`fault`] what a thread's faults look like.
//! [`slots`] says which capability a server finds where, [`layout`] which memory, [`boot`] what
//! the root task tells it. [`message`] carries `abi`'s messages.
//!
//! A server has one thread, so nothing here locks.
#![no_std]

pub mod boot;
pub mod cap;
pub mod clock;
pub mod entry;
pub mod fault;
pub mod invoke;
pub mod ipc_buffer;
pub mod layout;
pub mod log;
#[cfg(feature = "machine")]
mod memory;
pub mod message;
#[cfg(feature = "machine")]
mod panic;
pub mod slots;
pub mod syscall;
pub mod window;

#[cfg(feature = "machine")]
pub mod heap;

pub use invoke::KernelError;
