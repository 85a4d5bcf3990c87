//! PTRACE_ATTACH, SEIZE, TRACEME and the attach of a tracee's children (A3, A4).

use super::tracee::OPS;
use super::{Request, Tracee};
use crate::engine::{AttachFlags, Attached, Flags, Life, Origin, State};
use crate::table::{Kind, Task};
use crate::{Host, Tracer, host};
use abi::linux::ptrace::PTRACE_O_MASK;
use abi::ptrace::Options;
use abi::tracer::{Call, First};
use abi::{Errno, TaskId};

impl Tracer {
    pub(super) fn attach(&mut self, host: &mut impl Host, request: &Request) -> Result<(), Errno> {
        let tracee = Tracee::new(request.client, false, Options::empty());
        self.trace(host, request, tracee, First::Attach)
    }

    /// Does not stop the target. EIO: `addr` is not 0 or an option is unknown.
    pub(super) fn seize(&mut self, host: &mut impl Host, request: &Request) -> Result<(), Errno> {
        if request.addr != 0 || request.data & !u64::from(PTRACE_O_MASK) != 0 {
            self.exists(host, request)?;
            return Err(Errno::EIO);
        }
        let Some(options) = Options::parse(request.data) else {
            self.exists(host, request)?;
            return Err(Errno::EINVAL);
        };
        let tracee = Tracee::new(request.client, true, options);
        self.trace(host, request, tracee, First::None)
    }

    fn trace(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        tracee: Tracee,
        first: First,
    ) -> Result<(), Errno> {
        let (tid, tracer) = (request.tid()?, request.client);
        let uid = self.clients.uid(host, tracer)?;
        if let Err(full) = self.tasks.room(uid) {
            self.exists(host, request)?;
            return Err(full);
        }
        let mut task = new_task(tracee, Life::Alive, uid)?;
        let call = Call::Trace {
            tid,
            tracer,
            course: task.course(),
            first,
        };
        if let Some((id, tid, _)) = host::trace(host, &call)? {
            task.tid = tid;
            self.tasks.insert(id, task);
        }
        Ok(())
    }

    /// ESRCH comes before all that is wrong with a request but its target.
    fn exists(&mut self, host: &mut impl Host, request: &Request) -> Result<(), Errno> {
        let tid = request.tid()?;
        host::done(host, &Call::Exists { tid })
    }

    /// The real parent becomes the tracer. EPERM: traced already.
    pub(super) fn traceme(&mut self, host: &mut impl Host, client: TaskId) -> Result<(), Errno> {
        let uid = self.clients.uid(host, client)?;
        self.tasks.room(uid)?;
        // Whose tracee it is, is not known yet.
        let mut task = new_task(
            Tracee::new(client, false, Options::empty()),
            Life::Alive,
            uid,
        )?;
        let call = Call::TraceMe {
            task: client,
            course: task.course(),
        };
        match host::trace(host, &call) {
            Ok(Some((id, tid, tracer))) => {
                task.tid = tid;
                task.ptrace().expect("it has the engine").1.tracer = tracer;
                self.tasks.insert(id, task);
                Ok(())
            }
            Ok(None) | Err(Errno::ESRCH) => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// The child of a tracee starts traced by the same tracer, with the same options and a
    /// pending SIGSTOP, or PTRACE_EVENT_STOP if the parent was seized (A10, clone).
    pub(super) fn attach_child(
        &mut self,
        host: &mut impl Host,
        creator: TaskId,
        child: TaskId,
    ) -> Result<(), Errno> {
        let of = self.tasks.get_mut(creator).ok_or(Errno::ESRCH)?;
        let uid = of.owner_uid;
        let (_, parent) = of.ptrace().ok_or(Errno::ESRCH)?;
        let tracee = Tracee::new(parent.tracer, parent.seized, parent.options);
        let first = match tracee.seized {
            true => First::Event,
            false => First::Child,
        };
        self.tasks.room(uid)?;
        let mut task = new_task(tracee, Life::Newborn, uid)?;
        let call = Call::TraceChild {
            task: child,
            creator,
            course: task.course(),
            first,
        };
        if let Some((id, tid, _)) = host::trace(host, &call)? {
            task.tid = tid;
            self.tasks.insert(id, task);
        }
        Ok(())
    }
}

/// A task whose only engine is ptrace's.
fn new_task(tracee: Tracee, life: Life, uid: u32) -> Result<Task, Errno> {
    let mut task = Task::new(uid, life);
    let origin = match life {
        Life::Newborn => Origin::Creator,
        _ => Origin::Outside,
    };
    let flags = Flags {
        events: tracee.events(),
        state: State::empty(),
    };
    let how = AttachFlags::CREATE | AttachFlags::EXCLUSIVE | AttachFlags::MATCH_OPS;
    let names = (OPS, tracee.tracer.badge());
    let kind = Kind::Ptrace(tracee);
    let Attached::New(engine) = task.chain.attach(how, origin, names, kind)? else {
        return Err(Errno::EAGAIN);
    };
    task.chain.set_flags(engine, flags)?;
    Ok(task)
}
