//! The point of no return: the task takes its new program, and the old one is gone.

use super::{Exec, Executed, Ready};
use crate::Procmgr;
use crate::credentials::{Credentials, Unsafe};
use crate::hold::Hold;
use crate::machine::{Machine, Stub};
use crate::signal::frame::AltStack;
use crate::task::{AfterStub, FsPurpose, State};
use abi::linux::general as g;
use abi::tracer::Events;
use abi::{Errno, InCall, Regs, TaskId};
use alloc::boxed::Box;

impl Procmgr {
    /// The task is alone in its process and takes the new space. Nothing fails from here on.
    pub(super) fn commit(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        ready: Ready,
        former_tid: u32,
    ) {
        let Ready {
            exec,
            space,
            regs,
            layout,
        } = ready;
        let ix = self.process_of(id);
        self.settle_stops(m, ix);
        self.leave_words(m, id);
        self.release_vfork(m, id);
        m.thread_move(id, space);
        let (new, secure) = self.executing(id, &exec);
        self.write_identity(m, space, &layout, &new, secure);
        let name = exec.path.rsplit(|b| *b == b'/').next().unwrap_or_default();
        let task = self.task_mut(id);
        task.comm = [0; 16];
        for (to, from) in task.comm[..15].iter_mut().zip(name) {
            *to = *from;
        }
        let old = task.space.replace(space);
        // The call's number stays visible, and it has not returned yet.
        let regs = Regs {
            rax: Errno::ENOSYS.as_result() as u64,
            ..regs
        };
        let call = InCall::No {
            orig_rax: g::__NR_execve.into(),
        };
        task.registers.set(regs, call);
        task.altstack = AltStack::default();
        task.gs_base = 0;
        task.restart = None;
        self.begin_messages(m, id);
        self.process_mut(ix).stop_page = None;
        if let Some(old) = old {
            let peak = self.memory.peak(old);
            let process = self.process_mut(ix);
            process.peak_gone = process.peak_gone.max(peak);
            self.memory.space_release(m, old);
        }
        self.delete_timers(ix);
        self.clear_breakpoints(m, id);
        let process = self.process_mut(ix);
        process.actions.reset_handlers();
        process.has_execed = true;
        process.exec_path = exec.path.clone();
        process.layout = layout;
        self.apply_memory_limits(ix);
        self.take_identity(id, new, secure, exec.unreadable);
        let program = exec.program.as_ref().expect("a program was built").0;
        let done = Executed {
            program,
            path: exec.path,
            former_tid,
        };
        self.report_fs(m, id, FsPurpose::Executed(Box::new(done)));
    }

    /// Who the task is with its new program, and whether that has to be careful.
    fn executing(&self, id: TaskId, exec: &Exec) -> (Credentials, bool) {
        let task = self.task(id);
        let unsafety = Unsafe {
            no_new_privileges: task.no_new_privileges,
            shared: exec.shared,
            traced: task.trace.is_watched_unprivileged(),
        };
        task.credentials.executing(exec.owner, unsafety)
    }

    /// It is that from here on. Its memory is new: who may look into it is decided anew.
    fn take_identity(&mut self, id: TaskId, new: Credentials, secure: bool, unreadable: bool) {
        let before = self.credentials(id);
        let itself = before.uid[1] == before.uid[0] && before.gid[1] == before.gid[0];
        self.set_dumpable(id, itself && !unreadable);
        if secure {
            self.task_mut(id).parent_death_signal = 0;
        }
        self.commit_credentials(id, new);
    }

    /// The file server has closed what was to be closed.
    pub(crate) fn executed(&mut self, m: &mut impl Machine, id: TaskId, done: &Executed) {
        let former_tid = done.former_tid;
        if let Some(status) = self.doomed(id) {
            return self.begin_exit(m, id, status);
        }
        m.run_stub(id, Stub::FpuInit, 0);
        self.task_mut(id).state = State::Stub(AfterStub::Exec { former_tid });
    }

    /// The FPU is as a program finds it: the exec report, then the end of the call.
    pub(crate) fn exec_done(&mut self, m: &mut impl Machine, id: TaskId, former_tid: u32) {
        if self.task(id).trace.events.contains(Events::EXEC) {
            self.report(m, id, Hold::Exec { former_tid });
        } else {
            self.finish_syscall(m, id, 0);
        }
    }
}
