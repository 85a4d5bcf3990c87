//! What becomes of a tracee in each kind of stop when its tracer exits or it is killed.

use abi::linux::general as g;
use abi::linux::ptrace as nr;
use abi::signal::*;
use world::asm::{Entry, event, exited, stopped};
use world::{Boot, Prog, Val, Var, World, under_seeds};

/// A kind of stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Signal,
    Group,
    Entry,
    Exit,
    Step,
    Fork,
    Vfork,
    VforkDone,
    Exec,
    ExitEvent,
}

const KINDS: [Kind; 10] = [
    Kind::Signal,
    Kind::Group,
    Kind::Entry,
    Kind::Exit,
    Kind::Step,
    Kind::Fork,
    Kind::Vfork,
    Kind::VforkDone,
    Kind::Exec,
    Kind::ExitEvent,
];

const OPTIONS: u32 = nr::PTRACE_O_TRACEFORK
    | nr::PTRACE_O_TRACEVFORK
    | nr::PTRACE_O_TRACEVFORKDONE
    | nr::PTRACE_O_TRACEEXEC
    | nr::PTRACE_O_TRACEEXIT;

/// The tracee: comes to the stop, and then exits with status 1.
fn tracee(p: &mut Prog, kind: Kind) {
    match kind {
        Kind::Signal => {
            p.on_signal(SIGUSR1, 0, |_| {});
            p.getpid();
            p.kill(Val::Rax, SIGUSR1);
        }
        Kind::Group => {
            p.getpid();
            p.kill(Val::Rax, SIGSTOP);
        }
        Kind::Fork => p.fork(|_| {}),
        Kind::Vfork | Kind::VforkDone => p.vfork(|_| {}),
        Kind::Exec => p.exec("/bin/one"),
        Kind::Entry | Kind::Exit | Kind::Step | Kind::ExitEvent => p.sys(g::__NR_getppid, &[]),
    }
    p.exit(1);
}

/// The tracer: has a tracee come to its stop. The variables are the tracee's and its child's tid.
fn tracer(p: &mut Prog, kind: Kind, child: Var, grandchild: Var, more: u32) {
    p.traced_child(child, |p| tracee(p, kind));
    let options = match kind {
        Kind::Signal | Kind::Group | Kind::Entry | Kind::Exit | Kind::Step => 0,
        _ => {
            OPTIONS
                & !if kind == Kind::ExitEvent {
                    0
                } else {
                    nr::PTRACE_O_TRACEEXIT
                }
        }
    };
    p.set_options(child, options | more);
    let next = |p: &mut Prog, request, code: u32| {
        p.ptrace_ok(request, child, 0, 0);
        p.wait_for(child, stopped(code));
    };
    let cont = nr::PTRACE_CONT;
    match kind {
        Kind::Signal => next(p, cont, SIGUSR1.into()),
        Kind::Group => {
            next(p, cont, SIGSTOP.into());
            p.cont(child, SIGSTOP);
            p.wait_for(child, stopped(SIGSTOP.into()));
        }
        Kind::Entry => next(p, nr::PTRACE_SYSCALL, 5),
        Kind::Exit => (0..2).for_each(|_| next(p, nr::PTRACE_SYSCALL, 5)),
        Kind::Step => (0..3).for_each(|_| next(p, nr::PTRACE_SINGLESTEP, 5)),
        Kind::Fork => next(p, cont, event(nr::PTRACE_EVENT_FORK)),
        Kind::Vfork => next(p, cont, event(nr::PTRACE_EVENT_VFORK)),
        Kind::VforkDone => next(p, cont, event(nr::PTRACE_EVENT_VFORK)),
        Kind::Exec => next(p, cont, event(nr::PTRACE_EVENT_EXEC)),
        Kind::ExitEvent => next(p, cont, event(nr::PTRACE_EVENT_EXIT)),
    }
    if matches!(kind, Kind::Fork | Kind::Vfork | Kind::VforkDone) {
        p.event_message(child, grandchild);
        p.wait_for(grandchild, stopped(SIGSTOP.into()));
    }
    if kind == Kind::VforkDone {
        p.cont(child, 0);
        p.cont(grandchild, 0);
        p.wait_for(grandchild, exited(0));
        p.wait_for(child, stopped(event(nr::PTRACE_EVENT_VFORK_DONE)));
        p.set(grandchild, 0);
    }
}

/// The first process starts a tracer as pid 2, whose tracee is pid 3, and waits for everybody;
/// then tells how each ended.
fn boot(entry: Entry, kind: Kind, body: impl FnOnce(&mut Prog)) -> Boot {
    let first = Prog::tracing(entry, |p| {
        let (tracer, pid, status) = (p.var(), p.var(), p.var());
        p.fork(|p| {
            // The capability is the task's own.
            p.begin();
            body(p);
            p.exit(0);
        });
        p.store(tracer);
        p.wait_for(tracer, exited(0));
        if kind == Kind::Group {
            p.kill(3, SIGCONT);
        }
        p.forever(|p, end| {
            p.wait4(-1, status, g::__WALL);
            p.store(pid);
            p.when(pid, world::asm::Is::Less, 0, |p| p.jump(end));
            p.note(pid);
            p.note(status);
        });
    });
    Boot::new(vec![("first", first), ("one", Prog::of(|p| p.exit(1)))])
}

fn ends(boot: &Boot, seed: u64) -> Vec<(u64, u64)> {
    let mut world = World::new(boot, seed);
    assert_eq!(world.run_to_the_end(), exited(0));
    world.noted().chunks(2).map(|n| (n[0], n[1])).collect()
}

#[test]
fn tracees_go_on_from_every_kind_of_stop_when_their_tracer_exits() {
    for entry in Entry::ALL {
        for kind in KINDS {
            let boot = boot(entry, kind, |p| {
                let (child, grandchild) = (p.var(), p.var());
                tracer(p, kind, child, grandchild, 0);
            });
            under_seeds(100, |seed| {
                let ends = ends(&boot, seed);
                assert!(
                    ends.contains(&(3, exited(1) as u64)),
                    "{kind:?} {entry:?}: {ends:?}"
                );
            });
        }
    }
}

#[test]
fn tracees_die_in_every_kind_of_stop_when_their_tracer_exits_with_exitkill() {
    for entry in Entry::ALL {
        for kind in KINDS {
            let boot = boot(entry, kind, |p| {
                let (child, grandchild) = (p.var(), p.var());
                tracer(p, kind, child, grandchild, nr::PTRACE_O_EXITKILL);
            });
            // What is past its exit event has its status already.
            let status = if kind == Kind::ExitEvent {
                exited(1)
            } else {
                SIGKILL.into()
            };
            under_seeds(100, |seed| {
                let ends = ends(&boot, seed);
                assert!(
                    ends.contains(&(3, status as u64)),
                    "{kind:?} {entry:?}: {ends:?}"
                );
            });
        }
    }
}

#[test]
fn sigkill_ends_every_kind_of_stop() {
    for entry in Entry::ALL {
        for kind in KINDS {
            let boot = boot(entry, kind, |p| {
                let (child, grandchild) = (p.var(), p.var());
                tracer(p, kind, child, grandchild, 0);
                p.kill(child, SIGKILL);
                p.check(Val::Rax, 0);
                let status = if kind == Kind::ExitEvent {
                    exited(1)
                } else {
                    SIGKILL.into()
                };
                p.wait_for(child, status);
                p.when(grandchild, world::asm::Is::Different, 0, |p| {
                    p.kill(grandchild, SIGKILL);
                    p.wait_for(grandchild, SIGKILL.into());
                });
            });
            under_seeds(100, |seed| drop(ends(&boot, seed)));
        }
    }
}

#[test]
fn sigkill_from_a_third_task_ends_every_kind_of_stop() {
    for entry in Entry::ALL {
        for kind in KINDS {
            let boot = boot(entry, kind, |p| {
                let (child, grandchild, killer) = (p.var(), p.var(), p.var());
                tracer(p, kind, child, grandchild, 0);
                p.fork(|p| p.kill(child, SIGKILL));
                p.store(killer);
                let status = if kind == Kind::ExitEvent {
                    exited(1)
                } else {
                    SIGKILL.into()
                };
                p.wait_for(child, status);
                p.wait_for(killer, exited(0));
            });
            under_seeds(50, |seed| drop(ends(&boot, seed)));
        }
    }
}

#[test]
fn detach_lets_a_tracee_go_on_from_every_kind_of_stop() {
    for entry in Entry::ALL {
        for kind in KINDS {
            let boot = boot(entry, kind, |p| {
                let (child, grandchild) = (p.var(), p.var());
                tracer(p, kind, child, grandchild, 0);
                p.when(grandchild, world::asm::Is::Different, 0, |p| {
                    p.detach(grandchild, 0)
                });
                p.detach(child, 0);
                if kind == Kind::Group {
                    p.kill(child, SIGCONT);
                }
                p.wait_for(child, exited(1));
            });
            under_seeds(100, |seed| drop(ends(&boot, seed)));
        }
    }
}

#[test]
fn a_tracer_that_is_killed_lets_its_tracees_go() {
    for entry in Entry::ALL {
        for kind in KINDS {
            let boot = boot(entry, kind, |p| {
                let (inner, child, grandchild) = (p.var(), p.var(), p.var());
                p.fork(|p| {
                    p.begin();
                    tracer(p, kind, child, grandchild, 0);
                    p.spin();
                });
                p.store(inner);
                p.sleep(400_000);
                p.kill(inner, SIGKILL);
                p.wait_for(inner, SIGKILL.into());
                if kind == Kind::Group {
                    p.kill(4, SIGCONT);
                }
            });
            under_seeds(50, |seed| drop(ends(&boot, seed)));
        }
    }
}
