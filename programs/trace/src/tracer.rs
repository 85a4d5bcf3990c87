//! The event loop: waits for stops, prints what they tell, and resumes.

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::OsString;

use libtrace::ptrace::{self, Options as Ptrace};
use libtrace::wait::{self, Usage};
use libtrace::{Errno, Event, Pid, Status, interrupt, spawn};

use crate::count::Counts;
use crate::filter::Filter;
use crate::options::Options;
use crate::output::{Output, message};
use crate::tracee::{self, Ongoing, Stopped, Tracee};
use crate::{signals, start};

const SIGTRAP: i32 = 5;
const SIGCONT: i32 = 18;
const SIGSTOP: i32 = 19;
/// The call the kernel makes itself to resume one that a signal interrupted.
const RESTART_SYSCALL: u64 = 219;
const EXECVE: u64 = 59;

/// Everything that is traced, and where the trace goes.
pub struct Tracer {
    options: Options,
    filter: Filter,
    output: Output,
    tracees: HashMap<Pid, Tracee>,
    /// The program that was started, whose end is the end of this one.
    program: Option<Pid>,
    /// How the program ended.
    outcome: Option<Status>,
    counts: Counts,
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

    fn ptrace_options(&self) -> Ptrace {
        let always = Ptrace::TRACESYSGOOD | Ptrace::TRACEEXEC;
        match self.options.follow {
            true => always | Ptrace::TRACEFORK | Ptrace::TRACEVFORK | Ptrace::TRACECLONE,
            false => always,
        }
    }

    /// Resumes a tracee. One that has been killed meanwhile is reported by the next wait.
    fn resume(&self, pid: Pid, signal: i32) {
        let _ = ptrace::syscall(pid, signal);
    }

    fn handle(&mut self, pid: Pid, status: Status, usage: Usage) {
        match status {
            Status::Exited(code) => {
                self.ended(pid, status, &format!("+++ exited with {code} +++"));
            }
            Status::Signaled(signal, core) => {
                let core = if core { " (core dumped)" } else { "" };
                let text = format!("+++ killed by {}{core} +++", signals::name(signal));
                self.ended(pid, status, &text);
            }
            Status::Continued => {}
            Status::Stopped {
                sig,
                event,
                syscall,
            } => {
                self.meet(pid);
                match event {
                    _ if syscall => self.syscall_stop(pid, usage),
                    Some(Event::Exec) => self.exec_stop(pid),
                    Some(_) => self.resume(pid, 0),
                    None => self.signal_stop(pid, sig),
                }
            }
        }
    }

    /// A task that is seen for the first time was made by a tracee.
    fn meet(&mut self, pid: Pid) {
        if self.tracees.contains_key(&pid) {
            return;
        }
        self.tracees.insert(
            pid,
            Tracee {
                starting: true,
                ..Tracee::default()
            },
        );
        self.output.flush();
        message(&format!("Process {pid} attached"));
    }

    fn syscall_stop(&mut self, pid: Pid, usage: Usage) {
        let Ok(regs) = ptrace::getregs(pid) else {
            return self.resume(pid, 0);
        };
        let memory = Stopped {
            pid,
            stack_pointer: regs.rsp,
            gone: Cell::new(false),
        };
        let tasks = self.tracees.len();
        let limit = self.options.string_limit;
        let tracee = self.tracees.entry(pid).or_default();
        match tracee.call.take() {
            None => {
                let hidden = tracee.preparing && regs.orig_rax != EXECVE;
                let shown = self.filter.has(regs.orig_rax) && !self.options.count && !hidden;
                let mut call = Ongoing::new(&regs, shown);
                let resumed = (call.nr == RESTART_SYSCALL).then_some(tracee.previous);
                if shown {
                    self.output.begin(pid, tasks);
                    self.output.text(&call.entry(&memory, limit, resumed));
                    self.output.flush();
                }
                tracee.began = usage.system_us;
                tracee.call = Some(call);
            }
            Some(call) => {
                let error = Errno::of_result(regs.rax as i64).err();
                if call.nr != RESTART_SYSCALL {
                    tracee.previous = call.nr;
                }
                if self.options.count && self.filter.has(call.nr) {
                    let time = usage.system_us.saturating_sub(tracee.began);
                    self.counts.add(call.nr, error.is_some(), time);
                }
                if call.shown {
                    let (arguments, result) = call.exit(&memory, limit, regs.rax as i64);
                    self.reopen(pid, &call);
                    self.output.text(&arguments);
                    self.output.close_call();
                    self.output.text(&result);
                    self.output.end();
                }
            }
        }
        self.resume(pid, 0);
    }

    /// Makes `pid`'s the open line, with a new one where another task's came between.
    fn reopen(&mut self, pid: Pid, call: &Ongoing) {
        if self.output.open() != Some(pid) {
            self.output.begin(pid, self.tracees.len());
            self.output.text(&format!("<... {} resumed>", call.name()));
        }
    }

    /// A program replaces the whole process: the task that called execve takes over the
    /// process's id, and the one that had it is gone.
    fn exec_stop(&mut self, pid: Pid) {
        if let Ok(former) = ptrace::geteventmsg(pid) {
            self.supersede(pid, former as Pid);
        }
        self.tracees.entry(pid).or_default().preparing = false;
        self.resume(pid, 0);
    }

    fn supersede(&mut self, pid: Pid, former: Pid) {
        if former == pid || !self.tracees.contains_key(&former) {
            return;
        }
        if let Some(call) = self.tracees.entry(pid).or_default().call.take() {
            self.never_returns(pid, &call, "");
        }
        if let Some(tracee) = self.tracees.remove(&former) {
            self.tracees.insert(pid, tracee);
        }
        self.line(
            pid,
            &format!("+++ superseded by execve in pid {former} +++"),
        );
    }

    fn signal_stop(&mut self, pid: Pid, sig: i32) {
        let options = self.ptrace_options();
        let tracee = self.tracees.entry(pid).or_default();
        if tracee.needs_options {
            tracee.needs_options = false;
            let _ = ptrace::setoptions(pid, options);
        }
        if tracee.starting && sig == SIGSTOP {
            tracee.starting = false;
            return self.resume(pid, 0);
        }
        match ptrace::getsiginfo(pid) {
            Ok(info) => {
                if !self.options.count {
                    let name = signals::name(sig);
                    self.line(pid, &format!("--- {name} {} ---", signals::siginfo(&info)));
                }
                self.resume(pid, sig);
            }
            // A group-stop has no siginfo. It ends here: only a seized tracee can be left in it.
            Err(Errno::EINVAL) => {
                if !self.options.count {
                    self.line(pid, &format!("--- stopped by {} ---", signals::name(sig)));
                }
                self.resume(pid, 0);
            }
            Err(_) => self.resume(pid, sig),
        }
    }

    fn ended(&mut self, pid: Pid, status: Status, text: &str) {
        if self.program == Some(pid) {
            self.outcome = Some(status);
        }
        let Some(tracee) = self.tracees.get_mut(&pid) else {
            return;
        };
        if let Some(call) = tracee.call.take() {
            let unfinished = if call.is_exit() {
                ""
            } else {
                " <unfinished ...>"
            };
            self.never_returns(pid, &call, unfinished);
        }
        if !self.options.count {
            self.line(pid, text);
        }
        self.tracees.remove(&pid);
    }

    /// Ends the line of a call whose task has gone.
    fn never_returns(&mut self, pid: Pid, call: &Ongoing, mark: &str) {
        if call.shown {
            self.reopen(pid, call);
            self.output.text(mark);
            self.output.close_call();
            self.output.text("?");
            self.output.end();
        }
    }

    fn line(&mut self, pid: Pid, text: &str) {
        self.output.begin(pid, self.tracees.len());
        self.output.text(text);
        self.output.end();
    }

    /// Detaches from everything; the program that was started gets the signal that
    /// interrupted us, processes that were running before go on.
    fn let_go(&mut self, signal: i32) {
        if let Some(program) = self.program {
            let _ = spawn::send_signal(program, SIGCONT);
            let _ = spawn::send_signal(program, signal);
        }
        let tracees: Vec<Pid> = self.tracees.keys().copied().collect();
        for pid in tracees {
            if stop_and_detach(pid) {
                self.output.flush();
                message(&format!("Process {pid} detached"));
            }
            if self.output.open() == Some(pid) {
                self.output.text(" <detached ...>");
                self.output.end();
            }
        }
    }
}

/// Stops a running tracee with a `SIGSTOP` of ours, and detaches in that stop; other
/// signals on the way are passed on. Whether it was there to be detached.
fn stop_and_detach(pid: Pid) -> bool {
    if spawn::send_task_signal(pid, SIGSTOP).is_err() {
        return false;
    }
    loop {
        match wait::wait(pid, wait::WALL) {
            Ok((
                _,
                Status::Stopped {
                    sig: SIGSTOP,
                    event: None,
                    syscall: false,
                },
            )) => {
                return ptrace::detach(pid, 0).is_ok();
            }
            Ok((
                _,
                Status::Stopped {
                    sig,
                    event,
                    syscall,
                },
            )) => {
                let signal = if syscall || event.is_some() || sig == SIGTRAP {
                    0
                } else {
                    sig
                };
                let _ = ptrace::cont(pid, signal);
            }
            Err(Errno::EINTR) => {}
            Ok(_) | Err(_) => return false,
        }
    }
}
