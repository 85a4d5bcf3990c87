//! munmap(2).

use super::Memory;
use super::layout::{USER_END, is_aligned, round_up};
use crate::machine::{Machine, SpaceIx};
use abi::Errno;

impl Memory {
    /// munmap(2). EINVAL; ENOMEM when it would leave too many pieces.
    pub fn unmap(
        &mut self,
        m: &mut impl Machine,
        s: SpaceIx,
        addr: u64,
        len: u64,
    ) -> Result<(), Errno> {
        let end = end_of(addr, len)?;
        let mut site = self.site(m, s);
        let pieces = site.space.vmas.pieces(addr, end);
        let room = site.space.vmas.reserve(pieces);
        room.map_err(|_| Errno::ENOMEM)?;
        site.clear(addr, end);
        Ok(())
    }
}

/// The end of a range of a task's pages, which is not empty. EINVAL.
pub(super) fn end_of(addr: u64, len: u64) -> Result<u64, Errno> {
    let room = USER_END.checked_sub(addr).ok_or(Errno::EINVAL)?;
    match round_up(len) {
        Some(len) if is_aligned(addr) && (1..=room).contains(&len) => Ok(addr + len),
        _ => Err(Errno::EINVAL),
    }
}
