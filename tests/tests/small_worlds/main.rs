//! All the runs of the smallest worlds in which a tracer, its tracee and others meet.
//!
//! Each world says how large it is. With STILLPOINT_EFFORT=2 or more, larger ones are explored, too.

mod engines;
mod exec;
mod one_tracee;

use abi::Errno;
use abi::linux::general as g;
use abi::signal::{SIGKILL, SIGSTOP};
use std::time::Instant;
use world::asm::{Entry, Is, exited, stopped};
use world::explore::{Grain, explore};
use world::schedule::{effort, say};
use world::{Boot, Prog, Val};

/// The first child is the tracee.
const TRACEE: u64 = 2;
/// How it can end: by itself or killed.
const ENDS: [i64; 2] = [exited(3) as i64, SIGKILL as i64];
/// A wait's status of a process that continued.
const CONTINUED: i64 = 0xffff;

/// Explores the world of one program, which makes a note where its beginning is over.
fn all_runs(name: &str, entry: Entry, grain: Grain, body: impl FnOnce(&mut Prog)) {
    let boot = Boot::new(vec![
        ("first", Prog::tracing(entry, body)),
        ("seven", Prog::of(|p| p.exit(7))),
    ]);
    let begun = Instant::now();
    let found = explore(&boot, grain);
    say(&format!(
        "all runs of {name} ({entry:?}, {grain:?}): {} states, {} transitions, depth {}, {} ends, {:.1} s",
        found.states,
        found.transitions,
        found.depth,
        found.ends,
        begun.elapsed().as_secs_f64()
    ));
}

/// Whether what takes minutes is to be explored.
fn thorough() -> bool {
    effort() > 1
}

fn errno(e: Errno) -> i64 {
    e.as_result()
}

/// The test fails unless `rax` is one of these; it still is afterwards.
#[track_caller]
fn check_rax_is_one_of(p: &mut Prog, expected: &[i64]) {
    let kept = p.var();
    p.store(kept);
    let fine = p.label();
    for one in &expected[1..] {
        p.when(kept, Is::Equal, *one, |p| p.jump(fine));
    }
    p.check(kept, expected[0]);
    p.here(fine);
    p.set(kept, kept);
}

/// A system call, and the end.
fn tracee(p: &mut Prog) {
    p.sys(g::__NR_getppid, &[]);
    p.check(Val::Rax, 1);
    p.exit(3);
}

/// Waits until no child is left. Each has to end once, the tracee in one of its ways and the others with
/// status 0; what is told of stops is passed over.
fn reap(p: &mut Prog, children: u64, options: u32) {
    let (child, status, ends) = (p.var(), p.var(), p.var());
    let (again, end) = (p.label(), p.label());
    let again = p.here(again);
    p.set(child, 0);
    p.set(status, 0);
    p.wait4(-1, status, g::__WALL | options);
    p.when(Val::Rax, Is::Equal, errno(Errno::ECHILD), |p| p.jump(end));
    p.store(child);
    for stop in [i64::from(stopped(SIGSTOP.into())), CONTINUED] {
        p.when(status, Is::Equal, stop, |p| p.jump(again));
    }
    p.add(ends, 1);
    p.load_rax(status);
    p.either(
        child,
        Is::Equal,
        TRACEE,
        |p| check_rax_is_one_of(p, &ENDS),
        |p| p.check(status, 0),
    );
    p.jump(again);
    p.here(end);
    p.check(ends, children);
}

/// The search is not blind: a child that nobody wakes is a run that gets stuck.
#[test]
#[should_panic(expected = "alive at the end")]
fn a_run_that_gets_stuck_is_found() {
    let name = "a child that nobody wakes";
    all_runs(name, Entry::SystemCall, Grain::Coarse, |p| {
        p.fork(|p| p.sys(g::__NR_pause, &[]));
        p.note(0);
        reap(p, 1, 0);
    });
}
