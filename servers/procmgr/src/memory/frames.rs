//! Frames that spaces own, and how many of them, and of objects, share each.

use crate::machine::{Frame, Machine, NoMemory, PAGE};
use alloc::vec::Vec;

/// Counts for owned frames. Frames of objects that are shared with no space, of page tables and of
/// the archive are not in it: each has one keeper.
#[derive(Clone, Default)]
pub(super) struct Frames {
    /// By frame number.
    counts: Vec<u32>,
    /// How many there were when the first space was made.
    pub total: u64,
}

impl Frames {
    /// A frame of zeros with a count of one.
    pub fn alloc(&mut self, m: &mut impl Machine) -> Result<Frame, NoMemory> {
        let frame = m.frame_alloc().ok_or(NoMemory)?;
        let index = frame.0 as usize;
        if index >= self.counts.len() {
            let more = index + 1 - self.counts.len();
            if self.counts.try_reserve(more).is_err() {
                m.frame_free(frame);
                return Err(NoMemory);
            }
            self.counts.resize(index + 1, 0);
        }
        self.counts[index] = 1;
        Ok(frame)
    }

    /// One more space has this frame.
    pub fn share(&mut self, frame: Frame) {
        self.counts[frame.0 as usize] += 1;
    }

    /// One space less has this frame, and maps it no more.
    pub fn release(&mut self, m: &mut impl Machine, frame: Frame) {
        let count = &mut self.counts[frame.0 as usize];
        *count -= 1;
        if *count == 0 {
            m.frame_free(frame);
        }
    }

    /// A frame that one space or object has alone is counted no longer: it has a keeper.
    pub fn forget(&mut self, frame: Frame) {
        self.counts[frame.0 as usize] = 0;
    }

    /// Whether one space has it alone, and so may write it.
    pub fn is_exclusive(&self, frame: Frame) -> bool {
        self.counts[frame.0 as usize] == 1
    }
}

/// Copies a part of a frame, or zeros if there is no frame to copy from.
///
/// A whole frame is the machine's own copy. A part goes through a small array, because the
/// machine lends one frame's bytes at a time; it stays in the first-level cache.
pub(super) fn copy_part(
    m: &mut impl Machine,
    (to, to_offset): (Frame, usize),
    (from, from_offset): (Option<Frame>, usize),
    len: usize,
) {
    let Some(from) = from else {
        return m.bytes_mut(to)[to_offset..][..len].fill(0);
    };
    if to == from && to_offset == from_offset {
        return;
    }
    if len == PAGE as usize {
        return m.frame_copy(to, from);
    }
    let mut chunk = [0; 512];
    let mut done = 0;
    while done < len {
        let n = chunk.len().min(len - done);
        chunk[..n].copy_from_slice(&m.bytes(from)[from_offset + done..][..n]);
        m.bytes_mut(to)[to_offset + done..][..n].copy_from_slice(&chunk[..n]);
        done += n;
    }
}
