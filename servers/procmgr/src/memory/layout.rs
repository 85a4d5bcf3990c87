//! Where things are in an address space, and arithmetic on page addresses that cannot overflow.

use crate::machine::PAGE;

/// The end of what a task can map. Linux's is 0x7fff_ffff_f000; the pages between belong to the
/// machine's stubs.
pub const USER_END: u64 = 0x7fff_ffff_d000;

/// Where `mmap` starts looking, downwards: Linux's value without address randomisation and with
/// the usual stack limit.
pub const MMAP_BASE: u64 = 0x7fff_f7ff_f000;

/// Linux's `vm.mmap_min_addr`: nothing is mapped below.
pub const MMAP_MIN_ADDR: u64 = 65536;

/// Linux's `stack_guard_gap`: what stays free below a growing stack.
pub const STACK_GUARD_GAP: u64 = 256 * PAGE;

/// The stack limit a space starts with.
pub const STACK_LIMIT: u64 = 8 << 20;

/// No limit, as RLIM_INFINITY.
pub const UNLIMITED: u64 = u64::MAX;

/// Where MAP_32BIT looks, upwards.
pub const LOW_AREA: core::ops::Range<u64> = 0x4000_0000..0x8000_0000;

/// Whether an address is at the start of a page.
pub const fn is_aligned(addr: u64) -> bool {
    addr.is_multiple_of(PAGE)
}

/// The start of the page that holds an address.
pub const fn page_start(addr: u64) -> u64 {
    addr & !(PAGE - 1)
}

/// A length in whole pages; none when that has no number.
pub const fn round_up(len: u64) -> Option<u64> {
    match len.checked_add(PAGE - 1) {
        Some(sum) => Some(page_start(sum)),
        None => None,
    }
}
