//! What a client's engines are to be told: it takes it with [`abi::engine::NEXT`].

use super::Engine;
use crate::Procmgr;
use crate::machine::Machine;
use crate::messages::Words;
use crate::task::{Landing, State, Wait};
use abi::engine::{Answer, Callback, Handle, POLL, Ticket, word};
use abi::tracer::Event;
use abi::{Errno, TaskId};
use alloc::collections::VecDeque;

/// A client's callbacks, in the order in which they came.
#[derive(Clone, Default, Hash)]
pub struct Inbox {
    items: VecDeque<Item>,
    /// Engines that are attached.
    pub engines: usize,
    /// How many items tell of the end of an engine that is no longer attached.
    ends: usize,
    /// The number of the last message whose answer was taken.
    answered: u16,
}

/// Something to be told.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Item {
    /// A task's callback, if it is still outstanding.
    Callback(TaskId),
    /// A task was reaped.
    Reaped { handle: Handle, data: u64, tid: u32 },
}

impl Inbox {
    /// Whether another engine fits: EAGAIN, ENOMEM.
    pub(super) fn room(&mut self, limit: usize) -> Result<(), Errno> {
        if self.engines + self.ends >= limit {
            return Err(Errno::EAGAIN);
        }
        // Each engine has a callback, which may be withdrawn and followed by the end.
        let room = 2 * (self.engines + 1) + self.ends;
        let more = room.saturating_sub(self.items.len());
        self.items.try_reserve(more).map_err(|_| Errno::ENOMEM)
    }

    /// Another program is there, which is told of no engines but its own.
    pub fn begin(&mut self) {
        self.items.clear();
        self.ends = 0;
        self.answered = 0;
    }

    /// How much is to be told.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    fn put(&mut self, item: Item) {
        self.items.retain(|other| *other != item);
        self.items.push_back(item);
    }
}

impl Procmgr {
    /// [`abi::engine::NEXT`]: the result, or none where the client has to wait.
    pub(crate) fn next_callback(
        &mut self,
        m: &mut impl Machine,
        client: TaskId,
        number: u16,
        [answer, buffer, ip, sp]: Words,
    ) -> Option<i64> {
        let poll = buffer & POLL != 0;
        let buffer = buffer & !POLL;
        let inbox = self.task_mut(client).inbox.get_or_insert_default();
        // A message that is said again because a signal ended its wait has been answered already.
        if answer != 0 && (inbox.answered != number || number == 0) {
            inbox.answered = number;
            let done = Answer::from_word(answer)
                .ok_or(Errno::EINVAL)
                .and_then(|answer| self.answer_callback(m, client, answer, buffer));
            if let Err(e) = done {
                return Some(e.as_result());
            }
            // The task that goes on may have killed or stopped the client.
            let client = self.find_task(client).ok()?;
            if !matches!(client.state, State::Running) {
                return None;
            }
        }
        match self.take_callback(m, client, buffer) {
            Ok(false) if !poll => {
                let task = self.task_mut(client);
                task.registers.stand();
                task.landing = Some(Landing { ip, sp });
                task.state = State::Waiting(Wait::Callback { buffer });
                None
            }
            Ok(found) => Some(found.into()),
            Err(e) => Some(e.as_result()),
        }
    }

    /// A callback about a task is in its client's inbox, who takes it at once if it sleeps there.
    pub(super) fn put_in_inbox(&mut self, m: &mut impl Machine, client: TaskId, about: TaskId) {
        self.drop_in(m, client, Item::Callback(about));
    }

    /// The end of an engine's task goes into its client's inbox.
    pub(crate) fn tell_of_reap(&mut self, m: &mut impl Machine, handle: Handle, engine: Engine) {
        let tid = self.task(handle.task).tid;
        let data = engine.data;
        if let Some(inbox) = &mut self.task_mut(engine.client).inbox {
            inbox.ends += 1;
        }
        self.drop_in(m, engine.client, Item::Reaped { handle, data, tid });
    }

    fn drop_in(&mut self, m: &mut impl Machine, client: TaskId, item: Item) {
        let task = self.task_mut(client);
        task.inbox.get_or_insert_default().put(item);
        let State::Waiting(Wait::Callback { buffer }) = task.state else {
            return;
        };
        let result = match self.take_callback(m, client, buffer) {
            Ok(false) => return,
            Ok(true) => 1,
            Err(e) => e.as_result(),
        };
        self.finish_wait(m, client, result);
    }

    /// Stores the next callback into a client's memory; whether there is one. EFAULT: the memory is not
    /// there, and nothing is taken.
    fn take_callback(
        &mut self,
        m: &mut impl Machine,
        client: TaskId,
        buffer: u64,
    ) -> Result<bool, Errno> {
        loop {
            let Some(inbox) = &self.task(client).inbox else {
                return Ok(false);
            };
            let Some(item) = inbox.items.front().copied() else {
                return Ok(false);
            };
            let callback = match item {
                Item::Callback(about) => self.untaken(client, about),
                Item::Reaped { handle, data, tid } => Some(end_of(handle, data, tid)),
            };
            if let Some(callback) = &callback {
                self.store_callback(m, client, buffer, callback)?;
            }
            let inbox = self.task_mut(client).inbox.get_or_insert_default();
            inbox.items.pop_front();
            match item {
                Item::Reaped { .. } => inbox.ends -= 1,
                Item::Callback(about) if callback.is_some() => {
                    if let Some(asked) = &mut self.task_mut(about).trace.asked {
                        asked.taken = true;
                    }
                }
                Item::Callback(_) => {}
            }
            if callback.is_some() {
                return Ok(true);
            }
        }
    }

    /// The callback about a task, if it is outstanding and this client's to take.
    fn untaken(&self, client: TaskId, about: TaskId) -> Option<Callback> {
        let trace = &self.find_task(about).ok()?.trace;
        let asked = trace.asked.as_ref()?;
        let engine = trace.engines.iter().find(|e| e.number == asked.engine)?;
        let takes = asked.client == client && !asked.taken;
        takes.then(|| self.callback(about, asked, engine))
    }

    fn store_callback(
        &mut self,
        m: &mut impl Machine,
        client: TaskId,
        buffer: u64,
        callback: &Callback,
    ) -> Result<(), Errno> {
        let mut words = [0; word::ALL];
        let used = callback.to_words(&mut words);
        self.put_words(m, client, buffer, &words[..used])
    }
}

/// The callback that ends all.
fn end_of(handle: Handle, data: u64, tid: u32) -> Callback {
    Callback {
        ticket: Ticket(0),
        handle,
        data,
        tid,
        event: Event::Reap,
        call: Default::default(),
        action: Default::default(),
    }
}
