//! A process.

use libtrace::Pid;

use super::debug_registers::DebugRegisters;
use crate::request::Catch;

/// A process that is debugged.
#[derive(Debug)]
pub struct Process {
    /// Its id.
    pub pid: Pid,
    /// Where it comes from.
    pub origin: Origin,
    /// It is a child of ours, so that its end is ours to pass on.
    pub(super) is_child: bool,
    /// The system calls it stops at.
    pub catch: Catch,
    /// The number of its address space, which it shares with who made it by vfork.
    pub(super) space: u64,
    /// What its tasks' debug registers have to be.
    pub(super) debug: DebugRegisters,
}

/// Where a process comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was started here.
    Started,
    /// It was there before.
    Attached,
    /// One that is debugged made it.
    Forked,
}
