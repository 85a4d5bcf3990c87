//! Programs with engines on each other, which answer whatever they like, or not at all.

use abi::engine::{self, AttachFlags, POLL, word};
use abi::linux::general as g;
use abi::linux::ptrace as nr;
use abi::signal::*;
use world::asm::{Callback, Choice, Entry, Is, exited};
use world::schedule::say;
use world::{Boot, Prog, Val, Var, World, under_seeds};

/// pids that programs try: most of those that exist, and some that do not.
const PIDS: u64 = 10;
/// How many engines a program has at once.
const ENGINES: usize = 3;
/// The events, and the bits of the state.
const FLAGS: (u64, u64) = (1 << 15, 1 << 4);

/// Seeds that once failed, and what each showed, as long as the programs here are what they were.
const REGRESSIONS: &[(u64, &str)] = &[
    (
        4495,
        "a tracee that exec had given its leader's tid was taken for that leader",
    ),
    (
        7,
        "a client that was killed over its first message was remembered for ever",
    ),
    (
        551,
        "a clone report that another one took the place of left its child expected",
    ),
    (
        616,
        "a client's exit was taken back as if it were an event, and its engines stayed",
    ),
];

fn random(p: &mut Prog, end: u64) -> Var {
    let var = p.var();
    p.choose(end);
    p.store(var);
    var
}

fn some_pid(p: &mut Prog) -> Var {
    let pid = random(p, PIDS);
    p.add(pid, 2);
    pid
}

/// What a program has of engines.
#[derive(Clone, Copy)]
struct Mine {
    handles: [Var; ENGINES],
    callback: Callback,
    calls: u64,
}

impl Mine {
    fn new(p: &mut Prog) -> Mine {
        Mine {
            handles: std::array::from_fn(|_| p.var()),
            callback: p.callback(),
            calls: p.words(&[1 << 39, 1 << 46, 0, 0, 0, 0, 0, 0]),
        }
    }

    fn one_of(self, p: &mut Prog, body: impl Fn(&mut Prog, Var)) {
        let body = &body;
        let each = self.handles.map(|handle| {
            let choice: Choice<'_> = Box::new(move |p| body(p, handle));
            choice
        });
        p.one_of(each.into());
    }

    fn attach(self, p: &mut Prog) {
        let pid = some_pid(p);
        self.attach_to(p, pid);
    }

    fn attach_to(self, p: &mut Prog, pid: Var) {
        self.one_of(p, |p, handle| {
            p.attach_engine(pid, AttachFlags::CREATE, 0, 3, handle);
            self.set_flags_of(p, handle);
        });
    }

    fn set_flags(self, p: &mut Prog) {
        self.one_of(p, |p, handle| self.set_flags_of(p, handle));
    }

    fn set_flags_of(self, p: &mut Prog, handle: Var) {
        let (all, chosen) = (random(p, FLAGS.0), random(p, FLAGS.1));
        p.shl(chosen, 32);
        p.load_rax(chosen);
        p.add_rax(all);
        p.store(chosen);
        p.one_of(vec![
            Box::new(move |p| p.engine_words(engine::SET_FLAGS, handle, all, 0)),
            Box::new(move |p| p.engine_words(engine::SET_FLAGS, handle, chosen, 0)),
            Box::new(move |p| p.engine_words(engine::SET_FLAGS, handle, chosen, self.calls)),
            Box::new(move |p| p.engine_words(engine::SET_FLAGS, handle, 0, 0)),
        ]);
    }

    /// Takes callbacks and answers them for a while.
    fn serve(self, p: &mut Prog) {
        let rounds = random(p, 24);
        let answer = p.var();
        p.set(answer, 0);
        p.times(rounds, |p| {
            p.one_of(vec![
                Box::new(move |p| p.next_with(answer, self.callback, 0)),
                Box::new(move |p| p.next_with(answer, self.callback, POLL)),
                Box::new(move |p| p.next_with(answer, self.callback, POLL)),
                Box::new(move |p| {
                    p.sleep(50_000);
                    p.next_with(answer, self.callback, POLL);
                }),
            ]);
            p.set(answer, 0);
            p.when(Val::Rax, Is::Equal, 1, |p| {
                p.set(answer, self.callback.word(word::TICKET));
                p.when(answer, Is::Different, 0, |p| {
                    p.shl(answer, engine::RESPONSE_BITS);
                    p.one_of(vec![
                        Box::new(|_| {}),
                        Box::new(|_| {}),
                        Box::new(|p| {
                            let bits = random(p, 1 << engine::RESPONSE_BITS);
                            p.load_rax(bits);
                            p.add_rax(answer);
                            p.store(answer);
                        }),
                    ]);
                });
            });
            p.one_of(vec![
                Box::new(|_| {}),
                Box::new(|_| {}),
                Box::new(move |p| self.look(p)),
                Box::new(move |p| self.set_flags(p)),
                Box::new(move |p| {
                    let child = p.var();
                    p.set(child, self.callback.word(word::DETAIL));
                    self.attach_to(p, child);
                }),
                Box::new(move |p| self.detach(p)),
            ]);
        });
    }

    fn detach(self, p: &mut Prog) {
        self.one_of(p, |p, handle| p.detach_engine(handle));
    }

    /// Requests and injections, in place or out of it.
    fn look(self, p: &mut Prog) {
        let data = p.words(&[0; 64]);
        let choice = random(p, 10);
        self.one_of(p, |p, handle| {
            p.one_of(vec![
                Box::new(move |p| {
                    p.engine_request(nr::PTRACE_GETREGS, handle, 0, data);
                    p.when(Val::Rax, Is::Equal, 0, |p| {
                        p.engine_request(nr::PTRACE_SETREGS, handle, 0, data);
                    });
                }),
                Box::new(move |p| p.engine_request(nr::PTRACE_GETSIGINFO, handle, 0, data)),
                Box::new(move |p| p.engine_request(nr::PTRACE_POKEDATA, handle, data, 7)),
                Box::new(move |p| p.engine_request(nr::PTRACE_CONT, handle, 0, 0)),
                Box::new(move |p| {
                    let at = 8 * word::INFO as u64;
                    p.engine_words(engine::INJECT, handle, choice, self.callback.addr() + at);
                }),
            ]);
        });
    }
}

/// Watches a child of its own that keeps busy, by an engine or two.
fn watch_child(p: &mut Prog, mine: Mine) {
    let child = p.var();
    p.fork(|p| {
        p.begin();
        p.on_signal(SIGUSR1, 0, |_| {});
        let rounds = random(p, 20);
        p.times(rounds, |p| {
            p.one_of(vec![
                Box::new(|p| p.getpid()),
                Box::new(|p| {
                    p.getpid();
                    p.kill(Val::Rax, SIGUSR1);
                }),
                Box::new(|p| p.fork(|p| p.exit(3))),
                Box::new(|p| p.thread(thread)),
                Box::new(|p| p.vfork(|p| p.exit(4))),
                Box::new(|p| p.sleep(20_000)),
                Box::new(signal_somebody),
                Box::new(trace_somebody),
            ]);
        });
        p.exec("/bin/actor");
    });
    p.store(child);
    mine.attach_to(p, child);
    p.one_of(vec![
        Box::new(|_| {}),
        Box::new(|p| mine.attach_to(p, child)),
    ]);
    mine.serve(p);
    mine.serve(p);
}

fn signal_somebody(p: &mut Prog) {
    let pid = some_pid(p);
    let signals = [
        SIGSTOP, SIGCONT, SIGCONT, SIGTERM, SIGUSR1, SIGUSR1, SIGKILL,
    ];
    let each = signals.map(|signo| {
        let choice: Choice<'_> = Box::new(move |p| p.kill(pid, signo));
        choice
    });
    p.one_of(each.into());
}

/// ptrace beside engines.
fn trace_somebody(p: &mut Prog) {
    let (pid, status) = (some_pid(p), p.var());
    let options = random(p, 0x80);
    p.ptrace(nr::PTRACE_SEIZE, pid, 0, options);
    p.ptrace(nr::PTRACE_INTERRUPT, pid, 0, 0);
    p.when(Val::Rax, Is::Equal, 0, |p| {
        let rounds = random(p, 8);
        p.times(rounds, |p| {
            p.wait4(pid, status, g::__WALL);
            let requests = [
                nr::PTRACE_CONT,
                nr::PTRACE_SYSCALL,
                nr::PTRACE_SINGLESTEP,
                nr::PTRACE_LISTEN,
                nr::PTRACE_INTERRUPT,
                nr::PTRACE_DETACH,
            ];
            let each = requests.map(|request| {
                let choice: Choice<'_> = Box::new(move |p| p.ptrace(request, pid, 0, 0));
                choice
            });
            p.one_of(each.into());
        });
    });
}

/// Has no loops, because all threads share its variables.
fn thread(p: &mut Prog) {
    let status = p.var();
    p.one_of(vec![
        Box::new(signal_somebody),
        Box::new(|p| p.sleep(50_000)),
        Box::new(|p| {
            p.fork(|p| p.exit(2));
            p.wait4(-1, status, g::__WALL);
        }),
        Box::new(|p| p.exec("/bin/actor")),
        Box::new(|p| p.exit(5)),
    ]);
}

fn actor(p: &mut Prog, depth: u32) {
    p.begin();
    let status = p.var();
    let mine = Mine::new(p);
    p.on_signal(SIGUSR1, g::SA_RESTART.into(), |_| {});
    let rounds = random(p, 20);
    p.times(rounds, |p| {
        let mut choices: Vec<Choice<'_>> = vec![
            Box::new(move |p| watch_child(p, mine)),
            Box::new(move |p| watch_child(p, mine)),
            Box::new(move |p| watch_child(p, mine)),
            Box::new(move |p| mine.attach(p)),
            Box::new(move |p| mine.serve(p)),
            Box::new(move |p| mine.set_flags(p)),
            Box::new(move |p| mine.detach(p)),
            Box::new(signal_somebody),
            Box::new(trace_somebody),
            Box::new(move |p| p.wait4(-1, status, g::WNOHANG | g::__WALL)),
            Box::new(|p| p.sleep(20_000)),
            Box::new(|p| p.getpid()),
            Box::new(|p| p.exec("/bin/actor")),
            Box::new(|p| p.vfork(|p| p.exec("/bin/actor"))),
            Box::new(|p| p.fork(|p| p.exit(3))),
            Box::new(|p| p.thread(thread)),
        ];
        if depth > 0 {
            choices.push(Box::new(move |p| p.fork(|p| actor(p, depth - 1))));
        }
        p.one_of(choices);
    });
}

fn soup() -> Boot {
    let first = Prog::tracing(Entry::Message, |p| {
        p.on_signal(SIGHUP, 0, |_| {});
        p.times(4, |p| p.fork(|p| actor(p, 1)));
        p.sleep(3_000_000);
        p.kill_everybody();
    });
    let actor = Prog::tracing(Entry::Message, |p| actor(p, 0));
    Boot::new(vec![("first", first), ("actor", actor)])
}

fn cook(boot: &Boot, seed: u64) -> u64 {
    let mut world = World::new(boot, seed);
    assert_eq!(world.run_to_the_end(), exited(0));
    world.steps
}

#[test]
fn random_engines_hurt_only_whom_they_hold() {
    let boot = soup();
    let steps = std::cell::Cell::new(0);
    under_seeds(1000, |seed| steps.set(steps.get() + cook(&boot, seed)));
    say(&format!("random engines: {} steps", steps.get()));
}

/// The tracer faults every now and then: engines end, and what they held goes on.
#[test]
fn random_engines_survive_their_tracer() {
    let boot = soup();
    under_seeds(300, |seed| {
        let mut world = World::new(&boot, seed);
        assert_eq!(world.run_to_the_end_restarting_the_tracer(100), exited(0));
    });
}

#[test]
fn seeds_that_failed_once_do_not_any_more() {
    let boot = soup();
    for (seed, _) in REGRESSIONS {
        cook(&boot, *seed);
    }
}
