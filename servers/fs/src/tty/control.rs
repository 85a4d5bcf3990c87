//! Who may use a terminal: sessions and foreground groups (credentials(7), "Sessions").

use super::termios::TOSTOP;
use crate::Fs;
use crate::host::{Host, Port, signal_group};
use abi::Errno;
use abi::fs::TaskStatus;
use abi::signal::{SIGCONT, SIGHUP, SIGTTIN, SIGTTOU};

impl Fs {
    /// The caller, as the process manager knows it.
    pub(crate) fn caller<H: Host>(&self, port: &mut Port<'_, H>) -> Result<TaskStatus, Errno> {
        let tid = self.tasks.get(port.task).ok_or(Errno::ESRCH)?.tid;
        port.status(tid)
    }

    /// The terminal that controls a session.
    pub(crate) fn tty_of_session(&self, sid: u32) -> Option<u32> {
        let mut ttys = self.ttys.iter();
        let own = ttys.find(|(_, tty)| tty.session == Some(sid))?.0;
        // A console that is no terminal controls nobody.
        (own != super::CONSOLE || self.console.tty()).then_some(own)
    }

    /// A terminal's foreground group.
    pub(crate) fn foreground(&self, id: u32) -> u32 {
        self.ttys[id].foreground
    }

    /// The first process has the console for its session.
    pub(crate) fn give_console(&mut self, sid: u32) {
        let console = &mut self.ttys[super::CONSOLE];
        console.session = Some(sid);
        console.foreground = sid;
    }

    /// A terminal is opened: a session leader without one gets it.
    pub(crate) fn tty_opened<H: Host>(
        &mut self,
        port: &mut Port<'_, H>,
        id: u32,
    ) -> Result<(), Errno> {
        let caller = self.caller(port)?;
        if caller.tgid == caller.sid
            && self.ttys[id].session.is_none()
            && self.tty_of_session(caller.sid).is_none()
        {
            self.take_tty(id, &caller);
        }
        Ok(())
    }

    pub(super) fn take_tty(&mut self, id: u32, caller: &TaskStatus) {
        let tty = &mut self.ttys[id];
        tty.session = Some(caller.sid);
        tty.foreground = caller.pgid;
    }

    /// Whether the caller is in the background of its own terminal; it then.
    fn background<H: Host>(
        &self,
        port: &mut Port<'_, H>,
        id: u32,
    ) -> Result<Option<TaskStatus>, Errno> {
        let caller = self.caller(port)?;
        let tty = &self.ttys[id];
        let own = tty.session == Some(caller.sid);
        Ok((own && tty.foreground != caller.pgid).then_some(caller))
    }

    /// Reading from the background is SIGTTIN, or EIO for who cannot be stopped.
    pub(super) fn may_read<H: Host>(&self, port: &mut Port<'_, H>, id: u32) -> Result<(), Errno> {
        let Some(caller) = self.background(port, id)? else {
            return Ok(());
        };
        let deaf = caller.blocked.has(SIGTTIN) || caller.ignored.has(SIGTTIN);
        if deaf || caller.orphaned {
            return Err(Errno::EIO);
        }
        signal_group(port.host, caller.pgid, SIGTTIN);
        Err(Errno::ERESTARTSYS)
    }

    /// Writing from the background is SIGTTOU, where the terminal wants it.
    pub(super) fn may_write<H: Host>(&self, port: &mut Port<'_, H>, id: u32) -> Result<(), Errno> {
        if !self.ttys[id].line.termios.local(TOSTOP) {
            return Ok(());
        }
        self.may_change(port, id)
    }

    /// Changing a terminal from the background is SIGTTOU, unless that is blocked or ignored.
    pub(super) fn may_change<H: Host>(&self, port: &mut Port<'_, H>, id: u32) -> Result<(), Errno> {
        let Some(caller) = self.background(port, id)? else {
            return Ok(());
        };
        if caller.blocked.has(SIGTTOU) || caller.ignored.has(SIGTTOU) {
            return Ok(());
        }
        if caller.orphaned {
            return Err(Errno::EIO);
        }
        signal_group(port.host, caller.pgid, SIGTTOU);
        Err(Errno::ERESTARTSYS)
    }

    /// Nobody is at the other end of a terminal any more.
    pub(crate) fn hang_up(&mut self, host: &mut impl Host, id: u32) {
        let tty = &mut self.ttys[id];
        tty.hung_up = true;
        tty.line.flush();
        self.disassociate(host, id);
    }

    /// A terminal controls its session no more: its processes are told.
    pub(super) fn disassociate(&mut self, host: &mut impl Host, id: u32) {
        let tty = &mut self.ttys[id];
        let foreground = core::mem::take(&mut tty.foreground);
        if let Some(session) = tty.session.take() {
            for group in [foreground, session] {
                if group != 0 && (group == foreground || session != foreground) {
                    signal_group(host, group, SIGHUP);
                    signal_group(host, group, SIGCONT);
                }
                if session == foreground {
                    break;
                }
            }
        }
        self.dirty = true;
    }

    /// A session's leader is dead: its terminal is free.
    pub(crate) fn leader_exited(&mut self, host: &mut impl Host, tid: u32) {
        if let Some(id) = self.tty_of_session(tid) {
            let tty = &mut self.ttys[id];
            tty.session = None;
            let foreground = core::mem::take(&mut tty.foreground);
            if foreground != 0 {
                signal_group(host, foreground, SIGHUP);
                signal_group(host, foreground, SIGCONT);
            }
        }
    }
}
