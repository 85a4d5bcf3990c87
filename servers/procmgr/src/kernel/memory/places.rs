//! Where things are: blocks, units and what is made of them, by number.

use crate::kernel::{CSPACE, DEPTH};
use rt::cap::{CPtr, ObjectType, SlotRef, Untyped};
use rt::layout::ARCHIVE_FRAME;
use rt::slots::procmgr::{ARCHIVE_NODE, BLOCK, NODE_BITS};

/// The size of a block, as a logarithm.
pub const BLOCK_BITS: u32 = 21;
/// And that of a unit.
pub const UNIT_BITS: u32 = 12;
/// Places in a block, as a logarithm.
pub const PLACE_BITS: u32 = BLOCK_BITS - UNIT_BITS;
/// Units of a block: all places but the CNode's (2048 slots of 32 bytes) and the page table's.
pub const UNITS: u32 = (1 << PLACE_BITS) - (1 << (NODE_BITS + 5 - UNIT_BITS)) - 1;
/// The first slot for frames' own mappings in a block's CNode.
pub const OWN_MAPPINGS: u32 = 1024;
/// The first slot for other mappings.
pub const MAPPINGS: u32 = OWN_MAPPINGS + (1 << PLACE_BITS);

/// The address of a frame's capability.
pub fn frame_address(frame: u32) -> u64 {
    if frame >= ARCHIVE_FRAME {
        (ARCHIVE_NODE << NODE_BITS) + (frame - ARCHIVE_FRAME) as u64
    } else {
        object(frame).0
    }
}

/// A unit's own-mapping slot.
pub fn own_mapping(unit: u32) -> u32 {
    untyped(unit).0.0 as u32 + OWN_MAPPINGS
}

/// The unit whose own-mapping slot this is.
pub fn own_mapping_of(slot: u32) -> Option<u32> {
    let (node, slot) = (slot >> NODE_BITS, slot & ((1 << NODE_BITS) - 1));
    (OWN_MAPPINGS..MAPPINGS)
        .contains(&slot)
        .then(|| (node - 1) << PLACE_BITS | (slot - OWN_MAPPINGS))
}

/// The capability of what was made of a unit.
pub fn object(unit: u32) -> CPtr {
    CPtr(untyped(unit).0.0 + (1 << PLACE_BITS))
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

/// The slot for what is made of a unit.
pub fn object_slot(unit: u32) -> SlotRef {
    slot_ref(object(unit).0)
}

/// Makes an object of a whole unit.
pub fn retype(unit: u32, kind: ObjectType) {
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
pub fn node(block: u32) -> u64 {
    block as u64 + 1
}

/// The memory of a block.
pub fn block(number: u32) -> Untyped {
    Untyped::at(BLOCK + number as u64)
}

/// Empties a slot.
pub fn delete(address: u64) {
    CSPACE.delete(address, DEPTH).expect("the slot is ours");
}
