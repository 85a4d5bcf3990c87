//! Starting programs.

use libtrace::launch::Launch;
use libtrace::ptrace::{self, Options};
use libtrace::{Errno, Event, Pid, Result, Status, spawn, wait};

use super::process::Origin;
use super::stopped::{How, Stopped};
use super::task::{State, Task};
use super::{OPTIONS, Report, Target};

const SIGTRAP: i32 = 5;
const SIGKILL: i32 = 9;

impl Target {
    /// Starts a program, which then stands still before its first instruction. Where it is started by
    /// way of others that execute each other, as a shell does, `others` says how many.
    ///
    /// # Errors
    /// What [`Launch::start`] lists; `ECHILD` where one of the others ended.
    pub fn start(&mut self, launch: &Launch, others: u32) -> Result<Pid> {
        let pid = launch.start(Options::EXITKILL)?;
        for _ in 0..others {
            if let Err(error) = until_exec(pid) {
                let _ = spawn::send_signal(pid, SIGKILL);
                let _ = wait::wait(pid, wait::WALL);
                return Err(error);
            }
        }
        ptrace::setoptions(pid, OPTIONS | Options::EXITKILL)?;
        self.add_process(pid, Origin::Started, true);
        let state = State::Stopped(Stopped::new(pid, How::Event));
        let mut task = Task::new(pid, pid, state);
        task.told = Some(Report::Signal(SIGTRAP));
        task.new_at = task.stopped().and_then(|stopped| stopped.pc().ok());
        self.tasks.insert(pid, task);
        self.last = pid;
        Ok(pid)
    }
}

/// Lets a program run until it executes another one.
fn until_exec(pid: Pid) -> Result<()> {
    let mut signal = 0;
    loop {
        ptrace::cont(pid, signal)?;
        signal = loop {
            match wait::wait(pid, wait::WALL) {
                Ok((
                    _,
                    Status::Stopped {
                        event: Some(Event::Exec),
                        ..
                    },
                )) => return Ok(()),
                Ok((
                    _,
                    Status::Stopped {
                        sig,
                        event: None,
                        syscall: false,
                    },
                )) => break sig,
                Ok((_, Status::Stopped { .. })) => break 0,
                Ok((_, Status::Exited(_) | Status::Signaled(..))) => return Err(Errno::ECHILD),
                Ok((_, Status::Continued)) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error),
            }
        };
    }
}
