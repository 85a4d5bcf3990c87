//! The workspace's own tests, on this machine.

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use image::workspace;

use super::Tally;

/// The variable that tells a simulation its seed.
const SEED: &str = "STILLPOINT_SEED";

/// Runs `cargo test`, shows what it says, and counts.
pub fn test(filter: Option<&str>, seed: Option<u64>) -> Result<Tally> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args([
            "test",
            "--quiet",
            "--locked",
            "--workspace",
            "--no-fail-fast",
        ])
        .args(filter);
    cargo.envs(seed.map(|seed| (SEED, seed.to_string())));
    cargo
        .current_dir(workspace::root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut cargo = cargo.spawn().context("starting cargo")?;
    let mut tally = Tally::default();
    for line in BufReader::new(cargo.stdout.take().expect("standard output is piped")).lines() {
        let line = line?;
        println!("{line}");
        tally.add(counted(&line).unwrap_or_default());
    }
    // What does not compile has no results to count.
    if !cargo.wait()?.success() && tally.failed == 0 {
        tally.add(Tally::of(false));
    }
    Ok(tally)
}

/// Reads `test result: ok. 5 passed; 0 failed; ...`.
fn counted(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |name: &str| {
        let part = counts.split("; ").find(|part| part.ends_with(name))?;
        part.split(' ').next()?.parse().ok()
    };
    Some(Tally {
        passed: count(" passed")?,
        failed: count(" failed")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 4 filtered out; finished in 0.01s";
        assert_eq!(
            counted(line),
            Some(Tally {
                passed: 12,
                failed: 3
            })
        );
        let line = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(counted(line), Some(Tally::default()));
    }

    #[test]
    fn other_lines_are_not() {
        assert_eq!(counted("test result: what"), None);
        assert_eq!(counted("running 3 tests"), None);
        assert_eq!(counted("3 passed; 0 failed"), None);
    }
}
