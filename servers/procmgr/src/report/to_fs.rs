//! What the file server is told: calls that hold their task, and news of tasks that need no answer.

use super::ToFs;
use crate::Procmgr;
use crate::credentials::SECBIT_NO_SETUID_FIXUP;
use crate::machine::Machine;
use crate::task::{FsPurpose, State, Wait};
use abi::fs::{self, Path};
use abi::linux::general as g;
use abi::wire::{self, Buffer};
use abi::{Errno, TaskId};
use alloc::boxed::Box;

impl Procmgr {
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
