//! A table of bounded size whose entries keep their number.

use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

/// Entries by number; freed numbers are used again.
#[derive(Clone, Hash)]
pub(crate) struct Slab<T> {
    entries: Vec<Option<T>>,
    free: Vec<u32>,
    limit: usize,
}

impl<T> Slab<T> {
    pub fn new(limit: usize) -> Slab<T> {
        Slab {
            entries: Vec::new(),
            free: Vec::new(),
            limit,
        }
    }

    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// How many more fit.
    pub fn room(&self) -> usize {
        self.limit - self.len()
    }

    /// None when the table is full.
    pub fn insert(&mut self, entry: T) -> Option<u32> {
        if self.room() == 0 {
            return None;
        }
        if let Some(id) = self.free.pop() {
            self.entries[id as usize] = Some(entry);
            return Some(id);
        }
        self.entries.push(Some(entry));
        Some(self.entries.len() as u32 - 1)
    }

    pub fn remove(&mut self, id: u32) -> Option<T> {
        let entry = self.entries.get_mut(id as usize)?.take();
        if entry.is_some() {
            self.free.push(id);
        }
        entry
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..)
            .zip(&self.entries)
            .filter_map(|(id, entry)| Some((id, entry.as_ref()?)))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().flatten()
    }
}

const GONE: &str = "whoever keeps a number counts as its user, so the entry is there";

impl<T> Index<u32> for Slab<T> {
    type Output = T;

    fn index(&self, id: u32) -> &T {
        self.entries[id as usize].as_ref().expect(GONE)
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    fn index_mut(&mut self, id: u32) -> &mut T {
        self.entries[id as usize].as_mut().expect(GONE)
    }
}
