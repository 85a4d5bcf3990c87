//! Between the file server and the process manager.
//!
//! The file server Calls with a [`Call`]; [`Call::Next`] is answered only when there is a
//! [`Report`], so the file server sleeps in it. A report holds its task until
//! [`Call::Complete`].
//!
//! The bytes of files never pass through the file server. They live in *memory objects* that the
//! process manager keeps, and [`Call::Transfer`] moves them between an object and a task. The
//! boot archive is object [`ARCHIVE`]; a file of it is a range of that object, which can be mapped
//! as it is.

pub use crate::proc::{
    Counts, Layout, MAPPINGS, Mapping, MappingOf, Mappings, SystemInfo, TaskStatus, Usage,
};
use crate::{CapabilitySet, PidName, SigSet, TaskId};
use serde::{Deserialize, Serialize};

/// A memory object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectId(pub u32);

/// The boot archive: read-only, never released.
pub const ARCHIVE: ObjectId = ObjectId(0);

/// The most bytes that one [`Call::Copy`] copies, so that nobody waits long for it.
pub const MAX_COPY: u64 = 1 << 20;

/// The longest path of a report that carries it.
pub const MAX_INLINE_PATH: usize = 255;

/// Something a task wants of the file server, or the file server must know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Report<'a> {
    /// The task, held.
    pub task: TaskId,
    /// The number that completes it.
    pub number: u32,
    /// What.
    #[serde(borrow)]
    pub event: Event<'a>,
}

/// The kinds of report. `Complete` takes a result; where none is named below it is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Event<'a> {
    /// A system call; the result is what the task gets.
    Syscall {
        /// Its number.
        nr: u32,
        /// Its arguments.
        args: [u64; 6],
    },
    /// `task` was created by `parent` and has not run: it gets the parent's descriptors, working
    /// directory and mask, shared or copied. An error makes the creation fail.
    Created {
        /// Its creator.
        parent: TaskId,
        /// Its tid and its process's.
        tid: u32,
        /// Its process.
        tgid: u32,
        /// CLONE_FILES: one table of descriptors.
        share_files: bool,
        /// CLONE_FS: one working directory and mask.
        share_fs: bool,
        /// CLONE_PIDFD: the creator gets a pidfd of this, which is the result.
        pidfd: Option<PidName>,
    },
    /// Find a program to run. The answer is [`Outcome::Program`] or an error.
    FindProgram {
        /// Where its path is.
        path: Path<'a>,
        /// What a relative path begins at, as in execveat(2).
        dirfd: i32,
        /// execveat(2)'s AT_ flags.
        flags: u32,
    },
    /// `task` runs a new program, and nothing can fail any more: close what is to be closed.
    Executed {
        /// Its tid, which exec may have changed.
        tid: u32,
        /// The object and offset that [`Outcome::Program`] gave for the program.
        program: FileRange,
        /// The path that it was found by.
        #[serde(with = "serde_bytes")]
        path: &'a [u8],
    },
    /// A file is mapped. The answer is [`Outcome::File`], or EBADF, EACCES, ENODEV.
    Map {
        /// The descriptor.
        fd: i32,
        /// MAP_SHARED.
        shared: bool,
        /// PROT_WRITE.
        write: bool,
    },
    /// What process a pidfd stands for, for waitid(2). The answer is [`Outcome::Pid`], or EBADF.
    FindPid {
        /// The descriptor.
        fd: i32,
    },
    /// One of the signals that [`Call::WatchSignals`] named has come for the task. Not completed.
    Signalled,
    /// What [`Call::WatchPid`] named is over. `task` is meaningless, and it is not completed.
    Ended {
        /// Which.
        name: PidName,
        /// Nobody can wait for it any more.
        reaped: bool,
    },
    /// What the task may do, from its next report on: sent ahead of a report where it is not what
    /// the file server knows. A new task has its creator's. The bytes are [`Rights`]. Not
    /// completed.
    Rights(#[serde(with = "serde_bytes")] &'a [u8]),
    /// The task's process is about to dump core (core(5)): make the file that core_pattern names,
    /// and put into its object what an NT_FILE note says of the files that the task has mapped.
    /// The answer is [`Outcome::Core`] or an error.
    Core {
        /// The signal that it dies of.
        signo: u8,
    },
    /// Of the core file of [`Event::Core`] so many bytes are there.
    CoreWritten {
        /// How many, holes counted.
        size: u64,
    },
    /// A signal waits for the task: complete the report of this number now, with what was done
    /// so far or an ERESTART error. It is no report of its own, and is not completed.
    Interrupt,
    /// The task is dead: close everything of its own.
    Exited,
    /// The console's interrupt lines asserted; `task` is meaningless, and it is not completed.
    Console,
}

/// Soft and hard limit by RLIMIT_ number.
pub type Limits = [(u64, u64); 16];

/// What travels as the bytes of its own encoding.
pub trait Record: Serialize + for<'a> Deserialize<'a> {}
impl Record for TaskStatus {}
impl Record for Mappings {}
impl Record for Layout {}
impl Record for Limits {}
impl Record for SystemInfo {}
impl Record for Counts {}
impl Record for Rights {}

/// What a task may do with files (credentials(7), capabilities(7)), and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rights {
    /// real, effective, saved user id
    pub uid: [u32; 3],
    /// real, effective, saved group id
    pub gid: [u32; 3],
    /// User id towards files.
    pub fsuid: u32,
    /// Group id towards files.
    pub fsgid: u32,
    /// How many supplementary groups there are: [`Call::Groups`] tells them.
    pub groups: u32,
    /// What it may do.
    pub effective: CapabilitySet,
    /// What it may ever do.
    pub permitted: CapabilitySet,
    /// Its user ids have nothing to do with its capabilities (SECBIT_NO_SETUID_FIXUP).
    pub ids_only: bool,
    /// RLIMIT_NOFILE.
    pub max_fds: u64,
    /// RLIMIT_FSIZE.
    pub max_file_size: u64,
}

/// Where a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Path<'a> {
    /// In the task's memory, as a string.
    At(u64),
    /// Here.
    Inline(#[serde(with = "serde_bytes")] &'a [u8]),
}

/// A part of a memory object. Bytes behind its end and up to the end of its last page are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileRange {
    /// The object.
    pub object: ObjectId,
    /// Where in it; a multiple of the page size.
    pub offset: u64,
    /// How many bytes.
    pub size: u64,
}

/// How a report ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// A result as in `rax`.
    Result(i64),
    /// To [`Event::FindProgram`].
    Program {
        /// Its bytes.
        range: FileRange,
        /// Owner and mode bits, for set-user-id.
        uid: u32,
        /// Group.
        gid: u32,
        /// Permission and set-id bits.
        mode: u32,
        /// Whether the task may read it.
        readable: bool,
        /// A task of another process has the same working directory and mask.
        shared: bool,
        /// It was found through a descriptor that exec closes.
        closes: bool,
    },
    /// To [`Event::Map`].
    File {
        /// Its bytes.
        range: FileRange,
        /// A shared mapping may ask for PROT_WRITE later.
        may_write: bool,
    },
    /// To [`Event::FindPid`].
    Pid {
        /// Which process.
        name: PidName,
        /// The descriptor does not wait.
        nonblocking: bool,
    },
    /// To [`Event::Core`].
    Core {
        /// The file's bytes, from 0 on.
        object: ObjectId,
        /// How many bytes of the note are there; 0 for no note.
        files: u32,
        /// How long the file can be.
        room: u64,
    },
}

/// Whom a signal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scope {
    /// One thread.
    Thread,
    /// A process.
    Process,
    /// A process group, by its leader.
    Group,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// From the object to the task: a read.
    ToTask,
    /// From the task to the object: a write. The object grows as needed.
    FromTask,
}

/// The most bytes that one [`Call::TransferMemory`] moves: somebody else may want to be served.
pub const MAX_TRANSFER: u64 = 1 << 20;

/// What the file server asks of the process manager. Calls that name a report get ESRCH when it
/// is not outstanding any more: the task died, and the file server forgets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call<'a> {
    /// Take the next report; answered when there is one.
    Next,
    /// End a report. [`Reply::Done`].
    Complete {
        /// The task.
        task: TaskId,
        /// The report's number.
        number: u32,
        /// How it ends.
        outcome: Outcome,
    },
    /// Read the task's memory: [`Reply::Bytes`], EFAULT when it cannot all be read.
    Read {
        /// The task.
        task: TaskId,
        /// The report's number.
        number: u32,
        /// Where.
        addr: u64,
        /// How many bytes, at most [`MAX_DATA`](crate::wire::MAX_DATA).
        len: u32,
    },
    /// Read a string from the task's memory, without its final zero: [`Reply::Bytes`].
    /// ENAMETOOLONG when none ends within [`MAX_DATA`](crate::wire::MAX_DATA) bytes.
    ReadString {
        /// The task.
        task: TaskId,
        /// The report's number.
        number: u32,
        /// Where.
        addr: u64,
    },
    /// Write the task's memory. [`Reply::Done`], EFAULT when not all can be written.
    Write {
        /// The task.
        task: TaskId,
        /// The report's number.
        number: u32,
        /// Where.
        addr: u64,
        /// What, at most [`MAX_DATA`](crate::wire::MAX_DATA).
        #[serde(with = "serde_bytes")]
        bytes: &'a [u8],
    },
    /// Move bytes between the task and an object: [`Reply::Count`], which is less than asked for
    /// where the task's memory ends. EFAULT when it has none there, ENOSPC when an object cannot
    /// grow.
    Transfer {
        /// The task.
        task: TaskId,
        /// The report's number.
        number: u32,
        /// Where in the task.
        addr: u64,
        /// How many bytes.
        len: u64,
        /// Which object.
        object: ObjectId,
        /// Where in it. Reading what was never written gives zeros.
        offset: u64,
        /// Which way.
        direction: Direction,
    },
    /// Read an object's bytes: [`Reply::Bytes`]; zeros where nothing was written.
    ReadObject {
        /// The object.
        object: ObjectId,
        /// Where in it.
        offset: u64,
        /// How many bytes, at most [`MAX_DATA`](crate::wire::MAX_DATA).
        len: u32,
    },
    /// Write an object's bytes. [`Reply::Done`], ENOSPC.
    WriteObject {
        /// The object.
        object: ObjectId,
        /// Where in it.
        offset: u64,
        /// What, at most [`MAX_DATA`](crate::wire::MAX_DATA).
        #[serde(with = "serde_bytes")]
        bytes: &'a [u8],
    },
    /// Copy bytes from one object to another, which grows as needed: [`Reply::Count`], at most
    /// [`MAX_COPY`], less where the object cannot grow. ENOSPC. Within one object the parts must
    /// not overlap.
    Copy {
        /// From which.
        from: ObjectId,
        /// From where in it; what was never written is zeros.
        from_offset: u64,
        /// To which.
        to: ObjectId,
        /// To where in it.
        to_offset: u64,
        /// How many bytes.
        len: u64,
    },
    /// Make bytes of an object zeros. [`Reply::Done`].
    Zero {
        /// The object.
        object: ObjectId,
        /// From where on.
        offset: u64,
        /// How many.
        len: u64,
    },
    /// Make an empty object: [`Reply::Object`]. ENOSPC.
    Create,
    /// Forget all bytes from `size` on and release their memory. [`Reply::Done`].
    Truncate {
        /// The object.
        object: ObjectId,
        /// The size.
        size: u64,
    },
    /// Give an object back; mappings of it stay good. [`Reply::Done`].
    Release {
        /// The object.
        object: ObjectId,
    },
    /// Send a signal to a task, as a write to a pipe without reader does. [`Reply::Done`].
    Signal {
        /// The task.
        task: TaskId,
        /// The signal.
        signo: u8,
    },
    /// Which signals of all wait for a task, and a wish to be sent [`Event::Signalled`] when one of
    /// the set comes for it, once: [`Reply::Signals`].
    WatchSignals {
        /// The task.
        task: TaskId,
        /// Which.
        set: SigSet,
    },
    /// Take a signal of a set that waits for the task: [`Reply::Bytes`], a `siginfo_t`. EAGAIN when
    /// none does.
    TakeSignal {
        /// The task.
        task: TaskId,
        /// The report's number.
        number: u32,
        /// Which.
        set: SigSet,
    },
    /// The process or thread of a number: [`Reply::Pid`]. ESRCH; ENOENT for a thread that is no
    /// leader where only a process will do.
    FindPid {
        /// Who asks: ESRCH for what it does not see. The file server itself sees everybody.
        viewer: TaskId,
        /// The number.
        tid: u32,
        /// A thread will do.
        thread: bool,
    },
    /// Be sent [`Event::Ended`] when it ends, and when nobody can wait for it any more.
    /// [`Reply::Done`]; ESRCH when it is reaped.
    WatchPid {
        /// Which.
        name: PidName,
    },
    /// Send what a pidfd stands for a signal, as pidfd_send_signal(2) by a task. [`Reply::Done`];
    /// EINVAL, EPERM, ESRCH, EFAULT.
    SignalPid {
        /// Who sends.
        task: TaskId,
        /// The report's number.
        number: u32,
        /// To whom.
        name: PidName,
        /// To whom of it.
        scope: Scope,
        /// The signal; 0 only checks.
        signo: u32,
        /// Where the task has a siginfo, or 0.
        info: u64,
    },
    /// How many mappings of an object can be written through to it: [`Reply::Count`].
    Writers {
        /// The object.
        object: ObjectId,
    },
    /// Send a signal to a process group, as the terminal's ^C does. [`Reply::Done`].
    SignalGroup {
        /// The group.
        pgid: u32,
        /// The signal.
        signo: u8,
    },
    /// What is known of a task: [`Reply::Bytes`], a [`TaskStatus`].
    Status {
        /// Who asks: ESRCH for what it does not see. The file server itself sees everybody.
        viewer: TaskId,
        /// Its tid.
        tid: u32,
    },
    /// Numbers of tasks, ascending: [`Reply::Bytes`], four each, as many as fit.
    Tids {
        /// Who asks: ESRCH for what it does not see. The file server itself sees everybody.
        viewer: TaskId,
        /// Whose tasks, by its process's number; 0 for all processes, which are named by theirs.
        tgid: u32,
        /// The smallest number that is of interest.
        from: u32,
    },
    /// The supplementary groups of a task from this one on, ascending: [`Reply::Bytes`], four
    /// each, as many as fit.
    Groups {
        /// The task.
        task: TaskId,
        /// How many are known.
        from: u32,
    },
    /// Whether a task may look into another one (ptrace(2), "Ptrace access mode checking"):
    /// [`Reply::Done`], EACCES.
    MayAccess {
        /// Who wants to.
        viewer: TaskId,
        /// The tid of the other one.
        tid: u32,
        /// As its real ids, as a system call does, rather than as those towards files.
        real: bool,
    },
    /// Read another task's memory, whatever its protection: [`Reply::Bytes`], which end where
    /// its memory does. EIO when it has none there, ESRCH when nobody has that memory any more.
    Peek {
        /// The memory's name ([`TaskStatus::memory`]).
        memory: u64,
        /// Where.
        addr: u64,
        /// How many bytes, at most [`MAX_DATA`](crate::wire::MAX_DATA).
        len: u32,
    },
    /// Move bytes between the task and memory that has a name, as a tracer does, whatever that one's
    /// protection: [`Reply::Count`], at most [`MAX_TRANSFER`]. What is read from is looked at first: EIO where
    /// the named memory ends, EFAULT where the task's does, ESRCH when nobody has the named memory any more.
    TransferMemory {
        /// The task.
        task: TaskId,
        /// The report's number.
        number: u32,
        /// Where, in the task.
        addr: u64,
        /// How many bytes.
        len: u64,
        /// The memory's name.
        memory: u64,
        /// Where, in that.
        from: u64,
        /// Which way; the memory is the object.
        direction: Direction,
    },
    /// What a task has mapped: [`Reply::Bytes`], a [`Mappings`], ascending.
    Mappings {
        /// Who asks: ESRCH for what it does not see. The file server itself sees everybody.
        viewer: TaskId,
        /// Its tid.
        tid: u32,
        /// The memory's name; ESRCH when it is not the task's any more.
        memory: u64,
        /// The lowest end that is of interest.
        from: u64,
    },
    /// Where a program's parts are in its memory: [`Reply::Bytes`], a [`Layout`]. ESRCH for a task without
    /// memory.
    Layout {
        /// Who asks: ESRCH for what it does not see. The file server itself sees everybody.
        viewer: TaskId,
        /// Its tid.
        tid: u32,
        /// The memory's name; ESRCH when it is not the task's any more.
        memory: u64,
    },
    /// Set a task's name. [`Reply::Done`].
    SetComm {
        /// Who asks: ESRCH for what it does not see. The file server itself sees everybody.
        viewer: TaskId,
        /// Its tid.
        tid: u32,
        /// The name, ended by zeros.
        comm: [u8; 16],
    },
    /// Set which memory a task's process dumps, as /proc/PID/coredump_filter. [`Reply::Done`],
    /// EINVAL for bits that there are not.
    SetDumpFilter {
        /// Who asks: ESRCH for what it does not see. The file server itself sees everybody.
        viewer: TaskId,
        /// Its tid.
        tid: u32,
        /// The filter.
        filter: u32,
    },
    /// A task's resource limits: [`Reply::Bytes`], [`Limits`].
    Limits {
        /// Who asks: ESRCH for what it does not see. The file server itself sees everybody.
        viewer: TaskId,
        /// Its tid.
        tid: u32,
    },
    /// What is known of the machine: [`Reply::Bytes`], a [`SystemInfo`].
    System,
    /// How much of everything is in use: [`Reply::Bytes`], [`Counts`]. EACCES for who does not see all.
    Counts {
        /// Who asks.
        viewer: TaskId,
    },
    /// The time: [`Reply::Time`].
    Time,
    /// Be sent [`Event::Console`] at this time of the monotonic clock at the latest.
    /// [`Reply::Done`].
    WakeAt {
        /// In nanoseconds; `u64::MAX` for never.
        deadline: u64,
    },
}

/// The process manager's answers to [`Call`]. Small, since each is copied a few times on its way:
/// what is large comes as bytes of its own encoding ([`Record`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply<'a> {
    /// Done.
    Done,
    /// The next report.
    Report(#[serde(borrow)] Report<'a>),
    /// How many bytes.
    Count(u64),
    /// Bytes read.
    Bytes(#[serde(with = "serde_bytes")] &'a [u8]),
    /// A new object.
    Object(ObjectId),
    /// Signals.
    Signals(SigSet),
    /// A process or thread.
    Pid(PidName),
    /// The time.
    Time {
        /// Nanoseconds since the machine started.
        monotonic: u64,
        /// Nanoseconds since 1970.
        realtime: u64,
    },
}
