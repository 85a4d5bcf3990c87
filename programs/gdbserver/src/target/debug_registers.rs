//! The debug registers of a process's tasks: hardware breakpoints and watchpoints (Intel SDM, volume
//! 3, 17.2).

use libtrace::{Errno, Pid, Result, ptrace};

use crate::request::{Point, PointKind};

/// Offset of `u_debugreg` in Linux's `struct user`.
const U_DEBUGREG: u64 = 848;
/// The status register: which of the four has hit.
const DR6: u64 = U_DEBUGREG + 6 * 8;
/// The control register.
const DR7: u64 = U_DEBUGREG + 7 * 8;
/// How many there are.
const COUNT: usize = 4;

/// What the four registers wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DebugRegisters([Option<Slot>; COUNT]);

/// One register: part of a point, aligned to its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    point: Point,
    addr: u64,
    len: u64,
}

impl DebugRegisters {
    /// Whether all are free.
    pub fn is_empty(&self) -> bool {
        *self == DebugRegisters::default()
    }

    /// Takes the registers that `point` needs: one for each aligned part of what it watches. One that
    /// is there already needs none.
    ///
    /// # Errors
    /// `ENOSPC` where too few are free, `EINVAL` for a length of 0 and an address out of range.
    pub fn insert(&mut self, point: Point) -> Result<()> {
        if self.0.iter().flatten().any(|slot| slot.point == point) {
            return Ok(());
        }
        let parts = parts(&point)?;
        let free: Vec<_> = (0..COUNT).filter(|it| self.0[*it].is_none()).collect();
        if free.len() < parts.len() {
            return Err(Errno::ENOSPC);
        }
        for (slot, (addr, len)) in free.into_iter().zip(parts) {
            self.0[slot] = Some(Slot { point, addr, len });
        }
        Ok(())
    }

    /// Frees the registers of `point`.
    pub fn remove(&mut self, point: &Point) {
        for slot in &mut self.0 {
            slot.take_if(|slot| slot.point == *point);
        }
    }

    /// Whether `point` is there.
    pub fn has(&self, kind: impl Fn(PointKind) -> bool, addr: u64) -> bool {
        let mut slots = self.0.iter().flatten();
        slots.any(|slot| kind(slot.point.kind) && slot.addr == addr)
    }

    /// Whether the registers of `point` are the same in both.
    pub fn agrees(&self, other: &DebugRegisters, point: &Point) -> bool {
        let both = self.0.iter().zip(&other.0);
        let mut own = both.filter(|(slot, _)| slot.is_some_and(|slot| slot.point == *point));
        own.all(|(slot, other)| slot == other)
    }

    /// Makes task `tid`'s registers these, where they were `now`.
    ///
    /// # Errors
    /// What ptrace(2) lists for `POKEUSER`.
    pub fn apply(&self, tid: Pid, now: &DebugRegisters) -> Result<()> {
        // The kernel checks an address against the length in the control register, so what is
        // switched off goes first and what is switched on last.
        ptrace::pokeuser(tid, DR7, 0)?;
        for (number, (slot, now)) in self.0.iter().zip(now.0).enumerate() {
            if let Some(slot) = slot
                && now.is_none_or(|now| now.addr != slot.addr)
            {
                ptrace::pokeuser(tid, U_DEBUGREG + 8 * number as u64, slot.addr)?;
            }
        }
        match self.control() {
            0 => Ok(()),
            control => ptrace::pokeuser(tid, DR7, control),
        }
    }

    /// The point that a task's status register names, with the address that its part begins at. The
    /// status is cleared.
    ///
    /// # Errors
    /// What ptrace(2) lists.
    pub fn hit(&self, tid: Pid) -> Result<Option<(Point, u64)>> {
        let status = ptrace::peekuser(tid, DR6)?;
        let hit = self.0.iter().enumerate();
        let mut hit = hit.filter_map(|(number, slot)| {
            let slot = slot.filter(|_| status >> number & 1 != 0)?;
            Some((slot.point, slot.addr))
        });
        let hit = hit.next();
        if status & 0xf != 0 {
            ptrace::pokeuser(tid, DR6, 0)?;
        }
        Ok(hit)
    }

    fn control(&self) -> u64 {
        let slots = self.0.iter().enumerate();
        slots.fold(0, |control, (number, slot)| match slot {
            Some(slot) => control | 1 << (2 * number) | slot.bits() << (16 + 4 * number),
            None => control,
        })
    }
}

impl Slot {
    /// Its four bits in the control register: what it waits for, and its length.
    fn bits(&self) -> u64 {
        let what = match self.point.kind {
            PointKind::Software | PointKind::Hardware => 0,
            PointKind::Write => 1,
            PointKind::Read | PointKind::Access => 3,
        };
        let len = match self.len {
            8 => 2,
            len => len - 1,
        };
        what | len << 2
    }
}

/// The aligned parts of 1, 2, 4 or 8 bytes that a point consists of.
fn parts(point: &Point) -> Result<Vec<(u64, u64)>> {
    if point.kind == PointKind::Hardware {
        return Ok(vec![(point.addr, 1)]);
    }
    if point.len == 0 || point.len > 64 {
        return Err(Errno::EINVAL);
    }
    let end = point.addr.checked_add(point.len).ok_or(Errno::EINVAL)?;
    let mut parts = Vec::new();
    let mut addr = point.addr;
    while addr < end {
        let fits = |len: &u64| addr.is_multiple_of(*len) && addr + len <= end;
        let len = [8, 4, 2, 1].into_iter().find(fits).unwrap_or(1);
        parts.push((addr, len));
        addr += len;
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(addr: u64, len: u64) -> Point {
        let kind = PointKind::Write;
        Point { kind, addr, len }
    }

    #[test]
    fn a_watched_range_is_cut_into_aligned_parts() {
        assert_eq!(
            parts(&write(0x1003, 13)).unwrap(),
            [(0x1003, 1), (0x1004, 4), (0x1008, 8)]
        );
        assert_eq!(parts(&write(0x1000, 0)), Err(Errno::EINVAL));
        assert_eq!(parts(&write(u64::MAX, 2)), Err(Errno::EINVAL));
    }

    #[test]
    fn four_registers_and_no_more() {
        let mut registers = DebugRegisters::default();
        for i in 0..4 {
            registers.insert(write(0x1000 + 8 * i, 8)).unwrap();
        }
        let before = registers;
        assert_eq!(registers.insert(write(0x2000, 1)), Err(Errno::ENOSPC));
        assert_eq!(registers.insert(write(0x1008, 8)), Ok(()));
        assert_eq!(registers, before);
        registers.remove(&write(0x1008, 8));
        assert_eq!(registers.insert(write(0x2001, 3)), Err(Errno::ENOSPC));
        assert_eq!(registers.insert(write(0x2000, 1)), Ok(()));
    }

    #[test]
    fn the_control_register() {
        let mut registers = DebugRegisters::default();
        registers.insert(write(0x1000, 4)).unwrap();
        let kind = PointKind::Hardware;
        let point = Point {
            kind,
            addr: 0x401001,
            len: 1,
        };
        registers.insert(point).unwrap();
        // Write, four bytes; instruction, which has to have length one.
        assert_eq!(registers.control(), 0x000d_0005);
    }
}
