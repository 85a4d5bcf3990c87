//! What the tracer asks for.

use crate::Procmgr;
use crate::machine::Machine;
use crate::task::State;
use abi::linux::general::SA_NOCLDSTOP;
use abi::regs::USER_REGS_WORDS;
use abi::signal::{SIGCHLD, code};
use abi::tracer::{
    Answer, Call, Event, Events, Life, Posting, Reply, SignalAction, Step, Stop, TaskView, Verdict,
};
use abi::wire::{self, Buffer, MAX_DATA};
use abi::{Errno, InCall, SigInfo, TaskId, UserRegs};

/// The bytes that a PEEK reads.
const WORD: usize = 8;

impl Procmgr {
    pub(crate) fn tracer_call(
        &mut self,
        m: &mut impl Machine,
        call: Call<'_>,
        answer: &mut Buffer,
    ) -> Result<usize, Errno> {
        let reply = match call {
            Call::Next => self.next_report().map_or(Reply::None, Reply::Report),
            Call::View { task } => {
                self.named_task(task)?;
                Reply::View(self.view(task))
            }
            Call::Find { tid } => Reply::View(self.view(self.by_tid(tid).ok_or(Errno::ESRCH)?)),
            Call::Attach { task, events } => {
                self.attach(m, task, events)?;
                Reply::View(self.view(task))
            }
            Call::Detach { task, signal } => {
                self.detach(m, task, signal)?;
                Reply::Done
            }
            Call::SetEvents {
                task,
                events,
                posting,
                quiesce,
            } => {
                self.named_task(task)?;
                let trace = &mut self.task_mut(task).trace;
                trace.events = events;
                trace.posting = posting;
                if quiesce {
                    self.quiesce(m, task);
                }
                Reply::Done
            }
            Call::Bind { task, tracer } => {
                self.bind(task, tracer)?;
                Reply::Done
            }
            Call::Answer(answer) => {
                self.answered(m, answer)?;
                Reply::Done
            }
            Call::Take { task } => {
                let unseen = self.named_task(task)?.trace.unseen;
                let report = unseen.then(|| self.take_report(task)).flatten();
                report.map_or(Reply::None, Reply::Report)
            }
            Call::StoreRegs {
                task,
                number,
                client,
                addr,
            } => {
                match number {
                    Some(number) => drop(self.held_by(task, number)?),
                    None if self.named_task(task)?.trace.unseen => {}
                    None => return Err(Errno::ESRCH),
                }
                self.task(task).space.ok_or(Errno::ESRCH)?;
                let mut bytes = [0; USER_REGS_WORDS * 8];
                let registers = self.read_registers(m, task);
                let words = UserRegs::of(registers.get(), registers.call()).to_words();
                for (chunk, word) in bytes.chunks_exact_mut(8).zip(words) {
                    chunk.copy_from_slice(&word.to_le_bytes());
                }
                self.named_task(client)?;
                self.put(m, client, addr, &bytes)?;
                Reply::Done
            }
            Call::Resume {
                task,
                events,
                posting,
                step,
            } => {
                self.resume_unseen(m, task, (events, posting), step)?;
                Reply::Done
            }
            Call::StartChild { task, number } => {
                match self.held_by(task, number)? {
                    Event::Clone { .. } => self.start_created(m, task),
                    _ => return Err(Errno::EINVAL),
                }
                Reply::Done
            }
            Call::Post { task, number, stop } => {
                self.held_by(task, number)?;
                self.post(m, task, stop);
                Reply::Done
            }
            Call::Unpost { task } => {
                self.named_task(task)?;
                let posted = self.task_mut(task).trace.posted.take();
                Reply::Count(posted.is_some().into())
            }
            Call::Signal { task, info, force } => {
                let alive = self.named_task(task)?.alive();
                info.signal().ok_or(Errno::EINVAL)?;
                if !alive {
                    return Err(Errno::ESRCH);
                }
                if force {
                    self.push_signal(m, task, info);
                } else {
                    self.signal_task(m, task, info)?;
                }
                Reply::Done
            }
            Call::GetFpu { task, number } => {
                self.held_by(task, number)?;
                let state = self.fpu_state(m, task)?;
                return Ok(wire::encode(&Reply::Bytes(&state), answer));
            }
            Call::SetFpu {
                task,
                number,
                bytes,
            } => {
                self.held_by(task, number)?;
                self.set_fpu_state(task, bytes)?;
                Reply::Done
            }
            Call::Read { task, addr, len } => {
                return self.read_for_tracer(m, task, addr, len, answer);
            }
            Call::Write {
                task,
                addr,
                force,
                bytes,
            } => {
                let space = self.named_task(task)?.space.ok_or(Errno::ESRCH)?;
                let n = match force {
                    true => self.memory.poke(m, space, addr, bytes),
                    false => self.memory.write(m, space, addr, bytes),
                };
                if n == 0 && !bytes.is_empty() {
                    return Err(Errno::EFAULT);
                }
                Reply::Count(n as u32)
            }
        };
        Ok(wire::encode(&reply, answer))
    }

    fn read_for_tracer(
        &mut self,
        m: &mut impl Machine,
        task: TaskId,
        addr: u64,
        len: u32,
        answer: &mut Buffer,
    ) -> Result<usize, Errno> {
        let space = self.named_task(task)?.space.ok_or(Errno::ESRCH)?;
        if len == WORD as u32 {
            // A PEEK.
            let mut word = [0; WORD];
            return match self.memory.peek(m, space, addr, &mut word) {
                0 => Err(Errno::EFAULT),
                n => Ok(wire::encode(&Reply::Bytes(&word[..n]), answer)),
            };
        }
        let mut data = [0; MAX_DATA];
        let data = data.get_mut(..len as usize).ok_or(Errno::EINVAL)?;
        match self.memory.peek(m, space, addr, data) {
            0 if len != 0 => Err(Errno::EFAULT),
            n => Ok(wire::encode(&Reply::Bytes(&data[..n]), answer)),
        }
    }

    /// The event a task is held by, if the report has this number and was taken.
    fn held_by(&self, id: TaskId, number: u32) -> Result<Event, Errno> {
        let task = self.find_task(id)?;
        match task.state {
            State::Held(event) if task.report_number == number && task.trace.taken => Ok(event),
            _ => Err(Errno::ESRCH),
        }
    }

    fn view(&self, id: TaskId) -> TaskView {
        let task = self.task(id);
        let process = self.process(task.process);
        let life = match task.state {
            State::Zombie => Life::Zombie,
            _ if task.exit_status.is_some() || process.group_exit.is_some() => Life::Exiting,
            _ => Life::Alive,
        };
        let held = matches!(task.state, State::Held(_)) && task.trace.taken;
        TaskView {
            task: id,
            tid: task.tid,
            tgid: process.pid,
            parent: process.parent.map(|p| self.process(p).leader),
            tracer: task.trace.tracer,
            state: life,
            uid: process.credentials.uid,
            gid: process.credentials.gid,
            dumpable: process.dumpable,
            may_trace_any: process.credentials.privileged(),
            context: 0,
            report: held.then_some(task.report_number),
            group_stop: process
                .stopped
                .filter(|_| matches!(task.state, State::Stopped)),
        }
    }

    fn attach(&mut self, m: &mut impl Machine, id: TaskId, events: Events) -> Result<(), Errno> {
        let task = self.named_task(id)?;
        if task.space.is_none() {
            return Err(Errno::ESRCH);
        }
        if !task.trace.attached {
            m.hand_thread(id);
        }
        let task = self.task_mut(id);
        task.trace.attached = true;
        task.trace.events = events;
        task.trace.posting = Posting::NONE;
        Ok(())
    }

    /// Brings a task to a stand for the tracer.
    fn quiesce(&mut self, m: &mut impl Machine, id: TaskId) {
        match self.task(id).state {
            State::Held(_) | State::Zombie => {}
            State::Stopped => {
                self.task_mut(id).state = State::Moving;
                self.report(m, id, Event::Quiesce);
            }
            _ => {
                self.task_mut(id).trace.quiesce = true;
                self.interrupt(m, id);
            }
        }
    }

    fn bind(&mut self, id: TaskId, tracer: Option<TaskId>) -> Result<(), Errno> {
        self.named_task(id)?;
        let Some(tracer) = tracer else {
            self.unbind(id);
            return Ok(());
        };
        if !self.named_task(tracer)?.alive() {
            return Err(Errno::ESRCH);
        }
        let ix = self.process_of(tracer);
        self.process_mut(ix)
            .tracees
            .try_reserve(1)
            .map_err(|_| Errno::ENOMEM)?;
        self.unbind(id);
        self.task_mut(tracer).trace.client = true;
        self.task_mut(id).trace.tracer = Some(tracer);
        self.process_mut(ix).tracees.push(id);
        Ok(())
    }

    /// Publishes a stop, tells the tracer. Its wait wakes even where it ignores SIGCHLD.
    pub(crate) fn post(&mut self, m: &mut impl Machine, id: TaskId, stop: Stop) {
        let Some(tracer) = self.task(id).trace.tracer else {
            return;
        };
        let Ok(waiter) = self.find_task(tracer) else {
            return;
        };
        let ix = waiter.process;
        self.task_mut(id).trace.posted = Some(stop);
        let task = self.task(id);
        let uid = self.process(task.process).credentials.uid[0];
        let info = SigInfo::child(
            code::CLD_TRAPPED,
            task.tid,
            uid,
            stop.code as i32 & 0x7f,
            0,
            0,
        );
        let quiet = self.process(ix).actions.get(SIGCHLD).flags & u64::from(SA_NOCLDSTOP) != 0;
        self.tell(m, ix, (!quiet).then_some(info));
    }

    /// A signal the tracer puts on a task whatever it blocks or ignores: it will be reported.
    fn push_signal(&mut self, m: &mut impl Machine, id: TaskId, info: SigInfo) {
        if info.signal() == Some(abi::signal::SIGKILL) {
            // SIGKILL cannot fail to be queued.
            let _ = self.signal_task(m, id, info);
            return;
        }
        self.task_mut(id).pending.add(info, false);
        self.wake_for_signal(m, id);
    }

    /// A held task goes on. Everything is checked before anything changes.
    fn answered(&mut self, m: &mut impl Machine, answer: Answer) -> Result<(), Errno> {
        let id = answer.task;
        let event = self.held_by(id, answer.number)?;
        let fits = match answer.verdict {
            Verdict::Continue => !matches!(event, Event::Ptrace { .. }),
            Verdict::AbortSyscall => matches!(event, Event::SyscallEntry),
            Verdict::Signal { .. } => !matches!(event, Event::Ptrace { .. }),
            Verdict::Result(_) => matches!(event, Event::Ptrace { .. }),
        };
        if !fits {
            return Err(Errno::EINVAL);
        }
        self.load_fpu_state(m, id);
        if let Some(orig_rax) = answer.written
            && self.task(id).space.is_some()
        {
            let regs = m.regs(id);
            let registers = &mut self.task_mut(id).registers;
            registers.set(regs, InCall::No { orig_rax });
        }
        self.release(m, id, answer.step);
        self.go_on(m, id, event, answer.verdict);
        Ok(())
    }

    /// The tracer lets a task go on without having looked at its report.
    fn resume_unseen(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        (events, posting): (Events, Posting),
        step: Step,
    ) -> Result<(), Errno> {
        let task = self.find_task(id)?;
        let event = match task.state {
            State::Held(event) if task.trace.unseen => event,
            _ => return Err(Errno::ESRCH),
        };
        let trace = &mut self.task_mut(id).trace;
        trace.events = events;
        trace.posting = posting;
        self.release(m, id, step);
        let verdict = match event {
            Event::Signal { info, .. } => Verdict::Signal {
                action: SignalAction::Ignore,
                info,
            },
            _ => Verdict::Continue,
        };
        self.go_on(m, id, event, verdict);
        Ok(())
    }

    /// A report is over; the task runs like this when it does.
    fn release(&mut self, m: &mut impl Machine, id: TaskId, step: Step) {
        let task = self.task_mut(id);
        if task.trace.step != step {
            task.trace.step = step;
            if step == Step::None && task.space.is_some() {
                m.step(id, false);
            }
        }
        let task = self.task_mut(id);
        task.trace.posted = None;
        task.trace.unseen = false;
        task.state = State::Moving;
    }

    /// What follows a report.
    fn go_on(&mut self, m: &mut impl Machine, id: TaskId, event: Event, verdict: Verdict) {
        if self.stays_stopped(id, event, verdict) {
            self.task_mut(id).state = State::Stopped;
            return;
        }
        if let Verdict::Signal { action, info } = verdict
            && !matches!(event, Event::Signal { .. })
        {
            // Sent along with the resumption from a stop that was not a signal's.
            if action != SignalAction::Ignore && self.task(id).alive() {
                self.push_signal(m, id, info);
            }
        }
        match event {
            Event::SyscallEntry => self.entry_answered(m, id, verdict),
            Event::SyscallExit => self.syscall_left(m, id),
            Event::Signal { info, action } => match verdict {
                Verdict::Signal { action, info } => self.signal_answered(m, id, action, info),
                _ => self.signal_answered(m, id, action, info),
            },
            Event::Quiesce => self.return_to_user(m, id),
            Event::Clone { .. } => self.clone_reported(m, id),
            Event::VforkDone { child_tid } => self.finish_syscall(m, id, child_tid.into()),
            Event::Exec { .. } => self.finish_syscall(m, id, 0),
            Event::Exit { .. } => self.exit_reported(m, id),
            Event::ClientExit => {
                self.task_mut(id).trace.client = false;
                self.leave(m, id);
            }
            Event::Death { .. } => self.become_zombie(m, id),
            Event::Reap => self.remove_task(id),
            Event::JobControl { .. } => self.return_to_user(m, id),
            Event::Ptrace { .. } => match verdict {
                Verdict::Result(result) => self.finish_syscall(m, id, result),
                _ => self.finish_syscall(m, id, Errno::EIO.as_result()),
            },
        }
    }

    /// Whether the answer to a stop leaves the task in its process's job-control stop, if that
    /// still lasts: the answer says so by the action `Stop`.
    fn stays_stopped(&self, id: TaskId, event: Event, verdict: Verdict) -> bool {
        let still = matches!(event, Event::Quiesce | Event::JobControl { .. })
            && matches!(
                verdict,
                Verdict::Signal {
                    action: SignalAction::Stop,
                    ..
                }
            );
        still && self.process(self.process_of(id)).stopped.is_some() && self.may_report(id)
    }

    fn entry_answered(&mut self, m: &mut impl Machine, id: TaskId, verdict: Verdict) {
        let task = self.task(id);
        let nr = match task.registers.call() {
            InCall::At { nr, .. } => nr,
            InCall::No { orig_rax } => orig_rax,
        };
        if self.doomed(id).is_some() {
            return self.return_to_user(m, id);
        }
        match verdict {
            // A call that is emulated is not stepped over: the next instruction is.
            Verdict::AbortSyscall if !self.task(id).trace.events.contains(Events::SYSCALL_EXIT) => {
                self.return_to_user(m, id);
            }
            Verdict::AbortSyscall => self.leave_syscall(m, id),
            _ if nr as i64 == -1 => self.leave_syscall(m, id),
            _ => self.dispatch(m, id, nr),
        }
    }

    /// Nothing of the tracer's is left on the task; a report it holds goes on as if nobody had
    /// looked, with the signal given instead of the one it told of.
    fn detach(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        signal: Option<SigInfo>,
    ) -> Result<(), Errno> {
        let task = self.named_task(id)?;
        let has_thread = task.space.is_some();
        let attached = task.trace.attached;
        let process = self.process(task.process);
        let parent_knows = process.leader == id && self.tracer_is_parent(id);
        self.unbind(id);
        if attached && has_thread {
            m.revoke_thread(id);
        }
        let task = self.task_mut(id);
        task.trace.attached = false;
        task.trace.events = Events::empty();
        task.trace.posting = Posting::NONE;
        task.trace.unseen = false;
        task.trace.quiesce = false;
        if core::mem::take(&mut task.trace.step) != Step::None && has_thread {
            m.step(id, false);
        }
        self.load_fpu_state(m, id);
        let event = match self.task(id).state {
            State::Held(event) => event,
            State::Zombie => {
                // Its first reader has gone: the others are told.
                if !parent_knows {
                    self.announce_death(m, id);
                }
                return Ok(());
            }
            _ => {
                if let Some(info) = signal {
                    self.push_signal(m, id, info);
                }
                return Ok(());
            }
        };
        if matches!(event, Event::Ptrace { .. } | Event::ClientExit) {
            // Its own dealings with the tracer are not what the tracer lets go of.
            return Ok(());
        }
        self.task_mut(id).state = State::Moving;
        let job_control = matches!(event, Event::Quiesce | Event::JobControl { .. });
        if job_control && self.process(self.process_of(id)).stopped.is_some() && self.may_report(id)
        {
            self.task_mut(id).state = State::Stopped;
            if let Some(info) = signal {
                self.push_signal(m, id, info);
            }
            return Ok(());
        }
        let verdict = match (event, signal) {
            (Event::Signal { .. }, Some(info)) => Verdict::Signal {
                action: SignalAction::Deliver,
                info,
            },
            (Event::Signal { info, .. }, None) => Verdict::Signal {
                action: SignalAction::Ignore,
                info,
            },
            (_, Some(info)) => Verdict::Signal {
                action: SignalAction::Deliver,
                info,
            },
            (_, None) => Verdict::Continue,
        };
        self.go_on(m, id, event, verdict);
        Ok(())
    }
}
