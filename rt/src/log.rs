//! The log: what the machine says to whoever runs it. Every byte is a system call.

use crate::cap::IoPort;
use crate::slots;
use core::fmt::{self, Write};

/// The port of the debug console that is the log.
pub const PORT: u16 = 0xe9;

/// The log as a place to write to.
#[derive(Clone, Copy, Debug)]
pub struct Log;

impl Log {
    /// Writes bytes as they are. A program without the port writes nowhere.
    pub fn bytes(self, bytes: &[u8]) {
        let port = IoPort::at(slots::LOG);
        for &byte in bytes {
            // Nobody is left to tell if the log does not work.
            let _ = port.out8(PORT, byte);
        }
    }

    /// Writes a line.
    pub fn line(self, text: fmt::Arguments<'_>) {
        let mut log = self;
        // Writing never fails.
        let _ = log.write_fmt(text);
        let _ = log.write_char('\n');
    }
}

impl Write for Log {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes(text.as_bytes());
        Ok(())
    }
}

/// Writes a line to the log, with the program's name.
#[macro_export]
macro_rules! log {
    ($($argument:tt)*) => {
        $crate::log::Log.line(format_args!(
            "{}: {}",
            env!("CARGO_BIN_NAME"),
            format_args!($($argument)*)
        ))
    };
}
