//! The engine layer: utrace as a data structure (utrace.md).
//!
//! A [`Chain`] holds the engines of one task in attach order and the report that is going along
//! them. It does no I/O and never waits: [`Chain::advance`] says who is to be asked,
//! [`Chain::answer`] takes the answer whenever it comes, and at the end [`Next::Go`] is what the
//! process manager is told. An engine in this server answers at once, one in another task later;
//! the chain cannot tell.

mod arbitration;
mod callback;
mod chain;
mod resume;
mod round;

pub use arbitration::{Arbitration, Choice};
pub use callback::{Flow, Go, Next, Response};
pub use chain::{Attached, Chain, Life, MAX_ENGINES_PER_TASK, Origin};
pub use resume::ResumeAction;

use abi::tracer::Events;
use bitflags::bitflags;

/// One attachment to one task. Ids grow in attach order and are not reused within a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EngineId(pub u32);

bitflags! {
    /// How to attach (utrace.md, Calls).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct AttachFlags: u32 {
        /// Find the engine with the same `ops`.
        const MATCH_OPS = 1;
        /// Find the engine with the same `data`.
        const MATCH_DATA = 2;
        /// Attach a new engine.
        const CREATE = 0x10;
        /// Fail with EEXIST if one that matches is attached.
        const EXCLUSIVE = 0x20;
    }

    /// What an engine wants of its task between reports (utrace.md, State).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct State: u32 {
        /// That it stays stopped.
        const QUIESCE = 1;
        /// That it runs one instruction.
        const SINGLESTEP = 2;
        /// That it runs to the next jump.
        const BLOCKSTEP = 4;
        /// That it stays a zombie when it dies.
        const NOREAP = 8;
    }
}

/// An engine's events and state, which `set_flags` replaces together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// What it is told of.
    pub events: Events,
    /// What it wants of the task.
    pub state: State,
}

/// One engine of a chain.
#[derive(Debug)]
pub struct Engine<K> {
    /// Its name within the task.
    pub id: EngineId,
    /// What kind it is; with [`Engine::data`] what a look-up matches.
    pub ops: u64,
    /// Its owner's own value.
    pub data: u64,
    /// Its events and state.
    pub flags: Flags,
    /// A quiesce report is owed to it.
    due: bool,
    /// What it is.
    pub kind: K,
}
