//! The tracer at work.

use super::World;
use crate::sim::Pending;
use abi::tracer::Call;
use abi::wire::Buffer;
use abi::{Errno, Regs, TaskId};

/// The tracer's outside.
struct Outside<'a>(&'a mut World);

impl tracer::Host for Outside<'_> {
    fn call(&mut self, call: &Call<'_>, buffer: &mut Buffer) -> Result<usize, Errno> {
        let answer = self.0.call(TaskId::TRACER, call, buffer);
        answer.expect("the tracer's calls are answered at once")
    }

    fn regs(&mut self, task: TaskId) -> Result<Regs, Errno> {
        self.thread(task).map(|thread| thread.regs)
    }

    fn set_regs(&mut self, task: TaskId, regs: &Regs) -> Result<(), Errno> {
        let thread = self.thread(task)?;
        thread.regs = *regs;
        Ok(())
    }

    fn answer(&mut self, client: TaskId, words: [u64; 4]) {
        self.0.machine.answer_client(client, words);
    }
}

impl Outside<'_> {
    /// A thread through the capability that the tracer was given.
    fn thread(&mut self, task: TaskId) -> Result<&mut crate::sim::Thread, Errno> {
        let thread = self
            .0
            .machine
            .threads
            .get_mut(task)
            .filter(|t| t.handed)
            .ok_or(Errno::ESRCH)?;
        assert!(
            thread.held(),
            "the tracer touches the registers of {task:?}, which is not held"
        );
        Ok(thread)
    }
}

impl World {
    /// The tracer takes a thread's message.
    pub(super) fn client(&mut self, task: TaskId) {
        let thread = self.machine.threads.one(task);
        let Pending::Calling { label, words, .. } = thread.pending else {
            panic!("{task:?} does not call");
        };
        thread.pending = Pending::Calling {
            label,
            words,
            taken: true,
        };
        if let Some(answer) = self.client_words(task, label, words) {
            self.machine.answer_client(task, answer);
        }
    }

    /// A message to the tracer, whoever sent it.
    pub fn client_words(&mut self, task: TaskId, label: u64, words: [u64; 4]) -> Option<[u64; 4]> {
        let mut tracer = self.tracer.take().expect("only when it is not at work");
        let answer = tracer.on_client(&mut Outside(self), task, label, words);
        self.tracer = Some(tracer);
        if self.verbose {
            println!(
                "{:w$}  tracer answers {task:?} {label} {words:x?}: {answer:x?}",
                "",
                w = 2 * self.depth
            );
        }
        answer
    }

    pub(super) fn reports(&mut self) {
        self.machine.tracer_notified = false;
        let mut tracer = self.tracer.take().expect("only when it is not at work");
        tracer.on_reports(&mut Outside(self));
        self.tracer = Some(tracer);
    }
}
