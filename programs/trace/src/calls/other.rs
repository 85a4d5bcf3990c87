//! Calls of which only the kinds of the arguments are known.

use syscalls::x86_64::Sysno;

use crate::call::Arg::{Addr, DirFd, Fd, Hex, Int, Path, Size, Str, Uint};
use crate::call::{Call, Ret};

/// The system calls of this file.
pub const CALLS: &[Call] = &[
    Call::new(Sysno::openat2, &[DirFd, Path, Addr, Size], Ret::Fd),
    Call::new(Sysno::capget, &[Addr, Addr], Ret::Int),
    Call::new(Sysno::capset, &[Addr, Addr], Ret::Int),
    Call::new(Sysno::ptrace, &[Hex, Int, Addr, Hex], Ret::Int),
    Call::new(Sysno::syslog, &[Int, Addr, Int], Ret::Int),
    Call::new(Sysno::seccomp, &[Uint, Hex, Addr], Ret::Int),
    Call::new(Sysno::reboot, &[Hex, Hex, Hex, Addr], Ret::Int),
    Call::new(
        Sysno::process_vm_readv,
        &[Int, Addr, Size, Addr, Size, Size],
        Ret::Int,
    ),
    Call::new(
        Sysno::process_vm_writev,
        &[Int, Addr, Size, Addr, Size, Size],
        Ret::Int,
    ),
    Call::new(Sysno::shmget, &[Hex, Size, Hex], Ret::Int),
    Call::new(Sysno::shmat, &[Int, Addr, Hex], Ret::Hex),
    Call::new(Sysno::shmdt, &[Addr], Ret::Int),
    Call::new(Sysno::shmctl, &[Int, Hex, Addr], Ret::Int),
    Call::new(
        Sysno::name_to_handle_at,
        &[DirFd, Path, Addr, Addr, Hex],
        Ret::Int,
    ),
    Call::new(Sysno::quotactl, &[Hex, Path, Int, Addr], Ret::Int),
    Call::new(Sysno::init_module, &[Addr, Size, Str], Ret::Int),
    Call::new(Sysno::finit_module, &[Fd, Str, Hex], Ret::Int),
    Call::new(Sysno::delete_module, &[Str, Hex], Ret::Int),
    Call::new(
        Sysno::pidfd_send_signal,
        &[Fd, crate::call::Arg::Signal, Addr, Hex],
        Ret::Int,
    ),
    Call::new(Sysno::mbind, &[Addr, Size, Hex, Addr, Size, Hex], Ret::Int),
    Call::new(Sysno::iopl, &[Int], Ret::Int),
    Call::new(Sysno::ioperm, &[Size, Size, Int], Ret::Int),
    Call::new(Sysno::sync_file_range, &[Fd, Size, Size, Hex], Ret::Int),
];
