//! Attaching, stopping, stepping, detaching.

use abi::linux::general as g;
use abi::linux::ptrace as nr;
use abi::signal::*;
use abi::stops::{self, GOES_ON};
use iced_x86::code_asm::*;
use world::asm::{Entry, Is, event, exited, stopped, word};
use world::{Boot, Prog, Val, Var, World, engine_scenario, tracing_scenario, under_seeds};

#[test]
fn attach_and_detach_of_a_running_task() {
    tracing_scenario(1000, |p| {
        let child = p.var();
        p.fork(|p| p.spin());
        p.store(child);
        p.attach(child);
        p.detach(child, 0);
        p.kill(child, SIGKILL);
        p.wait_for(child, SIGKILL.into());
    });
}

#[test]
fn a_task_can_be_attached_again_after_detach() {
    tracing_scenario(1000, |p| {
        let child = p.var();
        p.fork(|p| p.spin());
        p.store(child);
        p.times(3, |p| {
            p.attach(child);
            p.detach(child, 0);
        });
        p.attach(child);
        p.kill(child, SIGKILL);
        p.wait_for(child, SIGKILL.into());
    });
}

#[test]
fn attach_brings_a_task_in_a_pipe_read_to_quiescence_and_the_read_goes_on() {
    tracing_scenario(1000, |p| {
        let (child, read, write) = (p.var(), p.var(), p.var());
        let buffer = p.page();
        p.pipe(read, write);
        p.fork(|p| {
            p.read(read, buffer, 5);
            p.check(Val::Rax, 5);
            p.exit(9);
        });
        p.store(child);
        p.sleep(100_000);
        p.attach(child);
        p.detach(child, 0);
        p.write(write, buffer, 5);
        p.check(Val::Rax, 5);
        p.wait_for(child, exited(9));
    });
}

#[test]
fn attach_brings_a_sleeping_task_to_quiescence_and_it_sleeps_on() {
    tracing_scenario(1000, |p| {
        let child = p.var();
        p.fork(|p| {
            p.sleep(50_000_000);
            p.check(Val::Rax, 0);
            p.exit(9);
        });
        p.store(child);
        p.attach(child);
        p.detach(child, 0);
        p.wait_for(child, exited(9));
    });
}

#[test]
fn attach_brings_a_waiting_task_to_quiescence_and_it_waits_on() {
    tracing_scenario(1000, |p| {
        let child = p.var();
        p.fork(|p| {
            let grandchild = p.var();
            p.fork(|p| {
                p.sleep(10_000_000);
                p.exit(4);
            });
            p.store(grandchild);
            p.wait_for(grandchild, exited(4));
            p.exit(9);
        });
        p.store(child);
        p.sleep(500_000);
        p.attach(child);
        p.detach(child, 0);
        p.wait_for(child, exited(9));
    });
}

#[test]
fn traceme_stop_and_continue() {
    tracing_scenario(1000, |p| {
        let child = p.var();
        p.traced_child(child, |p| p.exit(5));
        p.cont(child, 0);
        p.wait_for(child, exited(5));
    });
}

#[test]
fn a_system_call_stops_at_entry_and_exit() {
    tracing_scenario(1000, |p| {
        let child = p.var();
        p.traced_child(child, |p| {
            p.sys(g::__NR_getppid, &[]);
            p.exit(6);
        });
        p.set_options(child, nr::PTRACE_O_TRACESYSGOOD);
        // Out of the kill() that it stopped in.
        p.ptrace_ok(nr::PTRACE_SYSCALL, child, 0, 0);
        p.wait_for(child, stopped(0x85));
        let regs = p.get_regs(child);
        p.either(
            Val::At(regs + 8 * word::ORIG_RAX),
            Is::Equal,
            g::__NR_kill,
            |p| {
                // It was in the exit of kill when the signal came: the entry of getppid is next.
                p.ptrace_ok(nr::PTRACE_SYSCALL, child, 0, 0);
                p.wait_for(child, stopped(0x85));
            },
            |_| {},
        );
        let regs = p.get_regs(child);
        p.check(Val::At(regs + 8 * word::ORIG_RAX), g::__NR_getppid);
        p.check(Val::At(regs + 8 * word::RAX), -38);
        p.ptrace_ok(nr::PTRACE_SYSCALL, child, 0, 0);
        p.wait_for(child, stopped(0x85));
        let regs = p.get_regs(child);
        p.check(Val::At(regs + 8 * word::ORIG_RAX), g::__NR_getppid);
        p.getpid();
        p.check(Val::Rax, Val::At(regs + 8 * word::RAX));
        p.cont(child, 0);
        p.wait_for(child, exited(6));
    });
}

/// A child that does getppid under PTRACE_SYSCALL; `at_entry` and `at_exit` are the tracer's part.
fn around_getppid(
    p: &mut Prog,
    result: i64,
    at_entry: impl Fn(&mut Prog, world::Var, u64),
    at_exit: impl Fn(&mut Prog, world::Var, u64),
) {
    let child = p.var();
    p.traced_child(child, |p| {
        p.sys(g::__NR_getppid, &[]);
        p.check(Val::Rax, result);
        p.exit(6);
    });
    let regs = p.words(&[0; 27]);
    p.forever(|p, end| {
        p.ptrace_ok(nr::PTRACE_SYSCALL, child, 0, 0);
        p.wait_for(child, stopped(5));
        p.ptrace_ok(nr::PTRACE_GETREGS, child, 0, regs);
        p.when(
            Val::At(regs + 8 * word::ORIG_RAX),
            Is::Equal,
            g::__NR_getppid,
            |p| p.ok(|a| a.jmp(end)),
        );
    });
    at_entry(p, child, regs);
    p.ptrace_ok(nr::PTRACE_SYSCALL, child, 0, 0);
    p.wait_for(child, stopped(5));
    p.ptrace_ok(nr::PTRACE_GETREGS, child, 0, regs);
    at_exit(p, child, regs);
    p.cont(child, 0);
    p.wait_for(child, exited(6));
}

#[test]
fn a_tracer_changes_a_system_calls_result() {
    tracing_scenario(1000, |p| {
        around_getppid(
            p,
            4242,
            |_, _, _| {},
            |p, child, regs| {
                p.set(world::Var(regs + 8 * word::RAX), 4242);
                p.ptrace_ok(nr::PTRACE_SETREGS, child, 0, regs);
            },
        );
    });
}

#[test]
fn a_system_call_with_number_minus_one_is_skipped() {
    tracing_scenario(1000, |p| {
        around_getppid(
            p,
            -38,
            |p, child, regs| {
                p.set(world::Var(regs + 8 * word::ORIG_RAX), -1);
                p.ptrace_ok(nr::PTRACE_SETREGS, child, 0, regs);
            },
            |p, _, regs| p.check(Val::At(regs + 8 * word::ORIG_RAX), -1),
        );
    });
}

#[test]
fn a_tracer_replaces_a_system_call_by_another() {
    tracing_scenario(1000, |p| {
        around_getppid(
            p,
            0,
            |p, child, regs| {
                p.set(world::Var(regs + 8 * word::ORIG_RAX), g::__NR_sched_yield);
                p.ptrace_ok(nr::PTRACE_SETREGS, child, 0, regs);
            },
            |p, _, regs| p.check(Val::At(regs + 8 * word::RAX), 0),
        );
    });
}

#[test]
fn a_single_step_runs_one_instruction() {
    tracing_scenario(1000, |p| {
        let child = p.var();
        let marker = p.var();
        p.traced_child(child, |p| {
            p.ok(|a| a.mov(qword_ptr(marker.0), 1));
            for _ in 0..10 {
                p.ok(|a| a.inc(rbx));
            }
            p.ok(|a| a.mov(qword_ptr(marker.0), 2));
            p.exit(0);
        });
        let (count, peeked) = (p.var(), p.var());
        let step = |p: &mut Prog| {
            p.ptrace_ok(nr::PTRACE_SINGLESTEP, child, 0, 0);
            p.wait_for(child, stopped(5));
            p.ptrace_ok(nr::PTRACE_PEEKDATA, child, marker.0, peeked.0);
        };
        p.forever(|p, end| {
            step(p);
            p.when(peeked, Is::Equal, 1, |p| p.ok(|a| a.jmp(end)));
        });
        p.forever(|p, end| {
            step(p);
            p.add(count, 1);
            p.when(peeked, Is::Equal, 2, |p| p.ok(|a| a.jmp(end)));
        });
        p.check(count, 11);
        p.cont(child, 0);
        p.wait_for(child, exited(0));
    });
}

#[test]
fn a_step_over_a_system_call_stops_behind_it_once() {
    tracing_scenario(1000, |p| {
        let child = p.var();
        let rips = p.var();
        p.traced_child(child, |p| {
            let (before, after) = (p.label(), p.label());
            p.address_of(rips, before);
            p.ok(|a| a.mov(eax, 39));
            p.ok(|a| a.int3());
            let _ = p.here(before);
            p.ok(|a| a.syscall());
            p.ok(|a| a.nop());
            let _ = p.here(after);
            p.exit(0);
        });
        p.cont(child, 0);
        p.wait_for(child, stopped(5));
        let regs = p.get_regs(child);
        let rip = p.var();
        p.set(rip, Val::At(regs + 8 * word::RIP));
        // The nop that carries the label, the system call, a nop.
        for length in [1, 2, 1] {
            p.ptrace_ok(nr::PTRACE_SINGLESTEP, child, 0, 0);
            p.wait_for(child, stopped(5));
            p.add(rip, length);
            let regs = p.get_regs(child);
            p.check(Val::At(regs + 8 * word::RIP), rip);
        }
        p.cont(child, 0);
        p.wait_for(child, exited(0));
    });
}

#[test]
fn a_breakpoint_is_poked_through_read_only_text() {
    tracing_scenario(1000, |p| {
        let child = p.var();
        let (at, word_at, old) = (p.var(), p.var(), p.var());
        let place = p.label();
        p.address_of(at, place);
        p.traced_child(child, |p| {
            let _ = p.here(place);
            p.ok(|a| a.mov(rbx, 77u64));
            p.exit(3);
        });
        p.ptrace_ok(nr::PTRACE_PEEKTEXT, child, at, old.0);
        p.set(word_at, old);
        p.ok(|a| a.mov(byte_ptr(word_at.0), 0xcc));
        p.ptrace_ok(nr::PTRACE_POKETEXT, child, at, word_at);
        p.cont(child, 0);
        p.wait_for(child, stopped(5));
        let regs = p.get_regs(child);
        let rip = p.var();
        p.set(rip, at);
        p.add(rip, 1);
        p.check(Val::At(regs + 8 * word::RIP), rip);
        p.ptrace_ok(nr::PTRACE_POKETEXT, child, at, old);
        p.set(world::Var(regs + 8 * word::RIP), at);
        p.ptrace_ok(nr::PTRACE_SETREGS, child, 0, regs);
        p.cont(child, 0);
        p.wait_for(child, exited(3));
    });
}

#[test]
fn a_tracer_suppresses_and_replaces_signals() {
    tracing_scenario(1000, |p| {
        let child = p.var();
        let seen = p.var();
        p.traced_child(child, |p| {
            p.on_signal(SIGUSR2, 0, |p| p.add(seen, 1));
            p.getpid();
            p.kill(Val::Rax, SIGTERM);
            p.check(seen, 0);
            p.getpid();
            p.kill(Val::Rax, SIGUSR1);
            p.check(seen, 1);
            p.exit(2);
        });
        p.cont(child, 0);
        p.wait_for(child, stopped(SIGTERM.into()));
        p.cont(child, 0);
        p.wait_for(child, stopped(SIGUSR1.into()));
        p.cont(child, SIGUSR2);
        p.wait_for(child, exited(2));
    });
}

#[test]
fn a_signal_injected_at_a_signal_stop_kills() {
    tracing_scenario(1000, |p| {
        let child = p.var();
        p.traced_child(child, |p| p.exit(5));
        p.cont(child, SIGTERM);
        p.wait_for(child, SIGTERM.into());
    });
}

#[test]
fn a_followed_fork_starts_with_a_stop_and_both_go_on() {
    tracing_scenario(1000, |p| {
        let (child, grandchild, status) = (p.var(), p.var(), p.var());
        p.traced_child(child, |p| {
            let mine = p.var();
            p.fork(|p| p.exit(8));
            p.store(mine);
            p.wait_for(mine, exited(8));
            p.exit(7);
        });
        p.set_options(child, nr::PTRACE_O_TRACEFORK);
        p.cont(child, 0);
        p.wait_for(child, stopped(event(nr::PTRACE_EVENT_FORK)));
        p.event_message(child, grandchild);
        p.wait_for(grandchild, stopped(SIGSTOP.into()));
        p.cont(child, 0);
        p.cont(grandchild, 0);
        p.wait_for(grandchild, exited(8));
        // SIGCHLD comes to a stop before it is ignored.
        p.forever(|p, end| {
            p.wait4(child, status, 0);
            p.when(status, Is::Equal, exited(7), |p| p.ok(|a| a.jmp(end)));
            p.check(status, stopped(SIGCHLD.into()));
            p.cont(child, SIGCHLD);
        });
    });
}

#[test]
fn vfork_exec_and_exit_are_told_in_order() {
    for entry in Entry::ALL {
        let tracer = Prog::tracing(entry, |p| {
            let (child, grandchild, status) = (p.var(), p.var(), p.var());
            p.traced_child(child, |p| {
                let mine = p.var();
                p.vfork(|p| {
                    p.exec("/bin/other");
                    p.exit(99);
                });
                p.store(mine);
                p.wait_for(mine, exited(8));
                p.exit(7);
            });
            p.set_options(
                child,
                nr::PTRACE_O_TRACEVFORK
                    | nr::PTRACE_O_TRACEVFORKDONE
                    | nr::PTRACE_O_TRACEEXEC
                    | nr::PTRACE_O_TRACEEXIT,
            );
            p.cont(child, 0);
            p.wait_for(child, stopped(event(nr::PTRACE_EVENT_VFORK)));
            p.event_message(child, grandchild);
            p.wait_for(grandchild, stopped(SIGSTOP.into()));
            p.cont(child, 0);
            p.cont(grandchild, 0);
            p.wait_for(grandchild, stopped(event(nr::PTRACE_EVENT_EXEC)));
            p.wait_for(child, stopped(event(nr::PTRACE_EVENT_VFORK_DONE)));
            p.event_message(child, status);
            p.check(status, grandchild);
            p.cont(grandchild, 0);
            p.wait_for(grandchild, stopped(event(nr::PTRACE_EVENT_EXIT)));
            p.event_message(grandchild, status);
            p.check(status, exited(8));
            p.cont(child, 0);
            p.cont(grandchild, 0);
            p.wait_for(grandchild, exited(8));
            p.set(status, 0);
            p.forever(|p, end| {
                p.wait4(child, status, 0);
                p.when(status, Is::Equal, exited(7), |p| p.ok(|a| a.jmp(end)));
                p.when(
                    status,
                    Is::Different,
                    stopped(event(nr::PTRACE_EVENT_EXIT)),
                    |p| p.check(status, stopped(SIGCHLD.into())),
                );
                p.cont(child, 0);
            });
        });
        let boot = Boot::new(vec![("tracer", tracer), ("other", Prog::of(|p| p.exit(8)))]);
        under_seeds(200, |seed| {
            let mut world = World::new(&boot, seed);
            assert_eq!(world.run_to_the_end(), exited(0));
        });
    }
}

#[test]
fn a_tracer_reads_and_writes_the_fpu_state_of_a_stopped_task() {
    tracing_scenario(1000, |p| {
        let child = p.var();
        let value = p.var();
        p.traced_child(child, |p| {
            for (was, will) in [(0x1111u64, 0x2222u64), (0x3333, 0x4444)] {
                p.ok(|a| a.mov(rax, was));
                p.ok(|a| a.movq(xmm5, rax));
                p.getpid();
                p.kill(Val::Rax, SIGUSR1);
                p.ok(|a| a.movq(rax, xmm5));
                p.store(value);
                p.check(value, will);
            }
            p.exit(3);
        });
        // struct user_fpregs_struct, with xmm5 at 160 + 5 * 16.
        let area = p.page();
        let xmm5_at = area + 240;
        for (was, will) in [(0x1111u64, 0x2222u64), (0x3333, 0x4444)] {
            p.cont(child, 0);
            p.wait_for(child, stopped(SIGUSR1.into()));
            p.ptrace_ok(nr::PTRACE_GETFPREGS, child, 0, area);
            p.check(Val::At(xmm5_at), was);
            p.set(world::Var(xmm5_at), will);
            p.ptrace_ok(nr::PTRACE_SETFPREGS, child, 0, area);
            p.set(world::Var(xmm5_at), 0);
            p.ptrace_ok(nr::PTRACE_GETFPREGS, child, 0, area);
            p.check(Val::At(xmm5_at), will);
        }
        p.cont(child, 0);
        p.wait_for(child, exited(3));
    });
}

#[test]
fn who_forks_is_shown_nothing_until_it_names_its_page_again() {
    engine_scenario(100, |p| {
        let (child, grandchild) = (p.var(), p.var());
        p.traced_child(child, |p| p.exit(5));
        let page = p.share_stops();
        p.check(Val::Rax, 1);
        p.get_regs(child);
        p.check(Var(page), 1);
        p.fork(|p| {
            p.check(Var(page), 0);
            p.exit(3);
        });
        p.store(grandchild);
        p.check(Var(page), 0);
        p.wait_for(grandchild, 3 << 8);
        p.cont(child, 0);
        p.wait_for(child, 5 << 8);
    });
}

#[test]
fn a_signal_that_its_tracer_has_waited_for_is_gone_with_it() {
    for (waits, end) in [(true, SIGKILL), (false, SIGTERM)] {
        engine_scenario(200, |p| {
            let (tracer, status) = (p.var(), p.var());
            p.fork(|p| {
                let child = p.var();
                p.traced_child(child, |p| p.spin());
                p.share_stops();
                p.cont(child, 0);
                p.kill(child, SIGTERM);
                p.times(20, |p| p.getpid());
                if waits {
                    p.wait_for(child, stopped(SIGTERM.into()));
                }
                p.exit(child);
            });
            p.store(tracer);
            p.wait4(tracer, status, 0);
            p.check(Val::Rax, tracer);
            p.ok(|a| a.shr(qword_ptr(status.0), 8u32));
            if waits {
                // Nobody has what was stopped for: it runs.
                p.times(20, |p| p.getpid());
                p.kill(status, SIGKILL);
            }
            p.wait_for(status, end.into());
        });
    }
}

#[test]
fn a_tracer_gives_way_to_its_tracee_only_where_nobody_else_runs() {
    for (beside, goes_on) in [(false, GOES_ON), (true, 0)] {
        engine_scenario(50, |p| {
            let (child, other, what) = (p.var(), p.var(), p.var());
            if beside {
                p.fork(|p| p.spin());
                p.store(other);
            }
            p.traced_child(child, |p| p.spin());
            let page = p.share_stops();
            p.ptrace_ok(nr::PTRACE_CONT, child, 0, 0);
            let tid = 2 + u32::from(beside);
            let at = page + 8 * (stops::place_of(tid) + stops::WHAT) as u64;
            p.set(what, Var(at));
            p.ok(|a| a.and(qword_ptr(what.0), stops::CHANGE as i32 - 1));
            p.check(what, goes_on);
            p.kill_and_reap(child);
            if beside {
                p.kill_and_reap(other);
            }
        });
    }
}
