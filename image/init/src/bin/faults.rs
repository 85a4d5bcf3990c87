//! A program in the place of a server that faults at once, for the test of what the root task does then.
#![no_std]
#![no_main]

extern crate alloc;

use rt::boot::Startup;

rt::entry!(main);

fn main(_: Startup) -> ! {
    // SAFETY: nothing is mapped at this address, so the program ends here.
    unsafe {
        core::arch::asm!(
            "mov al, [rcx]",
            in("rcx") 0x1234_5678_9000_u64,
            in("rdx") 0x1122_3344_5566_7788_u64,
            options(noreturn)
        )
    }
}
