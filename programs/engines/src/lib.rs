//! Three programs that are engines: a system-call policy, a coverage counter, and a keeper of
//! crashed tasks; and a logger. Each needs a [`Session`] of engines on a program and its children.

pub mod rules;
mod session;
pub mod symbols;

pub use session::{Session, Target};

use libtrace::engine::Event;

/// How `name` of a system call, or its number, is to be written.
pub fn call_name(number: u64) -> String {
    let known = usize::try_from(number).ok().and_then(syscalls::Sysno::new);
    known.map_or_else(|| format!("syscall_{number:#x}"), |call| call.name().into())
}

/// The signal of a signal event.
pub fn signal_of(event: &Event) -> Option<i32> {
    match event {
        Event::Signal { info, .. } => Some(info.signo),
        _ => None,
    }
}
