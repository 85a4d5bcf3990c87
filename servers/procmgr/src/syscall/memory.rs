//! brk, mmap and their relatives.

use super::Done;
use crate::Procmgr;
use crate::machine::{Machine, PAGE, SpaceIx};
use crate::memory::layout::UNLIMITED;
use crate::memory::{MapRequest, Source};
use crate::task::{FsPurpose, State};
use abi::fs::FileRange;
use abi::linux::general as g;
use abi::{Capability, Errno, TaskId};

/// An mmap of a file that the file server is asked about.
#[derive(Clone, Copy, Debug, Hash)]
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
    /// The space of a caller, who may lock as much of it as its limit and capabilities say.
    pub(super) fn space_of(&mut self, id: TaskId) -> SpaceIx {
        let task = self.task(id);
        let limits = &self.process(task.process).limits;
        let limit = match task.credentials.capable(Capability::CAP_IPC_LOCK) {
            true => UNLIMITED,
            false => limits[g::RLIMIT_MEMLOCK as usize].0,
        };
        let space = task.space.expect("a task in a system call has a space");
        self.memory.set_lock_limit(space, limit);
        space
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
