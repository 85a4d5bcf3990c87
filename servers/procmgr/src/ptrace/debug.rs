//! The debug registers of a tracee, as `struct user` shows them.

use abi::Errno;
use abi::user::TASK_SIZE_MAX;

/// The bits of DR6 that read as ones, and with which Linux shows and takes it inverted.
const DR6_RESERVED: u64 = 0xffff_0ff0;
/// The bits of DR7 that enable a breakpoint.
const DR7_ENABLE: u64 = 0xff;

/// The debug registers as POKEUSER left them. No breakpoint can be enabled through them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DebugRegisters {
    addresses: [u64; 4],
    status: u64,
    control: u64,
}

impl DebugRegisters {
    /// Register `n`.
    pub(super) fn get(&self, n: usize) -> u64 {
        match n {
            0..=3 => self.addresses[n],
            6 => self.status ^ DR6_RESERVED,
            7 => self.control,
            _ => 0,
        }
    }

    /// Sets register `n`; EIO for what cannot be.
    pub(super) fn set(&mut self, n: usize, value: u64) -> Result<(), Errno> {
        match n {
            0..=3 if value < TASK_SIZE_MAX => self.addresses[n] = value,
            6 => self.status = value ^ DR6_RESERVED,
            7 if value & DR7_ENABLE == 0 => self.control = value,
            _ => return Err(Errno::EIO),
        }
        Ok(())
    }
}
