//! Address spaces: making them, counting their users, giving them back.

use super::frames::Frames;
use super::layout::{STACK_LIMIT, UNLIMITED};
use super::object::Objects;
use super::pages::PageTable;
use super::vma::{Vma, Vmas};
use crate::machine::{Frame, Machine, PAGE, SpaceIx};
use abi::Errno;
use abi::fs::ObjectId;
use abi::task::SLOTS;
use alloc::vec::Vec;

/// All memory that tasks have.
#[derive(Clone, Default)]
pub struct Memory {
    pub(super) spaces: Vec<Option<Space>>,
    pub(super) frames: Frames,
    pub(super) objects: Objects,
    /// The frame of zeros that untouched anonymous memory reads as; made at its first use.
    pub(super) zero: Option<Frame>,
    /// How many spaces there have been.
    pub(super) made: u64,
}

/// One address space.
#[derive(Clone)]
pub(super) struct Space {
    pub references: u32,
    /// Which of all spaces that there have been.
    pub serial: u64,
    pub vmas: Vmas,
    pub pages: PageTable,
    pub limits: Limits,
    pub brk_start: u64,
    pub brk: u64,
    /// Its user may look into it.
    pub dumpable: bool,
    /// What is mapped is locked at once (mlockall(2), MCL_FUTURE).
    pub lock_future: bool,
    /// See [`Memory::speaks`].
    pub speaks: bool,
}

/// What a space may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// RLIMIT_AS, in bytes.
    pub address_space: u64,
    /// RLIMIT_DATA, in bytes, and its hard limit.
    pub data: (u64, u64),
    /// RLIMIT_MEMLOCK, in bytes; none for whoever has CAP_IPC_LOCK.
    pub locked: u64,
    /// RLIMIT_STACK, in bytes: how far a mapping with MAP_GROWSDOWN grows.
    pub stack: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            address_space: UNLIMITED,
            data: (UNLIMITED, UNLIMITED),
            locked: UNLIMITED,
            stack: STACK_LIMIT,
        }
    }
}

impl Memory {
    /// No space, no object, no frame.
    pub fn new() -> Memory {
        Memory::default()
    }

    /// Makes an empty space with one reference. ENOMEM, EAGAIN when the table is full.
    pub fn space_new(&mut self, m: &mut impl Machine) -> Result<SpaceIx, Errno> {
        let s = self.free_slot()?;
        if self.frames.total == 0 {
            self.frames.total = m.frames_free() as u64;
        }
        m.space_create(s).map_err(|_| Errno::ENOMEM)?;
        let serial = self.next_serial();
        self.spaces[s.0 as usize] = Some(Space {
            references: 1,
            serial,
            vmas: Vmas::default(),
            pages: PageTable::default(),
            limits: Limits::default(),
            brk_start: 0,
            brk: 0,
            dumpable: true,
            lock_future: false,
            speaks: false,
        });
        Ok(s)
    }

    pub(super) fn next_serial(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// A name for a space that no other one ever has; never 0.
    pub fn name(&self, s: SpaceIx) -> u64 {
        self.space(s).serial * SLOTS as u64 + u64::from(s.0)
    }

    /// The space of a name, if it is there still.
    pub fn named(&self, name: u64) -> Option<SpaceIx> {
        let ix = SpaceIx((name % SLOTS as u64) as u16);
        let space = self.spaces.get(ix.0 as usize)?.as_ref()?;
        (space.serial == name / SLOTS as u64).then_some(ix)
    }

    /// Counts one more user of a space.
    pub fn space_retain(&mut self, s: SpaceIx) {
        self.space_mut(s).references += 1;
    }

    /// Counts one user less; the last one's leaving gives everything back. No thread uses the
    /// space then.
    pub fn space_release(&mut self, m: &mut impl Machine, s: SpaceIx) {
        let space = self.space_mut(s);
        space.references -= 1;
        if space.references > 0 {
            return;
        }
        let mut space = self.spaces[s.0 as usize]
            .take()
            .expect("it was there above");
        let frames = &mut self.frames;
        space.pages.drain(m, |m, entry| {
            if let Some(mapping) = entry.mapping() {
                m.unmap(mapping);
            }
            if entry.is_owned() {
                frames.release(m, entry.frame());
            }
        });
        for object in space.vmas.all().iter().filter_map(Vma::object) {
            self.objects.unmapped(m, &mut self.frames, object);
        }
        m.space_destroy(s);
    }

    /// How many references a space has.
    pub fn references(&self, s: SpaceIx) -> u32 {
        self.space(s).references
    }

    /// How many spaces there are.
    pub fn space_count(&self) -> usize {
        self.spaces.iter().flatten().count()
    }

    /// How many objects there are.
    pub fn object_count(&self) -> usize {
        self.objects.count()
    }

    /// Bytes mapped.
    pub fn mapped(&self, s: SpaceIx) -> u64 {
        self.space(s).mapped()
    }

    /// Bytes locked, of data, and of growing stacks.
    pub fn parts(&self, s: SpaceIx) -> [u64; 3] {
        let space = self.space(s);
        let stacks = space.vmas.all().iter().filter(|vma| vma.is_stack());
        [space.locked(), space.data(), stacks.map(Vma::len).sum()]
    }

    /// Bytes present.
    pub fn resident(&self, s: SpaceIx) -> u64 {
        self.space(s).pages.present() * PAGE
    }

    /// The most bytes that were present.
    pub fn peak(&self, s: SpaceIx) -> u64 {
        self.space(s).pages.peak() * PAGE
    }

    /// What is mapped, from low to high.
    pub fn vmas(&self, s: SpaceIx) -> impl Iterator<Item = &Vma> {
        self.space(s).vmas.all().iter()
    }

    /// Which byte of which object is at an address, where writes are shared.
    pub fn shared_place(&self, s: SpaceIx, addr: u64) -> Option<(ObjectId, u64)> {
        let vma = self.space(s).vmas.at(addr).filter(|vma| vma.is_shared())?;
        Some((vma.object()?, vma.object_offset(addr)))
    }

    /// How many mappings of an object may be written through to it.
    pub fn writers(&self, object: ObjectId) -> u64 {
        let spaces = self.spaces.iter().flatten();
        let vmas = spaces.flat_map(|space| space.vmas.all());
        let writes = |vma: &&Vma| vma.object() == Some(object) && vma.is_shared() && vma.may_write;
        vmas.filter(writes).count() as u64
    }

    /// Whether a program in it has asked for its capabilities to the servers, so that its tasks may be in
    /// messages. It may have told others who share the space.
    pub fn speaks(&self, s: SpaceIx) -> bool {
        self.space(s).speaks
    }

    /// A program in it is given them.
    pub fn set_speaks(&mut self, s: SpaceIx) {
        self.space_mut(s).speaks = true;
    }

    /// What a space may have.
    pub fn limits(&self, s: SpaceIx) -> Limits {
        self.space(s).limits
    }

    /// Sets what a space may have; what it has already stays.
    pub fn set_limits(&mut self, s: SpaceIx, limits: Limits) {
        self.space_mut(s).limits = limits;
    }

    /// Whether the user of a space's tasks may look into it (prctl(2), PR_SET_DUMPABLE).
    pub fn dumpable(&self, s: SpaceIx) -> bool {
        self.space(s).dumpable
    }

    /// Says whether it may.
    pub fn set_dumpable(&mut self, s: SpaceIx, dumpable: bool) {
        self.space_mut(s).dumpable = dumpable;
    }

    /// A slot of the table that holds no space.
    pub(super) fn free_slot(&mut self) -> Result<SpaceIx, Errno> {
        let free = self.spaces.iter().position(Option::is_none);
        let slot = free.unwrap_or(self.spaces.len());
        if slot == SLOTS {
            return Err(Errno::EAGAIN);
        }
        if free.is_none() {
            self.spaces.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            self.spaces.push(None);
        }
        Ok(SpaceIx(slot as u16))
    }

    pub(super) fn space(&self, s: SpaceIx) -> &Space {
        self.spaces[s.0 as usize]
            .as_ref()
            .expect("whoever names a space holds a reference to it")
    }

    pub(super) fn space_mut(&mut self, s: SpaceIx) -> &mut Space {
        self.spaces[s.0 as usize]
            .as_mut()
            .expect("whoever names a space holds a reference to it")
    }
}

impl Space {
    /// Bytes mapped.
    pub fn mapped(&self) -> u64 {
        self.vmas.all().iter().map(Vma::len).sum()
    }

    /// Bytes mapped for the process's own data.
    pub fn data(&self) -> u64 {
        let data = self.vmas.all().iter().filter(|vma| vma.is_data());
        data.map(Vma::len).sum()
    }

    /// Bytes locked.
    pub fn locked(&self) -> u64 {
        let locked = self.vmas.all().iter().filter(|vma| vma.is_locked());
        locked.map(Vma::len).sum()
    }
}
