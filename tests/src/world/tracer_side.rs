//! The tracer at work.

use super::World;
use abi::tracer::Call;
use abi::wire::Buffer;
use abi::{Errno, TaskId};

/// The tracer's outside.
struct Outside<'a>(&'a mut World);

impl tracer::Host for Outside<'_> {
    fn call(&mut self, call: &Call, buffer: &mut Buffer) -> Result<usize, Errno> {
        let answer = self.0.call(TaskId::TRACER, call, buffer);
        answer.expect("the tracer's calls are answered at once")
    }
}

impl World {
    /// A message to the tracer, whoever sent it.
    pub fn client_words(&mut self, task: TaskId, label: u64, words: [u64; 4]) -> [u64; 4] {
        let mut tracer = self.tracer.take().expect("only when it is not at work");
        let answer = tracer.on_client(&mut Outside(self), task, label, words);
        self.tracer = Some(tracer);
        if self.verbose {
            println!(
                "{:w$}  tracer answers {task:?} {label:#x} {words:x?}: {answer:x?}",
                "",
                w = 2 * self.depth
            );
        }
        answer
    }

    /// The tracer has faulted between two messages, and is started again.
    pub fn restart_tracer(&mut self) {
        self.machine.tracer_notified = false;
        if self.tracer.take().is_some() {
            let tracer = tracer::Tracer::start(&mut Outside(self), None);
            self.tracer = Some(tracer);
        }
    }

    pub(super) fn reports(&mut self) {
        self.machine.tracer_notified = false;
        let mut tracer = self.tracer.take().expect("only when it is not at work");
        tracer.on_reports(&mut Outside(self));
        self.tracer = Some(tracer);
    }
}
