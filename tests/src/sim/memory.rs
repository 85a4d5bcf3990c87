//! Address spaces and what is mapped in them.

use super::frames::Frames;
use procmgr::Access;
use procmgr::machine::{Frame, Mapping, PAGE, Rights, SpaceIx};
use std::collections::BTreeMap;

/// An access that the memory does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The address.
    pub addr: u64,
    /// What was tried.
    pub access: Access,
    /// There is a page, which does not allow it.
    pub present: bool,
}

#[derive(Clone, Copy, Debug)]
struct Mapped {
    space: SpaceIx,
    page: u64,
    frame: Frame,
    rights: Rights,
}

/// Every address space.
#[derive(Clone, Default)]
pub struct Spaces {
    spaces: BTreeMap<SpaceIx, BTreeMap<u64, Mapping>>,
    mappings: Vec<Option<Mapped>>,
    free: Vec<u32>,
}

impl Spaces {
    /// Makes an empty one.
    pub fn create(&mut self, space: SpaceIx) {
        let old = self.spaces.insert(space, BTreeMap::new());
        assert!(old.is_none(), "{space:?} is created twice");
    }

    /// Destroys an empty one.
    pub fn destroy(&mut self, space: SpaceIx) {
        let pages = self.spaces.remove(&space);
        let pages = pages.unwrap_or_else(|| panic!("{space:?} is destroyed and does not exist"));
        assert!(pages.is_empty(), "{space:?} is destroyed with pages mapped");
    }

    /// Whether it exists.
    pub fn exists(&self, space: SpaceIx) -> bool {
        self.spaces.contains_key(&space)
    }

    /// How many spaces and how many mappings there are.
    pub fn population(&self) -> (usize, usize) {
        (self.spaces.len(), self.mappings.len() - self.free.len())
    }

    /// What is mapped where: which page of which space, with which rights.
    pub fn all(&self) -> impl Iterator<Item = (SpaceIx, u64, Rights)> {
        let pages = self.spaces.iter().flat_map(|(space, pages)| {
            pages
                .iter()
                .map(|(page, mapping)| (*space, *page, *mapping))
        });
        pages.map(|(space, page, mapping)| {
            let mapped = self.mappings[mapping.0 as usize].expect("a page's mapping exists");
            (space, page, mapped.rights)
        })
    }

    /// Maps a frame.
    pub fn map(
        &mut self,
        f: &mut Frames,
        space: SpaceIx,
        addr: u64,
        frame: Frame,
        rights: Rights,
    ) -> Mapping {
        assert_eq!(addr % PAGE, 0, "a page address");
        assert!(addr < 1 << 47, "{addr:#x} is no address of a program");
        assert!(
            !(rights.write && f.is_archive(frame)),
            "the archive mapped writable"
        );
        let pages = self
            .spaces
            .get_mut(&space)
            .expect("mapped in a space that exists");
        let mapped = Mapped {
            space,
            page: addr / PAGE,
            frame,
            rights,
        };
        let mapping = match self.free.pop() {
            Some(i) => Mapping(i),
            None => {
                self.mappings.push(None);
                Mapping(self.mappings.len() as u32 - 1)
            }
        };
        self.mappings[mapping.0 as usize] = Some(mapped);
        let old = pages.insert(addr / PAGE, mapping);
        assert!(old.is_none(), "{addr:#x} of {space:?} is mapped twice");
        f.note_mapped(frame);
        mapping
    }

    /// Changes a mapping's rights.
    pub fn protect(&mut self, f: &Frames, space: SpaceIx, mapping: Mapping, rights: Rights) {
        let mapped = self.get_mut(mapping);
        assert_eq!(mapped.space, space, "{mapping:?} is of another space");
        assert!(
            !(rights.write && f.is_archive(mapped.frame)),
            "the archive made writable"
        );
        mapped.rights = rights;
    }

    /// Ends a mapping.
    pub fn unmap(&mut self, f: &mut Frames, mapping: Mapping) {
        let Mapped {
            space, page, frame, ..
        } = *self.get_mut(mapping);
        self.mappings[mapping.0 as usize] = None;
        self.free.push(mapping.0);
        self.spaces
            .get_mut(&space)
            .expect("its space exists")
            .remove(&page);
        f.note_unmapped(frame);
    }

    fn get_mut(&mut self, mapping: Mapping) -> &mut Mapped {
        self.mappings
            .get_mut(mapping.0 as usize)
            .and_then(Option::as_mut)
            .unwrap_or_else(|| panic!("{mapping:?} does not exist"))
    }

    /// Where an access goes.
    pub fn translate(
        &self,
        space: SpaceIx,
        addr: u64,
        access: Access,
    ) -> Result<(Frame, usize), Fault> {
        let absent = Fault {
            addr,
            access,
            present: false,
        };
        let mapping = self.spaces[&space].get(&(addr / PAGE)).ok_or(absent)?;
        let mapped = self.mappings[mapping.0 as usize].expect("a page's mapping exists");
        let allowed = match access {
            Access::Read => true,
            Access::Write => mapped.rights.write,
            Access::Execute => mapped.rights.execute,
        };
        if !allowed {
            return Err(Fault {
                present: true,
                ..absent
            });
        }
        Ok((mapped.frame, (addr % PAGE) as usize))
    }

    /// Reads or fetches up to the first byte that does not allow it: how many bytes, and why no
    /// more.
    fn take(
        &self,
        f: &Frames,
        space: SpaceIx,
        addr: u64,
        bytes: &mut [u8],
        access: Access,
    ) -> (usize, Result<(), Fault>) {
        let mut done = 0;
        while done < bytes.len() {
            let (frame, at) = match self.translate(space, addr.wrapping_add(done as u64), access) {
                Ok(place) => place,
                Err(fault) => return (done, Err(fault)),
            };
            let page: &[u8; PAGE as usize] = bytemuck::cast_ref(f.words(frame));
            let n = (bytes.len() - done).min(page.len() - at);
            bytes[done..done + n].copy_from_slice(&page[at..at + n]);
            done += n;
        }
        (done, Ok(()))
    }

    /// Fetches up to the end of what can be executed: how many bytes, and why no more.
    pub fn fetch(
        &self,
        f: &Frames,
        space: SpaceIx,
        addr: u64,
        bytes: &mut [u8],
    ) -> (usize, Result<(), Fault>) {
        self.take(f, space, addr, bytes, Access::Execute)
    }

    /// Reads.
    pub fn read(
        &self,
        f: &Frames,
        space: SpaceIx,
        addr: u64,
        bytes: &mut [u8],
    ) -> Result<(), Fault> {
        self.take(f, space, addr, bytes, Access::Read).1
    }

    /// Writes, all or nothing.
    pub fn write(
        &self,
        f: &mut Frames,
        space: SpaceIx,
        addr: u64,
        bytes: &[u8],
    ) -> Result<(), Fault> {
        let last = addr.wrapping_add(bytes.len() as u64 - 1);
        for page in [addr, last] {
            self.translate(space, page, Access::Write)
                .map_err(|fault| {
                    let addr = if page == addr {
                        addr
                    } else {
                        page & !(PAGE - 1)
                    };
                    Fault { addr, ..fault }
                })?;
        }
        let mut done = 0;
        while done < bytes.len() {
            let (frame, at) =
                self.translate(space, addr.wrapping_add(done as u64), Access::Write)?;
            let page: &mut [u8; PAGE as usize] = bytemuck::cast_mut(f.words_mut(frame));
            let n = (bytes.len() - done).min(page.len() - at);
            page[at..at + n].copy_from_slice(&bytes[done..done + n]);
            done += n;
        }
        Ok(())
    }
}
