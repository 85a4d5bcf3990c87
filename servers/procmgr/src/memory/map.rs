//! mmap(2).

use super::layout::{MMAP_MIN_ADDR, USER_END, is_aligned, round_up};
use super::object::MAX_OBJECT_SIZE;
use super::site::Site;
use super::vma::{PROT, Vma};
use super::{Backing, Memory};
use crate::machine::{Machine, SpaceIx};
use abi::Errno;
use abi::fs::{ARCHIVE, FileRange};
use abi::linux::general::{
    MAP_32BIT, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_GROWSDOWN, MAP_HUGETLB, MAP_LOCKED,
    MAP_NONBLOCK, MAP_NORESERVE, MAP_POPULATE, MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE,
    MAP_SYNC, MAP_TYPE, PROT_WRITE,
};

/// What mmap(2) is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapRequest {
    /// Where, or near which.
    pub addr: u64,
    /// How many bytes.
    pub len: u64,
    /// PROT_ bits; others are ignored.
    pub prot: u32,
    /// MAP_ bits. MAP_ANONYMOUS is not looked at: `source` says it.
    pub flags: u32,
    /// What is mapped.
    pub source: Source,
}

/// What is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Zeros.
    Anonymous,
    /// A file.
    File {
        /// Its bytes, as the file server names them.
        range: FileRange,
        /// From where in the file; a multiple of the page size.
        offset: u64,
        /// A shared mapping may be written: the file is open for that.
        may_write: bool,
    },
}

impl Memory {
    /// mmap(2). EINVAL, ENOMEM, EEXIST, EPERM (below [`MMAP_MIN_ADDR`]; locking), EAGAIN (locking
    /// more than the limit), EACCES, EOVERFLOW, EOPNOTSUPP, EBADF (no such object).
    pub fn map(
        &mut self,
        m: &mut impl Machine,
        s: SpaceIx,
        request: &MapRequest,
    ) -> Result<u64, Errno> {
        let mut site = self.site(m, s);
        let mut vma = site.decode(request)?;
        let replaced = site.space.vmas.covered(vma.start, vma.end);
        if !site.may_expand(vma.len() - replaced, vma.is_data()) {
            return Err(Errno::ENOMEM);
        }
        let pieces = site.space.vmas.pieces(vma.start, vma.end);
        let room = site.space.vmas.reserve(pieces + 1);
        if room.is_err() || !site.may_commit(&vma) {
            return Err(Errno::ENOMEM);
        }
        if let Backing::SharedAnonymous { object, .. } = &mut vma.backing {
            *object = site
                .objects
                .create(vma.end - vma.start)
                .map_err(|_| Errno::ENOMEM)?;
        }

        if let Some(object) = vma.object() {
            site.objects.mapped(object);
        }
        if let Source::File { range, .. } = request.source {
            site.objects.grow(range.object, range.offset + range.size);
        }
        site.clear(vma.start, vma.end);
        vma.account();
        site.insert(vma);
        let populate = request.flags & (MAP_POPULATE | MAP_NONBLOCK) == MAP_POPULATE;
        if populate || vma.is_locked() {
            // What cannot be now is tried again when it is touched.
            let _ = site.populate(vma.start, vma.end);
        }
        Ok(vma.start)
    }
}

impl<M: Machine> Site<'_, M> {
    /// The VMA that a request is for. One for shared anonymous memory has no object yet.
    fn decode(&mut self, request: &MapRequest) -> Result<Vma, Errno> {
        let len = round_up(request.len).ok_or(Errno::ENOMEM)?;
        if request.len == 0 {
            return Err(Errno::EINVAL);
        }
        if let Source::File { range, offset, .. } = request.source {
            check_file(&range, offset, len)?;
            self.objects.readable(range.object)?;
        }
        let start = self.place(request.addr, len, request.flags)?;
        let lock = request.flags & MAP_LOCKED | self.future_lock();
        if request.flags & MAP_LOCKED != 0 && self.space.limits.locked == 0 {
            return Err(Errno::EPERM);
        }
        if lock != 0 && !self.may_lock(len) {
            return Err(Errno::EAGAIN);
        }
        let prot = request.prot & PROT;
        let shared = is_shared(request)?;
        if request.flags & MAP_HUGETLB != 0 {
            return Err(Errno::ENOMEM);
        }
        let (backing, may_write) = match request.source {
            Source::Anonymous if shared => {
                let object = ARCHIVE;
                (Backing::SharedAnonymous { object, offset: 0 }, true)
            }
            Source::Anonymous => (Backing::Anonymous, true),
            Source::File {
                range,
                offset,
                may_write,
            } => {
                let may_write = !shared || may_write && range.object != ARCHIVE;
                (Backing::File { range, offset }, may_write)
            }
        };
        if prot & PROT_WRITE != 0 && !may_write {
            return Err(Errno::EACCES);
        }
        let kind = if shared { MAP_SHARED } else { MAP_PRIVATE };
        Ok(Vma {
            start,
            end: start + len,
            prot,
            flags: kind | lock | request.flags & (MAP_GROWSDOWN | MAP_NORESERVE),
            may_write,
            backing,
        })
    }

    /// Where `len` bytes are to go.
    fn place(&self, addr: u64, len: u64, flags: u32) -> Result<u64, Errno> {
        if len > USER_END {
            return Err(Errno::ENOMEM);
        }
        if flags & (MAP_FIXED | MAP_FIXED_NOREPLACE) == 0 {
            return self
                .space
                .vmas
                .free_area(addr, len, flags & MAP_32BIT != 0)
                .ok_or(Errno::ENOMEM);
        }
        if addr > USER_END - len {
            return Err(Errno::ENOMEM);
        }
        if !is_aligned(addr) {
            return Err(Errno::EINVAL);
        }
        if addr < MMAP_MIN_ADDR {
            return Err(Errno::EPERM);
        }
        let taken = !self.space.vmas.overlapping(addr, addr + len).is_empty();
        if taken && flags & MAP_FIXED_NOREPLACE != 0 {
            return Err(Errno::EEXIST);
        }
        Ok(addr)
    }
}

/// Whether the type and flags of a request make sense, and say shared.
fn is_shared(request: &MapRequest) -> Result<bool, Errno> {
    let anonymous = request.source == Source::Anonymous;
    let grows = request.flags & MAP_GROWSDOWN != 0;
    let shared = match request.flags & MAP_TYPE {
        MAP_PRIVATE => false,
        MAP_SHARED => true,
        MAP_SHARED_VALIDATE if anonymous => return Err(Errno::EINVAL),
        MAP_SHARED_VALIDATE if request.flags & MAP_SYNC != 0 => return Err(Errno::EOPNOTSUPP),
        MAP_SHARED_VALIDATE => true,
        _ => return Err(Errno::EINVAL),
    };
    if grows && (shared || !anonymous) {
        return Err(Errno::EINVAL);
    }
    Ok(shared)
}

/// Whether a part of a file can be named.
fn check_file(range: &FileRange, offset: u64, len: u64) -> Result<(), Errno> {
    if !is_aligned(offset) || !is_aligned(range.offset) {
        return Err(Errno::EINVAL);
    }
    let end = |len: u64| {
        let end = range.offset.checked_add(len)?;
        (end <= MAX_OBJECT_SIZE).then_some(end)
    };
    offset
        .checked_add(len)
        .and_then(end)
        .and(end(range.size))
        .map(|_| ())
        .ok_or(Errno::EOVERFLOW)
}
