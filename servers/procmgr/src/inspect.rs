//! What tests see of the inside: where each task stands.

use crate::Procmgr;
use crate::machine::Machine;
use crate::task::{State, Wait};
use crate::trace::Attached;
use crate::wait::{Output, WaitRequest};
use abi::fs::Counts;
use abi::linux::general::WNOWAIT;
use abi::proc::WORK_WORDS;
use abi::tracer::Event;
use abi::{Errno, TaskId};

/// A task at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskSurvey {
    /// The task.
    pub id: TaskId,
    /// Its tid.
    pub tid: u32,
    /// What it is doing.
    pub standing: Standing,
    /// It has an address space, and so a thread.
    pub has_space: bool,
    /// Its report waits to be taken.
    pub queued: bool,
    /// Its report to the tracer was taken.
    pub taken: bool,
    /// It is at a ptrace stop.
    pub stopped: bool,
    /// Its stops are leased to its tracer.
    pub leased: bool,
    /// Whose engine was told without the tracer of what holds it, and has not answered.
    pub relayed: Option<TaskId>,
    /// The number of its latest report.
    pub number: u32,
    /// Who knows that somebody is attached to it.
    pub attached: Attached,
    /// Who waits for its stops.
    pub tracer: Option<TaskId>,
    /// A stop is published that nobody has waited for.
    pub posted: bool,
    /// It is on its way out.
    pub exiting: bool,
}

/// What a task is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// In its program.
    Running,
    /// In a stub.
    Stub,
    /// In a system call that waits for something of the process manager's.
    Waiting,
    /// Held by a report to the file server.
    Fs,
    /// Held by a report to the tracer.
    Held(Event),
    /// Stopped for job control.
    Stopped,
    /// Its process dumps core.
    Dumping,
    /// Dead.
    Zombie,
    /// Between two states, which no message leaves it in.
    Moving,
}

impl Procmgr {
    /// How much of everything is in use, for somebody of the host who may see all. EACCES.
    pub(crate) fn counts(&self, m: &mut impl Machine, viewer: TaskId) -> Result<Counts, Errno> {
        self.find_task(viewer)?;
        if !self.watches(viewer) {
            return Err(Errno::EACCES);
        }
        let (engines, callbacks) = self.engines_in_use();
        Ok(Counts {
            tasks: self.task_count() as u32,
            processes: self.processes().count() as u32,
            contexts: self.context_count() as u32,
            numbers: self.tables.numbers_in_use() as u32,
            spaces: self.memory.space_count() as u32,
            objects: self.memory.object_count() as u32,
            timers: self.timers.len() as u32,
            futex_waiters: self.futexes.waiters() as u32,
            signals: self.users.all_signals(),
            engines: engines as u32,
            callbacks: callbacks as u32,
            frames_free: m.frames_free() as u64,
            machine: m.counts(),
        })
    }

    /// The private call: how much has been done, for somebody of the host who may see all.
    pub(crate) fn sys_work(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        a: [u64; 6],
    ) -> Result<i64, Errno> {
        if !self.watches(id) {
            return Err(Errno::EACCES);
        }
        let work = m.work();
        let words: [u64; WORK_WORDS] = [work.entries, work.traps, work.messages, work.requests];
        self.put_words(m, id, a[0], words)?;
        Ok(0)
    }

    /// Every task.
    pub fn survey(&self) -> alloc::vec::Vec<TaskSurvey> {
        let all = self.processes().flat_map(|(_, p)| &p.tasks);
        all.map(|id| self.survey_one(*id)).collect()
    }

    /// Reads a task's memory as a tracer would.
    ///
    /// # Panics
    /// If it does not have all of it.
    pub fn peek(&mut self, m: &mut impl Machine, id: TaskId, addr: u64, bytes: &mut [u8]) {
        let space = self.task(id).space.expect("the task has memory");
        let n = self.memory.peek(m, space, addr, bytes);
        assert_eq!(n, bytes.len(), "{addr:#x} of {id:?}");
    }

    /// Writes it.
    ///
    /// # Panics
    /// If it does not have all of it.
    pub fn poke(&mut self, m: &mut impl Machine, id: TaskId, addr: u64, bytes: &[u8]) {
        let space = self.task(id).space.expect("the task has memory");
        let n = self.memory.poke(m, space, addr, bytes);
        assert_eq!(n, bytes.len(), "{addr:#x} of {id:?}");
    }

    /// Whether a task sleeps in a wait that would end if it looked again.
    pub fn oversleeps(&mut self, m: &mut impl Machine, id: TaskId) -> bool {
        let State::Waiting(Wait::Child(request)) = self.task(id).state else {
            return false;
        };
        // It only looks, and nobody's word that there is nothing new is taken for it.
        let request = WaitRequest {
            options: request.options | WNOWAIT,
            output: Output::Message,
            rusage: 0,
            ..request
        };
        let ix = self.process_of(id);
        let news = core::mem::replace(&mut self.process_mut(ix).news, true);
        let found = self.try_wait(m, id, &request);
        self.process_mut(ix).news = news;
        found.is_some()
    }

    fn survey_one(&self, id: TaskId) -> TaskSurvey {
        let task = self.task(id);
        let exiting = self.process(task.process).group_exit.is_some();
        let standing = match &task.state {
            State::Running => Standing::Running,
            State::Stub(_) => Standing::Stub,
            State::Waiting(_) => Standing::Waiting,
            State::Fs(_) => Standing::Fs,
            State::Held(event) => Standing::Held(event.event(task.trace.signal)),
            State::Stopped => Standing::Stopped,
            State::Dumping => Standing::Dumping,
            State::Zombie => Standing::Zombie,
            State::Moving => Standing::Moving,
        };
        let asked = task.trace.asked.as_ref();
        TaskSurvey {
            id,
            tid: task.tid,
            standing,
            has_space: task.space.is_some(),
            queued: match standing {
                Standing::Fs => self.reports.queued_to_fs(id),
                _ => self.reports.queued_to_tracer(id) && !task.trace.taken,
            },
            taken: task.trace.taken,
            stopped: task.trace.stopped.is_some(),
            leased: task.trace.is_leased(),
            relayed: asked
                .filter(|asked| asked.relayed)
                .map(|asked| asked.client),
            number: task.report_number,
            attached: task.trace.attached,
            tracer: task.trace.tracer,
            posted: task.trace.stopped.as_ref().is_some_and(|s| s.unseen),
            exiting: exiting || task.exit_status.is_some(),
        }
    }
}
