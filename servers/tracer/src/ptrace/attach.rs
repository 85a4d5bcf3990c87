//! PTRACE_ATTACH, PTRACE_TRACEME and the attach of a tracee's children (A3, A4).

use super::tracee::OPS;
use super::{Done, OK, Options, Request, Target, Tracee, TracerInfo};
use crate::engine::{AttachFlags, Attached, Life, Origin, State};
use crate::table::{Kind, Task};
use crate::{Host, Tracer, host};
use abi::signal::{SIGSTOP, code};
use abi::tracer::{self, Call, Posting, TaskView};
use abi::{Errno, SigInfo, TaskId};

/// The context from which others can be watched.
const HOST_CONTEXT: u32 = 0;

impl Tracer {
    pub(super) fn attach(
        &mut self,
        host: &mut impl Host,
        request: &Request,
    ) -> Result<Done, Errno> {
        let tid = u32::try_from(request.pid).map_err(|_| Errno::ESRCH)?;
        let target = host::view(host, &Call::Find { tid })?;
        let client = host::view(
            host,
            &Call::View {
                task: request.client,
            },
        )?;
        self.check_attach(&client, &target)?;
        may_attach(&client, &target)?;
        let options = Options::empty();
        let tracee = Tracee::new(TracerInfo::of(&client), target.uid[0], false, options);
        let target = self.bind(host, target.task, target.tid, Origin::Outside, tracee)?;
        let info = SigInfo::new(SIGSTOP, code::SI_KERNEL);
        if host::signal(host, target.task, info, true).is_err() {
            // It died meanwhile.
            let _ = self.release(host, target, None);
            return Err(Errno::ESRCH);
        }
        Ok(OK)
    }

    /// The real parent becomes the tracer. EPERM: traced already.
    pub(super) fn traceme(&mut self, host: &mut impl Host, client: TaskId) -> Result<Done, Errno> {
        let view = host::view(host, &Call::View { task: client })?;
        if self.is_traced(&view) {
            return Err(Errno::EPERM);
        }
        // A parent that is exiting: as if it had been attached and detached at once.
        let Some(parent) = view.parent else {
            return Ok(OK);
        };
        let Ok(parent) = host::view(host, &Call::View { task: parent }) else {
            return Ok(OK);
        };
        let options = Options::empty();
        let tracee = Tracee::new(TracerInfo::of(&parent), view.uid[0], false, options);
        match self.bind(host, view.task, view.tid, Origin::Outside, tracee) {
            Ok(_) | Err(Errno::ESRCH) => Ok(OK),
            Err(e) => Err(e),
        }
    }

    /// The child of a tracee starts traced by the same tracer, with the same options and a
    /// pending SIGSTOP, or PTRACE_EVENT_STOP if the parent was seized (A10, clone).
    pub(super) fn attach_child(
        &mut self,
        host: &mut impl Host,
        parent: &Tracee,
        child: TaskId,
        child_tid: u32,
    ) -> Result<(), Errno> {
        let mut tracee = Tracee::new(parent.tracer, parent.uid, parent.seized, parent.options);
        tracee.interrupt = parent.seized;
        self.bind(host, child, child_tid, Origin::Creator, tracee)?;
        if parent.seized {
            return Ok(());
        }
        let info = SigInfo::from_process(SIGSTOP, code::SI_USER, 0, 0);
        host::signal(host, child, info, true)
    }

    /// What forbids an attach whoever asks. The order does not show: it is EPERM each time.
    pub(super) fn check_attach(
        &mut self,
        client: &TaskView,
        target: &TaskView,
    ) -> Result<(), Errno> {
        let forbidden = target.tid <= 1
            || target.tgid == client.tgid
            || in_another_context(client, target)
            || target.state == tracer::Life::Zombie
            || self.is_traced(target);
        if forbidden { Err(Errno::EPERM) } else { Ok(()) }
    }

    fn is_traced(&mut self, view: &TaskView) -> bool {
        let has_engine = self
            .tasks
            .get_mut(view.task)
            .is_some_and(|task| task.ptrace().is_some());
        has_engine || view.tracer.is_some()
    }

    /// Attaches the ptrace engine and binds the tracer, or changes nothing. A target that is
    /// stopped for job control is brought to a ptrace stop at once.
    pub(super) fn bind(
        &mut self,
        host: &mut impl Host,
        id: TaskId,
        tid: u32,
        origin: Origin,
        tracee: Tracee,
    ) -> Result<Target, Errno> {
        let TracerInfo {
            task: tracer, uid, ..
        } = tracee.tracer;
        self.tasks.room(uid)?;
        let life = match origin {
            Origin::Creator => Life::Newborn,
            Origin::Outside => Life::Alive,
        };
        let mut task = Task::new(tid, uid, life);
        let flags = tracee.flags(State::empty());
        let how = AttachFlags::CREATE | AttachFlags::EXCLUSIVE | AttachFlags::MATCH_OPS;
        let names = (OPS, tracer.badge());
        let kind = Kind::Ptrace(tracee);
        let Attached::New(engine) = task.chain.attach(how, origin, names, kind)? else {
            return Err(Errno::EAGAIN);
        };
        task.chain.set_flags(engine, flags)?;
        let events = task.events();
        let view = host::view(host, &Call::Attach { task: id, events })?;
        task.subscribed = (events, Posting::NONE);
        let tracer = Some(tracer);
        if let Err(e) = host::done(host, &Call::Bind { task: id, tracer }) {
            let _ = host::done(
                host,
                &Call::Detach {
                    task: id,
                    signal: None,
                },
            );
            return Err(e);
        }
        let (_, tracee) = task.ptrace().expect("attached above");
        tracee.group = view.group_stop;
        tracee.interrupt |= view.group_stop.is_some();
        let stop = tracee.interrupt;
        self.tasks.insert(id, task);
        let target = Target { task: id, engine };
        if stop && let Err(e) = self.ask_to_stop(host, target) {
            let _ = self.release(host, target, None);
            return Err(e);
        }
        Ok(target)
    }
}

/// May-attach (A3): the caller's real ids equal the target's three, and the target is dumpable;
/// or the caller may trace anything.
pub(super) fn may_attach(client: &TaskView, target: &TaskView) -> Result<(), Errno> {
    let same_user = target.uid.iter().all(|id| *id == client.uid[0])
        && target.gid.iter().all(|id| *id == client.gid[0]);
    if same_user && target.dumpable || client.may_trace_any {
        Ok(())
    } else {
        Err(Errno::EPERM)
    }
}

/// A3, step 3: another context is out of reach, but for the privileged of the host context.
pub(super) fn in_another_context(client: &TaskView, target: &TaskView) -> bool {
    client.context != target.context && !(client.context == HOST_CONTEXT && client.may_trace_any)
}
