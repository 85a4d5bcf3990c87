//! fork, vfork, clone: creating tasks.
//!
//! The order: the parent's FPU state is saved into its memory, the child is made with a copy of
//! that memory, the file server gives it its files, the tracer is told, the child loads its FPU
//! state and runs. Any failure up to the file server's answer undoes everything.

use crate::Procmgr;
use crate::credentials::Credentials;
use crate::hold::Hold;
use crate::machine::{Machine, PAGE, SpaceIx, Stub};
use crate::memory::layout;
use crate::process::{Process, ProcessIx};
use crate::syscall::Done;
use crate::task::{AfterStub, FsPurpose, State, Task, Wait};
use abi::linux::general as g;
use abi::signal::SIGCHLD;
use abi::tracer::{CloneKind, Events};
use abi::{Capability, Errno, InCall, TaskId};
use alloc::boxed::Box;
use alloc::rc::Rc;

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

    fn make_child(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        args: &CloneArgs,
    ) -> Result<TaskId, Errno> {
        // Here, where the child is made: between the call and this, others make theirs.
        self.check_process_limit(id)?;
        let (child, tid) = self.reserve()?;
        let parent_space = self
            .task(id)
            .space
            .expect("a task with a program has a space");
        let ix = self.process_of(id);
        if args.has(THREAD) {
            self.process_mut(ix)
                .tasks
                .try_reserve(1)
                .map_err(|_| Errno::ENOMEM)?;
        } else {
            self.reserve_process()?;
            let parent = self.parent_of_child(ix, args);
            self.process_mut(parent)
                .children
                .try_reserve(1)
                .map_err(|_| Errno::ENOMEM)?;
        }
        let space = if args.has(VM) {
            self.memory.space_retain(parent_space);
            parent_space
        } else {
            self.forget_stop_page(m, id)?;
            self.memory.space_fork(m, parent_space)?
        };
        if m.thread_create(child, space).is_err() {
            self.memory.space_release(m, space);
            return Err(Errno::ENOMEM);
        }
        let process = match args.has(THREAD) {
            true => {
                self.process_mut(ix).tasks.push(child);
                ix
            }
            false => self.insert_child_process(id, child, tid, args),
        };
        let task = self.child_task(id, child, tid, process, space, args);
        self.insert_task(Box::new(task));
        if !args.has(THREAD) {
            self.start_cpu_limit(m, process);
        }
        Ok(child)
    }

    fn parent_of_child(&self, ix: ProcessIx, args: &CloneArgs) -> ProcessIx {
        match args.has(g::CLONE_PARENT.into()) {
            true => self.process(ix).parent.unwrap_or(ix),
            false => ix,
        }
    }

    fn insert_child_process(
        &mut self,
        id: TaskId,
        child: TaskId,
        tid: u32,
        args: &CloneArgs,
    ) -> ProcessIx {
        let ix = self.process_of(id);
        let parent = self.parent_of_child(ix, args);
        let mut process = self.process(ix).child(child, tid, parent);
        process.parent_task = match args.has(PARENT) {
            true => self.process(ix).parent_task,
            false => Some(id),
        };
        if args.has(CLEAR_SIGHAND) {
            process.actions.reset_handlers();
        }
        let new = self.insert_process(Box::new(process));
        self.process_mut(parent).children.push(new);
        new
    }

    fn child_task(
        &self,
        parent: TaskId,
        id: TaskId,
        tid: u32,
        process: ProcessIx,
        space: SpaceIx,
        args: &CloneArgs,
    ) -> Task {
        let from = self.task(parent);
        let mut regs = from.registers.canonical();
        regs.rax = 0;
        if args.stack != 0 {
            regs.rsp = args.stack;
        }
        if args.has(g::CLONE_SETTLS.into()) {
            regs.fs_base = args.tls;
        }
        let shares_stack = args.has(VM) && !args.has(VFORK);
        let mut task = Task::new(id, tid, process, space, Rc::clone(&from.credentials));
        task.rights_told = from.rights_told;
        task.no_new_privileges = from.no_new_privileges;
        task.over_process_limit = from.over_process_limit;
        task.registers.set(regs, InCall::NONE);
        task.mask = from.mask;
        task.comm = from.comm;
        task.scheduling = from.scheduling.child();
        task.gs_base = from.gs_base;
        task.trace.debug = from.trace.debug.of_child();
        if !shares_stack {
            task.altstack = from.altstack;
        }
        if args.has(PARENT) && !args.has(THREAD) {
            let leader = self.process(from.process).leader;
            task.exit_signal = self.task(leader).exit_signal;
        } else if !args.has(THREAD) {
            task.exit_signal = args.exit_signal;
        }
        if args.has(g::CLONE_CHILD_CLEARTID.into()) {
            task.clear_child_tid = args.child_tid;
        }
        if args.has(VFORK) {
            task.vfork_waiter = Some(parent);
        }
        task
    }

    /// The machine's first task: no program, no parent, root.
    pub(crate) fn first_task(&mut self, m: &mut impl Machine) -> Result<TaskId, Errno> {
        let (id, tid) = self.reserve()?;
        let space = self.memory.space_new(m)?;
        if m.thread_create(id, space).is_err() {
            self.memory.space_release(m, space);
            return Err(Errno::ENOMEM);
        }
        let ix = self.insert_process(Box::new(Process::first(id, tid)));
        self.first = Some(ix);
        let root = Rc::new(Credentials::root());
        self.insert_task(Box::new(Task::new(id, tid, ix, space, root)));
        Ok(id)
    }

    /// The file server has set up the child, or failed to.
    pub(crate) fn child_has_files(
        &mut self,
        m: &mut impl Machine,
        child: TaskId,
        parent: TaskId,
        args: CloneArgs,
        result: i64,
    ) {
        self.task_mut(child).state = State::Moving;
        if self.awaited_child(parent) != Some(child) {
            // Its creator was killed before it could get its answer.
            return self.start_child(m, child, &args);
        }
        if result < 0 {
            self.unmake_child(m, child);
            self.task_mut(parent).state = State::Moving;
            return self.finish_syscall(m, parent, result);
        }
        let tid = self.task(child).tid;
        if args.has(PIDFD) {
            self.tables.watched[tid as usize] = true;
            let _ = self.put(m, parent, args.pidfd, &(result as i32).to_le_bytes());
        }
        if args.has(g::CLONE_PARENT_SETTID.into()) {
            let _ = self.put(m, parent, args.parent_tid, &tid.to_le_bytes());
        }
        if args.has(g::CLONE_CHILD_SETTID.into()) {
            let _ = self.put(m, child, args.child_tid, &tid.to_le_bytes());
        }
        self.task_mut(parent).state = State::Moving;
        self.task_mut(parent).trace.created = Some(Created {
            child,
            tid,
            args,
            started: false,
        });
        let told = match args.has(g::CLONE_PTRACE.into()) {
            true => Events::CLONE | Events::CLONE_PTRACE,
            false => Events::CLONE,
        };
        if self.task(parent).trace.events.intersects(told) && self.may_report(parent) {
            let event = Hold::Clone {
                child,
                child_tid: tid,
                kind: args.kind(),
                flags: args.flags,
            };
            self.report(m, parent, event);
        } else {
            self.clone_reported(m, parent);
        }
    }

    /// Lets the task run that a task created, if it has not been let yet.
    pub(crate) fn start_created(&mut self, m: &mut impl Machine, parent: TaskId) {
        if let Some(created) = &mut self.task_mut(parent).trace.created
            && !core::mem::replace(&mut created.started, true)
        {
            let Created { child, args, .. } = *created;
            self.start_child(m, child, &args);
        }
    }

    /// Behind the clone report: both go on.
    pub(crate) fn clone_reported(&mut self, m: &mut impl Machine, parent: TaskId) {
        self.start_created(m, parent);
        let Some(created) = self.task_mut(parent).trace.created.take() else {
            return self.return_to_user(m, parent);
        };
        let Created {
            child, tid, args, ..
        } = created;
        if !args.has(VFORK) {
            self.finish_syscall(m, parent, tid.into());
        } else if self
            .find_task(child)
            .is_ok_and(|c| c.vfork_waiter.is_some())
        {
            self.task_mut(parent).state = State::Waiting(Wait::Vfork { child, tid });
        } else {
            self.vfork_over(m, parent, tid);
        }
    }

    /// Starts a new task.
    pub(crate) fn start_child(&mut self, m: &mut impl Machine, child: TaskId, args: &CloneArgs) {
        if let Some(status) = self.doomed(child) {
            return self.begin_exit(m, child, status);
        }
        match args.fpu_area {
            0 => m.run_stub(child, Stub::FpuInit, 0),
            area => m.run_stub(child, Stub::FpuLoad, area),
        }
        self.task_mut(child).state = State::Stub(AfterStub::Start);
    }

    /// Undoes `make_child`.
    fn unmake_child(&mut self, m: &mut impl Machine, child: TaskId) {
        let task = self.task_mut(child);
        let space = task.space.take().expect("a new task has a space");
        task.vfork_waiter = None;
        m.thread_destroy(child);
        self.memory.space_release(m, space);
        self.reap(m, child);
    }

    /// A vfork child has a program of its own or is dead: its creator goes on.
    pub(crate) fn release_vfork(&mut self, m: &mut impl Machine, child: TaskId) {
        let Some(waiter) = self.task_mut(child).vfork_waiter.take() else {
            return;
        };
        let Ok(task) = self.find_task(waiter) else {
            return;
        };
        let State::Waiting(Wait::Vfork {
            child: awaited,
            tid,
        }) = task.state
        else {
            return;
        };
        if awaited != child {
            return;
        }
        self.vfork_over(m, waiter, tid);
    }

    /// A task need not wait for its vfork child any longer.
    fn vfork_over(&mut self, m: &mut impl Machine, id: TaskId, tid: u32) {
        let task = self.task_mut(id);
        task.usage.waits += 1;
        task.state = State::Moving;
        if self.task(id).trace.events.contains(Events::VFORK_DONE) && self.may_report(id) {
            self.report(m, id, Hold::VforkDone { child_tid: tid });
        } else {
            self.finish_syscall(m, id, tid.into());
        }
    }
}
