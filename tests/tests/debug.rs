//! Breakpoints, watchpoints and steps (ptrace.md A5, B), on a processor that has debug registers.

use abi::linux::ptrace as nr;
use abi::signal::SIGTRAP;
use abi::signal::code::{TRAP_HWBKPT, TRAP_TRACE};
use iced_x86::code_asm::{byte_ptr, dword_ptr, qword_ptr, rax, rsp};
use procmgr::machine::{BreakOn, Breakpoint};
use world::asm::{Entry, Is};
use world::hand::*;
use world::{Boot, Prog, World};

const EINVAL: i64 = abi::Errno::EINVAL.as_result();
const TRAPPED: i32 = 5 << 8 | 0x7f;
/// Where in `struct user` the debug registers are.
const DEBUG: u64 = 848;

/// The wait status of a SIGTRAP, its code, and what DR6 says.
fn trapped(w: &mut Hand) -> (i32, u64) {
    assert_eq!(w.wait(SPINNER), TRAPPED);
    let info = w.siginfo(SPINNER);
    let rip = w.peek(nr::PTRACE_PEEKUSR, SPINNER, 16 * 8).1;
    assert_eq!((info.signo, info.fields[0]), (SIGTRAP.into(), rip));
    let status = w.peek(nr::PTRACE_PEEKUSR, SPINNER, DEBUG + 6 * 8).1;
    (info.code, status ^ 0xffff_0ff0)
}

fn set(w: &mut Hand, n: u64, value: u64) -> i64 {
    w.ptrace(nr::PTRACE_POKEUSR, SPINNER, DEBUG + n * 8, value)
}

fn go(w: &mut Hand, request: u32) {
    assert_eq!(w.ptrace(request, SPINNER, 0, 0), 0);
}

#[test]
fn an_instruction_breakpoint_stops_before_the_instruction_and_is_passed_then() {
    let mut w = Hand::attached(SPINNER);
    let rip = w.regs(SPINNER).rip;
    assert_eq!([set(&mut w, 0, rip), set(&mut w, 7, 1)], [0; 2]);
    for _ in 0..3 {
        go(&mut w, nr::PTRACE_CONT);
        assert_eq!(trapped(&mut w), (TRAP_HWBKPT, 1));
        assert_eq!(w.regs(SPINNER).rip, rip);
    }
    // A step gets past it, round the circle to it, and is stopped there once more before it.
    go(&mut w, nr::PTRACE_SINGLESTEP);
    assert_eq!(trapped(&mut w), (TRAP_TRACE, 0x4000));
    let mut steps = 0;
    while w.regs(SPINNER).rip != rip {
        go(&mut w, nr::PTRACE_SINGLESTEP);
        assert_eq!(trapped(&mut w), (TRAP_TRACE, 0x4000));
        steps += 1;
        assert!(steps < 10);
    }
    go(&mut w, nr::PTRACE_SINGLESTEP);
    assert_eq!(trapped(&mut w), (TRAP_HWBKPT, 1));
    go(&mut w, nr::PTRACE_SINGLESTEP);
    assert_eq!(trapped(&mut w), (TRAP_TRACE, 0x4000));
}

#[test]
fn a_refused_breakpoint_leaves_the_machine_as_it_was() {
    let mut w = Hand::attached(SPINNER);
    assert_eq!([set(&mut w, 0, BUF), set(&mut w, 7, 0x9_0001)], [0; 2]);
    let armed = |w: &Hand| {
        let thread = w.world.machine.threads.get(w.id(SPINNER));
        thread.expect("it has a thread").breakpoints
    };
    let on = BreakOn::Write(8);
    let expected = [Some(Breakpoint { addr: BUF, on }), None, None, None];
    assert_eq!(armed(&w), expected);
    assert_eq!(set(&mut w, 0, BUF + 1), EINVAL);
    assert_eq!(set(&mut w, 7, 0x2_0001), EINVAL);
    assert_eq!(armed(&w), expected);
    assert_eq!(set(&mut w, 7, 0), 0);
    assert_eq!(armed(&w), [None; 4]);
}

/// A tracee that does `work` and a tracer that does `trace` with it; both know a page of data.
fn traced(work: fn(&mut Prog, u64), trace: fn(&mut Prog, u64, world::Var)) {
    for entry in Entry::ALL {
        let first = Prog::tracing(entry, |p| {
            let page = p.page();
            let child = p.var();
            p.traced_child(child, |p| work(p, page));
            trace(p, page, child);
            p.kill(child, abi::signal::SIGKILL);
            p.wait_for_all();
            p.exit(0);
        });
        let mut world = World::new(&Boot::new(vec![("first", first)]), 1);
        assert_eq!(world.run_to_the_end(), 0, "{entry:?}");
    }
}

#[test]
fn a_watchpoint_tells_of_the_write_behind_it_and_nobody_else_has_it() {
    traced(
        |p, word| {
            p.set_mask(1 << (abi::signal::SIGCHLD - 1));
            p.forever(|p, _| {
                p.ok(|a| a.mov(qword_ptr(word + 8), rax));
                p.ok(|a| a.mov(byte_ptr(word + 3), 1));
                p.fork(|p| p.ok(|a| a.mov(qword_ptr(word), rax)));
                p.wait_for_all();
            });
        },
        |p, word, child| {
            p.ptrace_ok(nr::PTRACE_POKEUSR, child, DEBUG, word);
            p.ptrace_ok(nr::PTRACE_POKEUSR, child, DEBUG + 56, 0x9_0001);
            for _ in 0..3 {
                p.cont(child, 0);
                p.wait_for(child, TRAPPED);
                let status = p.var();
                p.ptrace_ok(nr::PTRACE_PEEKUSR, child, DEBUG + 48, status.0);
                p.check(status, 0xffff_0ff1_u64);
            }
            p.ptrace_ok(nr::PTRACE_POKEUSR, child, DEBUG + 56, 0);
            p.cont(child, abi::signal::SIGTERM);
            p.wait_for(child, 15);
        },
    );
}

#[test]
fn the_trap_flag_of_a_program_shows_and_that_of_a_step_does_not() {
    traced(
        |p, _| {
            p.ok(|a| a.pushfq());
            p.ok(|a| a.or(dword_ptr(rsp), 0x100));
            p.ok(|a| a.popfq());
            p.forever(|p, _| p.ok(|a| a.pause()));
        },
        |p, _, child| {
            let flags = p.var();
            let steps = p.var();
            // Up to the `popf` the flag is the step's.
            p.forever(|p, end| {
                p.ptrace_ok(nr::PTRACE_SINGLESTEP, child, 0, 0);
                p.wait_for(child, TRAPPED);
                p.ptrace_ok(nr::PTRACE_PEEKUSR, child, 18 * 8, flags.0);
                p.add(steps, 1);
                p.ok(|a| a.test(dword_ptr(flags.0), 0x100));
                p.ok(|a| a.jne(end));
            });
            p.when(steps, Is::Less, 3, |p| p.check(0, 1));
            for _ in 0..2 {
                p.cont(child, 0);
                p.wait_for(child, TRAPPED);
            }
            p.ptrace_ok(nr::PTRACE_PEEKUSR, child, 18 * 8, flags.0);
            p.ok(|a| a.and(dword_ptr(flags.0), 0x100));
            p.check(flags, 0x100);
            p.ptrace_ok(nr::PTRACE_POKEUSR, child, 18 * 8, 0x202);
        },
    );
}
