//! Killing.

use libtrace::{Errno, Pid, Result, spawn};

use super::Target;
use super::news::Ending;

const SIGKILL: i32 = 9;

impl Target {
    /// Kills process `pid` and waits for its end, of which nobody else is told.
    ///
    /// # Errors
    /// `ESRCH` without such a process.
    pub fn kill(&mut self, pid: Pid) -> Result<()> {
        if !self.processes.contains_key(&pid) {
            return Err(Errno::ESRCH);
        }
        spawn::send_signal(pid, SIGKILL)?;
        while self.processes.contains_key(&pid) && self.wait_for_change() {}
        self.remove_process(pid);
        self.endings.retain(|ending| match ending {
            Ending::Process { pid: it, .. } | Ending::Thread { pid: it, .. } => *it != pid,
        });
        Ok(())
    }

    /// Kills everything.
    pub fn kill_all(&mut self) {
        while let Some((&pid, _)) = self.processes.first_key_value() {
            let _ = self.kill(pid);
        }
    }
}
