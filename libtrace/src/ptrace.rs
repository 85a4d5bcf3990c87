//! The requests of ptrace(2), one function each.
//!
//! Except for [`traceme`], [`attach`], [`seize`], [`interrupt`] and [`kill`] the tracee
//! must be in a ptrace-stop. `ESRCH` says that it is not: it may have been killed at any
//! moment, and its death is then what the next wait reports.

use abi::regs::USER_REGS_WORDS;
use bitflags::bitflags;
use bytemuck::{Zeroable, bytes_of, bytes_of_mut};

use crate::raw::{Data, Request, SYSCALL_INFO, ptrace};
use crate::{Pid, Result, SigInfo, UserRegs};

bitflags! {
    /// What a tracer wants to hear of beyond signals: `PTRACE_O_` of ptrace(2).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Options: u64 {
        /// Mark syscall stops, so that they cannot be taken for a `SIGTRAP`.
        const TRACESYSGOOD = 1;
        /// Stop at fork, and trace the child.
        const TRACEFORK = 1 << 1;
        /// Stop at vfork, and trace the child.
        const TRACEVFORK = 1 << 2;
        /// Stop at clone, and trace the new task.
        const TRACECLONE = 1 << 3;
        /// Stop at execve.
        const TRACEEXEC = 1 << 4;
        /// Stop when a vfork is over.
        const TRACEVFORKDONE = 1 << 5;
        /// Stop before exiting.
        const TRACEEXIT = 1 << 6;
        /// Stop where a seccomp filter says so.
        const TRACESECCOMP = 1 << 7;
        /// Kill the tracee when the tracer dies.
        const EXITKILL = 1 << 20;
        /// Suspend the tracee's seccomp filters.
        const SUSPEND_SECCOMP = 1 << 21;
    }
}

/// The floating-point registers: what FXSAVE stores in 64-bit mode.
pub type FpRegs = [u8; 512];

/// Which side of a system call a syscall stop is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyscallStop {
    /// Before the call with this number.
    Entry(u64),
    /// Behind the call.
    Exit,
}

/// Makes the caller's parent its tracer.
///
/// # Errors
/// `EPERM` where it is traced already.
pub fn traceme() -> Result<()> {
    word(Request::TraceMe, 0, 0)
}

/// Traces task `pid` and sends it a `SIGSTOP`. Wait for the stop before the next request.
///
/// # Errors
/// `ESRCH`: no such task. `EPERM`: own process, traced already, or not allowed.
pub fn attach(pid: Pid) -> Result<()> {
    word(Request::Attach, pid, 0)
}

/// Traces task `pid` without stopping it.
///
/// # Errors
/// As [`attach`]; `EIO` for unknown options.
pub fn seize(pid: Pid, options: Options) -> Result<()> {
    word(Request::Seize, pid, options.bits())
}

/// Stops a seized tracee: it reports [`Event::Stop`](crate::Event::Stop).
///
/// # Errors
/// `EIO` where it was attached rather than seized.
pub fn interrupt(pid: Pid) -> Result<()> {
    word(Request::Interrupt, pid, 0)
}

/// Leaves a seized tracee in its group-stop, and hears of what ends it.
///
/// # Errors
/// `EIO` where it is not seized or not in a group-stop.
pub fn listen(pid: Pid) -> Result<()> {
    word(Request::Listen, pid, 0)
}

/// Lets the tracee go, with signal `sig` or 0.
///
/// # Errors
/// `EIO` for an invalid signal.
pub fn detach(pid: Pid, sig: i32) -> Result<()> {
    word(Request::Detach, pid, sig as u64)
}

/// Resumes, with signal `sig` or 0.
///
/// # Errors
/// `EIO` for an invalid signal.
pub fn cont(pid: Pid, sig: i32) -> Result<()> {
    word(Request::Cont, pid, sig as u64)
}

/// Resumes until the next entry to or exit from a system call, with signal `sig` or 0.
///
/// # Errors
/// `EIO` for an invalid signal.
pub fn syscall(pid: Pid, sig: i32) -> Result<()> {
    word(Request::Syscall, pid, sig as u64)
}

/// Resumes for one instruction, with signal `sig` or 0.
///
/// # Errors
/// `EIO` for an invalid signal, or where the machine cannot step.
pub fn singlestep(pid: Pid, sig: i32) -> Result<()> {
    word(Request::SingleStep, pid, sig as u64)
}

/// Kills the tracee, as a resume with `SIGKILL` does.
///
/// # Errors
/// `ESRCH`.
pub fn kill(pid: Pid) -> Result<()> {
    word(Request::Kill, pid, 0)
}

/// Reads the word at `addr` of the tracee's memory.
///
/// # Errors
/// `EIO` where it cannot all be read.
pub fn peek(pid: Pid, addr: u64) -> Result<u64> {
    read(Request::PeekData, pid, addr)
}

/// Writes the word at `addr` of the tracee's memory, also where the tracee cannot.
///
/// # Errors
/// `EIO` where it cannot all be written.
pub fn poke(pid: Pid, addr: u64, value: u64) -> Result<()> {
    ptrace(Request::PokeData, pid, addr, Data::Word(value)).map(drop)
}

/// Reads the word at `offset` of the tracee's `struct user`.
///
/// # Errors
/// `EIO` for an offset that is misaligned or outside.
pub fn peekuser(pid: Pid, offset: u64) -> Result<u64> {
    read(Request::PeekUser, pid, offset)
}

/// Writes the word at `offset` of the tracee's `struct user`.
///
/// # Errors
/// `EIO` for an offset that is misaligned, outside, or of something that cannot be set so.
pub fn pokeuser(pid: Pid, offset: u64, value: u64) -> Result<()> {
    ptrace(Request::PokeUser, pid, offset, Data::Word(value)).map(drop)
}

/// Reads the general registers.
///
/// # Errors
/// `ESRCH`.
pub fn getregs(pid: Pid) -> Result<UserRegs> {
    let mut words = [0; USER_REGS_WORDS];
    ptrace(
        Request::GetRegs,
        pid,
        0,
        Data::Out(bytes_of_mut(&mut words)),
    )?;
    Ok(UserRegs::from_words(&words))
}

/// Writes the general registers.
///
/// # Errors
/// `EIO` for values a task may not have.
pub fn setregs(pid: Pid, regs: &UserRegs) -> Result<()> {
    ptrace(
        Request::SetRegs,
        pid,
        0,
        Data::In(bytes_of(&regs.to_words())),
    )
    .map(drop)
}

/// Reads the floating-point registers, as FXSAVE lays them out.
///
/// # Errors
/// `ESRCH`.
pub fn getfpregs(pid: Pid) -> Result<FpRegs> {
    let mut area = [0; 512];
    ptrace(Request::GetFpRegs, pid, 0, Data::Out(&mut area))?;
    Ok(area)
}

/// Writes the floating-point registers.
///
/// # Errors
/// `EINVAL` for bits that `mxcsr` does not have.
pub fn setfpregs(pid: Pid, area: &FpRegs) -> Result<()> {
    ptrace(Request::SetFpRegs, pid, 0, Data::In(area)).map(drop)
}

/// Reads the register set with note type `note`, and returns how many bytes it filled.
///
/// # Errors
/// `EINVAL` for an unknown set or a length that is not a multiple of its element.
pub fn getregset(pid: Pid, note: u64, buffer: &mut [u8]) -> Result<usize> {
    ptrace(Request::GetRegSet, pid, note, Data::Out(buffer)).map(|count| count as usize)
}

/// Sets the options, all at once.
///
/// # Errors
/// `EINVAL` for an unknown one; nothing is changed then.
pub fn setoptions(pid: Pid, options: Options) -> Result<()> {
    word(Request::SetOptions, pid, options.bits())
}

/// Reads the message of the event-stop the tracee is in.
///
/// # Errors
/// `ESRCH`.
pub fn geteventmsg(pid: Pid) -> Result<u64> {
    read(Request::GetEventMsg, pid, 0)
}

/// Which side of a system call the tracee is at; `None` in a stop of another kind.
///
/// # Errors
/// `ESRCH`.
pub fn syscall_stop(pid: Pid) -> Result<Option<SyscallStop>> {
    let mut info = [0; SYSCALL_INFO];
    let size = SYSCALL_INFO as u64;
    ptrace(Request::GetSyscallInfo, pid, size, Data::Out(&mut info))?;
    let number = || u64::from_ne_bytes(info[24..32].try_into().expect("eight bytes"));
    Ok(match info[0] {
        1 => Some(SyscallStop::Entry(number())),
        2 => Some(SyscallStop::Exit),
        _ => None,
    })
}

/// Reads the siginfo of the stop the tracee is in.
///
/// # Errors
/// `EINVAL` where the stop has none: a group-stop.
pub fn getsiginfo(pid: Pid) -> Result<SigInfo> {
    let mut info = SigInfo::zeroed();
    ptrace(
        Request::GetSigInfo,
        pid,
        0,
        Data::Out(bytes_of_mut(&mut info)),
    )?;
    Ok(info)
}

/// Replaces the siginfo of the signal-delivery-stop the tracee is in.
///
/// # Errors
/// `EINVAL` where the stop has none.
pub fn setsiginfo(pid: Pid, info: &SigInfo) -> Result<()> {
    ptrace(Request::SetSigInfo, pid, 0, Data::In(bytes_of(info))).map(drop)
}

fn word(request: Request, pid: Pid, word: u64) -> Result<()> {
    ptrace(request, pid, 0, Data::Word(word)).map(drop)
}

fn read(request: Request, pid: Pid, addr: u64) -> Result<u64> {
    let mut word = [0; 8];
    ptrace(request, pid, addr, Data::Out(&mut word))?;
    Ok(u64::from_ne_bytes(word))
}

pub use crate::memory::{read_memory, write_memory};
