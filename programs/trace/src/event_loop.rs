//! The event loop.

use std::time::{Duration, Instant};

use libtrace::wait::{self, Usage};
use libtrace::{Errno, Pid, Status, interrupt};

use crate::tracee;
use crate::tracer::Tracer;

/// How often whoever waits for a trace hears of it, even where nothing happens.
const TICK: Duration = Duration::from_millis(500);
/// How exactly a delay that was injected is kept.
const DELAY_STEP: Duration = Duration::from_millis(1);

impl Tracer {
    /// Traces until nothing is left to trace or the user interrupts. The result is how
    /// the program ended, or the signal that interrupted us.
    ///
    /// # Errors
    /// A message where the pictures cannot be written.
    pub fn run(mut self) -> Result<Option<Status>, String> {
        if self.progress.is_shown() || self.exporter.is_some() {
            interrupt::tick(TICK).map_err(|error| format!("setitimer: {error}"))?;
        }
        while !self.tracees.is_empty() {
            if let Some(signal) = interrupt::seen() {
                self.let_go(signal);
                self.outcome = Some(Status::Signaled(signal, false));
                break;
            }
            match self.wait() {
                Ok(Some((pid, status, usage))) => self.handle(pid, status, usage),
                Ok(None) => {}
                Err(Errno::EINTR) => self.tick(),
                Err(_) => break,
            }
        }
        if self.settings.counts() {
            let table = self
                .counts
                .table(&self.settings.options.summary_sort_by, tracee::name);
            self.output.whole(0, &table);
        }
        self.progress.clear();
        self.recorder.finish()?;
        if let Some(exporter) = &self.exporter {
            let sent = exporter.borrow_mut().flush();
            sent.map_err(|error| format!("sending the trace out: {error}"))?;
        }
        Ok(self.outcome)
    }

    /// The next thing that happened, or nothing where a delayed tracee may go on first.
    fn wait(&mut self) -> Result<Option<(Pid, Status, Usage)>, Errno> {
        if self.delays == 0 {
            return wait::wait_with_usage(-1, wait::WALL).map(Some);
        }
        self.resume_delayed();
        let found = wait::try_wait_with_usage(-1, wait::WALL)?;
        if found.is_none() {
            std::thread::sleep(DELAY_STEP);
        }
        Ok(found)
    }

    fn resume_delayed(&mut self) {
        let now = Instant::now();
        let due: Vec<(Pid, i32)> = self
            .tracees
            .iter()
            .filter_map(|(pid, tracee)| {
                let (until, signal) = tracee.delayed?;
                (until <= now).then_some((*pid, signal))
            })
            .collect();
        for (pid, signal) in due {
            self.tracees.entry(pid).or_default().delayed = None;
            self.resume(pid, signal);
        }
        self.delays = self
            .tracees
            .values()
            .filter(|it| it.delayed.is_some())
            .count();
    }

    /// A while has gone by.
    fn tick(&mut self) {
        self.progress.update(self.events);
        if let Some(exporter) = &self.exporter {
            // The next flush will fail as well, and the last one says so.
            let _ = exporter.borrow_mut().flush();
        }
    }
}
