//! Who has spoken to the tracer.

use crate::{Host, host};
use abi::client::Said;
use abi::task::SLOTS;
use abi::{Errno, TaskId};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// A client.
#[derive(Clone, Hash)]
struct Client {
    task: TaskId,
    /// Its real user id when it first asked for something.
    uid: Option<u32>,
    said: Said,
}

/// The clients, by slot: one that takes the slot of another replaces it, so they are as many as
/// there are tasks.
#[derive(Clone, Hash)]
pub struct Clients(Vec<Option<Box<Client>>>);

impl Default for Clients {
    fn default() -> Clients {
        let mut clients = Vec::new();
        clients.resize_with(SLOTS, || None);
        Clients(clients)
    }
}

impl Clients {
    /// What a message with this number has been answered.
    pub fn answered(&self, task: TaskId, number: u16) -> Option<[u64; 4]> {
        let client = self.0[task.slot()].as_ref()?;
        client.said.find(number).filter(|_| client.task == task)
    }

    /// A message with this number is answered.
    pub fn answer(&mut self, task: TaskId, number: u16, answer: [u64; 4]) {
        self.get(task).said.keep(number, answer);
    }

    /// Whom a client's tracees are charged to. The process manager is told at the first time, so
    /// that its exit is reported.
    pub fn uid(&mut self, host: &mut impl Host, task: TaskId) -> Result<u32, Errno> {
        let known = self.0[task.slot()].as_ref();
        let known = known.filter(|client| client.task == task);
        if let Some(uid) = known.and_then(|client| client.uid) {
            return Ok(uid);
        }
        let uid = host::who(host, task)?;
        self.get(task).uid = Some(uid);
        Ok(uid)
    }

    /// A client's new program has said nothing yet, and may be somebody else's.
    pub fn begin(&mut self, task: TaskId) {
        let client = &mut self.0[task.slot()];
        if let Some(client) = client.as_mut().filter(|client| client.task == task) {
            client.said = Said::default();
            client.uid = None;
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.iter().flatten().count()
    }

    /// A client is gone.
    pub fn forget(&mut self, task: TaskId) {
        let client = &mut self.0[task.slot()];
        if client.as_ref().is_some_and(|client| client.task == task) {
            *client = None;
        }
    }

    fn get(&mut self, task: TaskId) -> &mut Client {
        let client = &mut self.0[task.slot()];
        if client.as_ref().is_none_or(|client| client.task != task) {
            *client = Some(Box::new(Client {
                task,
                uid: None,
                said: Said::default(),
            }));
        }
        client.as_mut().expect("made above")
    }
}
