//! The tracer server's behaviour, without I/O.
//!
//! Two layers. [`engine`] is utrace (utrace.md): every traced task has a chain of engines, each
//! report of the process manager goes along the chain, and the chain decides how the task goes
//! on. [`ptrace`] is the built-in engine (ptrace.md), reached by libtrace's messages and by the
//! `ptrace` system call alike.
//!
//! *Invariant:* the tracer waits for nobody but the process manager. A stop is a report that has
//! not been answered; nothing here blocks on it.
//!
//! *Invariant:* no lookup on the hot path. A request about the client's own stopped tracee costs
//! at most the one [`abi::tracer::Call`] that does the work.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

pub mod engine;
mod frame;
mod host;
pub mod ptrace;
mod reports;
mod table;

use abi::{Errno, TaskId, client};
pub use host::Host;
use ptrace::{Entry, Request};
pub use table::{MAX_TRACED_PER_USER, MAX_TRACED_TASKS};

/// The tracer: everything it knows between two messages.
#[derive(Default)]
pub struct Tracer {
    tasks: table::Tasks,
    lost_children: u64,
}

impl Tracer {
    /// A tracer that traces nothing.
    pub fn new() -> Tracer {
        Tracer::default()
    }

    /// A message of `client` (its badge) with `label` and `words`. The answer's words, or none
    /// when it is given later through [`Host::answer`]. A label that means nothing is ENOSYS.
    pub fn on_client(
        &mut self,
        host: &mut impl Host,
        client: TaskId,
        label: u64,
        words: [u64; 4],
    ) -> Option<[u64; 4]> {
        if label != client::PTRACE {
            return Some([Errno::ENOSYS.as_result() as u64, 0, 0, 0]);
        }
        let request = Request::new(client, Entry::Message, words);
        let (result, word) = self.ptrace(host, &request);
        Some([result as u64, word, 0, 0])
    }

    /// How many children of tracees could not be attached and run untraced (A10, clone).
    pub fn lost_children(&self) -> u64 {
        self.lost_children
    }

    /// The reports it has not answered: which task, which number.
    pub fn kept(&self) -> alloc::vec::Vec<(TaskId, u32)> {
        self.tasks.kept()
    }

    /// How many tasks are traced.
    pub fn traced(&self) -> usize {
        self.tasks.len()
    }
}
