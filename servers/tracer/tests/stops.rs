//! What every report becomes (ptrace.md A10) and how a stop is left (A5, A6).

mod support;

use abi::signal::{SIGKILL, SIGSTOP, SIGTERM, SIGTRAP, SIGUSR1, SIGUSR2};
use abi::tracer::{CloneKind, Event, Events, SignalAction, Step, Verdict};
use abi::{Errno, InCall, SigInfo};
use support::{BUF, CHILD, TRACER, World, err, id, rq};

const ESRCH: i64 = err(Errno::ESRCH);
const EIO: i64 = err(Errno::EIO);
const OPTIONS: u64 = 0x7f;

fn delivered(w: &mut World) -> (SignalAction, SigInfo) {
    match w.last_answer(CHILD).verdict {
        Verdict::Signal { action, info } => (action, info),
        other => panic!("{other:?}"),
    }
}

fn clone_of(n: usize, kind: CloneKind, flags: u64) -> Event {
    Event::Clone {
        child: id(n),
        child_tid: n as u32,
        kind,
        flags,
    }
}

#[test]
fn a_stop_is_withheld_until_the_tracer_resumes_and_costs_one_call_each_way() {
    let mut w = World::traced();
    assert_eq!(w.stop(CHILD), Some(SIGSTOP.into()));
    assert!(w.pm.task(CHILD).answers.is_empty());
    assert_eq!(w.ptrace(rq::CONT, 0, 0), 0);
    assert_eq!(w.pm.calls, ["SetEvents", "Answer"]);
    assert_eq!(delivered(&mut w).0, SignalAction::Ignore);
    w.pm.calls.clear();
    w.event(CHILD, Event::VforkDone { child_tid: 30 });
    assert_eq!(w.pm.calls, ["Next", "Answer", "Next"]);
}

#[test]
fn a_stop_that_was_announced_costs_nothing_here_and_its_resumption_one_call() {
    let mut w = World::traced();
    w.ptrace(rq::CONT, 0, 0);
    w.pm.calls.clear();
    w.signal(CHILD, SIGUSR1);
    assert_eq!(w.stop(CHILD), Some(SIGUSR1.into()));
    assert_eq!(w.pm.calls, ["Next"], "the one of the test's own");
    w.pm.calls.clear();
    assert_eq!(w.ptrace(rq::SINGLESTEP, 0, 0), 0);
    assert_eq!(w.pm.calls, ["Resume"]);
    assert_eq!(delivered(&mut w).0, SignalAction::Ignore);
    assert_eq!(w.last_answer(CHILD).step, Step::Single);
}

#[test]
fn an_announced_stop_is_taken_by_the_first_request_that_looks() {
    let mut w = World::traced();
    w.ptrace(rq::CONT, 0, 0);
    w.signal(CHILD, SIGUSR1);
    w.pm.calls.clear();
    assert_eq!(w.ptrace(rq::GETSIGINFO, 0, BUF), 0);
    assert_eq!(w.pm.calls, ["Take", "Write"]);
    w.pm.calls.clear();
    assert_eq!(w.ptrace(rq::GETSIGINFO, 0, BUF), 0);
    assert_eq!(w.pm.calls, ["Write"]);
    w.pm.calls.clear();
    assert_eq!(w.ptrace(rq::CONT, 0, SIGUSR1.into()), 0);
    assert_eq!(w.pm.calls, ["Answer"]);
    assert_eq!(delivered(&mut w).0, SignalAction::Deliver);
}

#[test]
fn the_registers_of_an_announced_stop_are_stored_without_taking_it() {
    let mut w = World::traced();
    w.ptrace(rq::CONT, 0, 0);
    w.pm.task(CHILD).regs.rip = 0x1234;
    assert_eq!(w.ptrace(rq::GETREGS, 0, BUF), ESRCH, "it runs");
    w.signal(CHILD, SIGUSR1);
    w.pm.calls.clear();
    assert_eq!(w.ptrace(rq::GETREGS, 0, 0), err(Errno::EFAULT));
    assert_eq!(w.ptrace(rq::GETREGS, 0, BUF), 0);
    assert_eq!(w.pm.calls, ["StoreRegs", "StoreRegs"]);
    assert_eq!(w.word(TRACER, BUF + 16 * 8), 0x1234);
    w.pm.calls.clear();
    assert_eq!(w.ptrace(rq::CONT, 0, 0), 0);
    assert_eq!(w.pm.calls, ["Resume"]);
}

#[test]
fn written_registers_are_read_back_as_they_were_written() {
    let mut w = World::traced();
    w.ptrace(rq::CONT, 0, 0);
    w.signal(CHILD, SIGUSR1);
    assert_eq!(w.ptrace(rq::GETREGS, 0, BUF), 0);
    w.pm.poke(TRACER, BUF + 15 * 8, &77u64.to_le_bytes());
    assert_eq!(w.ptrace(rq::SETREGS, 0, BUF), 0);
    w.pm.poke(TRACER, BUF + 15 * 8, &[0; 8]);
    assert_eq!(w.ptrace(rq::GETREGS, 0, BUF), 0);
    assert_eq!(w.word(TRACER, BUF + 15 * 8), 77, "orig_rax");
}

#[test]
fn a_running_tracee_is_not_resumed_and_keeps_its_mode() {
    let mut w = World::traced();
    w.ptrace(rq::CONT, 0, 0);
    assert_eq!(w.ptrace(rq::SYSCALL, 0, 0), err(Errno::ESRCH));
    let task = w.pm.task(CHILD);
    assert!(!task.subscribed.contains(Events::SYSCALL_ENTRY));
    assert_eq!(task.posting.syscalls, None);
    w.signal(CHILD, SIGUSR1);
    w.ptrace(rq::GETSIGINFO, 0, BUF);
    w.pm.calls.clear();
    w.ptrace(rq::CONT, 0, 0);
    assert_eq!(w.pm.calls, ["Answer"], "nothing was asked for meanwhile");
}

#[test]
fn the_end_of_a_group_stop_is_told_whatever_was_announced() {
    let mut w = World::traced();
    w.ptrace(rq::CONT, 0, 0);
    w.pm.calls.clear();
    w.signal(CHILD, abi::signal::SIGCONT);
    assert_eq!(w.pm.calls, ["Next", "Post", "Next"]);
}

#[test]
fn requests_at_a_stop_ask_nobody_about_the_tracee() {
    let mut w = World::traced();
    w.ptrace(rq::GETREGS, 0, BUF);
    assert_eq!(w.pm.calls, ["StoreRegs"]);
    w.pm.calls.clear();
    w.ptrace(rq::PEEKDATA, BUF, 0);
    assert_eq!(w.pm.calls, ["Read"]);
    w.pm.calls.clear();
    w.ptrace(rq::SYSCALL, 0, 0);
    assert_eq!(w.pm.calls, ["SetEvents", "Answer"]);
    w.event_in(CHILD, InCall::entry(39), Event::SyscallEntry);
    w.pm.calls.clear();
    w.ptrace(rq::SYSCALL, 0, 0);
    assert_eq!(w.pm.calls, ["Resume"], "nobody has looked");
    w.event_in(CHILD, InCall::entry(39), Event::SyscallExit);
    w.ptrace(rq::PEEKDATA, BUF, 0);
    w.pm.calls.clear();
    w.ptrace(rq::SYSCALL, 0, 0);
    assert_eq!(w.pm.calls, ["Answer"], "the mask has not changed");
}

#[test]
fn the_same_signal_goes_on_with_its_siginfo_another_with_the_tracers() {
    let mut w = World::traced();
    w.ptrace(rq::CONT, 0, 0);
    w.signal(CHILD, SIGUSR1);
    w.ptrace(rq::CONT, 0, SIGUSR1.into());
    let own = SigInfo::from_process(SIGUSR1, 0, CHILD as u32, 0);
    assert_eq!(delivered(&mut w), (SignalAction::Deliver, own));
    w.signal(CHILD, SIGUSR1);
    w.ptrace(rq::CONT, 0, SIGUSR2.into());
    let tracers = SigInfo::from_process(SIGUSR2, 0, TRACER as u32, 0);
    assert_eq!(delivered(&mut w), (SignalAction::Deliver, tracers));
}

#[test]
fn a_signal_argument_that_is_none_is_eio_and_the_stop_stays() {
    let mut w = World::traced();
    for bad in [65, u64::MAX, 1 << 32] {
        assert_eq!(w.ptrace(rq::CONT, 0, bad), EIO);
    }
    assert_eq!(w.ptrace(rq::CONT, 0, 64), 0);
    assert_eq!(delivered(&mut w).1.signo, 64);
}

#[test]
fn a_signal_at_a_syscall_stop_is_sent_and_at_an_event_stop_ignored() {
    let mut w = World::traced();
    w.ptrace(rq::SETOPTIONS, 0, OPTIONS);
    w.ptrace(rq::SYSCALL, 0, 0);
    w.event_in(CHILD, InCall::entry(39), Event::SyscallEntry);
    w.ptrace(rq::CONT, 0, SIGTERM.into());
    let (info, force) = w.pm.task(CHILD).signals[0];
    assert_eq!((info.signo, info.code, force), (15, 0x80, false));
    assert_eq!(w.last_answer(CHILD).verdict, Verdict::Continue);
    w.event(CHILD, Event::Exit { status: 0x100 });
    w.ptrace(rq::CONT, 0, SIGTERM.into());
    assert_eq!(w.pm.task(CHILD).signals.len(), 1);
}

#[test]
fn syscall_stops_show_sysgood_and_their_message() {
    let mut w = World::traced();
    w.ptrace(rq::SYSCALL, 0, 0);
    w.event_in(CHILD, InCall::entry(39), Event::SyscallEntry);
    assert_eq!((w.stop(CHILD), w.eventmsg(CHILD)), (Some(5), 1));
    assert_eq!(w.siginfo(CHILD).code, 5);
    w.ptrace(rq::SETOPTIONS, 0, 1);
    w.ptrace(rq::SYSCALL, 0, 0);
    w.event_in(CHILD, InCall::entry(39), Event::SyscallExit);
    assert_eq!((w.stop(CHILD), w.eventmsg(CHILD)), (Some(0x85), 2));
    assert_eq!(w.siginfo(CHILD).code, 0x85);
    w.ptrace(rq::CONT, 0, 0);
    assert!(!w.pm.task(CHILD).subscribed.contains(Events::SYSCALL_ENTRY));
}

#[test]
fn sysemu_stops_at_entry_and_skips_the_call() {
    let mut w = World::traced();
    w.ptrace(rq::SYSEMU, 0, 0);
    let subscribed = w.pm.task(CHILD).subscribed;
    assert!(subscribed.contains(Events::SYSCALL_ENTRY));
    assert!(!subscribed.contains(Events::SYSCALL_EXIT));
    w.event_in(CHILD, InCall::entry(39), Event::SyscallEntry);
    w.ptrace(rq::SYSCALL, 0, 0);
    assert_eq!(w.last_answer(CHILD).verdict, Verdict::AbortSyscall);
}

#[test]
fn singlestep_steps_once_and_block_steps_are_eio() {
    let mut w = World::traced();
    assert_eq!(w.ptrace(33, 0, 0), EIO);
    w.ptrace(rq::SINGLESTEP, 0, 0);
    assert_eq!(w.last_answer(CHILD).step, Step::Single);
    w.signal(CHILD, SIGTRAP);
    w.ptrace(rq::CONT, 0, 0);
    assert_eq!(w.last_answer(CHILD).step, Step::None);
}

#[test]
fn fork_vfork_and_clone_stop_the_parent_and_attach_the_child() {
    use CloneKind::{Clone, Fork, Vfork};
    for (event, kind) in [(1, Fork), (2, Vfork), (3, Clone)] {
        let mut w = World::traced();
        w.ptrace(rq::SETOPTIONS, 0, OPTIONS | 1);
        w.ptrace(rq::CONT, 0, 0);
        w.pm.spawn(30, Some(CHILD));
        w.pm.calls.clear();
        w.event_in(CHILD, InCall::entry(57), clone_of(30, kind, 0));
        assert_eq!(w.stop(CHILD), Some(5 | event << 8));
        assert_eq!(w.eventmsg(CHILD), 30);
        assert_eq!(w.siginfo(CHILD).code, (5 | event << 8) as i32);
        let at = |name| w.pm.calls.iter().position(|c| *c == name).unwrap();
        assert!(at("Bind") < at("Post"), "attached before anybody is told");
        let (info, force) = w.pm.task(30).signals[0];
        assert_eq!((info.signo, info.code, info.pid(), force), (19, 0, 0, true));
        w.event(
            30,
            Event::Signal {
                info,
                action: SignalAction::Stop,
            },
        );
        assert_eq!(w.stop(30), Some(19));
        w.ptrace_by(TRACER, rq::SYSCALL, 30, 0, 0);
        w.event_in(30, InCall::entry(39), Event::SyscallEntry);
        assert_eq!(w.stop(30), Some(0x85), "options are inherited");
    }
}

#[test]
fn without_its_option_a_clone_is_not_shown_and_untraced_wins() {
    let mut w = World::traced();
    w.ptrace(rq::CONT, 0, 0);
    w.pm.spawn(30, Some(CHILD));
    w.event(CHILD, clone_of(30, CloneKind::Fork, 0));
    assert_eq!(w.last_answer(CHILD).verdict, Verdict::Continue);
    assert_eq!((w.stop(CHILD), w.tracer.traced()), (None, 1));
    w.event(CHILD, clone_of(30, CloneKind::Fork, 0x2000));
    assert_eq!(
        (w.stop(CHILD), w.tracer.traced()),
        (None, 2),
        "CLONE_PTRACE"
    );
    w.signal(CHILD, SIGUSR1);
    w.ptrace(rq::SETOPTIONS, 0, OPTIONS);
    w.ptrace(rq::CONT, 0, 0);
    w.pm.spawn(31, Some(CHILD));
    w.event(CHILD, clone_of(31, CloneKind::Fork, 0x0080_0000));
    assert_eq!((w.stop(CHILD), w.tracer.traced()), (None, 2));
}

#[test]
fn a_child_that_cannot_be_attached_runs_untraced_and_is_counted() {
    let mut w = World::traced();
    w.ptrace(rq::SETOPTIONS, 0, OPTIONS);
    w.ptrace(rq::CONT, 0, 0);
    w.event(CHILD, clone_of(77, CloneKind::Fork, 0));
    assert_eq!(w.stop(CHILD), Some(0x105));
    assert_eq!((w.tracer.lost_children(), w.tracer.traced()), (1, 1));
}

#[test]
fn the_child_of_a_seized_tracee_starts_with_an_event_stop() {
    let mut w = World::new();
    w.ptrace(rq::SEIZE, 0, 2);
    w.pm.spawn(30, Some(CHILD));
    w.event(CHILD, clone_of(30, CloneKind::Fork, 0));
    assert!(w.pm.task(30).quiesce && w.pm.task(30).signals.is_empty());
    w.event(30, Event::Quiesce);
    assert_eq!(w.stop(30), Some(0x8005));
}

#[test]
fn exec_is_an_event_with_the_option_and_a_sigtrap_without() {
    let mut w = World::traced();
    w.ptrace(rq::CONT, 0, 0);
    w.event(CHILD, Event::Exec { former_tid: 20 });
    let (info, force) = w.pm.task(CHILD).signals[0];
    let expected = SigInfo::from_process(SIGTRAP, 0, CHILD as u32, 0);
    assert_eq!((info, force), (expected, false));
    assert_eq!(w.stop(CHILD), None);
    w.signal(CHILD, SIGTRAP);
    w.ptrace(rq::SETOPTIONS, 0, OPTIONS);
    w.ptrace(rq::CONT, 0, 0);
    w.pm.task(CHILD).view.tid = 19;
    w.event(CHILD, Event::Exec { former_tid: 20 });
    assert_eq!(w.stop(CHILD), Some(0x405));
    assert_eq!(w.ptrace(rq::CONT, 0, 0), ESRCH, "it has another tid now");
    assert_eq!(w.eventmsg(19), 20);
    assert_eq!(w.ptrace_by(TRACER, rq::CONT, 19, 0, 0), 0);

    let mut w = World::new();
    w.ptrace(rq::SEIZE, 0, 0);
    w.event(CHILD, Event::Exec { former_tid: 20 });
    assert!(w.pm.task(CHILD).signals.is_empty());
}

#[test]
fn exit_and_vfork_done_are_asked_for_only_with_their_options() {
    let mut w = World::traced();
    w.ptrace(rq::CONT, 0, 0);
    let rare = Events::EXIT | Events::VFORK_DONE;
    assert!(!w.pm.task(CHILD).subscribed.intersects(rare));
    w.signal(CHILD, SIGUSR1);
    w.ptrace(rq::SETOPTIONS, 0, OPTIONS);
    w.ptrace(rq::CONT, 0, 0);
    assert!(w.pm.task(CHILD).subscribed.contains(rare));
    w.event(CHILD, Event::VforkDone { child_tid: 33 });
    assert_eq!((w.stop(CHILD), w.eventmsg(CHILD)), (Some(0x505), 33));
    w.ptrace(rq::CONT, 0, 0);
    w.event(CHILD, Event::Exit { status: 0x900 });
    assert_eq!((w.stop(CHILD), w.eventmsg(CHILD)), (Some(0x605), 0x900));
}

#[test]
fn a_group_stop_has_no_siginfo_and_continue_runs_it() {
    let mut w = World::traced();
    w.ptrace(rq::CONT, 0, SIGSTOP.into());
    let (signo, stop) = (SIGSTOP, true);
    w.event(CHILD, Event::JobControl { signo, stop });
    assert_eq!(w.stop(CHILD), Some(19));
    assert_eq!(w.ptrace(rq::GETSIGINFO, 0, BUF), err(Errno::EINVAL));
    assert_eq!(w.ptrace(rq::SETSIGINFO, 0, BUF), err(Errno::EINVAL));
    assert_eq!(w.ptrace(rq::CONT, 0, 0), 0);
    assert_eq!(w.last_answer(CHILD).verdict, Verdict::Continue);
    w.event(CHILD, Event::JobControl { signo, stop: false });
    assert_eq!(w.stop(CHILD), None);
}

#[test]
fn sigkill_takes_a_stop_away_and_the_exit_event_is_still_shown() {
    let mut w = World::traced();
    w.ptrace(rq::SETOPTIONS, 0, OPTIONS);
    w.pm.task(CHILD).outstanding = None;
    w.event(CHILD, Event::Exit { status: 9 });
    assert_eq!((w.stop(CHILD), w.eventmsg(CHILD)), (Some(0x605), 9));
    w.ptrace(rq::CONT, 0, 0);
    w.event(
        CHILD,
        Event::Death {
            status: 9,
            natural: true,
        },
    );
    assert_eq!(w.ptrace(rq::CONT, 0, 0), ESRCH);
    assert_eq!(w.last_answer(CHILD).verdict, Verdict::Continue);
    w.event(CHILD, Event::Reap);
    assert_eq!(w.tracer.traced(), 0);
}

#[test]
fn a_death_report_ends_a_pending_stop_and_is_answered_at_once() {
    let mut w = World::traced();
    w.pm.task(CHILD).outstanding = None;
    w.event(
        CHILD,
        Event::Death {
            status: 9,
            natural: false,
        },
    );
    assert_eq!(w.last_answer(CHILD).verdict, Verdict::Continue);
    for n in [rq::GETREGS, rq::CONT, rq::GETSIGINFO, rq::DETACH, 999] {
        assert_eq!(w.ptrace(n, 0, BUF), ESRCH);
    }
}

#[test]
fn continuing_a_tracee_that_was_just_killed_is_esrch_and_harmless() {
    let mut w = World::traced();
    w.pm.task(CHILD).outstanding = None;
    assert_eq!(w.ptrace(rq::CONT, 0, 0), ESRCH);
    w.event(
        CHILD,
        Event::Death {
            status: 9,
            natural: true,
        },
    );
    assert_eq!(w.pm.task(CHILD).answers.len(), 1);
}

#[test]
fn kill_works_on_a_tracee_that_runs_and_only_on_a_tracee() {
    let mut w = World::traced();
    w.ptrace(rq::CONT, 0, 0);
    assert_eq!(w.ptrace(rq::KILL, 0, 0), 0);
    assert_eq!(w.pm.task(CHILD).signals[0].0.signo, i32::from(SIGKILL));
    w.pm.spawn(30, Some(TRACER));
    assert_eq!(w.ptrace_by(TRACER, rq::KILL, 30, 0, 0), ESRCH);
}

#[test]
fn a_tracee_that_is_killed_while_it_is_a_tracer_itself_has_left_its_stop() {
    let mut w = World::traced();
    w.pm.spawn(30, Some(1));
    w.event(CHILD, Event::ClientExit);
    assert_eq!(w.ptrace(rq::GETSIGINFO, 0, BUF), ESRCH);
    assert_eq!(w.last_answer(CHILD).verdict, Verdict::Continue);
    w.event(
        CHILD,
        Event::Death {
            status: 9,
            natural: true,
        },
    );
    assert_eq!(w.pm.task(CHILD).answers.len(), 2);
}
