//! Prints the system calls, signals and end of a program, as strace does.
//!
//! An ordinary Linux program on `libtrace`. It asks little of its tracer: `TRACEME`,
//! `ATTACH`, `SETOPTIONS`, `SYSCALL`, `GETREGS` once per syscall stop, `GETSIGINFO` once per
//! signal, and the tracee's memory only where an argument points to it.

#![forbid(unsafe_code)]

mod call;
mod calls;
mod count;
mod cx;
mod filter;
mod names;
mod options;
mod output;
mod quote;
mod release;
mod signals;
mod start;
mod stops;
mod tracee;
mod tracer;

use clap::Parser;
use libtrace::{Status, interrupt, spawn};

use crate::filter::Filter;
use crate::options::Options;
use crate::output::{Output, message};
use crate::tracer::Tracer;

fn main() {
    match trace(Options::parse()) {
        Ok(Some(Status::Exited(code))) => std::process::exit(code),
        Ok(Some(Status::Signaled(signal, _))) => spawn::die_by(signal),
        Ok(_) => {}
        Err(text) => {
            message(&text);
            std::process::exit(1);
        }
    }
}

fn trace(options: Options) -> Result<Option<Status>, String> {
    let (command, processes) = (options.command.clone(), options.processes.clone());
    if command.is_empty() && processes.is_empty() {
        return Err("must have PROGRAM [ARGS] or -p PID".to_owned());
    }
    let filter = Filter::parse(&options.expressions)?;
    let output = Output::new(options.output.as_deref(), options.follow)
        .map_err(|error| format!("Can't fopen the output file: {error}"))?;
    interrupt::catch().map_err(|error| format!("sigaction: {error}"))?;
    let mut tracer = Tracer::new(options, filter, output);
    for pid in processes {
        tracer.attach(pid)?;
    }
    if !command.is_empty() {
        tracer.start(&command)?;
    }
    Ok(tracer.run())
}
