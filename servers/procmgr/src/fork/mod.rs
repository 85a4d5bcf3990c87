//! fork, vfork, clone: creating tasks.
//!
//! The order: the parent's FPU state is saved into its memory, the child is made with a copy of
//! that memory, the file server gives it its files, the tracer is told, the child loads its FPU
//! state and runs. Any failure up to the file server's answer undoes everything.

mod birth;
mod make;

use crate::Procmgr;
use crate::machine::{Machine, PAGE, Stub};
use crate::memory::layout;
use crate::syscall::Done;
use crate::task::{AfterStub, FsPurpose, State, Wait};
use abi::linux::general as g;
use abi::signal::SIGCHLD;
use abi::tracer::CloneKind;
use abi::{Capability, Errno, TaskId};

/// The arguments of clone, whichever call they came by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CloneArgs {
    /// CLONE_ flags.
    pub flags: u64,
    /// The child's stack pointer, or 0 for the parent's.
    pub stack: u64,
    /// Where the child's tid goes in the parent.
    pub parent_tid: u64,
    /// Where it goes in the child, and is cleared when it dies.
    pub child_tid: u64,
    /// The child's thread pointer.
    pub tls: u64,
    /// The signal its parent gets when it dies.
    pub exit_signal: u8,
    /// Where the child's pidfd goes in the parent (CLONE_PIDFD).
    pub pidfd: u64,
    /// Where in both their memories the FPU state is.
    pub fpu_area: u64,
}

/// A task whose creator has not returned from its call yet.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Created {
    child: TaskId,
    tid: u32,
    args: CloneArgs,
    started: bool,
}

const VM: u64 = g::CLONE_VM as u64;
const VFORK: u64 = g::CLONE_VFORK as u64;
const THREAD: u64 = g::CLONE_THREAD as u64;
const SIGHAND: u64 = g::CLONE_SIGHAND as u64;
const PARENT: u64 = g::CLONE_PARENT as u64;
/// clone3's flag: handlers go back to the default.
pub const CLEAR_SIGHAND: u64 = 1 << 32;
/// Flags that ask for what there is none of: namespaces.
const UNSUPPORTED: u64 = (g::CLONE_NEWNS
    | g::CLONE_NEWCGROUP
    | g::CLONE_NEWUTS
    | g::CLONE_NEWIPC
    | g::CLONE_NEWUSER
    | g::CLONE_NEWPID
    | g::CLONE_NEWNET) as u64;
const PIDFD: u64 = g::CLONE_PIDFD as u64;

/// A page of every program's memory, the highest it can have, in which stubs keep the FPU state.
pub const FPU_AREA: u64 = layout::USER_END - PAGE;

impl CloneArgs {
    /// clone(2)'s arguments.
    pub fn of_clone(args: [u64; 6]) -> CloneArgs {
        CloneArgs {
            flags: args[0] & !0xff,
            exit_signal: args[0] as u8,
            stack: args[1],
            parent_tid: args[2],
            child_tid: args[3],
            tls: args[4],
            pidfd: args[2],
            fpu_area: 0,
        }
    }

    /// fork(2) and vfork(2), which are clones with these flags.
    pub fn plain(flags: u64) -> CloneArgs {
        CloneArgs {
            flags,
            exit_signal: SIGCHLD,
            ..CloneArgs::default()
        }
    }

    fn has(&self, flag: u64) -> bool {
        self.flags & flag != 0
    }

    /// CLONE_PIDFD.
    pub(crate) fn wants_pidfd(&self) -> bool {
        self.has(PIDFD)
    }

    fn kind(&self) -> CloneKind {
        if self.has(VFORK) {
            CloneKind::Vfork
        } else if self.exit_signal != SIGCHLD {
            CloneKind::Clone
        } else {
            CloneKind::Fork
        }
    }
}

impl Procmgr {
    /// clone(2) and its relatives: the checks, then the FPU state.
    pub(crate) fn sys_clone(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        mut args: CloneArgs,
    ) -> Done {
        if args.has(UNSUPPORTED) && !self.capable(id, Capability::CAP_SYS_ADMIN) {
            return Errno::EPERM.into();
        }
        let settid = args.has(g::CLONE_PARENT_SETTID.into());
        if args.has(UNSUPPORTED)
            || (args.has(PIDFD) && args.has(g::CLONE_DETACHED.into()))
            || (args.has(PIDFD) && settid && args.pidfd == args.parent_tid)
            || args.exit_signal > abi::signal::SIGMAX
            || (args.has(SIGHAND) && !args.has(VM))
            || (args.has(THREAD) && !args.has(SIGHAND))
            || (args.has(PARENT) && self.process(self.process_of(id)).parent.is_none())
        {
            return Errno::EINVAL.into();
        }
        if let Err(e) = self.room(m).and_then(|()| self.check_process_limit(id)) {
            return e.into();
        }
        if args.has(PIDFD)
            && let Err(e) = self.check_pidfd_place(m, id, args.pidfd)
        {
            return e.into();
        }
        let space = self
            .task(id)
            .space
            .expect("a task with a program has a space");
        // Present and private before the stub writes there. A program that unmapped it gets
        // along without.
        const SIZE: u64 = crate::signal::frame::FPU_SIZE;
        args.fpu_area = FPU_AREA + id.slot() as u64 % (PAGE / SIZE) * SIZE;
        let zeros = [0; SIZE as usize];
        if self.memory.write(m, space, args.fpu_area, &zeros) == zeros.len() {
            m.run_stub(id, Stub::FpuSave, args.fpu_area);
            self.task_mut(id).state = State::Stub(AfterStub::Fork(args));
        } else {
            args.fpu_area = 0;
            self.fork_with_fpu_saved(m, id, args);
        }
        Done::Later
    }

    /// EFAULT where a pidfd could not be told: what is there is written over itself.
    fn check_pidfd_place(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        at: u64,
    ) -> Result<(), Errno> {
        let there: [u8; 4] = self.get(m, id, at)?;
        self.put(m, id, at, &there)
    }

    fn check_process_limit(&self, id: TaskId) -> Result<(), Errno> {
        let ids = self.credentials(id);
        let exempt = ids.uid[0] == 0
            || ids.capable(Capability::CAP_SYS_RESOURCE)
            || ids.capable(Capability::CAP_SYS_ADMIN);
        if !exempt && self.user_has_tasks(id, 0) {
            return Err(Errno::EAGAIN);
        }
        Ok(())
    }

    /// Whether a task's user has more of them than RLIMIT_NPROC allows.
    pub(crate) fn exceeds_process_limit(&self, id: TaskId) -> bool {
        self.credentials(id).uid[0] != 0 && self.user_has_tasks(id, 1)
    }

    /// Whether the user that a task has become had more of them before.
    pub(crate) fn joins_too_many(&self, id: TaskId) -> bool {
        self.credentials(id).uid[0] != 0 && self.user_has_tasks(id, 2)
    }

    /// Whether a task's user has as many tasks as RLIMIT_NPROC says, and so many more.
    fn user_has_tasks(&self, id: TaskId, more: usize) -> bool {
        let limit = self.process(self.process_of(id)).limits[g::RLIMIT_NPROC as usize].0;
        let Ok(limit) = usize::try_from(limit) else {
            return false;
        };
        if limit > crate::table::MAX_TASKS {
            return false;
        }
        let uid = self.credentials(id).uid[0];
        self.tasks_of_user(uid).take(limit + more).count() >= limit + more
    }

    /// Behind the stub: the child is made, and the file server asked for its files.
    pub(crate) fn fork_with_fpu_saved(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        args: CloneArgs,
    ) {
        if self.doomed(id).is_some() {
            return self.return_to_user(m, id);
        }
        match self.make_child(m, id, &args) {
            Ok(child) => {
                self.task_mut(id).state = State::Waiting(Wait::Fork { child });
                let purpose = FsPurpose::Created {
                    parent: id,
                    share_files: args.has(g::CLONE_FILES.into()),
                    share_fs: args.has(g::CLONE_FS.into()),
                    args,
                };
                self.report_fs(m, child, purpose);
            }
            Err(e) => self.finish_syscall(m, id, e.as_result()),
        }
    }
}
