//! The fs server on the kernel.
#![no_std]
#![no_main]

extern crate alloc;

mod serial;

use abi::Errno;
use abi::fs::Call;
use abi::wire::{self, Buffer, MAX};
use alloc::boxed::Box;
use fs::{Fs, Host};
use rt::boot::Startup;
use rt::cap::{Endpoint, IoPort, IrqHandler};
use rt::log::Log;
use rt::message;
use rt::slots::fs as slots;
use serial::Serial;

rt::entry!(main);

fn main(_: Startup) -> ! {
    let mut outside = Outside {
        console: Serial::start(
            IoPort::at(slots::CONSOLE_PORTS),
            serial::COM1,
            IrqHandler::at(slots::CONSOLE_IRQ),
        ),
        line: Serial::start_line(
            IoPort::at(slots::DEBUGGER_PORTS),
            serial::COM2,
            IrqHandler::at(slots::DEBUGGER_IRQ),
        ),
        line_is_full: false,
        buffer: None,
    };
    let mut fs = Box::new(Fs::new());
    fs.start(&mut outside);
    let mut report: Buffer = [0; MAX];
    loop {
        match outside.call(&Call::Next, &mut report) {
            Ok(len) => fs.handle(&mut outside, &report[..len]),
            Err(error) => panic!("procmgr has no reports: {error}"),
        }
    }
}

/// The process manager and the serial ports.
struct Outside {
    console: Serial,
    /// The second port, if the machine has one.
    line: Option<Serial>,
    /// It interrupts when it takes more.
    line_is_full: bool,
    /// The buffer for calls, while it is not in use.
    buffer: Option<Box<Buffer>>,
}

impl Host for Outside {
    fn call(&mut self, call: &Call<'_>, buffer: &mut Buffer) -> Result<usize, Errno> {
        let len = wire::encode(call, buffer);
        message::call(Endpoint::at(slots::PROCMGR), buffer, len)
    }

    fn take_buffer(&mut self) -> Box<Buffer> {
        self.buffer.take().unwrap_or_else(|| Box::new([0; MAX]))
    }

    fn put_buffer(&mut self, buffer: Box<Buffer>) {
        self.buffer = Some(buffer);
    }

    fn stdout(&mut self, bytes: &[u8]) {
        self.console.write(bytes);
    }

    fn stderr(&mut self, bytes: &[u8]) {
        Log.bytes(bytes);
    }

    fn export(&mut self, bytes: &[u8]) {
        const PORT: u16 = 0xe7;
        let port = IoPort::at(slots::EXPORT_PORT);
        for &byte in bytes {
            // Nobody is left to tell if the way out does not work.
            let _ = port.out8(PORT, byte);
        }
    }

    fn stdin(&mut self, buffer: &mut [u8]) -> usize {
        self.console.read(buffer)
    }

    fn console_ack(&mut self) {
        self.console.ack();
    }

    fn serial_write(&mut self, bytes: &[u8]) -> usize {
        let Some(line) = &self.line else {
            return bytes.len();
        };
        let count = line.send(bytes);
        let full = count < bytes.len();
        if core::mem::replace(&mut self.line_is_full, full) && !full {
            line.sent();
        }
        count
    }

    fn serial_read(&mut self, buffer: &mut [u8]) -> usize {
        self.line.as_ref().map_or(0, |line| line.read(buffer))
    }

    fn serial_ack(&mut self) {
        if let Some(line) = &self.line {
            line.ack();
        }
    }
}
