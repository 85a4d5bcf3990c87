//! A page in which the process manager shows this program its tracees' stops, so that waiting for one and
//! the commonest questions about it cost no message ([`abi::stops`]).
//!
//! What is not shown is asked for; that tells the process manager to show it. The C library is made of this
//! file too, so it uses `core` only.

use core::arch::{asm, global_asm};
use core::ptr;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use abi::client::SHARE_STOPS;
use abi::linux::general as g;
use abi::stops::{
    CHANGE, GOES_ON, INFO, LOOKED_AT, PAGE, PLACE_WORDS, REGISTERS, REGS, SIGINFO, STATUS, UNSEEN,
    WHAT, owner, place_of,
};

use crate::message::{Servers, give_way};

/// Words of `struct user_regs_struct`.
const REGS_WORDS: usize = INFO - REGS;
/// Words of a siginfo.
const INFO_WORDS: usize = PLACE_WORDS - INFO;
/// The options with which a wait for a tracee finds its stops: all there are.
const OPTIONS: u32 =
    g::WNOHANG | g::WUNTRACED | g::WCONTINUED | g::__WNOTHREAD | g::__WCLONE | g::__WALL;

/// The process manager writes here, like another thread that is never in the middle of it.
#[repr(C, align(4096))]
struct Page([AtomicU64; PAGE as usize / 8]);

static SHOWN: Page = Page([const { AtomicU64::new(0) }; PAGE as usize / 8]);

/// A tracee's place.
type Place = [AtomicU64; PLACE_WORDS];

/// A wait by number: the status of the stop that is shown of a tracee and that nobody has waited for.
/// `None` says nothing about the tracee.
#[inline]
pub fn wait(pid: i32, options: i32) -> Option<i32> {
    let thread = this_thread();
    if pid <= 0 || !has_joined(thread) || options as u32 & !OPTIONS != 0 {
        return None;
    }
    let place = place(pid, thread)?;
    let mut what = place[WHAT].load(Acquire);
    if what & GOES_ON != 0 && options as u32 & g::WNOHANG == 0 {
        give_way();
        what = self::place(pid, thread)?[WHAT].load(Acquire);
    }
    if what & UNSEEN == 0 {
        return None;
    }
    let status = place[STATUS].load(Relaxed);
    // What was written since is not what this is the status of.
    let taken = place[WHAT].compare_exchange(what, what & !UNSEEN, AcqRel, Relaxed);
    taken.is_ok().then_some(status as i32)
}

/// A wait by number has found a stop by message: the next one may be shown.
#[inline]
pub fn waited(servers: Servers) {
    let thread = this_thread();
    if !has_joined(thread) {
        join(servers, thread);
    }
}

/// What is shown of a tracee's stop.
pub struct Shown {
    place: &'static Place,
    owner: u64,
    what: u64,
}

impl Shown {
    /// What is shown of a tracee's stop. A thread that has not asked before makes the page known.
    #[inline]
    pub fn find(servers: Servers, pid: i32) -> Option<Shown> {
        let thread = this_thread();
        if !has_joined(thread) {
            join(servers, thread);
            return None;
        }
        let place = place(pid, thread)?;
        let what = place[WHAT].load(Acquire);
        if what & LOOKED_AT == 0 {
            place[WHAT].fetch_or(LOOKED_AT, Relaxed);
        }
        Some(Shown {
            place,
            owner: owner(pid as u32, thread as u32),
            what,
        })
    }

    /// One register, by its word in `struct user_regs_struct`.
    #[inline]
    pub fn register(&self, number: usize) -> Option<u64> {
        (self.what & REGISTERS != 0 && number < REGS_WORDS)
            .then(|| self.place[REGS + number].load(Acquire))
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
            unsafe {
                to.add(i)
                    .write_unaligned(self.place[from + i].load(Relaxed))
            };
        }
        self.is_still_so()
    }

    /// Whether nothing was written since this was made.
    #[inline]
    fn is_still_so(&self) -> bool {
        let written = self.place[WHAT].load(Acquire) ^ self.what;
        self.place[0].load(Acquire) == self.owner && written < CHANGE
    }
}

/// A tracee's place, if it is this thread's to read.
#[inline]
fn place(pid: i32, thread: i32) -> Option<&'static Place> {
    let (_, from) = SHOWN.0.split_at(place_of(pid as u32));
    let place = from.first_chunk::<PLACE_WORDS>()?;
    (place[0].load(Acquire) == owner(pid as u32, thread as u32)).then_some(place)
}

/// Whether the page is known and kept, and the thread too.
#[inline]
fn has_joined(thread: i32) -> bool {
    thread > 0 && SHOWN.0[0].load(Relaxed) != 0
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
