//! The root task's own allocator: objects out of the untyped memory it starts with.

use crate::bootinfo::{BootInfo, DEPTH, MAX_UNTYPEDS, ROOT};
use heapless::Vec;
use rt::cap::{ALL_RIGHTS, CPtr, ObjectType, SlotRef, Untyped};

/// Untyped memory and empty slots. Nothing is ever given back.
pub struct Memory {
    untypeds: Vec<Source, MAX_UNTYPEDS>,
    next_slot: u64,
    end_slot: u64,
}

/// One untyped memory, with the kernel's account of it kept along.
struct Source {
    cap: Untyped,
    bits: u32,
    used: u64,
}

/// Untyped memory that is left, for procmgr.
pub struct Rest {
    /// The capability.
    pub cap: Untyped,
    /// How many blocks of 2 MiB it still holds.
    pub blocks: u32,
}

const BLOCK_BITS: u32 = 21;

impl Source {
    /// Where the next object of this size would start.
    fn start(&self, bits: u32) -> u64 {
        self.used.next_multiple_of(1 << bits)
    }

    fn room(&self, bits: u32) -> u64 {
        (1_u64 << self.bits).saturating_sub(self.start(bits)) >> bits
    }
}

impl Memory {
    /// Everything the kernel left.
    pub fn new(info: &BootInfo) -> Memory {
        let (untyped, empty) = (info.untyped, info.empty);
        let ordinary = (untyped.start..untyped.end)
            .zip(info.untyped_list)
            .filter(|(_, memory)| memory.device == 0);
        let untypeds = ordinary.map(|(slot, memory)| Source {
            cap: Untyped::at(slot),
            bits: memory.bits as u32,
            used: 0,
        });
        Memory {
            untypeds: untypeds.collect(),
            next_slot: empty.start,
            end_slot: empty.end,
        }
    }

    /// An empty slot.
    pub fn slot(&mut self) -> u64 {
        let slot = self.next_slot;
        assert!(slot < self.end_slot, "the root task's CSpace is full");
        self.next_slot += 1;
        slot
    }

    /// A new object in a slot of its own.
    pub fn object(&mut self, kind: ObjectType, size_bits: u32) -> CPtr {
        let slot = self.slot();
        self.object_at(kind, size_bits, ROOT.slot(slot));
        CPtr(slot)
    }

    /// A new object, from the smallest memory that has room, so that the large ones stay whole.
    pub fn object_at(&mut self, kind: ObjectType, size_bits: u32, to: SlotRef) {
        let bits = kind.bits(size_bits);
        let source = self
            .untypeds
            .iter_mut()
            .filter(|source| source.room(bits) > 0)
            .min_by_key(|source| source.bits)
            .expect("the machine has enough memory for the servers");
        source
            .cap
            .retype(kind, size_bits, to, 1)
            .expect("the account of the memory is the kernel's");
        source.used = source.start(bits) + (1 << bits);
    }

    /// An upper bound of the blocks that [`Memory::rest`] will count.
    pub fn blocks(&self) -> u32 {
        self.untypeds
            .iter()
            .map(|source| source.room(BLOCK_BITS) as u32)
            .sum()
    }

    /// What is left, the largest first. Nothing can be made any more.
    pub fn rest(&mut self) -> impl Iterator<Item = Rest> {
        self.untypeds
            .sort_unstable_by_key(|source| core::cmp::Reverse(source.room(BLOCK_BITS)));
        let untypeds = core::mem::take(&mut self.untypeds);
        untypeds
            .into_iter()
            .map(|source| Rest {
                cap: source.cap,
                blocks: source.room(BLOCK_BITS) as u32,
            })
            .filter(|rest| rest.blocks > 0)
    }

    /// Copies a capability of the root task into a new slot, with a badge, guard or port range.
    pub fn mint(&mut self, from: CPtr, data: u64) -> CPtr {
        let slot = self.slot();
        ROOT.mint((slot, DEPTH), ROOT, (from.0, DEPTH), ALL_RIGHTS, data)
            .expect("the slot is empty");
        CPtr(slot)
    }
}
