//! The heap: talc over the pages that the root task mapped.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::{Cell, UnsafeCell};
use talc::TalcCell;
use talc::source::Manual;

struct Heap {
    /// Replaced when the server is started again.
    inner: UnsafeCell<TalcCell<Manual>>,
    /// How many bytes it has, and how many are given out.
    size: Cell<usize>,
    used: Cell<usize>,
}

// SAFETY: a server has one thread, which no handler interrupts.
unsafe impl Sync for Heap {}

#[global_allocator]
static HEAP: Heap = Heap {
    inner: UnsafeCell::new(TalcCell::new(Manual)),
    size: Cell::new(0),
    used: Cell::new(0),
};

// SAFETY: the inner allocator's own promises.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: passed on.
        let memory = unsafe { (*self.inner.get()).alloc(layout) };
        if !memory.is_null() {
            self.used.update(|used| used + layout.size());
        }
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        self.used.update(|used| used - layout.size());
        // SAFETY: passed on.
        unsafe { (*self.inner.get()).dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: passed on.
        let moved = unsafe { (*self.inner.get()).realloc(memory, layout, size) };
        if !moved.is_null() {
            self.used.update(|used| used - layout.size() + size);
        }
        moved
    }
}

/// Gives the heap its memory, all of it anew where the server is started again.
///
/// # Safety
/// The bytes are mapped for good and nobody else's. Called first: nothing is on the heap any more.
pub(crate) unsafe fn start(base: *mut u8, size: usize) {
    // SAFETY: the server has one thread, and whoever used the heap before is gone.
    unsafe { *HEAP.inner.get() = TalcCell::new(Manual) };
    // SAFETY: as promised.
    unsafe { (*HEAP.inner.get()).claim(base, size) }.expect("the heap is large enough to be one");
    HEAP.size.set(size);
    HEAP.used.set(0);
}

/// How many bytes are given out.
pub fn used() -> usize {
    HEAP.used.get()
}

/// How many bytes are left, not counting what their division into pieces costs.
pub fn free() -> usize {
    HEAP.size.get() - HEAP.used.get()
}
