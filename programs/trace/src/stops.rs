//! What each stop means, and how the tracee goes on.

use libtrace::ptrace;
use libtrace::wait::Usage;
use libtrace::{Errno, Event, Pid, Status};
use trace::record::What;

use crate::calls;
use crate::output::message;
use crate::settings::{ATTACH, DETACHED, EXIT, SUPERSEDED, UNFINISHED};
use crate::signals;
use crate::start;
use crate::tracee::{Ongoing, Tracee};
use crate::tracer::Tracer;

const SIGSTOP: i32 = 19;

impl Tracer {
    /// Acts on what a wait has reported.
    pub fn handle(&mut self, pid: Pid, status: Status, usage: Usage) {
        match status {
            Status::Exited(code) => {
                let what = What::Exit {
                    status: Some(code),
                    signal: None,
                    core: false,
                };
                self.ended(pid, status, &format!("+++ exited with {code} +++"), what);
            }
            Status::Signaled(signal, core) => {
                let name = signals::name(signal);
                let dumped = if core { " (core dumped)" } else { "" };
                let text = format!("+++ killed by {name}{dumped} +++");
                let what = What::Exit {
                    status: None,
                    signal: Some(name),
                    core,
                };
                self.ended(pid, status, &text, what);
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
                    Some(Event::Fork | Event::Vfork | Event::Clone) => self.fork_stop(pid),
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
        let process = match self.born.remove(&pid) {
            Some(process) => process,
            None if self.recorder.is_wanted() => start::process_of(pid).unwrap_or(pid),
            None => 0,
        };
        self.tracees.insert(
            pid,
            Tracee {
                process,
                starting: true,
                ..Tracee::default()
            },
        );
        if self.settings.quiet & ATTACH == 0 {
            self.output.flush(pid);
            message(&format!("Process {pid} attached"));
        }
    }

    /// A tracee has made another task, which is a tracee, too, and may have been met already.
    fn fork_stop(&mut self, pid: Pid) {
        if self.recorder.is_wanted()
            && let Ok(child) = ptrace::geteventmsg(pid)
        {
            let child = child as Pid;
            let call = self.tracees.get(&pid).and_then(|it| it.call.as_ref());
            let (called, thread) = match call {
                Some(call) => (Some(call.name().into_owned()), makes_thread(pid, call)),
                None => (None, false),
            };
            let child_pid = match (self.tracees.get(&child), thread) {
                (Some(met), _) => met.process,
                (None, true) => self.process(pid),
                (None, false) => child,
            };
            if !self.tracees.contains_key(&child) {
                self.born.insert(child, child_pid);
            }
            let what = What::Fork {
                call: called,
                child,
                child_pid,
            };
            self.record(pid, self.times.now(), what);
        }
        self.resume(pid, 0);
    }

    /// A program replaces the whole process: the task that called execve takes over the
    /// process's id, and the one that had it is gone.
    fn exec_stop(&mut self, pid: Pid) {
        let former = ptrace::geteventmsg(pid).map_or(pid, |former| former as Pid);
        self.supersede(pid, former);
        let tracee = self.tracees.entry(pid).or_default();
        tracee.preparing = false;
        let asked = tracee
            .call
            .as_mut()
            .map(|call| std::mem::take(&mut call.program));
        let (path, name) = asked.unwrap_or_default();
        let what = What::Exec {
            path,
            name,
            former: (former != pid).then_some(former),
        };
        self.record(pid, self.times.now(), what);
        self.resume(pid, 0);
    }

    fn supersede(&mut self, pid: Pid, former: Pid) {
        if former == pid || !self.tracees.contains_key(&former) {
            return;
        }
        if let Some(call) = self.tracees.entry(pid).or_default().call.take() {
            self.never_returns(pid, call, "");
        }
        if let Some(tracee) = self.tracees.remove(&former) {
            self.tracees.insert(pid, tracee);
        }
        if self.settings.quiet & SUPERSEDED == 0 {
            let text = format!("+++ superseded by execve in pid {former} +++");
            self.line(pid, &text);
        }
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
        let signal = signals::name(sig);
        match ptrace::getsiginfo(pid) {
            Ok(info) => {
                self.count();
                if self.settings.shows_signal(sig) {
                    let info = signals::siginfo(&info);
                    self.line(pid, &format!("--- {signal} {info} ---"));
                    self.record(pid, self.times.now(), What::Signal { signal, info });
                }
                self.resume(pid, sig);
            }
            // A group-stop has no siginfo. It ends here: only a seized tracee can be left in it.
            Err(Errno::EINVAL) => {
                if self.settings.shows_signal(sig) {
                    self.line(pid, &format!("--- stopped by {signal} ---"));
                    self.record(pid, self.times.now(), What::Stop { signal });
                }
                self.resume(pid, 0);
            }
            Err(_) => self.resume(pid, sig),
        }
    }

    fn ended(&mut self, pid: Pid, status: Status, text: &str, what: What) {
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
            self.never_returns(pid, call, unfinished);
        }
        self.count();
        if self.settings.quiet & EXIT == 0 {
            self.line(pid, text);
        }
        self.record(pid, self.times.now(), what);
        self.tracees.remove(&pid);
    }

    /// Ends the line of a call whose task has gone.
    fn never_returns(&mut self, pid: Pid, call: Ongoing, mark: &str) {
        if self.settings.outcomes & UNFINISHED == 0 {
            return;
        }
        if call.shown {
            self.reopen(pid, &call);
            self.output.text(pid, mark);
            self.output.close_call(pid);
            self.output.text(pid, "?");
            self.output.end(pid);
        }
        self.record_call(pid, &call, None, "?".to_owned(), self.times.now());
    }

    /// The task of a call is not traced any more.
    pub(crate) fn detached(&mut self, pid: Pid) {
        let call = self.tracees.get_mut(&pid).and_then(|it| it.call.take());
        if let Some(call) = call.filter(|_| self.settings.outcomes & DETACHED != 0) {
            if call.shown {
                self.reopen(pid, &call);
                self.output.text(pid, " <detached ...>");
                self.output.end(pid);
            }
            self.record_call(pid, &call, None, "?".to_owned(), self.times.now());
        }
        self.record(pid, self.times.now(), What::Detach);
        self.tracees.remove(&pid);
    }

    /// Makes `pid`'s the open line, with a new one where another task's came between.
    pub(crate) fn reopen(&mut self, pid: Pid, call: &Ongoing) {
        if self.settings.hold_lines() {
            self.output.begin(pid, &call.prefix);
            self.print_beginning(pid, call);
        } else if self.output.open(pid) != Some(pid) {
            let prefix = self.prefix(pid);
            self.output.begin(pid, &prefix);
            let text = format!("<... {} resumed>", call.name());
            self.output.text(pid, &text);
        }
    }

    /// Prints a line that is no call.
    fn line(&mut self, pid: Pid, text: &str) {
        if self.settings.text {
            let prefix = self.prefix(pid);
            self.output.begin(pid, &prefix);
            self.output.text(pid, text);
            self.output.end(pid);
        }
    }
}

/// Whether a call that makes a task makes it in its own process.
fn makes_thread(pid: Pid, call: &Ongoing) -> bool {
    const CLONE: u64 = 56;
    const CLONE3: u64 = 435;
    const CLONE_THREAD: u64 = 0x10000;
    let flags = match call.nr {
        CLONE => call.registers()[0],
        CLONE3 => calls::clone3_flags(pid, call.registers()[0]).unwrap_or(0),
        _ => 0,
    };
    flags & CLONE_THREAD != 0
}
