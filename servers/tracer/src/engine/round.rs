//! One report on its way along the chain.

use super::{
    Arbitration, Chain, Choice, Engine, EngineId, Flow, Go, Life, Next, Response, ResumeAction,
    State,
};
use abi::linux::general::CLONE_PTRACE;
use abi::signal::Action;
use abi::tracer::{Event, Events, Report, SignalAction, Verdict};
use abi::{Errno, SigInfo};

/// A report going along the chain.
#[derive(Clone, Debug, Hash)]
pub(super) struct Round {
    pub(super) report: Report,
    /// The engine asked last; engines up to `last` have been or will be asked.
    at: EngineId,
    last: EngineId,
    pub(super) asked: Option<EngineId>,
    phase: Phase,
    signal: Option<Arbitration>,
    info_changed: bool,
    pub(super) injected: Option<(Choice, SigInfo, Option<Action>)>,
    abort: bool,
    quiet: bool,
    stay: Option<u8>,
    /// Somebody has been told that every engine has seen the report.
    seen: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Event,
    Quiesce,
}

impl Round {
    /// Whether the event itself has been reported to everyone.
    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Quiesce && self.asked.is_none()
    }

    fn event(&self) -> Event {
        match &self.signal {
            Some(signal) => Event::Signal {
                info: signal.info,
                action: signal.outcome(),
            },
            None => self.report.event,
        }
    }

    fn mask(&self) -> Events {
        let event = self.event();
        match event {
            Event::Clone { flags, .. } if flags & u64::from(CLONE_PTRACE) != 0 => {
                Events::CLONE | Events::CLONE_PTRACE
            }
            _ => event.events(),
        }
    }

    /// Whether an engine is to be told of the event, as it stands now.
    fn concerns<K>(&self, engine: &Engine<K>) -> bool {
        let is_call = matches!(self.report.event, Event::SyscallEntry | Event::SyscallExit);
        let calls = engine.calls.as_ref().filter(|_| is_call);
        let steps = State::SINGLESTEP | State::BLOCKSTEP;
        let steps = engine.flags.state.intersects(steps);
        engine.flags.events.intersects(self.mask())
            && (steps || self.report.event != Event::HandlerStep)
            && calls.is_none_or(|calls| calls.has(self.report.call))
    }

    fn verdict(&self) -> (Verdict, Option<SigInfo>) {
        if let Some(signal) = self.signal {
            return match self.injected {
                Some((choice, info, handler)) => Arbitration {
                    info,
                    handler,
                    choice: Some(choice),
                    ..signal
                }
                .verdict(true),
                None => signal.verdict(self.info_changed),
            };
        }
        match self.report.event {
            Event::SyscallEntry if self.abort => (Verdict::AbortSyscall, None),
            Event::JobControl { .. } | Event::Quiesce => match self.stay {
                Some(signo) => {
                    let stays = Verdict::Signal {
                        action: SignalAction::Stop,
                        info: SigInfo::new(signo, 0),
                        handler: None,
                    };
                    (stays, None)
                }
                None => (Verdict::Continue, None),
            },
            _ => (Verdict::Continue, None),
        }
    }
}

impl<K> Chain<K> {
    /// A report arrived. Returns whether another one was outstanding: then the task was killed,
    /// which breaks every hold (utrace rule 6), and whatever engines still answer to the old one
    /// is refused. An engine that has been asked already is the last that is: it was the only one.
    pub fn begin(&mut self, report: Report) -> bool {
        let broken = self.withdraw();
        let dead = matches!(report.event, Event::Death { .. } | Event::Reap);
        for engine in &mut self.engines {
            engine.due = false;
            if dead {
                engine.flags.state.remove(State::QUIESCE);
            }
        }
        self.life = match report.event {
            Event::Reap => Life::Reaped,
            Event::Death { .. } => Life::Dead,
            _ if self.life == Life::Newborn => Life::Alive,
            _ => self.life,
        };
        let signal = match report.event {
            Event::Signal { info, action } => Some(Arbitration::new(info, action)),
            _ => None,
        };
        let asked = report.asked.map(EngineId);
        let last = || self.engines.last().map_or(EngineId(0), |e| e.id);
        self.round = Some(Round {
            report,
            at: asked.unwrap_or(EngineId(0)),
            last: asked.unwrap_or_else(last),
            asked,
            // Nobody wants any more what a quiesce report comes of.
            phase: match report.event {
                Event::Quiesce if !self.resume_action().stops() => Phase::Quiesce,
                _ => Phase::Event,
            },
            signal,
            info_changed: false,
            injected: None,
            abort: false,
            quiet: false,
            stay: None,
            seen: false,
        });
        broken
    }

    /// A report arrived that the engines which there are have seen before, and whose answers were these.
    pub fn begin_seen(&mut self, report: Report, answers: &[(EngineId, Response)]) {
        self.begin(report);
        for (id, response) in answers {
            if let Some(round) = &mut self.round {
                round.asked = Some(*id);
            }
            // Its engine is attached: nobody is asked who is not.
            let _ = self.answer(*id, report.number, *response);
        }
        if let Some(round) = &mut self.round {
            round.at = round.last;
            round.phase = Phase::Quiesce;
            round.seen = true;
        }
    }

    /// The outstanding report.
    pub fn report(&self) -> Option<&Report> {
        self.round.as_ref().map(|r| &r.report)
    }

    /// The outstanding report is withdrawn without an answer: the task was killed, which breaks
    /// every hold. Returns whether there was one.
    pub fn withdraw(&mut self) -> bool {
        let broken = self.round.take().is_some();
        if broken {
            for engine in &mut self.engines {
                engine.flags.state.remove(State::QUIESCE);
            }
        }
        broken
    }

    /// When the task goes on from a job-control stop or a quiesce report, it stays in the
    /// job-control stop that `signo` made of its process (PTRACE_LISTEN, PTRACE_DETACH).
    pub fn stay(&mut self, signo: u8) {
        if let Some(round) = &mut self.round {
            round.stay = Some(signo);
        }
    }

    /// The engine that owes an answer.
    pub fn asked(&self) -> Option<EngineId> {
        self.round.as_ref()?.asked
    }

    /// The job-control stop that the task's process is in, if it is in one.
    pub fn stopped(&self) -> Option<u8> {
        let stopped = self.round.as_ref().map_or(0, |round| round.report.stopped);
        (stopped != 0).then_some(stopped)
    }

    /// What the process manager would be told if the task went on now.
    pub fn outcome(&self) -> Option<Go> {
        let round = self.round.as_ref()?;
        let (verdict, requeue) = round.verdict();
        Some(Go {
            number: round.report.number,
            step: self.resume_action().step(),
            verdict,
            quiet: round.quiet,
            requeue,
        })
    }

    /// What is to be done now. [`Next::Go`] ends the report.
    pub fn advance(&mut self) -> Next {
        let Some(round) = &mut self.round else {
            return Next::Idle;
        };
        if let Some(asked) = round.asked {
            return Next::Waiting(asked);
        }
        if round.phase == Phase::Event {
            let follow = |e: &&Engine<K>| e.id > round.at && e.id <= round.last;
            let mut following = self.engines.iter().filter(follow);
            if let Some(engine) = following.find(|e| round.concerns(e)) {
                round.at = engine.id;
                if round.report.event == Event::Reap {
                    return Next::Tell(engine.id);
                }
                round.asked = Some(engine.id);
                let handler = round.signal.and_then(|signal| signal.handler);
                return Next::Ask(engine.id, round.event(), handler);
            }
            self.event_is_over();
        }
        let stops = self.keeps();
        let round = self.round.as_mut().expect("looked at above");
        if stops && let Some(engine) = self.engines.iter_mut().find(|e| e.due) {
            engine.due = false;
            round.asked = Some(engine.id);
            return Next::Ask(engine.id, Event::Quiesce, None);
        }
        if stops {
            return Next::Held {
                news: !core::mem::replace(&mut round.seen, true),
                quiet: round.quiet,
            };
        }
        let go = self.outcome().expect("looked at above");
        self.round = None;
        Next::Go(go)
    }

    /// An engine's answer to report `number`. ESRCH, and nothing changes, unless exactly that
    /// engine was asked about exactly that report (utrace rule 10). The engine, if it detached.
    pub fn answer(
        &mut self,
        id: EngineId,
        number: u32,
        response: Response,
    ) -> Result<Option<K>, Errno> {
        let round = self.round.as_mut().ok_or(Errno::ESRCH)?;
        if round.asked != Some(id) || round.report.number != number {
            return Err(Errno::ESRCH);
        }
        let at = self
            .engines
            .binary_search_by_key(&id, |e| e.id)
            .map_err(|_| Errno::ESRCH)?;
        round.asked = None;
        if round.phase == Phase::Event {
            if let Some(signal) = &mut round.signal {
                signal.choice = response.signal.or(signal.choice);
                signal.info = response.info.unwrap_or(signal.info);
                signal.handler = response.handler.or(signal.handler);
                round.info_changed |= response.info.is_some() || response.handler.is_some();
            }
            round.abort |= response.abort;
            round.quiet |= response.quiet;
            let hideable = !matches!(
                round.report.event,
                Event::Exit { .. } | Event::Death { .. } | Event::Reap
            );
            if response.flow == Flow::Hide && hideable {
                round.at = round.last;
            }
        }
        if let Some(state) = response.state {
            self.engines[at].flags.state = match self.life {
                Life::Dead | Life::Reaped => state.difference(State::QUIESCE),
                _ => state,
            };
        }
        Ok((response.flow == Flow::Detach).then(|| self.remove(at)))
    }

    /// Utrace rule 4: after the event's own report, the quiesce report to whoever asked for it.
    fn event_is_over(&mut self) {
        let stops = self.resume_action() == ResumeAction::Stop;
        let Some(round) = &mut self.round else { return };
        round.phase = Phase::Quiesce;
        let was_quiesce = round.report.event == Event::Quiesce;
        for engine in &mut self.engines {
            engine.due |= stops && !was_quiesce && engine.flags.events.contains(Events::QUIESCE);
        }
    }

    /// Whether some engine keeps the task where it is: QUIESCE while it lives (rule 2), NOREAP
    /// once it is dead (rule 8), nothing once it is being reaped (rule 7).
    fn keeps(&self) -> bool {
        match self.life {
            Life::Newborn | Life::Alive => self.resume_action().stops(),
            Life::Dead => self
                .engines
                .iter()
                .any(|e| e.flags.state.contains(State::NOREAP)),
            Life::Reaped => false,
        }
    }
}
