//! What is needed of the C library that the program is linked with: glibc or musl.

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
/// cancelled at any instruction. `wait` must hold nothing then.
pub fn cancellable<T>(wait: impl FnOnce() -> T) -> T {
    let (mut kind, mut inner) = (0, 0);
    // SAFETY: both pointers are to locals. A thread that is cancelled here or in `wait` runs its handlers and ends;
    // this function has nothing to be cleaned up.
    unsafe { pthread_setcanceltype(ASYNCHRONOUS, &raw mut kind) };
    let result = wait();
    // SAFETY: as above.
    unsafe { pthread_setcanceltype(kind, &raw mut inner) };
    result
}
