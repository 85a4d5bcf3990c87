//! `coverage`: which functions of a program run, and how often, by breakpoints.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use crate::session::{Session, Target};
use crate::symbols::Functions;
use anyhow::{Context, Result};
use clap::Args;
use libtrace::engine::{Callback, Engine, Event, Events, Flags, Response, SignalAction, State};

/// Its command line.
#[derive(Args)]
pub struct Options {
    /// Count every time; without this a function costs once
    #[arg(short, long)]
    count: bool,
    /// Write the report here; without this to standard error
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

const SIGTRAP: i32 = 5;
/// The instruction of one byte that traps.
const INT3: u64 = 0xcc;

/// A breakpoint's place: one function of one program.
#[derive(Clone)]
struct Place {
    name: String,
    /// What the first byte was.
    byte: u8,
}

/// What is known of the tasks.
#[derive(Default)]
struct Coverage {
    every_time: bool,
    /// The breakpoints of each address space, by the tid of who made it with exec, and by address.
    programs: HashMap<u32, BTreeMap<u64, Place>>,
    /// Whose program a task runs.
    program_of: HashMap<u32, u32>,
    /// Where a task that steps has to get its breakpoint back.
    stepping: HashMap<u32, u64>,
    hits: BTreeMap<String, u64>,
}

/// Does it, and returns the exit status.
pub fn run(options: &Options) -> Result<i32> {
    let flags = Flags::events(Events::EXEC | Events::ANY_SIGNAL);
    let mut session = Session::begin(&options.target, flags, None)?;
    let mut coverage = Coverage {
        every_time: options.count,
        ..Coverage::default()
    };
    if let Some(pid) = options.target.pid {
        eprintln!("coverage: {pid} is counted from its next exec on");
    }
    while let Some(callback) = session.next_callback()? {
        let engine = session.engines.engine(&callback);
        if let Some(response) = coverage.told(&callback, &engine) {
            session.engines.respond(response);
        }
    }
    let report = coverage.report();
    match &options.output {
        Some(path) => File::create(path)
            .and_then(|mut file| file.write_all(report.as_bytes()))
            .with_context(|| path.display().to_string())?,
        None => io::stderr().write_all(report.as_bytes())?,
    }
    session.end()
}

impl Coverage {
    fn told(&mut self, callback: &Callback, engine: &Engine) -> Option<Response> {
        match callback.event {
            Event::Exec { .. } => {
                self.begin(callback.tid, engine);
                None
            }
            Event::Clone { child_tid, .. } => {
                if let Some(program) = self.program_of.get(&callback.tid) {
                    self.program_of.insert(child_tid, *program);
                }
                None
            }
            Event::Signal { ref info, .. } if info.signo == SIGTRAP => {
                self.trapped(callback.tid, engine)
            }
            _ => None,
        }
    }

    /// A new program: breakpoints at all its functions.
    fn begin(&mut self, tid: u32, engine: &Engine) {
        self.stepping.remove(&tid);
        self.program_of.remove(&tid);
        let Ok(functions) = Functions::of_task(tid as i32) else {
            return;
        };
        let mut places = BTreeMap::new();
        for (addr, name) in functions.names {
            self.hits.entry(name.clone()).or_default();
            let Ok(word) = engine.peek(addr) else {
                continue;
            };
            let set = engine.poke(addr, word & !0xff | INT3);
            if set.is_ok() {
                let byte = word as u8;
                places.insert(addr, Place { name, byte });
            }
        }
        // Functions may overlap in their first word: what was read of one has a breakpoint of
        // another in it only above the first byte, which is all that is kept.
        self.programs.insert(tid, places);
        self.program_of.insert(tid, tid);
    }

    /// A breakpoint, or the end of the step behind it. None where the trap is the program's own.
    fn trapped(&mut self, tid: u32, engine: &Engine) -> Option<Response> {
        let ours = Response::signal(SignalAction::Ignore);
        if let Some(addr) = self.stepping.remove(&tid) {
            set_byte(engine, addr, INT3 as u8).ok()?;
            return Some(Response {
                state: Some(State::empty()),
                ..ours
            });
        }
        let mut regs = engine.getregs().ok()?;
        let addr = regs.rip.wrapping_sub(1);
        let places = self.programs.get(self.program_of.get(&tid)?)?;
        let Place { name, byte } = places.get(&addr)?.clone();
        *self.hits.entry(name).or_default() += 1;
        set_byte(engine, addr, byte).ok()?;
        regs.rip = addr;
        engine.setregs(&regs).ok()?;
        if !self.every_time {
            return Some(ours);
        }
        self.stepping.insert(tid, addr);
        Some(Response {
            state: Some(State::SINGLESTEP),
            ..ours
        })
    }

    /// A line per function, and what part of them ran.
    fn report(&self) -> String {
        let ran = self.hits.values().filter(|count| **count > 0).count();
        let mut text = format!("{ran} of {} functions ran\n", self.hits.len());
        for (name, count) in &self.hits {
            let shown = match (count, self.every_time) {
                (0, _) => "-".to_string(),
                (_, false) => "+".to_string(),
                (count, true) => count.to_string(),
            };
            text.push_str(&format!("{shown:>10} {name}\n"));
        }
        text
    }
}

fn set_byte(engine: &Engine, addr: u64, byte: u8) -> libtrace::Result<()> {
    let word = engine.peek(addr)?;
    engine.poke(addr, word & !0xff | u64::from(byte))
}
