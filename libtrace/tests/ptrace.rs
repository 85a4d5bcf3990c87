//! The client API against the kernel these tests run on.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use libtrace::ptrace::{self, Options};
use libtrace::raw::{self, Data, Request};
use libtrace::{Errno, Event, Pid, SigInfo, Status, memory, spawn, wait};

const SIGUSR1: i32 = 10;
const SIGSTOP: i32 = 19;
const SIGTRAP: i32 = 5;
const GETPID: u64 = 39;
const EXECVE: u64 = 59;
const EXIT_GROUP: u64 = 231;

const SYSCALL_STOP: Status = Status::Stopped {
    sig: SIGTRAP,
    event: None,
    syscall: true,
};

/// A shell that runs `script`, stopped before its execve.
fn shell(script: &str) -> Pid {
    let args: Vec<OsString> = ["sh", "-c", script].map(OsString::from).to_vec();
    let pid = spawn::spawn_traced(Path::new("/bin/sh"), &args).unwrap();
    ptrace::setoptions(pid, Options::TRACESYSGOOD | Options::TRACEEXEC).unwrap();
    pid
}

/// A shell that runs `script`, stopped behind its execve.
fn running_shell(script: &str) -> Pid {
    let pid = shell(script);
    ptrace::cont(pid, 0).unwrap();
    let exec = Status::Stopped {
        sig: SIGTRAP,
        event: Some(Event::Exec),
        syscall: false,
    };
    assert_eq!(next(pid), exec);
    pid
}

fn next(pid: Pid) -> Status {
    let (who, status) = wait::wait(pid, wait::WALL).unwrap();
    assert_eq!(who, pid);
    status
}

fn kill_and_reap(pid: Pid) {
    ptrace::kill(pid).unwrap();
    assert_eq!(next(pid), Status::Signaled(9, false));
}

/// A program that certainly runs, and waits for input.
fn bystander() -> Child {
    let mut child = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
    child
}

#[test]
fn the_first_call_of_a_spawned_program_is_its_execve() {
    let pid = shell("exit 3");
    ptrace::syscall(pid, 0).unwrap();
    assert_eq!(next(pid), SYSCALL_STOP);
    let regs = ptrace::getregs(pid).unwrap();
    assert_eq!(regs.orig_rax, EXECVE);
    assert_eq!(regs.rax as i64, -38);
    let mut path = [0; 8];
    assert_eq!(ptrace::read_memory(pid, regs.args()[0], &mut path), Ok(8));
    assert_eq!(&path, b"/bin/sh\0");
    ptrace::cont(pid, 0).unwrap();
    assert!(matches!(
        next(pid),
        Status::Stopped {
            event: Some(Event::Exec),
            ..
        }
    ));
    assert_eq!(ptrace::geteventmsg(pid), Ok(pid as u64));
    ptrace::cont(pid, 0).unwrap();
    assert_eq!(next(pid), Status::Exited(3));
}

#[test]
fn entries_and_exits_alternate_up_to_the_last_call() {
    let pid = running_shell("exit 0");
    // The stop behind an execve is still inside the call.
    let mut inside = Some(EXECVE);
    loop {
        ptrace::syscall(pid, 0).unwrap();
        match next(pid) {
            SYSCALL_STOP => {
                let nr = ptrace::getregs(pid).unwrap().orig_rax;
                inside = match inside {
                    None => Some(nr),
                    Some(entered) => {
                        assert_eq!(entered, nr);
                        None
                    }
                };
            }
            status => {
                assert_eq!(status, Status::Exited(0));
                assert_eq!(inside, Some(EXIT_GROUP));
                return;
            }
        }
    }
}

#[test]
fn memory_words_are_read_back_as_written() {
    let pid = running_shell("exit 0");
    let stack = ptrace::getregs(pid).unwrap().rsp;
    let before = ptrace::peek(pid, stack).unwrap();
    ptrace::poke(pid, stack, !before).unwrap();
    assert_eq!(ptrace::peek(pid, stack), Ok(!before));
    assert_eq!(ptrace::peek(pid, 8), Err(Errno::EIO));
    assert_eq!(ptrace::poke(pid, 8, 0), Err(Errno::EIO));
    kill_and_reap(pid);
}

#[test]
fn memory_bytes_need_no_alignment() {
    let pid = running_shell("exit 0");
    let stack = ptrace::getregs(pid).unwrap().rsp;
    memory::write_memory(pid, stack + 3, b"thirteen bytes").unwrap();
    let mut bytes = [0; 14];
    assert_eq!(memory::read_memory(pid, stack + 3, &mut bytes), Ok(14));
    assert_eq!(&bytes, b"thirteen bytes");
    assert_eq!(memory::read_memory(pid, 8, &mut bytes), Err(Errno::EFAULT));
    kill_and_reap(pid);
}

#[test]
fn code_can_be_written_although_the_tracee_cannot() {
    let pid = running_shell("exit 0");
    let code = ptrace::getregs(pid).unwrap().rip;
    let before = ptrace::peek(pid, code).unwrap();
    ptrace::poke(pid, code, before & !0xff | 0xcc).unwrap();
    ptrace::cont(pid, 0).unwrap();
    assert_eq!(
        next(pid),
        Status::Stopped {
            sig: SIGTRAP,
            event: None,
            syscall: false
        }
    );
    assert_eq!(ptrace::getregs(pid).unwrap().rip, code + 1);
    kill_and_reap(pid);
}

#[test]
fn registers_are_read_back_as_written() {
    let pid = running_shell("exit 0");
    let mut regs = ptrace::getregs(pid).unwrap();
    (regs.rbx, regs.r15) = (0x1122_3344_5566_7788, 0xfeed);
    ptrace::setregs(pid, &regs).unwrap();
    assert_eq!(ptrace::getregs(pid), Ok(regs));
    let mut set = [0; 27 * 8];
    assert_eq!(ptrace::getregset(pid, 1, &mut set), Ok(27 * 8));
    assert_eq!(set, bytemuck::bytes_of(&regs.to_words()));
    // rbx is the sixth word of `struct user`.
    assert_eq!(ptrace::peekuser(pid, 5 * 8), Ok(regs.rbx));
    ptrace::pokeuser(pid, 5 * 8, 7).unwrap();
    assert_eq!(ptrace::getregs(pid).unwrap().rbx, 7);
    assert_eq!(ptrace::peekuser(pid, 3), Err(Errno::EIO));
    kill_and_reap(pid);
}

#[test]
fn the_tracer_can_replace_a_result() {
    let pid = running_shell("exit $PPID");
    loop {
        ptrace::syscall(pid, 0).unwrap();
        match next(pid) {
            SYSCALL_STOP => {}
            status => panic!("no getpid: {status:?}"),
        }
        let mut regs = ptrace::getregs(pid).unwrap();
        if regs.orig_rax == GETPID && regs.rax as i64 != -38 {
            assert_eq!(regs.rax, pid as u64);
            regs.rax = 99;
            ptrace::setregs(pid, &regs).unwrap();
            assert_eq!(ptrace::getregs(pid).unwrap().rax, 99);
            break;
        }
    }
    kill_and_reap(pid);
}

#[test]
fn a_step_ends_at_another_instruction() {
    let pid = running_shell("exit 0");
    let before = ptrace::getregs(pid).unwrap().rip;
    // The first step only completes the execve the tracee is in.
    for _ in 0..2 {
        ptrace::singlestep(pid, 0).unwrap();
        assert!(matches!(
            next(pid),
            Status::Stopped {
                sig: SIGTRAP,
                event: None,
                syscall: false
            }
        ));
    }
    assert_ne!(ptrace::getregs(pid).unwrap().rip, before);
    kill_and_reap(pid);
}

#[test]
fn a_signal_shows_its_sender_and_can_be_replaced() {
    let pid = running_shell("kill -USR1 $$; exit 4");
    ptrace::cont(pid, 0).unwrap();
    assert_eq!(
        next(pid),
        Status::Stopped {
            sig: SIGUSR1,
            event: None,
            syscall: false
        }
    );
    let info = ptrace::getsiginfo(pid).unwrap();
    assert_eq!((info.signal(), info.code(), info.pid()), (SIGUSR1, 0, pid));
    let mut other = SigInfo::new(SIGUSR1, 0, -1);
    other.set_sender(1, 2);
    ptrace::setsiginfo(pid, &other).unwrap();
    let read = ptrace::getsiginfo(pid).unwrap();
    assert_eq!((read.code(), read.pid(), read.uid()), (-1, 1, 2));
    ptrace::cont(pid, 0).unwrap();
    assert_eq!(next(pid), Status::Exited(4));
}

#[test]
fn a_child_is_traced_from_its_first_instruction() {
    let pid = running_shell("(exit 5); exit $?");
    let options = Options::TRACEFORK | Options::TRACEVFORK | Options::TRACECLONE;
    ptrace::setoptions(pid, options).unwrap();
    ptrace::cont(pid, 0).unwrap();
    let Status::Stopped {
        event: Some(Event::Fork | Event::Clone | Event::Vfork),
        ..
    } = next(pid)
    else {
        panic!("no child");
    };
    let child = ptrace::geteventmsg(pid).unwrap() as Pid;
    assert_eq!(
        next(child),
        Status::Stopped {
            sig: SIGSTOP,
            event: None,
            syscall: false
        }
    );
    ptrace::cont(child, 0).unwrap();
    ptrace::cont(pid, 0).unwrap();
    assert_eq!(next(child), Status::Exited(5));
    // SIGCHLD, or the end where it came too late to be delivered.
    let mut status = next(pid);
    while let Status::Stopped { sig, .. } = status {
        ptrace::cont(pid, sig).unwrap();
        status = next(pid);
    }
    assert_eq!(status, Status::Exited(5));
}

#[test]
fn attach_stops_and_detach_lets_go() {
    let mut child = bystander();
    let pid = child.id() as Pid;
    ptrace::attach(pid).unwrap();
    assert_eq!(
        next(pid),
        Status::Stopped {
            sig: SIGSTOP,
            event: None,
            syscall: false
        }
    );
    assert_eq!(ptrace::attach(pid), Err(Errno::EPERM));
    ptrace::detach(pid, 0).unwrap();
    assert_eq!(ptrace::getregs(pid), Err(Errno::ESRCH));
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None);
}

#[test]
fn seize_does_not_stop_and_interrupt_does() {
    let mut child = bystander();
    let pid = child.id() as Pid;
    ptrace::seize(pid, Options::TRACESYSGOOD).unwrap();
    assert_eq!(wait::try_wait(pid, wait::WALL), Ok(None));
    ptrace::interrupt(pid).unwrap();
    assert_eq!(
        next(pid),
        Status::Stopped {
            sig: SIGTRAP,
            event: Some(Event::Stop),
            syscall: false
        }
    );
    ptrace::detach(pid, 0).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_tracee_is_esrch_and_not_an_accident() {
    let pid = running_shell("exit 0");
    spawn::send_signal(pid, 9).unwrap();
    assert_eq!(next(pid), Status::Signaled(9, false));
    assert_eq!(ptrace::getregs(pid), Err(Errno::ESRCH));
    assert_eq!(ptrace::cont(pid, 0), Err(Errno::ESRCH));
}

#[test]
fn errors_are_the_kernels() {
    let pid = running_shell("exit 0");
    let unknown = Options::from_bits_retain(1 << 30);
    assert_eq!(ptrace::setoptions(pid, unknown), Err(Errno::EINVAL));
    assert_eq!(ptrace::cont(pid, 999), Err(Errno::EIO));
    assert_eq!(ptrace::attach(1 << 30), Err(Errno::ESRCH));
    kill_and_reap(pid);
}

#[test]
fn a_request_is_refused_with_data_of_another_shape() {
    let small = raw::ptrace(Request::GetRegs, 1, 0, Data::Out(&mut [0; 8]));
    assert_eq!(small, Err(Errno::EFAULT));
    assert_eq!(
        raw::ptrace(Request::GetRegs, 1, 0, Data::Word(8)),
        Err(Errno::EFAULT)
    );
    assert_eq!(
        raw::ptrace(Request::Cont, 1, 0, Data::In(&[0; 8])),
        Err(Errno::EFAULT)
    );
}

#[test]
fn a_program_that_cannot_be_executed_exits_with_1() {
    let pid = spawn::spawn_traced(Path::new("/etc/passwd"), &[OsString::from("x")]).unwrap();
    ptrace::cont(pid, 0).unwrap();
    assert_eq!(next(pid), Status::Exited(1));
}

#[test]
fn status_words_are_decoded() {
    let stop = |sig, event, syscall| Status::Stopped {
        sig,
        event,
        syscall,
    };
    assert_eq!(Status::decode(7 << 8), Status::Exited(7));
    assert_eq!(Status::decode(11), Status::Signaled(11, false));
    assert_eq!(Status::decode(0x8b), Status::Signaled(11, true));
    assert_eq!(Status::decode(0x137f), stop(SIGSTOP, None, false));
    assert_eq!(Status::decode(0x857f), SYSCALL_STOP);
    assert_eq!(
        Status::decode(0x4057f),
        stop(SIGTRAP, Some(Event::Exec), false)
    );
    assert_eq!(
        Status::decode(0x80137f),
        stop(SIGSTOP, Some(Event::Stop), false)
    );
    assert_eq!(Status::decode(0xffff), Status::Continued);
}

#[test]
fn errnos_have_names_and_descriptions() {
    assert_eq!(format!("{:?}", Errno::ENOENT), "ENOENT");
    assert_eq!(Errno::ENOTTY.to_string(), "Inappropriate ioctl for device");
    assert_eq!(Errno(9999).to_string(), "Unknown error 9999");
    assert_eq!(Errno::of_result(-2), Err(Errno::ENOENT));
    assert_eq!(Errno::of_result(-4096), Ok(-4096));
}
