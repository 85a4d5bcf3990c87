//! Programs that do whatever comes to their mind, to each other.

use abi::client::{CONTEXT_ENTER, NR_CONTEXT};
use abi::linux::general as g;
use abi::linux::ptrace as nr;
use abi::signal::*;
use world::asm::word::RBX;
use world::asm::{Choice, Entry, Is, exited};
use world::schedule::{replayed, say};
use world::{Boot, Prog, Val, Var, World, under_seeds};

/// pids that programs try: most of those that exist, and some that do not.
const PIDS: u64 = 24;

/// Seeds that once failed, and what each showed, as long as the programs here are what they were.
/// What does not depend on them is a scenario of its own, in `regressions.rs`.
const REGRESSIONS: &[(u64, &str)] = &[
    (
        7,
        "a tracee killed in the middle of its detach stayed bound to nobody",
    ),
    (10, "a dead thread whose tracer exited was never reaped"),
    (
        295,
        "PTRACE_SYSEMU skips calls that programs rely on: a check in the program was wrong",
    ),
    (
        2305,
        "a leader that died during a thread's reap report did not end its process",
    ),
];

fn some_pid(p: &mut Prog, pid: Var) {
    p.choose(PIDS);
    p.store(pid);
    p.add(pid, 2);
}

/// A random number below `end` in a variable.
fn random(p: &mut Prog, end: u64) -> Var {
    let var = p.var();
    p.choose(end);
    p.store(var);
    var
}

fn signal_somebody(p: &mut Prog) {
    let pid = p.var();
    some_pid(p, pid);
    let signals = [
        SIGSTOP, SIGCONT, SIGCONT, SIGTERM, SIGUSR1, SIGUSR1, SIGCHLD, SIGKILL, SIGTSTP,
    ];
    p.one_of(
        signals
            .into_iter()
            .map(|s| Box::new(move |p: &mut Prog| p.kill(pid, s)) as Choice<'_>)
            .collect(),
    );
}

fn trace_somebody(p: &mut Prog) {
    let pid = p.var();
    some_pid(p, pid);
    request(p, pid);
}

/// Attaches to somebody, or to a child of its own, and stays with it for a while.
fn debug_somebody(p: &mut Prog) {
    let (pid, status) = (p.var(), p.var());
    let options = random(p, 0x80);
    p.one_of(vec![
        Box::new(move |p| {
            some_pid(p, pid);
            p.ptrace(nr::PTRACE_ATTACH, pid, 0, 0);
        }),
        Box::new(move |p| {
            some_pid(p, pid);
            p.ptrace(nr::PTRACE_SEIZE, pid, 0, options);
            p.ptrace(nr::PTRACE_INTERRUPT, pid, 0, 0);
        }),
        Box::new(move |p| {
            p.fork(|p| {
                p.ptrace(nr::PTRACE_TRACEME, 0, 0, 0);
                p.getpid();
                p.kill(Val::Rax, SIGSTOP);
                p.fork(|p| p.exit(1));
                p.exec("/bin/actor");
            });
            p.store(pid);
            p.wait4(pid, status, g::__WALL);
            p.ptrace(nr::PTRACE_SETOPTIONS, pid, 0, options);
        }),
    ]);
    p.when(Val::Rax, Is::Equal, 0, |p| {
        let rounds = random(p, 12);
        p.times(rounds, |p| {
            p.one_of(vec![
                Box::new(move |p| p.wait4(pid, status, g::__WALL)),
                Box::new(move |p| p.wait4(-1, status, g::__WALL)),
                Box::new(move |p| p.wait4(pid, status, g::__WALL | g::WNOHANG)),
            ]);
            request(p, pid);
        });
    });
}

/// A random request on a task, which may be a tracee of the program's or not.
fn request(p: &mut Prog, pid: Var) {
    let data = p.words(&[0; 64]);
    let options = random(p, 0x100);
    let signal = p.var();
    p.one_of(vec![
        Box::new(|p| p.set(signal, 0)),
        Box::new(|p| p.set(signal, 0)),
        Box::new(|p| p.set(signal, 0)),
        Box::new(|p| {
            p.choose(32);
            p.store(signal);
        }),
    ]);
    let mut choices: Vec<Choice<'_>> = vec![
        Box::new(move |p| p.ptrace(nr::PTRACE_SEIZE, pid, 0, options)),
        Box::new(move |p| p.ptrace(nr::PTRACE_SETOPTIONS, pid, 0, options)),
        Box::new(move |p| p.ptrace(nr::PTRACE_TRACEME, 0, 0, 0)),
        Box::new(move |p| {
            p.ptrace(nr::PTRACE_GETREGS, pid, 0, data);
            p.when(Val::Rax, Is::Equal, 0, |p| {
                p.ptrace(nr::PTRACE_SETREGS, pid, 0, data)
            });
        }),
        Box::new(move |p| {
            p.ptrace(nr::PTRACE_GETFPREGS, pid, 0, data);
            p.when(Val::Rax, Is::Equal, 0, |p| {
                p.ptrace(nr::PTRACE_SETFPREGS, pid, 0, data);
            });
        }),
        Box::new(move |p| p.ptrace(nr::PTRACE_GETSIGINFO, pid, 0, data)),
        Box::new(move |p| p.ptrace(nr::PTRACE_PEEKDATA, pid, data, data)),
        Box::new(move |p| p.ptrace(nr::PTRACE_POKEDATA, pid, data, 7)),
    ];
    for request in [
        nr::PTRACE_ATTACH,
        nr::PTRACE_ATTACH,
        nr::PTRACE_INTERRUPT,
        nr::PTRACE_LISTEN,
        nr::PTRACE_KILL,
    ] {
        choices.push(Box::new(move |p| p.ptrace(request, pid, 0, 0)));
    }
    for request in [
        nr::PTRACE_CONT,
        nr::PTRACE_CONT,
        nr::PTRACE_SYSCALL,
        nr::PTRACE_SYSCALL,
        nr::PTRACE_SINGLESTEP,
        nr::PTRACE_SYSEMU,
        nr::PTRACE_DETACH,
    ] {
        choices.push(Box::new(move |p| p.ptrace(request, pid, 0, signal)));
    }
    p.one_of(choices);
}

fn use_a_pipe(p: &mut Prog) {
    let (read, write, buffer) = (p.var(), p.var(), p.page());
    let fds = p.var();
    p.sys(g::__NR_pipe, &[Val::Num(fds.0)]);
    p.set_low(read, fds.0);
    p.set_low(write, fds.0 + 4);
    p.fork(|p| {
        p.write(write, buffer, 100);
        p.exit(0);
    });
    p.close(write);
    p.read(read, buffer, 200);
    p.close(read);
}

fn use_memory(p: &mut Prog) {
    let at = p.var();
    p.mmap(8192, g::PROT_READ | g::PROT_WRITE);
    p.store(at);
    p.when(at, Is::Less, 0, |p| p.exit(12));
    p.set_at(at, 5);
    p.sys(g::__NR_munmap, &[at.into(), 4096.into()]);
}

/// Has no loops, because all threads share its variables.
fn thread(p: &mut Prog) {
    let (pid, status) = (p.var(), p.var());
    p.one_of(vec![
        Box::new(signal_somebody),
        Box::new(trace_somebody),
        Box::new(|p| p.sleep(50_000)),
        Box::new(|p| {
            p.fork(|p| p.exit(2));
            p.wait4(-1, status, g::__WALL);
        }),
        Box::new(|p| p.exec("/bin/actor")),
        Box::new(|p| p.exit(5)),
        Box::new(use_a_pipe),
    ]);
    some_pid(p, pid);
    request(p, pid);
}

/// Does random things a random number of times, after something of its own.
fn actor(p: &mut Prog, depth: u32, begins: fn(&mut Prog)) {
    begins(p);
    let status = p.var();
    p.on_signal(SIGUSR1, g::SA_RESTART.into(), |_| {});
    let rounds = random(p, 12);
    p.times(rounds, |p| {
        let mut choices: Vec<Choice<'_>> = vec![
            Box::new(signal_somebody),
            Box::new(trace_somebody),
            Box::new(debug_somebody),
            Box::new(debug_somebody),
            Box::new(debug_somebody),
            Box::new(move |p| p.wait4(-1, status, g::WNOHANG | g::__WALL)),
            Box::new(move |p| p.wait4(-1, status, g::WUNTRACED | g::WCONTINUED | g::__WALL)),
            Box::new(|p| p.sleep(20_000)),
            Box::new(use_a_pipe),
            Box::new(use_memory),
            Box::new(|p| p.exec("/bin/actor")),
            Box::new(|p| p.vfork(|p| p.exec("/bin/actor"))),
            Box::new(|p| p.fork(|p| p.exit(3))),
            Box::new(|p| p.thread(thread)),
            Box::new(|p| p.thread(thread)),
            Box::new(|p| p.sys(g::__NR_setpgid, &[0.into(), 0.into()])),
            Box::new(|p| p.sys(g::__NR_alarm, &[1.into()])),
        ];
        if depth > 0 {
            choices.push(Box::new(move |p| p.fork(|p| actor(p, depth - 1, begins))));
        }
        p.one_of(choices);
    });
}

fn soup(entry: Entry) -> Boot {
    soup_between(entry, |_| {}, |p| p.kill_everybody())
}

/// The same with something done first, and an end of its own.
fn soup_between(
    entry: Entry,
    before: impl FnOnce(&mut Prog),
    after: impl FnOnce(&mut Prog),
) -> Boot {
    soup_of(entry, |_| {}, before, after)
}

/// The same of actors that begin in a way of their own.
fn soup_of(
    entry: Entry,
    begins: fn(&mut Prog),
    before: impl FnOnce(&mut Prog),
    after: impl FnOnce(&mut Prog),
) -> Boot {
    let first = Prog::tracing(entry, |p| {
        before(p);
        // Its own group may lose its last link to the session and be hung up.
        p.on_signal(SIGHUP, 0, |_| {});
        p.times(4, |p| p.fork(|p| actor(p, 1, begins)));
        p.sleep(3_000_000);
        after(p);
    });
    let actor = Prog::tracing(entry, |p| actor(p, 0, begins));
    Boot::new(vec![("first", first), ("actor", actor)])
}

fn cook(boot: &Boot, seed: u64) -> u64 {
    let mut world = World::new(boot, seed);
    assert_eq!(world.run_to_the_end(), exited(0));
    world.steps
}

/// How many steps the runs of one `cargo xtask test` have to make together.
const STEPS: u64 = 1_000_000;

#[test]
fn random_programs_do_each_other_whatever_they_like() {
    let steps = std::cell::Cell::new(0);
    for entry in Entry::ALL {
        let boot = soup(entry);
        under_seeds(1000, |seed| steps.set(steps.get() + cook(&boot, seed)));
    }
    let steps = steps.get();
    say(&format!("random programs: {steps} steps"));
    assert!(steps >= STEPS || replayed().is_some());
}

/// Looks at one of two children and changes it, all of which it is shown. Others come and go, so that
/// the two may have the same place.
fn shown(p: &mut Prog) {
    let (pid, status, data) = (p.var(), p.var(), p.words(&[0; 64]));
    let both = [p.var(), p.var()];
    for child in both {
        let others = random(p, 8);
        p.times(others, |p| p.fork(|p| p.exit(3)));
        p.fork(|p| {
            p.ptrace(nr::PTRACE_TRACEME, 0, 0, 0);
            p.getpid();
            p.kill(Val::Rax, SIGSTOP);
            p.forever(|p, _| p.sys(g::__NR_getppid, &[]));
        });
        p.store(child);
        p.wait4(child, status, g::__WALL);
    }
    p.set(pid, both[0]);
    let page = p.share_stops();
    let rounds = random(p, 20);
    p.times(rounds, |p| {
        let value = random(p, 1 << 20);
        let mut choices: Vec<Choice<'_>> = vec![
            Box::new(move |p| p.ptrace(nr::PTRACE_POKEUSR, pid, 8 * RBX, value)),
            Box::new(move |p| p.ptrace(nr::PTRACE_PEEKUSR, pid, 8 * RBX, data)),
            Box::new(move |p| p.ptrace(nr::PTRACE_GETREGS, pid, 0, data)),
            Box::new(move |p| p.ptrace(nr::PTRACE_GETSIGINFO, pid, 0, data)),
            Box::new(move |p| {
                p.set(Var(data), 5);
                p.ptrace(nr::PTRACE_SETSIGINFO, pid, 0, data);
            }),
            Box::new(move |p| {
                p.fork(|p| p.exit(3));
                p.share_stops_in(page);
            }),
            Box::new(move |p| p.set(pid, both[0])),
            Box::new(move |p| p.set(pid, both[1])),
            Box::new(move |p| p.wait4(-1, status, g::WNOHANG | g::__WALL)),
        ];
        for request in [
            nr::PTRACE_SYSCALL,
            nr::PTRACE_SYSCALL,
            nr::PTRACE_SINGLESTEP,
        ] {
            choices.push(Box::new(move |p| {
                p.ptrace(request, pid, 0, 0);
                p.wait4(pid, status, g::__WALL);
            }));
        }
        p.one_of(choices);
    });
    for child in both {
        p.kill(child, SIGKILL);
    }
}

/// What they find in their pages is at all times what they would be answered: an invariant.
#[test]
fn random_programs_are_shown_their_tracees_stops() {
    let after = |p: &mut Prog| p.kill_everybody();
    let boot = soup_of(Entry::Message, shown, |_| {}, after);
    under_seeds(150, |seed| {
        cook(&boot, seed);
    });
}

/// The tracer faults every now and then, and what it held goes on.
#[test]
fn random_programs_survive_their_tracer() {
    for entry in Entry::ALL {
        let boot = soup(entry);
        under_seeds(150, |seed| {
            let mut world = World::new(&boot, seed);
            assert_eq!(world.run_to_the_end_restarting_the_tracer(100), exited(0));
        });
    }
}

#[test]
fn random_programs_dump_core_and_go_into_contexts_in_the_middle_of_everything() {
    for entry in Entry::ALL {
        let before = |p: &mut Prog| {
            p.chdir("/tmp");
            p.limit(g::RLIMIT_CORE, u64::MAX);
            p.times(4, |p| {
                p.fork(|p| {
                    p.thread(thread);
                    p.thread(|p| p.forever(|p, _| p.sleep(10_000)));
                    p.thread(|p| p.vfork(|p| p.exec("/bin/actor")));
                    p.sleep(100_000);
                    let number = random(p, 3);
                    p.sys(NR_CONTEXT, &[CONTEXT_ENTER.into(), number.into()]);
                    p.fork(thread);
                    p.ok(|a| a.int3());
                });
            });
        };
        let boot = soup_between(entry, before, |p| {
            p.kill_all_up_to(120);
            p.unlink("/tmp/core");
        });
        under_seeds(150, |seed| {
            cook(&boot, seed);
        });
    }
}

#[test]
fn seeds_that_failed_once_do_not_any_more() {
    for entry in Entry::ALL {
        let boot = soup(entry);
        for (seed, _) in REGRESSIONS {
            cook(&boot, *seed);
        }
    }
}
