//! What /proc shows, which the file server asks for.

use crate::Procmgr;
use crate::hold::Hold;
use crate::machine::{Machine, PAGE, SpaceIx};
use crate::memory::Backing;
use crate::process::ProcessIx;
use crate::signal::action::{SIG_DFL, SIG_IGN};
use crate::task::State;
use abi::fs::{Layout, MAPPINGS, Mapping, MappingOf, SystemInfo, TaskStatus};
use abi::linux::general::RLIMIT_SIGPENDING;
use abi::signal::SIGMAX;
use abi::{Errno, SigSet, TaskId};
use alloc::vec::Vec;

impl Procmgr {
    /// The task of a tid that somebody wants to be shown.
    pub(crate) fn shown(&self, viewer: TaskId, tid: u32) -> Result<TaskId, Errno> {
        if viewer == TaskId::FS {
            return self.by_tid(tid).ok_or(Errno::ESRCH);
        }
        self.find_task(viewer)?;
        self.seen(viewer, tid).ok_or(Errno::ESRCH)
    }

    /// What there is to tell of a task that is shown to somebody.
    pub(crate) fn status(
        &mut self,
        m: &mut impl Machine,
        viewer: TaskId,
        id: TaskId,
    ) -> TaskStatus {
        let usage = self.task_usage(m, id);
        let usage_process = self.process_usage(m, self.process_of(id));
        let task = self.task(id);
        let process = self.process(task.process);
        // Numbers of those that the viewer does not see are 0, as from inside a pid namespace.
        let seen = |ix: ProcessIx| viewer == TaskId::FS || self.sees(viewer, ix);
        let tracer = task.trace.tracer.and_then(|t| self.find_task(t).ok());
        let tracer = tracer.filter(|t| seen(t.process));
        let parent = process.parent.filter(|p| seen(*p));
        let space = task.space;
        let handled = |wanted: fn(u64) -> bool| {
            let mut set = SigSet::EMPTY;
            for signo in (1..=SIGMAX).filter(|n| wanted(process.actions.get(*n).handler)) {
                set.insert(signo);
            }
            set
        };
        TaskStatus {
            task: id,
            tid: task.tid,
            tgid: process.pid,
            ppid: parent.map_or(0, |p| self.process(p).pid),
            pgid: process.pgid,
            sid: process.sid,
            tracer: tracer.map_or(0, |t| t.tid),
            state: letter(&task.state),
            uid: task.credentials.uid,
            gid: task.credentials.gid,
            fsid: [task.credentials.fsuid, task.credentials.fsgid],
            groups: task.credentials.groups.len() as u32,
            capabilities: [
                task.credentials.inheritable,
                task.credentials.permitted,
                task.credentials.effective,
                task.credentials.bounding,
                task.credentials.ambient,
            ],
            no_new_privileges: task.no_new_privileges,
            memory: space.map_or(0, |s| self.memory.name(s)),
            dumpable: self.dumpable(id),
            comm: task.comm,
            threads: process.tasks.len() as u32,
            mapped: space.map_or(0, |s| self.memory.mapped(s)),
            resident: space.map_or(0, |s| self.memory.resident(s)),
            memory_parts: space.map_or([0; 3], |s| self.memory.parts(s)),
            priority: task.scheduling.shown_priority(),
            nice: task.scheduling.nice,
            real_time: task.scheduling.priority,
            policy: task.scheduling.policy,
            peak: space.map_or(0, |s| self.memory.peak(s)),
            usage,
            usage_process,
            usage_children: process.usage_children,
            started: task.started,
            exit_signal: task.exit_signal,
            exit_status: task.exit_status.unwrap_or(0),
            queued: (
                self.users.signals(task.credentials.uid[0]),
                process.limits[RLIMIT_SIGPENDING as usize].0,
            ),
            pending: task.pending.set(),
            shared_pending: process.pending.set(),
            blocked: task.mask,
            ignored: handled(|handler| handler == SIG_IGN),
            dump_filter: process.dump_filter,
            caught: handled(|handler| handler != SIG_IGN && handler != SIG_DFL),
            orphaned: self.orphaned(process.pgid),
        }
    }

    /// The tids of a process, or the processes, that somebody sees, from one on, as bytes.
    pub(crate) fn tids<'d>(
        &self,
        viewer: TaskId,
        tgid: u32,
        from: u32,
        data: &'d mut [u8],
    ) -> Result<&'d [u8], Errno> {
        let mut tids: Vec<u32> = if tgid == 0 && viewer == TaskId::FS {
            self.processes().map(|(_, process)| process.pid).collect()
        } else if tgid == 0 {
            self.find_task(viewer)?;
            let seen = self.seen_processes(viewer);
            seen.map(|(_, process)| process.pid).collect()
        } else {
            let id = self.shown(viewer, tgid)?;
            let tasks = &self.process(self.process_of(id)).tasks;
            tasks.iter().map(|id| self.task(*id).tid).collect()
        };
        tids.retain(|tid| *tid >= from);
        tids.sort_unstable();
        tids.truncate(data.len() / 4);
        for (to, tid) in data.chunks_exact_mut(4).zip(&tids) {
            to.copy_from_slice(&tid.to_le_bytes());
        }
        Ok(&data[..4 * tids.len()])
    }

    /// The space of a task, if that is its name.
    fn space_named(&self, id: TaskId, memory: u64) -> Result<SpaceIx, Errno> {
        let space = self.task(id).space.ok_or(Errno::ESRCH)?;
        if self.memory.name(space) != memory {
            return Err(Errno::ESRCH);
        }
        Ok(space)
    }

    /// What a task has mapped that ends above an address.
    pub(crate) fn mappings(
        &self,
        id: TaskId,
        memory: u64,
        from: u64,
    ) -> Result<[Option<Mapping>; MAPPINGS], Errno> {
        let layout = self.layout(id, memory)?;
        let space = self.space_named(id, memory)?;
        let of_interest = self.memory.vmas(space).filter(|vma| vma.end > from);
        let mut mappings = [None; MAPPINGS];
        for (to, vma) in mappings.iter_mut().zip(of_interest) {
            let heap = vma.start < layout.heap.1 && vma.end > layout.heap.0;
            let of = match vma.backing {
                Backing::File { range, .. } => MappingOf::File(range),
                Backing::SharedAnonymous { .. } => MappingOf::SharedAnonymous,
                Backing::Anonymous if (vma.start..vma.end).contains(&layout.stack) => {
                    MappingOf::Stack
                }
                Backing::Anonymous if heap => MappingOf::Heap,
                Backing::Anonymous => MappingOf::Anonymous,
            };
            *to = Some(Mapping {
                start: vma.start,
                end: vma.end,
                prot: vma.prot,
                shared: vma.is_shared(),
                offset: vma.offset(),
                of,
            });
        }
        Ok(mappings)
    }

    /// Where a program's parts are.
    pub(crate) fn layout(&self, id: TaskId, memory: u64) -> Result<Layout, Errno> {
        let space = self.space_named(id, memory)?;
        let mut layout = self.process(self.process_of(id)).layout;
        layout.heap = self.memory.brk_range(space);
        Ok(layout)
    }

    pub(crate) fn system_info(&mut self, m: &mut impl Machine) -> SystemInfo {
        let processes: Vec<ProcessIx> = self.processes().map(|(ix, _)| ix).collect();
        let (mut busy, mut running) = (0, 0);
        for ix in processes {
            busy += self.process_cpu(m, ix) + self.process(ix).usage_children.cpu();
            let tasks = self.process(ix).tasks.iter();
            running += tasks
                .filter(|id| letter(&self.task(**id).state) == b'R')
                .count();
        }
        SystemInfo {
            memory_total: self.frames_at_start as u64 * PAGE,
            memory_free: m.frames_free() as u64 * PAGE,
            busy,
            tasks: self.task_count() as u32,
            running: running as u32,
            last_tid: self.tables.last_tid(),
        }
    }
}

/// The state as /proc/PID/stat has it.
fn letter(state: &State) -> u8 {
    match state {
        State::Running | State::Moving | State::Stub(_) => b'R',
        State::Held(Hold::Ptrace { .. }) => b'R',
        State::Held(_) => b't',
        State::Stopped => b'T',
        State::Dumping => b'D',
        State::Zombie => b'Z',
        State::Waiting(_) | State::Fs(_) => b'S',
    }
}
