//! Capabilities to frames that were made for mappings and wait for the next one.

use super::places::{MAPPINGS, PLACE_BITS};
use alloc::vec::Vec;
use rt::layout::ARCHIVE_FRAME;
use rt::slots::procmgr::NODE_BITS;

/// Slots with a capability to a frame that is not mapped there, in a list for each frame.
pub struct Ready {
    /// The first slot of each unit's list, or 0.
    units: Vec<u32>,
    /// The same for archive pages.
    archive: Vec<u32>,
    /// For each slot ([`Ready::index`]) the frame it is for and the next one in its list.
    slots: Vec<(u32, u32)>,
    /// Where to look for one that can be spared.
    cursor: usize,
}

impl Ready {
    /// None yet.
    pub fn new(archive_pages: u32) -> Ready {
        Ready {
            units: Vec::new(),
            archive: alloc::vec![0; archive_pages as usize],
            slots: Vec::new(),
            cursor: 0,
        }
    }

    /// There is one more block.
    pub fn grow(&mut self) {
        self.units.resize(self.units.len() + (1 << PLACE_BITS), 0);
        let slots = self.slots.len() + ((1 << NODE_BITS) - MAPPINGS) as usize;
        self.slots.resize(slots, (0, 0));
    }

    /// A mapping slot's place in the table.
    fn index(slot: u32) -> usize {
        let (node, slot) = (slot >> NODE_BITS, slot & ((1 << NODE_BITS) - 1));
        ((node - 1) * ((1 << NODE_BITS) - MAPPINGS) + slot - MAPPINGS) as usize
    }

    fn first(&mut self, frame: u32) -> &mut u32 {
        match frame.checked_sub(ARCHIVE_FRAME) {
            Some(page) => &mut self.archive[page as usize],
            None => &mut self.units[frame as usize],
        }
    }

    /// A slot is to be used for a frame.
    pub fn assign(&mut self, slot: u32, frame: u32) {
        self.slots[Ready::index(slot)] = (frame, 0);
    }

    /// A slot is not mapped any more.
    pub fn put(&mut self, slot: u32) {
        let (frame, _) = self.slots[Ready::index(slot)];
        let next = core::mem::replace(self.first(frame), slot);
        self.slots[Ready::index(slot)].1 = next;
    }

    /// Takes a slot for a frame.
    pub fn take(&mut self, frame: u32) -> Option<u32> {
        let slot = *self.first(frame);
        if slot == 0 {
            return None;
        }
        *self.first(frame) = self.slots[Ready::index(slot)].1;
        Some(slot)
    }

    /// Takes a slot of any frame.
    pub fn take_any(&mut self) -> Option<u32> {
        let lists = self.archive.len() + self.units.len();
        for _ in 0..lists {
            self.cursor = (self.cursor + 1) % lists;
            let frame = match self.cursor.checked_sub(self.archive.len()) {
                Some(unit) => unit as u32,
                None => ARCHIVE_FRAME + self.cursor as u32,
            };
            if let Some(slot) = self.take(frame) {
                return Some(slot);
            }
        }
        None
    }
}
