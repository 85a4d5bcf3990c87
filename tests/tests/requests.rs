//! The requests of ptrace, one at a time (ptrace.md A3 to A7, B): errors in their order, and what is
//! set is what is read.

use abi::client::{SHARE_STOPS, WAIT};
use abi::errno::Errno;
use abi::linux::general::WNOHANG;
use abi::linux::ptrace as nr;
use abi::signal::*;
use abi::{Regs, SigInfo, stops};
use procmgr::inspect::Standing;
use world::hand::*;

const ESRCH: i64 = Errno::ESRCH.as_result();
const EPERM: i64 = Errno::EPERM.as_result();
const EIO: i64 = Errno::EIO.as_result();
const EFAULT: i64 = Errno::EFAULT.as_result();
const EINVAL: i64 = Errno::EINVAL.as_result();

const ATTACH: u32 = nr::PTRACE_ATTACH;
const CONT: u32 = nr::PTRACE_CONT;
const DETACH: u32 = nr::PTRACE_DETACH;
const GETREGS: u32 = nr::PTRACE_GETREGS;
const SETREGS: u32 = nr::PTRACE_SETREGS;
const SYSCALL: u32 = nr::PTRACE_SYSCALL;
const PEEKUSER: u32 = nr::PTRACE_PEEKUSR;
const POKEUSER: u32 = nr::PTRACE_POKEUSR;
const SETOPTIONS: u32 = nr::PTRACE_SETOPTIONS;

/// A wait status.
fn stopped(code: i32) -> i32 {
    code << 8 | 0x7f
}

/// The caller of system calls at the entry of one, by PTRACE_SYSCALL.
fn at_entry(options: u64) -> Hand {
    let mut w = Hand::attached(CALLER);
    assert_eq!(w.ptrace(SETOPTIONS, CALLER, 0, options), 0);
    assert_eq!(w.ptrace(SYSCALL, CALLER, 0, 0), 0);
    let code = 5 | if options & 1 != 0 { 0x80 } else { 0 };
    assert_eq!(w.wait(CALLER), stopped(code));
    w
}

#[test]
fn every_request_is_esrch_unless_it_is_my_tracee_and_stopped() {
    let needs_stop = [2, 3, 5, 6, 7, 9, 12, 13, 14, 15, 17, 21, 24, 31, 999]
        .into_iter()
        .chain(0x4200..=0x4205)
        .chain([nr::PTRACE_LISTEN, nr::PTRACE_GET_SYSCALL_INFO]);
    let mut w = Hand::new();
    for n in needs_stop.clone() {
        assert_eq!(w.ptrace(n, SPINNER, 0, BUF), ESRCH, "untraced: {n}");
        let itself = w.request(SPINNER, n.into(), SPINNER.into(), 0, BUF).0;
        assert_eq!(itself, ESRCH, "itself: {n}");
        assert_eq!(w.ptrace(n, 999, 0, BUF), ESRCH, "nobody: {n}");
    }
    assert_eq!(w.ptrace(nr::PTRACE_SEIZE, SPINNER, 0, 0), 0);
    for n in needs_stop.clone() {
        assert_eq!(w.ptrace(n, SPINNER, 0, BUF), ESRCH, "running: {n}");
    }
    w.ptrace(nr::PTRACE_INTERRUPT, SPINNER, 0, 0);
    w.wait(SPINNER);
    for n in needs_stop {
        let result = w.request(STRANGER, n.into(), SPINNER.into(), 0, BUF).0;
        assert_eq!(result, ESRCH, "another's: {n}");
    }
    for n in [999, 10, 11, 0x4300, u64::MAX, 1 << 32] {
        let result = w.request(TRACER, n, SPINNER.into(), 0, 0).0;
        assert_eq!(result, EIO, "unknown at a stop: {n}");
    }
}

#[test]
fn requests_on_pid_1_are_eperm() {
    let mut w = Hand::new();
    assert_eq!(w.ptrace(CONT, 1, 0, 0), EPERM);
    assert_eq!(w.ptrace(DETACH, 1, 0, 0), EPERM);
    assert_eq!(w.ptrace(ATTACH, 1, 0, 0), EPERM);
    assert_eq!(w.request(1, CONT.into(), 1, 0, 0).0, ESRCH, "its own");
}

#[test]
fn peek_reads_and_poke_writes_a_word_or_the_part_that_is_there() {
    let mut w = Hand::attached(SPINNER);
    w.put(SPINNER, BUF, &0x1122_3344_5566_7788u64.to_le_bytes());
    let peek = nr::PTRACE_PEEKDATA;
    assert_eq!(w.peek(peek, SPINNER, BUF), (0, 0x1122_3344_5566_7788));
    assert_eq!(w.peek(nr::PTRACE_PEEKTEXT, SPINNER, BUF + 3).0, 0);
    let end = END - 4;
    for addr in [0, BAD, end, u64::MAX - 3, 1 << 47] {
        assert_eq!(w.peek(peek, SPINNER, addr), (EIO, 0), "{addr:x}");
        let poked = w.ptrace(nr::PTRACE_POKEDATA, SPINNER, addr, 0x0505_0505);
        assert_eq!(poked, EIO, "{addr:x}");
    }
    assert_eq!(w.get(SPINNER, end, 4), [5; 4]);
    assert_eq!(w.ptrace(nr::PTRACE_POKEDATA, SPINNER, BUF + 3, 7), 0);
    assert_eq!(w.word(SPINNER, BUF + 3), 7);
}

#[test]
fn struct_user_has_registers_a_gap_debug_registers_and_an_end() {
    let mut w = Hand::attached(SPINNER);
    let rip = w.regs(SPINNER).rip;
    assert_eq!(w.peek(PEEKUSER, SPINNER, 16 * 8), (0, rip));
    assert_eq!(w.peek(PEEKUSER, SPINNER, 15 * 8), (0, u64::MAX), "orig_rax");
    assert_eq!(w.peek(PEEKUSER, SPINNER, 17 * 8), (0, 0x33), "cs");
    for gap in [216, 840, 912, 920] {
        assert_eq!(w.peek(PEEKUSER, SPINNER, gap), (0, 0));
        assert_eq!(w.ptrace(POKEUSER, SPINNER, gap, 1), EIO);
    }
    for bad in [4, 129, 928, u64::MAX - 7, 1 << 40] {
        assert_eq!(w.peek(PEEKUSER, SPINNER, bad), (EIO, 0));
        assert_eq!(w.ptrace(POKEUSER, SPINNER, bad, 1), EIO);
    }
    assert_eq!(w.peek(PEEKUSER, SPINNER, 848 + 6 * 8), (0, 0xffff_0ff0));
    assert_eq!(w.ptrace(POKEUSER, SPINNER, 848 + 4 * 8, 1), EIO);
    assert_eq!(w.ptrace(POKEUSER, SPINNER, 848, 0x1000), 0);
    assert_eq!(w.peek(PEEKUSER, SPINNER, 848), (0, 0x1000));
    assert_eq!(w.ptrace(POKEUSER, SPINNER, 848, 1 << 63), EINVAL);
}

#[test]
fn pokeuser_refuses_what_linux_refuses() {
    let mut w = Hand::attached(SPINNER);
    let mut poke = |at: u64, value| w.ptrace(POKEUSER, SPINNER, at * 8, value);
    assert_eq!(
        [poke(17, 0), poke(17, 8), poke(20, 0), poke(24, 8)],
        [EIO; 4]
    );
    assert_eq!([poke(21, 1 << 47), poke(22, 1 << 63)], [EIO; 2]);
    assert_eq!([poke(17, 0x10033), poke(23, 0), poke(16, 1 << 60)], [0; 3]);
    assert_eq!(poke(18, 0x2_3001), 0);
    let flags = w.peek(PEEKUSER, SPINNER, 18 * 8).1;
    assert_eq!(flags & 0x2_3001, 1);
}

#[test]
fn every_register_that_is_set_is_what_is_read_and_what_the_task_has() {
    let mut w = Hand::attached(SPINNER);
    assert_eq!(w.ptrace(GETREGS, SPINNER, 0, BUF), 0);
    let flags = w.word(TRACER, BUF + 18 * 8);
    let code = w.regs(SPINNER).rip;
    let mut words: Vec<u64> = (0..27).map(|n| 0x1000 + n * 3).collect();
    words[16] = code;
    words[17] = 0x33;
    words[18] = 0x1_0e97;
    words[20] = 0x2b;
    words[23..].copy_from_slice(&[0x2b, 0x2b, 0, 0x33]);
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    w.put(TRACER, BUF, &bytes);
    assert_eq!(w.ptrace(SETREGS, SPINNER, 0, BUF), 0);
    assert_eq!(w.ptrace(GETREGS, SPINNER, 0, BUF + 512), 0);
    words[18] = 0x1_0e97 | flags & 0x202;
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    assert_eq!(w.get(TRACER, BUF + 512, 216), bytes);
    assert_eq!(w.ptrace(nr::PTRACE_SINGLESTEP, SPINNER, 0, 0), 0);
    assert_eq!(w.wait(SPINNER), stopped(5));
    let regs = w.regs(SPINNER);
    let kept = Regs {
        rip: regs.rip,
        rflags: regs.rflags,
        ..of_words(&words)
    };
    assert_eq!(regs, kept);
    assert_eq!(w.peek(PEEKUSER, SPINNER, 15 * 8).1, u64::MAX, "no call");
}

fn of_words(words: &[u64]) -> Regs {
    let words: &[u64; 27] = words.try_into().unwrap();
    abi::UserRegs::from_words(words).to_regs(0)
}

#[test]
fn the_registers_of_a_system_call_are_those_behind_it_and_can_be_changed() {
    let mut w = at_entry(1);
    let before = w.regs(CALLER);
    assert_eq!(w.ptrace(GETREGS, CALLER, 0, BUF), 0);
    let word = |w: &mut Hand, at: u64| w.word(TRACER, BUF + at * 8);
    assert_eq!(word(&mut w, 15), 110, "getppid");
    assert_eq!(word(&mut w, 16), before.rip + 2);
    assert_eq!(word(&mut w, 10) as i64, Errno::ENOSYS.as_result());
    // Another call: getuid.
    assert_eq!(w.ptrace(POKEUSER, CALLER, 15 * 8, 102), 0);
    assert_eq!(w.ptrace(SYSCALL, CALLER, 0, 0), 0);
    assert_eq!(w.wait(CALLER), stopped(0x85));
    assert_eq!(w.peek(PEEKUSER, CALLER, 10 * 8).1, 0, "root's");
    assert_eq!(w.ptrace(SYSCALL, CALLER, 0, 0), 0);
    assert_eq!(w.wait(CALLER), stopped(0x85));
    assert_eq!(w.peek(PEEKUSER, CALLER, 15 * 8).1, 110, "getppid again");
    // None at all, with a result of the tracer's own.
    assert_eq!(w.ptrace(POKEUSER, CALLER, 15 * 8, u64::MAX), 0);
    assert_eq!(w.ptrace(POKEUSER, CALLER, 10 * 8, 77), 0);
    assert_eq!(w.ptrace(SYSCALL, CALLER, 0, 0), 0);
    assert_eq!(w.wait(CALLER), stopped(0x85));
    assert_eq!(w.peek(PEEKUSER, CALLER, 10 * 8).1, 77);
}

#[test]
fn requests_with_bad_buffers_are_efault_and_change_nothing() {
    let mut w = Hand::attached(SPINNER);
    let regs = w.regs(SPINNER);
    for n in [
        GETREGS,
        SETREGS,
        nr::PTRACE_GETFPREGS,
        nr::PTRACE_SETFPREGS,
        nr::PTRACE_GETEVENTMSG,
        nr::PTRACE_GETSIGINFO,
        nr::PTRACE_SETSIGINFO,
    ] {
        assert_eq!(w.ptrace(n, SPINNER, 0, BAD), EFAULT, "{n}");
    }
    w.put(TRACER, END - 0x80, &[0x55; 0x80]);
    let set = w.ptrace(SETREGS, SPINNER, 0, END - 0x80);
    assert_eq!(set, EFAULT, "it ends too early");
    assert_eq!(w.ptrace(CONT, SPINNER, 0, 0), 0);
    assert_eq!(w.regs(SPINNER), regs);
}

#[test]
fn regsets_take_an_iovec_and_give_its_length_back() {
    let mut w = Hand::attached(SPINNER);
    let (get, set) = (nr::PTRACE_GETREGSET, nr::PTRACE_SETREGSET);
    let iovec = |w: &mut Hand, base: u64, len: u64| {
        w.put(TRACER, BUF, &base.to_le_bytes());
        w.put(TRACER, BUF + 8, &len.to_le_bytes());
    };
    for (note, size) in [(1, 216), (2, 512), (0x202, 576)] {
        iovec(&mut w, BUF + 64, 4000);
        assert_eq!(w.ptrace(get, SPINNER, note, BUF), 0);
        assert_eq!(w.word(TRACER, BUF + 8), size);
        for bad in [12, 4, size - 1] {
            iovec(&mut w, BUF + 64, bad);
            assert_eq!(w.ptrace(get, SPINNER, note, BUF), EINVAL);
            assert_eq!(w.ptrace(set, SPINNER, note, BUF), EINVAL);
        }
        iovec(&mut w, BUF + 64, 0);
        assert_eq!(w.ptrace(get, SPINNER, note, BUF), 0);
        iovec(&mut w, BAD, 16);
        assert_eq!(w.ptrace(get, SPINNER, note, BUF), EFAULT);
    }
    assert_eq!(w.ptrace(get, SPINNER, 0x7777, BUF), EINVAL);
    assert_eq!(w.ptrace(get, SPINNER, 1, BAD), EFAULT);
    w.put(TRACER, BUF + 64, &[1; 16]);
    iovec(&mut w, BUF + 64, 16);
    assert_eq!(w.ptrace(set, SPINNER, 1, BUF), 0);
    assert_eq!(w.ptrace(set, SPINNER, 2, BUF), EINVAL, "only all of it");
    assert_eq!(w.ptrace(set, SPINNER, 0x202, BUF), EFAULT, "only all of it");
    for at in 0..2 {
        assert_eq!(w.peek(PEEKUSER, SPINNER, at * 8).1, 0x0101_0101_0101_0101);
    }
}

#[test]
fn the_fpu_state_that_is_set_is_what_is_read_by_every_set() {
    let mut w = Hand::attached(SPINNER);
    let (get, set) = (nr::PTRACE_GETREGSET, nr::PTRACE_SETREGSET);
    let mut image: Vec<u8> = (0..512u32).map(|i| (i * 7) as u8).collect();
    image[24..28].copy_from_slice(&0x1f80u32.to_le_bytes());
    w.put(TRACER, BUF, &image);
    assert_eq!(w.ptrace(nr::PTRACE_SETFPREGS, SPINNER, 0, BUF), 0);
    assert_eq!(w.ptrace(nr::PTRACE_GETFPREGS, SPINNER, 0, BUF + 512), 0);
    assert_eq!(w.get(TRACER, BUF + 512, 512), image);
    let iovec = [BUF + 64, 576].map(u64::to_le_bytes).concat();
    w.put(TRACER, BUF, &iovec);
    assert_eq!(w.ptrace(get, SPINNER, 0x202, BUF), 0);
    assert_eq!(w.get(TRACER, BUF + 64 + 160, 256), image[160..416]);
    assert_eq!(w.word(TRACER, BUF + 64 + 512), 3, "both parts are there");
    // Without its SSE part.
    w.put(TRACER, BUF + 64 + 512, &[1]);
    assert_eq!(w.ptrace(set, SPINNER, 0x202, BUF), 0);
    w.put(TRACER, BUF + 64 + 512 + 8, &[1]);
    assert_eq!(w.ptrace(set, SPINNER, 0x202, BUF), EINVAL, "a reserved bit");
    assert_eq!(w.ptrace(nr::PTRACE_GETFPREGS, SPINNER, 0, BUF), 0);
    assert_eq!(w.get(TRACER, BUF + 160, 256), [0; 256]);
    assert_eq!(w.get(TRACER, BUF + 32, 128), image[32..160]);
    w.put(TRACER, BUF + 24, &[0xff; 4]);
    assert_eq!(
        w.ptrace(nr::PTRACE_SETFPREGS, SPINNER, 0, BUF),
        EINVAL,
        "mxcsr"
    );
}

#[test]
fn syscall_info_tells_its_size_and_stores_what_fits() {
    let mut w = at_entry(1);
    let info = nr::PTRACE_GET_SYSCALL_INFO;
    assert_eq!(w.ptrace(info, CALLER, 80, BUF), 80);
    assert_eq!(w.word(TRACER, BUF), 0xc000_003e_0000_0001);
    assert_eq!(w.word(TRACER, BUF + 24), 110);
    assert_eq!(w.ptrace(SYSCALL, CALLER, 0, 0), 0);
    w.wait(CALLER);
    w.put(TRACER, BUF, &[0x77; 80]);
    assert_eq!(w.ptrace(info, CALLER, 200, BUF), 33);
    assert_eq!(w.word(TRACER, BUF + 24), 1, "its parent");
    assert_eq!(w.get(TRACER, BUF + 32, 2), [0, 0x77]);
    assert_eq!(w.ptrace(info, CALLER, 0, BAD), 33);
    assert_eq!(w.ptrace(info, CALLER, 80, BAD), EFAULT);
    let mut w = Hand::attached(CALLER);
    assert_eq!(w.ptrace(info, CALLER, 80, BUF), 24, "no system call's");
}

#[test]
fn arch_prctl_reads_and_writes_the_fs_base() {
    let mut w = Hand::attached(SPINNER);
    let arch_prctl = nr::PTRACE_ARCH_PRCTL;
    assert_eq!(w.ptrace(arch_prctl, SPINNER, 0x4000, 0x1002), 0);
    assert_eq!(w.ptrace(arch_prctl, SPINNER, BUF, 0x1003), 0);
    assert_eq!(w.word(TRACER, BUF), 0x4000);
    assert_eq!(w.ptrace(arch_prctl, SPINNER, 0x5000, 0x1001), 0);
    assert_eq!(w.peek(PEEKUSER, SPINNER, 22 * 8), (0, 0x5000), "gs base");
    assert_eq!(w.ptrace(arch_prctl, SPINNER, 1 << 63, 0x1002), EPERM);
    assert_eq!(w.ptrace(arch_prctl, SPINNER, 0, 1), EINVAL);
    assert_eq!(w.ptrace(arch_prctl, SPINNER, BAD, 0x1003), EFAULT);
    assert_eq!(w.ptrace(CONT, SPINNER, 0, 0), 0);
    assert_eq!(w.regs(SPINNER).fs_base, 0x4000);
}

#[test]
fn unknown_options_are_einval_and_change_nothing() {
    let mut w = Hand::attached(CALLER);
    assert_eq!(w.ptrace(SETOPTIONS, CALLER, 0, 1), 0);
    for bad in [1 << 16, 1 << 25, 1 << 31, 1 << 40, u64::MAX] {
        assert_eq!(w.ptrace(SETOPTIONS, CALLER, 0, bad), EINVAL);
    }
    assert_eq!(w.ptrace(SYSCALL, CALLER, 0, 0), 0);
    assert_eq!(w.wait(CALLER), stopped(0x85));
    let old = nr::PTRACE_OLDSETOPTIONS;
    assert_eq!(w.ptrace(old, CALLER, 12345, 0x7e), 0, "any address");
    assert_eq!(w.ptrace(SYSCALL, CALLER, 0, 0), 0);
    assert_eq!(w.wait(CALLER), stopped(5));
}

#[test]
fn a_replaced_siginfo_is_read_back_and_delivered() {
    let mut w = Hand::attached(SPINNER);
    assert_eq!(w.siginfo(SPINNER), SigInfo::new(SIGSTOP, code::SI_KERNEL));
    let info = SigInfo::from_process(SIGSTOP, -1, 4321, 9);
    w.put(TRACER, BUF, &info.to_bytes());
    assert_eq!(w.ptrace(nr::PTRACE_SETSIGINFO, SPINNER, 0, BUF), 0);
    assert_eq!(w.siginfo(SPINNER), info);
    // The group-stop that it makes has none.
    assert_eq!(w.ptrace(CONT, SPINNER, 0, SIGSTOP.into()), 0);
    assert_eq!(w.wait(SPINNER), stopped(19));
    assert_eq!(w.ptrace(nr::PTRACE_GETSIGINFO, SPINNER, 0, BUF), EINVAL);
    assert_eq!(w.ptrace(nr::PTRACE_SETSIGINFO, SPINNER, 0, BUF), EINVAL);
    assert_eq!(
        w.ptrace(nr::PTRACE_SETSIGINFO, SPINNER, 0, BAD),
        EFAULT,
        "first"
    );
    assert_eq!(w.ptrace(CONT, SPINNER, 0, 0), 0);
    assert_eq!(w.survey(SPINNER).unwrap().standing, Standing::Running);
}

#[test]
fn a_signal_argument_that_is_none_is_eio_and_the_stop_stays() {
    let mut w = Hand::attached(SPINNER);
    for bad in [65, 66, 255, 256, u64::MAX, 1 << 32] {
        for n in [CONT, SYSCALL, nr::PTRACE_SINGLESTEP, DETACH] {
            assert_eq!(w.ptrace(n, SPINNER, 0, bad), EIO, "{n} {bad}");
        }
    }
    assert!(w.survey(SPINNER).unwrap().stopped);
    assert_eq!(w.ptrace(CONT, SPINNER, 0, 64), 0);
}

#[test]
fn a_signal_given_at_a_system_calls_stop_is_sent() {
    let mut w = at_entry(0);
    assert_eq!(w.ptrace(SYSCALL, CALLER, 0, SIGUSR1.into()), 0);
    assert_eq!(w.wait(CALLER), stopped(5), "the exit first");
    assert_eq!(w.ptrace(CONT, CALLER, 0, 0), 0);
    assert_eq!(w.wait(CALLER), stopped(10));
    assert_eq!(w.siginfo(CALLER), SigInfo::new(SIGUSR1, code::SI_KERNEL));
    // Another one instead, as the tracer's own.
    assert_eq!(w.ptrace(CONT, CALLER, 0, SIGTERM.into()), 0);
    assert_eq!(w.wait(CALLER), i32::from(SIGTERM), "killed");
    assert!(w.survey(CALLER).is_some(), "its parent has not waited");
}

#[test]
fn attach_forces_sigstop_which_becomes_the_first_stop() {
    for tid in [SPINNER, CALLER, SLEEPER] {
        let mut w = Hand::attached(tid);
        assert_eq!(w.siginfo(tid), SigInfo::new(SIGSTOP, code::SI_KERNEL));
        assert_eq!(w.ptrace(ATTACH, tid, 0, 0), EPERM, "traced already");
        assert_eq!(w.ptrace(nr::PTRACE_SEIZE, tid, 0, 0), EPERM);
        assert_eq!(w.ptrace(DETACH, tid, 0, 0), 0);
        assert_eq!(w.ptrace(DETACH, tid, 0, 0), ESRCH, "twice");
        assert_eq!(w.look(tid), None);
        assert_eq!(w.world.tracer().unwrap().traced(), 0);
    }
}

#[test]
fn attach_to_what_is_not_there_is_esrch_and_to_oneself_eperm() {
    let mut w = Hand::new();
    for pid in [0, 999, u64::MAX, 1 << 31] {
        for n in [ATTACH, nr::PTRACE_SEIZE] {
            assert_eq!(w.request(TRACER, n.into(), pid, 0, 0).0, ESRCH, "{pid}");
        }
    }
    assert_eq!(w.ptrace(ATTACH, TRACER, 0, 0), EPERM);
    assert_eq!(w.ptrace(nr::PTRACE_SEIZE, TRACER, 0, 0), EPERM);
}

#[test]
fn attach_needs_equal_ids_or_the_privilege() {
    let mut w = Hand::new();
    let by_stranger =
        |w: &mut Hand, tid: u32| w.request(STRANGER, ATTACH.into(), tid.into(), 0, 0).0;
    assert_eq!(by_stranger(&mut w, SPINNER), EPERM);
    assert_eq!(w.ptrace(ATTACH, STRANGER, 0, 0), 0, "root may");
}

#[test]
fn seize_checks_its_arguments_and_does_not_stop() {
    let mut w = Hand::new();
    let seize = nr::PTRACE_SEIZE;
    assert_eq!(w.ptrace(seize, 999, 1, 0), ESRCH, "first");
    assert_eq!(w.ptrace(seize, SPINNER, 1, 0), EIO);
    assert_eq!(w.ptrace(seize, SPINNER, 0, 1 << 30), EIO);
    assert_eq!(w.ptrace(seize, SPINNER, 0, 1 << 21), EINVAL, "no seccomp");
    assert_eq!(w.ptrace(nr::PTRACE_INTERRUPT, SPINNER, 0, 0), ESRCH);
    assert_eq!(w.ptrace(seize, SPINNER, 0, 1), 0);
    w.pass(100);
    assert_eq!(w.look(SPINNER), None);
    assert_eq!(w.ptrace(nr::PTRACE_LISTEN, SPINNER, 0, 0), ESRCH, "running");
}

#[test]
fn interrupt_makes_an_event_stop_and_a_second_one_is_remembered() {
    let mut w = Hand::new();
    let interrupt = nr::PTRACE_INTERRUPT;
    for tid in [SPINNER, CALLER, SLEEPER] {
        assert_eq!(w.ptrace(nr::PTRACE_SEIZE, tid, 0, 0), 0);
        assert_eq!(w.ptrace(interrupt, tid, 0, 0), 0);
        assert_eq!(w.wait(tid), stopped(0x8005));
        let info = w.siginfo(tid);
        assert_eq!((info.signo, info.code, info.pid()), (5, 0x8005, tid));
        assert_eq!(w.ptrace(interrupt, tid, 0, 0), 0);
        assert_eq!(w.look(tid), None, "it stands already");
        assert_eq!(w.ptrace(CONT, tid, 0, 0), 0);
        assert_eq!(w.wait(tid), stopped(0x8005), "the next stop");
        assert_eq!(w.ptrace(nr::PTRACE_LISTEN, tid, 0, 0), 0);
        assert_eq!(w.ptrace(CONT, tid, 0, 0), ESRCH, "listening");
        assert_eq!(w.ptrace(GETREGS, tid, 0, BUF), ESRCH, "listening");
        assert_eq!(w.ptrace(interrupt, tid, 0, 0), 0);
        assert_eq!(w.wait(tid), stopped(0x8005));
        assert_eq!(w.ptrace(CONT, tid, 0, 0), 0);
        w.pass(50);
        assert_eq!(w.look(tid), None);
    }
}

#[test]
fn interrupt_and_listen_are_refused_for_tracees_that_were_not_seized() {
    let mut w = Hand::attached(SPINNER);
    assert_eq!(w.ptrace(nr::PTRACE_INTERRUPT, SPINNER, 0, 0), EIO);
    assert_eq!(w.ptrace(nr::PTRACE_LISTEN, SPINNER, 0, 0), EIO);
}

#[test]
fn sysemu_stops_at_entry_and_skips_the_call() {
    let mut w = Hand::attached(CALLER);
    assert_eq!(w.ptrace(nr::PTRACE_SYSEMU, CALLER, 0, 0), 0);
    assert_eq!(w.wait(CALLER), stopped(5));
    let rip = w.peek(PEEKUSER, CALLER, 16 * 8).1;
    assert_eq!(w.ptrace(POKEUSER, CALLER, 10 * 8, 4711), 0);
    assert_eq!(w.ptrace(nr::PTRACE_SYSEMU_SINGLESTEP, CALLER, 0, 0), 0);
    assert_eq!(w.wait(CALLER), stopped(5));
    let after = w.peek(PEEKUSER, CALLER, 16 * 8).1;
    assert!(after != rip && w.peek(PEEKUSER, CALLER, 10 * 8).1 == 4711);
}

#[test]
fn the_same_message_is_done_once() {
    use abi::client::{PTRACE, label};
    let mut w = Hand::attached(SPINNER);
    let (by, words) = (w.id(TRACER), [CONT.into(), SPINNER.into(), 0, 0]);
    for _ in 0..3 {
        let answer = w.world.say(by, label(PTRACE, 999), words);
        assert_eq!(answer, Some([0; 4]), "not ESRCH, though it runs by now");
    }
    let words = [nr::PTRACE_SEIZE.into(), CALLER.into(), 0, 0];
    for _ in 0..3 {
        let answer = w.world.client_words(by, label(PTRACE, 999), words);
        assert_eq!(answer, [0; 4], "not EPERM, though it is traced by now");
    }
}

/// A word of the page that the tracer is shown stops in.
fn shown(w: &mut Hand, tid: u32, word: usize) -> u64 {
    let at = stops::place_of(tid) + word;
    w.word(TRACER, BUF + 8 * at as u64)
}

#[test]
fn a_stop_is_shown_once_it_was_asked_about_and_hidden_by_whatever_changes_it() {
    let mut w = at_entry(0);
    let share = |w: &mut Hand, addr| w.request_of_kind(SHARE_STOPS, [addr, 0, 0, 0]).0;
    assert_eq!([share(&mut w, BUF + 8), share(&mut w, 0)], [EINVAL, EFAULT]);
    assert_eq!(share(&mut w, BUF), i64::from(TRACER));
    let owner = stops::owner(CALLER, TRACER);
    let at = BUF + 4096;
    assert_eq!((shown(&mut w, CALLER, 0), w.word(TRACER, BUF)), (0, 1));
    let everything = stops::REGISTERS | stops::SIGINFO | stops::LOOKED_AT;
    let ask = |w: &mut Hand| {
        assert_eq!(w.ptrace(GETREGS, CALLER, 0, at), 0);
        assert_eq!((shown(w, CALLER, 0), what(w, CALLER)), (owner, everything));
        assert_eq!(
            shown(w, CALLER, stops::REGS + 16),
            w.word(TRACER, at + 16 * 8)
        );
        assert_eq!(w.ptrace(nr::PTRACE_GETSIGINFO, CALLER, 0, at), 0);
        assert_eq!(shown(w, CALLER, stops::INFO), w.word(TRACER, at));
    };
    let info = nr::PTRACE_SETSIGINFO;
    for (request, addr, data) in [(SETREGS, 0, at), (POKEUSER, 0, 7), (info, 0, BUF + 8192)] {
        ask(&mut w);
        assert_eq!(w.ptrace(GETREGS, CALLER, 0, at), 0);
        assert_eq!(w.ptrace(request, CALLER, addr, data), 0);
        assert_eq!(what(&mut w, CALLER), 0, "{request}");
    }
    // It was looked at, so the next one is shown as it comes; that one is not looked at.
    ask(&mut w);
    assert_eq!(w.ptrace(SYSCALL, CALLER, 0, 0), 0);
    w.wait(CALLER);
    assert_eq!(
        (shown(&mut w, CALLER, 0), what(&mut w, CALLER)),
        (owner, stops::REGISTERS)
    );
    assert_eq!(w.ptrace(SYSCALL, CALLER, 0, 0), 0);
    assert_eq!(what(&mut w, CALLER), 0, "others run: no time to give way");
    w.wait(CALLER);
    assert_eq!(what(&mut w, CALLER), 0);
    ask(&mut w);
    assert_eq!(w.ptrace(DETACH, CALLER, 0, 0), 0);
    assert_eq!(what(&mut w, CALLER), 0);
}

/// What there is to read of a tracee.
fn what(w: &mut Hand, tid: u32) -> u64 {
    shown(w, tid, stops::WHAT) % stops::CHANGE
}

/// Lets the tracee go on to a stop that its tracer does not wait for: the status it is shown.
fn next_shown(w: &mut Hand, request: u32, tid: u32) -> u64 {
    assert_eq!(w.ptrace(request, tid, 0, 0), 0);
    for _ in 0..1000 {
        if what(w, tid) & stops::UNSEEN != 0 {
            return shown(w, tid, stops::STATUS);
        }
        w.pass(1);
    }
    panic!("no stop is shown of {tid}");
}

/// The tracer waits for a stop as its page says.
fn take(w: &mut Hand, tid: u32) {
    let at = BUF + 8 * (stops::place_of(tid) + stops::WHAT) as u64;
    let taken = w.word(TRACER, at) & !stops::UNSEEN;
    w.put(TRACER, at, &taken.to_le_bytes());
}

#[test]
fn a_stop_is_waited_for_once_by_page_or_by_message() {
    let mut w = at_entry(1);
    assert_eq!(w.request_of_kind(SHARE_STOPS, [BUF, 0, 0, 0]).0, 2);
    let status = stopped(0x85) as u64;
    // By message.
    assert_eq!(next_shown(&mut w, SYSCALL, CALLER), status);
    assert_eq!(w.look(CALLER), Some(stopped(0x85)));
    assert_eq!((what(&mut w, CALLER), w.look(CALLER)), (0, None));
    // By page.
    assert_eq!(next_shown(&mut w, SYSCALL, CALLER), status);
    take(&mut w, CALLER);
    assert_eq!(w.look(CALLER), None);
    // Neither: it goes on all the same, and the next one can be waited for.
    assert_eq!(next_shown(&mut w, SYSCALL, CALLER), status);
    assert_eq!(next_shown(&mut w, SYSCALL, CALLER), status);
    // What is asked meanwhile changes nothing about that.
    assert_eq!(w.ptrace(GETREGS, CALLER, 0, BUF + 4096), 0);
    let read = stops::REGISTERS | stops::LOOKED_AT;
    assert_eq!(what(&mut w, CALLER) & !stops::SIGINFO, stops::UNSEEN | read);
    assert_eq!(w.ptrace(POKEUSER, CALLER, 0, 7), 0);
    assert_eq!(what(&mut w, CALLER), stops::UNSEEN);
    take(&mut w, CALLER);
    assert_eq!(w.ptrace(GETREGS, CALLER, 0, BUF + 4096), 0);
    assert_eq!(what(&mut w, CALLER) & !stops::SIGINFO, read);
    assert_eq!(w.look(CALLER), None);
    // Who waits for any task asks, and is shown nothing more.
    let any = [u64::MAX, WNOHANG.into(), 0, 0];
    assert_eq!(w.request_of_kind(WAIT, any).0, 0);
    assert_eq!(w.ptrace(SYSCALL, CALLER, 0, 0), 0);
    w.pass(100);
    assert_eq!(what(&mut w, CALLER) & stops::UNSEEN, 0);
    let found = w.request_of_kind(WAIT, any).0;
    assert_eq!(found, i64::from(CALLER) | i64::from(stopped(0x85)) << 32);
}
