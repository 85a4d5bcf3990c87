//! What is needed of the C library that the program is linked with: glibc or musl.

use core::arch::asm;
use core::ffi::{c_int, c_long};

/// `PTHREAD_CANCEL_ASYNCHRONOUS` of both.
const ASYNCHRONOUS: c_int = 1;

unsafe extern "C" {
    /// Makes a system call. A failure is -1 and the number in `errno`.
    pub fn syscall(number: c_long, ...) -> c_long;
    fn __errno_location() -> *mut c_int;
    fn pthread_setcanceltype(kind: c_int, old: *mut c_int) -> c_int;
}

/// Below are no pages of programs, and from [`HIGHEST`] on.
const LOWEST: usize = 0x1000;
/// Where the upper half of the addresses begins.
const HIGHEST: usize = 1 << 47;

/// Whether a pointer may be to something. What is not is left to a system call, which says so; so is null.
pub fn is_pointer<T>(pointer: *const T) -> bool {
    (LOWEST..HIGHEST).contains(&pointer.addr())
}

unsafe extern "C" {
    /// The linker's: where the program's zeroed variables begin and end.
    static __bss_start: u8;
    static _end: u8;
}

/// The address of a variable that not every C library has; else null.
macro_rules! find {
    ($name:literal) => {{
        let found;
        // SAFETY: gets an address from where the linker puts it, and reads nothing else.
        unsafe {
            asm!(
                concat!(".weak ", $name),
                concat!("mov {found}, qword ptr [rip + ", $name, "@GOTPCREL]"),
                found = out(reg) found,
                options(nostack, readonly, preserves_flags),
            );
        }
        found
    }};
}

/// So much of the first thread's stack is below where it began that it cannot be another's.
const STACK_REACH: usize = 1 << 17;

/// Whether so many bytes are there to be written for sure, which is known of a variable, static or on the first
/// thread's stack. Of all else a server has to find out, for a bad pointer is EFAULT and no crash.
#[inline]
pub fn is_variable<T>(pointer: *const T, size: usize) -> bool {
    let start = pointer.addr();
    let Some(end) = start.checked_add(size) else {
        return false;
    };
    let (bss, bss_end) = (&raw const __bss_start, &raw const _end);
    if bss.addr() <= start && end <= bss_end.addr() {
        return true;
    }
    let here: usize;
    // SAFETY: reads the stack pointer.
    unsafe {
        asm!("mov {here}, rsp", here = out(reg) here, options(nostack, nomem, preserves_flags))
    };
    let began: *const usize = find!("__libc_stack_end");
    if began.is_null() {
        return false;
    }
    // SAFETY: glibc's variable, set before anything of the program runs.
    let began = unsafe { *began };
    here <= start && end <= began && began - here < STACK_REACH
}

/// Sets this thread's `errno`.
pub fn set_errno(errno: c_int) {
    // SAFETY: the pointer is to this thread's errno, for as long as the thread lives.
    unsafe { *__errno_location() = errno };
}

/// A result as the kernel or a server leaves it, as C functions give it.
pub fn result(value: i64) -> c_long {
    match value {
        -4095..0 => {
            set_errno(-value as c_int);
            -1
        }
        value => value,
    }
}

/// Does something that waits and is a cancellation point, in the way of C libraries: while it waits the thread may be
/// cancelled at any instruction. `wait` must hold nothing then. A thread that is alone, nobody cancels.
pub fn cancellable<T>(wait: impl FnOnce() -> T) -> T {
    if is_single_threaded() {
        return wait();
    }
    let (mut kind, mut inner) = (0, 0);
    // SAFETY: both pointers are to locals. A thread that is cancelled here or in `wait` runs its handlers and ends;
    // this function has nothing to be cleaned up.
    unsafe { pthread_setcanceltype(ASYNCHRONOUS, &raw mut kind) };
    let result = wait();
    // SAFETY: as above.
    unsafe { pthread_setcanceltype(kind, &raw mut inner) };
    result
}

/// Whether this is the process's only thread, as far as glibc tells; other C libraries do not.
#[inline]
fn is_single_threaded() -> bool {
    let told: *const u8 = find!("__libc_single_threaded");
    // SAFETY: glibc's variable, which changes under nobody but this thread while it is true.
    !told.is_null() && unsafe { told.read_volatile() } != 0
}
