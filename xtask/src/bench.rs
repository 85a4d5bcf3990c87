//! `cargo xtask bench`: what tracing costs, in guest instructions, beside what Linux charges.

mod strace;

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
/// What engines have no row of Linux's own for is compared with what ptrace takes there.
const COMPARABLE: &[(&str, &str)] = &[
    ("engine_call_pair", "sysstop_pair"),
    ("engine_call_pair_getregs", "sysstop_pair_getregs"),
    ("engine_attach_detach", "attach_wait_detach_sleeping"),
    ("getpid_engine_on_unlink", "getpid_null"),
];

/// Measures what tracing costs. One tick is one instruction, so the numbers are the same on every run.
#[derive(clap::Args)]
pub struct Args {
    /// Measures only what begins with one of these
    #[arg(value_name = "METRIC")]
    metrics: Vec<String>,
}

/// Linux's figures for a metric.
#[derive(Clone, Copy)]
struct Linux {
    debian: f64,
    /// Not measured for all.
    minimal: Option<f64>,
}

/// Ours.
#[derive(Clone, Copy)]
struct Figure {
    instructions: f64,
    /// Kernel entries and messages, as far as they were counted.
    work: Option<(f64, f64)>,
}

/// Builds the benchmark program, runs it in the machine and prints a table.
pub fn main(args: Args) -> Status {
    doctor::ensure(doctor::Need::Run)?;
    if strace::table(&args.metrics)? {
        return Ok(0);
    }
    let baseline = baseline(&fs::read_to_string(workspace::root().join(BASELINE))?);
    let by_call = run(&build("ptbench", &[])?, &args.metrics)?;
    let library = workspace::machine_folder().join("c-library");
    c_library::install(&library)?;
    let headers = format!("-I{}/include", library.display());
    let search = format!("-L{}/lib", library.display());
    let options = ["-DLIBTRACE", &headers, &search, "-ltrace"];
    let by_message = run(&build("ptbench-message", &options)?, &args.metrics)?;
    println!(
        "per operation: guest instructions (1 tick = 1 instruction), and kernel entries/messages\n"
    );
    println!(
        "{:<28} {:>10} {:>10} {:>10} {:>10} {:>8} {:>8} {:>11} {:>11}",
        "ptrace by",
        "message",
        "call",
        "Debian",
        "minimal",
        "msg/Deb",
        "call/Deb",
        "message",
        "call"
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
    xtask.args(metrics);
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
            && let Ok(debian) = debian.parse()
        {
            let minimal = minimal.parse().ok();
            rows.insert(name.to_owned(), Linux { debian, minimal });
        }
    }
    rows
}

/// The two outputs beside each other: ptrace by message and by system call.
fn rows(by_message: &str, by_call: &str, baseline: &BTreeMap<String, Linux>) -> Vec<String> {
    let lines = by_message.lines().filter(|line| !line.starts_with('#'));
    let row_of = |line| {
        let Some((name, message)) = figure(line) else {
            return format!("by message: {line}");
        };
        let other = by_call
            .lines()
            .find(|line| line.split(' ').next() == Some(name));
        match (other, other.and_then(figure)) {
            (Some(other), None) => format!("by call: {other}"),
            (_, call) => row(name, message, call.map(|(_, call)| call), baseline),
        }
    };
    lines.map(row_of).collect()
}

/// The name and the figures in a line of the program's output.
fn figure(line: &str) -> Option<(&str, Figure)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, count, _, instructions, ref work @ ..] = words[..] else {
        return None;
    };
    count.parse::<u64>().ok()?;
    let work = match work {
        [entries, messages] => Some((entries.parse().ok()?, messages.parse().ok()?)),
        _ => None,
    };
    let instructions = instructions.parse().ok()?;
    Some((name, Figure { instructions, work }))
}

/// A row; a figure that there is not is a dash.
fn row(
    name: &str,
    message: Figure,
    call: Option<Figure>,
    baseline: &BTreeMap<String, Linux>,
) -> String {
    let comparable = COMPARABLE.iter().find(|(ours, _)| *ours == name);
    let linux = baseline.get(comparable.map_or(name, |(_, theirs)| theirs));
    let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.0}"));
    let ratio = |figure: Option<Figure>| match (figure, linux) {
        (Some(figure), Some(linux)) => format!("{:.2}", figure.instructions / linux.debian),
        _ => "-".into(),
    };
    let work = |figure: Option<Figure>| match figure.and_then(|figure| figure.work) {
        Some((entries, messages)) => format!("{entries:.1}/{messages:.1}"),
        None => "-".into(),
    };
    format!(
        "{name:<28} {:>10} {:>10} {:>10} {:>10} {:>8} {:>8} {:>11} {:>11}",
        number(Some(message.instructions)),
        number(call.map(|call| call.instructions)),
        number(linux.map(|linux| linux.debian)),
        number(linux.and_then(|linux| linux.minimal)),
        ratio(Some(message)),
        ratio(call),
        work(Some(message)),
        work(call),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINUX: &str = "| metric | Debian | minimal |\n|---|---:|---:|\n| getpid_null |  300  |  200  |\n| sysstop_pair | 20000 | - |\n";

    fn words(by_message: &str, by_call: &str) -> Vec<String> {
        let [row] = &rows(by_message, by_call, &baseline(LINUX))[..] else {
            panic!("one row");
        };
        row.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_row_has_both_ways_both_ratios_and_what_was_counted() {
        assert_eq!(
            words(
                "# x\ngetpid_null 1000 600000 600.0 4.0 1.0",
                "getpid_null 1000 900000 900.0"
            ),
            [
                "getpid_null",
                "600",
                "900",
                "300",
                "200",
                "2.00",
                "3.00",
                "4.0/1.0",
                "-"
            ]
        );
    }

    #[test]
    fn an_engine_is_compared_with_ptrace() {
        assert_eq!(
            words("engine_call_pair 1000 8000000 8000.0 9.0 3.0", ""),
            [
                "engine_call_pair",
                "8000",
                "-",
                "20000",
                "-",
                "0.40",
                "-",
                "9.0/3.0",
                "-"
            ]
        );
    }

    #[test]
    fn what_failed_is_shown_as_it_is() {
        let failed = "sysemu_stop FAIL sysemu 5";
        assert_eq!(
            words(failed, failed).join(" "),
            format!("by message: {failed}")
        );
        let row = words("sysemu_stop 4 4 4.0", failed);
        assert_eq!(row.join(" "), format!("by call: {failed}"));
    }
}
