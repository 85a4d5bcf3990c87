//! How tasks are named between servers.

use core::fmt;
use serde::{Deserialize, Serialize};

/// One task (thread of execution), for as long as it exists: a table slot and a generation.
///
/// The slot is reused, the pair is not (a generation comes round after 65,535 uses of a slot), so
/// an id that outlived its task is recognised and answered with ESRCH. tid and pid are attributes
/// of a task that exec may change; they never name one between servers.
///
/// The number is also the badge of the task's two endpoint capabilities, so it fits 28 bits and
/// is never zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskId(u32);

/// How many bits of an id name the slot.
pub const SLOT_BITS: u32 = 12;
/// How many slots there are. Slot 0 belongs to the servers.
pub const SLOTS: usize = 1 << SLOT_BITS;

impl TaskId {
    /// The badge of the tracer server.
    pub const TRACER: TaskId = TaskId::new(0, 1);
    /// The badge of the file server.
    pub const FS: TaskId = TaskId::new(0, 2);
    /// The badge of the root task.
    pub const INIT: TaskId = TaskId::new(0, 3);

    /// The id of `slot` in its `generation`-th use.
    pub const fn new(slot: usize, generation: u16) -> TaskId {
        TaskId((generation as u32) << SLOT_BITS | (slot as u32 & (SLOTS as u32 - 1)))
    }

    /// The id that a badge stands for; none for a badge that no id has.
    pub const fn from_badge(badge: u64) -> Option<TaskId> {
        if badge == 0 || badge >> 28 != 0 {
            None
        } else {
            Some(TaskId(badge as u32))
        }
    }

    /// The badge of this task's endpoint capabilities.
    pub const fn badge(self) -> u64 {
        self.0 as u64
    }

    /// The index into a table of [`SLOTS`] entries.
    pub const fn slot(self) -> usize {
        (self.0 & (SLOTS as u32 - 1)) as usize
    }

    /// Which use of the slot this is.
    pub const fn generation(self) -> u16 {
        (self.0 >> SLOT_BITS) as u16
    }
}

/// A process or thread by number, as a pidfd keeps it: the number and which of its uses. An exec by
/// a thread that is not the leader passes the process's number on, and the name with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PidName {
    /// The number.
    pub tid: u32,
    /// How often it had been given out.
    pub serial: u32,
}

impl fmt::Debug for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {}.{}", self.slot(), self.generation())
    }
}
