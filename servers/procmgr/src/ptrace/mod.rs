//! Requests about a tracee, by its tracer (ptrace.md A3, A5 to A7).
//!
//! What a tracer does with a stopped tracee needs nothing but what is kept here: registers, memory,
//! signals, the stop itself. So it is done here, by message or by system call, and so are attaching,
//! detaching and options where nobody else watches the task ([`crate::tracing`]). The tracer server hears
//! only of what it decides: events that are no mere stops, and whatever concerns a task that others watch
//! too ([`abi::tracer::Course::leased`]).

mod compat;
mod debug;
mod fpregs;
mod interrupt;
mod memory;
mod registers;
mod regset;
mod resume;
mod rseq;
mod shown;
mod siginfo;
mod signals;
mod stop;
mod syscall_info;
mod user;

use crate::Procmgr;
use crate::machine::Machine;
use abi::client::{PTRACE_COUNT, PTRACE_FAULT};
use abi::linux::ptrace as nr;
use abi::ptrace::Mode;
use abi::signal::SIGKILL;
use abi::tracer::Step;
use abi::{Errno, SigInfo, TaskId};

pub use debug::DebugRegisters;
pub(crate) use resume::signal_argument;
pub use shown::StopPage;
pub use stop::Stopped;

/// What a request gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// The result of the call.
    Result(i64),
    /// A word that was read.
    Word(u64),
    /// Nothing: the tracer server has to be asked.
    Ask,
}

/// Success.
const OK: Done = Done::Result(0);

/// A request about a task that the client may make requests about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    /// Who asks.
    pub client: TaskId,
    /// About whom.
    pub target: TaskId,
    /// The address argument.
    pub addr: u64,
    /// The data argument.
    pub data: u64,
}

impl Procmgr {
    /// A request with the four arguments of ptrace(2). It and what it is made of are inlined: two calls are a twentieth of a
    /// short request.
    #[inline(always)]
    pub(crate) fn ptrace(
        &mut self,
        m: &mut impl Machine,
        client: TaskId,
        [number, pid, addr, data]: [u64; 4],
    ) -> Result<Done, Errno> {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        match number {
            nr::PTRACE_TRACEME => return self.trace_me_untold(m, client),
            nr::PTRACE_ATTACH => return self.attach_untold(m, client, pid as i32, None),
            nr::PTRACE_SEIZE => {
                return self.attach_untold(m, client, pid as i32, Some([addr, data]));
            }
            PTRACE_COUNT | PTRACE_FAULT => return Ok(Done::Ask),
            _ => {}
        }
        let request = Request {
            client,
            target: self.own_tracee(client, pid as i32)?,
            addr,
            data,
        };
        match number {
            nr::PTRACE_KILL => self.kill_tracee(m, &request),
            nr::PTRACE_INTERRUPT => self.interrupt_tracee(m, &request),
            nr::PTRACE_DETACH => self.detach_untold(m, request.target, data),
            nr::PTRACE_SETOPTIONS | nr::PTRACE_OLDSETOPTIONS => {
                self.set_options_untold(request.target, data)
            }
            _ => {
                self.at_stop(request.target)?;
                self.request_at_stop(m, number, &request)
            }
        }
    }

    /// A request about a task that stands still.
    #[inline(always)]
    pub(crate) fn request_at_stop(
        &mut self,
        m: &mut impl Machine,
        number: u32,
        request: &Request,
    ) -> Result<Done, Errno> {
        match number {
            nr::PTRACE_PEEKTEXT | nr::PTRACE_PEEKDATA => self.peek_data(m, request),
            nr::PTRACE_POKETEXT | nr::PTRACE_POKEDATA => self.poke_data(m, request),
            nr::PTRACE_PEEKUSR => self.peek_user(m, request),
            nr::PTRACE_POKEUSR => self.poke_user(m, request),
            nr::PTRACE_CONT => self.resume_tracee(m, request, Mode::Free, Step::None),
            nr::PTRACE_SYSCALL => self.resume_tracee(m, request, Mode::Syscall, Step::None),
            nr::PTRACE_SINGLESTEP => self.resume_tracee(m, request, Mode::Free, Step::Single),
            nr::PTRACE_SYSEMU => self.resume_tracee(m, request, Mode::Emulate, Step::None),
            nr::PTRACE_SYSEMU_SINGLESTEP => {
                self.resume_tracee(m, request, Mode::Emulate, Step::Single)
            }
            nr::PTRACE_GETREGS => self.get_regs(m, request),
            nr::PTRACE_SETREGS => self.set_regs(m, request),
            nr::PTRACE_GETFPREGS => self.get_fpregs(m, request),
            nr::PTRACE_SETFPREGS => self.set_fpregs(m, request),
            nr::PTRACE_ARCH_PRCTL => self.arch_prctl_tracee(m, request),
            nr::PTRACE_GETREGSET => self.get_regset(m, request),
            nr::PTRACE_SETREGSET => self.set_regset(m, request),
            nr::PTRACE_GETEVENTMSG => self.event_message(m, request),
            nr::PTRACE_GETSIGINFO => self.get_siginfo(m, request),
            nr::PTRACE_SETSIGINFO => self.set_siginfo(m, request),
            nr::PTRACE_PEEKSIGINFO => self.peek_siginfo(m, request),
            nr::PTRACE_GETSIGMASK => self.get_sigmask(m, request),
            nr::PTRACE_SETSIGMASK => self.set_sigmask(m, request),
            nr::PTRACE_LISTEN => self.listen(m, request),
            nr::PTRACE_GET_SYSCALL_INFO => self.syscall_info(m, request),
            nr::PTRACE_SET_SYSCALL_INFO => self.set_syscall_info(m, request),
            nr::PTRACE_GET_RSEQ_CONFIGURATION => self.rseq_configuration(m, request),
            // As Linux does on a processor that cannot stop at branches: after each instruction.
            nr::PTRACE_SINGLEBLOCK => self.resume_tracee(m, request, Mode::Free, Step::Single),
            _ => Err(Errno::EIO),
        }
    }

    /// A3, steps 1 to 5: the task with a tid, if the client traces it.
    #[inline]
    pub(crate) fn own_tracee(&self, client: TaskId, pid: i32) -> Result<TaskId, Errno> {
        let tid = u32::try_from(pid).map_err(|_| Errno::ESRCH)?;
        let target = self.by_tid(tid).ok_or(Errno::ESRCH)?;
        match self.task(target).trace.tracer == Some(client) {
            true => Ok(target),
            false => Err(self.refusal(client, target)),
        }
    }

    /// Why a client makes no requests about a task that it does not trace.
    #[cold]
    fn refusal(&self, client: TaskId, target: TaskId) -> Errno {
        let (own, other) = (self.process_of(client), self.process_of(target));
        // Pid 1's own threads get what Linux gives: it has no rule about pid 1 here.
        if self.task(target).tid == 1 && other != own || !self.sees(client, other) {
            return Errno::EPERM;
        }
        Errno::ESRCH
    }

    /// A request's buffer of so many bytes where it is, if it lies in one page that can be read.
    fn buffer<'a, const N: usize>(
        &mut self,
        m: &'a mut impl Machine,
        r: &Request,
    ) -> Option<&'a [u8; N]> {
        let space = self.task(r.client).space?;
        let bytes = self.memory.bytes_at(m, space, r.data, N)?;
        bytes.try_into().ok()
    }

    /// Today's Linux: SIGKILL, whether at a stop or not. A tracee that is dead already is not news.
    fn kill_tracee(&mut self, m: &mut impl Machine, request: &Request) -> Result<Done, Errno> {
        if self.task(request.target).alive() {
            let info = SigInfo::new(SIGKILL, abi::signal::code::SI_USER);
            self.signal_task(m, request.target, info)?;
        }
        Ok(OK)
    }
}

/// Words as they lie in memory.
fn words_of<const N: usize>(bytes: &[u8]) -> [u64; N] {
    let mut words = [0; N];
    for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = u64::from_le_bytes(chunk.try_into().expect("chunks of eight bytes"));
    }
    words
}

/// Memory as it holds words.
fn bytes_of<const N: usize>(words: &[u64]) -> [u8; N] {
    let mut bytes = [0; N];
    for (chunk, word) in bytes.chunks_exact_mut(8).zip(words) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}
