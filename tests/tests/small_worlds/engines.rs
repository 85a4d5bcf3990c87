//! Two engines on one task, whose owners are programs: three or four processes.

use crate::one_tracee::trace;
use crate::{TRACEE, all_runs, errno, reap, thorough, tracee};
use abi::Errno;
use abi::engine::{AttachFlags, Flags, Response, word};
use abi::linux::ptrace as nr;
use abi::signal::SIGKILL;
use abi::tracer::Events;
use world::asm::{Callback, Entry, Is};
use world::explore::Grain;
use world::{Prog, Val, Var};

/// Attaches an engine that is told of system calls and of one last event; goes to `late` where the
/// tracee is gone.
fn engage(p: &mut Prog, data: u64, last: Events, late: world::asm::Label) -> Callback {
    let handle = p.var();
    p.attach_engine(TRACEE, AttachFlags::CREATE, 0, data, handle);
    p.when(Val::Rax, Is::Less, 0, |p| p.jump(late));
    let flags = Flags {
        events: Events::SYSCALL_ENTRY | last,
        ..Flags::default()
    };
    p.set_engine(handle, flags, 0);
    p.when(Val::Rax, Is::Different, 0, |p| p.jump(late));
    p.callback()
}

/// The event of a callback.
fn told(p: &mut Prog, callback: Callback, data: u64) -> Var {
    let event = p.var();
    p.check(Val::Rax, 1);
    p.check(callback.word(word::DATA), data);
    p.set_low(event, callback.addr() + 8 * word::EVENT as u64);
    event
}

/// Watches the tracee by an engine until the engine is told its last event. An answer may be too late,
/// because the tracee was killed meanwhile.
fn watch(p: &mut Prog, data: u64, last: Events) {
    let late = p.label();
    let callback = engage(p, data, last, late);
    p.next_callback(callback);
    p.forever(|p, end| {
        let event = told(p, callback, data);
        p.when(event, Is::Equal, u64::from(last.bits()), |p| p.jump(end));
        p.check(event, u64::from(Events::SYSCALL_ENTRY.bits()));
        p.answer_and_next(callback, Response::RESUME);
        p.when(Val::Rax, Is::Equal, errno(Errno::ESRCH), |p| {
            p.next_callback(callback);
        });
    });
    if last == Events::DEATH {
        p.answer_callback(callback, Response::RESUME);
    }
    p.here(late);
}

/// Holds the tracee by an engine that never answers, and ends.
fn hold_and_end(p: &mut Prog) {
    let late = p.label();
    let callback = engage(p, 3, Events::REAP, late);
    p.next_callback(callback);
    p.here(late);
}

/// The world of three: the parent has an engine itself.
fn three(name: &str, other: impl FnOnce(&mut Prog)) {
    all_runs(name, Entry::Message, Grain::Coarse, |p| {
        p.fork(tracee);
        p.fork(other);
        p.note(0);
        watch(p, 1, Events::DEATH);
        reap(p, 2, 0);
    });
}

/// The world of four, or of five with a killer.
fn four(name: &str, killed: bool, one: impl FnOnce(&mut Prog), other: impl FnOnce(&mut Prog)) {
    all_runs(name, Entry::Message, Grain::Coarse, |p| {
        p.fork(tracee);
        p.fork(one);
        p.fork(other);
        if killed {
            p.fork(|p| p.kill(TRACEE, SIGKILL));
        }
        p.note(0);
        reap(p, 3 + u64::from(killed), 0);
    });
}

/// Each engine is told of what it asked for, of the end once, and neither waits for anything in vain.
#[test]
fn two_engines_are_told_of_everything_until_their_task_ends() {
    three("two engines", |p| watch(p, 2, Events::REAP));
    if thorough() {
        four(
            "two engines and a parent",
            false,
            |p| watch(p, 1, Events::REAP),
            |p| watch(p, 2, Events::REAP),
        );
    }
}

/// The owner of one of two engines ends without a word: its task goes on.
#[test]
fn an_engine_dies_that_holds_its_task() {
    three("an engine that dies", hold_and_end);
    if thorough() {
        four("an engine that dies, a killer", true, hold_and_end, |p| {
            watch(p, 2, Events::REAP)
        });
    }
}

/// ptrace beside an engine of a program: the stops are no longer leased.
#[test]
fn a_task_has_a_tracer_and_an_engine() {
    three("an engine and CONT", |p| trace(p, nr::PTRACE_CONT));
    if thorough() {
        three("an engine and SYSCALL", |p| trace(p, nr::PTRACE_SYSCALL));
        four(
            "an engine, SYSCALL and a parent",
            false,
            |p| watch(p, 1, Events::REAP),
            |p| trace(p, nr::PTRACE_SYSCALL),
        );
    }
}
