//! Address spaces.
//!
//! There is no table of what is mapped where: the kernel has one, and says `FailedLookup` when a
//! paging structure is missing. So a mapping costs nothing extra but in the rare case.

use super::memory::{Memory, object, untyped};
use super::returns::{self, Place};
use super::{CSPACE, DEPTH, stubs};
use abi::TaskId;
use abi::task::SLOTS;
use alloc::vec::Vec;
use procmgr::machine::{NoMemory, Rights, SpaceIx};
use rt::KernelError;
use rt::cap::{self, AsidControl, AsidPool, CPtr, ObjectType, Page, PageTable, Pd, Pdpt, Pml4};
use rt::slots::procmgr::{ASID_CONTROL, ASID_POOL, ASID_POOLS};
use rt::window::Window;

/// All address spaces.
pub struct Spaces {
    spaces: Vec<Option<Space>>,
    /// Identifiers left in each pool.
    pools: [u16; ASID_POOLS as usize],
    /// The frame with the stubs, which every space maps.
    stubs: u32,
}

struct Space {
    /// The unit of its PML4.
    pml4: u32,
    /// The units of its other paging structures.
    tables: Vec<u32>,
    /// The mapping of the stubs.
    stubs: u32,
    /// Its own page of them.
    own: Option<OwnStubs>,
    /// The pool its identifier is from.
    pool: usize,
}

/// A page of stubs with places for threads.
struct OwnStubs {
    frame: u32,
    /// Whose they are.
    places: [Option<TaskId>; returns::PLACES],
}

/// What all may do with the stubs.
const STUBS: Rights = Rights {
    write: false,
    execute: true,
};

/// The size of a pool.
const POOL: u16 = 512;
/// Identifiers of the root task's pool that are the servers'; the first is never used.
const SERVERS: u16 = 5;

impl Spaces {
    /// No spaces yet.
    pub fn new(memory: &mut Memory, window: &mut Window) -> Option<Spaces> {
        let stubs = memory.frame(window)?;
        stubs::write(window.bytes_mut(stubs));
        returns::write(window.bytes_mut(stubs));
        let mut pools = [POOL; ASID_POOLS as usize];
        pools[0] -= SERVERS;
        // All at once: a pool cannot be had back, and memory that comes and goes is easier
        // accounted for when only tasks take it.
        for pool in 1..ASID_POOLS {
            let unit = memory.unit()?;
            AsidControl::at(ASID_CONTROL)
                .make_pool(untyped(unit), CSPACE, ASID_POOL + pool, DEPTH)
                .expect("the kernel has this many pools");
        }
        let mut spaces = Vec::new();
        spaces.resize_with(SLOTS, || None);
        Some(Spaces {
            spaces,
            pools,
            stubs,
        })
    }

    /// A space's PML4.
    pub fn pml4(&self, space: SpaceIx) -> Pml4 {
        Pml4(object(self.get(space).pml4))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.spaces.iter().flatten().count()
    }

    /// Makes one.
    pub fn create(&mut self, memory: &mut Memory, space: SpaceIx) -> Result<(), NoMemory> {
        let pool = self
            .pools
            .iter()
            .position(|left| *left > 0)
            .ok_or(NoMemory)?;
        let pml4 = memory.unit().ok_or(NoMemory)?;
        memory.make(pml4, ObjectType::Pml4);
        AsidPool::at(ASID_POOL + pool as u64)
            .assign(Pml4(object(pml4)))
            .expect("the pool has some left");
        self.pools[pool] -= 1;
        let entry = &mut self.spaces[space.0 as usize];
        debug_assert!(entry.is_none(), "a space is made once");
        *entry = Some(Space {
            pml4,
            tables: Vec::new(),
            stubs: 0,
            own: None,
            pool,
        });
        match self.map(memory, space, stubs::PAGE, self.stubs, STUBS) {
            Ok(mapping) => {
                self.get_mut(space).stubs = mapping;
                Ok(())
            }
            Err(NoMemory) => {
                self.remove(memory, space);
                Err(NoMemory)
            }
        }
    }

    /// Destroys one.
    pub fn destroy(&mut self, memory: &mut Memory, space: SpaceIx) {
        memory.unmap(self.get(space).stubs);
        if let Some(own) = self.get_mut(space).own.take() {
            memory.free_frame(own.frame);
        }
        self.remove(memory, space);
    }

    /// A thread's place in the space's own page of stubs, which is made where there is none; none if
    /// another thread has it, or there is no memory.
    #[cold]
    pub fn place(
        &mut self,
        memory: &mut Memory,
        window: &mut Window,
        space: SpaceIx,
        task: TaskId,
    ) -> Option<Place> {
        if self.get(space).own.is_none() {
            self.make_own(memory, window, space)?;
        }
        let own = self.get_mut(space).own.as_mut()?;
        let number = task.slot() % returns::PLACES;
        let owner = &mut own.places[number];
        (*owner.get_or_insert(task) == task).then_some(Place {
            frame: own.frame,
            number: number as u8,
        })
    }

    /// A thread gives its place back.
    pub fn give_back(&mut self, space: SpaceIx, place: Place) {
        if let Some(own) = &mut self.get_mut(space).own {
            own.places[place.number as usize] = None;
        }
    }

    fn make_own(&mut self, memory: &mut Memory, window: &mut Window, space: SpaceIx) -> Option<()> {
        let frame = memory.frame(window)?;
        window.copy(frame, self.stubs);
        memory.unmap(self.get(space).stubs);
        match self.map(memory, space, stubs::PAGE, frame, STUBS) {
            Ok(mapping) => {
                let space = self.get_mut(space);
                space.stubs = mapping;
                space.own = Some(OwnStubs {
                    frame,
                    places: [None; returns::PLACES],
                });
                Some(())
            }
            Err(NoMemory) => {
                memory.free_frame(frame);
                let shared = self.map(memory, space, stubs::PAGE, self.stubs, STUBS);
                self.get_mut(space).stubs = shared.expect("it was mapped there before");
                None
            }
        }
    }

    /// Destroys one with nothing mapped in it.
    fn remove(&mut self, memory: &mut Memory, space: SpaceIx) {
        let space = self.spaces[space.0 as usize]
            .take()
            .expect("the space exists");
        // The root first: what hangs from it then need not be taken out of it.
        memory.unmake(space.pml4);
        for table in space.tables {
            memory.unmake(table);
        }
        self.pools[space.pool] += 1;
    }

    /// Maps a frame; returns the mapping's slot.
    pub fn map(
        &mut self,
        memory: &mut Memory,
        space: SpaceIx,
        addr: u64,
        frame: u32,
        rights: Rights,
    ) -> Result<u32, NoMemory> {
        let slot = memory.map_slot(frame).ok_or(NoMemory)?;
        let (page, rights) = (Page::at(slot as u64), kernel_rights(rights));
        let pml4 = self.pml4(space);
        loop {
            match page.map(pml4, addr, rights) {
                Ok(()) => return Ok(slot),
                Err(KernelError::FailedLookup) => {
                    let space = self.get_mut(space);
                    if let Err(NoMemory) = space.add_table(memory, Level::PageTable, addr) {
                        memory.free_map_slot(slot);
                        return Err(NoMemory);
                    }
                }
                Err(error) => panic!("mapping at {addr:#x}: {error:?}"),
            }
        }
    }

    /// Changes a mapping's rights.
    pub fn protect(&mut self, space: SpaceIx, mapping: u32, rights: Rights) {
        Page::at(mapping as u64)
            .remap(self.pml4(space), kernel_rights(rights))
            .expect("the mapping is this space's");
    }

    fn get(&self, space: SpaceIx) -> &Space {
        self.spaces[space.0 as usize]
            .as_ref()
            .expect("the space exists")
    }

    fn get_mut(&mut self, space: SpaceIx) -> &mut Space {
        self.spaces[space.0 as usize]
            .as_mut()
            .expect("the space exists")
    }
}

/// The kernel's word for a mapping's rights.
fn kernel_rights(Rights { write, execute }: Rights) -> cap::Rights {
    cap::Rights { write, execute }
}

/// The paging structures below the root, from the bottom up.
#[derive(Clone, Copy, Debug)]
enum Level {
    PageTable,
    Directory,
    DirectoryTable,
}

impl Level {
    fn kind(self) -> ObjectType {
        match self {
            Level::PageTable => ObjectType::PageTable,
            Level::Directory => ObjectType::Pd,
            Level::DirectoryTable => ObjectType::Pdpt,
        }
    }

    fn above(self) -> Option<Level> {
        match self {
            Level::PageTable => Some(Level::Directory),
            Level::Directory => Some(Level::DirectoryTable),
            Level::DirectoryTable => None,
        }
    }

    fn map(self, table: CPtr, pml4: Pml4, addr: u64) -> Result<(), KernelError> {
        match self {
            Level::PageTable => PageTable(table).map(pml4, addr),
            Level::Directory => Pd(table).map(pml4, addr),
            Level::DirectoryTable => Pdpt(table).map(pml4, addr),
        }
    }
}

impl Space {
    /// Adds a paging structure for an address, and those above it that are missing. Those that
    /// were added stay when memory runs out for another.
    fn add_table(&mut self, memory: &mut Memory, level: Level, addr: u64) -> Result<(), NoMemory> {
        let table = memory.unit().ok_or(NoMemory)?;
        memory.make(table, level.kind());
        let pml4 = Pml4(object(self.pml4));
        let mut result = level.map(object(table), pml4, addr);
        if let (Err(KernelError::FailedLookup), Some(above)) = (result, level.above()) {
            if let Err(NoMemory) = self.add_table(memory, above, addr) {
                memory.unmake(table);
                return Err(NoMemory);
            }
            result = level.map(object(table), pml4, addr);
        }
        result.unwrap_or_else(|error| panic!("{level:?} at {addr:#x}: {error:?}"));
        self.tables.push(table);
        Ok(())
    }
}
