//! Memory: frames, kernel objects, and slots for mappings.
//!
//! It is handled in blocks of 2 MiB. A block starts with the CNode that keeps the capabilities
//! made from it and the page table of its part of the window; the rest are [`UNITS`] units of
//! 4 KiB, each untyped memory of its own, so that what is made from one can be destroyed and made
//! again whatever its neighbours do. A unit's number is block and place, and is the number of the
//! frame made from it.
//!
//! | slots of a block's CNode | what |
//! |---|---|
//! | 0..512 | the units |
//! | 512..1024 | what was made of each; the last is the window's page table |
//! | 1024..1536 | for a unit that is a frame, a second capability to it: its *own mapping* |
//! | 1536..2048 | other mappings, of any frame |
//!
//! A mapping takes a capability of its own. The ones that were made for a frame stay with it, the
//! own one in its place and others in a list, until somebody needs the slot or the unit: the pages
//! of a program are mapped again with every process that runs it, and making and deleting the
//! capability costs more than mapping and unmapping it.
//!
//! A unit that was a frame stays one: freeing it costs nothing, and it is mapped in the window.
//! Only when all memory is in use is a free frame destroyed, to make another object of it.

mod places;
mod ready;

use super::{CSPACE, DEPTH};
use alloc::vec::Vec;
use core::ops::Range;
use places::{
    BLOCK_BITS, MAPPINGS, PLACE_BITS, UNIT_BITS, UNITS, block, delete, frame_address, node,
    object_slot, own_mapping, own_mapping_of, retype, slot_ref,
};
pub use places::{object, untyped};
use ready::Ready;
use rt::boot::Machine;
use rt::cap::{ObjectType, Page, PageTable, Pml4, Rights, Untyped};
use rt::layout::{ARCHIVE_FRAME, LARGE_PAGE, WINDOW};
use rt::slots::procmgr::{BLOCKS, NODE_BITS, UNTYPED, VSPACE};
use rt::window::Window;

/// The process manager's own address space.
const OWN_SPACE: Pml4 = Pml4::at(VSPACE);

/// How many units are made at a time: enough to forget what the call costs, few enough for a
/// machine that does little.
const BATCH: u32 = 64;
/// What became of a unit's own-mapping slot.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OwnMapping {
    /// The slot is empty.
    Empty,
    /// It holds a capability that is not mapped.
    Ready,
    /// It is mapped.
    Mapped,
}

/// All memory.
pub struct Memory {
    /// Blocks left in each untyped memory.
    sources: Vec<u32>,
    blocks: u32,
    /// Units of the last block that are not made yet.
    uncarved: Range<u32>,
    /// Units that nothing is made of.
    units: Vec<u32>,
    /// Frames that nobody has. Their contents are old.
    frames: Vec<u32>,
    /// Mapping slots of the last block that were never used.
    fresh_slots: Range<u32>,
    /// Mapping slots that are empty again.
    slots: Vec<u32>,
    /// By unit.
    own_mappings: Vec<OwnMapping>,
    /// Other slots with a capability to some frame, that are not mapped.
    ready: Ready,
    archive_pages: u32,
    /// Which archive frames are in the window.
    archive_mapped: Vec<u64>,
    made: Made,
}

/// How much was made of the memory and not destroyed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Made {
    /// Units with an object that is no frame.
    pub objects: u64,
    /// Slots of [`Memory::map_slot`] that are out.
    pub mappings: u64,
    /// Slots of [`Memory::slot`] that are out.
    pub slots: u64,
}

impl Memory {
    /// What the root task has handed over.
    pub fn new(machine: &Machine) -> Memory {
        Memory {
            sources: machine.blocks.iter().copied().collect(),
            blocks: 0,
            uncarved: 0..0,
            units: Vec::new(),
            frames: Vec::new(),
            fresh_slots: 0..0,
            slots: Vec::new(),
            own_mappings: Vec::new(),
            ready: Ready::new(machine.archive_pages),
            archive_pages: machine.archive_pages,
            archive_mapped: alloc::vec![0; machine.archive_pages.div_ceil(64) as usize],
            made: Made::default(),
        }
    }

    /// How many frames or objects can be made.
    pub fn frames_free(&self) -> usize {
        let blocks: u32 = self.sources.iter().sum();
        self.frames.len()
            + self.units.len()
            + self.uncarved.len()
            + blocks as usize * UNITS as usize
    }

    /// What there is.
    pub fn made(&self) -> Made {
        self.made
    }

    /// A frame of zeros.
    pub fn frame(&mut self, window: &mut Window) -> Option<u32> {
        if let Some(frame) = self.frames.pop() {
            window.words_mut(frame).fill(0);
            return Some(frame);
        }
        let unit = self.unit()?;
        retype(unit, ObjectType::Page4K);
        Page(object(unit))
            .map(OWN_SPACE, Window::address(unit), Rights::READ_WRITE)
            .expect("the window has page tables for every block");
        Some(unit)
    }

    /// Gives a frame back.
    pub fn free_frame(&mut self, frame: u32) {
        debug_assert!(frame < ARCHIVE_FRAME);
        self.frames.push(frame);
    }

    /// A unit to make an object of.
    pub fn unit(&mut self) -> Option<u32> {
        if self.units.is_empty() {
            self.carve();
        }
        if let Some(unit) = self.units.pop() {
            return Some(unit);
        }
        let frame = self.frames.pop()?;
        let own = core::mem::replace(&mut self.own_mappings[frame as usize], OwnMapping::Empty);
        if own != OwnMapping::Empty {
            delete(own_mapping(frame) as u64);
        }
        while let Some(slot) = self.ready.take(frame) {
            delete(slot as u64);
            self.slots.push(slot);
        }
        // The last one: only now does the kernel take the frame out of the window.
        delete(object(frame).0);
        Some(frame)
    }

    /// Makes an object of a whole unit.
    pub fn make(&mut self, unit: u32, kind: ObjectType) {
        self.made.objects += 1;
        retype(unit, kind);
    }

    /// Makes a second object beside the first, in a mapping slot.
    pub fn make_beside(&mut self, unit: u32, kind: ObjectType, size_bits: u32, slot: u32) {
        untyped(unit)
            .retype(kind, size_bits, slot_ref(slot as u64), 1)
            .expect("both fit the unit");
    }

    /// Destroys the object made of a unit. If there is another one beside it, that has to go
    /// before anything else is made.
    pub fn unmake(&mut self, unit: u32) {
        delete(object(unit).0);
        self.units.push(unit);
        self.made.objects -= 1;
    }

    /// Gives back a unit that nothing was made of.
    pub fn free_unit(&mut self, unit: u32) {
        self.units.push(unit);
    }

    /// An empty slot. Its number is its address.
    pub fn slot(&mut self) -> Option<u32> {
        let slot = self.empty_slot()?;
        self.made.slots += 1;
        Some(slot)
    }

    fn empty_slot(&mut self) -> Option<u32> {
        if let Some(slot) = self.slots.pop() {
            return Some(slot);
        }
        if self.fresh_slots.is_empty() && self.blocks_left() {
            // The last block's memory is not to be lost when a block is made for its slots.
            while !self.uncarved.is_empty() {
                self.carve();
            }
            self.block();
        }
        self.fresh_slots.next().or_else(|| {
            let slot = self.ready.take_any()?;
            delete(slot as u64);
            Some(slot)
        })
    }

    /// Empties a slot that [`Memory::slot`] gave.
    pub fn delete_slot(&mut self, slot: u32) {
        delete(slot as u64);
        self.slots.push(slot);
        self.made.slots -= 1;
    }

    /// A slot with a capability to a frame that is not mapped.
    pub fn map_slot(&mut self, frame: u32) -> Option<u32> {
        let slot = self.frame_slot(frame)?;
        self.made.mappings += 1;
        Some(slot)
    }

    fn frame_slot(&mut self, frame: u32) -> Option<u32> {
        let slot = match self.own_mappings.get_mut(frame as usize) {
            Some(own) if *own != OwnMapping::Mapped => {
                let slot = own_mapping(frame);
                if core::mem::replace(own, OwnMapping::Mapped) == OwnMapping::Ready {
                    return Some(slot);
                }
                slot
            }
            _ => match self.ready.take(frame) {
                Some(slot) => return Some(slot),
                None => {
                    let slot = self.empty_slot()?;
                    self.ready.assign(slot, frame);
                    slot
                }
            },
        };
        CSPACE
            .copy((slot as u64, DEPTH), CSPACE, (frame_address(frame), DEPTH))
            .expect("the slot is empty and the frame exists");
        Some(slot)
    }

    /// Gives back a slot of [`Memory::map_slot`] that is not mapped (any more).
    pub fn free_map_slot(&mut self, slot: u32) {
        self.made.mappings -= 1;
        match own_mapping_of(slot) {
            Some(unit) => self.own_mappings[unit as usize] = OwnMapping::Ready,
            None => self.ready.put(slot),
        }
    }

    /// Ends a mapping.
    pub fn unmap(&mut self, slot: u32) {
        // Deleting the capability would not do: the kernel unmaps a frame by itself only with its
        // last one.
        Page::at(slot as u64).unmap().expect("it is mapped");
        self.free_map_slot(slot);
    }

    /// The frame of an archive page, in the window from now on.
    pub fn archive_frame(&mut self, page: u32) -> Option<u32> {
        if page >= self.archive_pages {
            return None;
        }
        let frame = ARCHIVE_FRAME + page;
        let (word, bit) = (
            &mut self.archive_mapped[page as usize / 64],
            1 << (page % 64),
        );
        if *word & bit == 0 {
            Page::at(frame_address(frame))
                .map(OWN_SPACE, Window::address(frame), Rights::READ)
                .expect("the root task has put page tables there");
            *word |= bit;
        }
        Some(frame)
    }

    /// Whether another block can be made.
    fn blocks_left(&self) -> bool {
        self.blocks < BLOCKS as u32 && self.sources.iter().any(|left| *left > 0)
    }

    /// Makes some more units, if there is memory.
    fn carve(&mut self) {
        if self.uncarved.is_empty() && self.block().is_none() {
            return;
        }
        let first = self.uncarved.start;
        let count = BATCH.min(self.uncarved.len() as u32);
        let to = slot_ref(untyped(first).0.0);
        block(first >> PLACE_BITS)
            .retype(ObjectType::Untyped, UNIT_BITS, to, count as usize)
            .expect("the block has this many left");
        self.uncarved.start += count;
        // The lowest is taken first.
        self.units.extend((first..first + count).rev());
    }

    /// Makes a block.
    fn block(&mut self) -> Option<()> {
        if !self.blocks_left() {
            return None;
        }
        let (source, left) = self
            .sources
            .iter_mut()
            .enumerate()
            .find(|(_, left)| **left > 0)?;
        *left -= 1;
        let number = self.blocks;
        self.blocks += 1;

        let whole = "the root task has counted the blocks";
        let source = Untyped::at(UNTYPED + source as u64);
        let to = slot_ref(block(number).0.0);
        source
            .retype(ObjectType::Untyped, BLOCK_BITS, to, 1)
            .expect(whole);
        let to = CSPACE.slot(node(number));
        block(number)
            .retype(ObjectType::CNode, NODE_BITS, to, 1)
            .expect(whole);
        let first = number << PLACE_BITS;
        let last = first + (1 << PLACE_BITS) - 1;
        block(number)
            .retype(ObjectType::PageTable, 0, object_slot(last), 1)
            .expect(whole);
        PageTable(object(last))
            .map(OWN_SPACE, WINDOW + number as u64 * LARGE_PAGE)
            .expect("the root task has made the directories");

        let slots = (node(number) << NODE_BITS) as u32;
        self.fresh_slots = slots + MAPPINGS..slots + (1 << NODE_BITS);
        self.uncarved = first..first + UNITS;
        let places = self.own_mappings.len() + (1 << PLACE_BITS);
        self.own_mappings.resize(places, OwnMapping::Empty);
        self.ready.grow();
        Some(())
    }
}
