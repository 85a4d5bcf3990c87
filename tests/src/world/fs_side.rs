//! The file server at work.

use super::World;
use abi::fs::Call;
use abi::wire::{Buffer, MAX};
use abi::{Errno, TaskId};

/// The file server's outside.
struct Outside<'a>(&'a mut World);

impl fs::Host for Outside<'_> {
    fn call(&mut self, call: &Call<'_>, buffer: &mut Buffer) -> Result<usize, Errno> {
        let answer = self.0.call(TaskId::FS, call, buffer);
        answer.expect("only Next is parked, which the file server's loop calls")
    }

    fn stdout(&mut self, bytes: &[u8]) {
        self.0.output.extend(bytes);
    }

    fn stderr(&mut self, bytes: &[u8]) {
        self.0.errors.extend(bytes);
    }

    fn stdin(&mut self, buffer: &mut [u8]) -> usize {
        let n = buffer.len().min(self.0.input.len());
        for (to, from) in buffer.iter_mut().zip(self.0.input.drain(..n)) {
            *to = from;
        }
        n
    }

    fn console_ack(&mut self) {
        self.0.console_raised = !self.0.input.is_empty();
    }

    // Nothing is at the second port.
    fn serial_write(&mut self, bytes: &[u8]) -> usize {
        bytes.len()
    }

    fn serial_read(&mut self, _: &mut [u8]) -> usize {
        0
    }

    fn serial_ack(&mut self) {}
}

impl World {
    pub(super) fn start_fs(&mut self) {
        let mut fs = self.fs.take().expect("not at work before it starts");
        fs.start(&mut Outside(self));
        self.fs = Some(fs);
    }

    /// The file server's loop, once round: its next report, or the answer to the parked call.
    pub(super) fn files(&mut self) {
        let mut fs = self.fs.take().expect("only when it is not at work");
        let message = match self.machine.fs_answer.take() {
            Some(message) => Some(message),
            None => self.ask_for_report(),
        };
        if let Some(message) = message {
            if self.verbose {
                let reply: Result<abi::fs::Reply<'_>, _> = abi::wire::decode(&message);
                println!("{:w$}  fs takes {reply:?}", "", w = 2 * self.depth);
            }
            fs.handle(&mut Outside(self), &message);
        }
        self.fs = Some(fs);
    }

    fn ask_for_report(&mut self) -> Option<Vec<u8>> {
        let mut buffer = [0; MAX];
        match self.call(TaskId::FS, &Call::Next, &mut buffer) {
            Some(answer) => {
                let len = answer.expect("Next is never refused");
                Some(buffer[..len].to_vec())
            }
            None => {
                self.machine.fs_parked = true;
                None
            }
        }
    }

    /// A message that did not come from the process manager.
    pub fn forge_to_fs(&mut self, message: &[u8]) {
        if let Some(mut fs) = self.fs.take() {
            fs.handle(&mut Outside(self), message);
            self.fs = Some(fs);
        }
    }
}
