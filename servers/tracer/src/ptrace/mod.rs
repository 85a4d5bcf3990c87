//! The ptrace engine (ptrace.md): one kind of engine upon the engine layer.
//!
//! A request passes the checks of A3 here, in their order, and is then done by the file that has
//! its name.

mod attach;
mod detach;
mod events;
mod fpregs;
mod memory;
mod options;
mod regs;
mod resume;
mod seize;
mod siginfo;
mod stop;
mod syscall_info;
mod tracee;
mod user;

pub use options::Options;
pub use stop::{Stop, StopKind};
pub use tracee::{Mode, Tracee, TracerInfo};

use crate::engine::EngineId;
use crate::host;
use crate::{Host, Tracer};
use abi::errno::to_rax;
use abi::linux::ptrace as nr;
use abi::tracer::Call;
use abi::{Errno, TaskId};

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// As a message of libtrace: a PEEK's word goes back in the answer.
    Message,
    /// As the system call of an unmodified program: a PEEK's word is stored through `data`.
    SystemCall,
}

/// A request as it came.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Who asks.
    pub client: TaskId,
    /// How.
    pub entry: Entry,
    /// What: `enum __ptrace_request`.
    pub number: u64,
    /// The tid, as the int it is in Linux.
    pub pid: i32,
    /// The address argument.
    pub addr: u64,
    /// The data argument.
    pub data: u64,
}

impl Request {
    /// The request that these four arguments of ptrace(2) make.
    pub fn new(client: TaskId, entry: Entry, args: [u64; 4]) -> Request {
        let [number, pid, addr, data] = args;
        Request {
            client,
            entry,
            number,
            pid: pid as i32,
            addr,
            data,
        }
    }

    /// The request's number, one that nothing has if it is too large to be one.
    fn request(&self) -> u32 {
        u32::try_from(self.number).unwrap_or(u32::MAX)
    }
}

/// A tracee of the client's own, at a stop or not.
#[derive(Clone, Copy, Debug)]
struct Target {
    task: TaskId,
    engine: EngineId,
}

impl Tracer {
    /// Does a request: the result as a system call leaves it, and the word read by a PEEK.
    pub(crate) fn ptrace(&mut self, host: &mut impl Host, request: &Request) -> (i64, u64) {
        match self.request(host, request) {
            Ok(Done::Result(n)) => (n, 0),
            Ok(Done::Word(word)) => match request.entry {
                Entry::Message => (0, word),
                Entry::SystemCall => {
                    let bytes = word.to_le_bytes();
                    let stored = put_user(host, request.client, request.data, &bytes);
                    (to_rax(stored.map(|()| 0)), 0)
                }
            },
            Err(e) => (e.as_result(), 0),
        }
    }

    fn request(&mut self, host: &mut impl Host, request: &Request) -> Result<Done, Errno> {
        match request.request() {
            nr::PTRACE_TRACEME => self.traceme(host, request.client),
            nr::PTRACE_ATTACH => self.attach(host, request),
            nr::PTRACE_SEIZE => self.seize(host, request),
            nr::PTRACE_KILL => {
                let target = self.own_tracee(host, request)?;
                self.kill(host, target)
            }
            nr::PTRACE_INTERRUPT => {
                let target = self.own_tracee(host, request)?;
                self.see(host, target.task);
                self.interrupt(host, target)
            }
            _ => {
                let target = self.own_tracee(host, request)?;
                if let Some(done) = self.resume_unseen(host, request, target) {
                    return done;
                }
                if request.request() == nr::PTRACE_GETREGS && self.may_be_unseen(target) {
                    return self.store_regs(host, request, target, None);
                }
                self.see(host, target.task);
                self.stopped(target)?;
                self.at_stop(host, request, target)
            }
        }
    }

    /// Requests that need a stop.
    fn at_stop(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
    ) -> Result<Done, Errno> {
        match request.request() {
            nr::PTRACE_PEEKTEXT | nr::PTRACE_PEEKDATA => self.peek(host, request, target),
            nr::PTRACE_POKETEXT | nr::PTRACE_POKEDATA => self.poke(host, request, target),
            nr::PTRACE_PEEKUSR => self.peek_user(host, request, target),
            nr::PTRACE_POKEUSR => self.poke_user(host, request, target),
            nr::PTRACE_CONT => self.resume(host, request, target, Mode::Free, false),
            nr::PTRACE_SYSCALL => self.resume(host, request, target, Mode::Syscall, false),
            nr::PTRACE_SINGLESTEP => self.resume(host, request, target, Mode::Free, true),
            nr::PTRACE_SYSEMU => self.resume(host, request, target, Mode::Emulate, false),
            nr::PTRACE_SYSEMU_SINGLESTEP => self.resume(host, request, target, Mode::Emulate, true),
            nr::PTRACE_GETREGS => self.get_regs(host, request, target),
            nr::PTRACE_SETREGS => self.set_regs(host, request, target),
            nr::PTRACE_GETFPREGS => self.get_fpregs(host, request, target),
            nr::PTRACE_SETFPREGS => self.set_fpregs(host, request, target),
            nr::PTRACE_ARCH_PRCTL => self.arch_prctl(host, request, target),
            nr::PTRACE_GETREGSET => self.get_regset(host, request, target),
            nr::PTRACE_SETREGSET => self.set_regset(host, request, target),
            nr::PTRACE_DETACH => self.detach(host, request, target),
            nr::PTRACE_SETOPTIONS | nr::PTRACE_OLDSETOPTIONS => {
                self.set_options(host, request, target)
            }
            nr::PTRACE_GETEVENTMSG => self.event_message(host, request, target),
            nr::PTRACE_GETSIGINFO => self.get_siginfo(host, request, target),
            nr::PTRACE_SETSIGINFO => self.set_siginfo(host, request, target),
            nr::PTRACE_LISTEN => self.listen(host, target),
            nr::PTRACE_GET_SYSCALL_INFO => self.syscall_info(host, request, target),
            // SINGLEBLOCK is among them: the machine has no block steps.
            _ => Err(Errno::EIO),
        }
    }

    /// A3, steps 1 to 5. The client's own tracee is found without asking anybody.
    fn own_tracee(&mut self, host: &mut impl Host, request: &Request) -> Result<Target, Errno> {
        let tid = u32::try_from(request.pid).map_err(|_| Errno::ESRCH)?;
        if let Some(task) = self.tasks.find(tid)
            && let Some((engine, tracee)) = self.tasks.get_mut(task).and_then(|t| t.ptrace())
            && tracee.tracer.task == request.client
        {
            return Ok(Target { task, engine });
        }
        let target = host::view(host, &Call::Find { tid })?;
        let client = host::view(
            host,
            &Call::View {
                task: request.client,
            },
        )?;
        let own_process = target.tgid == client.tgid;
        // Pid 1's own threads get what Linux gives: it has no rule about pid 1 here.
        if tid == 1 && !own_process || attach::in_another_context(&client, &target) {
            return Err(Errno::EPERM);
        }
        Err(Errno::ESRCH)
    }

    fn may_be_unseen(&self, target: Target) -> bool {
        let task = self.tasks.get(target.task);
        task.is_some_and(|task| task.may_be_unseen())
    }

    /// A3, steps 6 and 7: at a stop, which a dead or a listening tracee is not.
    fn stopped(&mut self, target: Target) -> Result<&mut Stop, Errno> {
        self.tracee(target)?.stop.as_mut().ok_or(Errno::ESRCH)
    }

    fn tracee(&mut self, target: Target) -> Result<&mut Tracee, Errno> {
        let task = self.tasks.get_mut(target.task).ok_or(Errno::ESRCH)?;
        task.ptrace().map(|(_, t)| t).ok_or(Errno::ESRCH)
    }
}

/// What a request gives back.
enum Done {
    /// The result of the call.
    Result(i64),
    /// A word that was read.
    Word(u64),
}

/// Success.
const OK: Done = Done::Result(0);

/// Stores into the client's memory; EFAULT where it cannot.
fn put_user(host: &mut impl Host, client: TaskId, addr: u64, bytes: &[u8]) -> Result<(), Errno> {
    if bytes.is_empty() {
        return Ok(());
    }
    host::write(host, client, addr, bytes, false).map_err(|_| Errno::EFAULT)
}

/// Fetches from the client's memory; EFAULT where it cannot.
fn get_user(
    host: &mut impl Host,
    client: TaskId,
    addr: u64,
    bytes: &mut [u8],
) -> Result<(), Errno> {
    if bytes.is_empty() {
        return Ok(());
    }
    host::read(host, client, addr, bytes).map_err(|_| Errno::EFAULT)
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
