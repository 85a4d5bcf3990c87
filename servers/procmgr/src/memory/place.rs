//! Finding room: as Linux does it, downwards from below the stack area, and without chance.

use super::layout::{LOW_AREA, MMAP_BASE, MMAP_MIN_ADDR, USER_END, page_start};
use super::vma::Vmas;

impl Vmas {
    /// Where `len` bytes are free: in the hint's page if they are, else as high as possible below
    /// [`MMAP_BASE`], else above it; `low` is MAP_32BIT.
    pub fn free_area(&self, hint: u64, len: u64, low: bool) -> Option<u64> {
        let hint = page_start(hint);
        if hint != 0 && !low {
            let at = hint.max(MMAP_MIN_ADDR);
            if self.is_free(at, len) {
                return Some(at);
            }
        }
        if low {
            return self.lowest(LOW_AREA.start, LOW_AREA.end, len);
        }
        self.highest(MMAP_MIN_ADDR, MMAP_BASE, len)
            .or_else(|| self.lowest(MMAP_BASE, USER_END, len))
    }

    /// Whether `len` bytes at an address are free, guard gap included.
    pub fn is_free(&self, start: u64, len: u64) -> bool {
        let Some(end) = start.checked_add(len).filter(|&end| end <= USER_END) else {
            return false;
        };
        self.all()
            .get(self.above(start))
            .is_none_or(|next| end <= next.guarded_start())
    }

    /// The highest free place in an area.
    fn highest(&self, low: u64, high: u64, len: u64) -> Option<u64> {
        let fits = |bottom: u64, top: u64| {
            let start = top.checked_sub(len)?;
            (start >= bottom).then_some(start)
        };
        let mut top = high;
        for vma in self.all().iter().rev() {
            if let Some(start) = fits(vma.end.max(low), top) {
                return Some(start);
            }
            top = top.min(vma.guarded_start());
        }
        fits(low, top)
    }

    /// The lowest free place in an area.
    fn lowest(&self, low: u64, high: u64, len: u64) -> Option<u64> {
        let mut bottom = low;
        for vma in self.all() {
            let top = vma.guarded_start().min(high);
            if top.checked_sub(bottom).is_some_and(|room| room >= len) {
                return Some(bottom);
            }
            bottom = bottom.max(vma.end);
        }
        let room = high.checked_sub(bottom)?;
        (room >= len).then_some(bottom)
    }
}
