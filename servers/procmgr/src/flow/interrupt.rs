//! Stopping a task wherever it is: in its program, or in a wait, which ends.

use crate::Procmgr;
use crate::machine::Machine;
use crate::task::{FsPurpose, Sleep, State, Wait};
use abi::{Errno, TaskId};

/// How instructions end that trap when they are done: `int3`, `int 3`, `icebp`, and `popf`, which may have
/// taken back the flag that it traps for. Others end so too.
const ENDS_TRAP: [u8; 4] = [0xcc, 0x03, 0xf1, 0x9d];

impl Procmgr {
    /// Brings a task to the point where it looks at kills, stops and signals, if it is not there
    /// or on its way. A system call that waits is ended.
    pub(crate) fn interrupt(&mut self, m: &mut impl Machine, id: TaskId) {
        match &self.task(id).state {
            State::Running => self.stop_running(m, id),
            State::Waiting(Wait::Fork { .. } | Wait::Vfork { .. } | Wait::Others(_)) => {}
            State::Waiting(wait) => {
                let result = self.interrupted_result(wait, id);
                if matches!(&self.task(id).state, State::Waiting(Wait::SignalOf { .. }))
                    && self.finish_sigtimedwait(m, id)
                {
                    return;
                }
                self.finish_wait(m, id, result);
            }
            State::Fs(FsPurpose::Syscall { .. }) => self.interrupt_fs(m, id),
            State::Fs(_) | State::Held(_) | State::Stub(_) => {}
            State::Stopped | State::Dumping | State::Zombie | State::Moving => {}
        }
    }

    fn stop_running(&mut self, m: &mut impl Machine, id: TaskId) {
        self.suspend(m, id);
        let space = self.stands(id);
        if self.memory.speaks(space) {
            match self.task(id).has_spoken() {
                true => self.stop_in_message(m, id, space),
                // Nobody has answered it yet: it says its first message again by itself, if it is in the middle
                // of that and nobody looks.
                false => self.task_mut(id).registers.doubt(),
            }
        }
        self.return_to_user(m, id);
    }

    /// Stops a task's thread where it is in its program.
    pub(crate) fn suspend(&mut self, m: &mut impl Machine, id: TaskId) {
        let space = self.task(id).space;
        m.suspend(id, |m, ip| {
            let last = space.and_then(|space| self.memory.last_byte(m, space, ip));
            last.is_none_or(|byte| ENDS_TRAP.contains(&byte))
        });
    }

    /// What a wait that a signal ends returns.
    fn interrupted_result(&self, wait: &Wait, _id: TaskId) -> i64 {
        match wait {
            Wait::Sleep(Sleep {
                absolute: false, ..
            }) => Errno::ERESTART_RESTARTBLOCK,
            Wait::Futex { wait, .. } => wait.interrupted(),
            Wait::Sleep(_) | Wait::Signal => Errno::ERESTARTNOHAND,
            Wait::SignalOf { .. } => Errno::EINTR,
            _ => Errno::ERESTARTSYS,
        }
        .as_result()
    }

    /// Ends a wait with a result.
    pub(crate) fn finish_wait(&mut self, m: &mut impl Machine, id: TaskId, result: i64) {
        self.cancel_wake(id);
        let task = self.task_mut(id);
        task.usage.waits += 1;
        let wait = core::mem::replace(&mut task.state, State::Moving);
        match wait {
            State::Waiting(Wait::Sleep(sleep)) if result != 0 => {
                self.sleep_interrupted(m, id, sleep);
            }
            State::Waiting(Wait::Futex { wait, .. }) if result != 0 => {
                self.futex_interrupted(id, wait);
            }
            _ => {}
        }
        match self.task(id).landing {
            Some(landing) => self.land(m, id, landing, result),
            None => self.finish_syscall(m, id, result),
        }
    }

    /// Forgets the timer of a wait, and its place in a queue.
    pub(crate) fn cancel_wake(&mut self, id: TaskId) {
        self.leave_futex(id);
        if let Some(at) = self.task_mut(id).wake_at.take() {
            self.timers.remove(at, crate::timers::What::Wake(id));
        }
    }
}
