//! Interrupts and I/O ports (seL4 manual 8).

use super::{CPtr, Notification, capabilities};
use crate::invoke::{Result, invoke, label};

capabilities! {
    /// The right to hand out interrupts.
    IrqControl
    /// One interrupt.
    IrqHandler
    /// A range of I/O ports.
    IoPort
}

impl IrqControl {
    /// Makes the handler of an edge-triggered, active-high pin of the first I/O APIC, in a slot
    /// of the root task's CSpace. `vector` is a free choice below 108.
    pub fn io_apic(self, pin: u64, vector: u64, root: super::CNode, slot: u64) -> Result {
        let args = [slot, 64, 0, pin, 0, 0, vector];
        invoke(self.0, label::X86IRQIssueIRQHandlerIOAPIC, args, [root.0]).map(drop)
    }
}

impl IrqHandler {
    /// Interrupts signal `notification`.
    pub fn set_notification(self, notification: Notification) -> Result {
        invoke(self.0, label::IRQSetIRQHandler, [], [notification.0]).map(drop)
    }

    /// Lets the next interrupt come.
    pub fn ack(self) -> Result {
        invoke(self.0, label::IRQAckIRQ, [], []).map(drop)
    }
}

impl IoPort {
    /// The data word that mints a capability for the ports `first..=last`.
    pub const fn range(first: u16, last: u16) -> u64 {
        (first as u64) << 16 | last as u64
    }

    /// Reads a byte.
    ///
    /// # Errors
    /// The port is not in the capability's range.
    #[inline]
    pub fn in8(self, port: u16) -> Result<u8> {
        invoke(self.0, label::X86IOPortIn8, [port as u64], []).map(|words| words[0] as u8)
    }

    /// Writes a byte. Errors as in [`IoPort::in8`].
    #[inline]
    pub fn out8(self, port: u16, value: u8) -> Result {
        invoke(
            self.0,
            label::X86IOPortOut8,
            [port as u64, value as u64],
            [],
        )
        .map(drop)
    }

    /// Writes four bytes. Errors as in [`IoPort::in8`].
    pub fn out32(self, port: u16, value: u32) -> Result {
        invoke(
            self.0,
            label::X86IOPortOut32,
            [port as u64, value as u64],
            [],
        )
        .map(drop)
    }
}
