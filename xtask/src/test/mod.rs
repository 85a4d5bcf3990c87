//! `cargo xtask test`: style, the tests on this machine, the tests in the machine.

mod broken;
mod browser;
mod conformance;
mod events;
mod files;
mod machine;
mod made_up;
mod outputs;
mod page;
mod style;
mod trace_options;
mod tracing;
mod workspace;

use crate::Status;
use crate::doctor::{self, Need};

/// Checks style and runs every test. The last line says how many passed and failed.
#[derive(clap::Args, Default)]
pub struct Args {
    /// Runs only the tests whose names contain this, and does not check style
    filter: Option<String>,
    /// With the filter `conformance`: only the cases whose names contain this
    name: Option<String>,
    /// Replays a simulation with the seed it printed when it failed
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
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
    let mut tally = Tally::default();
    if args.filter.is_none() {
        tally.add(style::check()?);
    }
    let filter = args.filter.as_deref();
    if filter != Some("conformance") {
        tally.add(workspace::test(filter, args.seed)?);
        tally.add(machine::test(filter)?);
        tally.add(tracing::test(filter)?);
        tally.add(files::test(filter)?);
        tally.add(outputs::test(filter)?);
        tally.add(page::test(filter)?);
    }
    tally.add(conformance::test(filter, args.name.as_deref())?);
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok((tally.failed > 0).into())
}

/// Says how one test ended, in the words of Rust's own test runner.
fn report(name: &str, passed: bool) -> Tally {
    println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
    Tally::of(passed)
}
