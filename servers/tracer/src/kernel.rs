//! The tracer's [`Host`] on the kernel.

use abi::Errno;
use abi::tracer::Call;
use abi::wire::{self, Buffer};
use alloc::boxed::Box;
use rt::cap::Endpoint;
use rt::message;
use rt::slots::tracer::PROCMGR;
use tracer::Host;

/// The process manager.
pub struct Kernel {
    /// The buffer for calls, while it is not in use.
    buffer: Option<Box<Buffer>>,
    /// How many messages of tasks there have been.
    pub heard: u64,
}

impl Kernel {
    /// Nothing said yet.
    pub fn new() -> Kernel {
        Kernel {
            buffer: None,
            heard: 0,
        }
    }
}

impl Host for Kernel {
    fn call(&mut self, call: &Call, buffer: &mut Buffer) -> Result<usize, Errno> {
        let len = wire::encode(call, buffer);
        message::call(Endpoint::at(PROCMGR), buffer, len)
    }

    fn work(&self) -> [u64; 2] {
        [self.heard, rt::syscall::entries()]
    }

    fn take_buffer(&mut self) -> Box<Buffer> {
        self.buffer
            .take()
            .unwrap_or_else(|| Box::new([0; wire::MAX]))
    }

    fn put_buffer(&mut self, buffer: Box<Buffer>) {
        self.buffer = Some(buffer);
    }
}
