//! Running the machine with its console on our standard streams.
//!
//! Console and log are QEMU's own standard streams, as pipes: they hold back QEMU when we are slow, their ends are seen, and what was
//! written before QEMU left is still in them. The control channel is a file, read when everything is over.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::{Channels, Config, Outcome, QEMU, command, framing};

/// How long the last output of a machine that was ended may take to be passed on.
const LAST_OUTPUT: Duration = Duration::from_secs(2);

/// A machine that is running. Dropping it ends the machine.
pub struct Run {
    qemu: Child,
    events: Receiver<Event>,
    sender: Sender<Event>,
    folder: TempDir,
    started: Instant,
    first_output: Arc<OnceLock<Instant>>,
}

/// How long a run took, from the start of QEMU on.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Until the first byte on console or log, if there was one.
    pub first_output: Option<Duration>,
    /// Until the end.
    pub end: Duration,
}

/// Ends a run from elsewhere, as from a signal handler.
#[derive(Clone)]
pub struct Stopper(Sender<Event>);

/// What can happen while the machine runs.
enum Event {
    /// One of QEMU's outputs has ended and all of it has been passed on.
    OutputEnded,
    /// Our standard output is closed.
    OutputClosed,
    /// Somebody wants the run to end.
    Stop,
}

/// Starts QEMU. Our standard input, output and error become the program's. The calling thread has to outlive the run.
pub fn start(config: &Config) -> Result<Run> {
    let folder = tempfile::Builder::new()
        .prefix("stillpoint-")
        .tempdir()
        .context("making a folder for the run")?;
    // QEMU gets short relative names: the length of these paths shows in the instruction counts.
    let mut config = config.clone();
    for (path, name) in [
        (&mut config.kernel, "kernel32.elf"),
        (&mut config.root, "root.elf"),
    ] {
        symlink(
            fs::canonicalize(&*path).with_context(|| path.display().to_string())?,
            folder.path().join(name),
        )?;
        *path = name.into();
    }
    let channels = Channels {
        console: "stdio,signal=off",
        log: "file,path=/dev/stderr,append=on",
        control: "file,path=control",
    };
    let mut qemu = bound_to_us(&command(&config, &channels));
    qemu.current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let started = Instant::now();
    let mut qemu = qemu.spawn().with_context(|| format!("starting {QEMU}"))?;

    let (sender, events) = channel();
    let input = qemu.stdin.take().expect("standard input is piped");
    let output = qemu.stdout.take().expect("standard output is piped");
    let log = qemu.stderr.take().expect("standard error is piped");
    // Nobody waits for this thread: it may be stuck reading a terminal when the run is over.
    thread::spawn(move || feed(io::stdin().lock(), input));
    let first_output = Arc::new(OnceLock::new());
    let (at_end, first) = (sender.clone(), first_output.clone());
    thread::spawn(move || {
        let closed = pass_on(output, io::stdout(), &first).is_err();
        at_end.send(if closed {
            Event::OutputClosed
        } else {
            Event::OutputEnded
        })
    });
    let (at_end, first) = (sender.clone(), first_output.clone());
    thread::spawn(move || {
        // A closed standard error is no reason to end the program.
        let _ = pass_on(log, io::stderr(), &first);
        at_end.send(Event::OutputEnded)
    });
    Ok(Run {
        qemu,
        events,
        sender,
        folder,
        started,
        first_output,
    })
}

impl Run {
    /// A handle that ends this run.
    pub fn stopper(&self) -> Stopper {
        Stopper(self.sender.clone())
    }

    /// Waits until the machine is over and everything it wrote has been passed on. After `timeout` the machine is ended.
    pub fn wait(mut self, timeout: Option<Duration>) -> Result<(Outcome, Times)> {
        let mut deadline = timeout.map(|timeout| Instant::now() + timeout);
        let mut open_outputs = 2;
        let mut given_up = None;
        while open_outputs > 0 {
            let reason = match next(&self.events, deadline) {
                Ok(Event::OutputEnded) => {
                    open_outputs -= 1;
                    continue;
                }
                Ok(Event::OutputClosed) => {
                    open_outputs -= 1;
                    Outcome::OutputClosed
                }
                Ok(Event::Stop) => Outcome::Interrupted,
                // Whoever takes our output does not take the last of it either.
                Err(_) if given_up.is_some() => break,
                Err(_) => timed_out(timeout),
            };
            given_up.get_or_insert(reason);
            self.qemu.kill()?;
            deadline = Some(Instant::now() + LAST_OUTPUT);
        }
        let status = self.qemu.wait()?;
        let times = Times {
            first_output: (self.first_output.get()).map(|first| *first - self.started),
            end: self.started.elapsed(),
        };
        let outcome =
            given_up.unwrap_or_else(|| ended(&self.folder.path().join("control"), status));
        Ok((outcome, times))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // Both fail only if QEMU is gone, which is what is wanted.
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

impl Stopper {
    /// Ends the run.
    pub fn stop(&self) {
        // It fails only if the run is over.
        let _ = self.0.send(Event::Stop);
    }
}

/// The next event, or an error once the deadline has passed.
fn next(events: &Receiver<Event>, deadline: Option<Instant>) -> Result<Event, RecvTimeoutError> {
    match deadline {
        Some(deadline) => events.recv_timeout(deadline.saturating_duration_since(Instant::now())),
        None => events.recv().map_err(RecvTimeoutError::from),
    }
}

fn timed_out(timeout: Option<Duration>) -> Outcome {
    let seconds = timeout.unwrap_or_default().as_secs_f32();
    Outcome::Failed(format!("the machine did not end within {seconds} s"))
}

/// How a machine that ended by itself ended.
fn ended(control: &Path, status: ExitStatus) -> Outcome {
    let said = fs::read(control).unwrap_or_default();
    Outcome::parse(&String::from_utf8_lossy(&said)).unwrap_or_else(|| {
        Outcome::Failed(format!(
            "the machine ended without saying how the program did ({QEMU}: {status})"
        ))
    })
}

/// The same command, in a process group of its own, so that an interrupt from the terminal comes to us alone; and killed by the system
/// when the thread that starts it dies, should that happen without a chance to do it ourselves.
fn bound_to_us(qemu: &Command) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "--"])
        .arg(qemu.get_program())
        .args(qemu.get_args())
        .process_group(0);
    command
}

/// Sends our input to the machine, and its end.
fn feed(mut from: impl Read, mut to: ChildStdin) -> io::Result<()> {
    let mut buffer = [0; 4096];
    to.write_all(&framing::START)?;
    loop {
        match from.read(&mut buffer) {
            Ok(n @ 1..) => to.write_all(&framing::encode(&buffer[..n]))?,
            Err(error) if error.kind() == ErrorKind::Interrupted => (),
            // An input that cannot be read, like a closed one, has ended.
            Ok(0) | Err(_) => return to.write_all(&framing::END),
        }
    }
}

/// Passes on every byte as soon as it arrives, and notes when the first one does. An error is the receiver's: it does not want more.
fn pass_on(mut from: impl Read, mut to: impl Write, first: &OnceLock<Instant>) -> io::Result<()> {
    let mut buffer = [0; 16384];
    loop {
        match from.read(&mut buffer) {
            Ok(n @ 1..) => {
                first.get_or_init(Instant::now);
                to.write_all(&buffer[..n])?;
                to.flush()?;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => (),
            Ok(0) | Err(_) => return Ok(()),
        }
    }
}
