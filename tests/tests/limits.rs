//! Memory and tables that run out, and everything that comes back.

use abi::linux::general as g;
use abi::signal::*;
use world::asm::{Is, exited};
use world::sim::Shortage;
use world::{Boot, Prog, Var, World, under_seeds};

#[test]
fn three_hundred_rounds_of_fork_exec_and_exit_return_all_memory() {
    let boot = Boot::new(vec![
        (
            "first",
            Prog::of(|p| {
                let child = p.var();
                p.times(300, |p| {
                    p.fork(|p| p.exec("/bin/seven"));
                    p.store(child);
                    p.wait_for(child, exited(7));
                    p.note(child);
                });
            }),
        ),
        ("seven", Prog::of(|p| p.exit(7))),
    ]);
    under_seeds(3, |seed| {
        let mut world = World::new(&boot, seed);
        let mut free = Vec::new();
        for round in 1..=300 {
            world.run_until(|w| w.notes.len() >= round);
            free.push(world.machine.frames.count_free());
        }
        assert!(free[299] + 2 >= free[10], "{free:?}");
        world.run_to_the_end();
    });
}

#[test]
fn a_fork_storm_ends_in_eagain_and_everything_comes_back() {
    let boot = Boot::new(vec![(
        "first",
        Prog::of(|p| {
            let (made, pid) = (p.var(), p.var());
            p.forever(|p, end| {
                p.fork(|p| p.forever(|p, _| p.sys(g::__NR_pause, &[])));
                p.store(pid);
                p.when(pid, Is::Less, 0, |p| p.jump(end));
                p.add(made, 1);
            });
            p.note(pid);
            p.note(made);
            p.kill(-1, SIGKILL);
            p.wait_for_all();
            // And it goes on.
            p.fork(|p| p.exit(2));
            p.store(pid);
            p.wait_for(pid, exited(2));
        }),
    )]);
    under_seeds(1, |seed| {
        let mut world = World::with_frames(&boot, seed, 60_000);
        world.check_one_in = 512;
        assert_eq!(world.run_to_the_end(), exited(0));
        let noted = world.noted();
        assert_eq!(noted[0] as i64, -11, "EAGAIN");
        assert_eq!(
            noted[1], 4094,
            "every slot but the servers' and the first process's"
        );
    });
}

#[test]
fn a_fork_storm_in_too_little_memory_ends_in_an_error_and_everything_comes_back() {
    let boot = Boot::new(vec![(
        "first",
        Prog::of(|p| {
            let pid = p.var();
            p.forever(|p, end| {
                p.fork(|p| p.forever(|p, _| p.sys(g::__NR_pause, &[])));
                p.store(pid);
                p.when(pid, Is::Less, 0, |p| p.jump(end));
            });
            p.note(pid);
            p.kill(-1, SIGKILL);
            p.wait_for_all();
        }),
    )]);
    under_seeds(20, |seed| {
        let mut world = World::with_frames(&boot, seed, 300 + seed as u32);
        let status = world.run();
        if status == i32::from(SIGKILL) {
            // It ran out in the middle of a fault of the first process instead.
            return;
        }
        assert_eq!((status, world.noted()[0] as i64), (0, -12), "ENOMEM");
        world.settle();
        world::invariants::check_end(&world.seen());
    });
}

/// A program in which memory runs short between its two notes, in `body`; then it does the same
/// again and it works.
fn short_of_memory(body: impl Fn(&mut Prog, Var)) {
    let first = Prog::of(|p| {
        let result = p.var();
        p.note(1);
        body(p, result);
        p.note(result);
        body(p, result);
        p.wait_for_all();
        p.when(result, Is::Less, 0, |p| p.exit(2));
    });
    let boot = Boot::new(vec![("first", first), ("seven", Prog::of(|p| p.exit(7)))]);
    let mut successes = 0;
    for count in 0..400 {
        let mut world = World::new(&boot, count);
        world.interleave_one_in = 0;
        world.run_until(|w| !w.notes.is_empty());
        world.machine.run_short(Shortage::From(count));
        world.run_until(|w| w.notes.len() >= 2);
        let ran_out = world.machine.frames.shortage == Shortage::From(0);
        world.machine.run_short(Shortage::None);
        let status = world.run_to_the_end();
        // A fault that cannot be served kills; a call that cannot be done says so.
        let killed = status == i32::from(SIGKILL);
        assert!(status == exited(0) || killed, "after {count}: {status:#x}");
        if !ran_out {
            successes += 1;
            assert!(
                world.noted()[1] as i64 >= 0,
                "after {count}: {:?}",
                world.notes
            );
        }
        if successes > 3 {
            return;
        }
    }
    panic!("400 allocations were not enough");
}

#[test]
fn fork_without_memory_fails_and_leaks_nothing_wherever_it_runs_out() {
    short_of_memory(|p, result| {
        let child = p.var();
        p.fork(|p| p.exit(3));
        p.store(child);
        p.set(result, child);
        p.wait_for_all();
    });
}

#[test]
fn exec_without_memory_fails_and_leaks_nothing_wherever_it_runs_out() {
    short_of_memory(|p, result| {
        let (child, status) = (p.var(), p.var());
        p.fork(|p| {
            p.exec("/bin/seven");
            p.exit(11);
        });
        p.store(child);
        p.wait4(-1, status, 0);
        p.set(result, child);
        p.wait_for_all();
    });
}

#[test]
fn mmap_without_memory_fails_and_leaks_nothing_wherever_it_runs_out() {
    short_of_memory(|p, result| {
        let at = p.var();
        p.mmap(3 * 4096, g::PROT_READ | g::PROT_WRITE);
        p.store(at);
        p.set(result, at);
        p.when(0, Is::Less, at, |p| {
            for _ in 0..3 {
                p.set_at(at, 1);
                p.add(at, 4096);
            }
        });
    });
}
