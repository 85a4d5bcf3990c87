//! The process manager's behaviour, without I/O.
//!
//! It owns tasks, address spaces, signals, job control, waiting and time, and is the fault handler
//! of every task. What it does is driven by four functions: [`Procmgr::on_trap`] when a task
//! comes to a stand, [`Procmgr::on_call`] when a server asks for something,
//! [`Procmgr::on_timer`] and [`Procmgr::on_console`]. None of them waits for anybody.
//!
//! A task that is not running is in one of the [`task::State`]s; every function here moves tasks
//! from state to state and ends with each of them in one. The way back into the program is always
//! [`Procmgr::return_to_user`], which looks at kills, stops and signals first.
//!
//! Invariants:
//! - The process manager calls nobody. It answers calls and raises notifications.
//! - Whatever a message contains is checked before the first change; an error changes nothing.
//! - A task has at most one outstanding report, and is held while it has one.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod calls;
pub mod context;
mod cpu_timers;
pub mod credentials;
mod dump;
mod engines;
mod exec;
mod exit;
mod flow;
mod fork;
mod fpu;
mod fs_calls;
mod futex;
mod hold;
mod identity;
pub mod inspect;
mod jobs;
pub mod machine;
pub mod memory;
mod messages;
mod posix_timers;
pub mod process;
mod procfs;
mod ptrace;
mod random;
mod registers;
mod report;
mod robust;
mod scheduling;
pub mod signal;
mod step;
pub mod syscall;
mod table;
pub mod task;
mod timers;
pub mod trace;
mod tracing;
mod trap;
mod usage;
mod usermem;
mod users;
pub mod wait;

use abi::{Errno, SigInfo, TaskId};
use machine::Machine;
use memory::Memory;
use process::ProcessIx;

pub use trap::{Access, Trap};

/// How much of its own memory the process manager keeps back: more than one message can take,
/// an execve's strings among it.
const HEAP_RESERVE: usize = 6 << 20;

/// What the process manager is told when it starts.
#[derive(Clone)]
pub struct Config {
    /// Nanoseconds since 1970 when [`Machine::now`] was 0.
    pub realtime_at_boot: u64,
}

/// The process manager.
pub struct Procmgr {
    config: Config,
    tables: table::Tables,
    memory: Memory,
    reports: report::Queues,
    timers: timers::Timers,
    futexes: futex::Futexes,
    random: random::Random,
    users: users::Users,
    /// System calls that nobody knows, each named once.
    unknown_calls: alloc::vec::Vec<u32>,
    /// What uname(2) calls the machine; at most 64 bytes.
    host_name: alloc::string::String,
    domain_name: alloc::string::String,
    /// How many callbacks of engines there were.
    callbacks: u64,
    /// Messages that made no sense.
    refused: u64,
    /// The first process, whose end is the machine's.
    first: Option<ProcessIx>,
    /// How much memory there was for programs.
    frames_at_start: usize,
}

impl Procmgr {
    /// A process manager without tasks.
    pub fn new(config: Config) -> Procmgr {
        Procmgr {
            random: random::Random::new(config.realtime_at_boot),
            config,
            tables: table::Tables::new(),
            memory: Memory::new(),
            reports: report::Queues::new(),
            timers: timers::Timers::new(),
            futexes: futex::Futexes::new(),
            users: users::Users::default(),
            unknown_calls: alloc::vec::Vec::new(),
            host_name: "stillpoint".into(),
            domain_name: "(none)".into(),
            callbacks: 0,
            refused: 0,
            first: None,
            frames_at_start: 0,
        }
    }

    /// The machine's time for programs, in nanoseconds since 1970.
    pub(crate) fn realtime(&self, m: &mut impl Machine) -> u64 {
        self.config.realtime_at_boot + m.now()
    }

    /// How many tasks there are.
    pub fn task_count(&self) -> usize {
        self.tables.task_count()
    }

    /// How many messages were refused because they made no sense.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// A timer that was set with [`Machine::set_timer`] is due.
    pub fn on_timer(&mut self, m: &mut impl Machine) {
        let now = m.now();
        while let Some(what) = self.timers.take_due(now) {
            self.timer_fires(m, what);
        }
        m.set_timer(self.timers.next());
    }

    /// The console's interrupt line is asserted.
    pub fn on_console(&mut self, m: &mut impl Machine) {
        self.reports.console = true;
        self.feed_fs(m);
    }

    /// Whether the tables may grow: ENOMEM where only the reserve is left, which is for what
    /// cannot fail. Whoever makes them grow at a program's wish asks first.
    pub(crate) fn room(&self, m: &impl Machine) -> Result<(), Errno> {
        if m.heap_free() < HEAP_RESERVE {
            return Err(Errno::ENOMEM);
        }
        Ok(())
    }

    /// A signal as the kernel itself sends it.
    pub(crate) fn kernel_signal(signo: u8) -> SigInfo {
        SigInfo::new(signo, abi::signal::code::SI_KERNEL)
    }

    /// The process a task belongs to.
    #[inline]
    pub(crate) fn process_of(&self, task: TaskId) -> ProcessIx {
        self.task(task).process
    }
}
