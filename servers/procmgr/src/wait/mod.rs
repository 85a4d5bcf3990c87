//! wait4(2) and waitid(2).
//!
//! A tracer's wait sees its tracees besides its children. A zombie that is traced by somebody
//! who is not its parent has two readers: the tracer first, and only after it the parent.

mod candidates;
mod take;

use crate::Procmgr;
use crate::machine::Machine;
use crate::process::ProcessIx;
use crate::syscall::Done;
use crate::task::{FsPurpose, State, Wait};
use abi::linux::general as g;
use abi::{Errno, PidName, TaskId};
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
        let waits = |id: &TaskId| self.request_of(*id).is_some();
        if !self.process(ix).tasks.iter().any(waits) {
            return;
        }
        for id in self.tasks_of(ix) {
            let Some(request) = self.request_of(id) else {
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

    /// What a task waits for that sleeps in a wait.
    fn request_of(&self, id: TaskId) -> Option<WaitRequest> {
        match self.find_task(id).ok()?.state {
            State::Waiting(Wait::Child(request)) => Some(request),
            _ => None,
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
        let ix = self.process_of(id);
        self.settle_stops(m, ix);
        if let Which::Pid(pid) = req.which
            && req.options & g::WNOHANG == 0
            && let Some(task) = self.by_tid(pid)
            && self.tells_only_stops(task, id)
        {
            let found = self.take_trace_stop(m, task, req)?;
            return Some(self.give(m, id, req, &found));
        }
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
}

/// The result of a wait by message.
pub(crate) fn message_result(tid: u32, status: i32) -> i64 {
    i64::from(tid) | i64::from(status) << 32
}
