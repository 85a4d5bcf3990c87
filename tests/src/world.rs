//! The machine with the three servers on it, and what could happen next.

mod fs_side;
mod report;
mod tracer_side;

use crate::boot::Boot;
use crate::invariants;
use crate::schedule::{Random, replayed};
use crate::sim::cpu::Hook;
use crate::sim::{Activity, Pending, Server, SimMachine};
use abi::wire::{self, Buffer, MAX};
use abi::{Errno, Regs, TaskId};
use procmgr::machine::Machine;
use procmgr::{Config, Procmgr};
use std::collections::VecDeque;

/// How many frames a world's machine has, unless it is said.
pub const FRAMES: u32 = 4096;
/// After how many steps a run is taken for one that never ends.
const MAX_STEPS: u64 = 1_000_000;
/// How many of the latest events a failure shows.
const REMEMBERED: usize = 60;

/// Something that can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A thread runs.
    Run(TaskId),
    /// A thread's trap reaches the process manager.
    Trap(TaskId),
    /// A thread's message reaches its server.
    Message(TaskId),
    /// The tracer sees that it has reports.
    Reports,
    /// The file server takes its next report.
    Files,
    /// A timer is due.
    Timer,
    /// The console's interrupt comes.
    Console,
}

/// Something a program told the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// Which task.
    pub task: TaskId,
    /// What.
    pub value: u64,
}

/// A machine under a scheduler.
pub struct World {
    /// The hardware.
    pub machine: SimMachine,
    /// The process manager.
    pub procmgr: Procmgr,
    /// The file server, unless it is at work.
    fs: Option<fs::Fs>,
    /// The tracer, unless it is at work.
    tracer: Option<tracer::Tracer>,
    /// Where choices come from.
    pub random: Random,
    /// What programs said, in order.
    pub notes: Vec<Note>,
    /// What programs wrote to the console.
    pub output: Vec<u8>,
    /// What was said on the log channel.
    pub errors: Vec<u8>,
    /// What waits at the console.
    input: VecDeque<u8>,
    console_raised: bool,
    /// How many things have happened.
    pub steps: u64,
    /// Frames that were free when the servers had started.
    pub frames_at_start: usize,
    /// Other things happen at one in so many messages; 0 for none.
    pub interleave_one_in: u64,
    /// The invariants are checked at one in so many steps.
    pub check_one_in: u64,
    seed: u64,
    depth: usize,
    latest: VecDeque<(u64, usize, Event)>,
    verbose: bool,
}

impl World {
    /// A machine that has been switched on: the servers have started, the first process has not
    /// run yet.
    pub fn new(boot: &Boot, seed: u64) -> World {
        World::with_frames(boot, seed, FRAMES)
    }

    /// The same with so much memory.
    pub fn with_frames(boot: &Boot, seed: u64, frames: u32) -> World {
        let mut world = World {
            machine: SimMachine::new(frames, boot.pages.clone()),
            procmgr: Procmgr::new(Config {
                realtime_at_boot: 1_700_000_000_000_000_000,
            }),
            fs: Some(fs::Fs::new()),
            tracer: Some(tracer::Tracer::new()),
            random: Random::new(seed),
            notes: Vec::new(),
            output: Vec::new(),
            errors: Vec::new(),
            input: VecDeque::new(),
            console_raised: false,
            steps: 0,
            frames_at_start: 0,
            interleave_one_in: 4,
            check_one_in: 1,
            seed,
            depth: 0,
            latest: VecDeque::new(),
            verbose: replayed().is_some(),
        };
        world.start_fs();
        world.frames_at_start = world.machine.frames_free();
        world.procmgr.start(&mut world.machine, &boot.command);
        world
    }

    /// Runs until the machine is off; the first process's wait status.
    pub fn run(&mut self) -> i32 {
        self.run_until(|_| false);
        self.machine.off.expect("run until the machine is off")
    }

    /// Runs until something holds or the machine is off.
    pub fn run_until(&mut self, reached: impl Fn(&World) -> bool) {
        while self.machine.off.is_none() && !reached(self) {
            assert!(self.steps < MAX_STEPS, "the run does not end");
            assert!(self.step(), "nothing can happen any more");
        }
    }

    /// Runs to the end and checks that everything was given back.
    pub fn run_to_the_end(&mut self) -> i32 {
        let status = self.run();
        self.settle();
        invariants::check_end(&self.seen());
        status
    }

    /// The same while the tracer faults at one in so many steps, and is started again.
    pub fn run_to_the_end_restarting_the_tracer(&mut self, steps: u64) -> i32 {
        while self.machine.off.is_none() {
            let until = self.steps + self.random.below(2 * steps);
            self.run_until(|w| w.steps >= until);
            self.restart_tracer();
            invariants::check(&self.seen());
        }
        self.run_to_the_end()
    }

    /// Runs on after the machine was switched off, until nothing more happens: the servers
    /// finish what they are at.
    pub fn settle(&mut self) {
        while self.step() {
            assert!(self.steps < MAX_STEPS, "the run does not end");
        }
    }

    /// One thing happens; false if nothing can.
    pub fn step(&mut self) -> bool {
        let mut events = self.possible();
        if events.is_empty() {
            let Some(deadline) = self.machine.deadline else {
                return false;
            };
            self.machine.clock = self.machine.clock.max(deadline);
            events.push(Event::Timer);
        }
        let event = *self.random.pick(&events);
        self.happen(event);
        if self.depth == 0 && self.steps.is_multiple_of(self.check_one_in) {
            invariants::check(&self.seen());
        }
        true
    }

    /// Between two servers' messages other things may happen.
    fn interleave(&mut self) {
        self.machine.clock += 1_000;
        while self.interleave_one_in != 0 && self.random.one_in(self.interleave_one_in) {
            let events = self.possible();
            if events.is_empty() {
                return;
            }
            let event = *self.random.pick(&events);
            self.depth += 1;
            self.happen(event);
            self.depth -= 1;
        }
    }

    /// What can happen now.
    fn possible(&self) -> Vec<Event> {
        let mut events = Vec::new();
        for (id, thread) in self.machine.threads.all() {
            match thread.pending {
                Pending::Running(_) | Pending::Answered => events.push(Event::Run(id)),
                Pending::Trapped(..) => events.push(Event::Trap(id)),
                Pending::Calling {
                    taken: false,
                    server,
                    ..
                } if server == Server::Procmgr || self.tracer.is_some() => {
                    events.push(Event::Message(id));
                }
                _ => {}
            }
        }
        if self.machine.tracer_notified && self.tracer.is_some() {
            events.push(Event::Reports);
        }
        if self.fs.is_some() && (!self.machine.fs_parked || self.machine.fs_answer.is_some()) {
            events.push(Event::Files);
        }
        if self
            .machine
            .deadline
            .is_some_and(|at| at <= self.machine.clock)
        {
            events.push(Event::Timer);
        }
        if self.console_raised {
            events.push(Event::Console);
        }
        events
    }

    fn happen(&mut self, event: Event) {
        self.steps += 1;
        self.remember(event);
        match event {
            Event::Run(task) => self.run_thread(task),
            Event::Trap(task) => self.deliver(task),
            Event::Message(task) => self.message(task),
            Event::Reports => self.reports(),
            Event::Files => self.files(),
            Event::Timer => self.procmgr.on_timer(&mut self.machine),
            Event::Console => {
                self.console_raised = false;
                self.procmgr.on_console(&mut self.machine);
            }
        }
    }

    fn run_thread(&mut self, task: TaskId) {
        let budget = match self.random.below(8) {
            0 => 1,
            1 => 200,
            _ => 1 + self.random.below(20) as u32,
        };
        let World {
            machine,
            random,
            notes,
            ..
        } = self;
        let mut hook = |hook: Hook, regs: &mut Regs| match hook {
            crate::asm::CHECK => crate::asm::check(task, regs),
            crate::asm::NOTE => notes.push(Note {
                task,
                value: regs.rdi,
            }),
            crate::asm::CHOOSE => regs.rax = random.below(regs.rdi),
            other => panic!("{other:?} means nothing"),
        };
        machine.burst(task, budget, &mut hook);
        // Mostly a trap is delivered at once; a step's always, because the instruction is done.
        match self.machine.threads.one(task).pending {
            Pending::Trapped(procmgr::Trap::Step | procmgr::Trap::Breakpoint { .. }, _) => {
                self.deliver(task);
            }
            Pending::Trapped(..) if !self.random.one_in(8) => self.deliver(task),
            _ => {}
        }
    }

    /// A server takes a thread's message.
    fn message(&mut self, task: TaskId) {
        let thread = self.machine.threads.one(task);
        let Pending::Calling {
            server,
            label,
            words,
            ref mut taken,
        } = thread.pending
        else {
            panic!("{task:?} does not call");
        };
        *taken = true;
        let answer = match server {
            Server::Procmgr => self.say(task, label, words),
            Server::Tracer => Some(self.client_words(task, label, words)),
        };
        if let Some(answer) = answer {
            self.machine.answer_client(task, server, answer);
        }
    }

    /// A message to the process manager, whoever sent it.
    pub fn say(&mut self, task: TaskId, label: u64, words: [u64; 4]) -> Option<[u64; 4]> {
        let answer = self
            .procmgr
            .on_message(&mut self.machine, task, label, words);
        if self.verbose {
            println!(
                "{:w$}  procmgr answers {task:?} {label:#x} {words:x?}: {answer:x?}",
                "",
                w = 2 * self.depth
            );
        }
        answer
    }

    fn deliver(&mut self, task: TaskId) {
        let (trap, ip) = self.machine.take_trap(task);
        if self.verbose {
            println!(
                "{:w$}  {task:?}: {trap:?} {:?}",
                "",
                self.machine.threads.one(task).regs,
                w = 2 * self.depth
            );
        }
        self.procmgr.on_trap(&mut self.machine, task, trap, ip);
    }

    /// Raw bytes from a server to the process manager: the reply's length, or the errno. None if
    /// the call was parked.
    pub fn raw_call(
        &mut self,
        from: TaskId,
        message: &[u8],
        buffer: &mut Buffer,
    ) -> Option<Result<usize, Errno>> {
        let answer = self
            .procmgr
            .on_call(&mut self.machine, from, message, buffer);
        Some(match answer? {
            (0, len) => Ok(len),
            (errno, _) => Err(Errno(errno)),
        })
    }

    /// A server's call: encoded, delivered some time, answered.
    fn call<T: serde::Serialize + core::fmt::Debug>(
        &mut self,
        from: TaskId,
        call: &T,
        buffer: &mut Buffer,
    ) -> Option<Result<usize, Errno>> {
        let mut message = [0; MAX];
        let len = wire::encode(call, &mut message);
        self.interleave();
        let answer = self.raw_call(from, &message[..len], buffer);
        if self.verbose {
            let who = if from == TaskId::FS { "fs" } else { "tracer" };
            println!(
                "{:w$}  {who}: {call:?} -> {answer:?}",
                "",
                w = 2 * self.depth
            );
        }
        answer
    }

    /// Something is typed at the console.
    pub fn type_in(&mut self, bytes: &[u8]) {
        self.input.extend(bytes);
        self.console_raised = true;
    }

    /// The tracer, when it is not at work.
    pub fn tracer(&self) -> Option<&tracer::Tracer> {
        self.tracer.as_ref()
    }

    /// The file server, when it is not at work.
    pub fn fs(&self) -> Option<&fs::Fs> {
        self.fs.as_ref()
    }

    /// The notes of a run, without who made them.
    pub fn noted(&self) -> Vec<u64> {
        self.notes.iter().map(|n| n.value).collect()
    }

    /// Whether a task's thread is in the middle of a stub.
    pub fn in_stub(&self, task: TaskId) -> bool {
        let thread = self.machine.threads.get(task);
        thread.is_some_and(|t| matches!(t.pending, Pending::Running(Activity::Stub(..))))
    }
}
