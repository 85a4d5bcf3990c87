//! What the kernel tells the root task (`seL4_BootInfo`), and the capabilities it starts with.

use rt::cap::{AsidControl, AsidPool, CNode, IoPort, IrqControl, Pml4};

/// Its CSpace. All addresses in it are [`DEPTH`] bits deep.
pub const ROOT: CNode = CNode::at(2);
/// How many bits of an address in its CSpace count.
pub const DEPTH: u64 = 64;
/// Its address space.
pub const SPACE: Pml4 = Pml4::at(3);
/// All interrupts.
pub const IRQ_CONTROL: IrqControl = IrqControl::at(4);
/// All pools of address-space identifiers.
pub const ASID_CONTROL: AsidControl = AsidControl::at(5);
/// The first pool.
pub const ASID_POOL: AsidPool = AsidPool::at(6);
/// All I/O ports.
pub const IO_PORTS: IoPort = IoPort::at(7);

/// A range of slots.
#[repr(C, packed)]
#[derive(Clone, Copy, Debug)]
pub struct Slots {
    /// The first,
    pub start: u64,
    /// and the one behind the last.
    pub end: u64,
}

/// One untyped memory.
#[repr(C, packed)]
#[derive(Clone, Copy, Debug)]
pub struct UntypedMemory {
    /// Its physical address.
    pub address: u64,
    padding: [u8; 2],
    /// Its size as a logarithm.
    pub bits: u8,
    /// Not 0 if it is not ordinary memory.
    pub device: u8,
}

/// The kernel's configuration: CONFIG_MAX_NUM_BOOTINFO_UNTYPED_CAPS.
pub const MAX_UNTYPEDS: usize = 230;

/// The kernel's structure, with its names.
#[repr(C, packed)]
#[derive(Debug)]
pub struct BootInfo {
    extra_len: u64,
    node_id: u64,
    num_nodes: u64,
    num_iopt_levels: u64,
    /// Where the root task's IPC buffer is.
    pub ipc_buffer: u64,
    /// Slots that hold nothing.
    pub empty: Slots,
    shared_frames: Slots,
    /// The frames of the root task's program, from its first page on.
    pub user_image_frames: Slots,
    user_image_paging: Slots,
    io_space_caps: Slots,
    extra_bi_pages: Slots,
    init_thread_cnode_size_bits: u8,
    init_thread_domain: u64,
    /// Ticks of the time-stamp counter in a microsecond.
    pub arch_info: u64,
    /// Untyped memory, described by
    pub untyped: Slots,
    /// these.
    pub untyped_list: [UntypedMemory; MAX_UNTYPEDS],
}
const _: () = assert!(core::mem::offset_of!(BootInfo, ipc_buffer) == 32);
