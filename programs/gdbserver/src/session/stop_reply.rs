//! News as gdb reads them (gdb manual, "Stop Reply Packets").

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

use libtrace::{Pid, Status};

use super::Session;
use super::threads::Selected;
use crate::packet::hex;
use crate::registers::{self, ALL};
use crate::signals;
use crate::target::{Ending, News, Report, Watch};

const SIGTRAP: u8 = 5;

/// The registers that gdb needs at every stop.
const EXPEDITED: [&str; 3] = ["rbp", "rsp", "rip"];

impl Session {
    /// The reply. The task it is about is selected, but in non-stop.
    pub(super) fn stop_reply(&mut self, news: &News) -> Vec<u8> {
        let text = match news {
            News::Stop(tid, report) => self.stopped(*tid, report),
            News::End(Ending::Process { pid, status }) => self.ended(*pid, *status),
            News::End(Ending::Thread { pid, tid, status }) => {
                let code = match status {
                    Status::Exited(code) => *code,
                    _ => 0,
                };
                format!("w{code:02x};{}", self.name(*pid, *tid))
            }
            News::NobodyLeft if self.features.nobody_left => "N".to_owned(),
            News::NobodyLeft => "E01".to_owned(),
        };
        text.into_bytes()
    }

    fn stopped(&mut self, tid: Pid, report: &Report) -> String {
        let signal = match report {
            Report::Signal(signal) => signals::to_protocol(*signal),
            _ => SIGTRAP,
        };
        let mut text = format!("T{signal:02x}");
        self.explain(report, &mut text);
        let pid = self.target.task(tid).map_or(tid, |task| task.process);
        // In non-stop, whoever stops does so while gdb is busy with another.
        if !self.non_stop {
            self.selected = Selected { pid, tid };
        }
        if let Some(stopped) = self.target.task_mut(tid).and_then(|task| task.stopped()) {
            for name in EXPEDITED {
                let number = registers::number(name).expect("the table has it");
                let mut bytes = Vec::new();
                if stopped.read_register(&ALL[number], &mut bytes).is_ok() {
                    let _ = write!(text, "{number:02x}:{};", hex::encode(&bytes));
                }
            }
        }
        let _ = write!(text, "thread:{};", self.name(pid, tid));
        text
    }

    fn explain(&self, report: &Report, text: &mut String) {
        let features = self.features;
        let _ = match report {
            Report::SoftwareBreakpoint if features.software_breakpoints => {
                write!(text, "swbreak:;")
            }
            Report::HardwareBreakpoint if features.hardware_breakpoints => {
                write!(text, "hwbreak:;")
            }
            // lldb, which does not know these words, takes any trap where it has a breakpoint for a hit
            // one, also the stop before a program's first instruction.
            Report::SoftwareBreakpoint | Report::HardwareBreakpoint => {
                write!(text, "reason:breakpoint;")
            }
            Report::Signal(signal)
                if *signal == SIGTRAP.into() && !features.software_breakpoints =>
            {
                write!(text, "reason:trace;")
            }
            Report::Watchpoint(Watch::Write, addr) => write!(text, "watch:{addr:x};"),
            Report::Watchpoint(Watch::Access, addr) => write!(text, "awatch:{addr:x};"),
            Report::CallEntry(number) => write!(text, "syscall_entry:{number:x};"),
            Report::CallReturn(number) => write!(text, "syscall_return:{number:x};"),
            Report::Fork(child) => write!(text, "fork:{};", self.name(*child, *child)),
            Report::Vfork(child) => write!(text, "vfork:{};", self.name(*child, *child)),
            Report::VforkDone => write!(text, "vforkdone:;"),
            Report::Exec(program) if features.execs => {
                write!(
                    text,
                    "exec:{};",
                    hex::encode(program.as_os_str().as_bytes())
                )
            }
            Report::Exec(_) => write!(text, "reason:exec;"),
            Report::Created => write!(text, "create:;"),
            Report::Signal(_) => Ok(()),
        };
    }

    fn ended(&self, pid: Pid, status: Status) -> String {
        let text = match status {
            Status::Signaled(signal, _) => format!("X{:02x}", signals::to_protocol(signal)),
            Status::Exited(code) => format!("W{code:02x}"),
            Status::Stopped { .. } | Status::Continued => "W00".to_owned(),
        };
        match self.features.multiprocess {
            true => format!("{text};process:{pid:x}"),
            false => text,
        }
    }
}
