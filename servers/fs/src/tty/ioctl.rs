//! ioctl_tty(2).

use super::termios::{self, Termios};
use crate::Fs;
use crate::host::{Host, Port, signal_group};
use abi::Errno;
use abi::signal::SIGWINCH;
use abi::wire::MAX;

// Linux's asm-generic/ioctls.h.
const TCGETS: u32 = 0x5401;
const TCSETS: u32 = 0x5402;
const TCSETSF: u32 = 0x5404;
const TCSBRK: u32 = 0x5409;
const TCXONC: u32 = 0x540a;
const TCFLSH: u32 = 0x540b;
const TIOCEXCL: u32 = 0x540c;
const TIOCNXCL: u32 = 0x540d;
const TIOCSCTTY: u32 = 0x540e;
const TIOCGPGRP: u32 = 0x540f;
const TIOCSPGRP: u32 = 0x5410;
const TIOCOUTQ: u32 = 0x5411;
const TIOCSTI: u32 = 0x5412;
const TIOCGWINSZ: u32 = 0x5413;
const TIOCSWINSZ: u32 = 0x5414;
const TIOCNOTTY: u32 = 0x5422;
const TIOCGSID: u32 = 0x5429;
const TCSBRKP: u32 = 0x5425;

impl Fs {
    /// ioctl(2) on a terminal; `master` for one through its other end.
    pub(crate) fn tty_ioctl<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        (request, arg): (u32, u64),
        master: bool,
    ) -> Result<i64, Errno> {
        match request {
            TCGETS => {
                let termios = self.ttys[id].line.termios.to_bytes();
                port.write(arg, &termios).map(|()| 0)
            }
            TCSETS..=TCSETSF => {
                self.may_change(port, id)?;
                let mut buffer = [0; MAX];
                let bytes = port.read(arg, termios::SIZE, &mut buffer)?;
                let bytes = bytes.try_into().map_err(|_| Errno::EFAULT)?;
                let line = &mut self.ttys[id].line;
                if request == TCSETSF {
                    line.flush();
                }
                line.set(Termios::from_bytes(bytes));
                self.dirty = true;
                Ok(0)
            }
            TIOCGWINSZ => port.write(arg, &self.ttys[id].size).map(|()| 0),
            TIOCSWINSZ => {
                let mut buffer = [0; MAX];
                let size = port.read(arg, 8, &mut buffer)?;
                let size = size.try_into().map_err(|_| Errno::EFAULT)?;
                self.resize_tty(port.host, id, size);
                Ok(0)
            }
            TCFLSH => {
                self.may_change(port, id)?;
                match arg {
                    0 | 2 => self.ttys[id].line.flush(),
                    1 => {}
                    _ => return Err(Errno::EINVAL),
                }
                self.dirty = true;
                Ok(0)
            }
            TCSBRK | TCSBRKP | TCXONC => self.may_change(port, id).map(|()| 0),
            TIOCEXCL | TIOCNXCL => Ok(0),
            TIOCOUTQ => port.write(arg, &[0; 4]).map(|()| 0),
            TIOCSTI => {
                let mut buffer = [0; MAX];
                let byte = port.read(arg, 1, &mut buffer)?[0];
                self.type_into(port.host, id, &[byte]);
                Ok(0)
            }
            _ => self.job_control(port, id, (request, arg), master),
        }
    }

    fn job_control<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
        (request, arg): (u32, u64),
        master: bool,
    ) -> Result<i64, Errno> {
        let caller = self.caller(port)?;
        let tty = &self.ttys[id];
        let own = tty.session == Some(caller.sid);
        match request {
            TIOCGPGRP | TIOCGSID if !own && !master => Err(Errno::ENOTTY),
            TIOCGPGRP => port.write(arg, &tty.foreground.to_le_bytes()).map(|()| 0),
            TIOCGSID => {
                let session = tty.session.ok_or(Errno::ENOTTY)?;
                port.write(arg, &session.to_le_bytes()).map(|()| 0)
            }
            TIOCSPGRP => {
                self.may_change(port, id)?;
                if !own {
                    return Err(Errno::ENOTTY);
                }
                let mut buffer = [0; MAX];
                let group = port.read(arg, 4, &mut buffer)?;
                let group = i32::from_le_bytes(group.try_into().map_err(|_| Errno::EFAULT)?);
                let group = u32::try_from(group).map_err(|_| Errno::EINVAL)?;
                match port.session_of_group(group)? {
                    sid if sid == caller.sid => {}
                    _ => return Err(Errno::EPERM),
                }
                self.ttys[id].foreground = group;
                self.dirty = true;
                Ok(0)
            }
            TIOCSCTTY => {
                if caller.tgid == caller.sid && own {
                    return Ok(0);
                }
                if caller.tgid != caller.sid || self.tty_of_session(caller.sid).is_some() {
                    return Err(Errno::EPERM);
                }
                if tty.session.is_some() && (arg != 1 || caller.uid[1] != 0) {
                    return Err(Errno::EPERM);
                }
                self.take_tty(id, &caller);
                Ok(0)
            }
            TIOCNOTTY if !own => Err(Errno::ENOTTY),
            TIOCNOTTY => {
                // Only a leader takes it from the whole session.
                if caller.tgid == caller.sid {
                    self.disassociate(port.host, id);
                }
                Ok(0)
            }
            _ => Err(Errno::ENOTTY),
        }
    }

    /// A terminal's window has this size now; who uses it is told of a change.
    pub(crate) fn resize_tty(&mut self, host: &mut impl Host, id: u32, size: [u8; 8]) {
        let tty = &mut self.ttys[id];
        let before = core::mem::replace(&mut tty.size, size);
        if before != size && tty.foreground != 0 {
            signal_group(host, tty.foreground, SIGWINCH);
        }
    }
}
