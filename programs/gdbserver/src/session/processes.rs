//! Starting, attaching, killing, letting go.

use libtrace::{Errno, Pid, Result};

use super::threads::Selected;
use super::{Answer, Phase, Session};
use crate::target::{News, Report};

const SIGTRAP: i32 = 5;

impl Session {
    /// `vRun`.
    pub(super) fn run(&mut self, program: Option<Vec<u8>>, args: Vec<Vec<u8>>) -> Answer {
        let started = self.programs.set_command(program, args);
        match started.and_then(|()| self.start()) {
            Ok(pid) => Answer::Bytes(self.stop_reply(&News::Stop(pid, Report::Signal(SIGTRAP)))),
            Err(error) => Answer::Error(error),
        }
    }

    /// Starts the program that is set, which stands still then.
    ///
    /// # Errors
    /// What [`Launch::start`](libtrace::launch::Launch::start) lists.
    pub fn start(&mut self) -> Result<Pid> {
        let (launch, others) = self.programs.launch()?;
        let pid = self.target.start(&launch, others)?;
        self.selected = Selected { pid, tid: pid };
        Ok(pid)
    }

    /// `R`: nobody expects an answer.
    pub(super) fn restart(&mut self) -> Answer {
        self.target.kill_all();
        let _ = self.start();
        Answer::Later
    }

    /// `vAttach`: answered when everything has stopped, in non-stop at once.
    pub(super) fn attach(&mut self, pid: Pid) -> Answer {
        if let Err(error) = self.target.attach(pid) {
            return Answer::Error(error);
        }
        self.selected = Selected { pid, tid: pid };
        if self.non_stop {
            return Answer::Ok;
        }
        self.halt(0);
        Answer::Later
    }

    /// Attaches before anybody is there to be told.
    ///
    /// # Errors
    /// What ptrace(2) lists.
    pub fn attach_first(&mut self, pid: Pid) -> Result<()> {
        self.target.attach(pid)?;
        self.selected = Selected { pid, tid: pid };
        Ok(())
    }

    /// `vKill`, and `k`, which means everything and expects no answer but of one kind.
    pub(super) fn kill(&mut self, pid: Option<Pid>) -> Answer {
        match pid {
            Some(pid) => self.target.kill(pid).into(),
            None => {
                let pid = self.selected.pid;
                self.target.kill_all();
                // gdb, where it knows of processes, uses the other; lldb uses this, and wants to be told.
                match self.features.multiprocess {
                    true => Answer::text(format!("X09;process:{pid:x}")),
                    false => Answer::Later,
                }
            }
        }
    }

    /// `D`.
    pub(super) fn detach(&mut self, pid: Option<Pid>) -> Answer {
        let pid = pid.unwrap_or(self.selected.pid);
        if self.target.process(pid).is_none() {
            return Answer::Error(Errno::ESRCH);
        }
        let detached = self.target.detach(pid);
        if self.target.is_empty() {
            self.phase = Phase::Still;
        }
        detached.into()
    }
}
