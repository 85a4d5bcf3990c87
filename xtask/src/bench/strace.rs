//! What Debian's strace costs in the machine, beside the same strace with the same files under Linux in the same emulator.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use image::{host, workspace};

/// The program that counts, in the workspace.
const SOURCE: &str = "bench/ticks.c";
/// Linux's figures; the commands that they came from are there, too.
const BASELINE: &str = "bench/linux-baseline.md";
/// Debian's programs in it.
const PROGRAMS: [&str; 2] = ["/usr/bin/strace", "/usr/bin/cat"];
const PIPELINE: &str = "busybox sh -c 'cat /etc/passwd | sort | wc -l'";

/// What is measured, each with what strace is told; the first words are the name in the baseline.
fn rows() -> Vec<(&'static str, String)> {
    vec![
        ("pipeline", PIPELINE.to_owned()),
        (
            "strace_f_pipeline",
            format!("strace -f -o /tmp/x {PIPELINE}"),
        ),
        (
            "strace_f_c_pipeline",
            format!("strace -f -c -o /tmp/x {PIPELINE}"),
        ),
        ("strace_true", "strace -o /tmp/x busybox true".to_owned()),
        (
            "strace_cat",
            "strace -o /tmp/x /usr/bin/cat /etc/passwd".to_owned(),
        ),
        ("strace_nothing", "strace -V".to_owned()),
    ]
}

/// Measures and prints the table, if nothing is asked for or `strace` is; whether that is all that was asked for.
pub fn table(metrics: &[String]) -> Result<bool> {
    let is_own = |metric: &String| metric.starts_with("strace");
    if !metrics.is_empty() && !metrics.iter().any(is_own) {
        return Ok(false);
    }
    let baseline = fs::read_to_string(workspace::root().join(BASELINE))?;
    println!("guest instructions of whole commands\n");
    println!(
        "{:<28} {:>10} {:>10} {:>10}",
        "", "here", "Debian", "here/Deb"
    );
    for ((name, _), here) in rows().iter().zip(run()?) {
        println!("{}", line(name, here, figure(&baseline, name)));
    }
    println!();
    Ok(!metrics.is_empty() && metrics.iter().all(is_own))
}

/// One line of the table.
fn line(name: &str, here: u64, debian: Option<u64>) -> String {
    match debian {
        Some(debian) => {
            let ratio = here as f64 / debian as f64;
            format!("{name:<28} {here:>10} {debian:>10} {ratio:>10.2}")
        }
        None => format!("{name:<28} {here:>10}"),
    }
}

/// Linux's figure in a row `| NAME | FIGURE |`.
fn figure(baseline: &str, name: &str) -> Option<u64> {
    baseline.lines().find_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        match cells[..] {
            [_, row, figure, _] if row == name => figure.parse().ok(),
            _ => None,
        }
    })
}

/// Compiles the program that counts.
fn build() -> Result<PathBuf> {
    let program = workspace::machine_folder().join("ticks");
    let mut gcc = Command::new("gcc");
    gcc.args(["-O2", "-static", "-o"])
        .arg(&program)
        .arg(workspace::root().join(SOURCE));
    host::run(&mut gcc)?;
    Ok(program)
}

/// Runs all rows in one machine: the ticks of each.
fn run() -> Result<Vec<u64>> {
    let ticks = build()?;
    let mut script = String::new();
    for (_, command) in rows() {
        script += &format!("ticks 5 {command}\n");
    }
    let mut xtask = Command::new(env::current_exe()?);
    xtask.args([
        "run",
        "--icount",
        "--libs",
        "--env",
        "TERM=linux",
        "--timeout",
        "600",
    ]);
    for program in PROGRAMS {
        xtask.args(["--file", program]);
    }
    xtask.args([
        "--file",
        &format!("{}:/bin/ticks", ticks.display()),
        "--",
        "sh",
        "-c",
        &script,
    ]);
    let output = xtask
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("starting the machine")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<u64> = text
        .lines()
        .filter_map(|line| line.trim().parse().ok())
        .collect();
    ensure!(
        figures.len() == rows().len(),
        "not every command succeeded: {text}"
    );
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_its_figure() {
        let baseline = fs::read_to_string(workspace::root().join(BASELINE)).unwrap();
        for (name, _) in rows() {
            assert!(figure(&baseline, name).is_some(), "{name}");
        }
        assert_eq!(figure("| strace_x | 12 |\n", "strace_x"), Some(12));
        let words = line("strace_x", 18, Some(12));
        assert_eq!(
            words.split_whitespace().collect::<Vec<_>>(),
            ["strace_x", "18", "12", "1.50"]
        );
    }
}
