//! Tracing in the words of Redox: a set of flags to stop at, events to read, registers as structures.
//!
//! On Redox a tracer opens `proc:PID/trace`, writes to it what to stop at, which also has the tracee go
//! on, and reads what came of it; `proc:PID/regs/int` and `proc:PID/mem` are read and written where it
//! stands. Here the same files ([`File`], [`OpenOptions`]) are engines. What Redox's `strace` crate
//! offers on top is here under its names, so that a program ports by its imports:
//!
//! ```no_run
//! use libtrace::redox::{Flags, Tracer}; // On Redox: use strace::{Flags, Tracer};
//!
//! # fn example(pid: usize) -> std::io::Result<()> {
//! let mut tracer = Tracer::attach(pid)?;
//! loop {
//!     tracer.next(Flags::STOP_PRE_SYSCALL)?;
//!     let regs = tracer.regs.get_int()?;
//!     eprintln!("{}", regs.format_syscall_full(&mut tracer.mem));
//! }
//! # }
//! ```
//!
//! Unlike on Redox there may be other tracers of the task: engines, and one by ptrace. All files belong
//! to the thread that opened them, and a thread that traces so has no [`Engines`](crate::engine::Engines)
//! of its own beside. `docs/redox.md` has the rules.

mod flags;
mod regs;
mod scheme;
mod stop;
mod tracees;
mod tracer;

pub use flags::{Event, EventData, Flags};
pub use regs::{EnvRegisters, FloatRegisters, IntRegisters};
pub use scheme::{File, OpenOptions};
pub use tracer::{EventHandler, Memory, NonblockTracer, Registers, Tracer};

pub use ::syscall;

/// A task's number, as Redox has it.
pub type Pid = usize;

fn failed(error: crate::Errno) -> std::io::Error {
    std::io::Error::from_raw_os_error(error.0)
}
