//! Processes of several threads.

use abi::linux::general as g;
use abi::linux::ptrace as nr;
use abi::signal::*;
use world::asm::{Entry, exited, stopped};
use world::{Boot, Prog, Val, World, scenario, under_seeds};

#[test]
fn a_thread_that_execs_becomes_the_leader() {
    scenario(200, |p| {
        let child = p.var();
        p.fork(|p| {
            p.thread(|p| {
                p.exec("/bin/seven");
                p.exit(1);
            });
            p.spin();
        });
        p.store(child);
        p.wait_for(child, exited(7));
    });
}

#[test]
fn a_leader_that_exits_first_is_seen_when_its_threads_are_gone() {
    scenario(200, |p| {
        let (child, status) = (p.var(), p.var());
        p.fork(|p| {
            p.thread(|p| {
                p.sleep(500_000);
                p.sys(g::__NR_exit, &[6.into()]);
            });
            p.sys(g::__NR_exit, &[4.into()]);
        });
        p.store(child);
        p.sleep(200_000);
        p.wait4(child, status, g::WNOHANG);
        p.check(Val::Rax, 0);
        // With what its last thread said.
        p.wait_for(child, exited(6));
    });
}

#[test]
fn the_first_process_may_end_with_a_thread() {
    let boot = Boot::new(vec![(
        "first",
        Prog::of(|p| {
            p.thread(|p| {
                p.sleep(500_000);
                p.sys(g::__NR_exit, &[6.into()]);
            });
            p.sys(g::__NR_exit, &[4.into()]);
        }),
    )]);
    under_seeds(100, |seed| {
        let mut world = World::new(&boot, seed);
        assert_eq!(world.run_to_the_end(), exited(6));
    });
}

#[test]
fn an_exec_ends_all_other_threads_whatever_they_are_at() {
    let first = Prog::of(|p| {
        let child = p.var();
        p.fork(|p| {
            for _ in 0..2 {
                p.thread(|p| p.forever(|p, _| p.fork(|p| p.exit(1))));
            }
            p.thread(|p| p.forever(|p, _| p.sleep(3_000)));
            p.thread(|p| p.spin());
            let pause = p.var();
            p.choose(8);
            p.store(pause);
            p.times(pause, |p| p.sleep(10_000));
            p.exec("/bin/alone");
            p.exit(1);
        });
        p.store(child);
        p.wait_for(child, exited(7));
        p.wait_for_all();
    });
    let alone = Prog::of(|p| {
        p.sleep(2_000_000);
        p.note(1);
        p.sleep(20_000_000);
        p.exit(7);
    });
    let boot = Boot::new(vec![("first", first), ("alone", alone)]);
    under_seeds(200, |seed| {
        let mut world = World::new(&boot, seed);
        world.run_until(|w| !w.notes.is_empty());
        let survey = world.procmgr.survey();
        let alive = survey.iter().filter(|t| t.has_space).count();
        assert_eq!(alive, 2, "{}", world.dump());
        assert_eq!(world.run_to_the_end(), exited(0));
    });
}

#[test]
fn an_exec_of_a_traced_thread_is_told_with_its_former_tid() {
    for entry in Entry::ALL {
        let first = Prog::tracing(entry, |p| {
            let (child, thread, message, status) = (p.var(), p.var(), p.var(), p.var());
            p.traced_child(child, |p| {
                p.thread(|p| {
                    p.exec("/bin/seven");
                    p.exit(1);
                });
                p.spin();
            });
            p.set_options(child, nr::PTRACE_O_TRACECLONE | nr::PTRACE_O_TRACEEXEC);
            p.cont(child, 0);
            p.wait_for(child, stopped(5 | nr::PTRACE_EVENT_CLONE << 8));
            p.event_message(child, thread);
            p.wait_for(thread, stopped(SIGSTOP.into()));
            p.cont(child, 0);
            p.cont(thread, 0);
            // Under the leader's number, and nothing else is told.
            p.wait4(-1, status, g::__WALL);
            p.check(Val::Rax, child);
            p.check(status, stopped(5 | nr::PTRACE_EVENT_EXEC << 8) as u32);
            p.event_message(child, message);
            p.check(message, thread);
            p.cont(child, 0);
            p.wait4(-1, status, g::__WALL);
            p.check(Val::Rax, child);
            p.check(status, exited(7) as u32);
        });
        let boot = Boot::new(vec![("first", first), ("seven", Prog::of(|p| p.exit(7)))]);
        under_seeds(200, |seed| {
            let mut world = World::new(&boot, seed);
            assert_eq!(world.run_to_the_end(), exited(0));
        });
    }
}
