//! Making the child: its space, its process, its task.

use super::{CLEAR_SIGHAND, CloneArgs, PARENT, THREAD, VFORK, VM};
use crate::Procmgr;
use crate::credentials::Credentials;
use crate::machine::{Machine, SpaceIx};
use crate::process::{Process, ProcessIx};
use crate::task::Task;
use abi::linux::general as g;
use abi::{Errno, InCall, TaskId};
use alloc::boxed::Box;
use alloc::rc::Rc;

impl Procmgr {
    pub(super) fn make_child(
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
        if !args.has(THREAD) {
            self.forget_stop_page(m, id)?;
        }
        let space = if args.has(VM) {
            self.memory.space_retain(parent_space);
            parent_space
        } else {
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

    pub(super) fn parent_of_child(&self, ix: ProcessIx, args: &CloneArgs) -> ProcessIx {
        match args.has(g::CLONE_PARENT.into()) {
            true => self.process(ix).parent.unwrap_or(ix),
            false => ix,
        }
    }

    pub(super) fn insert_child_process(
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

    pub(super) fn child_task(
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
}
