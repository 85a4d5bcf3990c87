//! A page in which the process manager shows this program its tracees' stops, so that the commonest
//! questions about them cost no message ([`abi::stops`]).
//!
//! What is not shown is asked for; that tells the process manager to show it. The C library is made of this
//! file too, so it uses `core` only.

use core::arch::{asm, global_asm};
use core::cell::UnsafeCell;
use core::ptr;

use abi::client::SHARE_STOPS;
use abi::stops::{INFO, LOOKED_AT, PAGE, PLACE_WORDS, REGISTERS, REGS, SIGINFO, owner, place_of};

use crate::message::Servers;

/// Words of `struct user_regs_struct`.
const REGS_WORDS: usize = INFO - REGS;
/// Words of a siginfo.
const INFO_WORDS: usize = PLACE_WORDS - INFO;

#[repr(C, align(4096))]
struct Page(UnsafeCell<[u64; PAGE as usize / 8]>);

// SAFETY: everything is read as memory that changes, and nothing here depends on what is written.
unsafe impl Sync for Page {}

static SHOWN: Page = Page(UnsafeCell::new([0; PAGE as usize / 8]));

/// A tracee's place, as far as it is this thread's to read.
pub struct Shown {
    place: *mut u64,
    owner: u64,
    count: u64,
    what: u64,
}

impl Shown {
    /// What is shown of a tracee's stop. A thread that has not asked before makes the page known.
    #[inline]
    pub fn find(servers: Servers, pid: i32) -> Option<Shown> {
        let thread = this_thread();
        if thread <= 0 || word(0) == 0 {
            join(servers, thread);
            return None;
        }
        let at = place_of(pid as u32);
        let owner = owner(pid as u32, thread as u32);
        if word(at) != owner {
            return None;
        }
        let (count, what) = (word(at + 1), word(at + 2));
        let place = SHOWN.0.get().cast::<u64>().wrapping_add(at);
        if what & LOOKED_AT == 0 {
            // SAFETY: inside the page.
            unsafe { place.add(2).write_volatile(what | LOOKED_AT) };
        }
        Some(Shown {
            place,
            owner,
            count,
            what,
        })
    }

    /// One register, by its word in `struct user_regs_struct`.
    #[inline]
    pub fn register(&self, number: usize) -> Option<u64> {
        (self.what & REGISTERS != 0 && number < REGS_WORDS)
            .then(|| self.word(REGS + number))
            .filter(|_| self.is_still_so())
    }

    /// Copies the registers; whether that was possible.
    ///
    /// # Safety
    /// At `to` there is room for them.
    #[inline]
    pub unsafe fn registers(&self, to: *mut u64) -> bool {
        // SAFETY: the caller's promise.
        self.what & REGISTERS != 0 && unsafe { self.copy::<REGS_WORDS>(REGS, to) }
    }

    /// Copies the siginfo; whether that was possible.
    ///
    /// # Safety
    /// At `to` there is room for it.
    #[inline]
    pub unsafe fn siginfo(&self, to: *mut u64) -> bool {
        // SAFETY: the caller's promise.
        self.what & SIGINFO != 0 && unsafe { self.copy::<INFO_WORDS>(INFO, to) }
    }

    /// # Safety
    /// At `to` there is room for so many words.
    #[inline]
    unsafe fn copy<const N: usize>(&self, from: usize, to: *mut u64) -> bool {
        for i in 0..N {
            // SAFETY: the caller's promise.
            unsafe { to.add(i).write_unaligned(self.word(from + i)) };
        }
        self.is_still_so()
    }

    #[inline]
    fn word(&self, at: usize) -> u64 {
        // SAFETY: inside the page.
        unsafe { self.place.add(at).read_volatile() }
    }

    /// Whether nothing has changed since this was made.
    #[inline]
    fn is_still_so(&self) -> bool {
        self.word(0) == self.owner && self.word(1) == self.count
    }
}

/// A word of the page.
#[inline]
fn word(at: usize) -> u64 {
    // SAFETY: inside the page, which is always there.
    unsafe { SHOWN.0.get().cast::<u64>().add(at).read_volatile() }
}

/// Makes the page known, and this thread's tid. Where that is refused, it is not tried again.
#[cold]
fn join(servers: Servers, thread: i32) {
    if thread < 0 {
        return;
    }
    let page = ptr::from_ref(&SHOWN) as u64;
    // SAFETY: the page is there to be written.
    let (tid, _) = unsafe { servers.procmgr(SHARE_STOPS, [page, 0, 0, 0]) };
    set_this_thread(i32::try_from(tid).unwrap_or(-1));
}

// This thread's tid: 0 for not known, negative for never. Weak and hidden, as `message`'s count.
global_asm!(
    ".pushsection .tbss.libtrace_tid, \"awT\", @nobits",
    ".weak libtrace_tid",
    ".hidden libtrace_tid",
    ".balign 4",
    "libtrace_tid: .zero 4",
    ".popsection",
);

#[inline]
fn this_thread() -> i32 {
    let tid: i32;
    // SAFETY: reads a variable of this thread.
    unsafe {
        asm!(
            "mov {at}, qword ptr [rip + libtrace_tid@GOTTPOFF]",
            "mov {tid:e}, dword ptr fs:[{at}]",
            at = out(reg) _,
            tid = out(reg) tid,
            options(nostack, readonly, preserves_flags),
        );
    }
    tid
}

fn set_this_thread(tid: i32) {
    // SAFETY: writes a variable of this thread that nothing else writes.
    unsafe {
        asm!(
            "mov {at}, qword ptr [rip + libtrace_tid@GOTTPOFF]",
            "mov dword ptr fs:[{at}], {tid:e}",
            at = out(reg) _,
            tid = in(reg) tid,
            options(nostack, preserves_flags),
        );
    }
}
