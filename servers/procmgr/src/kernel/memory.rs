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

use super::{CSPACE, DEPTH};
use alloc::vec::Vec;
use core::ops::Range;
use rt::boot::Machine;
use rt::cap::{ObjectType, Page, PageTable, Pml4, Rights, SlotRef, Untyped};
use rt::layout::{ARCHIVE_FRAME, LARGE_PAGE, WINDOW};
use rt::slots::procmgr::{ARCHIVE_NODE, BLOCK, BLOCKS, NODE_BITS, UNTYPED, VSPACE};
use rt::window::Window;

/// The process manager's own address space.
const OWN_SPACE: Pml4 = Pml4::at(VSPACE);

const BLOCK_BITS: u32 = 21;
const UNIT_BITS: u32 = 12;
/// Places in a block, as a logarithm.
const PLACE_BITS: u32 = BLOCK_BITS - UNIT_BITS;
/// Units of a block: all places but the CNode's (2048 slots of 32 bytes) and the page table's.
const UNITS: u32 = (1 << PLACE_BITS) - (1 << (NODE_BITS + 5 - UNIT_BITS)) - 1;
/// How many units are made at a time: enough to forget what the call costs, few enough for a
/// machine that does little.
const BATCH: u32 = 64;
/// The first slot for frames' own mappings in a block's CNode.
const OWN_MAPPINGS: u32 = 1024;
/// The first slot for other mappings.
const MAPPINGS: u32 = OWN_MAPPINGS + (1 << PLACE_BITS);

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

/// The address of a frame's capability.
pub fn frame_address(frame: u32) -> u64 {
    if frame >= ARCHIVE_FRAME {
        (ARCHIVE_NODE << NODE_BITS) + (frame - ARCHIVE_FRAME) as u64
    } else {
        object(frame).0
    }
}

/// Slots with a capability to a frame that is not mapped there, in a list for each frame.
struct Ready {
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
    fn new(archive_pages: u32) -> Ready {
        Ready {
            units: Vec::new(),
            archive: alloc::vec![0; archive_pages as usize],
            slots: Vec::new(),
            cursor: 0,
        }
    }

    /// There is one more block.
    fn grow(&mut self) {
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
    fn assign(&mut self, slot: u32, frame: u32) {
        self.slots[Ready::index(slot)] = (frame, 0);
    }

    /// A slot is not mapped any more.
    fn put(&mut self, slot: u32) {
        let (frame, _) = self.slots[Ready::index(slot)];
        let next = core::mem::replace(self.first(frame), slot);
        self.slots[Ready::index(slot)].1 = next;
    }

    /// Takes a slot for a frame.
    fn take(&mut self, frame: u32) -> Option<u32> {
        let slot = *self.first(frame);
        if slot == 0 {
            return None;
        }
        *self.first(frame) = self.slots[Ready::index(slot)].1;
        Some(slot)
    }

    /// Takes a slot of any frame.
    fn take_any(&mut self) -> Option<u32> {
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

/// A unit's own-mapping slot.
fn own_mapping(unit: u32) -> u32 {
    untyped(unit).0.0 as u32 + OWN_MAPPINGS
}

/// The unit whose own-mapping slot this is.
fn own_mapping_of(slot: u32) -> Option<u32> {
    let (node, slot) = (slot >> NODE_BITS, slot & ((1 << NODE_BITS) - 1));
    (OWN_MAPPINGS..MAPPINGS)
        .contains(&slot)
        .then(|| (node - 1) << PLACE_BITS | (slot - OWN_MAPPINGS))
}

/// The capability of what was made of a unit.
pub fn object(unit: u32) -> rt::cap::CPtr {
    rt::cap::CPtr(untyped(unit).0.0 + (1 << PLACE_BITS))
}

/// A slot of this CSpace as a place for new objects.
pub fn slot_ref(address: u64) -> SlotRef {
    SlotRef {
        root: CSPACE,
        node_index: address >> NODE_BITS,
        node_depth: DEPTH - NODE_BITS as u64,
        offset: address & ((1 << NODE_BITS) - 1),
    }
}

fn object_slot(unit: u32) -> SlotRef {
    slot_ref(object(unit).0)
}

/// Makes an object of a whole unit.
fn retype(unit: u32, kind: ObjectType) {
    untyped(unit)
        .retype(kind, 0, object_slot(unit), 1)
        .expect("the unit has nothing made of it");
}

/// The capability of a unit.
pub fn untyped(unit: u32) -> Untyped {
    let (block, place) = (unit >> PLACE_BITS, unit & ((1 << PLACE_BITS) - 1));
    Untyped::at(node(block) << NODE_BITS | place as u64)
}

/// The first-level slot of a block's CNode. 0 is the CNode with the named slots.
fn node(block: u32) -> u64 {
    block as u64 + 1
}

fn block(number: u32) -> Untyped {
    Untyped::at(BLOCK + number as u64)
}

fn delete(address: u64) {
    CSPACE.delete(address, DEPTH).expect("the slot is ours");
}
