//! A program in the place of a server that panics at once, for the test of what is said then.
#![no_std]
#![no_main]

extern crate alloc;

use rt::boot::Startup;

rt::entry!(main);

fn main(_: Startup) -> ! {
    panic!("on purpose")
}
