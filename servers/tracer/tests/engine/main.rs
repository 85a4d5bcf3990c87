//! The engine layer (utrace.md), shown with engines that record what they are told.

mod calls;
mod rules;

use abi::tracer::{Event, Events, Report, SignalAction, Step, Verdict};
use abi::{Errno, SigInfo, TaskId};
use tracer::engine::*;

/// An engine that answers with what it was given, once per report.
#[derive(Debug, Default)]
struct Scripted {
    answers: Vec<Response>,
    told: Vec<Event>,
}

const TASK: TaskId = TaskId::new(7, 1);
const USR1: u8 = abi::signal::SIGUSR1;
const NEW: AttachFlags = AttachFlags::CREATE;

fn chain() -> Chain<Scripted> {
    Chain::new(Life::Alive)
}

fn report(number: u32, event: Event) -> Report {
    Report {
        task: TASK,
        tid: 7,
        number,
        more: true,
        call: 0,
        stopped: 0,
        asked: None,
        event,
    }
}

fn signal(action: SignalAction) -> Event {
    let info = SigInfo::new(USR1, 0);
    Event::Signal { info, action }
}

fn attach(chain: &mut Chain<Scripted>, events: Events, answers: &[Response]) -> EngineId {
    let kind = Scripted {
        answers: answers.to_vec(),
        told: Vec::new(),
    };
    let Ok(Attached::New(id)) = chain.attach(NEW, Origin::Outside, (1, 1), kind) else {
        panic!("attach");
    };
    let state = State::empty();
    chain.set_flags(id, Flags { events, state }).unwrap();
    id
}

/// Drives the chain until it stands or goes, engines answering at once.
fn drive(chain: &mut Chain<Scripted>) -> (Vec<EngineId>, Next) {
    let mut order = Vec::new();
    loop {
        let number = chain.report().map_or(0, |r| r.number);
        match chain.advance() {
            Next::Ask(id, event, _) => {
                order.push(id);
                let engine = chain.engines_mut().find(|e| e.id == id).unwrap();
                engine.kind.told.push(event);
                let response = if engine.kind.answers.is_empty() {
                    Response::default()
                } else {
                    engine.kind.answers.remove(0)
                };
                chain.answer(id, number, response).unwrap();
            }
            Next::Tell(id) => order.push(id),
            // Whether somebody has been told so before is for who drives it.
            Next::Held { .. } => return (order, HELD),
            end => return (order, end),
        }
    }
}

fn verdict(next: Next) -> Verdict {
    match next {
        Next::Go(go) => go.verdict,
        other => panic!("{other:?}"),
    }
}

fn state(state: State) -> Response {
    Response {
        state: Some(state),
        ..Response::default()
    }
}

fn chooses(action: SignalAction) -> Response {
    Response {
        signal: Some(Choice::Act(action)),
        ..Response::default()
    }
}

/// Some engine keeps the task.
const HELD: Next = Next::Held {
    news: true,
    quiet: false,
};

const QUIESCE: Events = Events::QUIESCE;
