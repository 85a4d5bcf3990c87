//! The tracer server's behaviour, without I/O.
//!
//! Two layers. [`engine`] is utrace (utrace.md): every traced task has a chain of engines, each
//! report of the process manager goes along the chain, and the chain decides how the task goes
//! on. [`ptrace`] is the built-in engine (ptrace.md).
//!
//! What a tracer does with a *stopped* tracee is not here but in the process manager, which has all
//! that it takes. Here it is decided what is reported, and what several engines of a task make of a
//! report together. Where ptrace is a task's only engine there is nothing of the kind to decide: the
//! task's stops are leased ([`abi::tracer::Course::leased`]), and even the bond with its tracer is
//! taken over only when something is ([`abi::tracer::Call::Adopt`]).
//!
//! *Invariant:* the tracer waits for nobody but the process manager, and answers every client at
//! once. A stop is a report that has not been answered; nothing here blocks on it.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

mod clients;
pub mod engine;
mod engines;
mod host;
pub mod ptrace;
mod reports;
mod table;

use abi::errno::to_rax;
use abi::{Errno, TaskId, client};
pub use host::Host;
use ptrace::Request;
pub use table::{MAX_ENGINES_PER_USER, MAX_TRACED_TASKS};

/// The tracer: everything it knows between two messages.
#[derive(Clone, Default, Hash)]
pub struct Tracer {
    tasks: table::Tasks,
    clients: clients::Clients,
    lost_children: u64,
}

impl Tracer {
    /// A tracer that traces nothing.
    pub fn new() -> Tracer {
        Tracer::default()
    }

    /// A tracer that has just been started, or started again because it has faulted, maybe `over` somebody's
    /// message: tells the process manager so.
    pub fn start(host: &mut impl Host, over: Option<TaskId>) -> Tracer {
        let _ = host::done(host, &abi::tracer::Call::Begin { over });
        Tracer::new()
    }

    /// A message of `client` (its badge) with `label` and `words`: the answer's words. A label that
    /// means nothing is ENOSYS. One that has been answered before is not done again.
    pub fn on_client(
        &mut self,
        host: &mut impl Host,
        client: TaskId,
        label: u64,
        words: [u64; 4],
    ) -> [u64; 4] {
        let (kind, number) = client::kind_and_number(label);
        if number == 1 {
            // It may be a program's first: that one has begun is to be known before.
            self.on_reports(host);
        }
        if let Some(answer) = self.clients.answered(client, number) {
            return answer;
        }
        // From now on its exit is reported, and it is known to speak. One that is gone is not remembered.
        if let Err(e) = self.clients.uid(host, client) {
            return [e.as_result() as u64, 0, 0, 0];
        }
        let result = match kind {
            client::PTRACE => self.ptrace(host, &Request::new(client, words)),
            abi::engine::ATTACH => self.attach_engine(host, client, words),
            abi::engine::DETACH => self.detach_engine(host, client, words),
            abi::engine::SET_FLAGS => self.set_engine_flags(host, client, words),
            abi::engine::INJECT => self.inject(host, client, words),
            client::PTRACE_COMPAT => {
                let words = words.map(|word| u64::from(word as u32));
                self.ptrace(host, &Request::new(client, words))
            }
            _ => Err(Errno::ENOSYS),
        };
        let answer = [to_rax(result) as u64, 0, 0, 0];
        self.clients.answer(client, number, answer);
        answer
    }

    /// How many children of tracees could not be attached and run untraced (A10, clone).
    pub fn lost_children(&self) -> u64 {
        self.lost_children
    }

    /// The reports it has not answered: which task, which number.
    pub fn kept(&self) -> alloc::vec::Vec<(TaskId, u32)> {
        self.tasks.kept()
    }

    /// Whether a task is traced.
    pub fn traces(&self, task: TaskId) -> bool {
        self.tasks.get(task).is_some()
    }

    /// How many tasks are traced.
    pub fn traced(&self) -> usize {
        self.tasks.len()
    }

    /// How many clients' deaths it is to hear of.
    pub fn clients(&self) -> usize {
        self.clients.count()
    }

    /// How many engines somebody is charged for, and how many children are waited for.
    pub fn population(&self) -> (usize, usize) {
        self.tasks.population()
    }
}
