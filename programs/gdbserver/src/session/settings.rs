//! Settings.

use libtrace::Errno;

use super::{Answer, Session};
use crate::request::Setting;

impl Session {
    pub(super) fn set(&mut self, setting: Setting) -> Answer {
        match setting {
            Setting::NoAcknowledgements => self.acknowledge = false,
            Setting::NonStop(on) => {
                self.non_stop = on;
                self.notices.clear();
                if on {
                    self.target.end_halt();
                }
            }
            Setting::PassSignals(signals) => self.target.wants.pass = signals,
            Setting::ProgramSignals(signals) => self.target.wants.program = Some(signals),
            Setting::CatchSyscalls(catch) => {
                let Some(process) = self.target.process_mut(self.selected.pid) else {
                    return Answer::Error(Errno::ESRCH);
                };
                process.catch = catch;
            }
            Setting::ThreadEvents(on) => self.target.wants.threads = on,
            Setting::FixedAddresses(on) => self.programs.fixed_addresses = on,
            Setting::Shell(on) => self.programs.shell = on,
            Setting::SetVariable(variable) => self.programs.set_variable(&variable),
            Setting::UnsetVariable(name) => self.programs.unset_variable(&name),
            Setting::ResetVariables => self.programs.reset_variables(),
            Setting::WorkingFolder(folder) => self.programs.folder = folder.map(Into::into),
        }
        Answer::Ok
    }
}
