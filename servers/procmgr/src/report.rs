//! Reports on their way to the tracer and the file server.

use crate::Procmgr;
use crate::credentials::SECBIT_NO_SETUID_FIXUP;
use crate::hold::{Hold, Resumed};
use crate::machine::Machine;
use crate::task::{FsPurpose, State, Wait};
use abi::fs::{self, Path};
use abi::linux::general as g;
use abi::tracer::{Reply, Report};
use abi::wire::{self, Buffer};
use abi::{Errno, PidName, TaskId};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::hash::{Hash, Hasher};

/// Reports not taken yet. Each task is at most once for each thing in each queue, so they are bounded.
#[derive(Clone)]
pub struct Queues {
    to_tracer: VecDeque<(TaskId, ToTracer)>,
    to_fs: VecDeque<(TaskId, ToFs)>,
    /// Processes and threads whose end the file server is to be told of: each of those that it
    /// watches twice at most, so they are bounded by the numbers that there are.
    ended: VecDeque<(PidName, bool)>,
    /// The file server sleeps in its call.
    pub fs_parked: bool,
    /// The console asserted its interrupt.
    pub console: bool,
    /// The report that the file server took last.
    handed: Option<(TaskId, u32)>,
    /// Where reports to the file server are encoded, kept so that it need not be cleared.
    buffer: Option<Box<Buffer>>,
}

/// What the tracer is to be told of a task.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum ToTracer {
    /// What holds it.
    Report,
    /// An engine's answer.
    Answered,
    /// Its tracer lets it go on.
    Resumed,
    /// Its tracer wants it to stop.
    Interrupt,
    /// It runs another program.
    Begun,
}

/// What the file server is to be told of a task.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum ToFs {
    Report,
    Interrupt,
    Rights,
    Signalled,
}

impl Queues {
    /// Empty.
    pub fn new() -> Queues {
        let slots = abi::task::SLOTS;
        Queues {
            to_tracer: VecDeque::with_capacity(4 * slots),
            to_fs: VecDeque::with_capacity(4 * slots),
            ended: VecDeque::new(),
            fs_parked: false,
            console: false,
            handed: None,
            buffer: None,
        }
    }

    /// Whether a task's report to the tracer waits to be taken.
    pub fn queued_to_tracer(&self, id: TaskId) -> bool {
        self.to_tracer.contains(&(id, ToTracer::Report))
    }

    /// There is nothing for the tracer to take.
    pub fn forget_tracer(&mut self) {
        self.to_tracer.clear();
    }

    /// Whether a task's report to the file server waits to be taken.
    pub fn queued_to_fs(&self, id: TaskId) -> bool {
        self.to_fs.contains(&(id, ToFs::Report))
    }
}

/// What tells two states apart ([`Procmgr::identify`]).
impl Hash for Queues {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Queues {
            to_tracer,
            to_fs,
            ended,
            handed,
            fs_parked,
            console,
            // Written before it is read.
            buffer: _,
        } = self;
        (to_tracer, to_fs, ended, handed, fs_parked, console).hash(hasher);
    }
}

impl Procmgr {
    /// Holds a task and reports it to the tracer. Order: hold, publish, notify.
    pub(crate) fn report(&mut self, m: &mut impl Machine, id: TaskId, event: Hold) {
        let stop = self.leased_stop(id, &event);
        let task = self.task_mut(id);
        task.report_number = task.report_number.wrapping_add(1);
        task.trace.taken = false;
        task.trace.seen = false;
        task.state = State::Held(event);
        if let Some(stop) = stop {
            return self.publish(m, id, stop);
        }
        if !self.relay(m, id, &event) {
            self.tell_tracer(m, id, ToTracer::Report);
        }
    }

    /// Something for the tracer to take.
    pub(crate) fn tell_tracer(&mut self, m: &mut impl Machine, id: TaskId, what: ToTracer) {
        let first = self.reports.to_tracer.is_empty();
        if self.reports.to_tracer.contains(&(id, what)) {
            return;
        }
        self.reports.to_tracer.push_back((id, what));
        if first {
            m.notify_tracer();
        }
    }

    /// The next thing for the tracer. What was withdrawn meanwhile is passed over, whatever holds its
    /// task now.
    pub(crate) fn next_for_tracer(&mut self) -> Reply {
        while let Some((id, what)) = self.reports.to_tracer.pop_front() {
            if what == ToTracer::Report
                && self.is_at_event(id)
                && let Some(adopted) = self.hand_over(id)
            {
                self.reports.to_tracer.push_front((id, what));
                return adopted;
            }
            let reply = match what {
                ToTracer::Report => self.next_report(id).map(Reply::Report),
                ToTracer::Answered => self.take_answered(id),
                ToTracer::Resumed => self.take_resumed(id),
                ToTracer::Interrupt => {
                    let found = self.find_task(id).is_ok();
                    found.then_some(Reply::Interrupt { task: id })
                }
                ToTracer::Begun => {
                    let found = self.find_task(id).is_ok();
                    found.then_some(Reply::Begun { task: id })
                }
            };
            if let Some(reply) = reply {
                return reply;
            }
        }
        Reply::None
    }

    /// Whether a task is held by an event of its own, which engines have a word in.
    pub(crate) fn is_at_event(&self, id: TaskId) -> bool {
        let task = self.find_task(id);
        task.is_ok_and(|t| matches!(t.state, State::Held(hold) if hold.is_event()))
    }

    fn next_report(&mut self, id: TaskId) -> Option<Report> {
        let leased = self.find_task(id).ok()?.trace.stopped.is_some();
        if leased {
            return None;
        }
        self.take_report(id)
    }

    /// How a tracee goes on from its stop, for the tracer.
    fn take_resumed(&mut self, id: TaskId) -> Option<Reply> {
        let number = self.find_task(id).ok()?.report_number;
        let trace = &mut self.task_mut(id).trace;
        let Resumed { mode, step, going } = trace.resumed.take()?;
        Some(Reply::Resumed {
            task: id,
            number,
            mode,
            step,
            verdict: going.verdict(trace.signal),
        })
    }

    /// The report a task is held by, if the tracer has not taken it.
    pub(crate) fn take_report(&mut self, id: TaskId) -> Option<Report> {
        let more = !self.reports.to_tracer.is_empty();
        let task = self.find_task(id).ok()?;
        let State::Held(event) = task.state else {
            return None;
        };
        if task.trace.taken {
            return None;
        }
        let report = Report {
            task: id,
            tid: task.tid,
            number: task.report_number,
            more,
            stopped: match event {
                Hold::Reap => 0,
                _ => self.process(task.process).stopped.unwrap_or(0),
            },
            call: match event {
                Hold::SyscallEntry | Hold::SyscallExit => {
                    task.registers.call_number().unwrap_or(u64::MAX)
                }
                _ => 0,
            },
            asked: task.trace.asked_already(),
            event: event.event(task.trace.signal),
        };
        self.task_mut(id).trace.taken = true;
        Some(report)
    }

    /// Holds a task and reports it to the file server.
    pub(crate) fn report_fs(&mut self, m: &mut impl Machine, id: TaskId, purpose: FsPurpose) {
        let started = matches!(purpose, FsPurpose::Created { .. }).then(|| m.now());
        // The file server does not know a new task yet, and of a dead one it needs to know nothing.
        let matters = !matches!(purpose, FsPurpose::Created { .. } | FsPurpose::Exited);
        let task = self.task_mut(id);
        if matters && !core::mem::replace(&mut task.rights_told, true) {
            self.reports.to_fs.push_back((id, ToFs::Rights));
        }
        let task = self.task_mut(id);
        task.report_number = task.report_number.wrapping_add(1);
        task.started = started.unwrap_or(task.started);
        task.interrupted = false;
        task.state = State::Fs(purpose);
        self.reports.to_fs.push_back((id, ToFs::Report));
        self.feed_fs(m);
    }

    /// Asks the file server to end a task's report now.
    pub(crate) fn interrupt_fs(&mut self, m: &mut impl Machine, id: TaskId) {
        let task = self.task_mut(id);
        if !core::mem::replace(&mut task.interrupted, true) {
            self.reports.to_fs.push_back((id, ToFs::Interrupt));
            self.feed_fs(m);
        }
    }

    /// Tells the file server that a signal has come that it watches for.
    pub(crate) fn tell_fs_of_signal(&mut self, m: &mut impl Machine, id: TaskId) {
        self.reports.to_fs.push_back((id, ToFs::Signalled));
        self.feed_fs(m);
    }

    /// Tells the file server that a process or thread is over, if it wants to know: once when it
    /// is dead, once when nobody can wait for it any more.
    pub(crate) fn tell_fs_of_end(&mut self, m: &mut impl Machine, tid: u32, reaped: bool) {
        let watched = &mut self.tables.watched[tid as usize];
        if !*watched {
            return;
        }
        *watched = !reaped;
        let name = self.pid_name(tid);
        self.reports.ended.push_back((name, reaped));
        self.feed_fs(m);
    }

    /// Answers the file server's parked call if there is something to tell.
    pub(crate) fn feed_fs(&mut self, m: &mut impl Machine) {
        if !self.reports.fs_parked {
            return;
        }
        let buffer = self.reports.buffer.take();
        let mut buffer = buffer.unwrap_or_else(|| Box::new([0; wire::MAX]));
        if let Some(len) = self.next_fs_report(&mut buffer) {
            self.reports.fs_parked = false;
            m.answer_fs(&buffer[..len]);
        }
        self.reports.buffer = Some(buffer);
    }

    /// Encodes the next report for the file server.
    pub(crate) fn next_fs_report(&mut self, buffer: &mut Buffer) -> Option<usize> {
        if let Some((id, number)) = self.reports.handed.take()
            && self.fs_report_of(id, number).is_ok()
        {
            // The file server is done with it, and it is not over: the task waits.
            self.task_mut(id).usage.waits += 1;
        }
        if core::mem::take(&mut self.reports.console) {
            let task = TaskId::FS;
            let report = fs::Report {
                task,
                number: 0,
                event: fs::Event::Console,
            };
            return Some(encode(&report, buffer));
        }
        if let Some((name, reaped)) = self.reports.ended.pop_front() {
            let report = fs::Report {
                task: TaskId::FS,
                number: 0,
                event: fs::Event::Ended { name, reaped },
            };
            return Some(encode(&report, buffer));
        }
        while let Some((id, what)) = self.reports.to_fs.pop_front() {
            let Ok(task) = self.find_task(id) else {
                continue;
            };
            if what == ToFs::Signalled {
                let report = fs::Report {
                    task: id,
                    number: 0,
                    event: fs::Event::Signalled,
                };
                return Some(encode(&report, buffer));
            }
            if what == ToFs::Rights {
                let mut rights = [0; wire::MAX];
                let len = wire::encode(&self.rights(id), &mut rights);
                let report = fs::Report {
                    task: id,
                    number: 0,
                    event: fs::Event::Rights(&rights[..len]),
                };
                return Some(encode(&report, buffer));
            }
            let State::Fs(purpose) = &task.state else {
                continue;
            };
            let event = match what {
                ToFs::Report => self.fs_event(task, purpose),
                ToFs::Interrupt if task.interrupted => fs::Event::Interrupt,
                _ => continue,
            };
            let report = fs::Report {
                task: id,
                number: task.report_number,
                event,
            };
            let (number, len) = (report.number, encode(&report, buffer));
            self.reports.handed = (what == ToFs::Report).then_some((id, number));
            return Some(len);
        }
        None
    }

    /// What a task may do with files.
    fn rights(&self, id: TaskId) -> fs::Rights {
        let ids = self.credentials(id);
        let limits = &self.process(self.process_of(id)).limits;
        fs::Rights {
            uid: ids.uid,
            gid: ids.gid,
            fsuid: ids.fsuid,
            fsgid: ids.fsgid,
            groups: ids.groups.len() as u32,
            effective: ids.effective,
            permitted: ids.permitted,
            ids_only: ids.securebits & SECBIT_NO_SETUID_FIXUP != 0,
            max_fds: limits[g::RLIMIT_NOFILE as usize].0,
            max_file_size: limits[g::RLIMIT_FSIZE as usize].0,
        }
    }

    fn fs_event<'a>(&self, task: &crate::task::Task, purpose: &'a FsPurpose) -> fs::Event<'a> {
        match purpose {
            FsPurpose::Syscall { nr, args } => fs::Event::Syscall {
                nr: *nr,
                args: *args,
            },
            FsPurpose::Created {
                parent,
                share_files,
                share_fs,
                args,
            } => fs::Event::Created {
                pidfd: args.wants_pidfd().then(|| self.pid_name(task.tid)),
                parent: *parent,
                tid: task.tid,
                tgid: self.process(task.process).pid,
                share_files: *share_files,
                share_fs: *share_fs,
            },
            FsPurpose::FindProgram(exec) => fs::Event::FindProgram {
                path: match &exec.looking_for {
                    crate::exec::LookingFor::Path(at) => Path::At(at.path),
                    crate::exec::LookingFor::Script(name)
                    | crate::exec::LookingFor::Interpreter(name) => Path::Inline(name),
                },
                dirfd: exec.looking_for.place().0,
                flags: exec.looking_for.place().1,
            },
            FsPurpose::Executed(done) => fs::Event::Executed {
                tid: task.tid,
                program: done.program,
                path: &done.path,
            },
            FsPurpose::Map(call) => fs::Event::Map {
                fd: call.fd,
                shared: call.is_shared(),
                write: call.writes(),
            },
            FsPurpose::WaitPid(args) => fs::Event::FindPid { fd: args[1] as i32 },
            FsPurpose::Core { signo } => fs::Event::Core { signo: *signo },
            FsPurpose::CoreWritten { size } => fs::Event::CoreWritten { size: *size },
            FsPurpose::Exited => fs::Event::Exited,
        }
    }

    /// A task whose report to the file server has this number.
    pub(crate) fn fs_report_of(&self, id: TaskId, number: u32) -> Result<&FsPurpose, Errno> {
        let task = self.find_task(id)?;
        match &task.state {
            State::Fs(purpose) if task.report_number == number => Ok(purpose),
            _ => Err(Errno::ESRCH),
        }
    }

    /// The child that a task's fork waits for.
    pub(crate) fn awaited_child(&self, id: TaskId) -> Option<TaskId> {
        match self.find_task(id).ok()?.state {
            State::Waiting(Wait::Fork { child }) => Some(child),
            _ => None,
        }
    }
}

fn encode(report: &fs::Report<'_>, buffer: &mut Buffer) -> usize {
    wire::encode(&fs::Reply::Report(*report), buffer)
}
