//! Registers of the selected thread.

use libtrace::{Errno, Result};

use super::{Answer, Session};
use crate::packet::hex;
use crate::registers::{ALL, Register};
use crate::target::Stopped;

impl Session {
    pub(super) fn read_registers(&mut self) -> Answer {
        let read = self.selected_stopped().and_then(|stopped| {
            let mut bytes = Vec::new();
            for register in &ALL {
                stopped.read_register(register, &mut bytes)?;
            }
            Ok(bytes)
        });
        digits(read)
    }

    pub(super) fn read_register(&mut self, number: usize) -> Answer {
        let Some(register) = ALL.get(number) else {
            return Answer::Error(Errno::EINVAL);
        };
        let read = self.selected_stopped().and_then(|stopped| {
            let mut bytes = Vec::new();
            stopped.read_register(register, &mut bytes)?;
            Ok(bytes)
        });
        digits(read)
    }

    /// Sets the registers that the bytes reach to.
    pub(super) fn write_registers(&mut self, bytes: &[u8]) -> Answer {
        let mut rest = bytes;
        let mut values: Vec<(&Register, &[u8])> = Vec::new();
        for register in &ALL {
            let Some((own, others)) = rest.split_at_checked(register.size) else {
                break;
            };
            values.push((register, own));
            rest = others;
        }
        if !rest.is_empty() {
            return Answer::Error(Errno::EINVAL);
        }
        let stopped = self.selected_stopped();
        stopped
            .and_then(|stopped| stopped.write_registers(values))
            .into()
    }

    pub(super) fn write_register(&mut self, number: usize, bytes: &[u8]) -> Answer {
        match ALL.get(number) {
            Some(register) if register.size == bytes.len() => {
                let stopped = self.selected_stopped();
                stopped
                    .and_then(|stopped| stopped.write_registers([(register, bytes)]))
                    .into()
            }
            _ => Answer::Error(Errno::EINVAL),
        }
    }

    /// The selected thread; `EBUSY` while it runs.
    pub(super) fn selected_stopped(&mut self) -> Result<&mut Stopped> {
        let task = self.target.task_mut(self.selected.tid);
        task.ok_or(Errno::ESRCH)?.stopped().ok_or(Errno::EBUSY)
    }
}

fn digits(bytes: Result<Vec<u8>>) -> Answer {
    match bytes {
        Ok(bytes) => Answer::text(hex::encode(&bytes)),
        Err(error) => Answer::Error(error),
    }
}
