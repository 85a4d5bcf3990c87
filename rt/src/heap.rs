//! The heap: talc over the pages that the root task mapped.

use core::alloc::{GlobalAlloc, Layout};
use talc::TalcCell;
use talc::source::Manual;

struct Heap(TalcCell<Manual>);

// SAFETY: a server has one thread, which no handler interrupts.
unsafe impl Sync for Heap {}

#[global_allocator]
static HEAP: Heap = Heap(TalcCell::new(Manual));

// SAFETY: the inner allocator's own promises.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed on.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: passed on.
        unsafe { self.0.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: passed on.
        unsafe { self.0.realloc(memory, layout, size) }
    }
}

/// Gives the heap its memory.
///
/// # Safety
/// The bytes are mapped for good and nobody else's. Called once.
pub(crate) unsafe fn start(base: *mut u8, size: usize) {
    // SAFETY: as promised.
    unsafe { HEAP.0.claim(base, size) }.expect("the heap is large enough to be one");
}
