//! The end of a program that found itself broken.

use crate::log::Log;
use core::panic::PanicInfo;

unsafe extern "Rust" {
    /// The program's name; [`crate::program!`] defines it.
    safe fn stillpoint_program_name() -> &'static str;
    /// The program's way to end.
    safe fn stillpoint_die() -> !;
}

/// Says where and why, then ends the program.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let name = stillpoint_program_name();
    match info.location() {
        Some(at) => Log.line(format_args!("{name}: panic at {at}: {}", info.message())),
        None => Log.line(format_args!("{name}: panic: {}", info.message())),
    }
    stillpoint_die()
}

/// The precompiled core and alloc name the unwinder. Nothing unwinds here, so nothing calls it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() -> ! {
    stillpoint_die()
}

/// As above.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    stillpoint_die()
}
