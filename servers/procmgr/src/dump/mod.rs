//! Core dumps (core(5)): from a fatal signal to a file that a debugger opens.
//!
//! The steps: every task of the process comes to a stand ([`State::Dumping`]), where its registers
//! are those of its last instruction or call; the file server makes the file; the file is written
//! piece by piece, so that other programs go on meanwhile; the file server learns its size; the
//! tasks exit. SIGKILL ends a dump at the next step, and the file keeps what it has got.
//!
//! From the first step on the process is on its way out (`group_exit` is set), so nothing else
//! can stop, trace or signal it.

mod layout;
mod notes;
mod writing;

use crate::Procmgr;
use crate::hold::Hold;
use crate::machine::Machine;
use crate::process::ProcessIx;
use crate::task::{FsPurpose, State, Wait};
use crate::timers::What;
use abi::fs::ObjectId;
use abi::linux::general::RLIMIT_CORE;
use abi::signal::SIGKILL;
use abi::{Errno, SigInfo, TaskId};
use alloc::boxed::Box;
use writing::Writing;

/// A core file is not begun where it could not have as many bytes (Linux's `min_coredump`).
const MIN_CORE: u64 = 4096;
/// In a wait status: there is a core file (wait(2), WCOREDUMP).
const CORE_FLAG: i32 = 0x80;

/// A core dump under way.
#[derive(Clone, Hash)]
pub struct Dump {
    /// Who took the signal.
    dumper: TaskId,
    /// The signal.
    info: SigInfo,
    /// RLIMIT_CORE.
    limit: u64,
    /// SIGKILL has come.
    broken: bool,
    stage: Stage,
}

#[derive(Clone, Hash)]
enum Stage {
    /// Tasks are on their way to a stand.
    Gathering,
    /// The file server makes the file.
    Naming,
    /// The file is being written.
    Writing(Box<Writing>),
    /// The file server is told the size.
    Closing,
}

impl Procmgr {
    /// A signal whose action is to dump core. False where there is to be no dump: the process
    /// just ends.
    pub(crate) fn begin_dump(&mut self, m: &mut impl Machine, id: TaskId, info: &SigInfo) -> bool {
        let ix = self.process_of(id);
        let dumpable = self.dumpable(id);
        let process = self.process_mut(ix);
        let (limit, _) = process.limits[RLIMIT_CORE as usize];
        let leaving = process.group_exit.is_some() || process.execing.is_some();
        if leaving || !dumpable || limit < MIN_CORE {
            return false;
        }
        process.group_exit = Some(info.signo);
        process.dump = Some(Box::new(Dump {
            dumper: id,
            info: *info,
            limit,
            broken: false,
            stage: Stage::Gathering,
        }));
        for other in self.tasks_of(ix).filter(|other| *other != id) {
            if self.find_task(other).is_ok() {
                self.bring_to_dump(m, other);
            }
        }
        true
    }

    /// Breaks what holds a task, as a kill does, so that it comes to its stand. One that is between
    /// two states, or in what cannot be broken off, gets there by itself.
    fn bring_to_dump(&mut self, m: &mut impl Machine, id: TaskId) {
        let status = self.process(self.process_of(id)).group_exit.unwrap_or(0);
        match &self.task(id).state {
            State::Running => self.interrupt(m, id),
            State::Waiting(Wait::Vfork { .. }) => {
                self.task_mut(id).state = State::Moving;
                self.begin_exit(m, id, status);
            }
            State::Waiting(_) => self.interrupt(m, id),
            State::Fs(
                FsPurpose::Syscall { .. }
                | FsPurpose::FindProgram(_)
                | FsPurpose::Map(_)
                | FsPurpose::WaitPid(_),
            ) => {
                let task = self.task_mut(id);
                task.registers.set_result(Errno::ERESTARTSYS.as_result());
                task.state = State::Moving;
                self.begin_exit(m, id, status);
            }
            State::Held(Hold::Death { .. } | Hold::Reap | Hold::ClientExit) => {}
            State::Stopped | State::Held(_) => self.kill_task(m, id, status),
            State::Fs(_) | State::Stub(_) => {}
            State::Dumping | State::Zombie | State::Moving => {}
        }
    }

    /// Whether a task that is about to exit has to stand still first.
    pub(crate) fn waits_for_dump(&self, id: TaskId) -> bool {
        let task = self.task(id);
        let gathers = |dump: &Dump| matches!(dump.stage, Stage::Gathering) && !dump.broken;
        task.alive()
            && task.space.is_some()
            && self
                .process(task.process)
                .dump
                .as_deref()
                .is_some_and(gathers)
    }

    /// A task stands still; the last one of its process has the file made.
    pub(crate) fn stand_for_dump(&mut self, m: &mut impl Machine, id: TaskId) {
        self.task_mut(id).state = State::Dumping;
        let ix = self.process_of(id);
        let process = self.process(ix);
        let stands = |id: &TaskId| {
            let task = self.task(*id);
            matches!(task.state, State::Dumping) || !task.alive()
        };
        if !process.tasks.iter().all(stands) {
            return;
        }
        let dump = self.dump_mut(ix);
        dump.stage = Stage::Naming;
        let (dumper, info) = (dump.dumper, dump.info);
        let signo = info.signal().expect("a signal was acted on");
        self.report_fs(m, dumper, FsPurpose::Core { signo });
    }

    /// The file server has made the file, or there is none.
    pub(crate) fn core_named(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        made: Option<(ObjectId, u32, u64)>,
    ) {
        self.task_mut(id).state = State::Dumping;
        let ix = self.process_of(id);
        let Some((object, files, room)) = made else {
            return self.end_dump(m, ix, false);
        };
        match self.begin_writing(m, ix, object, files, room) {
            Ok(writing) => {
                self.memory.object_pin(object);
                self.dump_mut(ix).stage = Stage::Writing(Box::new(writing));
                if self.dump_mut(ix).broken {
                    self.close_core(m, ix);
                } else {
                    self.come_back_to_dump(m, ix);
                }
            }
            Err(_) => self.end_dump(m, ix, false),
        }
    }

    /// The next piece is due at once, behind whatever else waits.
    fn come_back_to_dump(&mut self, m: &mut impl Machine, ix: ProcessIx) {
        let what = What::Dump(ix, self.process(ix).pid);
        let soon = m.now() + 1;
        self.add_timer(m, soon, what);
    }

    /// Writes the next piece of a core file.
    pub(crate) fn dump_on(&mut self, m: &mut impl Machine, ix: ProcessIx, pid: u32) {
        if self.tables_process(ix).is_none_or(|p| p.pid != pid) {
            return;
        }
        let Some(dump) = self.process_mut(ix).dump.as_deref_mut() else {
            return;
        };
        if !matches!(dump.stage, Stage::Writing(_)) {
            return;
        }
        let Stage::Writing(mut writing) = core::mem::replace(&mut dump.stage, Stage::Closing)
        else {
            unreachable!("just seen");
        };
        let (dumper, info) = (dump.dumper, dump.info);
        let over = self.write_piece(m, ix, (dumper, &info), &mut writing);
        self.dump_mut(ix).stage = Stage::Writing(writing);
        if over {
            self.close_core(m, ix);
        } else {
            self.come_back_to_dump(m, ix);
        }
    }

    /// Nothing more is written: the file server learns how much there is.
    fn close_core(&mut self, m: &mut impl Machine, ix: ProcessIx) {
        let dump = self.dump_mut(ix);
        let stage = core::mem::replace(&mut dump.stage, Stage::Closing);
        let Stage::Writing(writing) = stage else {
            unreachable!("what is closed was written");
        };
        let (dumper, size) = (dump.dumper, writing.size());
        self.memory.object_unpin(m, writing.object());
        self.report_fs(m, dumper, FsPurpose::CoreWritten { size });
    }

    /// The file server has closed the file.
    pub(crate) fn core_closed(&mut self, m: &mut impl Machine, id: TaskId) {
        self.task_mut(id).state = State::Dumping;
        self.end_dump(m, self.process_of(id), true);
    }

    /// Something wants the process to end that is dumping core. True where the dump is over and
    /// its tasks may be killed; false where it goes on to its end, which comes soon after SIGKILL.
    pub(crate) fn break_dump(&mut self, m: &mut impl Machine, ix: ProcessIx, status: i32) -> bool {
        if status != i32::from(SIGKILL) {
            return false;
        }
        let dump = self.dump_mut(ix);
        dump.broken = true;
        match dump.stage {
            Stage::Gathering => {
                self.process_mut(ix).dump = None;
                true
            }
            Stage::Writing(_) => {
                self.close_core(m, ix);
                false
            }
            Stage::Naming | Stage::Closing => false,
        }
    }

    /// The tasks exit. As on Linux a killed dump leaves the signal that began it, without the flag.
    fn end_dump(&mut self, m: &mut impl Machine, ix: ProcessIx, written: bool) {
        let process = self.process_mut(ix);
        let Some(dump) = process.dump.take() else {
            return;
        };
        let flag = if written && !dump.broken {
            CORE_FLAG
        } else {
            0
        };
        let status = dump.info.signo | flag;
        process.group_exit = Some(status);
        for task in self.tasks_of(ix) {
            if self
                .find_task(task)
                .is_ok_and(|t| matches!(t.state, State::Dumping))
            {
                self.task_mut(task).state = State::Moving;
                self.begin_exit(m, task, status);
            }
        }
    }

    fn dump_mut(&mut self, ix: ProcessIx) -> &mut Dump {
        self.process_mut(ix)
            .dump
            .as_deref_mut()
            .expect("the process is dumping core")
    }
}
