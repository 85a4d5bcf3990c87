//! What each stop prints, and how the tracee goes on.

use std::cell::Cell;

use libtrace::ptrace;
use libtrace::wait::Usage;
use libtrace::{Errno, Event, Pid, Status};

use crate::output::message;
use crate::signals;
use crate::tracee::{Ongoing, Stopped, Tracee};
use crate::tracer::Tracer;

const SIGSTOP: i32 = 19;
/// The call the kernel makes itself to resume one that a signal interrupted.
const RESTART_SYSCALL: u64 = 219;
const EXECVE: u64 = 59;

impl Tracer {
    /// Acts on what a wait has reported.
    pub fn handle(&mut self, pid: Pid, status: Status, usage: Usage) {
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
}
