//! The IPC buffer: the part of a message that does not fit the registers.
//!
//! A thread has one, at the address that the kernel keeps in its GS base. Here it is found through
//! [`set`], because an ordinary pointer lets whole messages be copied as memory.

use core::sync::atomic::{AtomicPtr, Ordering};

/// The most words a message has.
pub const MAX_WORDS: usize = 120;

/// The kernel's layout (`seL4_IPCBuffer`). Aligned to its own size: the kernel checks less, and
/// would write past the end of the page.
#[repr(C, align(1024))]
#[derive(Debug)]
pub struct IpcBuffer {
    tag: u64,
    /// The message words; the first four are in registers when a message is sent or received.
    pub words: [u64; MAX_WORDS],
    user_data: u64,
    /// Capabilities to send, as addresses; on receipt badges.
    pub caps: [u64; 3],
    /// The CNode into which a received capability goes,
    pub receive_cnode: u64,
    /// the slot there,
    pub receive_index: u64,
    /// and how many bits of the slot's address count. 0 refuses capabilities.
    pub receive_depth: u64,
}
const _: () = assert!(size_of::<IpcBuffer>() == 1024);

static BUFFER: AtomicPtr<IpcBuffer> = AtomicPtr::new(core::ptr::null_mut());

/// Says where the thread's buffer is.
///
/// # Safety
/// `buffer` is this thread's IPC buffer, mapped for as long as the program runs, and used by
/// nothing but this crate.
pub unsafe fn set(buffer: *mut IpcBuffer) {
    BUFFER.store(buffer, Ordering::Relaxed);
}

/// Looks at the buffer. `f` makes no system call.
#[inline]
pub(crate) fn with<T>(f: impl FnOnce(&mut IpcBuffer) -> T) -> T {
    let buffer = BUFFER.load(Ordering::Relaxed);
    // SAFETY: `set` promised that it is ours and stays. It is referred to by nobody else: only
    // this function makes references, it is private to the crate, none of its closures calls it
    // again, and there is one thread. The kernel writes it only during system calls.
    f(unsafe { &mut *buffer })
}
