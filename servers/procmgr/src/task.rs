//! A task: one thread of execution.

use crate::credentials::Credentials;
use crate::engines::Inbox;
use crate::hold::Hold;
use crate::machine::SpaceIx;
use crate::process::ProcessIx;
use crate::registers::Registers;
use crate::scheduling::Scheduling;
use crate::signal::pending::Pending;
use crate::trace::Trace;
use crate::wait::WaitRequest;
use crate::{exec, signal};
use abi::fs::Usage;
use abi::{SigSet, TaskId};
use alloc::boxed::Box;
use alloc::rc::Rc;
use core::hash::{Hash, Hasher};

/// Everything that is the task's own.
#[derive(Clone)]
pub struct Task {
    /// Its name between servers.
    pub id: TaskId,
    /// Its name for programs. exec by a thread that is not the leader changes it.
    pub tid: u32,
    /// The process it belongs to.
    pub process: ProcessIx,
    /// Who it acts as.
    pub credentials: Rc<Credentials>,
    /// prctl(2), PR_SET_NO_NEW_PRIVS.
    pub no_new_privileges: bool,
    /// The signal it gets when its parent dies.
    pub parent_death_signal: u8,
    /// It has become a user with more tasks than its limit: execve(2) fails while that lasts.
    pub over_process_limit: bool,
    /// The file server knows its credentials and limits as they are.
    pub rights_told: bool,
    /// Its address space; none once it is dead.
    pub space: Option<SpaceIx>,
    /// What it is doing.
    pub state: State,
    /// Its registers, good while it is not [`State::Running`].
    pub registers: Registers,
    /// Blocked signals.
    pub mask: SigSet,
    /// The mask to go back to when a system call that replaced it ends.
    pub saved_mask: Option<SigSet>,
    /// Signals of which the file server wants to hear when one comes.
    pub watched_signals: SigSet,
    /// Signals sent to this task alone.
    pub pending: Pending,
    /// Where handlers with SA_ONSTACK run.
    pub altstack: signal::frame::AltStack,
    /// The tracer's interest in it.
    pub trace: Trace,
    /// It has to stop for job control before it runs on.
    pub stop_pending: bool,
    /// The signal its parent gets when it dies; 0 for none.
    pub exit_signal: u8,
    /// Cleared, and waited on, when it dies.
    pub clear_child_tid: u64,
    /// Its list of robust mutexes, or 0.
    pub robust_list: u64,
    /// Whom to wake when it execs or dies: its creator waits in vfork.
    pub vfork_waiter: Option<TaskId>,
    /// Its wait status, from the moment it begins to exit.
    pub exit_status: Option<i32>,
    /// When its wait ends by itself.
    pub wake_at: Option<u64>,
    /// The fault its next signal frame tells of.
    pub fault_detail: signal::frame::FaultDetail,
    /// What a restarted call goes on with.
    pub restart: Option<Restart>,
    /// Its program's name, as /proc/PID/comm shows it.
    pub comm: [u8; 16],
    /// How it would like to be scheduled.
    pub scheduling: Scheduling,
    /// The number of its latest report, to the tracer or the file server.
    pub report_number: u32,
    /// When it was made, on the monotonic clock.
    pub started: u64,
    /// The file server was told to hurry.
    pub interrupted: bool,
    /// Where it goes on when it has waited in a message.
    pub landing: Option<Landing>,
    /// What its engines are to be told, once it has had any.
    pub inbox: Option<Box<Inbox>>,
    /// What it was answered lately.
    pub said: abi::client::Said,
    /// It has said something to the process manager.
    pub spoken: bool,
    /// What it has used, but for what its thread has run.
    pub usage: Usage,
    /// `gs` base, which the kernel does not keep.
    pub gs_base: u64,
}

/// What a task is doing. Its thread runs only in `Running` and `Stub`.
#[derive(Clone, Hash)]
pub enum State {
    /// In its program.
    Running,
    /// In a system call that waits for something of ours.
    Waiting(Wait),
    /// Held by a report to the file server.
    Fs(FsPurpose),
    /// Held by a report to the tracer.
    Held(Hold),
    /// Running a stub, and then this.
    Stub(AfterStub),
    /// Stopped for job control.
    Stopped,
    /// Standing still while its process dumps core; it exits afterwards.
    Dumping,
    /// Dead; its wait status is `exit_status`.
    Zombie,
    /// On its way from one state to the next, within one message.
    Moving,
}

/// What a system call waits for.
#[derive(Clone, Hash)]
pub enum Wait {
    /// A child or tracee.
    Child(WaitRequest),
    /// A callback of one of its engines, which goes to this address.
    Callback {
        /// The address.
        buffer: u64,
    },
    /// Any signal.
    Signal,
    /// A signal of a set, in `rt_sigtimedwait`.
    SignalOf {
        /// The set.
        set: SigSet,
        /// Where siginfo goes, or 0.
        info: u64,
    },
    /// A time of the monotonic clock.
    Sleep(Sleep),
    /// The file server has not set up the child of its fork yet.
    Fork {
        /// The child.
        child: TaskId,
    },
    /// Its vfork child runs in its address space.
    Vfork {
        /// The child.
        child: TaskId,
        /// The child's tid, to be returned.
        tid: u32,
    },
    /// A wake of a futex.
    Futex {
        /// Which.
        key: crate::futex::Key,
        /// What it waits for.
        wait: crate::syscall::futex::FutexWait,
    },
    /// The other tasks of its process are not dead yet: its exec goes on without them.
    Others(alloc::boxed::Box<exec::Ready>),
}

/// Where a task goes on that waits in a message ([`abi::client::WAIT`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Landing {
    /// The instruction.
    pub ip: u64,
    /// The stack pointer.
    pub sp: u64,
}

/// A call that goes on where it was when restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Restart {
    /// nanosleep and clock_nanosleep.
    Sleep(Sleep),
    /// FUTEX_WAIT with a timeout.
    Futex(crate::syscall::futex::FutexWait),
}

/// A sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sleep {
    /// Until when it sleeps, on the monotonic clock.
    pub deadline: u64,
    /// Where the remaining time goes when a handler interrupts it, or 0.
    pub remaining: u64,
    /// An absolute sleep is restarted by its own arguments and tells no remaining time.
    pub absolute: bool,
}

/// Why a task is held by a report to the file server.
#[derive(Clone, Hash)]
pub enum FsPurpose {
    /// Its system call.
    Syscall {
        /// The number.
        nr: u32,
        /// The arguments.
        args: [u64; 6],
    },
    /// It is new; its creator waits.
    Created {
        /// Its creator.
        parent: TaskId,
        /// CLONE_FILES.
        share_files: bool,
        /// CLONE_FS.
        share_fs: bool,
        /// How it was created.
        args: crate::fork::CloneArgs,
    },
    /// execve looks for a file.
    FindProgram(alloc::boxed::Box<exec::Exec>),
    /// execve is done.
    Executed(alloc::boxed::Box<exec::Executed>),
    /// mmap of a file.
    Map(crate::syscall::memory::MapCall),
    /// waitid for a pidfd, with its arguments.
    WaitPid([u64; 6]),
    /// Its process dumps core: the file is being made.
    Core {
        /// The signal.
        signo: u8,
    },
    /// The core file is complete.
    CoreWritten {
        /// Its size.
        size: u64,
    },
    /// It is dead.
    Exited,
}

/// What follows a stub.
#[derive(Clone, Hash)]
pub enum AfterStub {
    /// The FPU state is saved: fork.
    Fork(crate::fork::CloneArgs),
    /// The frame is complete: enter the handler with `regs`.
    Handler,
    /// The FPU state is what it was: go on with `regs`.
    Sigreturn,
    /// The FPU state is the parent's: the new task starts.
    Start,
    /// The FPU state is a new program's.
    Exec {
        /// The tid it had before.
        former_tid: u32,
    },
}

/// What tells two states apart ([`Procmgr::identify`](crate::Procmgr::identify)).
impl Hash for Task {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Task {
            registers,
            id,
            tid,
            process,
            credentials,
            no_new_privileges,
            parent_death_signal,
            over_process_limit,
            rights_told,
            space,
            state,
            mask,
            saved_mask,
            watched_signals,
            pending,
            altstack,
            trace,
            stop_pending,
            exit_signal,
            clear_child_tid,
            robust_list,
            vfork_waiter,
            exit_status,
            wake_at,
            fault_detail,
            restart,
            comm,
            scheduling,
            report_number,
            started,
            interrupted,
            landing,
            inbox,
            said,
            usage,
            gs_base,
            spoken,
        } = self;
        (
            id,
            tid,
            process,
            credentials,
            no_new_privileges,
            parent_death_signal,
            over_process_limit,
            rights_told,
        )
            .hash(hasher);
        (
            space,
            state,
            mask,
            saved_mask,
            watched_signals,
            pending,
            altstack,
            trace,
        )
            .hash(hasher);
        (
            stop_pending,
            exit_signal,
            clear_child_tid,
            robust_list,
            vfork_waiter,
            exit_status,
            wake_at,
            fault_detail,
        )
            .hash(hasher);
        (
            restart,
            comm,
            scheduling,
            report_number,
            started,
            interrupted,
            landing,
            inbox,
        )
            .hash(hasher);
        (said, usage, gs_base, spoken).hash(hasher);
        // While it runs, the thread has them, and what is here is old.
        if !matches!(state, State::Running) {
            registers.known().hash(hasher);
        }
    }
}

impl Task {
    /// A task that has not run.
    pub fn new(
        id: TaskId,
        tid: u32,
        process: ProcessIx,
        space: SpaceIx,
        credentials: Rc<Credentials>,
    ) -> Task {
        Task {
            id,
            tid,
            process,
            credentials,
            no_new_privileges: false,
            parent_death_signal: 0,
            over_process_limit: false,
            rights_told: false,
            space: Some(space),
            state: State::Moving,
            registers: Registers::new(),
            mask: SigSet::EMPTY,
            saved_mask: None,
            watched_signals: SigSet::EMPTY,
            pending: Pending::default(),
            altstack: signal::frame::AltStack::default(),
            trace: Trace::default(),
            stop_pending: false,
            exit_signal: 0,
            clear_child_tid: 0,
            robust_list: 0,
            vfork_waiter: None,
            exit_status: None,
            wake_at: None,
            fault_detail: signal::frame::FaultDetail::default(),
            restart: None,
            comm: [0; 16],
            scheduling: Scheduling::default(),
            report_number: 0,
            started: 0,
            interrupted: false,
            landing: None,
            inbox: None,
            said: abi::client::Said::default(),
            spoken: false,
            usage: Usage::default(),
            gs_base: 0,
        }
    }

    /// Whether a signal that may be delivered now would find it.
    pub fn blocks(&self, signo: u8) -> bool {
        self.mask.has(signo)
    }

    /// Whether a server may have answered it something.
    pub fn has_spoken(&self) -> bool {
        self.spoken || self.trace.client
    }

    /// Whether its thread exists and its program may still run.
    pub fn alive(&self) -> bool {
        self.exit_status.is_none()
    }
}
