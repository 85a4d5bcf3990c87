//! Callbacks: an engine is told of an event, and answers.
//!
//! A task has at most one callback outstanding, since its engines are asked one after the other.

use super::Engine;
use crate::Procmgr;
use crate::hold::{Going, Hold};
use crate::machine::Machine;
use crate::report::ToTracer;
use crate::task::State;
use abi::engine::{self, Answer, Call, Callback, Handle, Response, Ticket};
use abi::signal::Action;
use abi::tracer::{Event, Reply};
use abi::{Errno, SigInfo, TaskId};
use alloc::boxed::Box;

/// A callback that has not been answered.
#[derive(Clone, Hash)]
pub struct Asked {
    /// What its answer names.
    pub ticket: Ticket,
    /// The engine.
    pub engine: u32,
    /// Whose it is.
    pub client: TaskId,
    /// It has been taken.
    pub taken: bool,
    /// It came without the tracer.
    pub relayed: bool,
    /// What the engine is told.
    event: Event,
    /// What a handler would be, if that is not what the process has set.
    handler: Option<Action>,
}

/// An answer that the tracer has not taken.
#[derive(Clone, Hash)]
pub struct Answered {
    /// The engine.
    pub handle: Handle,
    /// It was asked without the tracer.
    pub relayed: bool,
    response: Response,
    info: Option<SigInfo>,
    handler: Option<Action>,
}

impl Procmgr {
    /// Calls an engine back about a held task.
    pub(crate) fn call_back(
        &mut self,
        m: &mut impl Machine,
        handle: Handle,
        number: u32,
        event: Event,
        handler: Option<Action>,
    ) -> Result<(), Errno> {
        let engine = self.engine(handle)?;
        self.find_task(engine.client)?;
        if event == Event::Reap {
            self.tell_of_reap(m, handle, engine);
            return Ok(());
        }
        self.held_by(handle.task, number)
            .map_err(|_| Errno::EAGAIN)?;
        self.ask(m, handle.task, engine, event, handler, false);
        Ok(())
    }

    /// A held task's only engine is told of a system call without the tracer, if that is so agreed; whether
    /// it is.
    pub(crate) fn relay(&mut self, m: &mut impl Machine, id: TaskId, event: &Hold) -> bool {
        let trace = &self.task(id).trace;
        let event = match event {
            Hold::SyscallEntry => Event::SyscallEntry,
            Hold::SyscallExit => Event::SyscallExit,
            _ => return false,
        };
        let [engine] = trace.engines[..] else {
            return false;
        };
        let relays = trace.relayed && trace.tracer.is_none();
        if !relays || self.find_task(engine.client).is_err() {
            return false;
        }
        self.ask(m, id, engine, event, None, true);
        true
    }

    fn ask(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        engine: Engine,
        event: Event,
        handler: Option<Action>,
        relayed: bool,
    ) {
        self.callbacks += 1;
        let ticket = Ticket::new(self.callbacks, id.slot());
        let asked = Asked {
            ticket,
            engine: engine.number,
            client: engine.client,
            taken: false,
            relayed,
            event,
            handler,
        };
        self.task_mut(id).trace.asked = Some(asked);
        self.put_in_inbox(m, engine.client, id);
    }

    /// What an engine is told of a task's event.
    pub(super) fn callback(&self, id: TaskId, asked: &Asked, engine: &Engine) -> Callback {
        let task = self.task(id);
        let handle = Handle {
            task: id,
            engine: asked.engine,
        };
        let mut call = Call::default();
        if let Event::SyscallEntry | Event::SyscallExit = asked.event {
            call.nr = task.registers.call_number().unwrap_or(u64::MAX);
            match asked.event {
                Event::SyscallEntry => call.args = task.registers.get().args(),
                _ => call.args[0] = task.registers.result() as u64,
            }
        }
        let mut action = Action::default();
        if let Event::Signal { info, .. } = asked.event
            && let Some(signo) = info.signal()
        {
            let set = self.process(task.process).actions.get(signo);
            action = asked.handler.unwrap_or(*set);
        }
        Callback {
            ticket: asked.ticket,
            handle,
            data: engine.data,
            tid: task.tid,
            event: asked.event,
            call,
            action,
        }
    }

    /// A client's answer to a callback, whose memory is at `addr`: it goes to the tracer, unless it is one about
    /// a system call that needs nothing decided. ESRCH: to
    /// none that it has taken and not answered. EFAULT: what it changed of a signal cannot be read.
    pub(super) fn answer_callback(
        &mut self,
        m: &mut impl Machine,
        client: TaskId,
        answer: Answer,
        addr: u64,
    ) -> Result<(), Errno> {
        let id = self
            .task_in_slot(answer.ticket.slot())
            .ok_or(Errno::ESRCH)?;
        let asked = self.task(id).trace.asked.as_ref().ok_or(Errno::ESRCH)?;
        if asked.ticket != answer.ticket || asked.client != client || !asked.taken {
            return Err(Errno::ESRCH);
        }
        let handle = Handle {
            task: id,
            engine: asked.engine,
        };
        let relayed = asked.relayed;
        if relayed && self.task(id).trace.relayed && answer.response.is_plain() {
            self.settle_call(m, id, answer.response.abort);
            return Ok(());
        }
        let Response { info, action, .. } = answer.response;
        let at = |word: usize| addr + 8 * word as u64;
        let info = match info {
            true => Some(self.read_siginfo(m, client, at(engine::word::INFO))?),
            false => None,
        };
        let handler = match action {
            true => Some(self.read_action(m, client, at(engine::word::ACTION))?),
            false => None,
        };
        let trace = &mut self.task_mut(id).trace;
        trace.asked = None;
        trace.answered = Some(Box::new(Answered {
            handle,
            relayed,
            response: answer.response,
            info,
            handler,
        }));
        if relayed {
            // What it is an answer to comes first, if the tracer has not taken that.
            self.tell_tracer(m, id, ToTracer::Report);
        }
        self.tell_tracer(m, id, ToTracer::Answered);
        Ok(())
    }

    /// A task goes on from a system call that its engine was told of without the tracer.
    fn settle_call(&mut self, m: &mut impl Machine, id: TaskId, abort: bool) {
        let State::Held(event) = self.task(id).state else {
            unreachable!("a task whose engine was asked is held");
        };
        let going = match event {
            Hold::SyscallEntry if abort => Going::AbortSyscall,
            _ => Going::Continue,
        };
        let step = self.task(id).trace.step;
        self.go_on_from_stop(m, id, step, going);
    }

    /// The answer about a task that the tracer has not taken.
    pub(crate) fn take_answered(&mut self, id: TaskId) -> Option<Reply> {
        let number = self.find_task(id).ok()?.report_number;
        let answered = *self.task_mut(id).trace.answered.take()?;
        Some(Reply::Answered {
            handle: answered.handle,
            number,
            response: answered.response,
            info: answered.info,
            handler: answered.handler,
        })
    }

    /// A siginfo in a client's memory.
    pub(crate) fn read_siginfo(
        &mut self,
        m: &mut impl Machine,
        client: TaskId,
        addr: u64,
    ) -> Result<SigInfo, Errno> {
        Ok(SigInfo::from_bytes(&self.get(m, client, addr)?))
    }

    /// A `struct sigaction` in a client's memory.
    pub(crate) fn read_action(
        &mut self,
        m: &mut impl Machine,
        client: TaskId,
        addr: u64,
    ) -> Result<Action, Errno> {
        Ok(Action::from_words(self.get_words(m, client, addr)?))
    }
}
