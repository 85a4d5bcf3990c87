//! The capability map: which slot of a server's CSpace holds what.
//!
//! The root task fills the slots named here once (it prints the same table from its own code);
//! the slots that a server uses for itself are ranges here too, so that nothing overlaps.

/// In every server: the log's I/O port.
pub const LOG: u64 = 1;
/// In every server: the root task's endpoint, badged. The server's faults go there; procmgr also
/// ends the machine through it.
pub const SUPERVISOR: u64 = 2;

/// procmgr's slots. Its CSpace has two levels of [`ROOT_BITS`](procmgr::ROOT_BITS) and
/// [`NODE_BITS`](procmgr::NODE_BITS) bits; the slots named here are in the first second-level
/// CNode.
pub mod procmgr {
    /// Bits of an address that choose the second-level CNode.
    pub const ROOT_BITS: u32 = 12;
    /// Bits that choose the slot in it.
    pub const NODE_BITS: u32 = 11;
    /// Bits of the guard before them, all zero.
    pub const GUARD_BITS: u32 = 64 - ROOT_BITS - NODE_BITS;

    /// Its own CSpace.
    pub const CNODE: u64 = 3;
    /// Where everybody's messages arrive.
    pub const ENDPOINT: u64 = 4;
    /// Its own address space, for the window.
    pub const VSPACE: u64 = 5;
    /// The tracer's endpoint, to give every task a badged copy.
    pub const TRACER_ENDPOINT: u64 = 6;
    /// Tells the tracer that there are reports.
    pub const TRACER_NOTIFICATION: u64 = 7;
    /// The timer's I/O ports, 0x40 to 0x43.
    pub const TIMER_PORTS: u64 = 8;
    /// The timer's interrupt; it arrives as [`TIMER_BADGE`].
    pub const TIMER_IRQ: u64 = 9;
    /// The right to make ASID pools.
    pub const ASID_CONTROL: u64 = 10;

    /// Own use: the tracer's reply capability.
    pub const TRACER_REPLY: u64 = 12;
    /// Own use: the file server's.
    pub const FS_REPLY: u64 = 13;

    /// The root task's ASID pool; the following slots are for own pools.
    pub const ASID_POOL: u64 = 16;
    /// How many pools there can be (the kernel's limit).
    pub const ASID_POOLS: u64 = 8;

    /// The untyped memory, as many as [`crate::boot::Machine::blocks`] has entries.
    pub const UNTYPED: u64 = 32;
    /// At most this many.
    pub const UNTYPEDS: u64 = 96;
    /// Own use: the blocks of 2 MiB made from it.
    pub const BLOCK: u64 = 128;
    /// At most this many.
    pub const BLOCKS: u64 = 1920;

    /// The first second-level CNode for the archive's frames; the ones below are the blocks'.
    pub const ARCHIVE_NODE: u64 = 0x800;

    /// The badge bit of the timer's interrupt.
    pub const TIMER_BADGE: u64 = 1 << 62;
    /// The badge bit of the serial ports' interrupts, which the file server acknowledges.
    pub const CONSOLE_BADGE: u64 = 1 << 63;
}

/// The tracer's slots, in one CNode.
pub mod tracer {
    /// Bits of a slot's address.
    pub const NODE_BITS: u32 = 3;

    /// Where the tasks' requests arrive.
    pub const ENDPOINT: u64 = 4;
    /// procmgr, badged as the tracer.
    pub const PROCMGR: u64 = 5;

    /// The badge bit of procmgr's notification.
    pub const REPORTS_BADGE: u64 = 1 << 62;
}

/// The file server's slots, in one CNode.
pub mod fs {
    /// Bits of a slot's address.
    pub const NODE_BITS: u32 = 4;

    /// procmgr, badged as the file server.
    pub const PROCMGR: u64 = 5;
    /// The console's I/O ports (COM1), 0x3f8 to 0x3ff.
    pub const CONSOLE_PORTS: u64 = 6;
    /// Its interrupt. It arrives at procmgr; only the acknowledgement is the file server's.
    pub const CONSOLE_IRQ: u64 = 7;
    /// The debugger's I/O ports (COM2), 0x2f8 to 0x2ff.
    pub const DEBUGGER_PORTS: u64 = 8;
    /// Its interrupt, like the console's.
    pub const DEBUGGER_IRQ: u64 = 9;
    /// The I/O port 0xe7, behind which is a file outside if the machine was given one.
    pub const EXPORT_PORT: u64 = 10;
}
