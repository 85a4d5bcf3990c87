//! PTRACE_ATTACH, TRACEME, SEIZE, DETACH and the end of a tracer (ptrace.md A3, A4).

mod support;

use abi::signal::{SIGKILL, SIGSTOP, SIGTERM, SIGUSR1};
use abi::tracer::{Event, Events, Life, SignalAction, Verdict};
use abi::{Errno, InCall};
use support::{BUF, CHILD, TRACER, World, err, id, rq};
use tracer::{MAX_TRACED_PER_USER, MAX_TRACED_TASKS};

const EPERM: i64 = err(Errno::EPERM);
const ESRCH: i64 = err(Errno::ESRCH);
const EIO: i64 = err(Errno::EIO);

fn attach(w: &mut World, pid: usize) -> i64 {
    w.ptrace_by(TRACER, rq::ATTACH, pid, 0, 0)
}

#[test]
fn attach_forces_sigstop_which_becomes_the_first_stop() {
    let mut w = World::new();
    assert_eq!(attach(&mut w, CHILD), 0);
    let (info, force) = w.pm.task(CHILD).signals[0];
    assert_eq!(
        (info.signo, info.code, info.pid(), force),
        (19, 0x80, 0, true)
    );
    assert_eq!(w.pm.task(CHILD).view.tracer, Some(id(TRACER)));
    let always = Events::DEATH | Events::EXEC | Events::ANY_SIGNAL | Events::JCTL;
    let always = always | Events::CLONE | Events::REAP;
    assert_eq!(w.pm.task(CHILD).subscribed, always);
    assert_eq!(w.ptrace(rq::CONT, 0, 0), ESRCH, "not stopped yet");
    w.signal(CHILD, SIGSTOP);
    assert_eq!(w.stop(CHILD), Some(SIGSTOP.into()));
    assert_eq!(w.ptrace(rq::CONT, 0, 0), 0);
}

#[test]
fn attach_to_what_is_not_there_is_esrch() {
    let mut w = World::new();
    for pid in [0, -1, i64::from(i32::MIN), 0x3fff_ffff] {
        let words = [rq::ATTACH, pid as u64, 0, 0];
        assert_eq!(w.message(TRACER, words).0, ESRCH, "{pid}");
    }
}

#[test]
fn attach_to_self_own_thread_pid_1_zombie_and_traced_is_eperm() {
    let mut w = World::new();
    assert_eq!(attach(&mut w, TRACER), EPERM);
    w.pm.spawn(11, Some(1));
    w.pm.task(11).view.tgid = TRACER as u32;
    assert_eq!(attach(&mut w, 11), EPERM);
    assert_eq!(attach(&mut w, 1), EPERM);
    w.pm.task(CHILD).view.state = Life::Zombie;
    assert_eq!(attach(&mut w, CHILD), EPERM);
    w.pm.task(CHILD).view.state = Life::Alive;
    assert_eq!(attach(&mut w, CHILD), 0);
    assert_eq!(attach(&mut w, CHILD), EPERM, "mine already");
    w.pm.spawn(12, Some(1));
    assert_eq!(w.ptrace_by(12, rq::ATTACH, CHILD, 0, 0), EPERM);
}

#[test]
fn attach_needs_equal_ids_and_a_dumpable_target_or_the_privilege() {
    let mut w = World::new();
    w.pm.task(TRACER).view.may_trace_any = false;
    w.pm.task(TRACER).view.uid = [5, 0, 0];
    w.pm.task(TRACER).view.gid = [5, 0, 0];
    let mut tried = |uid, gid, dumpable| {
        w.pm.task(CHILD).view.uid = uid;
        w.pm.task(CHILD).view.gid = gid;
        w.pm.task(CHILD).view.dumpable = dumpable;
        attach(&mut w, CHILD)
    };
    assert_eq!(tried([5, 5, 0], [5; 3], true), EPERM);
    assert_eq!(tried([5; 3], [5, 0, 5], true), EPERM);
    assert_eq!(tried([5; 3], [5; 3], false), EPERM);
    assert_eq!(tried([5; 3], [5; 3], true), 0);
}

#[test]
fn another_context_is_out_of_reach_but_for_the_privileged_host() {
    let mut w = World::new();
    w.pm.task(TRACER).view.context = 3;
    assert_eq!(attach(&mut w, CHILD), EPERM);
    assert_eq!(
        w.ptrace(rq::CONT, 0, 0),
        EPERM,
        "before ESRCH for not traced"
    );
    w.pm.task(TRACER).view.context = 0;
    w.pm.task(CHILD).view.context = 3;
    assert_eq!(w.ptrace(rq::CONT, 0, 0), ESRCH);
    assert_eq!(attach(&mut w, CHILD), 0);
}

#[test]
fn requests_on_pid_1_are_eperm_except_for_itself() {
    let mut w = World::new();
    assert_eq!(w.ptrace_by(TRACER, rq::CONT, 1, 0, 0), EPERM);
    assert_eq!(w.ptrace_by(1, rq::CONT, 1, 0, 0), ESRCH);
}

#[test]
fn an_attach_by_an_exiting_tracer_leaves_nothing_behind() {
    let mut w = World::new();
    w.pm.bind_fails = true;
    assert_eq!(attach(&mut w, CHILD), ESRCH);
    assert_eq!(w.tracer.traced(), 0);
    assert_eq!(w.pm.task(CHILD).detached, [None]);
    w.pm.bind_fails = false;
    assert_eq!(attach(&mut w, CHILD), 0);
}

#[test]
fn traceme_binds_the_parent_once() {
    let mut w = World::new();
    assert_eq!(w.ptrace_by(CHILD, rq::TRACEME, 0, 0, 0), 0);
    assert_eq!(w.pm.task(CHILD).view.tracer, Some(id(TRACER)));
    assert_eq!(w.ptrace_by(CHILD, rq::TRACEME, 0, 0, 0), EPERM);
}

#[test]
fn traceme_without_a_parent_or_with_an_exiting_one_succeeds_and_does_nothing() {
    let mut w = World::new();
    assert_eq!(w.ptrace_by(1, rq::TRACEME, 0, 0, 0), 0);
    w.pm.bind_fails = true;
    assert_eq!(w.ptrace_by(CHILD, rq::TRACEME, 0, 0, 0), 0);
    assert_eq!(w.tracer.traced(), 0);
}

#[test]
fn attach_to_a_stopped_process_is_a_group_stop_at_once() {
    let mut w = World::new();
    w.pm.task(CHILD).view.group_stop = Some(SIGSTOP);
    assert_eq!(attach(&mut w, CHILD), 0);
    assert!(w.pm.task(CHILD).quiesce);
    w.event(CHILD, Event::Quiesce);
    assert_eq!(w.stop(CHILD), Some(SIGSTOP.into()));
    assert_eq!(w.ptrace(rq::GETSIGINFO, 0, BUF), err(Errno::EINVAL));
    assert_eq!(w.ptrace(rq::CONT, 0, 0), 0);
    assert_eq!(w.last_answer(CHILD).verdict, Verdict::Continue);
}

#[test]
fn detach_from_a_group_stop_leaves_the_process_stopped() {
    let mut w = World::traced();
    w.ptrace(rq::CONT, 0, SIGSTOP.into());
    let (signo, stop) = (SIGSTOP, true);
    w.event(CHILD, Event::JobControl { signo, stop });
    assert_eq!(w.ptrace(rq::DETACH, 0, 0), 0);
    assert_eq!(w.pm.task(CHILD).detached, [None]);
}

#[test]
fn detach_hands_over_the_signal_of_a_signal_stop_only() {
    let mut w = World::traced();
    assert_eq!(w.ptrace(rq::DETACH, 0, 65), EIO);
    assert_eq!(w.ptrace(rq::DETACH, 0, SIGTERM.into()), 0);
    let info = w.pm.task(CHILD).detached[0].expect("a signal");
    assert_eq!((info.signo, info.code, info.pid()), (15, 0, TRACER as u32));
    assert_eq!(w.ptrace(rq::DETACH, 0, 0), ESRCH, "twice");

    let mut w = World::traced();
    w.ptrace(rq::SYSCALL, 0, 0);
    w.event_in(CHILD, InCall::entry(39), Event::SyscallEntry);
    assert_eq!(w.ptrace(rq::DETACH, 0, SIGTERM.into()), 0);
    let (info, _) = w.pm.task(CHILD).signals[0];
    assert_eq!((info.signo, info.code), (15, 0x80), "sent, not handed over");
    assert_eq!(w.pm.task(CHILD).detached, [None]);
}

#[test]
fn detach_after_registers_were_written_answers_first_so_that_they_count() {
    let mut w = World::traced();
    assert_eq!(w.ptrace(rq::POKEUSER, 0, 7), 0);
    assert_eq!(w.ptrace(rq::DETACH, 0, SIGUSR1.into()), 0);
    let answer = w.last_answer(CHILD);
    assert_eq!(answer.written, Some(u64::MAX));
    let action = SignalAction::Deliver;
    assert!(matches!(answer.verdict, Verdict::Signal { action: a, .. } if a == action));
    assert_eq!(w.pm.task(CHILD).detached, [None]);
}

#[test]
fn the_end_of_a_tracer_releases_every_tracee_and_drops_only_signals_it_had_seen() {
    for taken in [true, false] {
        let mut w = World::traced();
        w.pm.spawn(21, Some(1));
        attach(&mut w, 21);
        w.pm.task(CHILD).taken = taken;
        w.event(TRACER, Event::ClientExit);
        let signal = w.pm.task(CHILD).detached[0].map(|i| i.signo);
        assert_eq!(signal, (!taken).then_some(19));
        assert_eq!(w.pm.task(21).detached, [None], "it was running");
        assert_eq!(w.last_answer(TRACER).verdict, Verdict::Continue);
        assert_eq!(w.tracer.traced(), 0);
        w.pm.spawn(11, Some(1));
        assert_eq!(w.ptrace_by(11, rq::ATTACH, CHILD, 0, 0), 0);
    }
}

#[test]
fn exitkill_kills_the_tracees_of_a_tracer_that_ends() {
    let mut w = World::traced();
    assert_eq!(w.ptrace(rq::SETOPTIONS, 0, 1 << 20), 0);
    w.event(TRACER, Event::ClientExit);
    assert_eq!(w.pm.task(CHILD).signals[0].0.signo, i32::from(SIGKILL));
}

#[test]
fn full_tables_are_errors_and_leave_nothing_behind() {
    let mut w = World::new();
    for n in 0..MAX_TRACED_PER_USER {
        w.pm.spawn(100 + n, Some(1));
        assert_eq!(attach(&mut w, 100 + n), 0);
    }
    assert_eq!(attach(&mut w, CHILD), err(Errno::EAGAIN));
    w.pm.spawn(11, Some(1));
    w.pm.task(11).view.uid = [7; 3];
    for n in MAX_TRACED_PER_USER..MAX_TRACED_TASKS {
        w.pm.spawn(100 + n, Some(1));
        assert_eq!(w.ptrace_by(11, rq::ATTACH, 100 + n, 0, 0), 0);
    }
    w.pm.calls.clear();
    w.pm.spawn(12, Some(1));
    w.pm.task(12).view.uid = [8; 3];
    assert_eq!(w.ptrace_by(12, rq::ATTACH, CHILD, 0, 0), err(Errno::ENOMEM));
    assert!(!w.pm.calls.contains(&"Attach"));
    w.event(11, Event::ClientExit);
    assert_eq!(w.ptrace_by(12, rq::ATTACH, CHILD, 0, 0), 0);
}

#[test]
fn seize_checks_its_arguments_and_does_not_stop() {
    let mut w = World::new();
    let seize = |w: &mut World, pid, addr, data| w.ptrace_by(TRACER, rq::SEIZE, pid, addr, data);
    assert_eq!(seize(&mut w, 999, 1, 0), ESRCH);
    assert_eq!(seize(&mut w, CHILD, 1, 0), EIO);
    assert_eq!(seize(&mut w, CHILD, 0, 1 << 30), EIO);
    assert_eq!(seize(&mut w, TRACER, 0, 0), EPERM);
    assert_eq!(w.ptrace(rq::INTERRUPT, 0, 0), ESRCH);
    assert_eq!(seize(&mut w, CHILD, 0, 1), 0);
    assert!(w.pm.task(CHILD).signals.is_empty() && !w.pm.task(CHILD).quiesce);
    assert_eq!(seize(&mut w, CHILD, 0, 0), EPERM);
    assert_eq!(w.ptrace(rq::LISTEN, 0, 0), ESRCH, "running");
}

#[test]
fn interrupt_makes_an_event_stop_and_a_second_one_is_remembered() {
    let mut w = World::new();
    w.ptrace(rq::SEIZE, 0, 0);
    assert_eq!(w.ptrace(rq::INTERRUPT, 0, 0), 0);
    assert!(w.pm.task(CHILD).quiesce);
    w.event(CHILD, Event::Quiesce);
    assert_eq!(w.stop(CHILD), Some(0x8005));
    let info = w.siginfo(CHILD);
    assert_eq!((info.signo, info.code), (5, 0x8005));
    w.pm.task(CHILD).quiesce = false;
    assert_eq!(w.ptrace(rq::INTERRUPT, 0, 0), 0);
    assert!(!w.pm.task(CHILD).quiesce, "it stands already");
    assert_eq!(w.ptrace(rq::CONT, 0, 0), 0);
    assert!(w.pm.task(CHILD).quiesce, "the next stop");
    w.event(CHILD, Event::Quiesce);
    assert_eq!(w.stop(CHILD), Some(0x8005));
    assert_eq!(w.ptrace(rq::LISTEN, 0, 0), 0);
    assert_eq!(w.ptrace(rq::CONT, 0, 0), ESRCH, "listening");
    assert_eq!(w.ptrace(rq::INTERRUPT, 0, 0), 0);
    assert_eq!(w.ptrace(rq::CONT, 0, 0), 0);
}

#[test]
fn a_seized_group_stop_listens_and_reports_sigcont() {
    let mut w = World::new();
    w.ptrace(rq::SEIZE, 0, 0);
    let (signo, stop) = (SIGSTOP, true);
    w.event(CHILD, Event::JobControl { signo, stop });
    assert_eq!(w.stop(CHILD), Some(0x8013));
    assert_eq!(w.ptrace(rq::LISTEN, 0, 0), 0);
    let action = SignalAction::Stop;
    let verdict = w.last_answer(CHILD).verdict;
    assert!(matches!(verdict, Verdict::Signal { action: a, .. } if a == action));
    assert_eq!(w.ptrace(rq::GETREGS, 0, BUF), ESRCH);
    w.ptrace(rq::INTERRUPT, 0, 0);
    w.event(CHILD, Event::Quiesce);
    assert_eq!(w.stop(CHILD), Some(0x8013), "the group is still stopped");
    assert_eq!(w.ptrace(rq::LISTEN, 0, 0), 0);
    w.event(
        CHILD,
        Event::JobControl {
            signo: 18,
            stop: false,
        },
    );
    assert_eq!(w.stop(CHILD), Some(0x8005));
    assert_eq!(w.ptrace(rq::CONT, 0, 0), 0);
    assert_eq!(w.last_answer(CHILD).verdict, Verdict::Continue);
}

#[test]
fn interrupt_and_listen_are_refused_for_tracees_that_were_not_seized() {
    let mut w = World::traced();
    assert_eq!(w.ptrace(rq::INTERRUPT, 0, 0), EIO);
    assert_eq!(w.ptrace(rq::LISTEN, 0, 0), EIO);
}
