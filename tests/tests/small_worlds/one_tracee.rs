//! One tracee with a tracer, a killer and a parent: four processes.

use crate::{ENDS, TRACEE, all_runs, check_rax_is_one_of, errno, reap, thorough, tracee};
use abi::Errno;
use abi::linux::general as g;
use abi::linux::ptrace as nr;
use abi::signal::*;
use world::asm::{Entry, Is, event, stopped};
use world::explore::Grain;
use world::{Prog, Val, Var};

/// What a seized tracee stops with for job control.
const EVENT_STOP: u32 = event(nr::PTRACE_EVENT_STOP) & !0xff;

/// What a parent's wait asks for besides deaths.
const STOPS: u32 = g::WUNTRACED | g::WCONTINUED;

/// The world: the parent begins to wait, the three others begin.
fn world(
    name: &str,
    (entry, grain): (Entry, Grain),
    tracer: impl FnOnce(&mut Prog),
    killer: impl FnOnce(&mut Prog),
) {
    all_runs(name, entry, grain, |p| {
        p.fork(tracee);
        p.fork(tracer);
        p.fork(killer);
        p.note(0);
        reap(p, 3, STOPS);
    });
}

fn kill(p: &mut Prog) {
    p.kill(TRACEE, SIGKILL);
    check_rax_is_one_of(p, &[0, errno(Errno::ESRCH)]);
}

fn stop_and_continue(p: &mut Prog) {
    for signo in [SIGSTOP, SIGCONT] {
        p.kill(TRACEE, signo);
        check_rax_is_one_of(p, &[0, errno(Errno::ESRCH)]);
    }
}

/// Attaches to the tracee, or ends if it is too late.
pub fn attach(p: &mut Prog, request: u32, options: u32) {
    p.ptrace(request, TRACEE, 0, options);
    check_rax_is_one_of(p, &[0, errno(Errno::ESRCH), errno(Errno::EPERM)]);
    p.when(Val::Rax, Is::Different, 0, |p| p.exit(0));
}

/// Waits for the tracee's stops and does `resume` at each, until it is told its death; then there is
/// nothing more to be told.
fn serve(p: &mut Prog, resume: impl FnOnce(&mut Prog, Var)) {
    let status = p.var();
    p.forever(|p, end| {
        p.set(status, 0);
        p.wait4(TRACEE, status, g::__WALL);
        p.check(Val::Rax, TRACEE);
        for dead in ENDS {
            p.when(status, Is::Equal, dead, |p| p.jump(end));
        }
        resume(p, status);
    });
    p.wait4(TRACEE, status, g::__WALL);
    p.check(Val::Rax, errno(Errno::ECHILD));
}

/// A tracer that attaches and resumes the tracee in one way until it is dead.
pub fn trace(p: &mut Prog, resume: u32) {
    attach(p, nr::PTRACE_ATTACH, 0);
    serve(p, |p, _| {
        p.ptrace(resume, TRACEE, 0, 0);
        check_rax_is_one_of(p, &[0, errno(Errno::ESRCH)]);
    });
}

/// Each stop comes once and none is lost: the tracer gets from one to the next, to the death.
#[test]
fn a_tracer_resumes_its_tracee_until_it_is_killed_or_ends() {
    for entry in Entry::ALL {
        let coarse = (entry, Grain::Coarse);
        world(
            "attach and CONT",
            coarse,
            |p| trace(p, nr::PTRACE_CONT),
            kill,
        );
        if thorough() || entry == Entry::SystemCall {
            world(
                "attach and SYSCALL",
                coarse,
                |p| trace(p, nr::PTRACE_SYSCALL),
                kill,
            );
        }
        if thorough() {
            world(
                "attach and SINGLESTEP",
                coarse,
                |p| trace(p, nr::PTRACE_SINGLESTEP),
                kill,
            );
        }
    }
}

/// The same where a task is stopped between its instructions, too.
#[test]
fn a_tracer_resumes_its_tracee_at_any_instruction() {
    world(
        "attach and CONT",
        (Entry::SystemCall, Grain::Fine),
        |p| trace(p, nr::PTRACE_CONT),
        kill,
    );
    if thorough() {
        world(
            "attach and CONT",
            (Entry::Message, Grain::Fine),
            |p| trace(p, nr::PTRACE_CONT),
            kill,
        );
    }
}

/// The same where the tracer waits by its page of stops, if it finds them there.
#[test]
fn a_tracer_waits_by_its_page_or_by_message() {
    let coarse = (Entry::Message, Grain::Coarse);
    world(
        "attach and CONT by page",
        coarse,
        |p| {
            p.share_stops();
            trace(p, nr::PTRACE_CONT);
        },
        kill,
    );
    world(
        "attach, one wait and the end by page",
        coarse,
        |p| {
            let status = p.var();
            p.share_stops();
            attach(p, nr::PTRACE_ATTACH, 0);
            p.wait4(TRACEE, status, g::__WALL);
            p.check(Val::Rax, TRACEE);
        },
        kill,
    );
    if thorough() {
        world(
            "attach and SYSCALL by page",
            coarse,
            |p| {
                p.share_stops();
                trace(p, nr::PTRACE_SYSCALL);
            },
            kill,
        );
    }
}

/// A tracer that ends takes its tracee with it, or lets it go.
#[test]
fn a_tracer_ends_before_its_tracee() {
    for entry in Entry::ALL {
        let coarse = (entry, Grain::Coarse);
        let options = nr::PTRACE_O_EXITKILL | nr::PTRACE_O_TRACEEXIT;
        world(
            "EXITKILL",
            coarse,
            |p| {
                attach(p, nr::PTRACE_SEIZE, options);
                p.ptrace(nr::PTRACE_INTERRUPT, TRACEE, 0, 0);
                check_rax_is_one_of(p, &[0, errno(Errno::ESRCH)]);
            },
            |_| {},
        );
        world(
            "attach and leave",
            coarse,
            |p| attach(p, nr::PTRACE_ATTACH, 0),
            kill,
        );
        if thorough() || entry == Entry::SystemCall {
            world(
                "DETACH",
                coarse,
                |p| {
                    let status = p.var();
                    attach(p, nr::PTRACE_SEIZE, 0);
                    p.ptrace(nr::PTRACE_INTERRUPT, TRACEE, 0, 0);
                    p.wait4(TRACEE, status, g::__WALL);
                    p.check(Val::Rax, TRACEE);
                    p.ptrace(nr::PTRACE_DETACH, TRACEE, 0, 0);
                    check_rax_is_one_of(p, &[0, errno(Errno::ESRCH)]);
                },
                kill,
            );
        }
    }
}

/// Group-stop, LISTEN and the end of both, with the parent told of stops of its own.
#[test]
fn a_tracee_is_stopped_and_continued_for_job_control() {
    for entry in Entry::ALL {
        if entry == Entry::Message && !thorough() {
            continue;
        }
        world(
            "job control",
            (entry, Grain::Coarse),
            |p| {
                attach(p, nr::PTRACE_SEIZE, 0);
                serve(p, |p, status| {
                    let (request, signo) = (p.var(), p.var());
                    p.set(request, nr::PTRACE_CONT);
                    p.set(signo, 0);
                    for signal in [SIGSTOP, SIGCONT] {
                        p.when(status, Is::Equal, stopped(signal.into()), |p| {
                            p.set(signo, signal);
                        });
                    }
                    let group_stop = stopped(EVENT_STOP | u32::from(SIGSTOP));
                    p.when(status, Is::Equal, group_stop, |p| {
                        p.set(request, nr::PTRACE_LISTEN);
                    });
                    p.ptrace_any(request, TRACEE, 0, signo);
                    p.check(Val::Rax, 0);
                });
            },
            stop_and_continue,
        );
    }
}
