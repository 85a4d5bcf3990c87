//! `postmortem`: a task that crashes stands still where it crashed until a debugger has attached, and
//! the debugger sees the signal as if it had been there.

use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::session::{Session, Target};
use anyhow::Result;
use clap::Args;
use libtrace::engine::{Callback, Choice, Engine, Event, Events, Flags, Response, State};

/// Its command line.
#[derive(Args)]
pub struct Options {
    /// Let it die after so many seconds if nobody has come
    #[arg(short, long, value_name = "SECONDS")]
    timeout: Option<u64>,
    #[command(flatten)]
    target: Target,
}

/// How often it is looked whether a debugger has come.
const INTERVAL: Duration = Duration::from_millis(50);

/// A task that has crashed and stands still.
struct Crashed {
    engine: Engine,
    since: Instant,
}

/// Does it, and returns the exit status.
pub fn run(options: &Options) -> Result<i32> {
    let patience = options.timeout.map(Duration::from_secs);
    let flags = Flags::events(Events::SIGNAL_CORE);
    let mut session = Session::begin(&options.target, flags, None)?;
    let mut held: BTreeMap<u32, Crashed> = BTreeMap::new();
    while session.goes_on() {
        let callback = match held.is_empty() {
            true => session.next_callback()?,
            false => session.poll()?,
        };
        if let Some(callback) = callback {
            held.retain(|tid, _| *tid != callback.tid);
            if let Event::Signal { info, .. } = &callback.event
                && !has_debugger(callback.tid)
            {
                let engine = session.engines.engine(&callback);
                announce(&callback, &engine, info.signo);
                session.engines.respond(Response {
                    // It goes back where it came from, for the debugger to see.
                    signal: Some(Choice::Hold),
                    state: Some(State::QUIESCE),
                    ..Response::default()
                });
                let since = Instant::now();
                held.insert(callback.tid, Crashed { engine, since });
            }
            continue;
        }
        held.retain(|tid, crashed| {
            let late = patience.is_some_and(|patience| crashed.since.elapsed() > patience);
            if !late && !has_debugger(*tid) {
                return true;
            }
            let end = if late {
                "nobody has come"
            } else {
                "a debugger has come"
            };
            eprintln!("postmortem: [{tid}] {end}");
            // From now on its crashes are the debugger's, or nobody's.
            let _ = crashed
                .engine
                .set(Flags::events(Events::DEATH | Events::CLONE), None);
            false
        });
        if !held.is_empty() {
            sleep(INTERVAL);
        }
    }
    session.end()
}

fn announce(callback: &Callback, engine: &Engine, signal: i32) {
    let tid = callback.tid;
    let at = engine.getregs().map_or(0, |regs| regs.rip);
    eprintln!("postmortem: [{tid}] signal {signal} at {at:#x}; it waits for a debugger");
}

/// Whether somebody traces the task with ptrace.
fn has_debugger(tid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{tid}/status")).unwrap_or_default();
    let tracer = status
        .lines()
        .find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|tracer| tracer.trim() != "0")
}
