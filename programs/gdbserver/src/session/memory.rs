//! Memory: read, written, searched, summed.

use libtrace::Errno;

use super::{Answer, Session};
use crate::packet::{MAX_PACKET, hex};
use crate::request::Range;

/// How much is read at a time.
const PIECE: usize = 0x4000;

impl Session {
    /// What can be read from the beginning of the range on; gdb asks again for the rest.
    pub(super) fn read_memory(&mut self, range: Range) -> Answer {
        let len = range.len.min(MAX_PACKET as u64 / 2) as usize;
        let mut bytes = vec![0; len];
        match self
            .target
            .read_memory(self.selected.pid, range.addr, &mut bytes)
        {
            Ok(count) => Answer::text(hex::encode(&bytes[..count])),
            Err(error) => Answer::Error(error),
        }
    }

    pub(super) fn write_memory(&mut self, addr: u64, bytes: &[u8]) -> Answer {
        // gdb sends an empty write to see whether binary ones arrive.
        if bytes.is_empty() {
            return Answer::Ok;
        }
        self.target
            .write_memory(self.selected.pid, addr, bytes)
            .into()
    }

    /// Where `pattern` begins in the range.
    pub(super) fn search(&mut self, range: Range, pattern: &[u8]) -> Answer {
        if pattern.is_empty() {
            return Answer::Error(Errno::EINVAL);
        }
        let end = range.addr.saturating_add(range.len);
        let mut at = range.addr;
        // A match may lie across the pieces: each is read with the beginning of the next.
        while at.saturating_add(pattern.len() as u64) <= end {
            let piece = (PIECE + pattern.len() - 1).min((end - at) as usize);
            let mut bytes = vec![0; piece];
            let count = match self.target.read_memory(self.selected.pid, at, &mut bytes) {
                Ok(count) => count,
                Err(error) => return Answer::Error(error),
            };
            let mut windows = bytes[..count].windows(pattern.len());
            if let Some(found) = windows.position(|window| window == pattern) {
                return Answer::text(format!("1,{:x}", at + found as u64));
            }
            if count < piece {
                return Answer::Error(Errno::EFAULT);
            }
            at += (piece + 1 - pattern.len()) as u64;
        }
        Answer::text("0")
    }

    /// The range's checksum: CRC-32 with gdb's polynomial, the highest bit first (`compare-sections`).
    pub(super) fn checksum(&mut self, range: Range) -> Answer {
        let mut sum = u32::MAX;
        let (mut at, mut left) = (range.addr, range.len);
        while left > 0 {
            let mut bytes = vec![0; left.min(PIECE as u64) as usize];
            match self.target.read_memory(self.selected.pid, at, &mut bytes) {
                Ok(count) if count == bytes.len() => {}
                Ok(_) => return Answer::Error(Errno::EFAULT),
                Err(error) => return Answer::Error(error),
            }
            sum = bytes.iter().fold(sum, |sum, byte| add_to_sum(sum, *byte));
            at = at.wrapping_add(bytes.len() as u64);
            left -= bytes.len() as u64;
        }
        Answer::text(format!("C{sum:x}"))
    }
}

fn add_to_sum(sum: u32, byte: u8) -> u32 {
    (0..8).fold(sum ^ u32::from(byte) << 24, |sum, _| {
        sum << 1 ^ if sum >> 31 != 0 { 0x04c1_1db7 } else { 0 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_crc_32_without_reflection() {
        let sum = b"123456789"
            .iter()
            .fold(u32::MAX, |sum, b| add_to_sum(sum, *b));
        assert_eq!(sum, 0x0376_e6e7);
    }
}
