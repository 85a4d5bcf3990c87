//! What the kernel tells of tasks.

use libtrace::{Errno, Event, Pid, Status, wait};

use super::news::Ending;
use super::stopped::{How, Stopped};
use super::task::State;
use super::{Report, Target};

const SIGTRAP: i32 = 5;

impl Target {
    /// Takes everything that has happened, without waiting for more.
    pub fn take_changes(&mut self) {
        loop {
            match wait::try_wait(-1, wait::WALL) {
                Ok(Some((tid, status))) => self.change(tid, status),
                Err(Errno::EINTR) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// Waits for the next thing to happen. Whether anything still can.
    pub(super) fn wait_for_change(&mut self) -> bool {
        match wait::wait(-1, wait::WALL) {
            Ok((tid, status)) => {
                self.change(tid, status);
                true
            }
            Err(error) => error == Errno::EINTR,
        }
    }

    fn change(&mut self, tid: Pid, status: Status) {
        match status {
            Status::Exited(_) | Status::Signaled(..) => self.ended(tid, status),
            Status::Continued => {}
            Status::Stopped { .. } if !self.tasks.contains_key(&tid) => {
                self.early.insert(tid, status);
            }
            Status::Stopped {
                sig,
                event,
                syscall,
            } => {
                let report = self.stopped(tid, sig, event, syscall);
                let Some(task) = self.tasks.get_mut(&tid) else {
                    return;
                };
                let wanted = std::mem::take(&mut task.stop_wanted) && !self.halting;
                task.report = report.or(wanted.then_some(Report::Signal(0)));
                if task.report.is_none() {
                    self.go_on(tid);
                }
            }
        }
    }

    /// A task has stopped; what of it is to be reported.
    fn stopped(
        &mut self,
        tid: Pid,
        sig: i32,
        event: Option<Event>,
        syscall: bool,
    ) -> Option<Report> {
        let how = match event {
            Some(Event::Stop) if sig != SIGTRAP => How::Group(sig),
            Some(_) => How::Event,
            None if syscall => How::Call,
            None => How::Signal(sig),
        };
        let task = self.tasks.get_mut(&tid)?;
        task.state = State::Stopped(Stopped::new(tid, how));
        task.interrupted = false;
        match event {
            None if syscall => self.at_call(tid),
            None => self.at_signal(tid, sig),
            Some(Event::Fork) => self.has_forked(tid, false),
            Some(Event::Vfork) => self.has_forked(tid, true),
            Some(Event::VforkDone) => self.vfork_is_done(tid),
            Some(Event::Clone) => self.has_new_thread(tid),
            Some(Event::Exec) => self.has_new_program(tid),
            // An interrupt of ours, or a group-stop.
            Some(Event::Stop | Event::Exit | Event::Seccomp) => None,
        }
    }

    /// A task is gone.
    fn ended(&mut self, tid: Pid, status: Status) {
        self.early.remove(&tid);
        let Some(task) = self.tasks.remove(&tid) else {
            if self.children.remove(&tid) {
                self.outcome = Some(status);
            }
            return;
        };
        let pid = task.process;
        if let Some(space) = self.space_of(pid) {
            // In the machine a file of /proc/TID goes with the task.
            space.memory = None;
        }
        if tid != pid && self.tasks_of(pid).next().is_some() {
            if self.wants.threads {
                self.endings.push_back(Ending::Thread { pid, tid, status });
            }
            return;
        }
        let process = self.remove_process(pid);
        if process.is_some_and(|it| it.is_child) {
            self.outcome = Some(status);
        }
        self.endings.push_back(Ending::Process { pid, status });
    }

    /// Waits until a task that was just made is where it can be looked at: the kernel stops it before
    /// its first instruction. Whether it got there.
    pub(super) fn wait_for_first_stop(&mut self, tid: Pid) -> bool {
        if self.early.remove(&tid).is_some() {
            return true;
        }
        loop {
            match wait::wait(tid, wait::WALL) {
                Ok((_, Status::Stopped { .. })) => return true,
                Err(Errno::EINTR) | Ok((_, Status::Continued)) => {}
                Ok(_) | Err(_) => return false,
            }
        }
    }
}
