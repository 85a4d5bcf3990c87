//! Building address spaces.

use crate::bootinfo::{ASID_POOL, SPACE};
use crate::memory::Memory;
use rt::KernelError;
use rt::cap::{ObjectType, Page, PageTable, Pd, Pdpt, Pml4, Rights};
use rt::layout::{LARGE_PAGE, PAGE};

/// Where the root task maps frames to fill them.
const SCRATCH: u64 = 0x60_0000_0000;

/// Provides for mapping at [`SCRATCH`].
pub fn prepare(memory: &mut Memory) {
    Space(SPACE).page_table(memory, SCRATCH);
}

/// Writes to a page that is not mapped.
pub fn fill(page: Page, fill: impl FnOnce(&mut [u8; PAGE as usize])) {
    page.map(SPACE, SCRATCH, Rights::READ_WRITE)
        .expect("there is a page table");
    // SAFETY: the page was just mapped there, and the reference ends before it is unmapped.
    fill(unsafe { &mut *(SCRATCH as *mut _) });
    page.unmap().expect("it is mapped");
}

/// An address space; paging structures appear as they are needed.
#[derive(Clone, Copy)]
pub struct Space(pub Pml4);

impl Space {
    /// A new one.
    pub fn new(memory: &mut Memory) -> Space {
        let pml4 = Pml4(memory.object(ObjectType::Pml4, 0));
        ASID_POOL.assign(pml4).expect("the pool is almost empty");
        Space(pml4)
    }

    /// Maps a new page of zeros that `fill` may write to first.
    pub fn page(
        self,
        memory: &mut Memory,
        addr: u64,
        rights: Rights,
        fill: impl FnOnce(&mut [u8; PAGE as usize]),
    ) -> Page {
        let page = Page(memory.object(ObjectType::Page4K, 0));
        self::fill(page, fill);
        self.map(memory, page, addr, rights);
        page
    }

    /// Maps `size` bytes of new large pages.
    pub fn large_pages(self, memory: &mut Memory, addr: u64, size: u64) {
        for addr in (addr..addr + size).step_by(LARGE_PAGE as usize) {
            let page = Page(memory.object(ObjectType::Page2M, 0));
            if page.map(self.0, addr, Rights::READ_WRITE).is_err() {
                self.directory(memory, addr);
                page.map(self.0, addr, Rights::READ_WRITE)
                    .expect("there is a directory now");
            }
        }
    }

    /// Maps a page.
    pub fn map(self, memory: &mut Memory, page: Page, addr: u64, rights: Rights) {
        if page.map(self.0, addr, rights).is_err() {
            self.page_table(memory, addr);
            page.map(self.0, addr, rights)
                .expect("there is a page table now");
        }
    }

    /// Provides the page table for an address.
    pub fn page_table(self, memory: &mut Memory, addr: u64) {
        let table = PageTable(memory.object(ObjectType::PageTable, 0));
        while let Err(error) = table.map(self.0, addr) {
            match error {
                KernelError::FailedLookup => self.directory(memory, addr),
                KernelError::DeleteFirst => return,
                _ => panic!("page table at {addr:#x}: {error:?}"),
            }
        }
    }

    /// Provides the page directory for an address.
    pub fn directory(self, memory: &mut Memory, addr: u64) {
        let directory = Pd(memory.object(ObjectType::Pd, 0));
        while let Err(error) = directory.map(self.0, addr) {
            match error {
                KernelError::FailedLookup => {
                    let pdpt = Pdpt(memory.object(ObjectType::Pdpt, 0));
                    pdpt.map(self.0, addr).expect("it is missing");
                }
                KernelError::DeleteFirst => return,
                _ => panic!("page directory at {addr:#x}: {error:?}"),
            }
        }
    }
}
