//! The debug registers of a tracee, as `struct user` shows them, and the breakpoints that they make.
//!
//! As on Linux a register that has been given an address, or a breakpoint enabled, has a breakpoint
//! from then on, whose kind, length and alignment are checked even while it is disabled; the control
//! register is shown as it was written.

use crate::Procmgr;
use crate::machine::{BreakOn, Breakpoint, Breakpoints, Machine};
use abi::user::TASK_SIZE_MAX;
use abi::{Errno, TaskId};

/// The bits of DR6 that are shown inverted.
const DR6_RESERVED: u64 = 0xffff_0ff0;
/// The bits of DR6 that say which breakpoints were hit, and that an instruction was stepped.
const DR6_HITS: u64 = 0xf;
const DR6_STEP: u64 = 0x4000;
/// The processor's words for a kind and a length in DR7; both for a write to one byte.
const WRITE: u64 = 1;
const ACCESS: u64 = 3;
const ONE_BYTE_WRITE: u64 = WRITE;

/// The debug registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DebugRegisters {
    slots: [Option<Slot>; 4],
    /// DR6, with [`DR6_RESERVED`] inverted.
    status: u64,
    control: u64,
}

/// A breakpoint, enabled or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Slot {
    addr: u64,
    /// Kind and length: its four bits of DR7.
    what: u64,
    enabled: bool,
}

impl Slot {
    /// EINVAL: an address that no program has, a kind or length that there is not, an address that
    /// is no multiple of the length.
    fn breakpoint(&self) -> Result<Breakpoint, Errno> {
        let size = match self.what >> 2 {
            0 => 1,
            1 => 2,
            2 => 8,
            _ => 4,
        };
        let on = match self.what & 3 {
            0 if size == 1 => BreakOn::Execute,
            WRITE => BreakOn::Write(size),
            ACCESS => BreakOn::Access(size),
            _ => return Err(Errno::EINVAL),
        };
        if self.addr >= TASK_SIZE_MAX || !self.addr.is_multiple_of(size.into()) {
            return Err(Errno::EINVAL);
        }
        let addr = self.addr;
        Ok(Breakpoint { addr, on })
    }
}

impl DebugRegisters {
    /// Register `n`.
    pub(super) fn get(&self, n: usize) -> u64 {
        match n {
            0..=3 => self.slots[n].map_or(0, |slot| slot.addr),
            6 => self.status ^ DR6_RESERVED,
            7 => self.control,
            _ => 0,
        }
    }

    /// Sets register `n`, or changes nothing. EINVAL: no breakpoint that there can be. EIO: not a
    /// register that can be written.
    pub(super) fn set(&mut self, n: usize, value: u64) -> Result<(), Errno> {
        match n {
            0..=3 => {
                let new = Slot {
                    what: ONE_BYTE_WRITE,
                    ..Slot::default()
                };
                let addr = value;
                let slot = Slot {
                    addr,
                    ..self.slots[n].unwrap_or(new)
                };
                slot.breakpoint()?;
                self.slots[n] = Some(slot);
            }
            6 => self.status = value ^ DR6_RESERVED,
            7 => {
                self.slots = self.controlled(value)?;
                self.control = value;
            }
            _ => return Err(Errno::EIO),
        }
        Ok(())
    }

    /// The breakpoints as a value of DR7 makes them.
    fn controlled(&self, control: u64) -> Result<[Option<Slot>; 4], Errno> {
        let mut slots = self.slots;
        for (n, slot) in slots.iter_mut().enumerate() {
            let enabled = control >> (2 * n) & 3 != 0;
            if slot.is_none() && !enabled {
                continue;
            }
            let new = Slot {
                addr: slot.map_or(0, |slot| slot.addr),
                what: control >> (16 + 4 * n) & 0xf,
                enabled,
            };
            new.breakpoint()?;
            *slot = Some(new);
        }
        Ok(slots)
    }

    /// What the processor is to watch for.
    fn breakpoints(&self) -> Breakpoints {
        let armed = |slot: Option<Slot>| slot.filter(|s| s.enabled)?.breakpoint().ok();
        self.slots.map(armed)
    }

    /// A debug exception of the task's, with these bits of DR6. Whether it was a step.
    pub(crate) fn trapped(&mut self, status: u64) -> bool {
        self.status = status & (DR6_HITS | DR6_STEP);
        status & DR6_STEP != 0
    }

    /// The same for one that was nothing but a step.
    pub(crate) fn stepped(&mut self) {
        self.status = DR6_STEP;
    }

    /// Those of a task that one with these creates: its breakpoints are not inherited, though the
    /// control register still tells of them.
    pub(crate) fn of_child(&self) -> DebugRegisters {
        DebugRegisters {
            slots: [None; 4],
            ..*self
        }
    }
}

impl Procmgr {
    /// Sets a stopped tracee's debug register `n`.
    pub(super) fn set_debug_register(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        n: usize,
        value: u64,
    ) -> Result<(), Errno> {
        let has_thread = self.task(id).space.is_some();
        let debug = &mut self.task_mut(id).trace.debug;
        let before = debug.breakpoints();
        debug.set(n, value)?;
        let after = debug.breakpoints();
        if has_thread && before != after {
            m.set_breakpoints(id, &after);
        }
        Ok(())
    }

    /// A new program has no breakpoints.
    pub(crate) fn clear_breakpoints(&mut self, m: &mut impl Machine, id: TaskId) {
        let debug = &mut self.task_mut(id).trace.debug;
        let armed = debug.breakpoints() != [None; 4];
        *debug = DebugRegisters::default();
        if armed {
            m.set_breakpoints(id, &[None; 4]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_breakpoint_is_checked_as_a_whole_and_an_error_changes_nothing() {
        let mut debug = DebugRegisters::default();
        assert_eq!(debug.set(7, 0xffff_0000), Ok(()), "nothing to be checked");
        assert_eq!(debug.set(0, 0x1004), Ok(()));
        assert_eq!(debug.set(7, 0x000d_0001), Ok(()));
        let armed = Breakpoint {
            addr: 0x1004,
            on: BreakOn::Write(4),
        };
        assert_eq!(debug.breakpoints(), [Some(armed), None, None, None]);
        let before = debug;
        for bad in [
            0x0009_0001,
            0x0002_0001,
            0x0004_0001,
            0x000d_0000 | 0x20_0004,
        ] {
            assert_eq!(debug.set(7, bad), Err(Errno::EINVAL), "{bad:#x}");
        }
        for bad in [0x1002, 1 << 47, u64::MAX] {
            assert_eq!(debug.set(0, bad), Err(Errno::EINVAL), "{bad:#x}");
        }
        assert_eq!([debug.set(4, 0), debug.set(5, 0)], [Err(Errno::EIO); 2]);
        assert_eq!(debug, before);
    }

    #[test]
    fn a_child_has_the_control_register_and_no_breakpoint() {
        let mut debug = DebugRegisters::default();
        debug.set(3, 0x1000).unwrap();
        debug.set(7, 0xf000_0080).unwrap();
        let child = debug.of_child();
        assert_eq!((child.get(3), child.get(7)), (0, 0xf000_0080));
        assert_eq!(child.breakpoints(), [None; 4]);
    }
}
