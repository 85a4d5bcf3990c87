//! Memory objects: bytes that files are made of, and memory that forks share.
//!
//! A page of an object is its own, or shared with the spaces that have it: a core dump takes the
//! memory of a program that way, without a copy. A shared page can only be read; it is made the
//! object's own before it is written, and before a space borrows it.

use super::Memory;
use super::frames::Frames;
use super::layout::round_up;
use super::pages::{Entry, PageTable};
use super::site::Site;
use crate::machine::{Frame, Machine, NoMemory, PAGE, SpaceIx};
use abi::Errno;
use abi::fs::{ARCHIVE, ObjectId};
use alloc::vec::Vec;

/// The most objects there are, the archive not counted.
pub const MAX_OBJECTS: usize = 4096;

/// The most bytes an object has, holes counted.
pub const MAX_OBJECT_SIZE: u64 = 1 << 43;

/// All objects. Id 0 is the archive, which is not kept here.
#[derive(Clone, Default)]
pub(super) struct Objects {
    table: Vec<Option<Object>>,
}

/// One object.
#[derive(Clone, Default)]
pub(super) struct Object {
    /// Entries that are never mapped. Of a borrowed one the object is the keeper; an owned one is
    /// counted, and may be shared with spaces.
    pub pages: PageTable,
    /// Where it ends: pages behind are a bus error.
    pub size: u64,
    /// How many VMAs map it.
    pub mappings: u32,
    /// The file server knows it.
    pub held: bool,
}

impl Memory {
    /// Makes an empty object. ENOSPC.
    pub fn object_create(&mut self) -> Result<ObjectId, Errno> {
        let id = self.objects.create(0).map_err(|_| Errno::ENOSPC)?;
        self.objects.slot(id).held = true;
        Ok(id)
    }

    /// Reads an object; zeros where nothing was written. EBADF when there is none, EINVAL for an
    /// offset that no object has.
    pub fn object_read(
        &mut self,
        m: &mut impl Machine,
        id: ObjectId,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<(), Errno> {
        self.objects.readable(id)?;
        let end = offset.checked_add(buf.len() as u64).ok_or(Errno::EINVAL)?;
        let mut at = offset;
        let mut rest = buf;
        while at < end {
            let skip = (at % PAGE) as usize;
            let n = rest.len().min(PAGE as usize - skip);
            let (chunk, tail) = rest.split_at_mut(n);
            match self.objects.frame(m, id, at / PAGE) {
                Some(frame) => chunk.copy_from_slice(&m.bytes(frame)[skip..][..n]),
                None => chunk.fill(0),
            }
            rest = tail;
            at += n as u64;
        }
        Ok(())
    }

    /// Writes an object, which grows as needed. EBADF, EROFS for the archive, ENOSPC; then its
    /// bytes are as they were.
    pub fn object_write(
        &mut self,
        m: &mut impl Machine,
        id: ObjectId,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), Errno> {
        self.objects.writable(id)?;
        let end = offset
            .checked_add(bytes.len() as u64)
            .filter(|&end| end <= MAX_OBJECT_SIZE)
            .ok_or(Errno::ENOSPC)?;
        if bytes.is_empty() {
            return Ok(());
        }
        // Pages taken before one is missing stay, as zeros: nobody can tell them from a hole.
        for page in offset / PAGE..end.div_ceil(PAGE) {
            self.objects
                .frame_or_new(m, &mut self.frames, id, page)
                .map_err(|_| Errno::ENOSPC)?;
        }
        let mut at = offset;
        let mut rest = bytes;
        while at < end {
            let skip = (at % PAGE) as usize;
            let (chunk, tail) = rest.split_at(rest.len().min(PAGE as usize - skip));
            let frame = self
                .objects
                .frame(m, id, at / PAGE)
                .expect("every page of the range was made above");
            m.bytes_mut(frame)[skip..][..chunk.len()].copy_from_slice(chunk);
            rest = tail;
            at += chunk.len() as u64;
        }
        self.objects.grow(id, end);
        Ok(())
    }

    /// Forgets all bytes from `size` on; pages mapped of them go, private copies too, as Linux
    /// does. EBADF, EROFS, ENOSPC (larger than an object can be).
    pub fn object_truncate(
        &mut self,
        m: &mut impl Machine,
        id: ObjectId,
        size: u64,
    ) -> Result<(), Errno> {
        let object = self.objects.writable(id)?;
        if size > MAX_OBJECT_SIZE {
            return Err(Errno::ENOSPC);
        }
        let within = !size.is_multiple_of(PAGE) && size < object.size;
        if within && object.pages.get(m, size / PAGE).is_present() {
            // Its rest is about to be cleared.
            self.objects
                .frame_or_new(m, &mut self.frames, id, size / PAGE)
                .map_err(|_| Errno::ENOSPC)?;
        }
        let object = self.objects.slot(id);
        let shrinks = size < object.size;
        let mapped = object.mappings > 0;
        object.size = size;
        if shrinks {
            let keep = round_up(size).expect("at most MAX_OBJECT_SIZE");
            if mapped {
                for ix in 0..self.spaces.len() {
                    if self.spaces[ix].is_some() {
                        self.site(m, SpaceIx(ix as u16)).drop_object(id, keep);
                    }
                }
            }
            self.objects.cut(m, &mut self.frames, id, size);
        }
        Ok(())
    }

    /// Gives an object back; mappings of it stay good. EBADF.
    pub fn object_release(&mut self, m: &mut impl Machine, id: ObjectId) -> Result<(), Errno> {
        self.objects.writable(id)?.held = false;
        self.objects.collect(m, &mut self.frames, id);
        Ok(())
    }
}

impl<M: Machine> Site<'_, M> {
    /// Drops every page that maps an object from an offset on.
    fn drop_object(&mut self, id: ObjectId, from: u64) {
        for i in 0..self.space.vmas.all().len() {
            let vma = self.space.vmas.all()[i];
            if vma.object() == Some(id) {
                let skip = from.saturating_sub(vma.object_offset(vma.start));
                if skip < vma.len() {
                    self.drop_pages(vma.start + skip, vma.end);
                }
            }
        }
    }
}

impl Objects {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.table.iter().flatten().count()
    }

    /// All, and the gaps between them.
    pub fn all(&self) -> impl Iterator<Item = Option<&Object>> {
        self.table.iter().map(Option::as_ref)
    }

    /// Makes an object of this size that nobody holds and no VMA maps.
    pub fn create(&mut self, size: u64) -> Result<ObjectId, NoMemory> {
        if size > MAX_OBJECT_SIZE {
            return Err(NoMemory);
        }
        let free = self.table.iter().position(Option::is_none);
        let slot = free.unwrap_or(self.table.len());
        if slot == MAX_OBJECTS {
            return Err(NoMemory);
        }
        if free.is_none() {
            self.table.try_reserve(1).map_err(|_| NoMemory)?;
            self.table.push(None);
        }
        self.table[slot] = Some(Object {
            size,
            ..Object::default()
        });
        Ok(ObjectId(slot as u32 + 1))
    }

    /// Checks that the file server may read it. EBADF.
    pub fn readable(&mut self, id: ObjectId) -> Result<(), Errno> {
        if id == ARCHIVE {
            return Ok(());
        }
        self.writable(id).map(|_| ())
    }

    /// The frame of a page that is there, to read it now.
    pub fn frame(&mut self, m: &mut impl Machine, id: ObjectId, page: u64) -> Option<Frame> {
        if id == ARCHIVE {
            return m.archive_frame(u32::try_from(page).ok()?);
        }
        let entry = self.slot(id).pages.get(m, page);
        entry.is_present().then(|| entry.frame())
    }

    /// The frame of a page that is there and the object's own, to be lent.
    pub fn own_frame(&mut self, m: &mut impl Machine, id: ObjectId, page: u64) -> Option<Frame> {
        if id == ARCHIVE {
            return self.frame(m, id, page);
        }
        let entry = self.slot(id).pages.get(m, page);
        (entry.is_present() && !entry.is_owned()).then(|| entry.frame())
    }

    /// The frame of a page, to be written or lent: made if it is not there, and the object's own.
    pub fn frame_or_new(
        &mut self,
        m: &mut impl Machine,
        frames: &mut Frames,
        id: ObjectId,
        page: u64,
    ) -> Result<Frame, NoMemory> {
        if id == ARCHIVE {
            return self.frame(m, id, page).ok_or(NoMemory);
        }
        let entry = self.slot(id).pages.get(m, page);
        if entry.is_owned() {
            return self.unshare(m, frames, id, page);
        }
        if entry.is_present() {
            return Ok(entry.frame());
        }
        let frame = m.frame_alloc().ok_or(NoMemory)?;
        let set = self.slot(id).pages.set(m, page, Entry::borrowed(frame));
        if set.is_err() {
            m.frame_free(frame);
        }
        set.map(|()| frame)
    }

    /// Makes a page the object's own that may be shared.
    fn unshare(
        &mut self,
        m: &mut impl Machine,
        frames: &mut Frames,
        id: ObjectId,
        page: u64,
    ) -> Result<Frame, NoMemory> {
        let shared = self.slot(id).pages.get(m, page).frame();
        let own = if frames.is_exclusive(shared) {
            frames.forget(shared);
            shared
        } else {
            let copy = m.frame_alloc().ok_or(NoMemory)?;
            m.frame_copy(copy, shared);
            frames.release(m, shared);
            copy
        };
        self.slot(id)
            .pages
            .set(m, page, Entry::borrowed(own))
            .expect("the leaf of a page that is present is there");
        Ok(own)
    }

    /// Gives an object a page of a space, which counts one more user of it. False where there is
    /// a page already.
    pub fn share(
        &mut self,
        m: &mut impl Machine,
        frames: &mut Frames,
        (id, page): (ObjectId, u64),
        frame: Frame,
    ) -> Result<bool, NoMemory> {
        let pages = &mut self.slot(id).pages;
        if pages.get(m, page).is_present() {
            return Ok(false);
        }
        pages.set(m, page, Entry::owned(frame))?;
        frames.share(frame);
        Ok(true)
    }

    /// The first page from one on that is there, up to an end.
    pub fn next(
        &mut self,
        m: &mut impl Machine,
        id: ObjectId,
        from: u64,
        end: u64,
    ) -> Option<(u64, Frame)> {
        if from >= end {
            return None;
        }
        if id == ARCHIVE {
            return Some((from, self.frame(m, id, from)?));
        }
        let (page, entry) = self.slot(id).pages.next(m, from, end)?;
        Some((page, entry.frame()))
    }

    /// Whether the file server still knows an object: a file that has a name, or is open.
    pub fn is_held(&mut self, id: ObjectId) -> bool {
        id == ARCHIVE || self.slot(id).held
    }

    /// Where an object ends; the archive has its ends in the ranges of it.
    pub fn size(&mut self, id: ObjectId) -> Option<u64> {
        (id != ARCHIVE).then(|| self.slot(id).size)
    }

    /// Says that an object is at least so large.
    pub fn grow(&mut self, id: ObjectId, size: u64) {
        if id != ARCHIVE {
            let object = self.slot(id);
            object.size = object.size.max(size);
        }
    }

    /// One more VMA maps it.
    pub fn mapped(&mut self, id: ObjectId) {
        if id != ARCHIVE {
            self.slot(id).mappings += 1;
        }
    }

    /// One VMA less maps it.
    pub fn unmapped(&mut self, m: &mut impl Machine, frames: &mut Frames, id: ObjectId) {
        if id != ARCHIVE {
            self.slot(id).mappings -= 1;
            self.collect(m, frames, id);
        }
    }

    /// Whether the file server may write it. EBADF, EROFS.
    pub fn check_writable(&mut self, id: ObjectId) -> Result<(), Errno> {
        self.writable(id).map(|_| ())
    }

    /// Frees an object that nobody needs.
    fn collect(&mut self, m: &mut impl Machine, frames: &mut Frames, id: ObjectId) {
        let object = self.slot(id);
        if !object.held && object.mappings == 0 {
            object.pages.drain(m, |m, entry| let_go(m, frames, entry));
            self.table[id.0 as usize - 1] = None;
        }
    }

    /// Frees what is behind an end, and zeros the rest of the last page, which is the object's own.
    fn cut(&mut self, m: &mut impl Machine, frames: &mut Frames, id: ObjectId, size: u64) {
        let object = self.slot(id);
        let end = MAX_OBJECT_SIZE / PAGE;
        while let Some((page, entry)) = object.pages.next(m, size.div_ceil(PAGE), end) {
            object
                .pages
                .set(m, page, Entry::ABSENT)
                .expect("making an entry absent takes nothing");
            let_go(m, frames, entry);
        }
        let entry = object.pages.get(m, size / PAGE);
        if entry.is_present() {
            m.bytes_mut(entry.frame())[(size % PAGE) as usize..].fill(0);
        }
    }

    /// An object that the file server holds. EBADF; EROFS for the archive.
    fn writable(&mut self, id: ObjectId) -> Result<&mut Object, Errno> {
        let slot = (id.0 as usize).checked_sub(1).ok_or(Errno::EROFS)?;
        let object = self.table.get_mut(slot).and_then(Option::as_mut);
        object.filter(|object| object.held).ok_or(Errno::EBADF)
    }

    /// An object that is held or mapped.
    fn slot(&mut self, id: ObjectId) -> &mut Object {
        self.table[id.0 as usize - 1]
            .as_mut()
            .expect("an object that is held or mapped is there")
    }
}

/// An object has a page no longer.
fn let_go(m: &mut impl Machine, frames: &mut Frames, entry: Entry) {
    if entry.is_owned() {
        frames.release(m, entry.frame());
    } else {
        m.frame_free(entry.frame());
    }
}
