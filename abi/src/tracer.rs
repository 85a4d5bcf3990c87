//! Between the tracer and the process manager.
//!
//! The tracer Calls with a [`Call`] and gets a [`Reply`] or an [`Errno`](crate::Errno). Nothing
//! comes the other way but a notification that there are reports; [`Call::Next`] takes them.
//!
//! A report holds its task until it is answered. Everything that happens with a held task, a
//! ptrace stop for instance, happens between a report and its [`Answer`]; so "held" and "has a
//! report outstanding" are the same thing, and a task has at most one.
//!
//! A report that would only be published as a ptrace stop need not wake the tracer: where ptrace is
//! a task's only engine, its stops are *leased* ([`Course::leased`]). The process manager publishes
//! them by itself and lets the task go on when the tracee's tracer says so. The report is
//! outstanding all the same, and nobody else's until the tracer takes it back ([`Call::Recall`]).
//!
//! Where a program's engine is the only one, and wants nothing of the task, system calls are *relayed* to
//! it ([`Course::relayed`]) likewise: the process manager calls it back and does what it answers. An answer
//! that changes the engine goes to the tracer, with the report in front, which says who has been
//! [asked](Report::asked).

use crate::engine::{Calls, Handle, Response, Standing};
use crate::ptrace::{Bond, Mode, Stop};
use crate::signal::Action;
use crate::{SigInfo, TaskId};
use bitflags::bitflags;
use serde::{Deserialize, Serialize};

bitflags! {
    /// What the tracer wants to be told of a task (utrace.md, Events).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
        /// It created a task with CLONE_PTRACE, which its tracer attaches although it did not ask
        /// for clones.
        const CLONE_PTRACE = 1 << 20;
        /// A step has entered a signal's handler. Only engines that step hear of it; where none of
        /// them asks for it, the task gets a SIGTRAP as after any other step.
        const HANDLER_STEP = 1 << 21;
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

impl SignalAction {
    /// All of them, in order.
    pub const ALL: [SignalAction; 7] = [
        SignalAction::Deliver,
        SignalAction::Ignore,
        SignalAction::Terminate,
        SignalAction::Core,
        SignalAction::Stop,
        SignalAction::TerminalStop,
        SignalAction::Handler,
    ];

    /// The event that a signal is with which this happens.
    pub const fn events(self) -> Events {
        match self {
            SignalAction::Deliver => Events::ANY_SIGNAL,
            SignalAction::Handler => Events::SIGNAL,
            SignalAction::Ignore => Events::SIGNAL_IGN,
            SignalAction::Stop | SignalAction::TerminalStop => Events::SIGNAL_STOP,
            SignalAction::Terminate => Events::SIGNAL_TERM,
            SignalAction::Core => Events::SIGNAL_CORE,
        }
    }
}

/// What happens with a signal: what its disposition says in a report, what is to be done in an
/// answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CloneKind {
    /// Exit signal SIGCHLD, parent not waiting.
    Fork,
    /// CLONE_VFORK.
    Vfork,
    /// Any other exit signal, threads among them.
    Clone,
}

/// Something happened to a task that somebody asked to be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Report {
    /// The task, now held.
    pub task: TaskId,
    /// Its tid now.
    pub tid: u32,
    /// The number an answer must carry.
    pub number: u32,
    /// Another report may be waiting. If not, a notification comes before the next one does.
    pub more: bool,
    /// The number of the system call that the task is in, at the entry and the exit of one.
    pub call: u64,
    /// The signal of the job-control stop that its process is in, or 0.
    pub stopped: u8,
    /// The engine of a program that has been told of it already, by the process manager
    /// ([`Course::relayed`]): its answer comes.
    pub asked: Option<u32>,
    /// What happened.
    pub event: Event,
}

/// The kinds of report. Unless said otherwise the task goes on with [`Verdict::Continue`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Event {
    /// The task stands still because [`Call::SetCourse`] asked for it.
    Quiesce,
    /// A step has entered a signal's handler, whose first instruction is next.
    HandlerStep,
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
    /// Created a task, which has not run yet and does not before [`Call::Seen`], the
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

impl Event {
    /// Which of the events it is; none for what is no engine's.
    pub const fn events(&self) -> Events {
        match self {
            Event::Quiesce => Events::QUIESCE,
            Event::HandlerStep => Events::HANDLER_STEP,
            Event::SyscallEntry => Events::SYSCALL_ENTRY,
            Event::SyscallExit => Events::SYSCALL_EXIT,
            Event::Signal { action, .. } => action.events(),
            Event::Clone { .. } => Events::CLONE,
            Event::VforkDone { .. } => Events::VFORK_DONE,
            Event::Exec { .. } => Events::EXEC,
            Event::Exit { .. } => Events::EXIT,
            Event::Death { .. } => Events::DEATH,
            Event::JobControl { .. } => Events::JCTL,
            Event::Reap => Events::REAP,
            Event::Ptrace { .. } | Event::ClientExit => Events::empty(),
        }
    }
}

/// What the tracer wants to hear of a task from here on, and how the task runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Course {
    /// What is reported. Where ptrace's stops are leased the events of its mode come on top.
    pub events: Events,
    /// What the process manager needs to know of ptrace's engine, where there is one.
    pub bond: Option<Bond>,
    /// The process manager settles the stops of ptrace's engine by itself.
    pub leased: bool,
    /// The process manager tells the only engine there is of system calls, and does what it answers, by
    /// itself.
    pub relayed: bool,
    /// What the task does at system calls, where they are leased.
    pub mode: Mode,
    /// How it runs, from when it next goes on.
    pub step: Step,
}

impl Course {
    /// The course of a task whose only engine is ptrace's.
    pub fn of_bond(bond: Bond) -> Course {
        Course {
            events: bond.events(),
            bond: Some(bond),
            leased: true,
            ..Course::default()
        }
    }
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
    /// Nobody is told of the stop or continuation, where the event was one.
    pub quiet: bool,
}

/// How a task runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
        /// What the handler is this time, if that is not what the process has set.
        handler: Option<Action>,
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

/// A bond that the process manager has made by itself. The tracee's course is [`Course::of_bond`]'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// The tracee.
    pub task: TaskId,
    /// Its tid.
    pub tid: u32,
    /// Who traces it. Its exit is reported.
    pub tracer: TaskId,
    /// The tracer's real user id.
    pub uid: u32,
    /// What the bond is like.
    pub bond: Bond,
    /// The tracee is dead, and not reaped.
    pub dead: bool,
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
    /// What the tracer says first, and after it has faulted: it knows of nothing. All that was traced runs
    /// freely, as if every tracer had ended. [`Reply::Done`].
    Begin {
        /// Whose message it has faulted over, which fails with EIO; other messages are said again.
        over: Option<TaskId>,
    },
    /// Take the next report: [`Reply::Report`] or [`Reply::None`].
    Next,
    /// Who a client is: [`Reply::Who`]. From now on its exit is reported ([`Event::ClientExit`]).
    /// ESRCH: it exits already.
    Who {
        /// The client.
        task: TaskId,
    },
    /// Which task has this tid: [`Reply::Found`], or ESRCH.
    Find {
        /// The tid.
        tid: u32,
    },
    /// Whether `client` traces the task with this tid: [`Reply::Found`], or the error that a request
    /// has which it makes about a task that is not its tracee (ptrace.md A3).
    CheckTracer {
        /// Who would trace it.
        client: TaskId,
        /// The tid.
        tid: u32,
    },
    /// Take over the bond between a task and its tracer that the process manager has made by itself:
    /// [`Reply::Adopted`], or [`Reply::None`] where there is none.
    Adopt {
        /// The tracee.
        task: TaskId,
    },
    /// Make a task the ptrace tracee of another one: from now on it is reported of as `course` says,
    /// and `tracer`'s wait sees its stops and its death. A task that is stopped for job control
    /// comes to a ptrace stop at once. [`Reply::Traced`]. ESRCH: no such task, or the tracer is
    /// exiting. EPERM: pid 1, the tracer's own process, a zombie, traced already, in another
    /// context, or not the tracer's to trace (ptrace.md A3, A4). EAGAIN: it is another task than the
    /// one that is `known` by this tid, because exec has passed the tid on.
    Trace {
        /// The tracee, by its tid.
        tid: u32,
        /// The task that had this tid when it was last reported of.
        known: Option<TaskId>,
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
    /// End the bond between a tracee and its tracer. Without other engines there are no more reports
    /// of the task, and it goes on from where it is held: [`Reply::Done`]. With some it is they who
    /// let it go on: [`Reply::Left`] where a report of theirs holds it.
    Leave {
        /// The tracee.
        task: TaskId,
        /// Why.
        why: Leave,
        /// What the other engines of the task ask for, if there are any.
        course: Option<Course>,
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
    /// Every engine has seen this report, though the task is held on: the new task of a clone may
    /// run, and a stop for job control is one that others may be told of. [`Reply::Done`].
    Seen {
        /// The task, held.
        task: TaskId,
        /// The number of its report.
        number: u32,
        /// Nobody is told of the stop.
        quiet: bool,
    },
    /// Publish a stop of a held task to the waiters of its tracer, with SIGCHLD. With a course that
    /// is leased the report is the process manager's from here on. Without one the stop's end comes
    /// to the tracer as [`Reply::Resumed`]. [`Reply::Done`].
    Post {
        /// The held task.
        task: TaskId,
        /// The number of its outstanding report.
        number: u32,
        /// What is published.
        stop: Stop,
        /// The siginfo of a signal-delivery-stop, as engines before ptrace's have left it.
        info: Option<SigInfo>,
        /// What is reported from here on.
        course: Option<Course>,
    },
    /// Let the owner of an engine make requests about a task, and be called back about it:
    /// [`Reply::Engaged`]. ESRCH: no such task, it is being reaped, or the client is exiting. EPERM:
    /// pid 1, the client itself, or not the client's to trace. ENOMEM: the task has as many engines as
    /// there can be. EAGAIN: the client has too many. EBUSY: it has a tracer that is to be heard of before
    /// ([`Call::Adopt`]).
    Engage {
        /// The task.
        task: TaskId,
        /// Whose engine it is.
        client: TaskId,
        /// The engine's number.
        engine: u32,
        /// What it is called back with.
        data: u64,
    },
    /// The engine is gone: no callback of it will come any more. [`Reply::Done`].
    Disengage {
        /// The engine.
        handle: Handle,
    },
    /// Call an engine back. Its answer comes as [`Reply::Answered`]; there is none to
    /// [`Event::Reap`], which needs no report. [`Reply::Done`]; EAGAIN: that report is over, because
    /// the task was killed; ESRCH: there is no such engine, or nobody whom it belongs to.
    CallBack {
        /// The engine.
        handle: Handle,
        /// The number of the task's outstanding report.
        number: u32,
        /// What it is told.
        event: Event,
        /// What a handler would be for a signal, if that is not what the process has set.
        handler: Option<Action>,
    },
    /// Which system calls are reported, of those that are at all. [`Reply::Done`].
    SetCalls {
        /// The task.
        task: TaskId,
        /// Which.
        calls: Calls,
    },
    /// What lies in a client's memory: a set of system calls, [`Reply::Calls`]. EFAULT.
    ReadCalls {
        /// The client.
        client: TaskId,
        /// Where.
        addr: u64,
    },
    /// The same for a siginfo and, unless its address is 0, a `struct sigaction`:
    /// [`Reply::Signal`].
    ReadSignal {
        /// The client.
        client: TaskId,
        /// Where the siginfo is.
        info: u64,
        /// Where the action is.
        action: u64,
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
        /// It may see what concerns all contexts.
        watches: bool,
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
    /// A bond that is the tracer's from now on, told of before anything else about the task.
    Adopted(Adopted),
    /// What was under a lease.
    Recalled(Recalled),
    /// A tracee without its tracer, held by a report: what its tracer wanted of the event.
    Left(Verdict),
    /// The task that was looked for.
    Found {
        /// It.
        task: TaskId,
    },
    /// A task that has an engine more.
    Engaged {
        /// Its tid.
        tid: u32,
        /// What it was at.
        standing: Standing,
    },
    /// In place of a report: an engine has answered.
    Answered {
        /// The engine.
        handle: Handle,
        /// The number of the report that it was called back for.
        number: u32,
        /// Its answer.
        response: Response,
        /// The siginfo that it replaced the signal's by.
        info: Option<SigInfo>,
        /// The handler that it chose.
        handler: Option<Action>,
    },
    /// In place of a report: a tracer let a tracee go on from a stop that is not leased.
    Resumed {
        /// The tracee.
        task: TaskId,
        /// The number of the report that holds it.
        number: u32,
        /// What it does at system calls from here on.
        mode: Mode,
        /// How it runs.
        step: Step,
        /// What becomes of the event.
        verdict: Verdict,
    },
    /// In place of a report: a tracer wants a tracee whose stops are not leased to stop
    /// (PTRACE_INTERRUPT).
    Interrupt {
        /// The tracee.
        task: TaskId,
    },
    /// In place of a report: a task that may have spoken to the tracer runs another program, which
    /// counts its messages from 1 again.
    Begun {
        /// The task.
        task: TaskId,
    },
    /// What lies in a client's memory.
    Calls(Calls),
    /// The same.
    Signal {
        /// The siginfo.
        info: SigInfo,
        /// The action.
        handler: Option<Action>,
    },
}
