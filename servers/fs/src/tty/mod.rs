//! Terminals: the console when it is one, the second serial port, and pseudo-terminals.

mod control;
mod ioctl;
mod line;
mod pty;
mod serial;
mod termios;

use crate::Fs;
use crate::anon::{READABLE, WRITABLE};
use crate::dev::Device;
use crate::host::{Host, Port, signal_group};
use crate::io::Io;
use crate::tree::{Ino, Node};
use abi::Errno;
use abi::linux::general::{POLLERR, POLLHUP};
use abi::wire::{MAX, MAX_DATA};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use line::Line;
use serial::Wire;

pub(crate) use pty::{FIRST_PTY, Master};
pub(crate) use serial::SERIAL;

/// The most terminals: the console, the serial port, and the pseudo-terminals.
pub const MAX_TTYS: usize = 66;
/// The console's number among the terminals.
pub(crate) const CONSOLE: u32 = 0;
/// The most bytes that wait for a pseudo-terminal's master, or for the serial port.
const MAX_OUTPUT: usize = 65536;

/// A terminal.
#[derive(Clone, Default, Hash)]
pub(crate) struct Tty {
    pub line: Line,
    /// struct winsize.
    size: [u8; 8],
    /// The session it controls, and its foreground group.
    session: Option<u32>,
    foreground: u32,
    /// Nobody is at the other end any more: reads give 0, writes EIO.
    hung_up: bool,
    /// A pseudo-terminal's.
    pty: Option<Pty>,
    /// The serial port's.
    wire: Option<Wire>,
}

/// What only a pseudo-terminal has.
#[derive(Clone, Hash)]
struct Pty {
    /// What was written and its master has not read.
    output: VecDeque<u8>,
    locked: bool,
    /// Its file in /dev/pts, while it has a master.
    node: Ino,
    master: bool,
    /// Open files of it, and whether there ever was one.
    slaves: u32,
    opened: bool,
    /// How often something came to read for the master, and how often there was new room.
    activity: (u64, u64),
}

impl Tty {
    /// How many bytes can be written before somebody has to take some.
    fn room(&self) -> usize {
        match (&self.pty, &self.wire) {
            (Some(pty), _) => MAX_OUTPUT - pty.output.len(),
            (_, Some(wire)) => wire.room(),
            _ => usize::MAX,
        }
    }
}

impl Fs {
    /// The terminal behind a node, if there is one.
    pub(crate) fn tty_of(&self, node: Node) -> Option<u32> {
        match self.device(node)? {
            Device::Pts(number) => Some(number),
            Device::Line => Some(SERIAL),
            Device::Tty | Device::Console | Device::Serial if self.console.tty() => Some(CONSOLE),
            _ => None,
        }
    }

    /// Bytes come in from where the user is.
    pub(crate) fn type_into(&mut self, host: &mut impl Host, id: u32, bytes: &[u8]) {
        for &byte in bytes {
            let mut echo = Vec::new();
            let tty = &mut self.ttys[id];
            let signal = tty.line.receive(byte, &mut echo);
            let foreground = tty.foreground;
            let shown = tty.line.shown(&echo);
            self.show(host, id, &shown);
            if let Some(signal) = signal
                && foreground != 0
            {
                signal_group(host, foreground, signal);
            }
        }
        self.dirty = true;
    }

    /// Shows bytes as they are; what finds no room is lost, as an echo may be.
    fn show(&mut self, host: &mut impl Host, id: u32, bytes: &[u8]) {
        if id == SERIAL {
            return self.send_serial(host, bytes);
        }
        let Some(pty) = &mut self.ttys[id].pty else {
            return host.stdout(bytes);
        };
        let room = MAX_OUTPUT - pty.output.len();
        pty.output.extend(&bytes[..bytes.len().min(room)]);
        pty.activity.0 += u64::from(!bytes.is_empty());
        self.dirty = true;
    }

    /// read(2) from a terminal.
    pub(crate) fn read_tty<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        io: &mut Io,
    ) -> Result<Option<i64>, Errno> {
        if self.ttys[id].hung_up {
            return Ok(Some(0));
        }
        self.may_read(port, id)?;
        let line = &mut self.ttys[id].line;
        let most = usize::try_from(io.total).unwrap_or(usize::MAX);
        let Some(count) = line.available(most) else {
            if io.expired {
                return Ok(Some(0));
            }
            if let (Some(patience), None) = (line.patience(), io.deadline) {
                io.deadline = Some(port.time()?.0.saturating_add(patience));
            }
            return Ok(None);
        };
        let bytes = line.peek(count);
        let result = io.step(count as u64, |addr, len, moved| {
            let moved = moved as usize;
            port.write(addr, &bytes[moved..moved + len as usize])?;
            Ok(len)
        });
        self.ttys[id].line.took(io.moved as usize);
        if id == SERIAL {
            self.drain_serial(port.host);
        }
        self.dirty = true;
        result.map(|()| Some(io.done()))
    }

    /// write(2) to a terminal; none while its other end does not read.
    pub(crate) fn write_tty<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        io: &mut Io,
    ) -> Result<Option<i64>, Errno> {
        if self.ttys[id].hung_up {
            return Err(Errno::EIO);
        }
        self.may_write(port, id)?;
        // Each byte may become two.
        let room = self.ttys[id].room() as u64 / 2;
        if room == 0 {
            return Ok(None);
        }
        let mut shown = Vec::new();
        io.step(room, |addr, len, _| {
            let mut buffer = [0; MAX];
            let bytes = port.read(addr, MAX_DATA.min(len as usize), &mut buffer)?;
            shown.extend(self.ttys[id].line.shown(bytes));
            Ok(bytes.len() as u64)
        })?;
        self.show(port.host, id, &shown);
        Ok(io.finished().then(|| io.done()))
    }

    /// Writes bytes of our own to a terminal; how many.
    pub(crate) fn push_tty<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        bytes: &[u8],
    ) -> Result<usize, Errno> {
        if self.ttys[id].hung_up {
            return Err(Errno::EIO);
        }
        let shown = self.ttys[id].line.shown(bytes);
        if self.ttys[id].room() < shown.len() {
            return Ok(0);
        }
        self.show(port.host, id, &shown);
        Ok(bytes.len())
    }

    /// How often something has come to read.
    pub(crate) fn tty_activity(&self, id: u32) -> u64 {
        self.ttys[id].line.activity
    }

    /// How many bytes FIONREAD tells of.
    pub(crate) fn tty_unread(&self, id: u32) -> u64 {
        self.ttys[id].line.unread() as u64
    }

    pub(crate) fn tty_readiness(&self, id: u32) -> u32 {
        let tty = &self.ttys[id];
        if tty.hung_up {
            return READABLE | WRITABLE | POLLHUP | POLLERR;
        }
        let writable = if tty.room() < 2 { 0 } else { WRITABLE };
        let readable = if tty.line.readable() { READABLE } else { 0 };
        readable | writable
    }
}
