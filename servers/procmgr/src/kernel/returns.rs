//! The way back from a system call.
//!
//! A thread's registers can be set by a call to the kernel, with as many words as there are up to `r11`. Or its fault is
//! answered, which is done in waiting for the next message, and sets the instruction pointer, the stack
//! pointer and the flags: a third of a system call less. But a system call changes `rax`, `rcx` and `r11` too. So
//! a thread goes back by way of four instructions, which load them from beside their own code. They are in the page of
//! the [stubs](super::stubs), of which a space that makes more than a few system calls gets one of its own. Only the
//! process manager can write it.
//!
//! A thread that is stopped on its way is as good as back: its registers are read as they are about to be.

use super::{Kernel, stubs};
use abi::regs::TF;
use abi::{Regs, TaskId};
use rt::window::Window;

/// How many places for threads there are in a page.
pub const PLACES: usize = (4096 - stubs::END) / SIZE;
/// Bytes of a place: the code, and the three words.
const SIZE: usize = 64;
/// Where the words are in it.
const WORDS: usize = 32;
/// System calls that a thread makes before it is given a place.
const FEW: u8 = 8;

/// `mov rax, [rip + ...]`, the same for `rcx` and `r11`, and `jmp rcx`.
const CODE: [u8; 23] = [
    0x48, 0x8b, 0x05, 25, 0, 0, 0, //
    0x48, 0x8b, 0x0d, 26, 0, 0, 0, //
    0x4c, 0x8b, 0x1d, 27, 0, 0, 0, //
    0xff, 0xe1,
];

/// How a thread comes back.
#[derive(Clone, Copy)]
pub enum Way {
    /// Its registers are set, for so many more system calls.
    Set(u8),
    /// By its place.
    By(Place),
    /// Its registers are set: there is no place for it.
    Always,
}

/// A thread's place.
#[derive(Clone, Copy)]
pub struct Place {
    /// The page's frame.
    pub frame: u32,
    /// Its number in the page.
    pub number: u8,
}

/// What a way back ends in.
#[derive(Clone, Copy)]
pub struct End {
    rax: u64,
    rip: u64,
    r11: u64,
}

impl End {
    /// As if the thread were there.
    #[inline]
    pub fn put(self, regs: &mut Regs) {
        (regs.rax, regs.rcx, regs.rip, regs.r11) = (self.rax, self.rip, self.rip, self.r11);
    }
}

impl Way {
    /// A thread's that has made no system call.
    pub const NEW: Way = Way::Set(FEW);
}

impl Place {
    /// Where its code is in a thread's space.
    fn address(self) -> u64 {
        stubs::PAGE + self.offset() as u64
    }

    fn offset(self) -> usize {
        stubs::END + self.number as usize * SIZE
    }

    fn words(self) -> usize {
        (self.offset() + WORDS) / 8
    }

    /// Has a thread that begins there come back with these registers; where it begins.
    #[inline]
    pub fn lead(self, window: &mut Window, regs: &Regs) -> u64 {
        let words = &mut window.words_mut(self.frame)[self.words()..][..3];
        (words[0], words[1], words[2]) = (regs.rax, regs.rip, regs.r11);
        self.address()
    }

    /// What its code does.
    fn end(self, window: &Window) -> End {
        let words = &window.words(self.frame)[self.words()..][..3];
        End {
            rax: words[0],
            rip: words[1],
            r11: words[2],
        }
    }

    fn contains(self, ip: u64) -> bool {
        (self.address()..self.address() + CODE.len() as u64).contains(&ip)
    }
}

/// Writes the places into a page of stubs.
pub fn write(page: &mut [u8; 4096]) {
    for place in page[stubs::END..].chunks_exact_mut(SIZE) {
        place[..CODE.len()].copy_from_slice(&CODE);
    }
}

impl Kernel {
    /// The place by which a thread comes back from its system call; none where its registers are set: what is
    /// debugged, what has made few system calls yet, and whose fault cannot be answered any more.
    #[inline]
    pub fn way_back(&mut self, task: TaskId, at: &Regs) -> Option<Place> {
        if at.rflags & TF != 0 || !self.mail.can_answer(task) {
            return None;
        }
        let thread = self.threads.get(task);
        if thread.is_debugged() || thread.step || thread.withdrawn.is_some() {
            return None;
        }
        match thread.way {
            Way::By(place) => return Some(place),
            Way::Always => return None,
            Way::Set(0) => {}
            Way::Set(left) => {
                thread.way = Way::Set(left - 1);
                return None;
            }
        }
        let space = thread.space;
        let place = self
            .spaces
            .place(&mut self.memory, &mut self.window, space, task);
        self.threads.get(task).way = place.map_or(Way::Always, Way::By);
        place
    }

    /// Where a thread comes back that stands at `ip` in the page, if it is on its way.
    #[cold]
    pub fn end_of_way(&mut self, task: TaskId, ip: u64) -> Option<End> {
        match self.threads.get(task).way {
            Way::By(place) if place.contains(ip) => Some(place.end(&self.window)),
            _ => None,
        }
    }

    /// A thread that was to go back by its place stays held: it is back.
    pub fn come_back(&mut self, task: TaskId, ip: u64) {
        let tcb = self.threads.tcb(task);
        let mut regs = tcb.read_registers().expect("the thread is ours");
        if let Some(end) = self.end_of_way(task, ip) {
            end.put(&mut regs);
        }
        tcb.write_registers(&regs, false);
    }

    /// A thread leaves its space, or its name.
    pub fn leave_place(&mut self, task: TaskId) {
        let thread = self.threads.get(task);
        if let Way::By(place) = core::mem::replace(&mut thread.way, Way::NEW) {
            self.spaces.give_back(thread.space, place);
        }
    }
}
