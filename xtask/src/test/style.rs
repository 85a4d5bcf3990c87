//! The formatter and the linter, each as one test.

use std::env;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use image::{host, machine, workspace};

use super::{Tally, report};

/// Checks the format of the whole workspace, and lints it as it is built for this machine and as it is built for the kernel.
pub fn check() -> Result<Tally> {
    let mut tally = Tally::default();
    tally.add(passes(
        "style::format",
        cargo("fmt").args(["--all", "--check"]),
    )?);
    let mut lint = cargo("clippy");
    lint.args([
        "--quiet",
        "--locked",
        "--workspace",
        "--all-targets",
        "--",
        "-Dwarnings",
    ]);
    tally.add(passes("style::lint_for_this_machine", &mut lint)?);
    let mut lint = machine::freestanding_cargo("clippy");
    tally.add(passes(
        "style::lint_for_the_kernel",
        lint.args(["--", "-Dwarnings"]),
    )?);
    Ok(tally)
}

fn cargo(subcommand: &str) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.arg(subcommand).current_dir(workspace::root());
    cargo
}

fn passes(name: &str, command: &mut Command) -> Result<Tally> {
    let line = host::command_line(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("starting `{line}`"))?;
    Ok(report(name, status.success()))
}
