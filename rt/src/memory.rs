//! The memory functions that compiled code calls.
//!
//! The precompiled ones are not linked for this target. What counts here is instructions, and a
//! string instruction is one per element: so words, and a tail that overlaps them.

use core::arch::asm;

/// `memcpy` of C.
///
/// # Safety
/// C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    // SAFETY: the caller's promise: `len` bytes at both, not overlapping. The tail lies within
    // them, because `len` is at least its size.
    unsafe {
        if len >= 8 {
            let tail = from.add(len - 8).cast::<u64>().read_unaligned();
            asm!(
                "rep movsq",
                inout("rcx") (len - 1) / 8 => _,
                inout("rdi") to => _,
                inout("rsi") from => _,
                options(nostack, preserves_flags)
            );
            to.add(len - 8).cast::<u64>().write_unaligned(tail);
        } else {
            small_copy(to, from, len);
        }
    }
    to
}

/// `memmove` of C.
///
/// # Safety
/// C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    if (to as usize).wrapping_sub(from as usize) >= len {
        // Forwards reads every word before it is overwritten; the tail, read first, must not
        // have been changed when it is written last, and is not: it is where the last word ends.
        // SAFETY: the caller's promise.
        return unsafe { memcpy(to, from, len) };
    }
    // SAFETY: as above, from the end. A loop rather than the direction flag, which the kernel
    // does not clear when it interrupts.
    unsafe {
        asm!(
            "cmp {n}, 8",
            "jb 3f",
            "2:",
            "mov {t}, [{f} + {n} - 8]",
            "mov [{d} + {n} - 8], {t}",
            "sub {n}, 8",
            "cmp {n}, 8",
            "jae 2b",
            "3:",
            "test {n}, {n}",
            "jz 5f",
            "4:",
            "mov {t:l}, [{f} + {n} - 1]",
            "mov [{d} + {n} - 1], {t:l}",
            "dec {n}",
            "jnz 4b",
            "5:",
            n = inout(reg) len => _,
            t = out(reg_abcd) _,
            f = in(reg) from,
            d = in(reg) to,
            options(nostack)
        );
    }
    to
}

/// `memset` of C.
///
/// # Safety
/// C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, value: i32, len: usize) -> *mut u8 {
    let word = (value as u8 as u64).wrapping_mul(0x0101_0101_0101_0101);
    // SAFETY: the caller's promise: `len` bytes. The tail lies within them.
    unsafe {
        if len >= 8 {
            asm!(
                "rep stosq",
                inout("rcx") (len - 1) / 8 => _,
                inout("rdi") to => _,
                in("rax") word,
                options(nostack, preserves_flags)
            );
            to.add(len - 8).cast::<u64>().write_unaligned(word);
        } else if len >= 4 {
            to.cast::<u32>().write_unaligned(word as u32);
            to.add(len - 4).cast::<u32>().write_unaligned(word as u32);
        } else if len > 0 {
            to.write(word as u8);
            to.add(len / 2).write(word as u8);
            to.add(len - 1).write(word as u8);
        }
    }
    to
}

/// `memcmp` of C.
///
/// # Safety
/// C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, len: usize) -> i32 {
    let mut at = 0;
    // SAFETY: the caller's promise: `len` bytes at both.
    unsafe {
        while len - at >= 8 {
            let (x, y) = (word(a.add(at)), word(b.add(at)));
            if x != y {
                return if x.swap_bytes() < y.swap_bytes() {
                    -1
                } else {
                    1
                };
            }
            at += 8;
        }
        while at < len {
            let difference = *a.add(at) as i32 - *b.add(at) as i32;
            if difference != 0 {
                return difference;
            }
            at += 1;
        }
    }
    0
}

/// `bcmp` of C.
///
/// # Safety
/// C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, len: usize) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { memcmp(a, b, len) }
}

/// `strlen` of C.
///
/// # Safety
/// C's.
#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let mut len = 0;
    // SAFETY: the caller's promise: there is a zero, and everything up to it is readable.
    while unsafe { text.add(len).read_volatile() } != 0 {
        len += 1;
    }
    len
}

#[inline(always)]
unsafe fn word(at: *const u8) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { at.cast::<u64>().read_unaligned() }
}

/// Fewer than eight bytes: everything is read before anything is written.
#[inline(always)]
unsafe fn small_copy(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: the caller's promise: `len` bytes at both.
    unsafe {
        if len >= 4 {
            let first = from.cast::<u32>().read_unaligned();
            let last = from.add(len - 4).cast::<u32>().read_unaligned();
            to.cast::<u32>().write_unaligned(first);
            to.add(len - 4).cast::<u32>().write_unaligned(last);
        } else if len > 0 {
            let (first, middle, last) = (*from, *from.add(len / 2), *from.add(len - 1));
            *to = first;
            *to.add(len / 2) = middle;
            *to.add(len - 1) = last;
        }
    }
}
