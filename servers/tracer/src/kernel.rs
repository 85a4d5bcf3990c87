//! The tracer's [`Host`] on the kernel.

use super::ANSWER;
use abi::task::SLOTS;
use abi::tracer::Call;
use abi::wire::{self, Buffer};
use abi::{Errno, Regs, TaskId};
use alloc::boxed::Box;
use alloc::vec;
use rt::cap::{CNode, Endpoint, Tcb};
use rt::message;
use rt::slots::tracer as slots;
use tracer::Host;

const CSPACE: CNode = CNode::at(slots::CNODE);
const PROCMGR: Endpoint = Endpoint::at(slots::PROCMGR);
/// How many bits of an address in the CSpace count.
const DEPTH: u64 = 64;

/// The capabilities of tasks.
pub struct Kernel {
    /// Whose TCB was received last for each slot of the task table. It may have been withdrawn.
    threads: Box<[Option<TaskId>]>,
    /// The buffer for calls, while it is not in use.
    buffer: Option<Box<Buffer>>,
}

impl Kernel {
    /// No tasks yet.
    pub fn new() -> Kernel {
        Kernel {
            threads: vec![None; SLOTS].into(),
            buffer: None,
        }
    }

    /// Keeps the reply capability of the client that was received last.
    pub fn park(&mut self, client: TaskId) {
        let slot = slots::REPLY + client.slot() as u64;
        // That of a client that died waiting may still be there.
        CSPACE.delete(slot, DEPTH).expect("the slot is ours");
        CSPACE.save_caller(slot, DEPTH).expect("the slot is empty");
    }

    fn tcb(&self, task: TaskId) -> Result<Tcb, Errno> {
        if self.threads[task.slot()] == Some(task) {
            Ok(Tcb::at(slots::TCB + task.slot() as u64))
        } else {
            Err(Errno::ESRCH)
        }
    }

    /// Calls with the answer's capability going to the task's slot.
    fn call_for_thread(
        &mut self,
        task: TaskId,
        buffer: &mut Buffer,
        len: usize,
    ) -> Result<usize, Errno> {
        let slot = slots::TCB + task.slot() as u64;
        let holder = &mut self.threads[task.slot()];
        if *holder != Some(task) {
            // An earlier task's, if it was not withdrawn; this task's own would have to stay,
            // for it comes only once.
            CSPACE.delete(slot, DEPTH).expect("the slot is ours");
        }
        message::receive_cap_in(Some((CSPACE, slot)));
        let answer = message::call_for_cap(PROCMGR, buffer, len);
        message::receive_cap_in(None);
        let (len, came) = answer?;
        if came {
            *holder = Some(task);
        }
        Ok(len)
    }
}

impl Host for Kernel {
    fn call(&mut self, call: &Call<'_>, buffer: &mut Buffer) -> Result<usize, Errno> {
        let len = wire::encode(call, buffer);
        match *call {
            Call::Attach { task, .. } => self.call_for_thread(task, buffer, len),
            _ => message::call(PROCMGR, buffer, len),
        }
    }

    fn take_buffer(&mut self) -> Box<Buffer> {
        self.buffer
            .take()
            .unwrap_or_else(|| Box::new([0; wire::MAX]))
    }

    fn put_buffer(&mut self, buffer: Box<Buffer>) {
        self.buffer = Some(buffer);
    }

    fn regs(&mut self, task: TaskId) -> Result<Regs, Errno> {
        // A capability that was withdrawn is an empty slot.
        self.tcb(task)?.read_registers().map_err(|_| Errno::ESRCH)
    }

    fn set_regs(&mut self, task: TaskId, regs: &Regs) -> Result<(), Errno> {
        let tcb = self.tcb(task)?;
        tcb.write_registers(regs, false).map_err(|_| Errno::ESRCH)
    }

    fn answer(&mut self, client: TaskId, words: [u64; 4]) {
        Endpoint::at(slots::REPLY + client.slot() as u64).send(ANSWER, words);
    }
}
