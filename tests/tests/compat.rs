//! The entry of a 32-bit tracer (ptrace.md A7): words of four bytes, and structures made of them.

use abi::client::PTRACE_COMPAT;
use abi::linux::ptrace as nr;
use abi::signal::{SIGINFO_SIZE, SIGSTOP, code};
use abi::{Errno, SigInfo, compat};
use world::hand::*;

const EIO: i64 = Errno::EIO.as_result();
const EFAULT: i64 = Errno::EFAULT.as_result();
const EINVAL: i64 = Errno::EINVAL.as_result();
const ESRCH: i64 = Errno::ESRCH.as_result();

/// A request of the tracer's in 32-bit words: result and word read.
fn ask(w: &mut Hand, number: u32, addr: u64, data: u64) -> (i64, u64) {
    w.request_of_kind(PTRACE_COMPAT, [number.into(), SPINNER.into(), addr, data])
}

#[test]
fn memory_is_read_and_written_in_words_of_four_bytes() {
    let mut w = Hand::attached(SPINNER);
    w.put(SPINNER, BUF, &[1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(ask(&mut w, nr::PTRACE_PEEKDATA, BUF, 0), (0, 0x0403_0201));
    let poked = ask(&mut w, nr::PTRACE_POKEDATA, BUF + 2, 0xffff_ffff_aabb_ccdd);
    assert_eq!(poked, (0, 0));
    assert_eq!(w.get(SPINNER, BUF, 8), [1, 2, 0xdd, 0xcc, 0xbb, 0xaa, 7, 8]);
    assert_eq!(ask(&mut w, nr::PTRACE_PEEKTEXT, END - 4, 0).0, 0);
    for addr in [BAD, END - 2] {
        assert_eq!(ask(&mut w, nr::PTRACE_PEEKDATA, addr, 0), (EIO, 0));
    }
}

#[test]
fn registers_are_those_of_i386() {
    let mut w = Hand::attached(SPINNER);
    let rip = w.regs(SPINNER).rip;
    assert_eq!(ask(&mut w, nr::PTRACE_PEEKUSR, 48, 0), (0, rip), "eip");
    assert_eq!(ask(&mut w, nr::PTRACE_PEEKUSR, 44, 0), (0, 0xffff_ffff));
    assert_eq!(ask(&mut w, nr::PTRACE_POKEUSR, 24, 77), (0, 0), "eax");
    assert_eq!(ask(&mut w, nr::PTRACE_POKEUSR, 52, 0), (EIO, 0), "cs");
    assert_eq!(ask(&mut w, nr::PTRACE_PEEKUSR, 252 + 24, 0).1, 0xffff_0ff0);
    for bad in [1, 284, u64::from(u32::MAX) - 3] {
        assert_eq!(ask(&mut w, nr::PTRACE_PEEKUSR, bad, 0), (EIO, 0));
    }
    assert_eq!(ask(&mut w, nr::PTRACE_GETREGS, 0, BUF).0, 0);
    let words = |w: &mut Hand| -> Vec<u32> {
        let bytes = w.get(TRACER, BUF, 4 * compat::REGS);
        let word = |b: &[u8]| u32::from_le_bytes(b.try_into().unwrap());
        bytes.chunks_exact(4).map(word).collect()
    };
    let mut regs = words(&mut w);
    assert_eq!((regs[6], regs[12]), (77, rip as u32));
    regs[0] = 0x1234_5678;
    let bytes: Vec<u8> = regs.iter().flat_map(|r| r.to_le_bytes()).collect();
    w.put(TRACER, BUF, &bytes);
    assert_eq!(ask(&mut w, nr::PTRACE_SETREGS, 0, BUF).0, 0);
    assert_eq!(w.peek(nr::PTRACE_PEEKUSR, SPINNER, 5 * 8).1, 0x1234_5678);
    assert_eq!(w.peek(nr::PTRACE_PEEKUSR, SPINNER, 15 * 8).1, u64::MAX);
    assert_eq!(ask(&mut w, nr::PTRACE_GETREGS, 0, BAD).0, EFAULT);
}

#[test]
fn a_siginfo_is_packed_and_round_trips() {
    let mut w = Hand::attached(SPINNER);
    let info = SigInfo::from_process(SIGSTOP, code::SI_QUEUE, 4321, 9);
    w.put(TRACER, BUF, &compat::siginfo_bytes(&info));
    assert_eq!(ask(&mut w, nr::PTRACE_SETSIGINFO, 0, BUF).0, 0);
    assert_eq!(w.siginfo(SPINNER), info);
    assert_eq!(ask(&mut w, nr::PTRACE_GETSIGINFO, 0, BUF + 256).0, 0);
    let bytes = w.get(TRACER, BUF + 256, SIGINFO_SIZE);
    assert_eq!(bytes, compat::siginfo_bytes(&info));
}

#[test]
fn an_iovec_has_words_of_four_bytes_and_the_sets_are_the_tracees() {
    let mut w = Hand::attached(SPINNER);
    let iovec = |w: &mut Hand, base: u64, len: u32| {
        w.put(TRACER, BUF, &(base as u32).to_le_bytes());
        w.put(TRACER, BUF + 4, &len.to_le_bytes());
    };
    iovec(&mut w, BUF + 64, 4000);
    assert_eq!(ask(&mut w, nr::PTRACE_GETREGSET, 1, BUF).0, 0);
    assert_eq!(w.get(TRACER, BUF + 4, 4), 216u32.to_le_bytes());
    let rip = w.regs(SPINNER).rip;
    assert_eq!(w.word(TRACER, BUF + 64 + 16 * 8), rip);
    iovec(&mut w, BUF + 64, 12);
    assert_eq!(ask(&mut w, nr::PTRACE_GETREGSET, 1, BUF).0, EINVAL);
    assert_eq!(ask(&mut w, nr::PTRACE_SETREGSET, 1, BUF).0, EINVAL);
}

#[test]
fn the_rest_is_the_same_for_everybody() {
    let mut w = Hand::attached(SPINNER);
    let options = ask(&mut w, nr::PTRACE_SETOPTIONS, 0, 0xffff_ffff_0000_0001);
    assert_eq!(options.0, 0, "words are cut to 32 bits");
    assert_eq!(ask(&mut w, nr::PTRACE_GETEVENTMSG, 0, BUF).0, 0);
    assert_eq!(ask(&mut w, nr::PTRACE_GETFPREGS, 0, BUF).0, EIO);
    assert_eq!(ask(&mut w, nr::PTRACE_SINGLESTEP, 0, 0).0, 0);
    assert_eq!(w.wait(SPINNER), 5 << 8 | 0x7f);
    assert_eq!(ask(&mut w, nr::PTRACE_DETACH, 0, 0).0, 0);
    for n in [nr::PTRACE_PEEKDATA, nr::PTRACE_GETREGS, nr::PTRACE_CONT] {
        assert_eq!(ask(&mut w, n, 0, BUF).0, ESRCH, "{n}");
    }
}
