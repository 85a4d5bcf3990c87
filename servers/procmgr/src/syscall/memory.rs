//! brk, mmap and their relatives.

use super::Done;
use crate::Procmgr;
use crate::machine::{Machine, PAGE, SpaceIx};
use crate::memory::{MapRequest, Source};
use crate::task::{FsPurpose, State};
use abi::fs::FileRange;
use abi::linux::general as g;
use abi::{Errno, TaskId};

/// An mmap of a file that the file server is asked about.
#[derive(Clone, Copy, Debug)]
pub struct MapCall {
    /// The descriptor.
    pub fd: i32,
    addr: u64,
    len: u64,
    prot: u32,
    flags: u32,
    offset: u64,
}

impl MapCall {
    /// Whether the file itself is mapped, not a copy.
    pub fn is_shared(&self) -> bool {
        matches!(
            self.flags & g::MAP_TYPE,
            g::MAP_SHARED | g::MAP_SHARED_VALIDATE
        )
    }

    /// Whether the mapping is to be written.
    pub fn writes(&self) -> bool {
        self.prot & g::PROT_WRITE != 0
    }
}

impl Procmgr {
    fn space_of(&self, id: TaskId) -> SpaceIx {
        self.task(id)
            .space
            .expect("a task in a system call has a space")
    }

    /// brk(2) as the kernel has it: the new end, or the old one.
    pub(super) fn sys_brk(&mut self, m: &mut impl Machine, id: TaskId, addr: u64) -> Done {
        let space = self.space_of(id);
        Done::Result(self.memory.brk(m, space, addr) as i64)
    }

    /// mmap(2).
    pub(super) fn sys_mmap(&mut self, m: &mut impl Machine, id: TaskId, a: [u64; 6]) -> Done {
        let [addr, len, prot, flags, fd, offset] = a;
        let (prot, flags) = (prot as u32, flags as u32);
        if let Err(e) = self.room(m) {
            return e.into();
        }
        if !offset.is_multiple_of(PAGE) {
            return Errno::EINVAL.into();
        }
        if flags & g::MAP_ANONYMOUS == 0 {
            let call = MapCall {
                fd: fd as i32,
                addr,
                len,
                prot,
                flags,
                offset,
            };
            self.report_fs(m, id, FsPurpose::Map(call));
            return Done::Later;
        }
        let space = self.space_of(id);
        let request = MapRequest {
            addr,
            len,
            prot,
            flags,
            source: Source::Anonymous,
        };
        self.memory
            .map(m, space, &request)
            .map(|addr| addr as i64)
            .into()
    }

    /// The file server has said what file a descriptor is.
    pub(crate) fn file_mapped(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        call: MapCall,
        file: Result<(FileRange, bool), Errno>,
    ) {
        self.task_mut(id).state = State::Moving;
        let space = self.space_of(id);
        let MapCall {
            addr,
            len,
            prot,
            flags,
            offset,
            ..
        } = call;
        let result = file.and_then(|(range, may_write)| {
            let source = Source::File {
                range,
                offset,
                may_write,
            };
            self.memory.map(
                m,
                space,
                &MapRequest {
                    addr,
                    len,
                    prot,
                    flags,
                    source,
                },
            )
        });
        self.finish_syscall(m, id, abi::errno::to_rax(result.map(|addr| addr as i64)));
    }

    /// mlock and its relatives, msync(2), mincore(2): all memory is resident and nothing is
    /// behind it, so only the arguments can be wrong.
    pub(super) fn resident_call(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        nr: u32,
        a: [u64; 6],
    ) -> Result<(), Errno> {
        let (start, len, flags) = match nr {
            g::__NR_munlockall => return Ok(()),
            g::__NR_mlockall => {
                let flags = a[0] as u32;
                let known = g::MCL_CURRENT | g::MCL_FUTURE | g::MCL_ONFAULT;
                let fine = flags & !known == 0 && flags & !g::MCL_ONFAULT != 0;
                return if fine { Ok(()) } else { Err(Errno::EINVAL) };
            }
            g::__NR_mlock | g::__NR_mlock2 | g::__NR_munlock => {
                (a[0] & !(PAGE - 1), a[1].saturating_add(a[0] % PAGE), 0)
            }
            _ => (a[0], a[1], a[2] as u32),
        };
        if nr == g::__NR_mlock2 && a[2] > 1 {
            return Err(Errno::EINVAL);
        }
        let both = g::MS_ASYNC | g::MS_SYNC;
        if nr == g::__NR_msync && (flags & !(both | g::MS_INVALIDATE) != 0 || flags & both == both)
        {
            return Err(Errno::EINVAL);
        }
        if !start.is_multiple_of(PAGE) {
            return Err(Errno::EINVAL);
        }
        let end = len
            .checked_next_multiple_of(PAGE)
            .and_then(|len| start.checked_add(len))
            .ok_or(Errno::ENOMEM)?;
        let space = self.space_of(id);
        let mapped =
            |vma: &crate::memory::Vma| vma.end.min(end).saturating_sub(vma.start.max(start));
        if self.memory.vmas(space).map(mapped).sum::<u64>() < end - start {
            return Err(Errno::ENOMEM);
        }
        if nr == g::__NR_mincore {
            for page in 0..(end - start) / PAGE {
                self.put(m, id, a[2].wrapping_add(page), &[1])?;
            }
        }
        Ok(())
    }

    /// munmap(2).
    pub(super) fn sys_munmap(&mut self, m: &mut impl Machine, id: TaskId, a: [u64; 6]) -> Done {
        let space = self.space_of(id);
        self.memory.unmap(m, space, a[0], a[1]).into()
    }

    /// mprotect(2).
    pub(super) fn sys_mprotect(&mut self, m: &mut impl Machine, id: TaskId, a: [u64; 6]) -> Done {
        let space = self.space_of(id);
        let room = self.room(m);
        room.and_then(|()| self.memory.protect(m, space, a[0], a[1], a[2] as u32))
            .into()
    }

    /// mremap(2).
    pub(super) fn sys_mremap(&mut self, m: &mut impl Machine, id: TaskId, a: [u64; 6]) -> Done {
        let space = self.space_of(id);
        let moved = self
            .memory
            .remap(m, space, a[0], a[1], a[2], a[3] as u32, a[4]);
        moved.map(|addr| addr as i64).into()
    }

    /// madvise(2).
    pub(super) fn sys_madvise(&mut self, m: &mut impl Machine, id: TaskId, a: [u64; 6]) -> Done {
        let space = self.space_of(id);
        self.memory.advise(m, space, a[0], a[1], a[2] as u32).into()
    }
}
