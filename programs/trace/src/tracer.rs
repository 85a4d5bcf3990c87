//! What is traced, and where the trace goes; starting and attaching.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Instant;

use libtrace::ptrace::{self, Options as Ptrace};
use libtrace::{Pid, Status, spawn};
use trace::progress::Progress;
use trace::record::{Record, VERSION, What};

use crate::count::Counts;
use crate::output::{Output, SharedExporter, message};
use crate::paths;
use crate::recorder::Recorder;
use crate::settings::{ATTACH, PATH_RESOLUTION, Settings};
use crate::start;
use crate::times::Times;
use crate::tracee::Tracee;

/// Everything that is traced, and where the trace goes.
pub struct Tracer {
    pub(crate) settings: Settings,
    pub(crate) output: Output,
    pub(crate) recorder: Recorder,
    pub(crate) times: Times,
    /// Every call's times are taken.
    pub(crate) needs_times: bool,
    /// What `-P` says.
    pub(crate) paths: Vec<Vec<u8>>,
    pub(crate) tracees: BTreeMap<Pid, Tracee>,
    /// The processes of tasks that have been made and not been met.
    pub(crate) born: BTreeMap<Pid, Pid>,
    /// The program that was started, whose end is the end of this one.
    pub(crate) program: Option<Pid>,
    /// How the program ended.
    pub(crate) outcome: Option<Status>,
    pub(crate) counts: Counts,
    /// How many calls, signals and ends there were.
    pub(crate) events: u64,
    pub(crate) progress: Progress,
    pub(crate) exporter: Option<SharedExporter>,
    /// The first record has been made.
    begun: bool,
    /// How many tracees are delayed.
    pub(crate) delays: usize,
}

impl Tracer {
    /// A tracer of nothing yet.
    ///
    /// # Errors
    /// A message where the trace cannot go where it should.
    pub fn new(settings: Settings, exporter: Option<SharedExporter>) -> Result<Tracer, String> {
        let output = Output::new(&settings.options, exporter.as_ref())?;
        let recorder = Recorder::new(&settings, exporter.as_ref())?;
        let timed = settings.options.syscall_times || settings.options.summary_wall_clock;
        let quiet = settings.quiet & PATH_RESOLUTION != 0;
        let progress = Progress::new(!settings.text || settings.options.output.is_some());
        Ok(Tracer {
            paths: paths::resolve(&settings.options.paths, quiet),
            needs_times: recorder.is_wanted() || timed,
            times: Times::new(&settings.options),
            settings,
            output,
            recorder,
            tracees: BTreeMap::new(),
            born: BTreeMap::new(),
            program: None,
            outcome: None,
            counts: Counts::default(),
            events: 0,
            progress,
            exporter,
            begun: false,
            delays: 0,
        })
    }

    /// Starts the program to trace; its first call will be its execve.
    ///
    /// # Errors
    /// A message where there is no such program or it cannot be started.
    pub fn start(&mut self, command: &[OsString]) -> Result<(), String> {
        let program = start::find_program(&command[0])?;
        let variables = start::environment(&self.settings.options.environment);
        let identity = match &self.settings.options.user {
            Some(user) => Some(start::identity(user)?),
            None => None,
        };
        let pid = spawn::spawn_traced_as(&program, command, &variables, identity.as_ref())
            .map_err(|error| error.to_string())?;
        self.program = Some(pid);
        self.tracees.insert(
            pid,
            Tracee {
                process: pid,
                preparing: true,
                ..Tracee::default()
            },
        );
        self.begin_record(pid, command);
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
        self.add_attached(pid, pid);
        let mut threads = 1;
        if self.settings.options.follow > 0 {
            for task in start::tasks(pid) {
                if task != pid && ptrace::attach(task).is_ok() {
                    self.add_attached(task, pid);
                    threads += 1;
                }
            }
        }
        self.begin_record(pid, &start::command_of(pid));
        if self.settings.quiet & ATTACH != 0 {
            return Ok(());
        }
        match threads {
            1 => message(&format!("Process {pid} attached")),
            _ => message(&format!("Process {pid} attached with {threads} threads")),
        }
        Ok(())
    }

    fn add_attached(&mut self, pid: Pid, process: Pid) {
        let tracee = Tracee {
            process,
            starting: true,
            needs_options: true,
            ..Tracee::default()
        };
        self.tracees.insert(pid, tracee);
    }

    /// The first record, unless there has been one.
    fn begin_record(&mut self, pid: Pid, command: &[OsString]) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        let command = command
            .iter()
            .map(|word| word.to_string_lossy().into_owned());
        let what = What::Trace {
            version: VERSION,
            command: command.collect(),
        };
        self.record(pid, 0, what);
    }

    /// What to ask the kernel to report.
    pub(crate) fn ptrace_options(&self) -> Ptrace {
        let always = Ptrace::TRACESYSGOOD | Ptrace::TRACEEXEC;
        match self.settings.options.follow {
            0 => always,
            _ => always | Ptrace::TRACEFORK | Ptrace::TRACEVFORK | Ptrace::TRACECLONE,
        }
    }

    /// Resumes a tracee. One that has been killed meanwhile is reported by the next wait.
    pub(crate) fn resume(&self, pid: Pid, signal: i32) {
        let _ = ptrace::syscall(pid, signal);
    }

    /// Resumes a tracee, at once if there is no time to wait for.
    pub(crate) fn resume_later(&mut self, pid: Pid, signal: i32, until: Option<Instant>) {
        match until {
            None => self.resume(pid, signal),
            Some(until) => {
                self.tracees.entry(pid).or_default().delayed = Some((until, signal));
                self.delays += 1;
            }
        }
    }

    /// What stands in front of a line of task `pid` that begins now.
    pub(crate) fn prefix(&mut self, pid: Pid) -> String {
        let mut prefix = self.output.prefix(pid, self.tracees.len()) + &self.times.prefix();
        if self.settings.options.syscall_number {
            let number = self.tracees.get(&pid).map_or(0, |tracee| tracee.number);
            prefix += &format!("[{number:4}] ");
        }
        if self.settings.options.instruction_pointer {
            prefix += &match ptrace::getregs(pid) {
                Ok(regs) => format!("[{:016x}] ", regs.rip),
                Err(_) => "[????????????????] ".to_owned(),
            };
        }
        prefix
    }

    /// The process of task `pid`.
    pub(crate) fn process(&self, pid: Pid) -> Pid {
        match self.tracees.get(&pid) {
            Some(tracee) if tracee.process != 0 => tracee.process,
            _ => pid,
        }
    }

    /// Counts an event.
    pub(crate) fn count(&mut self) {
        self.events += 1;
        self.progress.update(self.events);
    }

    /// Records what happened to task `pid`.
    pub(crate) fn record(&mut self, pid: Pid, time: u64, what: What) {
        if !self.recorder.is_wanted() {
            return;
        }
        let record = Record {
            time,
            pid: self.process(pid),
            tid: pid,
            what,
        };
        self.recorder.take(record, &mut self.output);
    }
}
