//! A program under engines, with all that it creates.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use libtrace::engine::{Callback, Calls, Engine, Engines, Event, Events, Flags};
use libtrace::{Errno, Pid, Status, ptrace, spawn, wait};

/// What to attach to.
#[derive(Args, Clone, Debug, Default)]
pub struct Target {
    /// A running process, with all its threads, in place of a program
    #[arg(short, long, value_name = "PID", conflicts_with = "program")]
    pub pid: Option<Pid>,
    /// The program to start, and its arguments
    #[arg(
        value_name = "PROGRAM",
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required_unless_present = "pid"
    )]
    pub program: Vec<OsString>,
}

/// Engines on a program: one on each of its tasks, children and threads among them.
pub struct Session {
    /// The engines.
    pub engines: Engines,
    calls: Option<Calls>,
    flags: Flags,
    alive: HashSet<u32>,
    child: Option<Pid>,
}

impl Session {
    /// Attaches engines that ask for `flags` and, where that is said, of `calls` only. A program is
    /// started, and begins to run when its engine is there.
    pub fn begin(target: &Target, flags: Flags, calls: Option<Calls>) -> Result<Session> {
        let engines = Engines::new().map_err(|error| match error {
            Errno::ENOSYS => anyhow!("there are engines in the Stillpoint machine only"),
            other => other.into(),
        })?;
        let events = flags.events | Events::CLONE | Events::DEATH;
        let mut session = Session {
            engines,
            calls,
            flags: Flags { events, ..flags },
            alive: HashSet::new(),
            child: None,
        };
        match target.pid {
            Some(pid) => session.attach_to(pid)?,
            None => session.start(&target.program)?,
        }
        Ok(session)
    }

    fn start(&mut self, program: &[OsString]) -> Result<()> {
        let name = program.first().context("no program")?;
        let path = find(name).with_context(|| format!("{}: not found", name.display()))?;
        let pid = spawn::spawn_traced(&path, program)?;
        self.child = Some(pid);
        self.watch(pid)?;
        ptrace::detach(pid, 0)?;
        Ok(())
    }

    fn attach_to(&mut self, pid: Pid) -> Result<()> {
        // A thread may create another one while its siblings are being attached to.
        loop {
            let tasks = tasks(pid)?;
            let new: Vec<_> = tasks
                .into_iter()
                .filter(|tid| !self.alive.contains(&(*tid as u32)))
                .collect();
            if new.is_empty() {
                return Ok(());
            }
            for tid in new {
                match self.watch(tid) {
                    // It has ended meanwhile.
                    Ok(_) | Err(Errno::ESRCH) => {}
                    Err(error) => bail!("{tid}: {error}"),
                }
            }
        }
    }

    fn watch(&mut self, tid: Pid) -> libtrace::Result<Engine> {
        let engine = self
            .engines
            .watch(tid, 0, self.flags, self.calls.as_ref())?;
        self.alive.insert(tid as u32);
        Ok(engine)
    }

    /// Whether some task is alive.
    pub fn goes_on(&self) -> bool {
        !self.alive.is_empty()
    }

    /// The next callback; none when no task is left. A task's children have engines of their own
    /// before they run.
    pub fn next_callback(&mut self) -> Result<Option<Callback>> {
        while self.goes_on() {
            match self.engines.next() {
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
                Ok(callback) => {
                    self.follow(&callback)?;
                    return Ok(Some(callback));
                }
            }
        }
        Ok(None)
    }

    /// The same without waiting.
    pub fn poll(&mut self) -> Result<Option<Callback>> {
        let callback = self.engines.poll()?;
        if let Some(callback) = &callback {
            self.follow(callback)?;
        }
        Ok(callback)
    }

    fn follow(&mut self, callback: &Callback) -> Result<()> {
        match callback.event {
            Event::Clone { child_tid, .. } => match self.watch(child_tid as Pid) {
                Ok(_) | Err(Errno::ESRCH) => {}
                Err(error) => bail!("{child_tid}: {error}"),
            },
            Event::Exec { former_tid } if former_tid != callback.tid => {
                self.alive.remove(&former_tid);
                self.alive.insert(callback.tid);
            }
            Event::Death { .. } => {
                self.alive.remove(&callback.tid);
            }
            _ => {}
        }
        Ok(())
    }

    /// Answers what is to be answered, and ends as the program has: with its exit status or by its
    /// signal. What was not started here leaves 0.
    pub fn end(mut self) -> Result<i32> {
        self.engines.poll()?;
        let Some(child) = self.child else {
            return Ok(0);
        };
        loop {
            match wait::wait(child, wait::WALL) {
                Ok((_, Status::Exited(status))) => return Ok(status),
                Ok((_, Status::Signaled(signal, _))) => spawn::die_by(signal),
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The tasks of a process.
fn tasks(pid: Pid) -> Result<Vec<Pid>> {
    let folder = fs::read_dir(format!("/proc/{pid}/task"));
    let folder = folder.with_context(|| format!("{pid}: no such process"))?;
    let tids = folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(tids.collect())
}

/// The file that a program's name means.
fn find(name: &OsString) -> Option<PathBuf> {
    let path = Path::new(name);
    if path.components().count() > 1 {
        return Some(path.into());
    }
    let folders = std::env::var_os("PATH")?;
    let mut candidates = std::env::split_paths(&folders).map(|folder| folder.join(name));
    candidates.find(|candidate| candidate.is_file())
}
