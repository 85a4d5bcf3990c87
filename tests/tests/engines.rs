//! Engines of programs: attached, called back and answered by message (utrace.md).

use abi::Errno;
use abi::engine::{AttachFlags, Choice, Flags, Flow, PER_TASK, Response, State, word};
use abi::linux::general as g;
use abi::linux::ptrace as nr;
use abi::signal::*;
use abi::tracer::{Events, SignalAction};
use world::asm::{Callback, Entry, Is, exited, stopped};
use world::{Boot, Prog, Val, Var, World, engine_scenario, tracing_scenario, under_seeds};

/// How many orders of events each scenario is tried in.
const SEEDS: u64 = 200;

const CALLS: Events = Events::SYSCALL_ENTRY.union(Events::SYSCALL_EXIT);

fn events(events: Events) -> Flags {
    Flags {
        events,
        ..Flags::default()
    }
}

fn errno(e: Errno) -> i64 {
    e.as_result()
}

/// A child that does `body` once it is told to go on, which [`Waiting::go`] does.
struct Waiting {
    child: Var,
    write: Var,
    buffer: u64,
}

impl Waiting {
    fn fork(p: &mut Prog, body: impl FnOnce(&mut Prog)) -> Waiting {
        let (child, read, write) = (p.var(), p.var(), p.var());
        let buffer = p.page();
        p.pipe(read, write);
        p.fork(|p| {
            p.begin();
            p.read(read, buffer, 1);
            body(p);
        });
        p.store(child);
        Waiting {
            child,
            write,
            buffer,
        }
    }

    fn go(&self, p: &mut Prog) {
        p.write(self.write, self.buffer, 1);
        p.check(Val::Rax, 1);
    }
}

/// A set of system calls in memory.
fn set_of(p: &mut Prog, calls: &[u32]) -> u64 {
    let mut set = abi::engine::Calls::NONE;
    for nr in calls {
        set.insert((*nr).into());
    }
    p.words(&set.0)
}

#[track_caller]
fn check_event(p: &mut Prog, callback: Callback, data: u64, event: Events, tid: Var) {
    p.check(Val::Rax, 1);
    p.check(callback.word(word::DATA), data);
    let told = p.var();
    p.set(told, tid);
    p.shl(told, 32);
    p.add(told, u64::from(event.bits()));
    p.check(callback.word(word::EVENT), told);
}

/// utrace.md, Callbacks: entry and exit of the calls asked for and of no others, in the task's order.
#[test]
fn an_engine_sees_the_system_calls_it_asked_for() {
    engine_scenario(SEEDS, |p| {
        let me = p.var();
        p.getpid();
        p.store(me);
        let waiting = Waiting::fork(p, |p| {
            p.getpid();
            p.sys(g::__NR_getppid, &[5.into(), 6.into()]);
            p.check(Val::Rax, me);
            p.getpid();
            p.exit(3);
        });
        let engine = p.engine(waiting.child, 77, Flags::default());
        let set = set_of(p, &[g::__NR_getppid]);
        p.set_engine(engine, events(CALLS), set);
        p.check(Val::Rax, 0);
        waiting.go(p);
        let callback = p.callback();
        p.next_callback(callback);
        check_event(p, callback, 77, Events::SYSCALL_ENTRY, waiting.child);
        p.check(callback.word(word::DETAIL), g::__NR_getppid);
        p.check(callback.word(word::DETAIL + 1), 5);
        p.check(callback.word(word::DETAIL + 2), 6);
        p.answer_and_next(callback, Response::default());
        check_event(p, callback, 77, Events::SYSCALL_EXIT, waiting.child);
        p.check(callback.word(word::DETAIL), g::__NR_getppid);
        p.check(callback.word(word::DETAIL + 1), me);
        p.answer_callback(callback, Response::default());
        p.check(Val::Rax, 0);
        p.wait_for(waiting.child, exited(3));
        p.detach_engine(engine);
        p.check(Val::Rax, errno(Errno::ESRCH));
    });
}

/// utrace.md, SYSCALL_ENTRY: ABORT, with the result that the engine sets.
#[test]
fn a_vetoed_call_does_not_run_and_gives_what_the_engine_says() {
    engine_scenario(SEEDS, |p| {
        let waiting = Waiting::fork(p, |p| {
            let path = p.string("/bin/seven");
            p.sys(g::__NR_unlink, &[path.into()]);
            p.check(Val::Rax, errno(Errno::ENOSYS));
            p.sys(g::__NR_unlink, &[path.into()]);
            p.check(Val::Rax, errno(Errno::EPERM));
            p.exec("/bin/seven");
        });
        let engine = p.engine(waiting.child, 1, Flags::default());
        let set = set_of(p, &[g::__NR_unlink]);
        p.set_engine(engine, events(Events::SYSCALL_ENTRY), set);
        waiting.go(p);
        let callback = p.callback();
        let veto = Response {
            abort: true,
            ..Response::default()
        };
        p.next_callback(callback);
        p.check(Val::Rax, 1);
        p.answer_and_next(callback, veto);
        p.check(Val::Rax, 1);
        let rax = 10 * 8;
        p.engine_request(nr::PTRACE_POKEUSR, engine, rax, errno(Errno::EPERM));
        p.check(Val::Rax, 0);
        p.answer_callback(callback, veto);
        p.wait_for(waiting.child, exited(7));
    });
}

/// utrace rule 3: a task that an engine wants quiescent stands still until it says otherwise.
#[test]
fn a_quiescent_task_can_be_looked_at_and_goes_on_when_its_engine_says() {
    engine_scenario(SEEDS, |p| {
        let child = p.var();
        let shared = p.var();
        p.fork(|p| {
            p.begin();
            p.forever(|p, _| p.add(shared, 1));
        });
        p.store(child);
        let quiescent = Flags {
            events: Events::QUIESCE,
            state: State::QUIESCE,
        };
        let engine = p.engine(child, 9, quiescent);
        let callback = p.callback();
        p.next_callback(callback);
        check_event(p, callback, 9, Events::QUIESCE, child);
        p.answer_callback(callback, Response::default());
        p.check(Val::Rax, 0);
        let (before, after) = (p.page(), p.page());
        p.engine_request(nr::PTRACE_GETREGS, engine, 0, before);
        p.check(Val::Rax, 0);
        p.sleep(1_000_000);
        p.engine_request(nr::PTRACE_GETREGS, engine, 0, after);
        p.check(Val::At(before + 16 * 8), Val::At(after + 16 * 8));
        p.set_engine(engine, Flags::default(), 0);
        p.check(Val::Rax, 0);
        p.engine_request(nr::PTRACE_GETREGS, engine, 0, before);
        p.check(Val::Rax, errno(Errno::ESRCH));
        p.detach_engine(engine);
        p.check(Val::Rax, 0);
        p.kill_and_reap(child);
    });
}

/// utrace rule 5: engines are asked in the order in which they were attached, and HIDE hides.
#[test]
fn two_engines_are_asked_in_order_and_the_first_can_hide() {
    engine_scenario(SEEDS, |p| {
        let waiting = Waiting::fork(p, |p| {
            p.sys(g::__NR_getppid, &[]);
            p.sys(g::__NR_getppid, &[]);
            p.exit(3);
        });
        let set = set_of(p, &[g::__NR_getppid]);
        for data in [1, 2] {
            let engine = p.engine(waiting.child, data, Flags::default());
            p.set_engine(engine, events(Events::SYSCALL_ENTRY), set);
        }
        waiting.go(p);
        let callback = p.callback();
        let hide = Response {
            flow: Flow::Hide,
            ..Response::default()
        };
        p.next_callback(callback);
        p.check(callback.word(word::DATA), 1);
        p.answer_and_next(callback, Response::default());
        p.check(callback.word(word::DATA), 2);
        p.answer_and_next(callback, Response::default());
        p.check(callback.word(word::DATA), 1);
        p.answer_callback(callback, hide);
        p.check(Val::Rax, 0);
        p.wait_for(waiting.child, exited(3));
    });
}

/// utrace.md, SIGNAL: the engine's choice is what happens with a signal.
#[test]
fn an_engine_decides_what_becomes_of_a_signal() {
    engine_scenario(SEEDS, |p| {
        let waiting = Waiting::fork(p, |p| {
            let me = p.var();
            p.getpid();
            p.store(me);
            p.kill(me, SIGTERM);
            p.kill(me, SIGTERM);
            p.exit(4);
        });
        let engine = p.engine(waiting.child, 1, events(Events::ANY_SIGNAL));
        waiting.go(p);
        let callback = p.callback();
        let ignore = Response {
            signal: Some(Choice::Act(SignalAction::Ignore)),
            ..Response::default()
        };
        p.next_callback(callback);
        check_event(p, callback, 1, Events::SIGNAL_TERM, waiting.child);
        p.check_low(callback.word(word::INFO), SIGTERM.into());
        p.answer_and_next(callback, ignore);
        // The second one is another signal by now.
        p.check(Val::Rax, 1);
        let info = p.words(&[u64::from(SIGUSR2), 0]);
        let terminate = Choice::Act(SignalAction::Terminate);
        p.inject(engine, terminate, info, 0);
        p.check(Val::Rax, 0);
        p.inject(engine, terminate, info, 0);
        p.check(Val::Rax, errno(Errno::EAGAIN));
        p.answer_callback(callback, ignore);
        p.wait_for(waiting.child, SIGUSR2.into());
    });
}

/// The issue's own example: a ptrace debugger steps a task while one engine logs its system calls and
/// another forbids it to unlink.
#[test]
fn a_debugger_steps_while_one_engine_logs_and_another_forbids() {
    engine_scenario(SEEDS, |p| {
        let waiting = Waiting::fork(p, |p| {
            p.getpid();
            let path = p.string("/bin/seven");
            p.sys(g::__NR_unlink, &[path.into()]);
            p.check(Val::Rax, errno(Errno::ENOSYS));
            p.exec("/bin/seven");
        });
        let (child, ready, go) = (waiting.child, p.var(), p.var());
        p.pipe(ready, go);
        let logger = p.var();
        let byte = p.page();
        // The logger also vetoes; both of its engines are its own.
        p.fork(|p| {
            p.begin();
            let logs = p.engine(child, 1, Flags::default());
            let set = set_of(p, &[g::__NR_getpid, g::__NR_unlink]);
            p.set_engine(logs, events(CALLS), set);
            let vetoes = p.engine(child, 2, Flags::default());
            let set = set_of(p, &[g::__NR_unlink]);
            p.set_engine(vetoes, events(Events::SYSCALL_ENTRY), set);
            p.write(go, byte, 1);
            let callback = p.callback();
            let expected = [
                (1, g::__NR_getpid, false),
                (1, g::__NR_getpid, false),
                (1, g::__NR_unlink, false),
                (2, g::__NR_unlink, true),
                (1, g::__NR_unlink, false),
            ];
            p.next_callback(callback);
            for (at, (data, nr, abort)) in expected.into_iter().enumerate() {
                p.check(Val::Rax, 1);
                p.check(callback.word(word::DATA), data);
                p.check(callback.word(word::DETAIL), nr);
                let response = Response {
                    abort,
                    ..Response::default()
                };
                match at == expected.len() - 1 {
                    true => p.answer_callback(callback, response),
                    false => p.answer_and_next(callback, response),
                }
            }
            p.exit(8);
        });
        p.store(logger);
        p.read(ready, byte, 1);
        p.attach(child);
        waiting.go(p);
        let status = p.var();
        p.forever(|p, end| {
            p.ptrace_ok(nr::PTRACE_SINGLESTEP, child, 0, 0);
            p.wait4(child, status, g::__WALL);
            p.check(Val::Rax, child);
            p.when(status, Is::Equal, exited(7), |p| p.jump(end));
            p.check(status, stopped(SIGTRAP.into()));
        });
        p.wait_for(logger, exited(8));
    });
}

/// utrace rule 10: what an engine's owner held goes on when the owner is gone.
#[test]
fn the_owner_of_an_engine_dies_and_its_task_goes_on() {
    engine_scenario(SEEDS, |p| {
        let (child, owner) = (p.var(), p.var());
        let go_on = p.var();
        p.fork(|p| p.forever(|p, _| p.sleep(100_000)));
        p.store(child);
        p.fork(|p| {
            p.begin();
            p.engine(
                child,
                1,
                Flags {
                    events: Events::QUIESCE | CALLS,
                    state: State::QUIESCE,
                },
            );
            p.one_of(vec![
                Box::new(|p| p.exit(0)),
                Box::new(|p| {
                    let callback = p.callback();
                    p.next_callback(callback);
                    p.exit(0);
                }),
                Box::new(|p| {
                    let callback = p.callback();
                    p.next_callback(callback);
                    p.answer_and_next(callback, Response::default());
                    p.exit(0);
                }),
                Box::new(|p| p.getpid()),
            ]);
            p.sleep(50_000);
        });
        p.store(owner);
        p.sleep(1_000_000);
        p.kill(owner, SIGKILL);
        let status = p.var();
        p.wait4(owner, status, 0);
        // It can be attached, so it is not held.
        p.attach(child);
        p.detach(child, 0);
        p.set(go_on, 1);
        p.kill_and_reap(child);
    });
}

/// An engine that never answers holds its task only, and SIGKILL passes.
#[test]
fn a_held_task_can_be_killed() {
    engine_scenario(SEEDS, |p| {
        let child = p.var();
        p.fork(|p| p.forever(|p, _| p.getpid()));
        p.store(child);
        let engine = p.engine(child, 1, events(CALLS));
        let callback = p.callback();
        p.next_callback(callback);
        p.check(Val::Rax, 1);
        p.kill_and_reap(child);
        p.answer_callback(callback, Response::default());
        p.check(Val::Rax, errno(Errno::ESRCH));
        p.detach_engine(engine);
        p.check(Val::Rax, errno(Errno::ESRCH));
    });
}

/// utrace.md, DEATH and REAP, and the state bit NOREAP.
#[test]
fn an_engine_sees_its_task_die_keeps_it_and_sees_it_reaped() {
    engine_scenario(SEEDS, |p| {
        let waiting = Waiting::fork(p, |p| p.exit(6));
        let flags = Flags {
            events: Events::EXIT | Events::DEATH | Events::REAP,
            state: State::NOREAP,
        };
        let engine = p.engine(waiting.child, 4, flags);
        waiting.go(p);
        let callback = p.callback();
        p.next_callback(callback);
        check_event(p, callback, 4, Events::EXIT, waiting.child);
        p.check(callback.word(word::DETAIL), exited(6));
        p.answer_and_next(callback, Response::default());
        check_event(p, callback, 4, Events::DEATH, waiting.child);
        p.check(callback.word(word::DETAIL), exited(6));
        let status = p.var();
        p.answer_callback(callback, Response::default());
        p.wait4(waiting.child, status, g::WNOHANG | g::__WALL);
        p.check(Val::Rax, 0);
        p.set_engine(
            engine,
            events(Events::EXIT | Events::DEATH | Events::REAP),
            0,
        );
        p.check(Val::Rax, 0);
        p.wait_for(waiting.child, exited(6));
        p.next_callback(callback);
        check_event(p, callback, 4, Events::REAP, waiting.child);
    });
}

/// utrace rule 1: only an engine of its creator may attach to a newborn, from the clone report.
#[test]
fn the_creators_engine_attaches_to_the_child_before_it_runs() {
    engine_scenario(SEEDS, |p| {
        let waiting = Waiting::fork(p, |p| {
            let child = p.var();
            p.fork(|p| {
                p.sys(g::__NR_getppid, &[]);
                p.exit(1);
            });
            p.store(child);
            p.wait_for(child, exited(1));
            p.exit(2);
        });
        p.engine(waiting.child, 1, events(Events::CLONE));
        waiting.go(p);
        let callback = p.callback();
        p.next_callback(callback);
        check_event(p, callback, 1, Events::CLONE, waiting.child);
        let child = p.var();
        p.set(child, callback.word(word::DETAIL));
        p.engine(child, 2, events(Events::SYSCALL_ENTRY));
        p.answer_and_next(callback, Response::default());
        check_event(p, callback, 2, Events::SYSCALL_ENTRY, child);
        p.check(callback.word(word::DETAIL), g::__NR_getppid);
        let detach = Response {
            flow: Flow::Detach,
            ..Response::default()
        };
        p.answer_callback(callback, detach);
        p.check(Val::Rax, 0);
        p.wait_for(waiting.child, exited(2));
    });
}

/// utrace.md, Calls: what attach finds and refuses.
#[test]
fn attach_finds_and_refuses_as_the_rules_say() {
    engine_scenario(SEEDS, |p| {
        let child = p.var();
        let me = p.var();
        let (found, lost) = (p.var(), p.var());
        p.getpid();
        p.store(me);
        p.fork(|p| p.forever(|p, _| p.sleep(1_000_000)));
        p.store(child);
        p.attach_engine(child, AttachFlags::MATCH_OPS, 5, 0, lost);
        p.check(Val::Rax, errno(Errno::ENOENT));
        let first = p.var();
        p.attach_engine(child, AttachFlags::CREATE, 5, 50, first);
        p.check_not_negative();
        p.attach_engine(child, AttachFlags::MATCH_OPS, 5, 0, found);
        p.check_not_negative();
        p.check(found, first);
        p.attach_engine(child, AttachFlags::MATCH_DATA, 0, 51, lost);
        p.check(Val::Rax, errno(Errno::ENOENT));
        let exclusive = AttachFlags::CREATE | AttachFlags::EXCLUSIVE | AttachFlags::MATCH_OPS;
        p.attach_engine(child, exclusive, 5, 51, lost);
        p.check(Val::Rax, errno(Errno::EEXIST));
        p.attach_engine(me, AttachFlags::CREATE, 0, 0, lost);
        p.check(Val::Rax, errno(Errno::EPERM));
        p.attach_engine(1, AttachFlags::CREATE, 0, 0, lost);
        p.check(Val::Rax, errno(Errno::EPERM));
        p.attach_engine(999, AttachFlags::CREATE, 0, 0, lost);
        p.check(Val::Rax, errno(Errno::ESRCH));
        p.attach_engine(child, AttachFlags::from_bits_retain(4), 0, 0, lost);
        p.check(Val::Rax, errno(Errno::EINVAL));
        for _ in 1..PER_TASK {
            p.attach_engine(child, AttachFlags::CREATE, 5, 50, lost);
            p.check_not_negative();
        }
        p.attach_engine(child, AttachFlags::CREATE, 5, 50, lost);
        p.check(Val::Rax, errno(Errno::ENOMEM));
        p.detach_engine(first);
        p.check(Val::Rax, 0);
        p.detach_engine(first);
        p.check(Val::Rax, errno(Errno::ESRCH));
        p.attach_engine(child, AttachFlags::CREATE, 5, 50, lost);
        p.check_not_negative();
        p.kill_and_reap(child);
    });
}

/// An error leaves the callback where it was.
#[test]
fn what_cannot_be_taken_or_answered_changes_nothing() {
    engine_scenario(SEEDS, |p| {
        let child = p.var();
        p.fork(|p| p.forever(|p, _| p.getpid()));
        p.store(child);
        let engine = p.engine(child, 1, events(CALLS));
        let callback = p.callback();
        p.forever(|p, end| {
            p.next_callback(Callback::at(8));
            p.when(Val::Rax, Is::Equal, errno(Errno::EFAULT), |p| p.jump(end));
        });
        p.set_word(callback, word::TICKET, 7);
        p.answer_callback(callback, Response::default());
        p.check(Val::Rax, errno(Errno::ESRCH));
        p.next_callback(callback);
        p.check(Val::Rax, 1);
        let ticket = callback.word(word::TICKET);
        let kept = p.var();
        p.set(kept, ticket);
        p.answer_and_next(callback, Response::default());
        p.check(Val::Rax, 1);
        let taken = p.var();
        p.set(taken, ticket);
        p.set_word(callback, word::TICKET, kept);
        p.answer_callback(callback, Response::default());
        p.check(Val::Rax, errno(Errno::ESRCH));
        p.set_word(callback, word::TICKET, taken);
        p.detach_engine(engine);
        p.check(Val::Rax, 0);
        p.answer_callback(callback, Response::default());
        p.check(Val::Rax, errno(Errno::ESRCH));
        p.poll_callback(callback);
        p.check(Val::Rax, 0);
        p.kill_and_reap(child);
    });
}

/// A tracer under a policy: what the policy follows is traced as if it were alone.
#[test]
fn a_tracer_and_its_tracee_may_both_have_engines() {
    tracing_scenario(SEEDS, |p| {
        // Callbacks are taken by messages, whichever way the tracer goes.
        let entry = p.entry;
        let waiting = Waiting::fork(p, |p| {
            let child = p.var();
            p.traced_child(child, |p| {
                p.getpid();
                p.exec("/bin/seven");
            });
            p.set_options(child, nr::PTRACE_O_TRACESYSGOOD | nr::PTRACE_O_TRACEEXEC);
            let status = p.var();
            p.forever(|p, end| {
                p.ptrace_ok(nr::PTRACE_SYSCALL, child, 0, 0);
                p.wait4(child, status, g::__WALL);
                p.check(Val::Rax, child);
                p.when(status, Is::Equal, exited(7), |p| p.jump(end));
                p.when(status, Is::Different, stopped(0x85), |p| {
                    p.check(status, stopped(0x405));
                });
            });
            p.exit(3);
        });
        p.entry = Entry::Message;
        p.begin();
        let set = set_of(p, &[g::__NR_unlink, g::__NR_execve]);
        let flags = events(Events::CLONE | Events::DEATH | Events::SYSCALL_ENTRY);
        let engine = p.engine(waiting.child, 1, Flags::default());
        p.set_engine(engine, flags, set);
        p.check(Val::Rax, 0);
        waiting.go(p);
        let callback = p.callback();
        let alive = p.var();
        p.set(alive, 1);
        p.next_callback(callback);
        p.forever(|p, end| {
            p.check(Val::Rax, 1);
            p.masked(callback.word(word::EVENT), Events::CLONE.bits());
            p.when(Val::Rax, Is::Different, 0, |p| {
                let child = p.var();
                p.set(child, callback.word(word::DETAIL));
                let engine = p.engine(child, 2, Flags::default());
                p.set_engine(engine, flags, set);
                p.check(Val::Rax, 0);
                p.add(alive, 1);
            });
            p.masked(callback.word(word::EVENT), Events::DEATH.bits());
            p.when(Val::Rax, Is::Different, 0, |p| p.add(alive, -1));
            p.when(alive, Is::Equal, 0, |p| p.jump(end));
            p.answer_and_next(callback, Response::default());
        });
        p.answer_callback(callback, Response::default());
        p.wait_for(waiting.child, exited(3));
        p.entry = entry;
    });
}

/// A program's messages are its own: they count from 1 whatever the program before has said.
#[test]
fn what_a_program_said_before_exec_does_not_answer_the_next() {
    under_seeds(SEEDS, |seed| {
        let first = Prog::tracing(Entry::Message, |p| {
            let child = p.var();
            p.fork(|p| p.forever(|p, _| p.sleep(100_000)));
            p.store(child);
            // One message to each server: a stop of the child that nobody has seen.
            p.ptrace_ok(nr::PTRACE_SEIZE, child, 0, 0);
            p.exec("/bin/next");
        });
        let next = Prog::tracing(Entry::Message, |p| {
            // The same number, another message.
            let child = p.var();
            p.set(child, 2);
            p.ptrace(nr::PTRACE_SETOPTIONS, child, 0, 0);
            p.check(Val::Rax, errno(Errno::ESRCH));
            p.ptrace_ok(nr::PTRACE_INTERRUPT, child, 0, 0);
            p.wait_for(child, stopped(0x8005));
            p.kill_and_reap(child);
        });
        let boot = Boot::new(vec![("first", first), ("next", next)]);
        let mut world = World::new(&boot, seed);
        assert_eq!(world.run_to_the_end(), exited(0));
    });
}

/// An engine ends with the program that has it, and its task goes on.
#[test]
fn exec_leaves_its_engines_behind() {
    engine_scenario(SEEDS, |p| {
        let (child, owner) = (p.var(), p.var());
        p.fork(|p| p.forever(|p, _| p.sleep(100_000)));
        p.store(child);
        p.fork(|p| {
            p.begin();
            let quiescent = Flags {
                events: Events::QUIESCE,
                state: State::QUIESCE,
            };
            p.engine(child, 1, quiescent);
            p.exec("/bin/seven");
        });
        p.store(owner);
        p.wait_for(owner, exited(7));
        p.attach(child);
        p.detach(child, 0);
        p.kill_and_reap(child);
    });
}
