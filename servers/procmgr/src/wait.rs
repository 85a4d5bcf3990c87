//! wait4(2) and waitid(2).
//!
//! A tracer's wait sees its tracees besides its children. A zombie that is traced by somebody
//! who is not its parent has two readers: the tracer first, and only after it the parent.

use crate::Procmgr;
use crate::exit::exit_code;
use crate::machine::Machine;
use crate::process::{Process, ProcessIx};
use crate::syscall::Done;
use crate::task::{FsPurpose, Landing, State, Wait};
use abi::linux::general as g;
use abi::signal::{SIGCHLD, SIGCONT, code};
use abi::{Errno, PidName, SigInfo, TaskId};
use alloc::boxed::Box;

/// What a call waits for and where its answers go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WaitRequest {
    /// Which children.
    pub which: Which,
    /// W options, the events among them.
    pub options: u32,
    /// Where the answer goes.
    pub output: Output,
    /// Where `struct rusage` goes, or 0.
    pub rusage: u64,
    /// With __WNOTHREAD the task whose own children and tracees are meant.
    pub of: Option<TaskId>,
}

/// Which children a call waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Which {
    /// Any.
    Any,
    /// Those of a process group.
    Group(u32),
    /// One.
    Pid(u32),
}

/// Where a wait's answer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// wait4: the status word.
    Status(u64),
    /// waitid: `siginfo_t`; the result is 0.
    Info(u64),
    /// The answer to a message.
    Message,
}

/// Something a wait has found.
struct Found {
    tid: u32,
    uid: u32,
    status: i32,
    si_code: i32,
    si_status: i32,
    /// What it has used, if that is asked for.
    rusage: Option<Box<[u8; 144]>>,
}

const WNOTHREAD: u32 = g::__WNOTHREAD;
const WCLONE: u32 = g::__WCLONE;
const WALL: u32 = g::__WALL;
const EVENTS: u32 = g::WEXITED | g::WSTOPPED | g::WCONTINUED;

impl Procmgr {
    /// wait4(2).
    pub(crate) fn sys_wait4(&mut self, m: &mut impl Machine, id: TaskId, args: [u64; 6]) -> Done {
        let (pid, options) = (args[0] as i32, args[2] as u32);
        match self.wait4_request(id, pid, options, Output::Status(args[1])) {
            Ok(request) => {
                let rusage = args[3];
                self.wait(m, id, WaitRequest { rusage, ..request })
            }
            Err(e) => e.into(),
        }
    }

    /// What wait4(2) waits for. EINVAL: unknown options. ESRCH: a group that cannot be.
    pub(crate) fn wait4_request(
        &self,
        id: TaskId,
        pid: i32,
        options: u32,
        output: Output,
    ) -> Result<WaitRequest, Errno> {
        let known = g::WNOHANG | g::WUNTRACED | g::WCONTINUED | WNOTHREAD | WCLONE | WALL;
        if options & !known != 0 {
            return Err(Errno::EINVAL);
        }
        let which = match pid {
            i32::MIN => return Err(Errno::ESRCH),
            -1 => Which::Any,
            0 => Which::Group(self.process(self.process_of(id)).pgid),
            p if p < 0 => Which::Group(-p as u32),
            p => Which::Pid(p as u32),
        };
        Ok(WaitRequest {
            which,
            options: options | g::WEXITED,
            output,
            rusage: 0,
            of: (options & WNOTHREAD != 0).then_some(id),
        })
    }

    /// waitid(2).
    pub(crate) fn sys_waitid(&mut self, m: &mut impl Machine, id: TaskId, args: [u64; 6]) -> Done {
        let options = args[3] as u32;
        let known = g::WNOHANG | g::WNOWAIT | EVENTS | WNOTHREAD | WCLONE | WALL;
        if options & !known != 0 || options & EVENTS == 0 {
            return Errno::EINVAL.into();
        }
        let number = args[1] as i32;
        if args[0] as u32 == g::P_PIDFD {
            if number < 0 {
                return Errno::EINVAL.into();
            }
            self.report_fs(m, id, FsPurpose::WaitPid(args));
            return Done::Later;
        }
        let which = match args[0] as u32 {
            g::P_ALL => Which::Any,
            g::P_PID if number > 0 => Which::Pid(number as u32),
            g::P_PGID if number > 0 => Which::Group(number as u32),
            g::P_PGID if number == 0 => Which::Group(self.process(self.process_of(id)).pgid),
            _ => return Errno::EINVAL.into(),
        };
        let output = Output::Info(args[2]);
        self.wait(
            m,
            id,
            WaitRequest {
                which,
                options,
                output,
                rusage: args[4],
                of: (options & WNOTHREAD != 0).then_some(id),
            },
        )
    }

    /// waitid(2) for a pidfd, once it is known whom that stands for. One that does not wait says
    /// so where nothing is to be told yet.
    pub(crate) fn wait_for_pid(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        args: [u64; 6],
        name: PidName,
        nonblocking: bool,
    ) {
        self.task_mut(id).state = State::Moving;
        let options = args[3] as u32;
        if self.by_name(name).is_err() {
            return self.finish_syscall(m, id, Errno::ECHILD.as_result());
        }
        let request = WaitRequest {
            which: Which::Pid(name.tid),
            options,
            output: Output::Info(args[2]),
            rusage: args[4],
            of: (options & WNOTHREAD != 0).then_some(id),
        };
        if nonblocking {
            let result = self.try_wait(m, id, &request);
            let result = result.unwrap_or(Errno::EAGAIN.as_result());
            return self.finish_syscall(m, id, result);
        }
        match self.wait(m, id, request) {
            Done::Result(result) => self.finish_syscall(m, id, result),
            // A signal may have come while the file server was asked.
            Done::Later if self.next_signal(id).is_some() => self.interrupt(m, id),
            Done::Later => {}
        }
    }

    fn wait(&mut self, m: &mut impl Machine, id: TaskId, request: WaitRequest) -> Done {
        match self.try_wait(m, id, &request) {
            Some(result) => Done::Result(result),
            None => {
                self.task_mut(id).state = State::Waiting(Wait::Child(request));
                Done::Later
            }
        }
    }

    /// Every wait of a process looks again.
    pub(crate) fn wake_waiters(&mut self, m: &mut impl Machine, ix: ProcessIx) {
        for id in self.tasks_of(ix) {
            let Ok(task) = self.find_task(id) else {
                continue;
            };
            let State::Waiting(Wait::Child(request)) = task.state else {
                continue;
            };
            // What it takes may tell this process of yet another death, which must not look at
            // this wait again.
            self.task_mut(id).state = State::Moving;
            let result = self.try_wait(m, id, &request);
            self.task_mut(id).state = State::Waiting(Wait::Child(request));
            if let Some(result) = result {
                self.finish_wait(m, id, result);
            }
        }
    }

    /// The result of a wait, if it need not sleep. That of a message has the status in its upper
    /// half.
    pub(crate) fn try_wait(
        &mut self,
        m: &mut impl Machine,
        id: TaskId,
        req: &WaitRequest,
    ) -> Option<i64> {
        if let Which::Pid(pid) = req.which
            && req.options & g::WNOHANG == 0
            && let Some(task) = self.by_tid(pid)
            && self.tells_only_stops(task, id)
        {
            let found = self.take_trace_stop(m, task, req)?;
            return Some(self.give(m, id, req, &found));
        }
        let ix = self.process_of(id);
        if let Some(task) = self.first_stop(ix, req)
            && let Some(found) = self.take_trace_stop(m, task, req)
        {
            return Some(self.give(m, id, req, &found));
        }
        let (found, any) = match req.which {
            Which::Pid(pid) => self.look_at_one(m, ix, pid, req),
            _ => self.look_at_all(m, ix, req),
        };
        if let Some(found) = found {
            return Some(self.give(m, id, req, &found));
        }
        if !any {
            return Some(Errno::ECHILD.as_result());
        }
        if req.options & g::WNOHANG == 0 {
            return None;
        }
        if let Output::Info(addr) = req.output
            && addr != 0
        {
            // Nothing yet: si_signo and si_pid read 0.
            let _ = self.put(m, id, addr, &[0; abi::signal::SIGINFO_SIZE]);
        }
        Some(0)
    }

    /// Whether nothing of a task but its stops can be news to a waiter: the waiter traces it, and it is
    /// not dead.
    fn tells_only_stops(&self, task: TaskId, waiter: TaskId) -> bool {
        let task = self.task(task);
        task.trace.tracer == Some(waiter) && !matches!(task.state, State::Zombie)
    }

    /// The task that sleeps in a wait by message which a stop ends, where it is all of the tracer's
    /// process and the stop the only one: nobody else can be told of it, and nothing else comes first.
    pub(crate) fn sole_waiter(&self, ix: ProcessIx, stopped: TaskId) -> Option<(TaskId, Landing)> {
        let process = self.process(ix);
        let [waiter] = process.tasks[..] else {
            return None;
        };
        let task = self.task(waiter);
        let State::Waiting(Wait::Child(request)) = &task.state else {
            return None;
        };
        let about = match request.which {
            Which::Any => true,
            Which::Pid(pid) => pid == self.task(stopped).tid,
            Which::Group(_) => false,
        };
        let takes = about && request.options & g::WNOWAIT == 0 && process.stops.is_empty();
        task.landing.filter(|_| takes).map(|at| (waiter, at))
    }

    /// The tracee that has been at an unseen stop for the longest, of those a wait is about.
    fn first_stop(&self, ix: ProcessIx, req: &WaitRequest) -> Option<TaskId> {
        let stops = &self.process(ix).stops;
        if req.of.is_some() {
            return stops.iter().copied().find(|t| {
                let is_meant = match req.which {
                    Which::Any => true,
                    Which::Pid(pid) => self.task(*t).tid == pid,
                    Which::Group(pgid) => self.process(self.process_of(*t)).pgid == pgid,
                };
                is_meant && self.task(*t).trace.tracer == req.of
            });
        }
        match req.which {
            Which::Any => stops.front().copied(),
            Which::Pid(pid) => stops.iter().copied().find(|t| self.task(*t).tid == pid),
            Which::Group(pgid) => {
                let of_group = |t: &TaskId| self.process(self.process_of(*t)).pgid == pgid;
                stops.iter().copied().find(of_group)
            }
        }
    }

    /// What a task has to tell besides its stop as a child, or as a tracee, or as both; whether it
    /// is one of them and can still have something to tell.
    fn look_at_one(
        &mut self,
        m: &mut impl Machine,
        ix: ProcessIx,
        pid: u32,
        req: &WaitRequest,
    ) -> (Option<Found>, bool) {
        let Some(task) = self.by_tid(pid) else {
            return (None, false);
        };
        let roles = [
            (false, self.is_child(ix, task, req)),
            (true, self.is_tracee(ix, task, req)),
        ];
        let mut any = false;
        for (as_tracer, _) in roles.into_iter().filter(|(_, is)| *is) {
            any |= self.may_tell(task, as_tracer, req);
            if let Some(found) = self.look_at(m, ix, task, as_tracer, req) {
                return (Some(found), any);
            }
        }
        (None, any)
    }

    /// The same of all children and tracees. They are not looked at again before one of them has
    /// something new to tell.
    fn look_at_all(
        &mut self,
        m: &mut impl Machine,
        ix: ProcessIx,
        req: &WaitRequest,
    ) -> (Option<Found>, bool) {
        let process = self.process(ix);
        let all = req.which == Which::Any && req.of.is_none();
        if !process.news && !process.tracees.is_empty() && all {
            return (None, true);
        }
        let (mut any, mut more) = (false, false);
        for (task, as_tracer) in self.candidates(ix, req) {
            any |= self.may_tell(task, as_tracer, req);
            if let Some(found) = self.look_at(m, ix, task, as_tracer, req) {
                return (Some(found), any);
            }
            more |= self.has_news(task);
        }
        if all {
            self.process_mut(ix).news = more;
        }
        (None, any)
    }

    /// Whether a task has something to tell a wait with the right options.
    fn has_news(&self, task: TaskId) -> bool {
        let task = self.task(task);
        let process = self.process(task.process);
        matches!(task.state, State::Zombie) || process.stop_unseen || process.continue_unseen
    }

    /// Whether a candidate can still have something to tell, so that the wait is not ECHILD: a
    /// zombie has nothing for a wait without WEXITED.
    fn may_tell(&self, task: TaskId, as_tracer: bool, req: &WaitRequest) -> bool {
        let t = self.task(task);
        if !matches!(t.state, State::Zombie) || req.options & g::WEXITED != 0 {
            return true;
        }
        let delayed = self.process(t.process).leader == task && !self.alone(task);
        let elsewhere = t.trace.tracer.is_some() && !as_tracer;
        elsewhere || (delayed && (!as_tracer || req.options & g::WCONTINUED != 0))
    }

    /// Whom a wait that names no single task may be about: children by their leaders, then tracees.
    fn candidates(&self, ix: ProcessIx, req: &WaitRequest) -> alloc::vec::Vec<(TaskId, bool)> {
        let process = self.process(ix);
        let mut found = alloc::vec::Vec::new();
        let of_group = |task: TaskId| match req.which {
            Which::Group(pgid) => self.process(self.process_of(task)).pgid == pgid,
            _ => true,
        };
        for child in &process.children {
            let leader = self.process(*child).leader;
            if of_group(leader) && self.is_child(ix, leader, req) {
                found.push((leader, false));
            }
        }
        let meant = |t: &&TaskId| of_group(**t) && self.is_tracee(ix, **t, req);
        let tracees = process.tracees.iter().filter(meant);
        found.extend(tracees.map(|t| (*t, true)));
        found
    }

    fn is_child(&self, ix: ProcessIx, task: TaskId, req: &WaitRequest) -> bool {
        let t = self.task(task);
        let process = self.process(t.process);
        if process.parent != Some(ix) || process.leader != task {
            return false;
        }
        if req.of.is_some_and(|of| self.child_of(process, ix) != of) {
            return false;
        }
        let clone = t.exit_signal != SIGCHLD;
        req.options & WALL != 0 || clone == (req.options & WCLONE != 0)
    }

    /// Whose child of a process's tasks another one is: that of the task which made it or, where that
    /// is gone, of the first one that is left.
    pub(crate) fn child_of(&self, child: &Process, parent: ProcessIx) -> TaskId {
        let alive = |t: &TaskId| self.find_task(*t).is_ok_and(|t| t.alive());
        let parent = self.process(parent);
        child
            .parent_task
            .filter(alive)
            .or_else(|| parent.tasks.iter().copied().find(alive))
            .unwrap_or(parent.leader)
    }

    fn is_tracee(&self, ix: ProcessIx, task: TaskId, req: &WaitRequest) -> bool {
        let tracer = self.task(task).trace.tracer;
        if req.of.is_some() {
            return tracer == req.of;
        }
        tracer
            .and_then(|t| self.find_task(t).ok())
            .is_some_and(|t| t.process == ix)
    }

    fn look_at(
        &mut self,
        m: &mut impl Machine,
        waiter: ProcessIx,
        task: TaskId,
        as_tracer: bool,
        req: &WaitRequest,
    ) -> Option<Found> {
        if let State::Zombie = self.task(task).state {
            return self.take_death(m, waiter, task, as_tracer, req);
        }
        if as_tracer || self.task(task).trace.tracer.is_some() && self.tracer_is_parent(task) {
            // The tracer's view of it is the only one, and its stops are found elsewhere.
            return None;
        }
        self.take_job_stop(m, task, req)
    }

    fn found(
        &self,
        m: &mut impl Machine,
        task: TaskId,
        req: &WaitRequest,
        status: i32,
        (si_code, si_status): (i32, i32),
    ) -> Found {
        let t = self.task(task);
        let uid = self.credentials(task).uid[0];
        Found {
            tid: t.tid,
            uid,
            status,
            si_code,
            si_status,
            rusage: (req.rusage != 0).then(|| Box::new(self.rusage_of_both(m, t.process))),
        }
    }

    fn take_death(
        &mut self,
        m: &mut impl Machine,
        waiter: ProcessIx,
        task: TaskId,
        as_tracer: bool,
        req: &WaitRequest,
    ) -> Option<Found> {
        let t = self.task(task);
        let process = self.process(t.process);
        let leader = process.leader == task;
        let traced = t.trace.tracer.is_some();
        let elsewhere = traced && !self.tracer_is_parent(task);
        if req.options & g::WEXITED == 0 || (leader && !self.alone(task)) {
            return None;
        }
        if !as_tracer && elsewhere {
            return None;
        }
        let status = self.wait_status(task);
        let found = self.found(m, task, req, status, exit_code(status));
        if req.options & g::WNOWAIT == 0 {
            self.unbind(task);
            if as_tracer && elsewhere && leader {
                self.tell_parent_of_death(m, task);
            } else {
                if leader {
                    self.count_child(m, waiter, self.process_of(task));
                }
                self.reap(m, task);
            }
        }
        Some(found)
    }

    fn take_trace_stop(
        &mut self,
        m: &mut impl Machine,
        task: TaskId,
        req: &WaitRequest,
    ) -> Option<Found> {
        // A ptrace stop needs no WUNTRACED; waitid has to ask for stops all the same.
        let asked = !matches!(req.output, Output::Info(_)) || req.options & g::WSTOPPED != 0;
        let trace = &mut self.task_mut(task).trace;
        let tracer = trace.tracer?;
        let stopped = trace.stopped.as_mut();
        let stopped = stopped.filter(|stopped| asked && stopped.unseen)?;
        let code = stopped.stop.code as i32;
        if req.options & g::WNOWAIT == 0 {
            stopped.unseen = false;
            self.stop_is_seen(task, tracer);
        }
        Some(self.found(m, task, req, code << 8 | 0x7f, (code::CLD_TRAPPED, code)))
    }

    fn take_job_stop(
        &mut self,
        m: &mut impl Machine,
        task: TaskId,
        req: &WaitRequest,
    ) -> Option<Found> {
        let ix = self.process_of(task);
        let process = self.process(ix);
        let keep = req.options & g::WNOWAIT != 0;
        if req.options & g::WSTOPPED != 0
            && process.stop_unseen
            && let Some(signo) = process.stopped
        {
            self.process_mut(ix).stop_unseen = keep;
            let signo = i32::from(signo);
            let told = (code::CLD_STOPPED, signo);
            return Some(self.found(m, task, req, signo << 8 | 0x7f, told));
        }
        if req.options & g::WCONTINUED != 0 && process.continue_unseen {
            self.process_mut(ix).continue_unseen = keep;
            let told = (code::CLD_CONTINUED, SIGCONT.into());
            return Some(self.found(m, task, req, 0xffff, told));
        }
        None
    }

    /// Stores what was found. The child is reaped even where the addresses are bad.
    fn give(&mut self, m: &mut impl Machine, id: TaskId, req: &WaitRequest, f: &Found) -> i64 {
        let mut result = Ok(());
        if let Some(rusage) = &f.rusage {
            result = result.and(self.put(m, id, req.rusage, &rusage[..]));
        }
        match req.output {
            Output::Status(0) | Output::Info(0) | Output::Message => {}
            Output::Status(addr) => {
                result = result.and(self.put(m, id, addr, &f.status.to_le_bytes()));
            }
            Output::Info(addr) => {
                let info = SigInfo::child(f.si_code, f.tid, f.uid, f.si_status, 0, 0);
                // waitid(2) leaves the times alone.
                result = result.and(self.put(m, id, addr, &info.to_bytes()[..28]));
            }
        }
        match (result, req.output) {
            (Err(e), _) => e.as_result(),
            (Ok(()), Output::Status(_)) => f.tid.into(),
            (Ok(()), Output::Info(_)) => 0,
            (Ok(()), Output::Message) => message_result(f.tid, f.status),
        }
    }
}

/// The result of a wait by message.
pub(crate) fn message_result(tid: u32, status: i32) -> i64 {
    i64::from(tid) | i64::from(status) << 32
}
