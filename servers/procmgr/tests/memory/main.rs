//! The memory subsystem on a simulated machine.

mod dump;
mod fault;
mod fork;
mod lock;
mod machine;
mod map;
mod model;
mod object;

use abi::linux::general::{MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, PROT_READ, PROT_WRITE};
use machine::Fake;
use procmgr::Access;
use procmgr::machine::{PAGE, SpaceIx};
use procmgr::memory::{MapRequest, Memory, MemoryFault, Source};

/// Readable and writable.
const RW: u32 = PROT_READ | PROT_WRITE;
/// Where the tests map things: across the border of two leaves of the page table.
const BASE: u64 = 0x1_0020_0000 - 8 * PAGE;

/// A machine with one space.
struct World {
    m: Fake,
    memory: Memory,
    s: SpaceIx,
}

impl World {
    fn new() -> World {
        let (mut m, mut memory) = (Fake::new(4096), Memory::new());
        let s = memory.space_new(&mut m).unwrap();
        World { m, memory, s }
    }

    /// Maps private anonymous memory at a page of the test area.
    fn anonymous(&mut self, page: u64, pages: u64, prot: u32) -> u64 {
        let request = anonymous(BASE + page * PAGE, pages, prot);
        self.memory.map(&mut self.m, self.s, &request).unwrap()
    }

    /// The task reads a byte.
    fn load(&mut self, addr: u64) -> Result<u8, MemoryFault> {
        load(&mut self.m, &mut self.memory, self.s, addr)
    }

    /// mprotect(2) of pages from [`BASE`] on.
    fn protect(&mut self, page: u64, pages: u64, prot: u32) {
        let addr = BASE + page * PAGE;
        let result = self
            .memory
            .protect(&mut self.m, self.s, addr, pages * PAGE, prot);
        result.unwrap();
    }

    /// The task executes what is at an address.
    fn execute(&mut self, addr: u64) -> Result<(), MemoryFault> {
        execute(&mut self.m, &mut self.memory, self.s, addr)
    }

    /// The task writes a byte.
    fn store(&mut self, addr: u64, value: u8) -> Result<(), MemoryFault> {
        store(&mut self.m, &mut self.memory, self.s, addr, value)
    }
}

/// The request for private anonymous memory at a fixed place.
fn anonymous(addr: u64, pages: u64, prot: u32) -> MapRequest {
    MapRequest {
        addr,
        len: pages * PAGE,
        prot,
        flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
        source: Source::Anonymous,
    }
}

/// A task reads a byte: through what the machine maps, faulting as often as it must.
fn load(m: &mut Fake, memory: &mut Memory, s: SpaceIx, addr: u64) -> Result<u8, MemoryFault> {
    if m.load(s, addr).is_none() {
        memory.fault(m, s, addr, Access::Read)?;
    }
    Ok(m.load(s, addr).expect("a read fault that was resolved"))
}

/// A task executes what is at an address.
fn execute(m: &mut Fake, memory: &mut Memory, s: SpaceIx, addr: u64) -> Result<(), MemoryFault> {
    for _ in 0..2 {
        if !m.executes(s, addr) {
            memory.fault(m, s, addr, Access::Execute)?;
        }
    }
    assert!(m.executes(s, addr), "a fetch that was resolved");
    Ok(())
}

/// A task writes a byte.
fn store(
    m: &mut Fake,
    memory: &mut Memory,
    s: SpaceIx,
    addr: u64,
    value: u8,
) -> Result<(), MemoryFault> {
    if !m.store(s, addr, value) {
        memory.fault(m, s, addr, Access::Write)?;
        assert!(m.store(s, addr, value), "a write fault that was resolved");
    }
    Ok(())
}
