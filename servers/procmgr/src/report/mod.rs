//! Reports on their way to the tracer and the file server.

mod to_fs;
mod to_tracer;

use abi::wire::Buffer;
use abi::{PidName, TaskId};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::hash::{Hash, Hasher};

/// Reports not taken yet. Each task is at most once for each thing in each queue, so they are bounded.
#[derive(Clone)]
pub struct Queues {
    to_tracer: VecDeque<(TaskId, ToTracer)>,
    to_fs: VecDeque<(TaskId, ToFs)>,
    /// Processes and threads whose end the file server is to be told of: each of those that it
    /// watches twice at most, so they are bounded by the numbers that there are.
    ended: VecDeque<(PidName, bool)>,
    /// The file server sleeps in its call.
    pub fs_parked: bool,
    /// The console asserted its interrupt.
    pub console: bool,
    /// The report that the file server took last.
    handed: Option<(TaskId, u32)>,
    /// Where reports to the file server are encoded, kept so that it need not be cleared.
    buffer: Option<Box<Buffer>>,
}

/// What the tracer is to be told of a task.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum ToTracer {
    /// What holds it.
    Report,
    /// An engine's answer.
    Answered,
    /// Its tracer lets it go on.
    Resumed,
    /// Its tracer wants it to stop.
    Interrupt,
    /// It runs another program.
    Begun,
}

/// What the file server is to be told of a task.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum ToFs {
    Report,
    Interrupt,
    Rights,
    Signalled,
}

impl Queues {
    /// Empty.
    pub fn new() -> Queues {
        let slots = abi::task::SLOTS;
        Queues {
            to_tracer: VecDeque::with_capacity(4 * slots),
            to_fs: VecDeque::with_capacity(4 * slots),
            ended: VecDeque::new(),
            fs_parked: false,
            console: false,
            handed: None,
            buffer: None,
        }
    }

    /// Whether a task's report to the tracer waits to be taken.
    pub fn queued_to_tracer(&self, id: TaskId) -> bool {
        self.to_tracer.contains(&(id, ToTracer::Report))
    }

    /// There is nothing for the tracer to take.
    pub fn forget_tracer(&mut self) {
        self.to_tracer.clear();
    }

    /// Whether a task's report to the file server waits to be taken.
    pub fn queued_to_fs(&self, id: TaskId) -> bool {
        self.to_fs.contains(&(id, ToFs::Report))
    }
}

/// What tells two states apart ([`crate::Procmgr::identify`]).
impl Hash for Queues {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Queues {
            to_tracer,
            to_fs,
            ended,
            handed,
            fs_parked,
            console,
            // Written before it is read.
            buffer: _,
        } = self;
        (to_tracer, to_fs, ended, handed, fs_parked, console).hash(hasher);
    }
}
