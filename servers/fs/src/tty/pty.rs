//! Pseudo-terminals (pty(7)): a terminal whose other end is a program.

use super::{MAX_OUTPUT, Pty, Tty};
use crate::Fs;
use crate::anon::{Anon, Kind, READABLE, WRITABLE};
use crate::dev::Device;
use crate::host::{Host, Port};
use crate::io::Io;
use crate::tree::{Body, Inode, Mount, Node, Times};
use abi::Errno;
use abi::linux::general::POLLHUP;
use abi::wire::{MAX, MAX_DATA};
use alloc::collections::VecDeque;
use alloc::format;
use alloc::vec::Vec;

const TIOCGPTN: u32 = 0x8004_5430;
const TIOCSPTLCK: u32 = 0x4004_5431;
const TIOCGPTLCK: u32 = 0x8004_5439;

/// The first pseudo-terminal's number among the terminals, behind the console's and the serial port's;
/// /dev/pts begins with 0.
pub(crate) const FIRST_PTY: u32 = 2;

/// The other end of a terminal.
#[derive(Clone, Hash)]
pub(crate) struct Master(u32);

impl Fs {
    /// Opening /dev/ptmx makes a pseudo-terminal; its master.
    pub(crate) fn new_pty<H: Host>(&mut self, port: &mut Port<'_, H>) -> Result<Node, Errno> {
        if self.ttys.room() == 0 {
            return Err(Errno::ENOSPC);
        }
        if self.anons.room() == 0 {
            return Err(Errno::ENFILE);
        }
        let (_, now) = port.time()?;
        let caller = self.caller(port)?;
        let id = self.ttys.insert(Tty::default()).ok_or(Errno::ENOSPC)?;
        let name = format!("{}", id - FIRST_PTY);
        let mut inode = Inode::new(Mount::Dev, 0o620, Body::Device(Device::Pts(id)));
        (inode.uid, inode.gid) = port.who.ids();
        inode.times = Times::all(now);
        inode.uid = caller.uid[1];
        inode.gid = 5;
        let Some(node) = self.tree.add(self.tree.pts, name.as_bytes(), inode) else {
            self.ttys.remove(id);
            return Err(Errno::ENOSPC);
        };
        self.ttys[id].pty = Some(Pty {
            output: VecDeque::new(),
            locked: true,
            node,
            master: true,
            slaves: 0,
            opened: false,
            activity: (0, 0),
        });
        let kind = Kind::Master(Master(id));
        let anon = self.anons.insert(Anon {
            holds: 0,
            owner: (0, 0),
            kind,
        });
        Ok(Node::Anon(anon.ok_or(Errno::ENFILE)?))
    }

    /// The terminal that /dev/tty stands for: ENXIO for a session without one.
    pub(crate) fn own_tty<H: Host>(&mut self, port: &mut Port<'_, H>) -> Result<Node, Errno> {
        let caller = self.caller(port)?;
        let id = self.tty_of_session(caller.sid).ok_or(Errno::ENXIO)?;
        match &self.ttys[id].pty {
            Some(pty) => Ok(Node::Inode(pty.node)),
            None if id == super::SERIAL => Ok(self.device_node(b"ttyS1")),
            None => Ok(self.device_node(b"console")),
        }
    }

    fn pty(&mut self, id: u32) -> Option<&mut Pty> {
        self.ttys[id].pty.as_mut()
    }

    /// EIO for a pseudo-terminal that is still locked, or has no master.
    pub(crate) fn may_open_tty(&self, id: u32) -> Result<(), Errno> {
        match &self.ttys[id].pty {
            Some(pty) if pty.locked || !pty.master => Err(Errno::EIO),
            _ => Ok(()),
        }
    }

    /// A file of a pseudo-terminal is opened.
    pub(crate) fn hold_pts(&mut self, id: u32) {
        if let Some(pty) = self.pty(id) {
            pty.slaves += 1;
            pty.opened = true;
        }
    }

    /// A file of a pseudo-terminal is closed.
    pub(crate) fn release_pts(&mut self, id: u32) {
        let Some(pty) = self.pty(id) else { return };
        pty.slaves -= 1;
        if pty.slaves == 0 {
            pty.activity.0 += 1;
            if !pty.master {
                self.ttys.remove(id);
            }
        }
        self.dirty = true;
    }

    /// The master is closed: its terminal hangs up at the end of the report, when there is
    /// somebody to tell it to.
    pub(crate) fn release_master(&mut self, master: &Master) {
        self.hang_ups.push(master.0);
    }

    /// Lets the terminals hang up whose masters are closed.
    pub(crate) fn settle_hang_ups(&mut self, host: &mut impl Host) {
        for id in core::mem::take(&mut self.hang_ups) {
            self.hang_up(host, id);
            let now = crate::host::time(host).map_or(0, |(_, now)| now);
            let Some(pty) = self.pty(id) else { continue };
            pty.master = false;
            let (node, unused) = (pty.node, pty.slaves == 0);
            let name = self.tree.get(node).name.clone();
            let pts = self.tree.pts;
            self.remove_name(pts, &name, Node::Inode(node), now);
            if unused {
                self.ttys.remove(id);
            }
        }
    }

    /// Reads what was written to the terminal: EIO once nobody has it open.
    pub(crate) fn read_master<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        io: &mut Io,
    ) -> Result<Option<i64>, Errno> {
        let Some(pty) = self.pty(id) else {
            return Err(Errno::EIO);
        };
        if pty.output.is_empty() {
            let over = pty.opened && pty.slaves == 0;
            return if over { Err(Errno::EIO) } else { Ok(None) };
        }
        let output = &mut pty.output;
        let result = io.step(output.len() as u64, |addr, len, _| {
            let count = MAX_DATA.min(len as usize);
            let bytes: Vec<u8> = output.iter().take(count).copied().collect();
            port.write(addr, &bytes)?;
            output.drain(..count);
            Ok(count as u64)
        });
        pty.activity.1 += 1;
        self.dirty = true;
        result.map(|()| Some(io.done()))
    }

    /// Types into the terminal.
    pub(crate) fn write_master<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        io: &mut Io,
    ) -> Result<Option<i64>, Errno> {
        let mut typed = Vec::new();
        io.step(MAX_OUTPUT as u64, |addr, len, _| {
            let mut buffer = [0; MAX];
            let bytes = port.read(addr, MAX_DATA.min(len as usize), &mut buffer)?;
            typed.extend_from_slice(bytes);
            Ok(bytes.len() as u64)
        })?;
        self.type_into(port.host, id, &typed);
        Ok(Some(io.done()))
    }

    pub(crate) fn master_readiness(&self, master: &Master) -> u32 {
        let Some(pty) = &self.ttys[master.0].pty else {
            return POLLHUP;
        };
        let readable = if pty.output.is_empty() { 0 } else { READABLE };
        let over = if pty.opened && pty.slaves == 0 {
            POLLHUP
        } else {
            0
        };
        readable | WRITABLE | over
    }

    pub(crate) fn master_activity(&self, master: &Master) -> (u64, u64) {
        let pty = self.ttys[master.0].pty.as_ref();
        pty.map_or((0, 0), |pty| pty.activity)
    }

    /// ioctl(2) on a master.
    pub(crate) fn master_ioctl<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        (request, arg): (u32, u64),
    ) -> Result<i64, Errno> {
        let pty = self.pty(id).ok_or(Errno::EIO)?;
        match request {
            TIOCGPTN => port.write(arg, &(id - FIRST_PTY).to_le_bytes()).map(|()| 0),
            TIOCSPTLCK => {
                let mut buffer = [0; MAX];
                pty.locked = port.read(arg, 4, &mut buffer)? != [0; 4];
                Ok(0)
            }
            TIOCGPTLCK => {
                let locked = u32::from(pty.locked);
                port.write(arg, &locked.to_le_bytes()).map(|()| 0)
            }
            _ => self.tty_ioctl(port, id, (request, arg), true),
        }
    }
}

impl Master {
    /// The terminal's number.
    pub fn tty(&self) -> u32 {
        self.0
    }
}
