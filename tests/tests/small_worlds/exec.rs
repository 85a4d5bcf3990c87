//! A thread that is not the leader execs while both are traced: a process of two threads, its tracer,
//! and a killer.

use crate::{TRACEE, all_runs, check_rax_is_one_of, errno, thorough};
use abi::Errno;
use abi::linux::general as g;
use abi::linux::ptrace as nr;
use abi::signal::SIGKILL;
use world::Prog;
use world::asm::{Entry, Is, event, exited, stopped};
use world::explore::Grain;

const OPTIONS: u32 = nr::PTRACE_O_TRACEEXEC | nr::PTRACE_O_TRACECLONE;

/// The world: the thread is about to exec, the leader to do what it does. The tracer resumes whatever
/// stops until nobody is left, and counts.
fn world(
    name: &str,
    (entry, grain): (Entry, Grain),
    (options, resume): (u32, u32),
    killed: bool,
    leader: impl FnOnce(&mut Prog),
) {
    all_runs(name, entry, grain, |p| {
        p.fork(|p| {
            p.thread(|p| p.exec("/bin/seven"));
            p.note(0);
            leader(p);
        });
        if killed {
            p.fork(|p| p.kill(TRACEE, SIGKILL));
        }
        let (child, status, execs, ends) = (p.var(), p.var(), p.var(), p.var());
        p.ptrace_ok(nr::PTRACE_SEIZE, TRACEE, 0, OPTIONS | options);
        p.forever(|p, end| {
            p.set(child, 0);
            p.set(status, 0);
            p.wait4(-1, status, g::__WALL);
            p.store(child);
            p.when(child, Is::Equal, errno(Errno::ECHILD), |p| p.jump(end));
            for dead in [exited(7), SIGKILL.into()] {
                p.when(status, Is::Equal, dead, |p| {
                    p.when(child, Is::Equal, TRACEE, |p| p.add(ends, 1));
                });
            }
            p.when(
                status,
                Is::Equal,
                stopped(event(nr::PTRACE_EVENT_EXEC)),
                |p| {
                    // Under the leader's number, whoever it was.
                    p.check(child, TRACEE);
                    p.add(execs, 1);
                },
            );
            p.ptrace(resume, child, 0, 0);
            check_rax_is_one_of(p, &[0, errno(Errno::ESRCH)]);
        });
        p.check(ends, 1);
        p.load_rax(execs);
        // A tracer that resumes the leader when the exec has just taken its number resumes the
        // exec's stop, without having been told of it; a killer may come before it.
        check_rax_is_one_of(p, &[1, 0]);
    });
}

fn pause(p: &mut Prog) {
    p.sys(g::__NR_pause, &[]);
}

fn leave(p: &mut Prog) {
    p.sys(g::__NR_exit, &[5.into()]);
}

/// The thread takes the leader's place, once, whatever the leader is at.
#[test]
fn a_thread_that_is_not_the_leader_execs_while_it_is_traced() {
    for entry in Entry::ALL {
        for grain in [Grain::Coarse, Grain::Fine] {
            let how = (entry, grain);
            let cont = (0, nr::PTRACE_CONT);
            let exits = (nr::PTRACE_O_TRACEEXIT, nr::PTRACE_CONT);
            world("exec, leader waits", how, cont, false, pause);
            world("exec, leader exits", how, cont, false, leave);
            world("exec, exit events", how, exits, false, pause);
            world("exec, leader exits, exit events", how, exits, false, leave);
        }
    }
}

/// The same with its system calls stopped at.
#[test]
fn a_thread_execs_and_stops_at_its_system_calls() {
    for entry in Entry::ALL {
        let how = (entry, Grain::Coarse);
        let calls = (0, nr::PTRACE_SYSCALL);
        world("exec, SYSCALL", how, calls, false, leave);
    }
}

/// The same with a killer.
#[test]
fn a_thread_is_killed_while_it_execs() {
    for entry in Entry::ALL {
        let how = (entry, Grain::Coarse);
        let exits = (nr::PTRACE_O_TRACEEXIT, nr::PTRACE_CONT);
        world("exec, killer", how, (0, nr::PTRACE_CONT), true, leave);
        if thorough() {
            world("exec, exit events, killer", how, exits, true, leave);
            let calls = (nr::PTRACE_O_TRACEEXIT, nr::PTRACE_SYSCALL);
            world("exec, SYSCALL, killer", how, calls, true, pause);
        }
    }
}
