//! The console: what comes in is kept until somebody reads it.

use crate::Fs;
use crate::dev::Device;
use crate::host::{Host, Port};
use crate::io::Io;
use abi::Errno;
use abi::wire::{MAX, MAX_DATA};
use alloc::collections::VecDeque;

/// The most bytes that are kept unread.
const CAPACITY: usize = 65536;
/// The byte that the sender puts before a command, and twice for itself.
const ESCAPE: u8 = 0xff;
/// The command that ends the input.
const END: u8 = 0x04;

// Linux's asm-generic/ioctls.h.
const TCGETS: u32 = 0x5401;
const TCSETS: u32 = 0x5402;
const TCSETSW: u32 = 0x5403;
const TCSETSF: u32 = 0x5404;
const TIOCGWINSZ: u32 = 0x5413;
const TIOCSWINSZ: u32 = 0x5414;

/// The console's input.
#[derive(Default)]
pub(crate) struct Console {
    ring: VecDeque<u8>,
    /// The last byte was [`ESCAPE`].
    escaped: bool,
    /// The input is over: after what is kept, every read gives 0.
    ended: bool,
    /// The ring was full before all was taken: the interrupt stays off until there is room.
    unacknowledged: bool,
    /// It answers as a terminal does.
    tty: bool,
    /// How often something has come in.
    activity: u64,
}

impl Console {
    /// Whether a read would return at once.
    pub fn readable(&self) -> bool {
        self.ended || !self.ring.is_empty()
    }

    /// How often something has come in.
    pub fn activity(&self) -> u64 {
        self.activity
    }

    /// How many bytes a read could get.
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// Takes what has come in, up to the ring's limit.
    fn drain(&mut self, host: &mut impl Host) {
        let mut bytes = [0; 256];
        loop {
            let room = (CAPACITY - self.ring.len()).min(bytes.len());
            if room == 0 {
                self.unacknowledged = true;
                return;
            }
            let count = host.stdin(&mut bytes[..room]).min(room);
            if count == 0 {
                self.unacknowledged = false;
                host.console_ack();
                return;
            }
            self.activity += 1;
            for &byte in &bytes[..count] {
                self.take(byte);
            }
        }
    }

    /// Undoes the framing. An unknown command means nothing.
    fn take(&mut self, byte: u8) {
        match (core::mem::take(&mut self.escaped), byte) {
            (false, ESCAPE) => self.escaped = true,
            (true, END) => self.ended = true,
            (false, _) | (true, ESCAPE) if !self.ended => self.ring.push_back(byte),
            _ => {}
        }
    }
}

impl Fs {
    /// Whether the console answers as a terminal does (isatty(3)); at first it does not.
    pub fn set_terminal(&mut self, on: bool) {
        self.console.tty = on;
    }

    /// ioctl(2) on the console (ioctl_tty(2)): the settings can be asked for, and setting them
    /// changes nothing.
    pub(crate) fn terminal_ioctl<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        request: u32,
        arg: u64,
    ) -> Result<i64, Errno> {
        match request {
            _ if !self.console.tty => Err(Errno::ENOTTY),
            TCGETS => port.write(arg, &termios()).map(|()| 0),
            TIOCGWINSZ => port.write(arg, &[24, 0, 80, 0, 0, 0, 0, 0]).map(|()| 0),
            TCSETS | TCSETSW | TCSETSF | TIOCSWINSZ => Ok(0),
            _ => Err(Errno::ENOTTY),
        }
    }

    /// [`Event::Console`](abi::fs::Event::Console): bytes came in, or it is time.
    pub(crate) fn console_event(&mut self, host: &mut impl Host) {
        self.console.drain(host);
        self.dirty = true;
        self.expire(host);
    }

    /// Reads what is there; none while nothing is and more may come.
    pub(crate) fn read_console<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        io: &mut Io,
    ) -> Result<Option<i64>, Errno> {
        if !self.console.readable() {
            return Ok(None);
        }
        let ring = &mut self.console.ring;
        let result = io.step(ring.len() as u64, |addr, len, _| {
            let mut chunk = [0; MAX_DATA];
            let chunk = &mut chunk[..MAX_DATA.min(len as usize)];
            for (to, from) in chunk.iter_mut().zip(ring.iter()) {
                *to = *from;
            }
            port.write(addr, chunk)?;
            ring.drain(..chunk.len());
            Ok(chunk.len() as u64)
        });
        if self.console.unacknowledged {
            self.console.drain(port.host);
        }
        result.map(|()| Some(io.done()))
    }

    /// Writes to the console or the log.
    pub(crate) fn write_console<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        device: Device,
        io: &mut Io,
    ) -> Result<Option<i64>, Errno> {
        io.step(u64::MAX, |addr, len, _| {
            let mut buffer = [0; MAX];
            let bytes = port.read(addr, MAX_DATA.min(len as usize), &mut buffer)?;
            let count = bytes.len() as u64;
            put(port.host, device, bytes);
            Ok(count)
        })?;
        Ok(Some(io.done()))
    }
}

/// The settings a Linux terminal starts with: ICRNL and IXON; OPOST and ONLCR; 38400 baud, eight
/// bits, CREAD; echo, canonical input and signals; and the usual control characters.
fn termios() -> [u8; 36] {
    let mut bytes = [0; 36];
    let flags = [0x500u32, 0x5, 0xbf, 0x8a3b];
    for (to, flag) in bytes.chunks_exact_mut(4).zip(flags) {
        to.copy_from_slice(&flag.to_le_bytes());
    }
    bytes[17..34].copy_from_slice(&[3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0]);
    bytes
}

/// Writes bytes of our own.
pub(crate) fn put(host: &mut impl Host, device: Device, bytes: &[u8]) {
    if device == Device::Log {
        host.stderr(bytes);
    } else {
        host.stdout(bytes);
    }
}
