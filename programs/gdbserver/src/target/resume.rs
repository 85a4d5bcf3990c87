//! Letting tasks go on.

use libtrace::{Pid, Result, ptrace, spawn};

use super::stopped::How;
use super::task::{State, Wish};
use super::{Report, Target};
use crate::request::{Action, Catch, PointKind};
use crate::signals;

impl Target {
    /// Everybody may run again who has a wish to.
    pub fn end_halt(&mut self) {
        self.halting = false;
    }

    /// Says what a task that stands still for gdb is to do, or that one that does not is to stop. It does
    /// not begin before [`set_going`](Self::set_going).
    pub fn direct(&mut self, tid: Pid, action: Action) {
        let Some(task) = self.tasks.get_mut(&tid) else {
            return;
        };
        let (wish, signal) = match action {
            Action::Stop => {
                if task.wish.is_some() {
                    task.stop_wanted = true;
                    self.interrupt(tid);
                }
                return;
            }
            Action::Continue(signal) => (Wish::Run, signal),
            Action::Step(signal) => (Wish::Step, signal),
            Action::Range(from, to) => (Wish::Range(from, to), 0),
        };
        if task.wish.is_some() {
            return;
        }
        task.wish = Some(wish);
        if let Some(signal) = signals::to_linux(signal).filter(|signal| *signal != 0)
            && let Some(stopped) = task.stopped()
        {
            stopped.deliver = signal;
        }
        self.drop_stale_report(tid);
    }

    /// A breakpoint that was hit but not told of counts only while it is there and the task is at it.
    fn drop_stale_report(&mut self, tid: Pid) {
        let Some(task) = self.tasks.get_mut(&tid) else {
            return;
        };
        let (pid, report) = (task.process, task.report.clone());
        let pc = task.stopped().and_then(|stopped| stopped.pc().ok());
        let debug = self.processes.get(&pid).map(|process| process.debug);
        let stale = match (report, pc, debug) {
            (Some(Report::SoftwareBreakpoint), Some(pc), _) => !self.has_breakpoint(pid, pc),
            (Some(Report::HardwareBreakpoint), Some(pc), Some(debug)) => {
                !debug.has(|kind| kind == PointKind::Hardware, pc)
            }
            (Some(Report::Watchpoint(_, addr)), _, Some(debug)) => {
                !debug.has(|kind| kind != PointKind::Hardware, addr)
            }
            _ => false,
        };
        if stale && let Some(task) = self.tasks.get_mut(&tid) {
            task.report = None;
        }
    }

    /// Begins what tasks were directed to do.
    pub fn set_going(&mut self) {
        let ready = self.tasks.values();
        let ready = ready.filter(|task| task.wish.is_some() && task.report.is_none());
        for tid in ready.map(|task| task.tid).collect::<Vec<_>>() {
            self.go_on(tid);
        }
    }

    /// Lets a task that has stopped go on with what it was doing, unless it shall stand still.
    pub(super) fn go_on(&mut self, tid: Pid) {
        let held = self.halting || self.tasks.get(&tid).is_none_or(|task| task.wish.is_none());
        if !held {
            // One that was killed meanwhile is reported soon.
            let _ = self.resume(tid);
        }
    }

    fn resume(&mut self, tid: Pid) -> Result<()> {
        let Some(task) = self.tasks.get_mut(&tid) else {
            return Ok(());
        };
        let Some(process) = self.processes.get(&task.process) else {
            return Ok(());
        };
        let State::Stopped(stopped) = &mut task.state else {
            return Ok(());
        };
        stopped.flush()?;
        if task.debug != process.debug {
            process.debug.apply(tid, &task.debug)?;
            task.debug = process.debug;
        }
        let (how, signal) = (stopped.how, std::mem::take(&mut stopped.deliver));
        task.state = State::Running;
        let injected = match how {
            How::Signal(_) => signal,
            // Nothing can be delivered out of these, so it is sent; but gdb has decided already.
            How::Event | How::Group(_) | How::Call if signal != 0 => {
                task.sent.push(signal);
                spawn::send_task_signal(tid, signal)?;
                0
            }
            // It is not for a debugger to end a group-stop.
            How::Group(_) if !task.steps() => return ptrace::listen(tid),
            How::Event | How::Group(_) | How::Call => 0,
        };
        match task.wish {
            Some(Wish::Step | Wish::Range(..)) => ptrace::singlestep(tid, injected),
            _ if process.catch != Catch::None => ptrace::syscall(tid, injected),
            _ => ptrace::cont(tid, injected),
        }
    }
}
