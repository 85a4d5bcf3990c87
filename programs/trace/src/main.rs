//! Prints the system calls, signals and end of a program, as strace does.
//!
//! An ordinary Linux program on `libtrace`. It asks little of its tracer: `TRACEME`,
//! `ATTACH`, `SETOPTIONS`, `SYSCALL`, `GETREGS` once per syscall stop, `GETSIGINFO` once per
//! signal, and the tracee's memory only where an argument points to it. What a trace
//! consists of and what is drawn from it is in the library of the same name.

#![forbid(unsafe_code)]

mod call;
mod calls;
mod count;
mod cx;
mod descriptor;
mod dump;
mod event_loop;
mod filter;
mod inject;
mod names;
mod output;
mod paths;
mod quote;
mod recorder;
mod release;
mod settings;
mod signals;
mod start;
mod stops;
mod syscall;
mod times;
mod tracee;
mod tracer;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use libtrace::{Status, interrupt, spawn};
use trace::drawing;
use trace::options::Options;

use crate::output::{exporter, message};
use crate::settings::Settings;
use crate::tracer::Tracer;

/// Runs a program and prints its system calls, signals and end.
#[derive(Debug, Parser)]
#[command(
    name = "trace",
    version,
    override_usage = "trace [OPTIONS] PROGRAM [ARG]...\n       trace [OPTIONS] -p PID\n       trace --from FILE [--timeline FILE] [--html FILE]"
)]
struct Line {
    #[command(flatten)]
    options: Options,

    /// The program and its arguments
    #[arg(
        value_name = "PROGRAM",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    command: Vec<OsString>,
}

fn main() -> ExitCode {
    let line = match Line::try_parse() {
        Ok(line) => line,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    match work(line) {
        Ok(Some(Status::Exited(code))) => ExitCode::from(code as u8),
        Ok(Some(Status::Signaled(signal, _))) => spawn::die_by(signal),
        Ok(_) => ExitCode::SUCCESS,
        Err(text) => {
            message(&text);
            ExitCode::FAILURE
        }
    }
}

fn work(line: Line) -> Result<Option<Status>, String> {
    if let Some(file) = &line.options.from {
        return drawing::redraw(file, line.options.wanted()).map(|()| None);
    }
    let settings = Settings::of(line.options)?;
    if line.command.is_empty() && settings.processes.is_empty() {
        return Err("must have PROGRAM [ARGS] or -p PID".to_owned());
    }
    let outside = match &settings.options.export {
        Some(device) => Some(exporter(device)?),
        None => None,
    };
    let processes = settings.processes.clone();
    let mut tracer = Tracer::new(settings, outside)?;
    for pid in processes {
        tracer.attach(pid)?;
    }
    if !line.command.is_empty() {
        tracer.start(&line.command)?;
    }
    // Not before: the program inherits what was set before us, also that a signal is ignored.
    interrupt::catch().map_err(|error| format!("sigaction: {error}"))?;
    tracer.run()
}
