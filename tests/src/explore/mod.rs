//! All the runs of a small world.
//!
//! Where [`World`](crate::World) takes one of the things that could happen next, here each of them
//! is taken, in every state that can be reached. What is explored is a graph: its nodes are
//! [`State`]s, told apart by what programs and servers could ever find out ([`identity`]), its
//! edges are [`Event`]s. So that no order is left out, a server that waits for the process manager's
//! answer is a state like any other ([`Served`]): anybody else may be served before it.
//!
//! What is one step:
//! - A task runs to its next trap or message. Its instructions reach nothing that others see, for
//!   the programs share no memory but that of threads who write different words. Page faults are
//!   resolved on the way: they are between the task and its own memory. [`Grain`] says whether
//!   somebody may come before it.
//! - A trap or a message reaches its server; the process manager does what follows at once, as it
//!   does on the kernel.
//! - A server's call reaches the process manager, and the server, which shares nothing with anybody,
//!   goes on to its next call or to sleep.
//!
//! The time stands still: nothing here depends on it, and programs do not ask. Nor have they signal
//! handlers, so that a message that is said again is a task's latest.
//!
//! In each state the [`invariants`](crate::invariants) hold, and no wait sleeps through what it waits
//! for. Where nothing can happen any more, nothing is left; and from each state such an end can be
//! reached, so no run gets stuck, be it standing or going round in circles. That states which are taken
//! for the same are the same is checked by samples: what follows has to be the same, too.

mod identity;
mod look;
mod search;
mod served;
mod state;

pub use search::{Explored, explore};
pub use served::{Job, Served};
pub use state::{Event, Grain, State};
