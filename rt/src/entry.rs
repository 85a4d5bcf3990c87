//! The way into a server's `main`.

/// Makes a function of type `fn(rt::boot::Startup) -> !` the server's entry point.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        $crate::program!($crate::entry::die);

        // SAFETY: the name is the linker's entry point, and nobody else's.
        #[unsafe(no_mangle)]
        extern "C" fn _start() -> ! {
            // SAFETY: the root task starts the program here, with its address space as `layout`
            // says, and again only where nothing of the first time runs any more.
            $main(unsafe { $crate::entry::prepare() })
        }
    };
}

/// Tells the panic handler the program's name, and the function that ends the program.
#[macro_export]
macro_rules! program {
    ($die:path) => {
        // SAFETY: the name is the panic handler's.
        #[unsafe(no_mangle)]
        extern "Rust" fn stillpoint_program_name() -> &'static str {
            env!("CARGO_BIN_NAME")
        }

        // SAFETY: the name is the panic handler's.
        #[unsafe(no_mangle)]
        extern "Rust" fn stillpoint_die() -> ! {
            $die()
        }
    };
}

/// Faults, so that the supervisor hears of it.
pub fn die() -> ! {
    loop {
        // SAFETY: an invalid instruction changes nothing; the fault's receiver does not resume it.
        unsafe { core::arch::asm!("ud2", options(nomem, nostack)) };
    }
}

/// Sets up IPC buffer and heap.
///
/// # Safety
/// Called first, in a server that the root task has started, for the first time or again.
#[cfg(feature = "machine")]
pub unsafe fn prepare() -> crate::boot::Startup {
    use crate::layout;
    // SAFETY: that is where the root task put it.
    unsafe { crate::ipc_buffer::set(layout::IPC_BUFFER as *mut _) };
    let startup = crate::boot::startup();
    // SAFETY: that is where the root task put it.
    unsafe { crate::heap::start(layout::HEAP as *mut u8, startup.heap as usize) };
    startup
}
