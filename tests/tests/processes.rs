//! Processes among themselves: waiting, signals, exec.

use abi::linux::general as g;
use abi::linux::ptrace as nr;
use abi::signal::*;
use iced_x86::code_asm::*;
use world::asm::{Entry, exited, stopped};
use world::{Boot, Prog, Val, World, scenario, under_seeds};

#[test]
fn a_stopped_child_is_seen_stopped_and_continued_and_dead_in_this_order() {
    scenario(300, |p| {
        let (child, status) = (p.var(), p.var());
        p.fork(|p| p.spin());
        p.store(child);
        let all = g::WUNTRACED | g::WCONTINUED;
        let sees = |p: &mut Prog, seen: i32| {
            p.wait4(child, status, all);
            p.check(Val::Rax, child);
            p.check(status, seen as u32);
            p.set(status, 0);
            p.wait4(child, status, all | g::WNOHANG);
            p.check(Val::Rax, 0);
        };
        p.kill(child, SIGSTOP);
        sees(p, stopped(SIGSTOP.into()));
        p.kill(child, SIGCONT);
        sees(p, 0xffff);
        p.kill(child, SIGTERM);
        p.wait_for(child, SIGTERM.into());
        p.wait4(child, status, 0);
        p.check(Val::Rax, -10);
    });
}

#[test]
fn sigchld_comes_once_for_a_child_that_dies() {
    scenario(300, |p| {
        let (child, count) = (p.var(), p.var());
        p.on_signal(SIGCHLD, 0, |p| p.add(count, 1));
        p.fork(|p| p.exit(4));
        p.store(child);
        p.spin_until(count);
        p.wait_for(child, exited(4));
        p.check(count, 1);
    });
}

#[test]
fn an_ignored_sigchld_leaves_no_zombie() {
    scenario(200, |p| {
        let status = p.var();
        p.ignore(SIGCHLD, true);
        p.fork(|p| p.exit(4));
        p.wait4(-1, status, 0);
        p.check(Val::Rax, -10);
    });
}

#[test]
fn orphans_are_adopted_by_the_first_process() {
    scenario(200, |p| {
        let (child, status) = (p.var(), p.var());
        p.fork(|p| {
            p.fork(|p| {
                p.sleep(1_000_000);
                p.sys(g::__NR_getppid, &[]);
                p.check(Val::Rax, 1);
                p.exit(5);
            });
            p.exit(6);
        });
        p.store(child);
        p.wait_for(child, exited(6));
        p.wait4(-1, status, 0);
        p.check(status, exited(5) as u32);
    });
}

#[test]
fn a_zombie_is_read_by_its_tracer_first_and_then_by_its_parent() {
    for entry in Entry::ALL {
        let first = Prog::tracing(entry, |p| {
            let (child, tracer, status, go) = (p.var(), p.var(), p.var(), p.var());
            let (read, write, buffer) = (p.var(), p.var(), p.page());
            p.pipe(read, write);
            p.fork(|p| {
                p.read(read, buffer, 1);
                p.exit(3);
            });
            p.store(child);
            p.fork(|p| {
                p.begin();
                p.attach(child);
                p.cont(child, 0);
                p.write(write, buffer, 1);
                // Dead, and its parent has not seen it.
                p.wait_for(child, exited(3));
                p.exit(9);
            });
            p.store(tracer);
            p.set(go, 0);
            p.wait4(child, status, 0);
            p.check(Val::Rax, child);
            p.check(status, exited(3) as u32);
            p.wait_for(tracer, exited(9));
        });
        let boot = Boot::new(vec![("first", first)]);
        under_seeds(300, |seed| {
            let mut world = World::new(&boot, seed);
            assert_eq!(world.run_to_the_end(), exited(0));
        });
    }
}

#[test]
fn group_stop_of_a_tracee_is_seen_by_its_tracer_and_ended_by_cont() {
    for entry in Entry::ALL {
        let first = Prog::tracing(entry, |p| {
            let child = p.var();
            p.traced_child(child, |p| {
                p.getpid();
                p.kill(Val::Rax, SIGSTOP);
                p.exit(3);
            });
            p.cont(child, 0);
            p.wait_for(child, stopped(SIGSTOP.into()));
            let info = p.page();
            p.ptrace_ok(nr::PTRACE_GETSIGINFO, child, 0, info);
            p.cont(child, SIGSTOP);
            p.wait_for(child, stopped(SIGSTOP.into()));
            p.ptrace(nr::PTRACE_GETSIGINFO, child, 0, info);
            p.check(Val::Rax, -22);
            p.cont(child, 0);
            p.wait_for(child, exited(3));
        });
        let boot = Boot::new(vec![("first", first)]);
        under_seeds(300, |seed| {
            let mut world = World::new(&boot, seed);
            assert_eq!(world.run_to_the_end(), exited(0));
        });
    }
}

#[test]
fn a_seized_tracee_listens_in_a_group_stop_and_tells_of_sigcont() {
    for entry in Entry::ALL {
        let first = Prog::tracing(entry, |p| {
            let child = p.var();
            p.fork(|p| p.spin());
            p.store(child);
            p.ptrace_ok(nr::PTRACE_SEIZE, child, 0, 0);
            p.ptrace_ok(nr::PTRACE_INTERRUPT, child, 0, 0);
            p.wait_for(child, stopped(5 | 128 << 8));
            p.cont(child, 0);
            p.kill(child, SIGSTOP);
            p.wait_for(child, stopped(SIGSTOP.into()));
            p.cont(child, SIGSTOP);
            p.wait_for(child, stopped(u32::from(SIGSTOP) | 128 << 8));
            p.ptrace_ok(nr::PTRACE_LISTEN, child, 0, 0);
            p.ptrace(nr::PTRACE_CONT, child, 0, 0);
            p.check(Val::Rax, -3);
            p.kill(child, SIGCONT);
            p.wait_for(child, stopped(5 | 128 << 8));
            p.cont(child, 0);
            p.wait_for(child, stopped(SIGCONT.into()));
            p.cont(child, 0);
            p.kill(child, SIGKILL);
            p.wait_for(child, SIGKILL.into());
        });
        let boot = Boot::new(vec![("first", first)]);
        under_seeds(200, |seed| {
            let mut world = World::new(&boot, seed);
            assert_eq!(world.run_to_the_end(), exited(0));
        });
    }
}

#[test]
fn a_failed_exec_leaves_its_caller_as_it_was() {
    let first = Prog::of(|p| {
        let kept = p.var();
        p.set(kept, 1234);
        p.ok(|a| a.mov(rbx, 99u64));
        for (path, errno) in [
            ("/bin/none", -2),
            ("/bin", -13),
            ("/bin/first/x", -20),
            ("/etc/text", -13),
            ("/etc/junk", -8),
            ("/etc/short", -8),
            ("/etc/script", -2),
            ("/etc/loop", -40),
        ] {
            p.exec(path);
            p.check(Val::Rax, errno);
        }
        p.sys(g::__NR_execve, &[8.into(), 0.into(), 0.into()]);
        p.check(Val::Rax, -14);
        p.check(kept, 1234);
        let keeps_rbx = p.var();
        p.ok(|a| a.mov(qword_ptr(keeps_rbx.0), rbx));
        p.check(keeps_rbx, 99);
        p.exec("/etc/good");
        p.exit(1);
    });
    let boot = Boot::with_files(
        vec![("first", first), ("seven", Prog::of(|p| p.exit(7)))],
        &[
            ("/etc/text", 0o644, b"text"),
            ("/etc/junk", 0o755, b"\x7fELF and nothing else"),
            ("/etc/short", 0o755, b"\x7fEL"),
            ("/etc/script", 0o755, b"#!/bin/absent\n"),
            ("/etc/loop", 0o755, b"#!/etc/loop\n"),
            ("/etc/good", 0o755, b"#!/bin/seven -x\n"),
        ],
    );
    under_seeds(100, |seed| {
        let mut world = World::new(&boot, seed);
        assert_eq!(world.run_to_the_end(), exited(7));
    });
}

#[test]
fn the_fpu_survives_forks_handlers_and_other_tasks() {
    scenario(200, |p| {
        let (child, seen, value) = (p.var(), p.var(), p.var());
        p.on_signal(SIGUSR1, 0, |p| {
            p.ok(|a| a.mov(rax, 5u64));
            p.ok(|a| a.movq(xmm3, rax));
            p.add(seen, 1);
        });
        p.ok(|a| a.mov(rax, 0x1122_3344_5566_7788u64));
        p.ok(|a| a.movq(xmm3, rax));
        let expect = |p: &mut Prog| {
            p.ok(|a| a.movq(rax, xmm3));
            p.store(value);
            p.check(value, 0x1122_3344_5566_7788u64);
        };
        p.fork(|p| {
            expect(p);
            p.exit(3);
        });
        p.store(child);
        expect(p);
        p.getpid();
        p.kill(Val::Rax, SIGUSR1);
        p.check(seen, 1);
        expect(p);
        p.wait_for(child, exited(3));
    });
}

#[test]
fn a_division_by_zero_and_a_bad_access_end_the_program() {
    for (signo, body) in [
        (SIGFPE, (|p| p.ok(|a| a.div(rbx))) as fn(&mut Prog)),
        (SIGSEGV, |p| p.ok(|a| a.mov(rax, qword_ptr(rbx)))),
        (SIGILL, |p| p.ok(|a| a.ud2())),
        (SIGTRAP, |p| p.ok(|a| a.int3())),
        (SIGILL, |p| p.ok(|a| a.sysenter())),
    ] {
        scenario(50, |p| {
            let child = p.var();
            p.fork(|p| {
                p.ok(|a| a.xor(rbx, rbx));
                body(p);
            });
            p.store(child);
            p.wait_for(child, signo.into());
        });
    }
}
