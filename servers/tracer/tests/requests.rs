//! The requests on a stopped tracee (ptrace.md A3, A7) and what garbage does.

mod support;

use abi::errno::Errno;
use abi::tracer::{Event, Verdict};
use abi::{InCall, SigInfo, UserRegs};
use support::{BUF, CHILD, TRACER, World, err, rq};

const ESRCH: i64 = err(Errno::ESRCH);
const EIO: i64 = err(Errno::EIO);
const EFAULT: i64 = err(Errno::EFAULT);
const EINVAL: i64 = err(Errno::EINVAL);
/// Where no task has memory.
const BAD: u64 = 8;

#[test]
fn every_request_is_esrch_unless_it_is_my_tracee_and_stopped() {
    let needs_stop = [2, 3, 5, 6, 7, 9, 12, 13, 14, 15, 17, 21, 24, 31, 999]
        .into_iter()
        .chain(0x4200..=0x4205)
        .chain([rq::LISTEN, rq::GET_SYSCALL_INFO]);
    let mut w = World::new();
    w.pm.spawn(11, Some(1));
    for n in needs_stop.clone() {
        assert_eq!(w.ptrace(n, 0, BUF), ESRCH, "untraced: {n}");
        assert_eq!(w.ptrace_by(CHILD, n, CHILD, 0, BUF), ESRCH, "itself: {n}");
    }
    w.ptrace(rq::ATTACH, 0, 0);
    for n in needs_stop.clone() {
        assert_eq!(w.ptrace(n, 0, BUF), ESRCH, "running: {n}");
    }
    w.signal(CHILD, 19);
    for n in needs_stop {
        assert_eq!(w.ptrace_by(11, n, CHILD, 0, BUF), ESRCH, "another's: {n}");
    }
    for n in [999, 10, 11, 0x4300, u64::MAX, 1 << 32] {
        assert_eq!(w.ptrace(n, 0, 0), EIO, "unknown at a stop: {n}");
    }
}

#[test]
fn peek_gives_a_message_the_word_and_a_system_call_stores_it() {
    let mut w = World::traced();
    w.pm.poke(CHILD, BUF, &0x1122_3344_5566_7788u64.to_le_bytes());
    let words = [rq::PEEKDATA, CHILD as u64, BUF, BAD];
    assert_eq!(w.message(TRACER, words), (0, 0x1122_3344_5566_7788));
    let args = [rq::PEEKDATA, CHILD as u64, BUF, BUF + 64];
    w.event_in(TRACER, InCall::entry(101), Event::Ptrace { args });
    assert_eq!(w.last_answer(TRACER).verdict, Verdict::Result(0));
    assert_eq!(w.word(TRACER, BUF + 64), 0x1122_3344_5566_7788);
    let args = [rq::PEEKDATA, CHILD as u64, BUF, BAD];
    w.event_in(TRACER, InCall::entry(101), Event::Ptrace { args });
    assert_eq!(w.last_answer(TRACER).verdict, Verdict::Result(EFAULT));
    let args = [rq::PEEKDATA, CHILD as u64, BAD, BAD];
    w.event_in(TRACER, InCall::entry(101), Event::Ptrace { args });
    assert_eq!(w.last_answer(TRACER).verdict, Verdict::Result(EIO));
}

#[test]
fn a_word_that_is_not_all_there_is_eio_and_a_poke_writes_the_part_that_is() {
    let mut w = World::traced();
    for addr in [0, 0x1ffc, 0x2000, u64::MAX - 3] {
        assert_eq!(w.ptrace(rq::PEEKDATA, addr, 0), EIO, "{addr:x}");
        assert_eq!(w.ptrace(rq::POKEDATA, addr, 0x0505_0505), EIO);
    }
    assert_eq!(w.pm.memory(CHILD, 0x1ffc, 4), [5; 4]);
    assert_eq!(w.ptrace(rq::POKEDATA, BUF + 3, 7), 0);
    assert_eq!(w.ptrace(rq::PEEKDATA, BUF + 3, 0), 0);
}

#[test]
fn unknown_options_are_einval_and_change_nothing() {
    let mut w = World::traced();
    assert_eq!(w.ptrace(rq::SETOPTIONS, 0, 1), 0);
    for bad in [1 << 16, 1 << 25, 1 << 31, 1 << 40, u64::MAX] {
        assert_eq!(w.ptrace(rq::SETOPTIONS, 0, bad), EINVAL);
    }
    assert_eq!(w.ptrace(21, 12345, 0x7f), 0, "the old number, any address");
    assert_eq!(w.ptrace(rq::SETOPTIONS, 0, 1), 0);
    w.ptrace(rq::SYSCALL, 0, 0);
    w.event_in(CHILD, InCall::entry(1), Event::SyscallEntry);
    assert_eq!(w.stop(CHILD), Some(0x85));
}

#[test]
fn a_replaced_siginfo_is_read_back_and_delivered() {
    let mut w = World::traced();
    assert_eq!(
        w.siginfo(CHILD),
        SigInfo::from_process(19, 0, CHILD as u32, 0)
    );
    let info = SigInfo::from_process(19, -1, 4321, 9);
    w.pm.poke(TRACER, BUF, &info.to_bytes());
    assert_eq!(w.ptrace(rq::SETSIGINFO, 0, BUF), 0);
    assert_eq!(w.siginfo(CHILD), info);
    w.ptrace(rq::CONT, 0, 19);
    let verdict = w.last_answer(CHILD).verdict;
    assert!(matches!(verdict, Verdict::Signal { info: i, .. } if i == info));
}

#[test]
fn an_unknown_label_is_enosys() {
    let mut w = World::new();
    let answer = w
        .tracer
        .on_client(&mut w.pm, support::id(TRACER), 99, [0; 4]);
    assert_eq!(answer.unwrap()[0] as i64, err(Errno::ENOSYS));
}

#[test]
fn garbage_from_a_stranger_changes_nothing_and_never_panics() {
    for seed in 1..40u64 {
        let mut w = World::traced();
        w.pm.spawn(11, Some(1));
        w.pm.task(11).view.may_trace_any = false;
        w.pm.task(11).view.uid = [7; 3];
        let before: UserRegs = UserRegs::of(&w.pm.task(CHILD).regs, InCall::NONE);
        let memory = w.pm.memory(CHILD, BUF, 4096);
        let mut x = seed;
        let mut random = || {
            x = x
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            x >> 20
        };
        for _ in 0..2000 {
            let number = match random() % 3 {
                0 => random(),
                1 => random() % 40,
                _ => 0x4200 + random() % 20,
            };
            let pid = [CHILD as u64, TRACER as u64, 1, random()][random() as usize % 4];
            // A stranger's own TRACEME is its right.
            if number != rq::TRACEME {
                let words = [number, pid, random(), random()];
                assert!(w.message(11, words).0 < 0, "seed {seed} {words:x?}");
            }
        }
        assert_eq!(w.tracer.traced(), 1);
        assert_eq!(w.stop(CHILD), Some(19));
        let after = UserRegs::of(&w.pm.task(CHILD).regs, InCall::NONE);
        assert_eq!((before, memory), (after, w.pm.memory(CHILD, BUF, 4096)));
        assert!(w.pm.task(CHILD).answers.is_empty());
    }
}

#[test]
fn garbage_from_the_tracer_and_the_machine_never_panics() {
    for seed in 1..200u64 {
        let mut w = World::traced();
        let mut x = seed;
        let mut random = move || {
            x = x
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            x >> 20
        };
        for _ in 0..300 {
            let number = [random() % 40, 0x4200 + random() % 20][random() as usize % 2];
            let data = [0, random() % 70, BUF, random()][random() as usize % 4];
            let addr = [0, BUF, random() % 1000, random()][random() as usize % 4];
            w.message(TRACER, [number, CHILD as u64, addr, data]);
            let signo = random() as u8;
            let event = match random() % 12 {
                0 => Event::Quiesce,
                1 => Event::SyscallEntry,
                2 => Event::SyscallExit,
                3 => Event::Exec {
                    former_tid: random() as u32,
                },
                4 => Event::Exit {
                    status: random() as i32,
                },
                5 => Event::JobControl {
                    signo,
                    stop: random() % 2 == 0,
                },
                6 => Event::VforkDone { child_tid: 0 },
                7 => Event::Death {
                    status: random() as i32,
                    natural: false,
                },
                8 => Event::ClientExit,
                9 => Event::Ptrace {
                    args: [random() % 40, random(), random(), random()],
                },
                10 if random() % 4 == 0 => Event::Reap,
                _ => {
                    let info = SigInfo {
                        signo: random() as i32,
                        ..SigInfo::default()
                    };
                    let action = abi::tracer::SignalAction::Core;
                    Event::Signal { info, action }
                }
            };
            w.event_in(
                CHILD,
                InCall::At {
                    nr: random(),
                    result: -1,
                },
                event,
            );
        }
    }
}
