//! `cargo xtask bench`: what tracing costs, in guest instructions.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use clap::Parser;
use image::{host, workspace};

use crate::machine::Options;
use crate::program;
use crate::{Status, doctor};

/// The benchmark program's source, in the workspace.
const SOURCE: &str = "bench/ptbench.c";

/// Measures what tracing costs. One tick is one instruction, so the numbers are the same on every run.
#[derive(clap::Args)]
pub struct Args {
    /// Measures only what begins with one of these
    #[arg(value_name = "METRIC")]
    metrics: Vec<String>,
}

/// The machine's options as the benchmark has them.
#[derive(Parser)]
struct Fixed {
    #[command(flatten)]
    options: Options,
}

/// Builds the benchmark program and runs it in the machine.
pub fn main(args: Args) -> Status {
    doctor::ensure(doctor::Need::Run)?;
    let program = build()?;
    // A terminal type of its own: the environment's length shows in the counts.
    let options = Fixed::parse_from(["bench", "--icount", "--env", "TERM=linux"]).options;
    let machine = options.prepare(Box::new(|archive| {
        Ok((program::find(&program, archive)?, args.metrics))
    }))?;
    options.run(&machine)
}

/// Compiles the benchmark program as a static one.
fn build() -> Result<String> {
    let folder = workspace::machine_folder();
    fs::create_dir_all(&folder)?;
    let program = folder.join("ptbench");
    let mut gcc = Command::new("gcc");
    gcc.args(["-O2", "-static", "-o"])
        .arg(&program)
        .arg(workspace::root().join(SOURCE));
    host::run(&mut gcc)?;
    program
        .into_os_string()
        .into_string()
        .ok()
        .context("the workspace's path is not text")
}
