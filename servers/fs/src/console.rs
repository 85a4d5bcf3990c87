//! The console: what comes in is kept until somebody reads it.

use crate::Fs;
use crate::dev::Device;
use crate::host::{Host, Port};
use crate::io::Io;
use crate::tree::{Body, Node, ROOT};
use crate::tty::CONSOLE;
use abi::Errno;
use abi::archive::TERMINAL_PATH;
use abi::wire::{MAX, MAX_DATA};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// The most bytes that are kept unread.
const CAPACITY: usize = 65536;
/// The byte that the sender puts before a command, and twice for itself.
const ESCAPE: u8 = 0xff;
/// The command that ends the input.
const END: u8 = 0x04;
/// The command that tells of the window's size: rows and columns follow, two bytes each.
const RESIZE: u8 = 0x06;

/// The console's input.
#[derive(Clone, Default, Hash)]
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
    /// The bytes of a window's size that are still to come, and those that have come.
    size_left: usize,
    size_bytes: [u8; 8],
    /// The window has got this size.
    size: Option<[u8; 8]>,
}

impl Console {
    /// Whether it is a terminal.
    pub fn tty(&self) -> bool {
        self.tty
    }

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
        let mut acknowledged = false;
        loop {
            let room = (CAPACITY - self.ring.len()).min(bytes.len());
            if room == 0 {
                self.unacknowledged = true;
                return;
            }
            let count = host.stdin(&mut bytes[..room]).min(room);
            if count == 0 && acknowledged {
                return;
            }
            if count == 0 {
                self.unacknowledged = false;
                host.console_ack();
                // The interrupt controller forgets an edge that came before, so what came with it is still
                // to be taken.
                acknowledged = true;
                continue;
            }
            self.activity += 1;
            for &byte in &bytes[..count] {
                self.take(byte);
            }
        }
    }

    /// Undoes the framing. An unknown command means nothing.
    fn take(&mut self, byte: u8) {
        if self.size_left > 0 {
            self.size_bytes[4 - self.size_left] = byte;
            self.size_left -= 1;
            if self.size_left == 0 {
                self.size = Some(self.size_bytes);
            }
            return;
        }
        match (core::mem::take(&mut self.escaped), byte) {
            (false, ESCAPE) => self.escaped = true,
            (true, END) => self.ended = true,
            (true, RESIZE) => self.size_left = 4,
            (false, _) | (true, ESCAPE) if !self.ended => self.ring.push_back(byte),
            _ => {}
        }
    }
}

impl Fs {
    /// Makes the console a terminal, with a window of this many rows and columns.
    pub fn set_terminal(&mut self, host: &mut impl Host, rows: u16, columns: u16) {
        self.console.tty = true;
        let ([a, b], [c, d]) = (rows.to_le_bytes(), columns.to_le_bytes());
        self.resize_tty(host, CONSOLE, [a, b, c, d, 0, 0, 0, 0]);
    }

    /// Reads from the archive what kind of terminal the console is, if it is one.
    pub(crate) fn read_terminal<H: Host>(&mut self, port: &mut Port<'_, H>) {
        let root = Node::Inode(ROOT);
        let Ok(Node::Inode(ino)) = self.resolve(port, root, TERMINAL_PATH.as_bytes(), true) else {
            return;
        };
        let Body::File(range) = self.tree.get(ino).body else {
            return;
        };
        let mut buffer = [0; MAX];
        if range.size == 4
            && let Ok(&[a, b, c, d]) = port.read_object(range.object, range.offset, 4, &mut buffer)
        {
            let (rows, columns) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
            self.set_terminal(port.host, rows, columns);
        }
    }

    /// [`Event::Console`](abi::fs::Event::Console): bytes came in, or it is time.
    pub(crate) fn console_event(&mut self, host: &mut impl Host) {
        loop {
            self.console.drain(host);
            self.pass_on_typed(host);
            // A terminal never keeps the interrupt off: what finds no room is lost.
            if !self.console.tty || !self.console.unacknowledged {
                break;
            }
        }
        self.serial_event(host);
        self.dirty = true;
        self.expire(host);
    }

    /// A terminal's input goes through its line discipline as soon as it comes.
    fn pass_on_typed(&mut self, host: &mut impl Host) {
        if self.console.tty {
            let typed: Vec<u8> = self.console.ring.drain(..).collect();
            self.type_into(host, CONSOLE, &typed);
            if let Some(size) = self.console.size.take() {
                self.resize_tty(host, CONSOLE, size);
            }
        }
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

    /// Writes to the console, the log or the way out.
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

/// Writes bytes of our own.
pub(crate) fn put(host: &mut impl Host, device: Device, bytes: &[u8]) {
    match device {
        Device::Log => host.stderr(bytes),
        Device::Export => host.export(bytes),
        _ => host.stdout(bytes),
    }
}
