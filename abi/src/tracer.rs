//! Between the tracer and the process manager.
//!
//! The tracer Calls with a [`Call`] and gets a [`Reply`] or an [`Errno`](crate::Errno). Nothing
//! comes the other way but a notification that there are reports; [`Call::Next`] takes them.
//!
//! A report holds its task until it is answered. Everything the tracer does with a held task, a
//! ptrace stop for instance, happens between a report and its [`Answer`]; so "held" and "has a
//! report outstanding" are the same thing, and a task has at most one.
//!
//! A report that would only be published as a ptrace stop need not wake the tracer: what it says
//! of such stops beforehand ([`Posting`]) is enough for the process manager to publish them by
//! itself. The report is outstanding all the same, and *unseen* until the tracer asks for it
//! ([`Call::Take`]) or lets the task go on without looking ([`Call::Resume`]).

use crate::{InCall, SigInfo, TaskId};
use bitflags::bitflags;
use serde::{Deserialize, Serialize};

bitflags! {
    /// What the tracer wants to be told of a task (utrace.md, Events).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct Events: u32 {
        /// The task has become quiescent because the tracer asked for it.
        const QUIESCE = 1;
        /// The task is gone for good.
        const REAP = 1 << 1;
        /// It created a task.
        const CLONE = 1 << 2;
        /// Its vfork child has released it.
        const VFORK_DONE = 1 << 3;
        /// It runs a new program.
        const EXEC = 1 << 4;
        /// It is about to exit.
        const EXIT = 1 << 5;
        /// It is dead.
        const DEATH = 1 << 6;
        /// It enters a system call.
        const SYSCALL_ENTRY = 1 << 7;
        /// It leaves a system call.
        const SYSCALL_EXIT = 1 << 8;
        /// A handler is going to run.
        const SIGNAL = 1 << 9;
        /// A signal is going to be ignored.
        const SIGNAL_IGN = 1 << 10;
        /// A signal is going to stop the process.
        const SIGNAL_STOP = 1 << 11;
        /// A signal is going to end the process.
        const SIGNAL_TERM = 1 << 12;
        /// A signal is going to end the process with a core dump.
        const SIGNAL_CORE = 1 << 13;
        /// The process stops or continues for job control.
        const JCTL = 1 << 14;
    }
}

impl Events {
    /// Every signal, whatever it would do.
    pub const ANY_SIGNAL: Events = Events::SIGNAL
        .union(Events::SIGNAL_IGN)
        .union(Events::SIGNAL_STOP)
        .union(Events::SIGNAL_TERM)
        .union(Events::SIGNAL_CORE);
}

/// What happens with a signal: what its disposition says in a report, what is to be done in an
/// answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignalAction {
    /// As the disposition says.
    Deliver,
    /// Nothing.
    Ignore,
    /// The process ends.
    Terminate,
    /// The process ends and dumps core.
    Core,
    /// The process stops.
    Stop,
    /// The process stops unless its group is orphaned.
    TerminalStop,
    /// The handler runs.
    Handler,
}

/// How a task was created, as ptrace tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CloneKind {
    /// Exit signal SIGCHLD, parent not waiting.
    Fork,
    /// CLONE_VFORK.
    Vfork,
    /// Any other exit signal, threads among them.
    Clone,
}

/// The stops of a task that the process manager publishes by itself. Only for a task that no
/// engine but ptrace's is interested in: engines are told of an event in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// Signals, each with its own number as the stop's code. SIGCONT is reported still: it ends a
    /// group-stop, which the tracer has to know.
    pub signals: bool,
    /// System call entry and exit, with this code.
    pub syscalls: Option<u32>,
}

impl Posting {
    /// Everything waits for the tracer.
    pub const NONE: Posting = Posting {
        signals: false,
        syscalls: None,
    };
}

/// Something happened to a task that somebody asked to be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The task, now held.
    pub task: TaskId,
    /// Its tid now.
    pub tid: u32,
    /// The number an answer must carry.
    pub number: u32,
    /// How its registers are to be read.
    pub in_call: InCall,
    /// It has been published as a stop already ([`Posting`]).
    pub posted: bool,
    /// Another report may be waiting. If not, a notification comes before the next one does.
    pub more: bool,
    /// What happened.
    pub event: Event,
}

/// The kinds of report. Unless said otherwise the task goes on with [`Verdict::Continue`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The task stands still because [`Call::SetEvents`] asked for it.
    Quiesce,
    /// About to perform a system call. [`Verdict::AbortSyscall`] skips it; written registers
    /// change it.
    SyscallEntry,
    /// About to return from a system call.
    SyscallExit,
    /// About to act on a signal. Answered by [`Verdict::Signal`].
    Signal {
        /// The signal.
        info: SigInfo,
        /// What would happen to it.
        action: SignalAction,
    },
    /// Created a task, which has not run yet and does not before [`Call::StartChild`] or the
    /// answer to this report.
    Clone {
        /// The new task.
        child: TaskId,
        /// Its tid.
        child_tid: u32,
        /// How ptrace calls it.
        kind: CloneKind,
        /// The flags of the clone call.
        flags: u64,
    },
    /// Released by its vfork child.
    VforkDone {
        /// The child's tid.
        child_tid: u32,
    },
    /// Runs a new program; its registers are those the program starts with.
    Exec {
        /// The tid it had before, another one when a thread that was not the leader called exec.
        former_tid: u32,
    },
    /// About to exit.
    Exit {
        /// The wait status it will have.
        status: i32,
    },
    /// Dead. The task has no registers any more.
    Death {
        /// Its wait status.
        status: i32,
        /// Whether the tracer bound to it is its parent too.
        natural: bool,
    },
    /// Stopped (`stop`) or continued for job control.
    JobControl {
        /// The signal that did it.
        signo: u8,
        /// Stopped, rather than continued.
        stop: bool,
    },
    /// Reaped: the id means nothing once this is answered.
    Reap,
    /// The task made the `ptrace` system call. Answered by [`Verdict::Result`].
    Ptrace {
        /// The call's four arguments: request, pid, address, data.
        args: [u64; 4],
    },
    /// The task is exiting and has used the tracer as a client: whatever it holds must be
    /// released before this is answered.
    ClientExit,
}

/// Lets a held task go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The held task.
    pub task: TaskId,
    /// The number of its outstanding report.
    pub number: u32,
    /// Set when the task's registers were written: they are canonical now, and this is
    /// `orig_rax`.
    pub written: Option<u64>,
    /// How it runs from here on, until the next answer.
    pub step: Step,
    /// What becomes of the event.
    pub verdict: Verdict,
}

/// How a task runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Freely.
    #[default]
    None,
    /// One instruction, then SIGTRAP.
    Single,
}

/// What becomes of a reported event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It goes its way. For a signal: as its disposition says.
    Continue,
    /// The system call does not run; its result is what `rax` holds (-ENOSYS unless written).
    AbortSyscall,
    /// This happens with the signal, whose siginfo may have been replaced.
    ///
    /// To an event that is no signal: the signal is sent as the task goes on. To
    /// [`Event::Quiesce`] and [`Event::JobControl`] with the action `Stop`: the task stays in its
    /// process's job-control stop, if that still lasts.
    Signal {
        /// What to do.
        action: SignalAction,
        /// The signal to do it with.
        info: SigInfo,
    },
    /// The result of a `ptrace` system call.
    Result(i64),
}

/// A ptrace stop, as wait shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// Bits 8 and up of the wait status: the signal, with 0x80 for TRACESYSGOOD and the event
    /// number from bit 8 of this on.
    pub code: u32,
}

/// What the tracer may know of a task, answered in one message so that a permission check sees
/// one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskView {
    /// The task.
    pub task: TaskId,
    /// Its tid.
    pub tid: u32,
    /// Its process.
    pub tgid: u32,
    /// Its real parent, none when that has gone.
    pub parent: Option<TaskId>,
    /// The task that waits for its ptrace stops.
    pub tracer: Option<TaskId>,
    /// Where it is in life.
    pub state: Life,
    /// real, effective, saved user id
    pub uid: [u32; 3],
    /// real, effective, saved group id
    pub gid: [u32; 3],
    /// May be traced by its own user.
    pub dumpable: bool,
    /// Holds CAP_SYS_PTRACE.
    pub may_trace_any: bool,
    /// Its context.
    pub context: u32,
    /// The outstanding report to the tracer, if it is held by one.
    pub report: Option<u32>,
    /// It stands still for job control, because of this signal.
    pub group_stop: Option<u8>,
}

/// Where a task is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Life {
    /// Alive.
    Alive,
    /// Past its exit report, not dead yet.
    Exiting,
    /// Dead, not yet waited for.
    Zombie,
}

/// What the tracer asks of the process manager. ESRCH answers every id that is not alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call<'a> {
    /// Take the next report: [`Reply::Report`] or [`Reply::None`].
    Next,
    /// What is known of a task: [`Reply::View`].
    View {
        /// The task.
        task: TaskId,
    },
    /// The same by tid.
    Find {
        /// Its tid.
        tid: u32,
    },
    /// Start tracing: from now on `events` are reported. The answer carries the task's TCB
    /// capability, once however often this is called while it is traced. [`Reply::View`].
    Attach {
        /// The task.
        task: TaskId,
        /// What to report.
        events: Events,
    },
    /// Stop tracing. No report follows; an outstanding one is answered as if nobody had looked,
    /// the TCB capability is withdrawn, the tracer bound to it is unbound. [`Reply::Done`].
    Detach {
        /// The task.
        task: TaskId,
        /// The signal to go on with, if the report was of a signal or a stop.
        signal: Option<SigInfo>,
    },
    /// Replace the events reported. With `quiesce` the task is brought to a stand and reported as
    /// [`Event::Quiesce`] as soon as it can be, unless a report is outstanding; a task that waits
    /// in a system call is interrupted. [`Reply::Done`].
    SetEvents {
        /// The task.
        task: TaskId,
        /// What to report.
        events: Events,
        /// What to publish without reporting it.
        posting: Posting,
        /// Bring it to a stand.
        quiesce: bool,
    },
    /// Bind the ptrace tracer, whose wait sees the task's stops and death, or unbind it (none).
    /// ESRCH as well when the tracer is exiting. [`Reply::Done`].
    Bind {
        /// The tracee.
        task: TaskId,
        /// Who waits for it.
        tracer: Option<TaskId>,
    },
    /// Let a held task go on. ESRCH when that report is not outstanding. [`Reply::Done`].
    Answer(Answer),
    /// Take the unseen report of a task: [`Reply::Report`], or [`Reply::None`] when it has none.
    Take {
        /// The task.
        task: TaskId,
    },
    /// Store a held task's registers as Linux's `struct user_regs_struct` in a client's memory,
    /// when nobody has written them since the report. Without a number the report has to be
    /// unseen, and stays so. ESRCH when there is no such report. EFAULT. [`Reply::Done`].
    StoreRegs {
        /// The held task.
        task: TaskId,
        /// The number of its outstanding report.
        number: Option<u32>,
        /// Whose memory.
        client: TaskId,
        /// Where.
        addr: u64,
    },
    /// Let a task go on whose report is unseen, as [`Call::SetEvents`] and [`Call::Answer`] would:
    /// a signal that it was of is dropped. ESRCH, and nothing changes, when there is no such
    /// report. [`Reply::Done`].
    Resume {
        /// The task.
        task: TaskId,
        /// What to report from now on.
        events: Events,
        /// What to publish without reporting it.
        posting: Posting,
        /// How it runs.
        step: Step,
    },
    /// Every engine has seen this clone report: the new task may run, though its creator is held
    /// on. [`Reply::Done`].
    StartChild {
        /// The creator, held.
        task: TaskId,
        /// The number of its clone report.
        number: u32,
    },
    /// Publish a stop of a held task to the waiters of its tracer, with SIGCHLD. [`Reply::Done`].
    Post {
        /// The held task.
        task: TaskId,
        /// The number of its outstanding report.
        number: u32,
        /// What wait shows.
        stop: Stop,
    },
    /// Publish no longer: the task is about to be resumed. [`Reply::Count`]: 1 when the stop was
    /// still posted, 0 when somebody has waited for it.
    Unpost {
        /// The task.
        task: TaskId,
    },
    /// Send a signal to one task. `force` puts it through although blocked or ignored.
    /// [`Reply::Done`].
    Signal {
        /// The task.
        task: TaskId,
        /// The signal.
        info: SigInfo,
        /// Not to be blocked or ignored.
        force: bool,
    },
    /// A held task's FPU state, as FXSAVE lays it out: [`Reply::Bytes`], 512 of them. EIO where
    /// the program has destroyed the page that it takes.
    GetFpu {
        /// The held task.
        task: TaskId,
        /// The number of its outstanding report.
        number: u32,
    },
    /// Sets it; it takes effect when the task goes on. EINVAL for another length or a value of
    /// MXCSR that the processor refuses. [`Reply::Done`].
    SetFpu {
        /// The held task.
        task: TaskId,
        /// The number of its outstanding report.
        number: u32,
        /// The state.
        #[serde(with = "serde_bytes")]
        bytes: &'a [u8],
    },
    /// Read a task's memory whatever its protection: [`Reply::Bytes`], shorter than asked for
    /// where it ends. EFAULT when nothing can be read.
    Read {
        /// The task.
        task: TaskId,
        /// Where.
        addr: u64,
        /// How many bytes, at most [`MAX_DATA`](crate::wire::MAX_DATA).
        len: u32,
    },
    /// Write a task's memory. [`Reply::Count`], less than asked for where memory ends; EFAULT
    /// when nothing can be written.
    Write {
        /// The task.
        task: TaskId,
        /// Where.
        addr: u64,
        /// Write through read-only private pages, into a private copy.
        force: bool,
        /// What, at most [`MAX_DATA`](crate::wire::MAX_DATA).
        #[serde(with = "serde_bytes")]
        bytes: &'a [u8],
    },
}

/// The process manager's answers to [`Call`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply<'a> {
    /// Done.
    Done,
    /// No report is waiting.
    None,
    /// The next report.
    Report(Report),
    /// What is known of a task.
    View(TaskView),
    /// How many bytes.
    Count(u32),
    /// Bytes read.
    Bytes(#[serde(with = "serde_bytes")] &'a [u8]),
}
