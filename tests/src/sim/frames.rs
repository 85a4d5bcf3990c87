//! Frames of memory, and allocations that fail on request.

use procmgr::machine::{Frame, PAGE};
use std::cell::Cell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

/// A frame's contents.
pub type Page = [u64; PAGE as usize / 8];

const EMPTY: Page = [0; PAGE as usize / 8];

/// What is in a frame. Copies of a machine share it until one of them writes.
#[derive(Clone)]
struct Content {
    page: Rc<Page>,
    digest: Cell<Option<u64>>,
}

/// Which allocations fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortage {
    /// Those for which nothing is left.
    None,
    /// After so many have succeeded, one.
    Once(u64),
    /// After so many have succeeded, all.
    From(u64),
}

/// All frames: memory to be allocated, and the boot archive's pages.
///
/// The archive's frame numbers go down from the highest, so that the two cannot be mixed up.
#[derive(Clone)]
pub struct Frames {
    contents: Vec<Option<Content>>,
    free: Vec<u32>,
    archive: Rc<Vec<Page>>,
    /// How often each is mapped.
    mapped: Vec<u32>,
    /// Which of the coming allocations fail.
    pub shortage: Shortage,
    /// How many allocations there were.
    pub allocations: u64,
}

impl Frames {
    /// So many free frames.
    pub fn new(count: u32, archive: Rc<Vec<Page>>) -> Frames {
        Frames {
            contents: vec![None; count as usize],
            free: (0..count).rev().collect(),
            archive,
            mapped: vec![0; count as usize],
            shortage: Shortage::None,
            allocations: 0,
        }
    }

    /// Whether the next allocation of whatever kind succeeds.
    pub fn permit(&mut self) -> bool {
        self.allocations += 1;
        match &mut self.shortage {
            Shortage::None => true,
            Shortage::Once(0) => {
                self.shortage = Shortage::None;
                false
            }
            Shortage::From(0) => false,
            Shortage::Once(left) | Shortage::From(left) => {
                *left -= 1;
                true
            }
        }
    }

    /// A frame of zeros.
    pub fn alloc(&mut self) -> Option<Frame> {
        if !self.permit() {
            return None;
        }
        let number = self.free.pop()?;
        self.contents[number as usize] = Some(Content {
            page: Rc::new(EMPTY),
            digest: Cell::new(None),
        });
        Some(Frame(number))
    }

    /// Takes a frame back.
    pub fn free(&mut self, frame: Frame) {
        let i = frame.0 as usize;
        assert!(i < self.contents.len(), "{frame:?} is the archive's");
        assert_eq!(self.mapped[i], 0, "{frame:?} is freed while it is mapped");
        assert!(self.contents[i].is_some(), "{frame:?} is freed twice");
        self.contents[i] = None;
        self.free.push(frame.0);
    }

    /// How many are free.
    pub fn count_free(&self) -> usize {
        self.free.len()
    }

    /// A page of the archive.
    pub fn of_archive(&self, page: u32) -> Option<Frame> {
        ((page as usize) < self.archive.len()).then(|| Frame(u32::MAX - page))
    }

    /// Whether this is a page of the archive, which nobody writes.
    pub fn is_archive(&self, frame: Frame) -> bool {
        frame.0 as usize >= self.contents.len()
    }

    /// A frame's contents.
    pub fn words(&self, frame: Frame) -> &Page {
        match self.contents.get(frame.0 as usize) {
            Some(content) => match content {
                Some(content) => &content.page,
                None => panic!("{frame:?} is free and read"),
            },
            None => self
                .archive
                .get((u32::MAX - frame.0) as usize)
                .unwrap_or_else(|| panic!("{frame:?} does not exist")),
        }
    }

    /// A frame's contents, to change them.
    pub fn words_mut(&mut self, frame: Frame) -> &mut Page {
        let content = self
            .contents
            .get_mut(frame.0 as usize)
            .unwrap_or_else(|| panic!("{frame:?} is the archive's and written"))
            .as_mut()
            .unwrap_or_else(|| panic!("{frame:?} is free and written"));
        content.digest.set(None);
        Rc::make_mut(&mut content.page)
    }

    /// A number that is the same for the same contents.
    pub fn digest(&self, frame: Frame) -> u64 {
        let Some(Some(content)) = self.contents.get(frame.0 as usize) else {
            return frame.0.into();
        };
        if content.digest.get().is_none() {
            let mut hasher = DefaultHasher::new();
            content.page.hash(&mut hasher);
            content.digest.set(Some(hasher.finish()));
        }
        content.digest.get().expect("set above")
    }

    /// Counts a mapping.
    pub fn note_mapped(&mut self, frame: Frame) {
        // Reading it checks that it is there.
        self.words(frame);
        if let Some(count) = self.mapped.get_mut(frame.0 as usize) {
            *count += 1;
        }
    }

    /// Counts a mapping less.
    pub fn note_unmapped(&mut self, frame: Frame) {
        if let Some(count) = self.mapped.get_mut(frame.0 as usize) {
            *count -= 1;
        }
    }
}
