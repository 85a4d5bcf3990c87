//! A task's memory as /proc shows it: whole as mem, in parts as cmdline, environ and auxv.

use crate::host::{Host, Port};
use crate::io::Io;
use abi::Errno;
use abi::fs::{Direction, Layout};
use abi::wire::{MAX, MAX_DATA};
use alloc::vec::Vec;

/// The most bytes of a part that are shown.
const MAX_STRETCH: u64 = 1 << 20;

impl<H: Host> Port<'_, H> {
    /// A part of a task's memory; nothing where the task has it no longer.
    pub(super) fn stretch(
        &mut self,
        tid: u32,
        memory: u64,
        which: fn(&Layout) -> (u64, u64),
    ) -> Result<Vec<u8>, Errno> {
        let mut text = Vec::new();
        let Ok(layout) = self.layout(tid, memory) else {
            return Ok(text);
        };
        let (start, end) = which(&layout);
        let len = end.saturating_sub(start).min(MAX_STRETCH) as usize;
        while text.len() < len {
            let mut buffer = [0; MAX];
            let count = (len - text.len()).min(MAX_DATA);
            match self.peek(memory, start + text.len() as u64, count, &mut buffer) {
                Ok(bytes) if !bytes.is_empty() => text.extend_from_slice(bytes),
                _ => break,
            }
        }
        Ok(text)
    }
}

/// Reads or writes the memory behind /proc/PID/mem from `from` on: nothing any more once nobody
/// has it.
pub(crate) fn transfer<H: Host>(
    port: &mut Port<'_, H>,
    memory: u64,
    from: u64,
    io: &mut Io,
) -> Result<(), Errno> {
    let direction = match io.write {
        true => Direction::FromTask,
        false => Direction::ToTask,
    };
    io.step(u64::MAX, |addr, len, moved| {
        match port.transfer_memory(addr, len, memory, from.wrapping_add(moved), direction) {
            Err(Errno::ESRCH) => Ok(0),
            result => result,
        }
    })
}
