//! Breakpoints in memory, and who has the memory.

use std::collections::BTreeMap;
use std::fs::File;

use libtrace::{Errno, Pid, Result};

use super::Target;
use super::thread_local::Symbols;
use crate::request::{Point, PointKind};

/// `int3`.
const TRAP: u8 = 0xcc;

/// An address space.
#[derive(Debug, Default)]
pub(super) struct Space {
    /// What is in memory where breakpoints are.
    breakpoints: BTreeMap<u64, u8>,
    /// Its /proc/PID/mem, once it was needed.
    pub memory: Option<File>,
    /// What gdb has said of symbols in it.
    pub symbols: Symbols,
}

impl Space {
    /// A copy that a fork made.
    pub fn copied(&self) -> Space {
        Space {
            breakpoints: self.breakpoints.clone(),
            memory: None,
            symbols: self.symbols.clone(),
        }
    }

    /// Whether there is a breakpoint.
    pub fn has_breakpoint(&self, addr: u64) -> bool {
        self.breakpoints.contains_key(&addr)
    }

    /// Makes bytes read at `addr` what they are without breakpoints.
    pub fn hide(&self, addr: u64, bytes: &mut [u8]) {
        for (at, original) in self.within(addr, bytes.len()) {
            bytes[at] = *original;
        }
    }

    /// Bytes are to be written at `addr`: breakpoints stay, and what is under them becomes this.
    pub fn keep(&mut self, addr: u64, bytes: &mut [u8]) {
        let end = addr.saturating_add(bytes.len() as u64);
        for (at, original) in self.breakpoints.range_mut(addr..end) {
            *original = std::mem::replace(&mut bytes[(at - addr) as usize], TRAP);
        }
    }

    fn within(&self, addr: u64, len: usize) -> impl Iterator<Item = (usize, &u8)> {
        let range = addr..addr.saturating_add(len as u64);
        let breakpoints = self.breakpoints.range(range);
        breakpoints.map(move |(at, original)| ((at - addr) as usize, original))
    }
}

impl Target {
    /// Inserts a breakpoint or watchpoint for process `pid`. One that is there already stays.
    ///
    /// # Errors
    /// `ESRCH` without such a process, `ENOSYS` where the machine has nothing like it, `EFAULT` or
    /// `EIO` for memory that cannot be written, `ENOSPC` without a free debug register.
    pub fn insert(&mut self, pid: Pid, point: Point) -> Result<()> {
        let process = self.processes.get_mut(&pid).ok_or(Errno::ESRCH)?;
        match point.kind {
            PointKind::Software => self.insert_breakpoint(pid, point.addr),
            // x86 has no watchpoint for reads alone; gdb then asks for one for both.
            PointKind::Read => Err(Errno::ENOSYS),
            PointKind::Hardware | PointKind::Write | PointKind::Access => {
                let before = process.debug;
                process.debug.insert(point)?;
                let renewed = self.renew_debug_registers(pid, &point);
                if renewed.is_err()
                    && let Some(process) = self.processes.get_mut(&pid)
                {
                    process.debug = before;
                }
                renewed
            }
        }
    }

    /// Removes a breakpoint or watchpoint. One that is not there is no error.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub fn remove(&mut self, pid: Pid, point: &Point) -> Result<()> {
        let process = self.processes.get_mut(&pid).ok_or(Errno::ESRCH)?;
        match point.kind {
            PointKind::Software => self.remove_breakpoint(pid, point.addr),
            PointKind::Read => Err(Errno::ENOSYS),
            PointKind::Hardware | PointKind::Write | PointKind::Access => {
                process.debug.remove(point);
                for tid in self.tids_of(pid) {
                    self.interrupt(tid);
                }
                Ok(())
            }
        }
    }

    /// Has the tasks of process `pid` take over a new point: stopped ones at once, because the kernel may
    /// refuse it, running ones in a stop of their own. Tasks that still have it from before do nothing:
    /// gdb removes all points at each stop, and inserts them again.
    fn renew_debug_registers(&mut self, pid: Pid, point: &Point) -> Result<()> {
        let debug = self.processes.get(&pid).ok_or(Errno::ESRCH)?.debug;
        for tid in self.tids_of(pid) {
            self.interrupt(tid);
            if let Some(task) = self.tasks.get_mut(&tid)
                && task.is_stopped()
                && !debug.agrees(&task.debug, point)
            {
                debug.apply(tid, &task.debug)?;
                task.debug = debug;
            }
        }
        Ok(())
    }

    fn insert_breakpoint(&mut self, pid: Pid, addr: u64) -> Result<()> {
        if self.space_of(pid).ok_or(Errno::ESRCH)?.has_breakpoint(addr) {
            return Ok(());
        }
        let mut original = [0];
        if self.read_plain(pid, addr, &mut original)? != 1 {
            return Err(Errno::EFAULT);
        }
        self.write_plain(pid, addr, &[TRAP])?;
        let space = self.space_of(pid).ok_or(Errno::ESRCH)?;
        space.breakpoints.insert(addr, original[0]);
        Ok(())
    }

    fn remove_breakpoint(&mut self, pid: Pid, addr: u64) -> Result<()> {
        let space = self.space_of(pid).ok_or(Errno::ESRCH)?;
        let Some(&original) = space.breakpoints.get(&addr) else {
            return Ok(());
        };
        // What has been unmapped needs no restoring.
        let written = self.write_plain(pid, addr, &[original]);
        if let Some(space) = self.space_of(pid) {
            space.breakpoints.remove(&addr);
        }
        match written {
            Err(Errno::EIO | Errno::EFAULT) => Ok(()),
            other => other,
        }
    }

    /// Removes all breakpoints of process `pid` from its memory.
    pub(super) fn remove_breakpoints(&mut self, pid: Pid) {
        let Some(space) = self.space_of(pid) else {
            return;
        };
        for addr in space.breakpoints.keys().copied().collect::<Vec<_>>() {
            let _ = self.remove_breakpoint(pid, addr);
        }
    }

    /// Takes the breakpoints out of the memory of process `pid` without forgetting them.
    pub(super) fn lift_breakpoints(&mut self, pid: Pid) {
        self.write_all_breakpoints(pid, |original| original);
    }

    /// Puts them back.
    pub(super) fn lay_breakpoints(&mut self, pid: Pid) {
        self.write_all_breakpoints(pid, |_| TRAP);
    }

    fn write_all_breakpoints(&mut self, pid: Pid, byte: impl Fn(u8) -> u8) {
        let space = self.space_of(pid);
        let all = space.map(|space| space.breakpoints.clone());
        for (addr, original) in all.unwrap_or_default() {
            let _ = self.write_plain(pid, addr, &[byte(original)]);
        }
    }

    /// Whether process `pid` has a breakpoint in memory at `addr`.
    pub(super) fn has_breakpoint(&mut self, pid: Pid, addr: u64) -> bool {
        let space = self.space_of(pid);
        space.is_some_and(|space| space.has_breakpoint(addr))
    }
}
