//! `cargo xtask test`: style, the tests on this machine, the tests in the machine.

mod broken;
mod browser;
mod c_library;
mod conformance;
mod coredump;
mod engines;
mod events;
mod files;
mod gdb;
mod machine;
mod made_up;
mod outputs;
mod page;
mod redox;
mod strace;
mod style;
mod trace_options;
mod tracing;
mod unmodified;
mod workspace;

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Result, bail};
use image::workspace::root as workspace_root;

use crate::Status;
use crate::doctor::{self, Need};

/// Checks style and runs every test. The last line says how many passed and failed.
#[derive(clap::Args, Default)]
pub struct Args {
    /// Runs only the tests whose names contain this, and does not check style
    filter: Option<String>,
    /// With the filter `conformance`, `gdb`, `strace` or `unmodified`: only the cases whose names contain this
    name: Option<String>,
    /// Replays a simulation with the seed it printed when it failed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// With the filter `strace`: has Linux run the programs of tests/strace and records what strace says
    #[arg(long)]
    record: bool,
}

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    passed: u32,
    failed: u32,
}

impl Tally {
    /// The tally of one test.
    fn of(passed: bool) -> Self {
        Self {
            passed: passed.into(),
            failed: (!passed).into(),
        }
    }

    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs everything, whatever fails on the way.
pub fn main(args: Args) -> Status {
    doctor::ensure(Need::Test)?;
    if args.record {
        strace::record()?;
    }
    let mut tally = Tally::default();
    if args.filter.is_none() {
        tally.add(style::check()?);
    }
    let (filter, name) = (args.filter.as_deref(), args.name.as_deref());
    // These words, alone or with what follows `::`, mean nothing else.
    let kind = filter.and_then(|filter| filter.split("::").next());
    let kinds = ["conformance", "gdb", "strace", "unmodified"];
    let kind = kind.filter(|kind| kinds.contains(kind));
    if kind.is_none() {
        tally.add(workspace::test(filter, args.seed)?);
        tally.add(machine::test(filter)?);
        tally.add(tracing::test(filter)?);
        tally.add(files::test(filter)?);
        tally.add(c_library::test(filter)?);
        tally.add(outputs::test(filter)?);
        tally.add(page::test(filter)?);
        tally.add(coredump::test(filter)?);
    }
    let of = |own| kind.is_none_or(|kind| kind == own);
    if of("unmodified") {
        tally.add(unmodified::test(filter, name)?);
    }
    if of("conformance") {
        tally.add(conformance::test(filter, name)?);
    }
    if of("strace") {
        tally.add(strace::test(filter, name)?);
    }
    if of("gdb") {
        tally.add(gdb::test(filter, name)?);
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok((tally.failed > 0).into())
}

/// Reads a list of cases that are known to fail: `CASE: reason`, a line each.
fn known_wrong(path: &str) -> Result<BTreeMap<String, String>> {
    parse_known_wrong(path, &fs::read_to_string(workspace_root().join(path))?)
}

fn parse_known_wrong(path: &str, text: &str) -> Result<BTreeMap<String, String>> {
    let mut list = BTreeMap::new();
    for line in text
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        let Some((case, reason)) = line.split_once(": ") else {
            bail!("{path}: no reason in {line:?}");
        };
        list.insert(case.to_owned(), reason.to_owned());
    }
    Ok(list)
}

/// Says how one case ended. One that is known to be wrong, by the list at `path`, counts for nothing.
fn say(name: &str, wrong: Option<String>, known: Option<&String>, path: &str) -> Tally {
    let detail = match (wrong, known) {
        (None, None) => return report(name, true),
        (Some(_), Some(reason)) => {
            println!("test {name} ... known to be wrong: {reason}");
            return Tally::default();
        }
        (Some(wrong), None) => wrong,
        (None, Some(_)) => format!("    it passes: take it out of {path}"),
    };
    let tally = report(name, false);
    println!("{detail}");
    tally
}

/// Says how one test ended, in the words of Rust's own test runner.
fn report(name: &str, passed: bool) -> Tally {
    println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
    Tally::of(passed)
}

/// The first line that is not as expected.
fn difference(got: &str, want: &str) -> Option<String> {
    if got == want {
        return None;
    }
    let (got, want): (Vec<_>, Vec<_>) = (got.lines().collect(), want.lines().collect());
    let at = (0..).find(|i| got.get(*i) != want.get(*i)).unwrap_or(0);
    let before = got[..at].iter().rev().find(|line| line.starts_with('+'));
    Some(format!(
        "    line {}, behind {:?}: {:?}, expected {:?}",
        at + 1,
        before.unwrap_or(&"the beginning"),
        got.get(at).unwrap_or(&"(end)"),
        want.get(at).unwrap_or(&"(end)"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_known_to_be_wrong_has_a_reason() {
        let parse = |text| parse_known_wrong("list", text);
        assert!(parse("glibc/x\n").is_err());
        assert_eq!(
            parse("# no\n\nglibc/x: because\n").unwrap()["glibc/x"],
            "because"
        );
    }
}
