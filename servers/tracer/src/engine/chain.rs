//! The engines of one task: attach, detach, set_flags, inject (utrace.md, Calls).

use super::round::Round;
use super::{AttachFlags, Choice, Engine, EngineId, Flags, ResumeAction, State};
use abi::engine::Calls;
use abi::signal::Action;
use abi::tracer::{Event, Events};
use abi::{Errno, SigInfo};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The most engines one task has; one more is ENOMEM.
pub const MAX_ENGINES_PER_TASK: usize = abi::engine::PER_TASK;

/// Who attaches (utrace rule 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An engine of the creator, from its clone report.
    Creator,
    /// Anyone else.
    Outside,
}

/// What attach found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attached {
    /// A new engine.
    New(EngineId),
    /// An engine that matched.
    Found(EngineId),
    /// The task is newborn: ask again when its creator's clone report is over.
    Wait,
}

/// Where the task is in life, as far as its engines have been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Life {
    /// Created; its creator's clone report is not over.
    Newborn,
    /// Alive.
    Alive,
    /// Its death has been reported, or is being.
    Dead,
    /// Its reaping has begun.
    Reaped,
}

/// The engines of one task and the report going along them.
#[derive(Clone, Debug, Hash)]
pub struct Chain<K> {
    pub(super) engines: Vec<Engine<K>>,
    pub(super) round: Option<Round>,
    pub(super) life: Life,
    next: u32,
}

impl<K> Chain<K> {
    /// The chain of a task without engines.
    pub fn new(life: Life) -> Chain<K> {
        Chain {
            engines: Vec::new(),
            round: None,
            life,
            next: 1,
        }
    }

    /// Attaches or looks up an engine.
    ///
    /// ESRCH: reaped or being reaped. ENOENT: a look-up found none. EEXIST: EXCLUSIVE, and one
    /// that matches is attached. ENOMEM: [`MAX_ENGINES_PER_TASK`].
    pub fn attach(
        &mut self,
        flags: AttachFlags,
        origin: Origin,
        (ops, data): (u64, u64),
        kind: K,
    ) -> Result<Attached, Errno> {
        match self.life {
            Life::Reaped => return Err(Errno::ESRCH),
            Life::Newborn if origin == Origin::Outside => return Ok(Attached::Wait),
            _ => {}
        }
        let found = self.find(flags, (ops, data));
        if !flags.contains(AttachFlags::CREATE) {
            return found.map(Attached::Found);
        }
        if flags.contains(AttachFlags::EXCLUSIVE) && found.is_ok() {
            return Err(Errno::EEXIST);
        }
        if self.engines.len() >= MAX_ENGINES_PER_TASK || self.next > abi::engine::ENGINE_MAX {
            return Err(Errno::ENOMEM);
        }
        let id = EngineId(self.next);
        self.next += 1;
        self.engines.push(Engine {
            id,
            ops,
            data,
            flags: Flags::default(),
            calls: None,
            due: false,
            kind,
        });
        Ok(Attached::New(id))
    }

    /// The first engine that matches: ENOENT.
    pub fn find(&self, flags: AttachFlags, (ops, data): (u64, u64)) -> Result<EngineId, Errno> {
        let matches = |e: &&Engine<K>| {
            (!flags.contains(AttachFlags::MATCH_OPS) || e.ops == ops)
                && (!flags.contains(AttachFlags::MATCH_DATA) || e.data == data)
        };
        let found = self.engines.iter().find(matches);
        found.map(|e| e.id).ok_or(Errno::ENOENT)
    }

    /// The task is dead already, and its first engine comes now.
    pub fn died(&mut self) {
        self.life = Life::Dead;
    }

    /// The creator's clone report is over: from now on anyone may attach (utrace rule 1). Whether
    /// that is news.
    pub fn born(&mut self) -> bool {
        let newborn = self.life == Life::Newborn;
        if newborn {
            self.life = Life::Alive;
        }
        newborn
    }

    /// Detaches an engine: no callback will ever come again. A report that waited for it goes on
    /// to the next engine.
    ///
    /// EALREADY: the death report is going on. ESRCH: reap begun, or not attached.
    pub fn detach(&mut self, id: EngineId) -> Result<K, Errno> {
        let at = self.may_detach(id)?;
        Ok(self.remove(at))
    }

    /// What [`Chain::detach`] would answer; the engine's place.
    pub fn may_detach(&self, id: EngineId) -> Result<usize, Errno> {
        let at = self.index(id)?;
        if self.life == Life::Reaped {
            return Err(Errno::ESRCH);
        }
        if self.death_is_being_reported() {
            return Err(Errno::EALREADY);
        }
        Ok(at)
    }

    /// Detaches an engine whose owner has gone, whatever is going on (utrace rule 10).
    pub fn forget(&mut self, id: EngineId) -> Result<K, Errno> {
        let at = self.index(id)?;
        Ok(self.remove(at))
    }

    pub(super) fn remove(&mut self, at: usize) -> K {
        let engine = self.engines.remove(at);
        if let Some(round) = &mut self.round
            && round.asked == Some(engine.id)
        {
            round.asked = None;
        }
        engine.kind
    }

    /// Replaces an engine's events and state.
    ///
    /// EALREADY: clears DEATH or REAP once that report may have begun; newly sets NOREAP, DEATH
    /// or QUIESCE on a dead task. ESRCH: reap begun, or not attached.
    pub fn set_flags(&mut self, id: EngineId, flags: Flags) -> Result<(), Errno> {
        let at = self.index(id)?;
        let old = self.engines[at].flags;
        match self.life {
            Life::Reaped => return Err(Errno::ESRCH),
            Life::Dead => {
                let final_events = Events::DEATH | Events::REAP;
                let cleared = old.events & !flags.events & final_events;
                let set_events = flags.events & !old.events & (Events::DEATH | Events::QUIESCE);
                let set_state = flags.state & !old.state & (State::NOREAP | State::QUIESCE);
                if !(cleared.is_empty() && set_events.is_empty() && set_state.is_empty()) {
                    return Err(Errno::EALREADY);
                }
            }
            Life::Newborn | Life::Alive => {}
        }
        let asks_for_quiescence =
            flags.state.contains(State::QUIESCE) && !old.state.contains(State::QUIESCE);
        let engine = &mut self.engines[at];
        engine.flags = flags;
        engine.due = (engine.due || asks_for_quiescence && self.round.is_some())
            && flags.events.contains(Events::QUIESCE);
        Ok(())
    }

    /// Replaces an engine's state where it may be replaced whatever its task is at: by the request that
    /// ends a ptrace stop.
    pub fn set_state(&mut self, id: EngineId, state: State) -> Result<(), Errno> {
        let at = self.index(id)?;
        self.engines[at].flags.state = state;
        Ok(())
    }

    /// Delivers a signal now, before any queued one, as if a report had returned `choice` with
    /// `info` and `handler`. It takes effect when the task resumes.
    ///
    /// ESRCH: dead, or not attached. ENOSYS: not at a signal stop. EAGAIN: one already injected.
    /// EINVAL: not a signal.
    pub fn inject(
        &mut self,
        id: EngineId,
        choice: Choice,
        info: SigInfo,
        handler: Option<Action>,
    ) -> Result<(), Errno> {
        self.index(id)?;
        if matches!(self.life, Life::Dead | Life::Reaped) {
            return Err(Errno::ESRCH);
        }
        let Some(round) = &mut self.round else {
            return Err(Errno::ENOSYS);
        };
        if !matches!(round.report.event, Event::Signal { .. }) {
            return Err(Errno::ENOSYS);
        }
        if round.injected.is_some() {
            return Err(Errno::EAGAIN);
        }
        if info.signal().is_none() {
            return Err(Errno::EINVAL);
        }
        round.injected = Some((choice, info, handler));
        Ok(())
    }

    /// Everything some engine wants to be told of: what is asked of the process manager.
    pub fn events(&self) -> Events {
        self.engines
            .iter()
            .fold(Events::empty(), |all, e| all | e.flags.events)
    }

    /// Which system calls some engine wants to be told of, of those that are reported at all.
    pub fn calls(&self) -> Calls {
        let both = Events::SYSCALL_ENTRY | Events::SYSCALL_EXIT;
        let wanting = self
            .engines
            .iter()
            .filter(|e| e.flags.events.intersects(both));
        wanting.fold(Calls::NONE, |all, engine| match &engine.calls {
            Some(calls) => all.or(calls),
            None => Calls::ALL,
        })
    }

    /// Restricts the system calls that an engine is told of.
    pub fn set_calls(&mut self, id: EngineId, calls: Option<Calls>) -> Result<(), Errno> {
        let at = self.index(id)?;
        self.engines[at].calls = calls.map(Box::new);
        Ok(())
    }

    /// What the engines together want of the task (utrace rule 2).
    pub fn resume_action(&self) -> ResumeAction {
        ResumeAction::of_all(self.engines.iter().map(|e| e.flags.state))
    }

    /// The engines in attach order.
    pub fn engines(&self) -> impl Iterator<Item = &Engine<K>> {
        self.engines.iter()
    }

    /// The engines in attach order, to change their own part.
    pub fn engines_mut(&mut self) -> impl Iterator<Item = &mut Engine<K>> {
        self.engines.iter_mut()
    }

    /// One engine; ESRCH if it is not attached.
    pub fn engine(&self, id: EngineId) -> Result<&Engine<K>, Errno> {
        self.index(id).map(|at| &self.engines[at])
    }

    /// Whether no engine is attached.
    pub fn is_empty(&self) -> bool {
        self.engines.is_empty()
    }

    /// Where the task is in life.
    pub fn life(&self) -> Life {
        self.life
    }

    fn index(&self, id: EngineId) -> Result<usize, Errno> {
        self.engines
            .binary_search_by_key(&id, |e| e.id)
            .map_err(|_| Errno::ESRCH)
    }

    fn death_is_being_reported(&self) -> bool {
        self.round
            .as_ref()
            .is_some_and(|r| matches!(r.report.event, Event::Death { .. }) && !r.is_over())
    }
}
