//! Signals that stop a task, and what a `SIGTRAP` stands for.

use libtrace::{Pid, Result};

use super::task::Wish;
use super::{Report, Target, Watch};
use crate::request::PointKind;
use crate::signals;

const SIGTRAP: i32 = 5;

// The origins of a SIGTRAP (sigaction(2), si_code).
const SI_KERNEL: i32 = 0x80;
const TRAP_BRKPT: i32 = 1;
const TRAP_TRACE: i32 = 2;
const TRAP_HWBKPT: i32 = 4;

impl Target {
    /// A task has stopped before a signal is delivered to it; what is to be reported.
    pub(super) fn at_signal(&mut self, tid: Pid, sig: i32) -> Option<Report> {
        let task = self.tasks.get_mut(&tid)?;
        if let Some(at) = task.sent.iter().position(|it| *it == sig) {
            task.sent.remove(at);
            task.stopped()?.deliver = sig;
            return None;
        }
        if sig == SIGTRAP {
            let trap = self.at_trap(tid);
            // Where the task was killed meanwhile, the next change says so.
            return trap.unwrap_or(None);
        }
        // Who steps into a handler has to be told where it is.
        if self.wants.pass.has(signals::to_protocol(sig)) && !task.steps() {
            task.stopped()?.deliver = sig;
            return None;
        }
        Some(Report::Signal(sig))
    }

    fn at_trap(&mut self, tid: Pid) -> Result<Option<Report>> {
        let plain = Ok(Some(Report::Signal(SIGTRAP)));
        let Some(task) = self.tasks.get_mut(&tid) else {
            return plain;
        };
        let (pid, wish) = (task.process, task.wish);
        let (steps, new_at) = (task.steps(), task.new_at.take());
        let Some(stopped) = task.stopped() else {
            return plain;
        };
        let code = stopped.signal_info()?.code();
        match code {
            SI_KERNEL | TRAP_BRKPT => {
                let behind = stopped.pc()?;
                // The trap's one byte has been executed.
                let at = behind.wrapping_sub(1);
                if !self.has_breakpoint(pid, at) {
                    // This is also what a step out of a system call looks like, which an execve is.
                    let goes_on = new_at == Some(behind) || within(wish, behind);
                    let goes_on = code == TRAP_BRKPT && steps && goes_on;
                    return if goes_on { Ok(None) } else { plain };
                }
                if let Some(stopped) = self.tasks.get_mut(&tid).and_then(|it| it.stopped()) {
                    stopped.set_pc(at)?;
                }
                Ok(Some(Report::SoftwareBreakpoint))
            }
            TRAP_TRACE | TRAP_HWBKPT => {
                let debug = self.processes.get(&pid).map(|process| process.debug);
                let debug = debug.filter(|debug| !debug.is_empty());
                if let Some((point, addr)) = debug.map_or(Ok(None), |debug| debug.hit(tid))? {
                    return Ok(Some(match point.kind {
                        PointKind::Write => Report::Watchpoint(Watch::Write, addr),
                        PointKind::Read | PointKind::Access => {
                            Report::Watchpoint(Watch::Access, addr)
                        }
                        PointKind::Software | PointKind::Hardware => Report::HardwareBreakpoint,
                    }));
                }
                match within(wish, stopped.pc()?) {
                    true => Ok(None),
                    false => plain,
                }
            }
            _ => plain,
        }
    }
}

/// Whether it wishes to step on from `pc`.
fn within(wish: Option<Wish>, pc: u64) -> bool {
    matches!(wish, Some(Wish::Range(from, to)) if (from..to).contains(&pc))
}
