//! Register sets, `struct user` and what is built on them (ptrace.md A7, B).

mod support;

use abi::errno::Errno;
use abi::signal::SIGUSR1;
use abi::tracer::Event;
use abi::{InCall, Regs};
use support::{BUF, CHILD, TRACER, World, err, rq};

const EIO: i64 = err(Errno::EIO);
const EFAULT: i64 = err(Errno::EFAULT);
const EINVAL: i64 = err(Errno::EINVAL);
/// Where no task has memory.
const BAD: u64 = 8;

#[test]
fn struct_user_has_registers_a_gap_debug_registers_and_an_end() {
    let mut w = World::traced();
    w.pm.task(CHILD).regs.r15 = 0x1515;
    let peek = |w: &mut World, at: u64| w.message(TRACER, [rq::PEEKUSER, CHILD as u64, at, 0]);
    assert_eq!(peek(&mut w, 0), (0, 0x1515));
    assert_eq!(peek(&mut w, 15 * 8), (0, u64::MAX), "orig_rax");
    assert_eq!(peek(&mut w, 17 * 8), (0, 0x33), "cs");
    for gap in [216, 840, 912, 920] {
        assert_eq!(peek(&mut w, gap), (0, 0));
        assert_eq!(w.ptrace(rq::POKEUSER, gap, 1), EIO);
    }
    for bad in [4, 129, 928, u64::MAX - 7, 1 << 40] {
        assert_eq!(peek(&mut w, bad), (EIO, 0));
        assert_eq!(w.ptrace(rq::POKEUSER, bad, 1), EIO);
    }
    assert_eq!(peek(&mut w, 848 + 6 * 8), (0, 0xffff_0ff0));
    assert_eq!(w.ptrace(rq::POKEUSER, 848 + 4 * 8, 1), EIO);
    assert_eq!(w.ptrace(rq::POKEUSER, 848, 0x1000), 0);
    assert_eq!(peek(&mut w, 848), (0, 0x1000));
    assert_eq!(w.ptrace(rq::POKEUSER, 848, 1 << 63), EIO);
    assert_eq!(w.ptrace(rq::POKEUSER, 848 + 7 * 8, 1), EIO, "enable");
}

#[test]
fn pokeuser_refuses_what_linux_refuses() {
    let mut w = World::traced();
    let mut poke = |at: u64, value| w.ptrace(rq::POKEUSER, at * 8, value);
    assert_eq!(
        [poke(17, 0), poke(17, 8), poke(20, 0), poke(24, 8)],
        [EIO; 4]
    );
    assert_eq!([poke(21, 1 << 47), poke(22, 1 << 63)], [EIO; 2]);
    assert_eq!([poke(17, 0x10033), poke(23, 0), poke(16, 1 << 60)], [0; 3]);
    assert_eq!(poke(18, 0x2_3001), 0);
    let flags = w.message(TRACER, [rq::PEEKUSER, CHILD as u64, 18 * 8, 0]).1;
    assert_eq!(flags & 0x2_3001, 1);
}

#[test]
fn every_register_that_is_set_is_what_is_read_and_what_the_task_has() {
    let mut w = World::traced();
    w.pm.task(CHILD).regs = Regs {
        rflags: 0x202,
        ..Regs::default()
    };
    let mut words: Vec<u64> = (0..27).map(|n| 0x1000 + n * 3).collect();
    words[17] = 0x33;
    words[18] = 0x1_0e97;
    words[20] = 0x2b;
    words[23..].copy_from_slice(&[0x2b, 0x2b, 0, 0x33]);
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    w.pm.poke(TRACER, BUF, &bytes);
    assert_eq!(w.ptrace(rq::SETREGS, 0, BUF), 0);
    assert_eq!(w.ptrace(rq::GETREGS, 0, BUF + 512), 0);
    let got = w.pm.memory(TRACER, BUF + 512, 216);
    words[18] = 0x1_0e97 | 0x202;
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    assert_eq!(got, bytes);
    let regs = w.pm.task(CHILD).regs;
    assert_eq!(
        (regs.r15, regs.rip, regs.fs_base),
        (words[0], words[16], words[21])
    );
    w.ptrace(rq::CONT, 0, 0);
    assert_eq!(w.last_answer(CHILD).written, Some(words[15]), "orig_rax");
    w.signal(CHILD, SIGUSR1);
    w.ptrace(rq::CONT, 0, 0);
    assert_eq!(
        w.last_answer(CHILD).written,
        None,
        "not written in this stop"
    );
}

#[test]
fn a_system_call_number_can_be_changed_at_its_entry() {
    let mut w = World::traced();
    w.ptrace(rq::SYSCALL, 0, 0);
    w.pm.task(CHILD).regs = Regs {
        rip: 0x4000,
        rax: 39,
        rflags: 0x202,
        ..Regs::default()
    };
    w.event_in(CHILD, InCall::entry(39), Event::SyscallEntry);
    assert_eq!(w.ptrace(rq::GETREGS, 0, BUF), 0);
    let orig_and_rip = [w.word(TRACER, BUF + 15 * 8), w.word(TRACER, BUF + 16 * 8)];
    assert_eq!(orig_and_rip, [39, 0x4002]);
    assert_eq!(w.ptrace(rq::POKEUSER, 15 * 8, u64::MAX), 0);
    assert_eq!(w.pm.task(CHILD).regs.rip, 0x4002, "canonical once written");
    w.ptrace(rq::CONT, 0, 0);
    assert_eq!(w.last_answer(CHILD).written, Some(u64::MAX));
}

#[test]
fn register_requests_with_bad_buffers_are_efault_and_change_nothing() {
    let mut w = World::traced();
    for n in [
        rq::GETREGS,
        rq::SETREGS,
        rq::GETEVENTMSG,
        rq::GETSIGINFO,
        rq::SETSIGINFO,
    ] {
        assert_eq!(w.ptrace(n, 0, BAD), EFAULT, "{n}");
    }
    assert_eq!(
        w.ptrace(rq::SETREGS, 0, 0x1fc0),
        EFAULT,
        "it ends too early"
    );
    w.ptrace(rq::CONT, 0, 0);
    assert_eq!(w.last_answer(CHILD).written, None);
}

#[test]
fn regsets_take_an_iovec_and_give_its_length_back() {
    let mut w = World::traced();
    let iovec = |w: &mut World, base: u64, len: u64| {
        w.pm.poke(TRACER, BUF, &base.to_le_bytes());
        w.pm.poke(TRACER, BUF + 8, &len.to_le_bytes());
    };
    iovec(&mut w, BUF + 64, 4096);
    assert_eq!(w.ptrace(rq::GETREGSET, 1, BUF), 0);
    assert_eq!(w.word(TRACER, BUF + 8), 216);
    iovec(&mut w, BUF + 64, 12);
    assert_eq!(w.ptrace(rq::GETREGSET, 1, BUF), EINVAL);
    assert_eq!(w.ptrace(rq::SETREGSET, 1, BUF), EINVAL);
    assert_eq!(w.ptrace(rq::GETREGSET, 0x7777, BUF), EINVAL);
    iovec(&mut w, BUF + 64, 0);
    assert_eq!(w.ptrace(rq::GETREGSET, 1, BUF), 0);
    assert_eq!(w.ptrace(rq::GETREGSET, 1, BAD), EFAULT);
    w.pm.poke(TRACER, BUF + 64, &[1; 16]);
    iovec(&mut w, BUF + 64, 16);
    assert_eq!(w.ptrace(rq::SETREGSET, 1, BUF), 0);
    let regs = w.pm.task(CHILD).regs;
    assert_eq!(
        (regs.r15, regs.r14, regs.r13),
        (0x0101010101010101, 0x0101010101010101, 0)
    );
    iovec(&mut w, BAD, 16);
    assert_eq!(w.ptrace(rq::GETREGSET, 1, BUF), EFAULT);
}

#[test]
fn the_fpu_state_that_is_set_is_what_is_read() {
    let mut w = World::traced();
    let set: Vec<u8> = (0..512).map(|i| (i * 7) as u8).collect();
    w.pm.poke(TRACER, BUF, &set);
    assert_eq!(w.ptrace(rq::SETFPREGS, 0, BUF), 0);
    assert_eq!(w.pm.task(CHILD).fpu, set);
    w.pm.poke(TRACER, BUF, &[0; 512]);
    assert_eq!(w.ptrace(rq::GETFPREGS, 0, BUF), 0);
    assert_eq!(w.pm.memory(TRACER, BUF, 512), set);
    assert_eq!(w.ptrace(rq::GETFPREGS, 0, BAD), EFAULT);
    assert_eq!(w.ptrace(rq::SETFPREGS, 0, BAD), EFAULT);
    assert_eq!(w.pm.task(CHILD).fpu, set);
}

#[test]
fn syscall_info_tells_its_size_and_stores_what_fits() {
    let mut w = World::traced();
    assert_eq!(w.ptrace(rq::GET_SYSCALL_INFO, 80, BUF), 24);
    w.ptrace(rq::SETOPTIONS, 0, 1);
    w.ptrace(rq::SYSCALL, 0, 0);
    w.pm.task(CHILD).regs.rdi = 0x77;
    w.event_in(CHILD, InCall::entry(32), Event::SyscallEntry);
    assert_eq!(w.ptrace(rq::GET_SYSCALL_INFO, 80, BUF), 80);
    assert_eq!(w.word(TRACER, BUF), 0xc000_003e_0000_0001);
    assert_eq!(
        [w.word(TRACER, BUF + 24), w.word(TRACER, BUF + 32)],
        [32, 0x77]
    );
    w.ptrace(rq::SYSCALL, 0, 0);
    let in_call = InCall::At { nr: 32, result: -9 };
    w.event_in(CHILD, in_call, Event::SyscallExit);
    w.pm.poke(TRACER, BUF, &[0x77; 80]);
    assert_eq!(w.ptrace(rq::GET_SYSCALL_INFO, 200, BUF), 33);
    assert_eq!(w.word(TRACER, BUF + 24) as i64, -9);
    assert_eq!(w.pm.memory(TRACER, BUF + 32, 2), [1, 0x77]);
    assert_eq!(w.ptrace(rq::GET_SYSCALL_INFO, 0, BAD), 33);
    assert_eq!(w.ptrace(rq::GET_SYSCALL_INFO, 80, BAD), EFAULT);
}

#[test]
fn arch_prctl_reads_and_writes_the_fs_base() {
    let mut w = World::traced();
    assert_eq!(w.ptrace(rq::ARCH_PRCTL, 0x4000, 0x1002), 0);
    assert_eq!(w.ptrace(rq::ARCH_PRCTL, BUF, 0x1003), 0);
    assert_eq!(w.word(TRACER, BUF), 0x4000);
    assert_eq!(w.ptrace(rq::ARCH_PRCTL, 1 << 63, 0x1002), err(Errno::EPERM));
    assert_eq!(w.ptrace(rq::ARCH_PRCTL, 0, 1), EINVAL);
    assert_eq!(w.ptrace(rq::ARCH_PRCTL, BAD, 0x1003), EFAULT);
}
