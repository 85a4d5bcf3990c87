//! A machine of which only the memory works, and which panics when it is misused.

use abi::{Regs, TaskId};
use procmgr::machine::{CpuTime, Frame, Machine, Mapping, NoMemory, PAGE, Rights, SpaceIx, Stub};
use std::collections::BTreeMap;

const SIZE: usize = PAGE as usize;
/// How many pages the archive has.
pub const ARCHIVE_PAGES: u32 = 32;
/// Frame numbers of the archive's pages go down from here.
const ARCHIVE_TOP: u32 = u32::MAX;

/// What a frame in use holds. It is taken for bytes or for words, never for both.
enum Content {
    Free,
    Fresh,
    Bytes(Box<[u8; SIZE]>),
    Words(Box<[u64; SIZE / 8]>),
}

#[derive(Clone, Copy)]
struct Mapped {
    space: SpaceIx,
    addr: u64,
    frame: Frame,
    rights: Rights,
}

pub struct Fake {
    frames: Vec<Content>,
    free: usize,
    archive: Vec<Box<[u8; SIZE]>>,
    spaces: BTreeMap<SpaceIx, BTreeMap<u64, Mapping>>,
    mappings: Vec<Option<Mapped>>,
    /// How many more allocations succeed before one fails.
    pub fail_after: Option<usize>,
    /// How often what was called.
    pub maps: usize,
    pub protects: usize,
    pub copies: usize,
}

impl Fake {
    pub fn new(frames: usize) -> Fake {
        let archive = (0..ARCHIVE_PAGES)
            .map(|page| Box::new(std::array::from_fn(|at| archive_byte(page, at))))
            .collect();
        Fake {
            frames: (0..frames).map(|_| Content::Free).collect(),
            free: frames,
            archive,
            spaces: BTreeMap::new(),
            mappings: Vec::new(),
            fail_after: None,
            maps: 0,
            protects: 0,
            copies: 0,
        }
    }

    /// How many frames are free.
    pub fn free(&self) -> usize {
        self.free
    }

    /// How many spaces there are.
    pub fn spaces(&self) -> usize {
        self.spaces.len()
    }

    /// How many pages a space maps.
    pub fn mapped(&self, s: SpaceIx) -> usize {
        self.spaces[&s].len()
    }

    /// What a task reads; none is a fault.
    pub fn load(&self, s: SpaceIx, addr: u64) -> Option<u8> {
        let mapping = self.spaces[&s].get(&(addr & !(PAGE - 1)))?;
        let mapped = self.mappings[mapping.0 as usize].unwrap();
        Some(self.bytes(mapped.frame)[(addr % PAGE) as usize])
    }

    /// A task writes; false is a fault.
    pub fn store(&mut self, s: SpaceIx, addr: u64, value: u8) -> bool {
        let Some(mapping) = self.spaces[&s].get(&(addr & !(PAGE - 1))) else {
            return false;
        };
        let mapped = self.mappings[mapping.0 as usize].unwrap();
        if mapped.rights.write {
            self.bytes_mut(mapped.frame)[(addr % PAGE) as usize] = value;
        }
        mapped.rights.write
    }

    /// Whether a task can execute what is at an address.
    pub fn executes(&self, s: SpaceIx, addr: u64) -> bool {
        let mapping = self.spaces[&s].get(&(addr & !(PAGE - 1)));
        mapping.is_some_and(|m| self.mappings[m.0 as usize].unwrap().rights.execute)
    }

    fn may_allocate(&mut self) -> bool {
        match &mut self.fail_after {
            Some(0) => {
                self.fail_after = None;
                false
            }
            Some(left) => {
                *left -= 1;
                true
            }
            None => true,
        }
    }

    fn in_use(&self, frame: Frame) -> bool {
        match self.frames.get(frame.0 as usize) {
            Some(content) => !matches!(content, Content::Free),
            None => frame.0 > ARCHIVE_TOP - ARCHIVE_PAGES,
        }
    }
}

/// A byte of the archive: zeros behind byte 100 of every fourth page, where files end.
pub fn archive_byte(page: u32, at: usize) -> u8 {
    if page % 4 == 3 && at >= 100 {
        0
    } else {
        (page as usize * 31 + at * 7 + 1) as u8
    }
}

impl Machine for Fake {
    fn frame_alloc(&mut self) -> Option<Frame> {
        if !self.may_allocate() {
            return None;
        }
        let i = self
            .frames
            .iter()
            .position(|content| matches!(content, Content::Free))?;
        self.frames[i] = Content::Fresh;
        self.free -= 1;
        Some(Frame(i as u32))
    }

    fn frame_free(&mut self, frame: Frame) {
        let users = self.mappings.iter().flatten();
        assert!(users.into_iter().all(|mapped| mapped.frame != frame));
        let content = &mut self.frames[frame.0 as usize];
        assert!(!matches!(content, Content::Free), "freed twice");
        *content = Content::Free;
        self.free += 1;
    }

    fn frames_free(&mut self) -> usize {
        self.free
    }

    fn bytes(&self, frame: Frame) -> &[u8; SIZE] {
        static ZEROS: [u8; SIZE] = [0; SIZE];
        if frame.0 > ARCHIVE_TOP - ARCHIVE_PAGES {
            return &self.archive[(ARCHIVE_TOP - frame.0) as usize];
        }
        match &self.frames[frame.0 as usize] {
            Content::Bytes(bytes) => bytes,
            Content::Fresh => &ZEROS,
            Content::Free | Content::Words(_) => panic!("{frame:?} holds no bytes"),
        }
    }

    fn bytes_mut(&mut self, frame: Frame) -> &mut [u8; SIZE] {
        let content = &mut self.frames[frame.0 as usize];
        if matches!(content, Content::Fresh) {
            *content = Content::Bytes(Box::new([0; SIZE]));
        }
        match content {
            Content::Bytes(bytes) => bytes,
            _ => panic!("{frame:?} holds no bytes"),
        }
    }

    fn words(&self, frame: Frame) -> &[u64; SIZE / 8] {
        static ZEROS: [u64; SIZE / 8] = [0; SIZE / 8];
        match &self.frames[frame.0 as usize] {
            Content::Words(words) => words,
            Content::Fresh => &ZEROS,
            Content::Free | Content::Bytes(_) => panic!("{frame:?} holds no words"),
        }
    }

    fn words_mut(&mut self, frame: Frame) -> &mut [u64; SIZE / 8] {
        let content = &mut self.frames[frame.0 as usize];
        if matches!(content, Content::Fresh) {
            *content = Content::Words(Box::new([0; SIZE / 8]));
        }
        match content {
            Content::Words(words) => words,
            _ => panic!("{frame:?} holds no words"),
        }
    }

    fn frame_copy(&mut self, to: Frame, from: Frame) {
        assert_ne!(to, from);
        self.copies += 1;
        let bytes = *self.bytes(from);
        *self.bytes_mut(to) = bytes;
    }

    fn archive_frame(&mut self, page: u32) -> Option<Frame> {
        (page < ARCHIVE_PAGES).then(|| Frame(ARCHIVE_TOP - page))
    }

    fn space_create(&mut self, space: SpaceIx) -> Result<(), NoMemory> {
        if !self.may_allocate() {
            return Err(NoMemory);
        }
        assert!(self.spaces.insert(space, BTreeMap::new()).is_none());
        Ok(())
    }

    fn space_destroy(&mut self, space: SpaceIx) {
        let mapped = self.spaces.remove(&space).expect("a space");
        assert!(mapped.is_empty(), "destroyed with pages in it");
    }

    fn map(
        &mut self,
        space: SpaceIx,
        addr: u64,
        frame: Frame,
        rights: Rights,
    ) -> Result<Mapping, NoMemory> {
        assert!(addr.is_multiple_of(PAGE) && addr < 1 << 47);
        assert!(self.in_use(frame));
        assert!(!rights.write || frame.0 <= ARCHIVE_TOP - ARCHIVE_PAGES);
        if !self.may_allocate() {
            return Err(NoMemory);
        }
        self.maps += 1;
        let free = self.mappings.iter().position(Option::is_none);
        let i = free.unwrap_or_else(|| {
            self.mappings.push(None);
            self.mappings.len() - 1
        });
        self.mappings[i] = Some(Mapped {
            space,
            addr,
            frame,
            rights,
        });
        let mapping = Mapping(i as u32);
        let mapped = self.spaces.get_mut(&space).expect("a space");
        assert!(mapped.insert(addr, mapping).is_none(), "mapped twice");
        Ok(mapping)
    }

    fn protect(&mut self, space: SpaceIx, mapping: Mapping, rights: Rights) {
        self.protects += 1;
        let mapped = self.mappings[mapping.0 as usize].as_mut().unwrap();
        assert_eq!(mapped.space, space);
        mapped.rights = rights;
    }

    fn unmap(&mut self, mapping: Mapping) {
        let mapped = self.mappings[mapping.0 as usize].take();
        let mapped = mapped.expect("unmapped twice");
        let pages = self.spaces.get_mut(&mapped.space).expect("a space");
        assert_eq!(pages.remove(&mapped.addr), Some(mapping));
    }

    fn now(&mut self) -> u64 {
        unreachable!()
    }
    fn set_timer(&mut self, _: Option<u64>) {}
    fn thread_create(&mut self, _: TaskId, _: SpaceIx) -> Result<(), NoMemory> {
        unreachable!()
    }
    fn thread_destroy(&mut self, _: TaskId) {}
    fn thread_move(&mut self, _: TaskId, _: SpaceIx) {}
    fn thread_rename(&mut self, _: TaskId, _: TaskId) {}
    fn regs(&mut self, _: TaskId) -> Regs {
        unreachable!()
    }
    fn set_regs(&mut self, _: TaskId, _: &Regs) {}
    fn resume(&mut self, _: TaskId, _: &Regs) {}
    fn retry(&mut self, _: TaskId) {}

    fn land(&mut self, _: TaskId, _: u64, _: u64, _: u64) {}
    fn run_stub(&mut self, _: TaskId, _: Stub, _: u64) {}
    fn run_stub_now(&mut self, _: TaskId, _: Stub, _: u64) -> bool {
        unreachable!()
    }
    fn suspend(&mut self, _: TaskId, _: impl FnOnce(&mut Self, u64) -> bool) {}
    fn suspend_for_good(&mut self, _: TaskId) {}
    fn step(&mut self, _: TaskId, _: bool) {}
    fn set_breakpoints(&mut self, _: TaskId, _: &procmgr::machine::Breakpoints) {
        unreachable!("no threads here")
    }
    fn cpu_time(&mut self, _: TaskId) -> CpuTime {
        unreachable!()
    }
    fn server_caps(&self) -> u64 {
        unreachable!()
    }
    fn notify_tracer(&mut self) {}
    fn answer_fs(&mut self, _: &[u8]) {}
    fn log(&mut self, _: core::fmt::Arguments<'_>) {}
    fn power_off(&mut self, _: i32) {}
}
