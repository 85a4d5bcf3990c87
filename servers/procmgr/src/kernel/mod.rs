//! The machine on the kernel: what comes from it here, what the library asks for in `machine.rs`.

mod machine;
mod mail;
mod memory;
mod meter;
mod returns;
mod spaces;
mod stubs;
mod threads;
mod timer;

use abi::regs::TF;
use abi::{Regs, TaskId};
use mail::Mail;
pub use mail::{Incoming, Said};
use memory::Memory;
use meter::Meter;
use procmgr::Trap;
use procmgr::machine::PAGE;
use rt::boot;
use rt::cap::{CNode, Tcb};
use rt::clock::Clock;
use rt::slots::procmgr as slots;
use rt::syscall::Words;
use rt::window::Window;
use spaces::Spaces;
use threads::{Thread, Threads};
use timer::Timer;

/// The process manager's own CSpace. All addresses in it are [`DEPTH`] bits deep.
const CSPACE: CNode = CNode::at(slots::CNODE);
/// How many bits of an address count.
const DEPTH: u64 = 64;
/// How many registers, in the kernel's order, there are up to `r11`.
const SYSCALL_WORDS: usize = 14;

/// Everything the process manager has of the kernel.
pub struct Kernel {
    window: Window,
    memory: Memory,
    spaces: Spaces,
    threads: Threads,
    meter: Meter,
    /// Whose trap or message is being worked on.
    worked_for: Option<TaskId>,
    /// Whose message it is, which nobody has answered. To the meter the task runs: most are answered at once.
    speaker: Option<TaskId>,
    clock: Clock,
    timer: Timer,
    mail: Mail,
}

impl Kernel {
    /// Takes over the machine.
    ///
    /// # Panics
    /// If it has not even the memory for the first few frames.
    pub fn new(machine: &boot::Machine) -> Kernel {
        // SAFETY: this is the one that there is (`main` makes one kernel). `Memory` maps every
        // frame before it gives it a number, and an archive frame when its number is asked for.
        let mut window = unsafe { Window::take() };
        let mut memory = Memory::new(machine);
        let spaces = Spaces::new(&mut memory, &mut window).expect("there is memory to start with");
        Kernel {
            window,
            memory,
            spaces,
            threads: Threads::new(),
            meter: Meter::new(),
            worked_for: None,
            speaker: None,
            clock: Clock::new(machine.tsc_at_boot, machine.tsc_mhz),
            timer: Timer::new(),
            mail: Mail::new(),
        }
    }

    /// A part of the archive, copied.
    pub fn archive_bytes(&mut self, offset: u64, size: u64) -> alloc::vec::Vec<u8> {
        for page in offset / PAGE..(offset + size).div_ceil(PAGE) {
            self.memory
                .archive_frame(page as u32)
                .expect("it is in the archive");
        }
        self.window.archive(offset, size).to_vec()
    }

    /// Waits for what happens next. What a task says is put into `said`, a request's bytes into `message`.
    #[inline]
    pub fn receive(&mut self, said: &mut Said, message: &mut abi::wire::Buffer) -> Incoming {
        loop {
            let worked = self.meter.start();
            if let Some(task) = self.worked_for.take()
                && let Some(thread) = self.threads.find(task)
            {
                thread.worked += worked;
            }
            let incoming = self.mail.receive(said, message);
            self.meter.stop();
            match incoming {
                Incoming::Trap(task, trap, ip) => {
                    if let Some(thread) = self.threads.find(task) {
                        thread.held(&mut self.meter);
                        self.worked_for = Some(task);
                        return Incoming::Trap(task, trap, ip);
                    }
                }
                Incoming::Message(task) => {
                    self.worked_for = Some(task);
                    self.speaker = Some(task);
                    return Incoming::Message(task);
                }
                Incoming::Timer => {
                    let now = self.clock.now();
                    if self.timer.fired(now) {
                        return Incoming::Timer;
                    }
                }
                incoming => return incoming,
            }
        }
    }

    /// Answers a server's request: an error, or the bytes with label 0.
    pub fn answer(&mut self, server: TaskId, label: u16, bytes: &[u8]) {
        self.mail.answer(server, label as u64, bytes);
    }

    /// Answers a task's message. One that has lost its place in the kernel meanwhile is sent again,
    /// and the answer to it is known.
    pub fn answer_task(&mut self, task: TaskId, words: Words) {
        if self.speaker.take().is_none() {
            self.threads.get(task).runs(&mut self.meter);
        }
        if !self.mail.answer_task(task, words) {
            let tcb = self.threads.tcb(task);
            tcb.resume();
        }
    }

    /// A task's message has no answer for now: the task waits, or runs again already.
    pub fn leave_message(&mut self) {
        if let Some(task) = self.speaker.take()
            && let Some(thread) = self.threads.find(task)
        {
            thread.held(&mut self.meter);
        }
    }

    /// Leaves a server's request unanswered for now.
    pub fn park(&mut self, server: TaskId) {
        self.mail.park(server);
    }

    /// Has the thread stepped as asked for, before it runs.
    fn set_stepping(thread: &mut Thread, on: bool) {
        if thread.stepping != on {
            thread.tcb().single_step(on).expect("the thread is ours");
            thread.stepping = on;
        }
    }

    /// Gets a held thread ready to run. The trap that it raised, and that was withdrawn, has
    /// happened and is delivered after all: then the thread does not run.
    fn prepare(&mut self, task: TaskId) -> Option<(Trap, u64)> {
        let thread = self.threads.get(task);
        Self::set_stepping(thread, thread.step);
        thread.rearm();
        thread.runs(&mut self.meter);
        if self.speaker == Some(task) {
            self.speaker = None;
        }
        let withdrawn = thread.withdrawn.take();
        withdrawn.filter(|(trap, _)| *trap != Trap::Step || thread.step)
    }

    /// Whether a thread may have raised a trap that running its instruction again does not bring back.
    fn may_have_trapped(
        &mut self,
        tcb: Tcb,
        ends_trap: impl FnOnce(&mut Self, u64) -> bool,
    ) -> bool {
        let (ip, flags) = tcb.read_ip_and_flags().expect("the thread is ours");
        flags & TF != 0 || ends_trap(self, ip)
    }

    /// Lets a held thread run with the first `words` of its registers written.
    fn run(&mut self, task: TaskId, regs: &Regs, words: usize) {
        let again = self.prepare(task);
        self.threads
            .tcb(task)
            .write_first_registers(regs, words, again.is_none());
        if let Some((trap, _)) = again {
            self.mail.again(task, trap, regs.rip);
        }
    }
}
