//! procmgr's window: every frame it has, as memory of its own, by number.

use crate::layout::{ARCHIVE_FRAME, PAGE, WINDOW};

/// The right to use the window: there is one.
///
/// A frame's contents are memory that programs change while procmgr is not running. Nothing here
/// is referred to across a system call, because references are tied to the window.
#[derive(Debug)]
pub struct Window(());

impl Window {
    /// Takes the window.
    ///
    /// # Safety
    /// Called once. Whoever asks for a frame's contents has mapped it in the window, at the place
    /// of its number; an archive frame is only read.
    pub const unsafe fn take() -> Window {
        Window(())
    }

    /// Where a frame is.
    #[inline]
    pub const fn address(frame: u32) -> u64 {
        WINDOW + frame as u64 * PAGE
    }

    /// A frame's bytes.
    #[inline]
    pub fn bytes(&self, frame: u32) -> &[u8; PAGE as usize] {
        // SAFETY: mapped, as `take` was promised; any contents are bytes; writes go through
        // `&mut self`.
        unsafe { &*(Window::address(frame) as *const _) }
    }

    /// A frame's bytes.
    #[inline]
    pub fn bytes_mut(&mut self, frame: u32) -> &mut [u8; PAGE as usize] {
        debug_assert!(frame < ARCHIVE_FRAME);
        // SAFETY: as above, and this borrows the only window.
        unsafe { &mut *(Window::address(frame) as *mut _) }
    }

    /// A frame's words.
    #[inline]
    pub fn words(&self, frame: u32) -> &[u64; PAGE as usize / 8] {
        // SAFETY: as above; a frame is aligned to its size.
        unsafe { &*(Window::address(frame) as *const _) }
    }

    /// A frame's words.
    #[inline]
    pub fn words_mut(&mut self, frame: u32) -> &mut [u64; PAGE as usize / 8] {
        debug_assert!(frame < ARCHIVE_FRAME);
        // SAFETY: as above.
        unsafe { &mut *(Window::address(frame) as *mut _) }
    }

    /// Copies a whole frame.
    #[inline]
    pub fn copy(&mut self, to: u32, from: u32) {
        assert_ne!(to, from, "a frame is copied to another one");
        // SAFETY: both are mapped and borrowed by nobody else, as above; they do not overlap.
        unsafe {
            core::ptr::copy_nonoverlapping(
                Window::address(from) as *const [u64; 512],
                Window::address(to) as *mut [u64; 512],
                1,
            );
        }
    }

    /// A range of the archive's bytes, all of whose frames are mapped.
    pub fn archive(&self, offset: u64, size: u64) -> &[u8] {
        let start = Window::address(ARCHIVE_FRAME) + offset;
        // SAFETY: as in `bytes`; the frames lie behind one another.
        unsafe { core::slice::from_raw_parts(start as *const u8, size as usize) }
    }
}
