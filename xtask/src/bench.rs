//! `cargo xtask bench`: what tracing costs, in guest instructions, beside what Linux charges.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use image::{host, workspace};

use crate::{Status, doctor};

/// The benchmark program's source, in the workspace.
const SOURCE: &str = "bench/ptbench.c";
/// Linux's figures for the same program in the same emulator.
const BASELINE: &str = "bench/linux-baseline.md";
/// What `ptbench` is asked for when nothing is named: everything that it can measure today. The
/// rest of the baseline's rows wait for the requests that they use.
const METRICS: &[&str] = &[
    "getpid_null",
    "pipe_pingpong",
    "sysstop_pair",
    "singlestep",
    "peekdata_word",
    "pokedata_word",
    "peektext_word",
    "peekuser_word",
    "getregs",
    "setregs",
    "getsiginfo",
    "attach_wait_detach",
    "int3_hit",
    "fork_exit_wait",
    "fork_exec_exit_wait",
    "vfork_exec_exit_wait",
    "signal_self",
];

/// Measures what tracing costs. One tick is one instruction, so the numbers are the same on every run.
#[derive(clap::Args)]
pub struct Args {
    /// Measures only what begins with one of these
    #[arg(value_name = "METRIC")]
    metrics: Vec<String>,
}

/// Linux's figures for a metric.
struct Linux {
    debian: f64,
    minimal: f64,
}

/// Builds the benchmark program, runs it in the machine and prints a table.
pub fn main(args: Args) -> Status {
    doctor::ensure(doctor::Need::Run)?;
    let baseline = baseline(&fs::read_to_string(workspace::root().join(BASELINE))?);
    let output = run(&build()?, args.metrics)?;
    println!("guest instructions per operation; 1 tick = 1 instruction\n");
    println!(
        "{:<30} {:>10} {:>10} {:>10} {:>8} {:>8}",
        "operation", "stillpoint", "Debian", "minimal", "/Debian", "/minimal"
    );
    for line in output.lines().filter(|line| !line.starts_with('#')) {
        println!("{}", row(line, &baseline));
    }
    Ok(0)
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

/// Runs it, as `cargo xtask run --icount` does; what it printed.
fn run(program: &str, metrics: Vec<String>) -> Result<String> {
    let mut xtask = Command::new(env::current_exe()?);
    // A terminal type of its own: the environment's length shows in the counts.
    xtask
        .args([
            "run",
            "--icount",
            "--env",
            "TERM=linux",
            "--timeout",
            "1200",
            "--",
        ])
        .arg(program);
    if metrics.is_empty() {
        xtask.args(METRICS);
    } else {
        xtask.args(metrics);
    }
    let output = xtask
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("starting the benchmark")?;
    if !output.status.success() {
        bail!("the benchmark ended with {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The rows of the baseline's table.
fn baseline(text: &str) -> BTreeMap<String, Linux> {
    let mut rows = BTreeMap::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let [_, name, debian, minimal, _] = cells[..]
            && let (Ok(debian), Ok(minimal)) = (debian.parse(), minimal.parse())
        {
            rows.insert(name.to_owned(), Linux { debian, minimal });
        }
    }
    rows
}

/// A line of the program's output as a row of ours.
fn row(line: &str, baseline: &BTreeMap<String, Linux>) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, count, _, cost] = words[..] else {
        return line.to_owned();
    };
    let (Ok(_), Ok(cost)) = (count.parse::<u64>(), cost.parse::<f64>()) else {
        return line.to_owned();
    };
    match baseline.get(name) {
        Some(linux) => format!(
            "{name:<30} {cost:>10.0} {:>10.0} {:>10.0} {:>8.2} {:>8.2}",
            linux.debian,
            linux.minimal,
            cost / linux.debian,
            cost / linux.minimal
        ),
        None => format!("{name:<30} {cost:>10.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_both_ratios() {
        let baseline = baseline(
            "| metric | Debian | minimal |\n|---|---:|---:|\n| getpid_null |  300  |  200  |\n",
        );
        let row = row("getpid_null 1000 600000 600.0", &baseline);
        assert_eq!(
            row.split_whitespace().collect::<Vec<_>>(),
            ["getpid_null", "600", "300", "200", "2.00", "3.00"]
        );
    }

    #[test]
    fn what_failed_is_shown_as_it_is() {
        assert_eq!(
            row("sysemu_stop FAIL sysemu 5", &BTreeMap::new()),
            "sysemu_stop FAIL sysemu 5"
        );
    }
}
