//! Calls of the servers: who is calling, what a malformed message gets.

use crate::Procmgr;
use crate::machine::Machine;
use abi::wire::{self, Buffer};
use abi::{Errno, TaskId};

/// An answer: an error number or 0, and how many bytes of the buffer it has.
pub type Answer = (u16, usize);

impl Procmgr {
    /// A server's call. `answer` takes the reply's bytes; the number beside their count is 0 or
    /// an errno. None parks the call: it is answered through
    /// [`Machine::answer_fs`] later.
    pub fn on_call(
        &mut self,
        m: &mut impl Machine,
        from: TaskId,
        message: &[u8],
        answer: &mut Buffer,
    ) -> Option<Answer> {
        let result = match from {
            TaskId::TRACER => match wire::decode(message) {
                Ok(call) => self
                    .tracer_call(m, &call)
                    .map(|reply| wire::encode(&reply, answer)),
                Err(e) => self.refuse(e),
            },
            TaskId::FS => match wire::decode(message) {
                Ok(abi::fs::Call::Next) => match self.next_fs_report(answer) {
                    Some(len) => Ok(len),
                    None => {
                        self.reports.fs_parked = true;
                        return None;
                    }
                },
                Ok(call) => self.fs_call(m, call, answer),
                Err(e) => self.refuse(e),
            },
            _ => self.refuse(Errno::EPERM),
        };
        Some(match result {
            Ok(len) => (0, len),
            Err(e) => (e.0, 0),
        })
    }

    fn refuse(&mut self, e: Errno) -> Result<usize, Errno> {
        self.refused += 1;
        Err(e)
    }
}
