//! What random programs found, as scenarios of its own.

use abi::Errno;
use abi::engine::{AttachFlags, Flags, Response, word};
use abi::linux::general as g;
use abi::linux::ptrace as nr;
use abi::signal::*;
use abi::tracer::Events;
use world::asm::{Entry, Is, event, exited, stopped};
use world::{Boot, Prog, Val, World, engine_scenario, tracing_scenario, under_seeds};

/// Soup, seed 7: the detach ended half way, and nobody could reap the tracee.
#[test]
fn a_tracee_with_written_registers_is_killed_while_its_tracer_exits() {
    tracing_scenario(300, |p| {
        let (child, tracer) = (p.var(), p.var());
        p.fork(|p| p.spin());
        p.store(child);
        p.fork(|p| {
            p.begin();
            p.attach(child);
            let regs = p.get_regs(child);
            p.ptrace_ok(nr::PTRACE_SETREGS, child, 0, regs);
            p.fork(|p| p.kill(child, SIGKILL));
            p.exit(2);
        });
        p.store(tracer);
        p.wait_for(tracer, exited(2));
        p.wait_for_all();
    });
}

/// Soup, seed 10: the thread stayed a zombie, and with it its process.
#[test]
fn a_traced_thread_is_dead_when_its_tracer_exits() {
    tracing_scenario(300, |p| {
        let (child, status) = (p.var(), p.var());
        p.fork(|p| {
            p.thread(|p| p.sleep(2_000_000));
            p.sleep(6_000_000);
            p.exit(3);
        });
        p.store(child);
        p.sleep(1_000_000);
        p.fork(|p| {
            p.begin();
            // The thread's tid is the one behind the process's.
            p.ptrace(nr::PTRACE_SEIZE, 3, 0, 0);
            p.check(Val::Rax, 0);
            p.sleep(3_000_000);
            p.exit(4);
        });
        p.wait4(child, status, g::__WALL);
        p.check(status, exited(3) as u32);
        p.wait_for_all();
    });
}

/// Soup, seed 2305: the leader's children kept a parent that was gone.
#[test]
fn a_leader_dies_while_the_reaping_of_its_thread_is_reported() {
    tracing_scenario(600, |p| {
        p.fork(|p| {
            let rounds = p.var();
            p.fork(|p| p.sleep(9_000_000));
            p.thread(|p| p.sleep(1_500_000));
            p.sleep(1_500_000);
            p.choose(16);
            p.store(rounds);
            p.times(rounds, |p| p.sleep(4_000));
            p.sys(g::__NR_exit, &[0.into()]);
        });
        p.sleep(500_000);
        p.fork(|p| {
            p.begin();
            let (thread, status) = (p.var(), p.var());
            p.set(thread, 4);
            p.ptrace_ok(nr::PTRACE_SEIZE, thread, 0, 0);
            p.wait4(thread, status, g::__WALL);
            p.check(Val::Rax, thread);
        });
        p.wait_for_all();
    });
}

/// A wait that was woken by the end of a process found it dead and reaped it half way.
#[test]
fn a_parent_dies_at_the_same_time_as_its_child() {
    tracing_scenario(300, |p| {
        p.times(3, |p| {
            p.fork(|p| {
                p.fork(|p| p.exit(1));
                p.exit(2);
            });
        });
        p.wait_for_all();
    });
}

/// Soup, seed 889: a message was said again after a handler, and its answer went to wherever the kernel had
/// something else in place of the two registers that it takes on entry.
#[test]
fn a_message_that_a_handler_came_before_returns_to_where_it_was_said() {
    tracing_scenario(300, |p| {
        let (me, child) = (p.var(), p.var());
        p.on_signal(SIGUSR1, g::SA_RESTART.into(), |_| {});
        p.getpid();
        p.store(me);
        p.fork(|p| {
            p.times(10, |p| p.kill(me, SIGUSR1));
            p.exit(3);
        });
        p.store(child);
        p.wait_for(child, exited(3));
    });
}

/// A program was given the answers to what the program before it in the same task had said.
#[test]
fn a_program_is_not_answered_what_the_one_before_it_said() {
    for entry in Entry::ALL {
        let before = Prog::tracing(entry, |p| {
            let status = p.var();
            p.wait4(-1, status, 0);
            p.check(Val::Rax, Errno::ECHILD.as_result() as u64);
            p.ptrace(nr::PTRACE_ATTACH, 0, 0, 0);
            p.check(Val::Rax, Errno::ESRCH.as_result() as u64);
            p.exec("/bin/after");
        });
        let after = Prog::tracing(entry, |p| {
            let (child, status) = (p.var(), p.var());
            p.fork(|p| p.sleep(900_000_000));
            p.store(child);
            p.wait4(child, status, g::WNOHANG);
            p.check(Val::Rax, 0);
            p.ptrace_ok(nr::PTRACE_SEIZE, child, 0, 0);
            p.kill(child, SIGKILL);
            p.wait_for(child, SIGKILL.into());
        });
        let boot = Boot::new(vec![("before", before), ("after", after)]);
        under_seeds(100, |seed| {
            assert_eq!(World::new(&boot, seed).run_to_the_end(), exited(0));
        });
    }
}

/// Small worlds, two engines: between the attach and the first word of what is to be reported, the task
/// was reaped, its engine's owner never told, and the tracer kept both for good.
#[test]
fn a_task_is_reaped_while_its_first_engine_is_attached() {
    engine_scenario(600, |p| {
        let child = p.var();
        p.fork(|p| p.exit(3));
        p.store(child);
        p.fork(|p| {
            let handle = p.var();
            p.attach_engine(child, AttachFlags::CREATE, 0, 7, handle);
            p.when(Val::Rax, Is::Less, 0, |p| p.exit(0));
            let reap = Flags {
                events: Events::REAP,
                ..Flags::default()
            };
            p.set_engine(handle, reap, 0);
            p.when(Val::Rax, Is::Different, 0, |p| p.exit(0));
            let callback = p.callback();
            p.next_callback(callback);
            p.check(Val::Rax, 1);
            p.check(callback.word(word::DATA), 7);
        });
        p.wait_for_all();
    });
}

/// Small worlds, job control: SIGCONT came between the group-stop and LISTEN, and was never told.
#[test]
fn a_process_is_continued_before_its_tracer_listens() {
    tracing_scenario(100, |p| {
        let (child, status) = (p.var(), p.var());
        let group_stop =
            |signo: u8| stopped(event(nr::PTRACE_EVENT_STOP) & !0xff | u32::from(signo));
        p.fork(|p| p.spin());
        p.store(child);
        p.kill(child, SIGSTOP);
        p.wait4(child, status, g::WUNTRACED);
        p.check(status, stopped(SIGSTOP.into()) as u32);
        p.ptrace_ok(nr::PTRACE_SEIZE, child, 0, 0);
        p.wait_for(child, group_stop(SIGSTOP));
        p.kill(child, SIGCONT);
        p.ptrace_ok(nr::PTRACE_LISTEN, child, 0, 0);
        p.wait_for(child, group_stop(SIGTRAP));
        p.cont(child, 0);
        p.wait_for(child, stopped(SIGCONT.into()));
        p.kill_and_reap(child);
    });
}

/// Small worlds, job control: SIGCONT came while the tracee was shown the SIGSTOP before it, which stopped
/// it for good.
#[test]
fn a_process_is_continued_while_its_tracer_is_shown_the_stop_signal() {
    tracing_scenario(100, |p| {
        let child = p.var();
        let continued = stopped(event(nr::PTRACE_EVENT_STOP) & !0xff | u32::from(SIGTRAP));
        p.fork(|p| p.spin());
        p.store(child);
        p.ptrace_ok(nr::PTRACE_SEIZE, child, 0, 0);
        p.kill(child, SIGSTOP);
        p.wait_for(child, stopped(SIGSTOP.into()));
        p.kill(child, SIGCONT);
        p.cont(child, SIGSTOP);
        p.wait_for(child, continued);
        p.cont(child, 0);
        p.wait_for(child, stopped(SIGCONT.into()));
        p.kill_and_reap(child);
    });
}

/// Small worlds, job control: the wait of a parent that is not the tracer slept through a group-stop.
#[test]
fn a_parent_and_another_tracer_are_both_told_of_a_group_stop() {
    tracing_scenario(300, |p| {
        let (child, status) = (p.var(), p.var());
        p.fork(|p| p.spin());
        p.store(child);
        p.fork(|p| {
            p.begin();
            p.ptrace_ok(nr::PTRACE_SEIZE, child, 0, 0);
            p.kill(child, SIGSTOP);
            p.wait_for(child, stopped(SIGSTOP.into()));
            p.cont(child, SIGSTOP);
            // The parent kills it when it is told.
            p.forever(|p, end| {
                p.wait4(child, status, g::__WALL);
                p.check(Val::Rax, child);
                p.when(status, Is::Equal, u64::from(SIGKILL), |p| p.jump(end));
            });
        });
        p.wait4(child, status, g::WUNTRACED);
        p.check(status, stopped(SIGSTOP.into()) as u32);
        p.kill(child, SIGKILL);
        p.wait_for_all();
    });
}

/// Small worlds, exec with a killer: the parent was told what the leader had exited with long before the
/// process was killed.
#[test]
fn a_process_whose_leader_is_gone_is_killed() {
    tracing_scenario(100, |p| {
        let child = p.var();
        p.fork(|p| {
            p.thread(|p| p.spin());
            p.sys(g::__NR_exit, &[5.into()]);
        });
        p.store(child);
        p.sleep(1_000_000);
        p.kill_and_reap(child);
    });
}

/// Small worlds, an engine that dies and a killer: a task was killed between its report and the call of its
/// engine, which the tracer then took for one whose owner is gone.
#[test]
fn a_task_is_killed_before_its_engine_is_called() {
    engine_scenario(600, |p| {
        let (child, event) = (p.var(), p.var());
        p.fork(|p| {
            p.sleep(1_000_000);
            p.getpid();
            p.exit(3);
        });
        p.store(child);
        p.fork(|p| {
            let reap = u64::from(Events::REAP.bits());
            let flags = Flags {
                events: Events::SYSCALL_ENTRY | Events::REAP,
                ..Flags::default()
            };
            p.engine(child, 7, flags);
            let callback = p.callback();
            p.next_callback(callback);
            p.forever(|p, end| {
                p.check(Val::Rax, 1);
                p.set_low(event, callback.addr() + 8 * word::EVENT as u64);
                p.when(event, Is::Equal, reap, |p| p.jump(end));
                p.answer_and_next(callback, Response::default());
                p.when(Val::Rax, Is::Less, 0, |p| p.next_callback(callback));
            });
        });
        p.sleep(1_000_000);
        p.kill(child, SIGKILL);
        p.wait_for_all();
    });
}
