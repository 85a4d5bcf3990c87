//! Which pages are present: a table of two levels whose leaves are frames of the machine, so that
//! it takes nothing of the server's own heap but 12 bytes for every 2 MiB in use.

use crate::machine::{Frame, Machine, Mapping, NoMemory, PAGE};
use alloc::vec::Vec;

/// How many entries a leaf has.
pub(super) const LEAF: u64 = PAGE / 8;

/// What is known of one page: frame number, the machine's name of its mapping, and four flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry(u64);

const MAPPING_BITS: u32 = 28;
const PRESENT: u64 = 1 << 60;
const MAPPED: u64 = 1 << 61;
const WRITABLE: u64 = 1 << 62;
const OWNED: u64 = 1 << 63;
const _: () = assert!(MAPPING_BITS + u32::BITS == PRESENT.trailing_zeros());

impl Entry {
    /// No page.
    pub const ABSENT: Entry = Entry(0);

    /// A page that somebody else keeps, not mapped.
    pub const fn borrowed(frame: Frame) -> Entry {
        Entry(PRESENT | (frame.0 as u64) << MAPPING_BITS)
    }

    /// A page that is counted, not mapped.
    pub const fn owned(frame: Frame) -> Entry {
        Entry(Entry::borrowed(frame).0 | OWNED)
    }

    /// The same page, mapped.
    pub const fn with_mapping(self, mapping: Mapping, writable: bool) -> Entry {
        let mapped = self.without_mapping().0 | MAPPED | mapping.0 as u64;
        Entry(if writable { mapped | WRITABLE } else { mapped })
    }

    /// The same page, not mapped.
    pub const fn without_mapping(self) -> Entry {
        Entry(self.0 & !(MAPPED | WRITABLE | ((1 << MAPPING_BITS) - 1)))
    }

    /// There is a page.
    pub const fn is_present(self) -> bool {
        self.0 & PRESENT != 0
    }

    /// It is mapped, so the task can read it.
    pub const fn is_mapped(self) -> bool {
        self.0 & MAPPED != 0
    }

    /// It is mapped and the task can write it.
    pub const fn is_writable(self) -> bool {
        self.0 & WRITABLE != 0
    }

    /// It is counted.
    pub const fn is_owned(self) -> bool {
        self.0 & OWNED != 0
    }

    /// The frame of a page that is present.
    pub const fn frame(self) -> Frame {
        Frame((self.0 >> MAPPING_BITS) as u32)
    }

    /// The mapping of a page that is mapped.
    pub const fn mapping(self) -> Option<Mapping> {
        if self.is_mapped() {
            Some(Mapping((self.0 & ((1 << MAPPING_BITS) - 1)) as u32))
        } else {
            None
        }
    }
}

/// 512 entries in a frame.
#[derive(Clone, Copy)]
pub(super) struct Leaf {
    /// Its first page divided by [`LEAF`].
    key: u32,
    /// Where it is.
    frame: Frame,
    /// How many entries are present.
    used: u16,
    /// How many of them are owned.
    owned: u16,
}

impl Leaf {
    /// Its first page.
    pub fn first_page(&self) -> u64 {
        u64::from(self.key) * LEAF
    }

    /// How many of its entries are owned.
    pub fn owned(&self) -> u16 {
        self.owned
    }

    /// Its present entries, by page.
    pub fn entries(&self, m: &impl Machine) -> impl Iterator<Item = (u64, Entry)> {
        let entries = m.words(self.frame).iter().map(|word| Entry(*word));
        let entries = (self.first_page()..).zip(entries);
        entries.filter(|(_, entry)| entry.is_present())
    }

    /// One of its entries.
    pub fn entry(&self, m: &impl Machine, index: usize) -> Entry {
        Entry(m.words(self.frame)[index])
    }
}

/// Entries by page number.
#[derive(Clone, Default)]
pub(super) struct PageTable {
    /// Sorted by key. A leaf without a present entry is given back at once.
    leaves: Vec<Leaf>,
    /// The leaf that was looked at last: accesses come in runs.
    hot: usize,
    /// How many pages are present, and the most there were.
    present: u64,
    peak: u64,
}

impl PageTable {
    /// The entry of a page.
    #[inline]
    pub fn get(&mut self, m: &impl Machine, page: u64) -> Entry {
        match self.find(page) {
            Ok(i) => self.leaves[i].entry(m, (page % LEAF) as usize),
            Err(_) => Entry::ABSENT,
        }
    }

    /// The same for who only looks.
    pub fn look(&self, m: &impl Machine, page: u64) -> Entry {
        let key = page / LEAF;
        let found = self
            .leaves
            .binary_search_by(|leaf| u64::from(leaf.key).cmp(&key));
        match found {
            Ok(i) => self.leaves[i].entry(m, (page % LEAF) as usize),
            Err(_) => Entry::ABSENT,
        }
    }

    /// Replaces the entry of a page. It fails only where nothing else in the page's leaf is
    /// present, and then nothing is changed.
    pub fn set(&mut self, m: &mut impl Machine, page: u64, entry: Entry) -> Result<(), NoMemory> {
        let i = match self.find(page) {
            Ok(i) => i,
            Err(_) if !entry.is_present() => return Ok(()),
            Err(_) => self.ensure(m, page)?,
        };
        let leaf = &mut self.leaves[i];
        let word = &mut m.words_mut(leaf.frame)[(page % LEAF) as usize];
        let old = Entry(core::mem::replace(word, entry.0));
        leaf.used += u16::from(entry.is_present());
        leaf.used -= u16::from(old.is_present());
        leaf.owned += u16::from(entry.is_owned());
        leaf.owned -= u16::from(old.is_owned());
        self.present += u64::from(entry.is_present());
        self.present -= u64::from(old.is_present());
        self.peak = self.peak.max(self.present);
        if leaf.used == 0 {
            m.frame_free(self.leaves.remove(i).frame);
        }
        Ok(())
    }

    /// Sees to it that setting the entry of this page cannot fail; returns its leaf's index. Until
    /// the entry is set, only [`trim`](Self::trim) gives an empty leaf back.
    pub fn ensure(&mut self, m: &mut impl Machine, page: u64) -> Result<usize, NoMemory> {
        let Err(i) = self.find(page) else {
            return Ok(self.hot);
        };
        self.leaves.try_reserve(1).map_err(|_| NoMemory)?;
        let frame = m.frame_alloc().ok_or(NoMemory)?;
        let leaf = Leaf {
            key: (page / LEAF) as u32,
            frame,
            used: 0,
            owned: 0,
        };
        self.leaves.insert(i, leaf);
        self.hot = i;
        Ok(i)
    }

    /// Gives leaves back that were ensured and not used.
    pub fn trim(&mut self, m: &mut impl Machine) {
        self.leaves.retain(|leaf| {
            if leaf.used == 0 {
                m.frame_free(leaf.frame);
            }
            leaf.used != 0
        });
    }

    /// The first present page of a range of pages.
    pub fn next(&mut self, m: &impl Machine, from: u64, end: u64) -> Option<(u64, Entry)> {
        let (Ok(first) | Err(first)) = self.find(from);
        for leaf in &self.leaves[first..] {
            let base = leaf.first_page();
            if base >= end {
                return None;
            }
            let start = from.saturating_sub(base) as usize;
            let stop = (end - base).min(LEAF) as usize;
            let words = &m.words(leaf.frame)[start..stop];
            if let Some(at) = words.iter().position(|&word| word != 0) {
                return Some((base + (start + at) as u64, Entry(words[at])));
            }
        }
        None
    }

    /// The leaves, lowest first.
    pub fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    /// Takes the whole table apart: every present entry goes to `each`, every leaf is freed.
    pub fn drain<M: Machine>(&mut self, m: &mut M, mut each: impl FnMut(&mut M, Entry)) {
        self.present = 0;
        while let Some(leaf) = self.leaves.pop() {
            let mut left = leaf.used;
            for index in 0..LEAF as usize {
                if left == 0 {
                    break;
                }
                let entry = leaf.entry(m, index);
                if entry.is_present() {
                    left -= 1;
                    each(m, entry);
                }
            }
            m.frame_free(leaf.frame);
        }
    }

    /// How many pages are present.
    pub fn present(&self) -> u64 {
        self.present
    }

    /// The most there were.
    pub fn peak(&self) -> u64 {
        self.peak
    }

    /// The index of a page's leaf, or where it would be.
    #[inline]
    fn find(&mut self, page: u64) -> Result<usize, usize> {
        let key = page / LEAF;
        if let Some(leaf) = self.leaves.get(self.hot)
            && u64::from(leaf.key) == key
        {
            return Ok(self.hot);
        }
        let found = self
            .leaves
            .binary_search_by(|leaf| u64::from(leaf.key).cmp(&key));
        if let Ok(i) = found {
            self.hot = i;
        }
        found
    }
}
