//! ptrace where an engine of a program attends to the same task: what the process manager settles by
//! itself for a tracee without one looks the same when the tracer server decides it.

use abi::engine::{Flags, Response, State, word};
use abi::linux::general as g;
use abi::linux::ptrace as nr;
use abi::signal::{SIGCHLD, SIGKILL, SIGSTOP, SIGTRAP, SIGUSR1, SIGUSR2};
use abi::tracer::{Events, SignalAction};
use iced_x86::code_asm::{dword_ptr, eax, qword_ptr, r8, rax};
use world::asm::{Callback, Entry, Is, event, stopped};
use world::{Boot, Prog, Val, Var, World};

const TRAPPED: i32 = stopped(5);
/// Where in `struct user` the instruction pointer and the debug registers are.
const RIP: u64 = 16 * 8;
const DEBUG: u64 = 848;

/// What an engine is attached for that only has to be there.
const THERE: Flags = Flags {
    events: Events::empty(),
    state: State::empty(),
};

fn run(what: &str, prog: Prog) {
    let boot = Boot::new(vec![("first", prog)]);
    for seed in 1..4 {
        assert_eq!(World::new(&boot, seed).run_to_the_end(), 0, "{what}");
    }
}

/// A tracee that does `work` and a tracer that does `trace`: alone, and beside an engine.
fn traced(work: fn(&mut Prog, u64), trace: fn(&mut Prog, u64, Var)) {
    for beside in [None, Some(THERE)] {
        let prog = Prog::tracing(Entry::Message, |p| {
            let page = p.page();
            let child = p.var();
            p.traced_child(child, |p| work(p, page));
            if let Some(flags) = beside {
                p.engine(child, 1, flags);
            }
            trace(p, page, child);
            p.kill(child, SIGKILL);
            p.wait_for_all();
            p.exit(0);
        });
        run(&format!("{beside:?}"), prog);
    }
}

/// The code of the siginfo of a stop, into `rax`.
fn siginfo_code(p: &mut Prog, child: Var) {
    let info = p.words(&[0; 16]);
    p.ptrace_ok(nr::PTRACE_GETSIGINFO, child, 0, info);
    p.ok(|a| a.mov(eax, dword_ptr(info + 8)));
}

#[test]
fn a_step_into_a_handler_is_a_stop_of_its_own() {
    traced(
        |p, page| {
            p.on_signal(SIGUSR1, 0, |p| {
                p.ok(|a| a.inc(qword_ptr(page)));
            });
            p.getpid();
            p.kill(Val::Rax, SIGSTOP);
            p.spin();
        },
        |p, page, child| {
            p.cont(child, 0);
            p.wait_for(child, stopped(SIGSTOP.into()));
            p.kill(child, SIGUSR1);
            p.cont(child, 0);
            p.wait_for(child, stopped(SIGUSR1.into()));
            p.ptrace_ok(nr::PTRACE_SINGLESTEP, child, 0, SIGUSR1);
            p.wait_for(child, TRAPPED);
            siginfo_code(p, child);
            p.check(Val::Rax, u64::from(SIGTRAP));
            // Nothing of the handler has run, and a signal that is named is not delivered.
            let word = p.var();
            p.ptrace_ok(nr::PTRACE_PEEKDATA, child, page, word.0);
            p.check(word, 0);
            p.ptrace_ok(nr::PTRACE_SINGLESTEP, child, 0, SIGUSR2);
            p.wait_for(child, TRAPPED);
            siginfo_code(p, child);
            p.check(Val::Rax, abi::signal::code::TRAP_TRACE as u64);
            p.ptrace_ok(nr::PTRACE_PEEKDATA, child, page, word.0);
            p.check(word, 1);
        },
    );
}

#[test]
fn a_clone_with_clone_ptrace_is_attached_though_nobody_asked_for_clones() {
    traced(
        |p, _| {
            let flags = u64::from(g::CLONE_PTRACE) | u64::from(SIGCHLD);
            p.sys(g::__NR_clone, &[flags.into(), 0.into(), 0.into(), 0.into()]);
            p.spin();
        },
        |p, _, child| {
            p.cont(child, 0);
            let (new, status) = (p.var(), p.var());
            p.wait4(-1, status, g::__WALL);
            p.store(new);
            p.check(status, stopped(SIGSTOP.into()) as u64);
            p.when(new, Is::Equal, child, |p| p.check(0, 1));
            p.ptrace_ok(nr::PTRACE_SETOPTIONS, new, 0, nr::PTRACE_O_EXITKILL);
            p.kill(new, SIGKILL);
            p.wait_for(new, SIGKILL.into());
        },
    );
}

#[test]
fn requests_about_signals_and_breakpoints_work_at_any_stop() {
    traced(
        |p, word| {
            p.forever(|p, _| {
                p.ok(|a| a.mov(qword_ptr(word), r8));
                p.getpid();
            });
        },
        |p, page, child| {
            let got = p.var();
            let all = !(1_u64 << (SIGKILL - 1) | 1 << (SIGSTOP - 1));
            let mask = p.words(&[u64::MAX]);
            p.ptrace_ok(nr::PTRACE_SETSIGMASK, child, 8, mask);
            p.ptrace_ok(nr::PTRACE_GETSIGMASK, child, 8, got.0);
            p.check(got, all);
            p.kill(child, SIGUSR2);
            // The shared queue, from its first signal on, one of them.
            let args = p.words(&[0, 1 | 1 << 32]);
            p.ptrace(nr::PTRACE_PEEKSIGINFO, child, args, page + 256);
            p.check(Val::Rax, 1);
            p.ok(|a| a.mov(eax, dword_ptr(page + 256)));
            p.check(Val::Rax, u64::from(SIGUSR2));
            // A watchpoint is hit, and a step tells of both.
            p.ptrace_ok(nr::PTRACE_POKEUSR, child, DEBUG, page);
            p.ptrace_ok(nr::PTRACE_POKEUSR, child, DEBUG + 56, 0x9_0001);
            p.cont(child, 0);
            p.wait_for(child, TRAPPED);
            siginfo_code(p, child);
            p.check(Val::Rax, abi::signal::code::TRAP_HWBKPT as u64);
            p.ptrace_ok(nr::PTRACE_PEEKUSR, child, DEBUG + 48, got.0);
            p.check(got, 0xffff_0ff1_u64);
            p.ptrace_ok(nr::PTRACE_POKEUSR, child, DEBUG + 56, 0);
            let before = p.var();
            p.ptrace_ok(nr::PTRACE_PEEKUSR, child, RIP, before.0);
            p.ptrace_ok(nr::PTRACE_SINGLEBLOCK, child, 0, 0);
            p.wait_for(child, TRAPPED);
            p.ptrace_ok(nr::PTRACE_PEEKUSR, child, RIP, got.0);
            p.when(got, Is::Equal, before, |p| p.check(0, 1));
        },
    );
}

#[test]
fn a_call_is_replaced_by_set_syscall_info() {
    traced(
        |p, page| {
            p.forever(|p, _| {
                p.getpid();
                p.ok(|a| a.mov(qword_ptr(page), rax));
            });
        },
        |p, page, child| {
            p.set_options(child, nr::PTRACE_O_TRACESYSGOOD);
            let info = page + 1024;
            for _ in 0..2 {
                p.ptrace_ok(nr::PTRACE_SYSCALL, child, 0, 0);
                p.wait_for(child, stopped(0x85));
            }
            // The result, at the call's exit.
            p.ptrace(nr::PTRACE_GET_SYSCALL_INFO, child, 88, info);
            p.check(Val::Rax, 33);
            p.ok(|a| a.mov(rax, 4711_u64));
            p.ok(|a| a.mov(qword_ptr(info + 24), rax));
            p.ptrace_ok(nr::PTRACE_SET_SYSCALL_INFO, child, 88, info);
            // The number, at the next one's entry: the result is written first.
            p.ptrace_ok(nr::PTRACE_SYSCALL, child, 0, 0);
            p.wait_for(child, stopped(0x85));
            let word = p.var();
            p.ptrace_ok(nr::PTRACE_PEEKDATA, child, page, word.0);
            p.check(word, 4711);
            p.ptrace(nr::PTRACE_GET_SYSCALL_INFO, child, 88, info);
            p.check(Val::Rax, 80);
            p.ok(|a| a.mov(rax, u64::from(g::__NR_getppid)));
            p.ok(|a| a.mov(qword_ptr(info + 24), rax));
            p.ptrace_ok(nr::PTRACE_SET_SYSCALL_INFO, child, 88, info);
            for _ in 0..2 {
                p.ptrace_ok(nr::PTRACE_SYSCALL, child, 0, 0);
                p.wait_for(child, stopped(0x85));
            }
            p.ptrace_ok(nr::PTRACE_PEEKDATA, child, page, word.0);
            p.check(word, 1);
        },
    );
}

#[test]
fn an_engine_that_steps_hears_of_the_step_into_a_handler() {
    let flags = Flags {
        events: Events::QUIESCE | Events::HANDLER_STEP | Events::SIGNAL_CORE,
        state: State::QUIESCE,
    };
    // The SIGTRAP of every other step is not delivered.
    let step = Response {
        state: Some(State::SINGLESTEP),
        signal: Some(abi::engine::Choice::Act(SignalAction::Ignore)),
        ..Response::default()
    };
    let prog = Prog::tracing(Entry::Message, |p| {
        let child = p.var();
        p.fork(|p| {
            p.on_signal(SIGUSR1, 0, |_| {});
            p.forever(|p, _| {
                p.getpid();
                p.kill(Val::Rax, SIGUSR1);
            });
        });
        p.store(child);
        p.engine(child, 1, flags);
        let callback = p.callback();
        p.next_callback(callback);
        p.forever(|p, end| {
            p.check(Val::Rax, 1);
            p.ok(|a| a.mov(eax, dword_ptr(at(callback))));
            p.ok(|a| a.cmp(eax, Events::HANDLER_STEP.bits()));
            p.ok(|a| a.je(end));
            p.answer_and_next(callback, step);
        });
        p.kill(child, SIGKILL);
        p.wait_for_all();
        p.exit(0);
    });
    run("an engine", prog);
}

/// Where the event of a callback is.
fn at(callback: Callback) -> u64 {
    let Val::At(addr) = callback.word(word::EVENT) else {
        unreachable!("it lies in memory");
    };
    addr
}

#[test]
fn an_engine_does_not_end_a_ptrace_stop() {
    traced(
        |p, _| p.spin(),
        |p, _, child| {
            p.set_options(child, nr::PTRACE_O_TRACEEXIT);
            let handle = p.engine(child, 2, THERE);
            for request in [
                nr::PTRACE_CONT,
                nr::PTRACE_SINGLEBLOCK,
                nr::PTRACE_SET_SYSCALL_INFO,
            ] {
                p.engine_request(request, handle, 88, 0);
                p.check(Val::Rax, abi::Errno::EIO.as_result() as u64);
            }
            let mask = p.var();
            p.engine_request(nr::PTRACE_GETSIGMASK, handle, 8, mask.0);
            p.check(Val::Rax, 0);
            p.cont(child, SIGUSR1);
            p.wait_for(child, stopped(event(nr::PTRACE_EVENT_EXIT)));
        },
    );
}
