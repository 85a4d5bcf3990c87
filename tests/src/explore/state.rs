//! A small world at one moment, and what could happen next.

use super::served::{Job, Served};
use crate::sim::{Activity, Pending, Server, SimMachine};
use crate::{Boot, World, asm};
use abi::fs::Call;
use abi::wire::{self, Buffer, MAX};
use abi::{Errno, Regs, TaskId};
use procmgr::{Procmgr, Trap};

/// How many frames there are: more than the small worlds use.
const FRAMES: u32 = 512;
/// After so many instructions without a trap a program is taken for one that never has any.
const MAX_INSTRUCTIONS: u32 = 10_000;

/// What is one step of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// To run to the next trap or message is a step, and so is the trap or message.
    Fine,
    /// A task runs on at once, so that it is stopped only at its next trap or message, or where it has
    /// an answer and has not run since. To the servers a task that is stopped earlier is the same but
    /// for its registers.
    Coarse,
}

/// Everything there is.
#[derive(Clone)]
pub struct State {
    /// The hardware.
    pub machine: SimMachine,
    /// The process manager.
    pub procmgr: Procmgr,
    /// The tracer.
    pub tracer: Served<tracer::Tracer>,
    /// The file server.
    pub fs: Served<fs::Fs>,
    /// What is one step.
    pub grain: Grain,
    /// Frames that were free when the servers had started.
    pub frames_at_start: usize,
}

/// One step. In their order, which is that of the beginning: servers first, then the oldest task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The file server's call reaches the process manager.
    Files,
    /// The tracer's does.
    Tracer,
    /// The tracer sees that it has reports.
    Reports,
    /// A task runs to its next trap or message.
    Run(TaskId),
    /// A task's trap reaches the process manager.
    Trap(TaskId),
    /// A task's message reaches its server.
    Message(TaskId),
}

impl State {
    /// A machine whose first process has come to its first note, with no task but those it depends
    /// on having run before it.
    pub fn at_first_note(boot: &Boot, grain: Grain) -> State {
        let world = World::with_frames(boot, 0, FRAMES);
        let mut machine = world.machine.clone();
        machine.stands_still = true;
        let mut state = State {
            machine,
            procmgr: world.procmgr.clone(),
            tracer: Served::new(world.tracer().expect("not at work yet").clone()),
            fs: Served::new(world.fs().expect("not at work yet").clone()),
            grain,
            frames_at_start: world.frames_at_start,
        };
        loop {
            let events = state.possible();
            let first = *events.first().expect("a note that is reached");
            if state.happen(first) {
                return state;
            }
        }
    }

    /// What can happen now.
    pub fn possible(&self) -> Vec<Event> {
        let mut events = Vec::new();
        if self.fs.call().is_some() || !self.machine.fs_parked {
            events.push(Event::Files);
        }
        if self.tracer.call().is_some() {
            events.push(Event::Tracer);
        } else if self.machine.tracer_notified {
            events.push(Event::Reports);
        }
        for (id, thread) in self.machine.threads.all() {
            match thread.pending {
                Pending::Running(_) | Pending::Answered => events.push(Event::Run(id)),
                Pending::Trapped(..) => events.push(Event::Trap(id)),
                Pending::Calling {
                    taken: false,
                    server,
                    ..
                } if server == Server::Procmgr || self.tracer.idle().is_some() => {
                    events.push(Event::Message(id));
                }
                _ => {}
            }
        }
        assert_eq!(self.machine.deadline, None, "a timer in a small world");
        events
    }

    /// One thing happens; whether a program made a note.
    pub fn happen(&mut self, event: Event) -> bool {
        let mut noted = false;
        match event {
            Event::Files => self.files(),
            Event::Tracer => {
                let call = self.tracer.call().expect("it calls").to_vec();
                let answer = self.call(TaskId::TRACER, &call);
                let answer = answer.expect("the tracer's calls are answered at once");
                let client = self.tracer.client();
                self.tracer_works(client, |tracer| tracer.hear(answer));
            }
            Event::Reports => {
                self.machine.tracer_notified = false;
                self.tracer_works(None, |tracer| tracer.start(Job::Reports));
            }
            Event::Run(task) => noted = self.run(task),
            Event::Trap(task) => self.trap(task),
            Event::Message(task) => self.message(task),
        }
        // Nobody else can tell when the file server reads its answer.
        if self.fs.idle().is_some()
            && let Some(message) = self.machine.fs_answer.take()
        {
            self.fs.start(Job::File(message));
        }
        if self.grain == Grain::Coarse {
            noted |= self.run_all();
        }
        noted
    }

    /// Every task that runs in its program does so up to its next trap or message.
    fn run_all(&mut self) -> bool {
        let program = Pending::Running(Activity::Program);
        let threads = self.machine.threads.all();
        let running = threads.filter(|(_, thread)| thread.pending == program);
        let running: Vec<_> = running.map(|(id, _)| id).collect();
        let mut noted = false;
        for id in running {
            noted |= self.run(id);
        }
        noted
    }

    /// A task runs to its next trap or message; page faults are resolved on the way, and a step's trap
    /// reaches the process manager at once, because the instruction is done.
    fn run(&mut self, task: TaskId) -> bool {
        let mut noted = false;
        loop {
            let mut hook = |hook, regs: &mut Regs| match hook {
                asm::CHECK => asm::check(task, regs),
                asm::NOTE => noted = true,
                other => panic!("{other:?} means nothing here"),
            };
            self.machine.burst(task, MAX_INSTRUCTIONS, &mut hook);
            let fault = match self.machine.threads.one(task).pending {
                Pending::Trapped(Trap::PageFault { .. }, _) => true,
                Pending::Trapped(Trap::Step, _) => false,
                Pending::Running(_) => panic!("{task:?} runs in circles"),
                _ => return noted,
            };
            self.trap(task);
            let thread = self.machine.threads.get(task);
            let runs = thread.is_some_and(|t| matches!(t.pending, Pending::Running(_)));
            if !(fault && runs) {
                return noted;
            }
        }
    }

    fn trap(&mut self, task: TaskId) {
        let (trap, ip) = self.machine.take_trap(task);
        self.procmgr.on_trap(&mut self.machine, task, trap, ip);
    }

    fn message(&mut self, task: TaskId) {
        let Pending::Calling {
            server,
            label,
            words,
            ref mut taken,
        } = self.machine.threads.one(task).pending
        else {
            panic!("{task:?} does not call");
        };
        *taken = true;
        match server {
            Server::Procmgr => {
                let answer = self
                    .procmgr
                    .on_message(&mut self.machine, task, label, words);
                if let Some(answer) = answer {
                    self.machine.answer_client(task, server, answer);
                }
            }
            Server::Tracer => {
                let job = Job::Client(task, label, words);
                self.tracer_works(Some(task), |tracer| tracer.start(job));
            }
        }
    }

    fn tracer_works(
        &mut self,
        client: Option<TaskId>,
        work: impl FnOnce(&mut Served<tracer::Tracer>) -> Option<[u64; 4]>,
    ) {
        if let Some(answer) = work(&mut self.tracer) {
            let client = client.expect("only a client's message has an answer");
            self.machine.answer_client(client, Server::Tracer, answer);
        }
    }

    fn files(&mut self) {
        if let Some(call) = self.fs.call() {
            let call = call.to_vec();
            let answer = self.call(TaskId::FS, &call);
            let answer = answer.expect("only Next is parked, which the file server's loop calls");
            self.fs.hear(answer);
            return;
        }
        let mut buffer = [0; MAX];
        let len = wire::encode(&Call::Next, &mut buffer);
        match self.call(TaskId::FS, &buffer[..len]) {
            Some(message) => {
                let message = message.expect("Next is never refused");
                self.fs.start(Job::File(message));
            }
            None => self.machine.fs_parked = true,
        }
    }

    /// A server's call: the answer's bytes, or the errno; none if it was parked.
    fn call(&mut self, from: TaskId, call: &[u8]) -> Option<Result<Vec<u8>, Errno>> {
        let mut buffer: Buffer = [0; MAX];
        let answer = self
            .procmgr
            .on_call(&mut self.machine, from, call, &mut buffer);
        Some(match answer? {
            (0, len) => Ok(buffer[..len].to_vec()),
            (errno, _) => Err(Errno(errno)),
        })
    }
}
