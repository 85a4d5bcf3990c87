//! Messages of tasks: what libtrace says instead of making a system call.
//!
//! A message costs a fifth of a system call, because its words and the answer's travel in registers.
//! To everybody else the task runs meanwhile: nothing of it is traced, and it has no signal to be
//! told of between message and answer. A message that has to wait leaves the task in its wait, and says
//! where the task goes on with the result.

use crate::Procmgr;
use crate::machine::{Machine, SpaceIx};
use crate::ptrace;
use crate::report::ToTracer;
use crate::syscall::vm::Way;
use crate::task::{Landing, State, Wait};
use crate::wait::{Output, Which};
use abi::client::{self, ASK_TRACER};
use abi::errno::to_rax;
use abi::linux::general as g;
use abi::{Errno, TaskId, engine};

/// The four words of an answer.
pub type Words = [u64; 4];

impl Procmgr {
    /// A task that runs says something: the answer, or none where it has to wait or does not run any
    /// more. A label that means nothing is ENOSYS.
    pub fn on_message(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        label: u64,
        words: Words,
    ) -> Option<Words> {
        let Ok(task) = self.find_task(id) else {
            self.refused += 1;
            return None;
        };
        if !matches!(task.state, State::Running) {
            // A task that does not run has no way to speak: somebody forged the message.
            self.refused += 1;
            return None;
        }
        let (kind, number) = client::kind_and_number(label);
        let task = self.task_mut(id);
        task.spoken = true;
        if let Some(answer) = task.said.find(number) {
            return Some(answer);
        }
        let answer = match kind {
            client::PTRACE => ptrace_answer(self.ptrace(m, id, words)),
            client::PTRACE_COMPAT => ptrace_answer(self.ptrace_compat(m, id, words)),
            client::READ_MEMORY => {
                plain_answer(self.process_vm_by_message(m, id, words, Way::Read))
            }
            client::WRITE_MEMORY => {
                plain_answer(self.process_vm_by_message(m, id, words, Way::Write))
            }
            client::SHARE_STOPS => plain_answer(self.share_stops(m, id, words[0])),
            client::WAIT => [self.wait_by_message(m, id, words)? as u64, 0, 0, 0],
            engine::NEXT => [self.next_callback(m, id, number, words)? as u64, 0, 0, 0],
            engine::REQUEST => ptrace_answer(self.engine_request(m, id, words)),
            _ => {
                self.refused += 1;
                [Errno::ENOSYS.as_result() as u64, 0, 0, 0]
            }
        };
        // What it asked for may have killed or stopped it.
        let task = self.find_task(id).is_ok().then(|| self.task_mut(id))?;
        task.said.keep(number, answer);
        matches!(task.state, State::Running).then_some(answer)
    }

    /// wait4(2) without rusage.
    fn wait_by_message(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        [pid, options, ip, sp]: Words,
    ) -> Option<i64> {
        let request = match self.wait4_request(id, pid as i32, options as u32, Output::Message) {
            Ok(request) => request,
            Err(e) => return Some(e.as_result()),
        };
        let ix = self.process_of(id);
        if let Some(page) = &mut self.process_mut(ix).stop_page {
            page.waits = matches!(request.which, Which::Pid(_));
        }
        let result = self.try_wait(m, id, &request);
        if result.is_none() {
            let task = self.task_mut(id);
            task.registers.stand();
            task.landing = Some(Landing { ip, sp });
            task.state = State::Waiting(Wait::Child(request));
        }
        result
    }

    /// A wait that a message began is over. Where a signal ended it, the task says its message again
    /// unless a handler runs that restarts nothing.
    pub(crate) fn land(&mut self, m: &mut impl Machine, id: TaskId, landing: Landing, result: i64) {
        if result == Errno::ERESTARTSYS.as_result() {
            self.read_registers(m, id);
            self.say_again(id);
            return self.return_to_user(m, id);
        }
        let calm = self.is_calm(id);
        let task = self.task_mut(id);
        task.landing = None;
        if calm {
            task.state = State::Running;
            m.land(id, landing.ip, landing.sp, result as u64);
            return;
        }
        task.registers.read(m, id);
        self.land_with(id, landing, result);
        self.return_to_user(m, id);
    }

    /// A task's new program has said nothing yet, and has no engines.
    pub(crate) fn begin_messages(&mut self, m: &mut impl Machine, id: TaskId) {
        let task = self.task_mut(id);
        task.said = client::Said::default();
        task.spoken = false;
        if let Some(inbox) = &mut task.inbox {
            inbox.begin();
        }
        if task.trace.client {
            self.tell_tracer(m, id, ToTracer::Begun);
        }
    }

    /// A task that was stopped says its message again, if it is in the middle of one, unless the answer is
    /// there.
    pub(crate) fn stop_in_message(&mut self, m: &mut impl Machine, id: TaskId, space: SpaceIx) {
        let regs = *self.read_registers(m, id).get();
        if self.memory.fetch2(m, space, regs.rip) != Some(client::SYSENTER) {
            return;
        }
        if client::has_answer(&regs) {
            let registers = &mut self.task_mut(id).registers;
            registers.change(|regs| regs.rip += client::SYSENTER.len() as u64);
        } else {
            self.say_again(id);
        }
    }

    /// A task that runs is in the middle of a message that nobody is going to answer: it fails.
    pub(crate) fn fail_message(&mut self, m: &mut impl Machine, id: TaskId, why: Errno) {
        let running = |task: &crate::task::Task| matches!(task.state, State::Running);
        if !self.find_task(id).is_ok_and(running) {
            return;
        }
        self.suspend(m, id);
        let space = self.stands(id);
        let regs = *self.read_registers(m, id).get();
        if self.memory.fetch2(m, space, regs.rip) == Some(client::SYSENTER) {
            let registers = &mut self.task_mut(id).registers;
            registers.change(|regs| {
                regs.rip += client::SYSENTER.len() as u64;
                client::fail(regs, why);
            });
        }
        self.return_to_user(m, id);
    }

    /// A task whose registers were read in the middle of a message goes on by saying that again. The kernel
    /// has kept neither of the two in which it is told where to return.
    fn say_again(&mut self, id: TaskId) {
        let registers = &mut self.task_mut(id).registers;
        registers.change(|regs| (regs.rdx, regs.rcx) = (regs.rip, regs.rsp));
    }

    /// A handler with these flags runs before a message that was interrupted is said again.
    pub(crate) fn interrupt_message(&mut self, id: TaskId, landing: Landing, flags: u64) {
        if flags & u64::from(g::SA_RESTART) == 0 {
            self.land_with(id, landing, Errno::EINTR.as_result());
        }
        self.task_mut(id).landing = None;
    }

    fn land_with(&mut self, id: TaskId, landing: Landing, result: i64) {
        self.task_mut(id).registers.change(|regs| {
            regs.rip = landing.ip;
            regs.rsp = landing.sp;
            regs.rax = result as u64;
        });
    }
}

/// The words of a result.
fn plain_answer(result: Result<i64, Errno>) -> Words {
    [to_rax(result) as u64, 0, 0, 0]
}

fn ptrace_answer(done: Result<ptrace::Done, Errno>) -> Words {
    match done {
        Ok(ptrace::Done::Word(word)) => [0, word, 0, 0],
        Ok(ptrace::Done::Ask) => [ASK_TRACER as u64, 0, 0, 0],
        Ok(ptrace::Done::Result(result)) => [result as u64, 0, 0, 0],
        Err(e) => [to_rax(Err(e)) as u64, 0, 0, 0],
    }
}
