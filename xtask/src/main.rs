//! Build, run and test entry point: `cargo xtask ...`.
#![forbid(unsafe_code)]

mod bench;
mod ci;
mod doctor;
mod gdb;
mod image_files;
mod linux;
mod machine;
mod program;
mod run;
mod terminal;
mod test;
mod trace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use image::qemu;

/// Linux-compatible process tracing on seL4: build it, run it, test it.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Boots the machine with PROGRAM as its first process, on this terminal
    Run(run::Args),
    /// Runs PROGRAM under the tracing tool
    Trace(Box<trace::Args>),
    /// Boots the machine with PROGRAM under gdbserver, for gdb or lldb here
    Gdb(gdb::Args),
    /// Runs PROGRAM with the same files under Debian's Linux in the same emulator, to compare with
    Linux(linux::Args),
    /// Writes kernel, root task with boot archive, and the QEMU command line
    Image(image_files::Args),
    /// Checks style and runs every test
    Test(test::Args),
    /// Measures what tracing costs, in instructions
    Bench(bench::Args),
    /// Everything a change has to pass
    Ci,
    /// Checks the tools that are needed from the system; installs them, as root on Debian
    Doctor,
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    // The statuses below 125 belong to the program.
    let failure = if matches!(
        command,
        Command::Run(_) | Command::Trace(_) | Command::Gdb(_) | Command::Linux(_)
    ) {
        qemu::FAILED
    } else {
        1
    };
    let result = match command {
        Command::Run(args) => run::main(args),
        Command::Trace(args) => trace::main(*args),
        Command::Gdb(args) => gdb::main(args),
        Command::Linux(args) => linux::main(args),
        Command::Image(args) => image_files::main(args),
        Command::Test(args) => test::main(args),
        Command::Bench(args) => bench::main(args),
        Command::Ci => ci::main(),
        Command::Doctor => doctor::main(),
    };
    result.map(ExitCode::from).unwrap_or_else(|error| {
        eprintln!("stillpoint: {error:#}");
        ExitCode::from(failure)
    })
}

/// What a command comes to: its exit status.
type Status = Result<u8>;
