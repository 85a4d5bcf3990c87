//! What the root task tells a server: one page at [`layout::STARTUP`], encoded by postcard.

use crate::layout;
use heapless::Vec;
use serde::{Deserialize, Serialize};

/// The startup page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Startup {
    /// How many bytes of heap are mapped at [`layout::HEAP`].
    pub heap: u64,
    /// For procmgr: the machine.
    pub machine: Option<Machine>,
}

/// The machine, as procmgr takes it over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Machine {
    /// Nanoseconds since 1970 when the machine started.
    pub realtime_at_boot: u64,
    /// The time-stamp counter at that moment.
    pub tsc_at_boot: u64,
    /// How many of its ticks are a microsecond.
    pub tsc_mhz: u32,
    /// How many blocks of 2 MiB are left in each untyped memory handed over.
    pub blocks: Vec<u32, { crate::slots::procmgr::UNTYPEDS as usize }>,
    /// How many pages the boot archive has.
    pub archive_pages: u32,
    /// Where in the archive the contents of `/boot/command` begin,
    pub command_offset: u64,
    /// and their length in bytes.
    pub command_size: u64,
}

/// What is said to the root task.
pub mod init {
    /// Label of procmgr's message to end the machine; its word is the first program's wait status.
    pub const POWER_OFF: u64 = 64;
}

/// Reads the startup page.
///
/// # Panics
/// If it holds something else: server and root task were built apart.
pub fn startup() -> Startup {
    // SAFETY: the root task maps the page for good before the server runs, read-only.
    let page =
        unsafe { core::slice::from_raw_parts(layout::STARTUP as *const u8, layout::PAGE as usize) };
    let (startup, _) = postcard::take_from_bytes(page).expect("the root task wrote it");
    startup
}
