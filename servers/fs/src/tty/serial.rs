//! The second serial port, /dev/ttyS1: a terminal whose other end is a program on another machine.
//! It begins raw, because nobody sits there.

use super::termios::Termios;
use super::{MAX_OUTPUT, Tty};
use crate::Fs;
use crate::host::Host;
use alloc::collections::VecDeque;

/// Its number among the terminals.
pub(crate) const SERIAL: u32 = 1;

/// What only the serial port has.
#[derive(Clone, Default, Hash)]
pub(super) struct Wire {
    /// What was written and the port has not taken.
    output: VecDeque<u8>,
    /// Open files of it: without any, what comes in stays where it is.
    users: u32,
}

impl Wire {
    pub fn room(&self) -> usize {
        MAX_OUTPUT - self.output.len()
    }
}

impl Tty {
    /// The serial port's terminal.
    pub(crate) fn serial() -> Tty {
        let mut tty = Tty {
            wire: Some(Wire::default()),
            ..Tty::default()
        };
        tty.line.termios = Termios::raw();
        tty
    }
}

impl Fs {
    fn wire(&mut self) -> Option<&mut Wire> {
        self.ttys[SERIAL].wire.as_mut()
    }

    /// The port's interrupt line was asserted, or the console's.
    pub(crate) fn serial_event(&mut self, host: &mut impl Host) {
        // First, because the interrupt controller forgets an edge that comes before: what came since then
        // is taken below.
        host.serial_ack();
        self.send_serial(host, &[]);
        self.drain_serial(host);
    }

    /// Sends bytes as soon as the port takes them, behind those that wait.
    pub(super) fn send_serial(&mut self, host: &mut impl Host, bytes: &[u8]) {
        let Some(wire) = self.wire() else { return };
        let room = wire.room();
        wire.output.extend(&bytes[..bytes.len().min(room)]);
        loop {
            let (next, _) = wire.output.as_slices();
            if next.is_empty() {
                break;
            }
            let count = host.serial_write(next).min(next.len());
            if count == 0 {
                break;
            }
            wire.output.drain(..count);
        }
        self.dirty = true;
    }

    /// Takes what has come in, as long as there is room and somebody to read it.
    pub(crate) fn drain_serial(&mut self, host: &mut impl Host) {
        if self.wire().is_none_or(|wire| wire.users == 0) {
            return;
        }
        let mut bytes = [0; 256];
        loop {
            let room = self.ttys[SERIAL].line.room().min(bytes.len());
            let count = host.serial_read(&mut bytes[..room]).min(room);
            if count == 0 {
                break;
            }
            self.type_into(host, SERIAL, &bytes[..count]);
        }
    }

    /// A file of the port is opened.
    pub(crate) fn hold_serial(&mut self) {
        if let Some(wire) = self.wire() {
            wire.users += 1;
        }
    }

    /// A file of the port is closed.
    pub(crate) fn release_serial(&mut self) {
        if let Some(wire) = self.wire() {
            wire.users -= 1;
        }
    }
}
