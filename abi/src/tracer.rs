//! Between the tracer and the process manager.
//!
//! The tracer Calls with a [`Call`] and gets a [`Reply`] or an [`Errno`](crate::Errno). Nothing
//! comes the other way but a notification that there are reports; [`Call::Next`] takes them.
//!
//! A report holds its task until it is answered. Everything that happens with a held task, a
//! ptrace stop for instance, happens between a report and its [`Answer`]; so "held" and "has a
//! report outstanding" are the same thing, and a task has at most one.
//!
//! A report that would only be published as a ptrace stop need not wake the tracer: under a
//! [`Lease`] the process manager publishes it by itself, answers its tracer's requests and lets
//! the task go on when the tracer says so. The report is outstanding all the same, and nobody
//! else's until the tracer takes it back ([`Call::Recall`]).

use crate::ptrace::{Lease, Mode, Stop};
use crate::{SigInfo, TaskId};
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

/// Something happened to a task that somebody asked to be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The task, now held.
    pub task: TaskId,
    /// Its tid now.
    pub tid: u32,
    /// The number an answer must carry.
    pub number: u32,
    /// Another report may be waiting. If not, a notification comes before the next one does.
    pub more: bool,
    /// What happened.
    pub event: Event,
}

/// The kinds of report. Unless said otherwise the task goes on with [`Verdict::Continue`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The task stands still because [`Call::SetCourse`] asked for it.
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
    /// Created a task, which has not run yet and does not before [`Call::StartChild`], the
    /// [`Call::Post`] that gives the report away, or the answer to it.
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

/// What the tracer wants to hear of a task from here on, and how the task runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    /// What is reported. Under a lease the events of its mode come on top.
    pub events: Events,
    /// What is settled without the tracer.
    pub lease: Option<Lease>,
    /// What the task does at system calls, under a lease.
    pub mode: Mode,
    /// How it runs, from when it next goes on.
    pub step: Step,
}

/// Lets a held task go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The held task.
    pub task: TaskId,
    /// The number of its outstanding report.
    pub number: u32,
    /// What is reported from here on, and how it runs; none leaves that as it was.
    pub course: Option<Course>,
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

/// What is known of a stop that the process manager had under a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recalled {
    /// The report that holds the task, if one does; it is the tracer's now.
    pub report: Option<Report>,
    /// The stop that it was published as.
    pub stop: Option<Stop>,
    /// What the task does at system calls.
    pub mode: Mode,
    /// How it runs.
    pub step: Step,
}

/// How a new tracee is brought to its first stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum First {
    /// It runs on (PTRACE_SEIZE, PTRACE_TRACEME), unless it is stopped for job control.
    None,
    /// By SIGSTOP, as the kernel sends it (PTRACE_ATTACH).
    Attach,
    /// By SIGSTOP, which is pending when it starts (the child of a tracee).
    Child,
    /// By an event-stop (the child of a seized tracee).
    Event,
}

/// Why a tracee is let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Leave {
    /// PTRACE_DETACH from a stop, with its data argument, a signal or 0. ESRCH where it is at no
    /// stop, EIO for what is no signal.
    Request(u64),
    /// Its tracer exits. A signal that nobody has waited for is delivered as if nobody had looked;
    /// one that the tracer has seen is its own to lose.
    Exit {
        /// PTRACE_O_EXITKILL.
        kill: bool,
    },
}

/// What the tracer asks of the process manager. ESRCH answers every id that is not alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call {
    /// Take the next report: [`Reply::Report`] or [`Reply::None`].
    Next,
    /// Who a client is: [`Reply::Who`]. From now on its exit is reported ([`Event::ClientExit`]).
    Who {
        /// The client.
        task: TaskId,
    },
    /// Whether there is a task with this tid: [`Reply::Done`], or ESRCH.
    Exists {
        /// The tid.
        tid: u32,
    },
    /// Whether `client` traces the task with this tid: [`Reply::Done`], or the error that a request
    /// has which it makes about a task that is not its tracee (ptrace.md A3).
    CheckTracer {
        /// Who would trace it.
        client: TaskId,
        /// The tid.
        tid: u32,
    },
    /// Make a task the ptrace tracee of another one: from now on it is reported of as `course` says,
    /// and `tracer`'s wait sees its stops and its death. A task that is stopped for job control
    /// comes to a ptrace stop at once. [`Reply::Traced`]. ESRCH: no such task, or the tracer is
    /// exiting. EPERM: pid 1, the tracer's own process, a zombie, traced already, in another
    /// context, or not the tracer's to trace (ptrace.md A3, A4).
    Trace {
        /// The tracee, by its tid.
        tid: u32,
        /// Who traces.
        tracer: TaskId,
        /// What is reported.
        course: Course,
        /// How it stops first.
        first: First,
    },
    /// The same by the tracee itself, for its parent: [`Reply::Traced`], or [`Reply::None`] where
    /// the parent is exiting. EPERM: traced already.
    TraceMe {
        /// The tracee.
        task: TaskId,
        /// What is reported.
        course: Course,
    },
    /// The same for a task that a tracee has just created: its tracer is its creator's.
    TraceChild {
        /// The new task.
        task: TaskId,
        /// Its creator, held by its clone report.
        creator: TaskId,
        /// What is reported.
        course: Course,
        /// How it stops first.
        first: First,
    },
    /// End the bond between a tracee and its tracer, and all reports of it; it goes on from where it
    /// is held. [`Reply::Done`].
    Leave {
        /// The tracee.
        task: TaskId,
        /// Why.
        why: Leave,
    },
    /// Replace what is reported. With `at_stop`, ESRCH unless it is at a ptrace stop. With
    /// `quiesce` the task is brought to a stand and reported as [`Event::Quiesce`] as soon as it
    /// can be, unless a report is outstanding; a task that waits in a system call is interrupted.
    /// [`Reply::Done`].
    SetCourse {
        /// The task.
        task: TaskId,
        /// What is reported. How it runs is not changed.
        course: Course,
        /// Only at a ptrace stop.
        at_stop: bool,
        /// Bring it to a stand.
        quiesce: bool,
    },
    /// Take the lease back: [`Reply::Recalled`].
    Recall {
        /// The task.
        task: TaskId,
    },
    /// Let a held task go on. ESRCH when that report is not outstanding. [`Reply::Done`].
    Answer(Answer),
    /// Every engine has seen this clone report: the new task may run, though its creator is held
    /// on. [`Reply::Done`].
    StartChild {
        /// The creator, held.
        task: TaskId,
        /// The number of its clone report.
        number: u32,
    },
    /// Publish a stop of a held task to the waiters of its tracer, with SIGCHLD. With a course that
    /// has a lease the report is the process manager's from here on. [`Reply::Done`].
    Post {
        /// The held task.
        task: TaskId,
        /// The number of its outstanding report.
        number: u32,
        /// What is published.
        stop: Stop,
        /// What is reported from here on.
        course: Option<Course>,
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
}

/// The process manager's answers to [`Call`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// Done.
    Done,
    /// Nothing: no report is waiting, or nobody is left to be the tracer.
    None,
    /// The next report.
    Report(Report),
    /// A client.
    Who {
        /// Its tid.
        tid: u32,
        /// Its real user id.
        uid: u32,
    },
    /// A new tracee and its tracer.
    Traced {
        /// The tracee.
        task: TaskId,
        /// Its tid.
        tid: u32,
        /// Who traces it.
        tracer: TaskId,
    },
    /// What was under a lease.
    Recalled(Recalled),
}
