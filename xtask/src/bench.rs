//! `cargo xtask bench`: what tracing costs, in guest instructions, beside what Linux charges.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use image::{c_library, host, workspace};

use crate::{Status, doctor};

/// The benchmark program's source, in the workspace.
const SOURCE: &str = "bench/ptbench.c";
/// Linux's figures for the same program in the same emulator.
const BASELINE: &str = "bench/linux-baseline.md";
/// What `ptbench` is asked for when nothing is named: every row of the baseline.
const METRICS: &[&str] = &[
    "getpid_null",
    "pipe_pingpong",
    "sysstop_pair",
    "singlestep",
    "peekdata_word",
    "pokedata_word",
    "peektext_word",
    "peekuser_word",
    "pvm_",
    "procmem_",
    "getregs",
    "setregs",
    "getfpregs",
    "setfpregs",
    "getsiginfo",
    "sysemu_stop",
    "getregset_prstatus",
    "attach_wait_detach",
    "seize_interrupt",
    "interrupt_wait_cont",
    "int3_hit",
    "fork_exit_wait_traced",
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
    let by_call = run(&build("ptbench", &[])?, &args.metrics)?;
    let library = workspace::machine_folder().join("c-library");
    c_library::install(&library)?;
    let search = format!("-L{}/lib", library.display());
    let options = ["-DLIBTRACE", &search, "-ltrace"];
    let by_message = run(&build("ptbench-message", &options)?, &args.metrics)?;
    println!("guest instructions per operation; 1 tick = 1 instruction\n");
    println!(
        "{:<28} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "ptrace by", "message", "call", "Debian", "minimal", "msg/Deb", "call/Deb"
    );
    for row in rows(&by_message, &by_call, &baseline) {
        println!("{row}");
    }
    Ok(0)
}

/// Compiles the benchmark program as a static one.
fn build(name: &str, options: &[&str]) -> Result<String> {
    let folder = workspace::machine_folder();
    fs::create_dir_all(&folder)?;
    let program = folder.join(name);
    let mut gcc = Command::new("gcc");
    gcc.args(["-O2", "-static", "-o"])
        .arg(&program)
        .arg(workspace::root().join(SOURCE))
        .args(options);
    host::run(&mut gcc)?;
    program
        .into_os_string()
        .into_string()
        .ok()
        .context("the workspace's path is not text")
}

/// Runs it, as `cargo xtask run --icount` does; what it printed.
fn run(program: &str, metrics: &[String]) -> Result<String> {
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

/// The two outputs beside each other: ptrace by message and by system call.
fn rows(by_message: &str, by_call: &str, baseline: &BTreeMap<String, Linux>) -> Vec<String> {
    by_message
        .lines()
        .zip(by_call.lines())
        .filter(|(line, _)| !line.starts_with('#'))
        .map(|(message, call)| row(message, call, baseline))
        .collect()
}

/// The name and the cost in a line of the program's output.
fn figure(line: &str) -> Option<(&str, f64)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, count, _, cost] = words[..] else {
        return None;
    };
    count.parse::<u64>().ok()?;
    Some((name, cost.parse().ok()?))
}

/// A line of each output as a row of ours.
fn row(message: &str, call: &str, baseline: &BTreeMap<String, Linux>) -> String {
    let (Some((name, message)), Some((_, call))) = (figure(message), figure(call)) else {
        return format!("{message} | {call}");
    };
    match baseline.get(name) {
        Some(linux) => format!(
            "{name:<28} {message:>10.0} {call:>10.0} {:>10.0} {:>10.0} {:>10.2} {:>10.2}",
            linux.debian,
            linux.minimal,
            message / linux.debian,
            call / linux.debian
        ),
        None => format!("{name:<28} {message:>10.0} {call:>10.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_both_ways_and_both_ratios() {
        let baseline = baseline(
            "| metric | Debian | minimal |\n|---|---:|---:|\n| getpid_null |  300  |  200  |\n",
        );
        let row = row(
            "getpid_null 1000 600000 600.0",
            "getpid_null 1000 900000 900.0",
            &baseline,
        );
        assert_eq!(
            row.split_whitespace().collect::<Vec<_>>(),
            ["getpid_null", "600", "900", "300", "200", "2.00", "3.00"]
        );
    }

    #[test]
    fn what_failed_is_shown_as_it_is() {
        assert_eq!(
            row(
                "sysemu_stop FAIL sysemu 5",
                "sysemu_stop FAIL sysemu 5",
                &BTreeMap::new()
            ),
            "sysemu_stop FAIL sysemu 5 | sysemu_stop FAIL sysemu 5"
        );
    }
}
