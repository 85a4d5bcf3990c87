//! Programs that are engines: a system-call policy, a coverage counter, a keeper of crashed tasks, and
//! a logger of system calls. They are one file with several names. Each has a [`session`] of engines on
//! a program and its children.

#![forbid(unsafe_code)]

mod calls;
mod coverage;
mod policy;
mod postmortem;
mod rules;
mod session;
mod symbols;

use std::process::exit;

use anyhow::Result;
use clap::Parser;

/// The program that it is called as.
#[derive(Parser)]
#[command(multicall = true)]
enum Program {
    /// Holds a program, and all that it starts, to rules about system calls
    Policy(policy::Options),
    /// Writes down the system calls of a program, and of all that it starts
    Calls(calls::Options),
    /// Counts which functions of a program are entered. What the program starts is counted with it
    Coverage(coverage::Options),
    /// Holds a program that crashes, and all that it starts, for a debugger
    Postmortem(postmortem::Options),
}

fn main() -> Result<()> {
    let status = match Program::parse() {
        Program::Policy(options) => policy::run(&options),
        Program::Calls(options) => calls::run(&options),
        Program::Coverage(options) => coverage::run(&options),
        Program::Postmortem(options) => postmortem::run(&options),
    };
    exit(status?)
}

/// How a system call is named: by its number where it has no name.
fn call_name(number: u64) -> String {
    let known = usize::try_from(number).ok().and_then(syscalls::Sysno::new);
    known.map_or_else(|| format!("syscall_{number:#x}"), |call| call.name().into())
}
