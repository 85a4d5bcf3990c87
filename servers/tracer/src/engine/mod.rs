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

pub use abi::engine::{AttachFlags, Choice, Flags, Flow, State};
pub use arbitration::Arbitration;
pub use callback::{Go, Next, Response};
pub use chain::{Attached, Chain, Life, MAX_ENGINES_PER_TASK, Origin};
pub use resume::ResumeAction;

use abi::engine::Calls;
use alloc::boxed::Box;

/// One attachment to one task. Ids grow in attach order and are not reused within a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EngineId(pub u32);

/// One engine of a chain.
#[derive(Clone, Debug, Hash)]
pub struct Engine<K> {
    /// Its name within the task.
    pub id: EngineId,
    /// What kind it is; with [`Engine::data`] what a look-up matches.
    pub ops: u64,
    /// Its owner's own value.
    pub data: u64,
    /// Its events and state.
    pub flags: Flags,
    /// Which system calls it is told of, if not all.
    pub calls: Option<Box<Calls>>,
    /// A quiesce report is owed to it.
    due: bool,
    /// What it is.
    pub kind: K,
}
