//! Stops at system calls.

use libtrace::Pid;
use libtrace::ptrace::{self, SyscallStop};

use super::{Report, Target};

impl Target {
    /// A task has stopped at a system call; what is to be reported of it.
    pub(super) fn at_call(&mut self, tid: Pid) -> Option<Report> {
        let side = ptrace::syscall_stop(tid).ok()??;
        let task = self.tasks.get_mut(&tid)?;
        let catch = &self.processes.get(&task.process)?.catch;
        match side {
            SyscallStop::Entry(number) => {
                task.call = Some(number);
                catch.has(number).then_some(Report::CallEntry(number))
            }
            SyscallStop::Exit => {
                let number = task.call.take()?;
                catch.has(number).then_some(Report::CallReturn(number))
            }
        }
    }
}
