//! Where things are in a server's address space.
//!
//! | address | what |
//! |---|---|
//! | 0x40_0000 | the program, as it was linked |
//! | [`STARTUP`] | what the root task tells it ([`crate::boot`]), read-only |
//! | [`IPC_BUFFER`] | its IPC buffer |
//! | below [`STACK_TOP`] | its stack, [`STACK_SIZE`] bytes above a page that is not there |
//! | [`HEAP`] | its heap, in pages of 2 MiB |
//! | [`WINDOW`] | procmgr only: every frame it has made, by number |
//! | [`WINDOW`] + [`ARCHIVE_FRAME`] pages | procmgr only: the boot archive |

use crate::ipc_buffer::IpcBuffer;

/// The size of a page.
pub const PAGE: u64 = 4096;
/// The size of a large page.
pub const LARGE_PAGE: u64 = 2 << 20;

/// The startup page.
pub const STARTUP: u64 = 0x1000_0000;
/// The IPC buffer.
pub const IPC_BUFFER: u64 = 0x1000_1000;
const _: () = assert!(IPC_BUFFER.is_multiple_of(align_of::<IpcBuffer>() as u64));
/// Where the stack starts, downwards.
pub const STACK_TOP: u64 = 0x1002_0000;
/// How far it goes.
pub const STACK_SIZE: u64 = 64 << 10;
/// The heap.
pub const HEAP: u64 = 0x4000_0000;
/// procmgr's frames: frame `n` is at `WINDOW + n * PAGE`.
pub const WINDOW: u64 = 0x80_0000_0000;
/// The number of the archive's first frame.
pub const ARCHIVE_FRAME: u32 = 0x0800_0000;
