//! The table of tasks: by the slot of their ids, since every call begins with a look there.

use crate::task::Task;
use abi::TaskId;
use abi::task::SLOTS;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Tasks by id. An id whose slot another task has now names nothing.
#[derive(Clone, Hash)]
pub(crate) struct Tasks {
    slots: Vec<Option<(TaskId, Box<Task>)>>,
    count: usize,
    /// No slot from here on has ever been used: ids begin with the low ones.
    end: usize,
}

impl Tasks {
    pub fn new() -> Tasks {
        let mut slots = Vec::new();
        slots.resize_with(SLOTS, || None);
        Tasks {
            slots,
            count: 0,
            end: 0,
        }
    }

    pub fn get(&self, id: TaskId) -> Option<&Task> {
        match &self.slots[id.slot()] {
            Some((own, task)) if *own == id => Some(task),
            _ => None,
        }
    }

    pub fn get_mut(&mut self, id: TaskId) -> Option<&mut Task> {
        match &mut self.slots[id.slot()] {
            Some((own, task)) if *own == id => Some(task),
            _ => None,
        }
    }

    /// Enters a task; false where its slot is taken.
    pub fn insert(&mut self, id: TaskId, task: Task) -> bool {
        let slot = &mut self.slots[id.slot()];
        let free = slot.is_none();
        if free {
            *slot = Some((id, Box::new(task)));
            self.count += 1;
            self.end = self.end.max(id.slot() + 1);
        }
        free
    }

    pub fn remove(&mut self, id: TaskId) -> Option<Box<Task>> {
        self.get(id)?;
        self.count -= 1;
        self.slots[id.slot()].take().map(|(_, task)| task)
    }

    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether a task with this slot could be entered.
    pub fn has_room_for(&self, id: TaskId) -> bool {
        self.slots[id.slot()].is_none()
    }

    pub fn values(&self) -> impl Iterator<Item = &Task> {
        self.slots[..self.end]
            .iter()
            .flatten()
            .map(|(_, task)| &**task)
    }
}
