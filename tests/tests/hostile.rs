//! Messages that make no sense, at any moment: an error, and nothing changes.

use abi::client::{PTRACE, PTRACE_COMPAT};
use abi::engine;
use abi::linux::general as g;
use abi::linux::ptrace as nr;
use abi::signal::*;
use abi::wire::{self, MAX};
use abi::{Regs, TaskId, fs};
use procmgr::inspect::{Standing, TaskSurvey};
use procmgr::{Access, Trap};
use world::asm::{Entry, exited};
use world::garbage;
use world::schedule::Random;
use world::sim::Pending;
use world::{Boot, Prog, Val, World, under_seeds};

/// How many messages a test sends in all.
const MESSAGES: u64 = 20_000;
/// How many of them to one world.
const TO_EACH: u64 = 100;

/// A world where something is going on: children, pipes, a tracer with a tracee, sleepers.
fn busy(entry: Entry) -> Boot {
    let first = Prog::tracing(entry, |p| {
        let (child, read, write) = (p.var(), p.var(), p.var());
        let buffer = p.page();
        p.pipe(read, write);
        p.fork(|p| p.forever(|p, _| p.read(read, buffer, 10)));
        p.fork(|p| p.forever(|p, _| p.sleep(100_000)));
        p.fork(|p| {
            p.begin();
            let status = p.var();
            p.fork(|p| {
                p.ptrace(nr::PTRACE_TRACEME, 0, 0, 0);
                p.forever(|p, _| {
                    p.getpid();
                    p.kill(Val::Rax, SIGUSR1);
                    p.fork(|p| p.exit(1));
                    p.wait4(-1, status, 0);
                });
            });
            p.store(child);
            p.forever(|p, _| {
                p.wait4(child, status, 0);
                p.ptrace(nr::PTRACE_SYSCALL, child, 0, 0);
            });
        });
        p.forever(|p, _| {
            p.write(write, buffer, 3);
            p.fork(|p| p.exec("/bin/first"));
            p.sleep(2_000_000);
        });
    });
    Boot::new(vec![("first", first)])
}

/// A world at a random moment, for the `n`th of a test.
fn world_at_some_moment(boot: &Boot, n: u64) -> (World, Random) {
    let mut world = World::new(boot, n);
    let mut random = Random::new(n ^ 0x0067_6172_6261_6765);
    let steps = random.below(800);
    world.run_until(|w| w.steps >= steps);
    (world, random)
}

fn alive(world: &World) -> Vec<TaskId> {
    world.procmgr.survey().iter().map(|t| t.id).collect()
}

/// Those which the tracer may be told of: of one that exits it hears no more.
fn speakers(world: &World) -> Vec<TaskId> {
    let survey = world.procmgr.survey();
    survey.iter().filter(|t| !t.exiting).map(|t| t.id).collect()
}

/// Everything that a refused message must leave alone.
type Digest = (Vec<TaskSurvey>, Vec<(TaskId, Regs, Pending)>, Option<i32>);

fn digest(world: &World) -> Digest {
    let threads = world.machine.threads.all();
    let threads = threads.map(|(id, t)| (id, t.regs, t.pending)).collect();
    (world.procmgr.survey(), threads, world.machine.off)
}

/// Sends what `message` makes to the process manager, between random steps; damaged or as it is.
fn to_procmgr(from: TaskId, damage: bool, message: impl Fn(&mut Random, &[TaskId]) -> Vec<u8>) {
    let boot = busy(Entry::Message);
    under_seeds(MESSAGES / TO_EACH, |seed| {
        let (mut world, mut random) = world_at_some_moment(&boot, seed);
        for _ in 0..TO_EACH {
            let mut bytes = message(&mut random, &alive(&world));
            if damage {
                bytes = garbage::damaged(&mut random, &bytes);
            }
            if from == TaskId::FS && wire::decode(&bytes) == Ok(fs::Call::Next) {
                continue;
            }
            let before = digest(&world);
            let answer = world
                .raw_call(from, &bytes, &mut [0; MAX])
                .expect("only Next is parked");
            if answer.is_err() {
                assert_eq!(digest(&world), before, "{answer:?} changed something");
            } else if world.machine.off.is_some() {
                return;
            }
        }
    });
}

#[test]
fn noise_from_the_tracer_is_refused_and_changes_nothing() {
    to_procmgr(TaskId::TRACER, true, garbage::tracer_call);
}

#[test]
fn noise_from_the_file_server_is_refused_and_changes_nothing() {
    to_procmgr(TaskId::FS, true, garbage::fs_call);
}

#[test]
fn calls_of_a_mad_tracer_hurt_nobody() {
    to_procmgr(TaskId::TRACER, false, garbage::tracer_call);
}

#[test]
fn calls_of_a_mad_file_server_hurt_nobody() {
    to_procmgr(TaskId::FS, false, garbage::fs_call);
}

#[test]
fn nobody_but_the_two_servers_may_call() {
    let boot = busy(Entry::SystemCall);
    under_seeds(100, |seed| {
        let (mut world, mut random) = world_at_some_moment(&boot, seed);
        for _ in 0..20 {
            let alive = alive(&world);
            let message = garbage::tracer_call(&mut random, &alive);
            let from = [TaskId::INIT, *random.pick(&alive)];
            let before = digest(&world);
            let answer = world.raw_call(*random.pick(&from), &message, &mut [0; MAX]);
            assert_eq!(answer, Some(Err(abi::Errno::EPERM)));
            assert_eq!(digest(&world), before);
        }
    });
}

#[test]
fn a_mad_process_manager_cannot_make_the_file_server_panic() {
    let boot = busy(Entry::SystemCall);
    under_seeds(MESSAGES / TO_EACH, |seed| {
        let (mut world, mut random) = world_at_some_moment(&boot, seed);
        // What the file server then asks for goes to a process manager that knows nothing of it.
        for _ in 0..TO_EACH {
            let mut bytes = garbage::fs_report(&mut random, &alive(&world));
            if random.one_in(2) {
                bytes = garbage::damaged(&mut random, &bytes);
            }
            world.forge_to_fs(&bytes);
        }
    });
}

#[test]
fn noise_to_the_file_server_changes_nothing() {
    let boot = busy(Entry::SystemCall);
    under_seeds(MESSAGES / TO_EACH, |seed| {
        let (mut world, mut random) = world_at_some_moment(&boot, seed);
        for _ in 0..TO_EACH {
            let bytes = garbage::fs_report(&mut random, &alive(&world));
            let bytes = garbage::damaged(&mut random, &bytes);
            if wire::decode::<fs::Reply<'_>>(&bytes).is_ok() {
                continue;
            }
            let fs = world.fs().expect("not at work");
            let before = (fs.population(), fs.kept(), fs.malformed());
            world.forge_to_fs(&bytes);
            let fs = world.fs().expect("not at work");
            assert_eq!(
                (fs.population(), fs.kept(), fs.malformed()),
                (before.0, before.1, before.2 + 1)
            );
        }
    });
}

#[test]
fn traps_of_held_tasks_are_forged_and_ignored() {
    let boot = busy(Entry::Message);
    let traps = [
        Trap::Exception { vector: 6, code: 0 },
        Trap::Exception {
            vector: 13,
            code: 7,
        },
        Trap::PageFault {
            addr: 0x60_0000,
            access: Access::Write,
            present: false,
        },
        Trap::Step,
        Trap::Int3,
        Trap::StubDone,
        Trap::BadCall,
    ];
    under_seeds(200, |seed| {
        let (mut world, mut random) = world_at_some_moment(&boot, seed);
        for _ in 0..100 {
            let alive = alive(&world);
            let task = garbage::some_task(&mut random, &alive);
            let runs = |t: &TaskSurvey| {
                t.id == task && matches!(t.standing, Standing::Running | Standing::Stub)
            };
            if world.procmgr.survey().iter().any(runs) {
                continue;
            }
            let (before, refused) = (digest(&world), world.procmgr.refused());
            world
                .procmgr
                .on_trap(&mut world.machine, task, *random.pick(&traps), 0x40_0000);
            assert_eq!(digest(&world), before, "a trap of {task:?}");
            assert_eq!(world.procmgr.refused(), refused + 1);
            world.step();
        }
    });
}

/// Makes random requests of the tracer, on everybody, with whatever arguments.
fn fuzzer(entry: Entry) -> Boot {
    let first = Prog::tracing(entry, |p| {
        let (request, pid, addr, data, status) = (p.var(), p.var(), p.var(), p.var(), p.var());
        let buffer = p.page();
        // What is written behind it hits nothing.
        p.page();
        p.fork(|p| p.spin());
        p.fork(|p| p.forever(|p, _| p.sleep(10_000)));
        p.fork(|p| {
            p.ptrace(nr::PTRACE_TRACEME, 0, 0, 0);
            p.forever(|p, _| {
                p.getpid();
                p.kill(Val::Rax, SIGUSR1);
            });
        });
        p.times(150, |p| {
            p.one_of(vec![
                Box::new(|p| p.choose(40)),
                Box::new(|p| p.choose(40)),
                Box::new(|p| {
                    p.choose(20);
                    p.ok(|a| a.add(iced_x86::code_asm::rax, 0x4200));
                }),
                Box::new(|p| p.choose(u64::MAX)),
            ]);
            p.store(request);
            p.choose(6);
            p.store(pid);
            for var in [addr, data] {
                p.one_of(vec![
                    Box::new(|p| p.choose(100)),
                    Box::new(|p| p.choose(u64::MAX)),
                    Box::new(|p| {
                        p.choose(4096 + 100);
                        p.ok(|a| a.add(iced_x86::code_asm::rax, buffer as i32));
                    }),
                ]);
                p.store(var);
            }
            p.ptrace_any(request, pid, addr, data);
            p.wait4(-1, status, g::WNOHANG);
        });
        p.kill_everybody();
    });
    Boot::new(vec![("first", first)])
}

#[test]
fn random_requests_to_the_tracer_hurt_nobody_but_their_targets() {
    for entry in Entry::ALL {
        let boot = fuzzer(entry);
        under_seeds(100, |seed| {
            let mut world = World::new(&boot, seed);
            assert_eq!(world.run_to_the_end(), exited(0));
        });
    }
}

#[test]
fn messages_with_other_labels_are_enosys() {
    let boot = busy(Entry::Message);
    under_seeds(100, |seed| {
        let (mut world, mut random) = world_at_some_moment(&boot, seed);
        world.interleave_one_in = 0;
        for _ in 0..50 {
            let kind = engine::INJECT + 1 + random.below(0xff - engine::INJECT);
            if kind == PTRACE_COMPAT {
                continue;
            }
            let label = kind | random.bits() << 20;
            let words = core::array::from_fn(|_| random.bits());
            let client = *random.pick(&speakers(&world));
            let before = digest(&world);
            let answer = world.client_words(client, label, words);
            assert_eq!(answer[0] as i64, -38);
            assert_eq!(digest(&world), before);
        }
    });
}

#[test]
fn a_client_that_does_not_exist_gets_esrch() {
    let boot = busy(Entry::Message);
    under_seeds(100, |seed| {
        let (mut world, mut random) = world_at_some_moment(&boot, seed);
        world.interleave_one_in = 0;
        for _ in 0..20 {
            let client = TaskId::new(100 + random.below(50) as usize, 1);
            let request = *random.pick(&[0, 4, 7, 16, 17, 24, 0x4200, 0x4206]);
            let before = digest(&world);
            let answer = world.client_words(client, PTRACE, [request, 2, 0, 0]);
            assert!(
                (answer[0] as i64) < 0,
                "request {request} gives {answer:x?}"
            );
            assert_eq!(digest(&world), before);
        }
    });
}
