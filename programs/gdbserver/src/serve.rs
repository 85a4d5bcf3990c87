//! One debugger after the other.

use std::time::{Duration, Instant};

use libtrace::interrupt;
use libtrace::sleep::{Sleeper, Woken};

use crate::line::{Connection, Line};
use crate::packet::NEXT;
use crate::session::Session;

/// How long stopping everything may take before it is looked at who cannot stop.
const PATIENCE: Duration = Duration::from_millis(20);

/// This program as it runs.
pub struct Server {
    line: Line,
    session: Session,
    sleeper: Sleeper,
    connection: Option<Connection>,
    /// When what is debugged is let go, for nobody is there.
    until: Option<Instant>,
    /// How long to wait for a debugger that was lost.
    hold: Duration,
    /// It stays when nothing is left to debug.
    multi: bool,
}

impl Server {
    /// Serves debuggers from `line`.
    pub fn new(
        line: Line,
        session: Session,
        sleeper: Sleeper,
        hold: Duration,
        multi: bool,
    ) -> Server {
        Server {
            line,
            session,
            sleeper,
            connection: None,
            until: None,
            hold,
            multi,
        }
    }

    /// Serves until there is nothing left to do, and gives back what there is to say of programs.
    ///
    /// # Errors
    /// What ppoll(2) lists.
    pub fn run(mut self) -> libtrace::Result<Session> {
        while !self.is_done() {
            self.work();
            if self.session.is_over() || interrupt::seen().is_some() {
                break;
            }
            if !self.is_done() {
                self.sleep()?;
            }
        }
        self.session.let_go();
        Ok(self.session)
    }

    /// Whether nothing can happen any more that matters: nobody is there, and nothing to debug.
    fn is_done(&self) -> bool {
        let target = &self.session.target;
        let idle = self.connection.is_none() && target.is_empty() && !target.has_children();
        // At the beginning somebody is still to come.
        let awaited = self.multi || self.until.is_none();
        idle && (!awaited || self.line.descriptor().is_none())
    }

    fn work(&mut self) {
        match &mut self.connection {
            None => self.session.target.take_changes(),
            Some(connection) => {
                self.session.work();
                let output = self.session.take_output();
                let failed = !output.is_empty() && connection.write(&output).is_err();
                if self.session.hung_up() {
                    let _ = connection.write(NEXT);
                    self.lose();
                } else if failed {
                    self.line.ended();
                    self.lose();
                }
            }
        }
        if self.connection.is_none() && self.until.is_some_and(|it| it <= Instant::now()) {
            self.session.let_go();
        }
    }

    fn sleep(&mut self) -> libtrace::Result<()> {
        let awaited = match &self.connection {
            Some(connection) => Some(connection.descriptor()),
            None => self.line.descriptor(),
        };
        if self.connection.is_some() && self.session.waits_for_requests() {
            // There is nothing else to wait for, which one call can do.
            self.hear();
            return Ok(());
        }
        let waits = !self.session.target.is_empty();
        let time = match (&self.connection, self.until) {
            (Some(_), _) => self.session.is_impatient().then_some(PATIENCE),
            (None, until) => until
                .filter(|_| waits)
                .map(|it| it.saturating_duration_since(Instant::now())),
        };
        let descriptors: Vec<_> = awaited.into_iter().collect();
        match self.sleeper.sleep(&descriptors, time)? {
            Woken::Ready(_) => self.hear(),
            Woken::Timeout if self.session.is_impatient() => self.session.lose_patience(),
            Woken::Timeout | Woken::Signal => {}
        }
        Ok(())
    }

    /// Takes what has come: bytes, the end of a connection, or a new one.
    fn hear(&mut self) {
        let Some(connection) = &mut self.connection else {
            // Who has gone already need not be served.
            self.connection = self.line.accept().ok();
            return;
        };
        let mut buffer = [0; 16384];
        match connection.read(&mut buffer) {
            Some(0) => {
                self.line.ended();
                self.lose();
            }
            Some(count) => self.session.receive(&buffer[..count]),
            None => {}
        }
    }

    /// The debugger has gone, and may come back.
    fn lose(&mut self) {
        self.connection = None;
        self.session.disconnected();
        self.until = Some(Instant::now() + self.hold);
    }
}
