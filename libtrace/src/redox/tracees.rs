//! The tracees of a thread: an engine on each, and what has been read of it.
//!
//! A stop is a callback whose answer is put off until the tracee is told to go on.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use syscall::{PtraceEvent, PtraceFlags, ptrace_event};

use super::Flags;
use super::stop::{self, Place};
use crate::engine::{
    self, AttachFlags, Callback, Deferred, Engine, Engines, Event, Events, Flow, Response,
    Standing, State,
};
use crate::{Errno, Pid, Result, UserRegs, spawn};

/// What engines of tracers are matched by: there is one tracer of a task at most.
const OPS: u64 = 0x7265_646f_7870_726f;
const SIGKILL: i32 = 9;
/// The length of the breakpoint instruction.
const BREAKPOINT_LEN: u64 = 1;

/// A tracee by its number in this thread, which is never used again.
pub(super) type Id = u64;

thread_local! {
    static TRACEES: RefCell<Option<Tracees>> = const { RefCell::new(None) };
}

/// Does something with the thread's tracees.
///
/// # Errors
/// `ENOSYS` on Linux, and what `act` says.
pub(super) fn with<T>(act: impl FnOnce(&mut Tracees) -> Result<T>) -> Result<T> {
    let outcome = TRACEES.try_with(|tracees| {
        let mut tracees = tracees.borrow_mut();
        if tracees.is_none() {
            *tracees = Some(Tracees {
                engines: Engines::new()?,
                tracees: BTreeMap::new(),
                last: 0,
            });
        }
        act(tracees.as_mut().expect("just made"))
    });
    // A thread that ends has lost its engines.
    outcome.unwrap_or(Err(Errno::ESRCH))
}

pub(super) struct Tracees {
    engines: Engines,
    tracees: BTreeMap<Id, Tracee>,
    last: Id,
}

struct Tracee {
    engine: Engine,
    /// What it was opened as.
    pid: Pid,
    /// What it is now: exec by a thread that is no leader changes it.
    tid: Pid,
    /// What was asked for last.
    asked: Flags,
    /// The stop that was asked for has been reached.
    reached: bool,
    /// It is to stand still until it is told to go on.
    stopped: bool,
    events: VecDeque<PtraceEvent>,
    /// Events or its death have come that no event queue has reported.
    news: bool,
    held: Option<Held>,
    dead: bool,
    /// What the engine has been told.
    set: engine::Flags,
    /// Whose clone event it came by, where nobody has opened it.
    newborn_of: Option<Id>,
}

#[derive(Clone, Copy)]
struct Held {
    answer: Deferred,
    place: Place,
}

/// A task that stands still, and where.
pub(super) struct Stopped {
    pub engine: Engine,
    pub place: Place,
}

impl Tracees {
    /// Traces a task; with `stop` it stands still from as soon as it can.
    ///
    /// # Errors
    /// `ESRCH`: no such task, or it is dead. `EBUSY`: it has such a tracer. `EPERM`, `EAGAIN`, `ENOMEM`
    /// as [`Engines::attach`].
    pub fn open(&mut self, pid: Pid, stop: bool) -> Result<Id> {
        let newborn =
            |(_, tracee): &(&Id, &mut Tracee)| tracee.pid == pid && tracee.newborn_of.is_some();
        if let Some((id, tracee)) = self.tracees.iter_mut().find(newborn) {
            let id = *id;
            tracee.newborn_of = None;
            if !stop {
                self.resume(id, Flags::empty())?;
                self.flush()?;
            }
            return Ok(id);
        }
        let flags = AttachFlags::CREATE | AttachFlags::EXCLUSIVE | AttachFlags::MATCH_OPS;
        self.attach(pid, flags, stop).map_err(|error| match error {
            Errno::EEXIST => Errno::EBUSY,
            other => other,
        })
    }

    fn attach(&mut self, pid: Pid, flags: AttachFlags, stop: bool) -> Result<Id> {
        let id = self.last + 1;
        let attached = self.engines.attach(pid, flags, OPS, id)?;
        let engine = attached.engine;
        let set = with_quiet(stop::wanted(Flags::empty()), stop);
        let ready = match attached.standing {
            Standing::Dead => Err(Errno::ESRCH),
            _ => engine.set(set, None),
        };
        if ready.is_err() {
            let _ = engine.detach();
            return Err(Errno::ESRCH);
        }
        self.last = id;
        let tracee = Tracee {
            engine,
            pid,
            tid: pid,
            asked: Flags::empty(),
            reached: false,
            stopped: stop,
            events: VecDeque::new(),
            news: false,
            held: None,
            dead: false,
            set,
            newborn_of: None,
        };
        self.tracees.insert(id, tracee);
        Ok(id)
    }

    /// Lets go of a tracee, which runs on, or dies if that is asked for.
    pub fn close(&mut self, id: Id, kill: bool) -> Result<()> {
        self.release_newborns(id)?;
        let Some(tracee) = self.tracees.get(&id) else {
            return Ok(());
        };
        if kill && !tracee.dead {
            let _ = spawn::send_signal(tracee.tid, SIGKILL);
        }
        let (engine, held, dead) = (tracee.engine, tracee.held, tracee.dead);
        self.tracees.remove(&id);
        if dead {
            return Ok(());
        }
        let Some(held) = held else {
            // It may have died by itself.
            return engine.detach().or(Ok(()));
        };
        let response = Response {
            flow: Flow::Detach,
            ..stop::go_on(held.place, false)
        };
        self.answer(held.answer, response)?;
        self.flush()
    }

    /// What is written to a trace file: what to stop at, and go on.
    ///
    /// # Errors
    /// `ESRCH`: it has died. `EINTR`: a signal handler ran while it was waited for.
    pub fn write(&mut self, id: Id, flags: Flags, wait: bool) -> Result<()> {
        let only_wait = flags.contains(Flags::FLAG_WAIT) && !flags.intersects(Flags::STOP_ALL);
        if !only_wait {
            self.release_newborns(id)?;
            if self.tracee(id)?.dead {
                self.flush()?;
                return Err(Errno::ESRCH);
            }
            self.resume(id, flags)?;
        }
        if !wait && !flags.contains(Flags::FLAG_WAIT) {
            return self.flush();
        }
        loop {
            let tracee = self.tracee(id)?;
            if tracee.reached || !tracee.events.is_empty() {
                return self.flush();
            }
            if tracee.dead {
                // Its death is answered: it becomes a zombie.
                self.flush()?;
                return Err(Errno::ESRCH);
            }
            self.wait()?;
        }
    }

    /// The next event, if there is one. Does not wait.
    pub fn read(&mut self, id: Id) -> Result<Option<PtraceEvent>> {
        self.gather()?;
        let tracee = self.tracee(id)?;
        let event = tracee.events.pop_front();
        // What has been read is no news any more, whoever has seen it come.
        tracee.news &= tracee.dead || !tracee.events.is_empty();
        Ok(event)
    }

    /// Waits until one of these has news, and says which.
    pub fn wait_for_news(&mut self, ids: impl Iterator<Item = Id> + Clone) -> Result<Id> {
        self.gather()?;
        loop {
            for id in ids.clone() {
                let Some(tracee) = self.tracees.get_mut(&id) else {
                    continue;
                };
                if std::mem::take(&mut tracee.news) {
                    self.flush()?;
                    return Ok(id);
                }
            }
            self.wait()?;
        }
    }

    /// Does something with a task that stands still: where it is at a stop, or is stopped for it. It
    /// need not be a tracee.
    ///
    /// # Errors
    /// `ESRCH`: there is no such task, or it dies; and what `act` says.
    pub fn visit<T>(&mut self, pid: Pid, act: impl FnOnce(&Stopped) -> Result<T>) -> Result<T> {
        let found = self.tracees.iter().find(|(_, tracee)| tracee.pid == pid);
        let Some((id, _)) = found else {
            let id = self.attach(pid, AttachFlags::CREATE, true)?;
            let outcome = self.stop(id).and_then(|stopped| act(&stopped));
            self.close(id, false)?;
            return outcome;
        };
        let id = *id;
        let stopped = self.stop(id)?;
        let outcome = act(&stopped);
        let tracee = self.tracee(id)?;
        if stopped.place == Place::Quiet && !tracee.stopped {
            let asked = tracee.asked;
            self.go(id, asked, false)?;
            self.flush()?;
        }
        outcome
    }

    /// The task's number, for what needs it not to stand still.
    pub fn tid(&self, pid: Pid) -> Pid {
        let mut tracees = self.tracees.values();
        let found = tracees.find(|tracee| tracee.pid == pid);
        found.map_or(pid, |tracee| tracee.tid)
    }

    fn stop(&mut self, id: Id) -> Result<Stopped> {
        loop {
            let tracee = self.tracee(id)?;
            if let Some(held) = tracee.held {
                let (engine, place) = (tracee.engine, held.place);
                self.flush()?;
                return Ok(Stopped { engine, place });
            }
            if tracee.dead {
                self.flush()?;
                return Err(Errno::ESRCH);
            }
            if !tracee.set.state.contains(State::QUIESCE) {
                tracee.set = with_quiet(tracee.set, true);
                tracee.engine.set(tracee.set, None)?;
            }
            self.wait()?;
        }
    }

    fn resume(&mut self, id: Id, flags: Flags) -> Result<()> {
        let tracee = self.tracee(id)?;
        tracee.asked = flags;
        tracee.reached = false;
        tracee.stopped = false;
        self.go(id, flags, flags.contains(Flags::FLAG_IGNORE))
    }

    /// Has a tracee go on, or change what it stops at while it runs.
    fn go(&mut self, id: Id, flags: Flags, ignore: bool) -> Result<()> {
        let tracee = self.tracee(id)?;
        let wanted = stop::wanted(flags);
        let held = tracee.held.take();
        // What is only about the task's state goes with the answer.
        if tracee.set.events != wanted.events || held.is_none() && tracee.set != wanted {
            match tracee.engine.set(wanted, None) {
                // It has been killed, and its death is on the way.
                Ok(()) | Err(Errno::ESRCH | Errno::EALREADY) => {}
                Err(error) => return Err(error),
            }
        }
        tracee.set = wanted;
        let Some(held) = held else {
            return Ok(());
        };
        if held.place == Place::PreSyscall && ignore {
            // Redox has the call's number and its result in one register.
            let engine = tracee.engine;
            let _ = engine
                .getregs()
                .and_then(|regs| engine.set_result(regs.orig_rax as i64));
        }
        self.answer(
            held.answer,
            Response {
                state: Some(wanted.state),
                ..stop::go_on(held.place, ignore)
            },
        )
    }

    /// Lets the children go that nobody has opened.
    fn release_newborns(&mut self, parent: Id) -> Result<()> {
        let newborns: Vec<Id> = self
            .tracees
            .iter()
            .filter(|(_, tracee)| tracee.newborn_of == Some(parent))
            .map(|(id, _)| *id)
            .collect();
        newborns
            .into_iter()
            .try_for_each(|id| self.close(id, false))
    }

    fn tracee(&mut self, id: Id) -> Result<&mut Tracee> {
        self.tracees.get_mut(&id).ok_or(Errno::ESRCH)
    }

    /// Has `response` go out with the next message.
    fn answer(&mut self, to: Deferred, response: Response) -> Result<()> {
        self.flush()?;
        self.engines.respond_to(to, response)
    }

    /// Gives all answers that are due: what is not at a stop runs.
    fn flush(&mut self) -> Result<()> {
        while self.engines.is_answering() {
            if let Some(callback) = self.engines.poll()? {
                self.take(&callback)?;
            }
        }
        Ok(())
    }

    /// Takes all that has happened.
    fn gather(&mut self) -> Result<()> {
        while let Some(callback) = self.engines.poll()? {
            self.take(&callback)?;
        }
        Ok(())
    }

    fn wait(&mut self) -> Result<()> {
        let callback = self.engines.next()?;
        self.take(&callback)
    }

    fn take(&mut self, callback: &Callback) -> Result<()> {
        let id = callback.data;
        let Some(tracee) = self.tracees.get_mut(&id) else {
            return Ok(());
        };
        match callback.event {
            Event::Death { .. } => {
                tracee.dead = true;
                tracee.news = true;
                tracee.held = None;
            }
            Event::Exec { .. } => {
                tracee.tid = callback.tid as Pid;
                tracee.tell(ptrace_event!(PtraceFlags::PTRACE_EVENT_ADDRSPACE_SWITCH));
            }
            Event::Clone { child_tid, .. } => {
                if !tracee.asked.contains(Flags::EVENT_CLONE) {
                    return Ok(());
                }
                tracee.tell(ptrace_event!(
                    PtraceFlags::PTRACE_EVENT_CLONE,
                    child_tid as usize
                ));
                // One that has been killed, or has no room for an engine, is told of all the same.
                if let Ok(child) = self.open(child_tid as Pid, true) {
                    self.tracee(child)?.newborn_of = Some(id);
                }
            }
            Event::Quiesce if tracee.set.state.contains(State::QUIESCE) => {
                self.hold(id, Place::Quiet);
            }
            ref event => {
                let handler = callback.action.handler;
                if let Some((place, read)) = stop::stop_at(event, handler, tracee.asked) {
                    tracee.reached = true;
                    tracee.tell(read);
                    if place == Place::Breakpoint {
                        step_back(&tracee.engine);
                    }
                    self.hold(id, place);
                }
            }
        }
        Ok(())
    }

    fn hold(&mut self, id: Id, place: Place) {
        if let Some(answer) = self.engines.defer()
            && let Some(tracee) = self.tracees.get_mut(&id)
        {
            tracee.held = Some(Held { answer, place });
        }
    }
}

impl Tracee {
    /// Keeps an event that was asked for.
    fn tell(&mut self, event: PtraceEvent) {
        if self.asked.contains(Flags::from(event.cause)) {
            self.events.push_back(event);
            self.news = true;
        }
    }
}

fn with_quiet(flags: engine::Flags, quiet: bool) -> engine::Flags {
    let engine::Flags {
        mut events,
        mut state,
    } = flags;
    events.set(Events::QUIESCE, quiet);
    state.set(State::QUIESCE, quiet);
    engine::Flags { events, state }
}

/// On Redox a task that has reached a breakpoint points at it, not behind it.
fn step_back(engine: &Engine) {
    let back = |regs: UserRegs| UserRegs {
        rip: regs.rip.wrapping_sub(BREAKPOINT_LEN),
        ..regs
    };
    // One that has been killed meanwhile has no registers.
    let _ = engine
        .getregs()
        .and_then(|regs| engine.setregs(&back(regs)));
}
