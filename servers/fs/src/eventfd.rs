//! eventfd(2).

use crate::Fs;
use crate::anon::{Kind, READABLE, WRITABLE};
use crate::host::{Host, Port};
use crate::io::Io;
use abi::Errno;
use abi::linux::general::{O_CLOEXEC, O_NONBLOCK, O_RDWR, POLLERR};

const EFD_SEMAPHORE: u32 = 1;
/// The largest count.
const MAX: u64 = u64::MAX - 1;

/// An eventfd.
#[derive(Clone, Hash)]
pub(crate) struct Counter {
    count: u64,
    semaphore: bool,
    /// How often it has changed.
    pub activity: u64,
}

impl Counter {
    /// Takes the count, or 1 of it.
    pub fn read<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        io: &mut Io,
    ) -> Result<Option<i64>, Errno> {
        if io.total < 8 {
            return Err(Errno::EINVAL);
        }
        if self.count == 0 {
            return Ok(None);
        }
        let taken = if self.semaphore { 1 } else { self.count };
        io.put(port, &taken.to_le_bytes())?;
        self.count -= taken;
        self.activity += 1;
        Ok(Some(io.done()))
    }

    /// Adds to the count; none while it would be too large.
    pub fn write<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        io: &mut Io,
    ) -> Result<Option<i64>, Errno> {
        if io.total < 8 {
            return Err(Errno::EINVAL);
        }
        let [added] = io.peek_words(port)?;
        if added == u64::MAX {
            return Err(Errno::EINVAL);
        }
        if added > MAX - self.count {
            return Ok(None);
        }
        self.count += added;
        self.activity += 1;
        Ok(Some(8))
    }

    pub fn readiness(&self) -> u32 {
        let readable = if self.count > 0 { READABLE } else { 0 };
        let writable = if self.count < MAX { WRITABLE } else { 0 };
        let overflown = if self.count == u64::MAX { POLLERR } else { 0 };
        readable | writable | overflown
    }
}

impl Fs {
    /// eventfd2(2).
    pub(crate) fn eventfd<H: Host>(
        &mut self,
        port: &Port<'_, H>,
        count: u32,
        flags: u32,
    ) -> Result<i64, Errno> {
        if flags & !(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK) != 0 {
            return Err(Errno::EINVAL);
        }
        let counter = Counter {
            count: count.into(),
            semaphore: flags & EFD_SEMAPHORE != 0,
            activity: 0,
        };
        let status = O_RDWR | flags & O_NONBLOCK;
        self.open_anon(port, Kind::Event(counter), status, flags & O_CLOEXEC != 0)
    }
}
