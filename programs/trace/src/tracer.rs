//! Starting, attaching, and the event loop.

use std::collections::HashMap;
use std::ffi::OsString;

use libtrace::ptrace::{self, Options as Ptrace};
use libtrace::wait;
use libtrace::{Errno, Pid, Status, interrupt, spawn};

use crate::count::Counts;
use crate::filter::Filter;
use crate::options::Options;
use crate::output::{Output, message};
use crate::start;
use crate::tracee::{self, Tracee};

/// Everything that is traced, and where the trace goes.
pub struct Tracer {
    pub(crate) options: Options,
    pub(crate) filter: Filter,
    pub(crate) output: Output,
    pub(crate) tracees: HashMap<Pid, Tracee>,
    /// The program that was started, whose end is the end of this one.
    pub(crate) program: Option<Pid>,
    /// How the program ended.
    pub(crate) outcome: Option<Status>,
    pub(crate) counts: Counts,
}

impl Tracer {
    /// A tracer of nothing yet.
    pub fn new(options: Options, filter: Filter, output: Output) -> Tracer {
        Tracer {
            options,
            filter,
            output,
            tracees: HashMap::new(),
            program: None,
            outcome: None,
            counts: Counts::default(),
        }
    }

    /// Starts the program to trace; its first call will be its execve.
    ///
    /// # Errors
    /// A message where there is no such program or it cannot be started.
    pub fn start(&mut self, command: &[OsString]) -> Result<(), String> {
        let program = start::find_program(&command[0])?;
        let pid = spawn::spawn_traced(&program, command).map_err(|error| error.to_string())?;
        self.program = Some(pid);
        self.tracees.insert(
            pid,
            Tracee {
                preparing: true,
                ..Tracee::default()
            },
        );
        ptrace::setoptions(pid, self.ptrace_options()).map_err(|error| error.to_string())?;
        self.resume(pid, 0);
        Ok(())
    }

    /// Attaches to process `pid`, under `-f` to all its tasks.
    ///
    /// # Errors
    /// A message where the process itself cannot be attached to.
    pub fn attach(&mut self, pid: Pid) -> Result<(), String> {
        ptrace::attach(pid)
            .map_err(|error| format!("attach: ptrace(PTRACE_ATTACH, {pid}): {error}"))?;
        self.add_attached(pid);
        let mut threads = 1;
        if self.options.follow {
            for task in start::tasks(pid) {
                if task != pid && ptrace::attach(task).is_ok() {
                    self.add_attached(task);
                    threads += 1;
                }
            }
        }
        match threads {
            1 => message(&format!("Process {pid} attached")),
            _ => message(&format!("Process {pid} attached with {threads} threads")),
        }
        Ok(())
    }

    /// Traces until nothing is left to trace or the user interrupts. The result is how
    /// the program ended, or the signal that interrupted us.
    pub fn run(mut self) -> Option<Status> {
        while !self.tracees.is_empty() {
            if let Some(signal) = interrupt::seen() {
                self.let_go(signal);
                self.outcome = Some(Status::Signaled(signal, false));
                break;
            }
            match wait::wait_with_usage(-1, wait::WALL) {
                Ok((pid, status, usage)) => self.handle(pid, status, usage),
                Err(Errno::EINTR) => {}
                Err(_) => break,
            }
        }
        if self.options.count {
            let table = self.counts.table(tracee::name);
            self.output.summary(&table);
        }
        self.outcome
    }

    fn add_attached(&mut self, pid: Pid) {
        let tracee = Tracee {
            starting: true,
            needs_options: true,
            ..Tracee::default()
        };
        self.tracees.insert(pid, tracee);
    }

    /// What to ask the kernel to report.
    pub(crate) fn ptrace_options(&self) -> Ptrace {
        let always = Ptrace::TRACESYSGOOD | Ptrace::TRACEEXEC;
        match self.options.follow {
            true => always | Ptrace::TRACEFORK | Ptrace::TRACEVFORK | Ptrace::TRACECLONE,
            false => always,
        }
    }

    /// Resumes a tracee. One that has been killed meanwhile is reported by the next wait.
    pub(crate) fn resume(&self, pid: Pid, signal: i32) {
        let _ = ptrace::syscall(pid, signal);
    }
}
