//! PTRACE_ATTACH, SEIZE, TRACEME and the attach of a tracee's children (A3, A4).

use super::tracee::OPS;
use super::{Request, Tracee};
use crate::engine::{AttachFlags, Attached, EngineId, Life, Origin};
use crate::table::{Kind, Owned, Task};
use crate::{Host, Tracer, host};
use abi::ptrace::Options;
use abi::tracer::{Adopted, Call, Course, First, Leave, Reply};
use abi::{Errno, TaskId};

impl Tracer {
    pub(super) fn attach(&mut self, host: &mut impl Host, request: &Request) -> Result<(), Errno> {
        let tracee = Tracee::new(request.client, false, Options::empty());
        self.trace(host, request, tracee, First::Attach)
    }

    /// Does not stop the target. The errors of [`Options::of_seize`].
    pub(super) fn seize(&mut self, host: &mut impl Host, request: &Request) -> Result<(), Errno> {
        let options = match Options::of_seize(request.addr, request.data) {
            Ok(options) => options,
            Err(e) => {
                self.exists(host, request)?;
                return Err(e);
            }
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
        let known = self.tasks.find(tid);
        if let Err(full) = self.tasks.room(uid, known.is_none()) {
            self.exists(host, request)?;
            return Err(full);
        }
        if let Some(id) = known {
            match self.trace_watched(host, (id, tid), tracee.clone(), first, uid) {
                // Exec has passed the tid on, which has not been reported here.
                Err(Errno::EAGAIN) => {}
                traced => return traced,
            }
        }
        let mut task = new_task(tracee.clone(), Life::Alive, uid)?;
        let call = Call::Trace {
            tid,
            known: None,
            tracer,
            course: task.course(),
            first,
        };
        if let Some((id, tid, _)) = host::trace(host, &call)? {
            if self.tasks.get(id).is_some() {
                return self.traced_by_another_tid(host, id, task.course(), tracee, uid);
            }
            task.tid = tid;
            task.told = task.course();
            self.tasks.insert(id, task);
        }
        Ok(())
    }

    /// A task has got a tracer that has engines already, under the tid that it had before exec.
    fn traced_by_another_tid(
        &mut self,
        host: &mut impl Host,
        id: TaskId,
        told: Course,
        tracee: Tracee,
        uid: u32,
    ) -> Result<(), Errno> {
        let task = self.tasks.get_mut(id).ok_or(Errno::ESRCH)?;
        if let Err(full) = attach_ptrace(task, Origin::Outside, tracee, uid) {
            let call = Call::Leave {
                task: id,
                why: Leave::Exit { kill: false },
                course: Some(task.told),
            };
            let _ = host::done(host, &call);
            return Err(full);
        }
        task.told = told;
        self.tasks.charge(uid);
        self.recall(host, id)?;
        self.settle(host, id);
        Ok(())
    }

    /// The same for a task that has engines already. EPERM: one of them is ptrace's.
    fn trace_watched(
        &mut self,
        host: &mut impl Host,
        (id, tid): (TaskId, u32),
        tracee: Tracee,
        first: First,
        uid: u32,
    ) -> Result<(), Errno> {
        let tracer = tracee.tracer;
        let task = self.tasks.get_mut(id).ok_or(Errno::ESRCH)?;
        if task.tracee().is_some() {
            // The process manager knows in which order things are wrong.
            let course = task.told;
            let call = Call::Trace {
                tid,
                known: Some(id),
                tracer,
                course,
                first,
            };
            return host::trace(host, &call).and(Err(Errno::EPERM));
        }
        let engine = attach_ptrace(task, Origin::Outside, tracee, uid)?;
        task.refresh();
        let course = task.course();
        let call = Call::Trace {
            tid,
            known: Some(id),
            tracer,
            course,
            first,
        };
        match host::trace(host, &call) {
            Ok(_) => {
                task.told = Course {
                    step: task.told.step,
                    ..course
                };
                self.tasks.charge(uid);
                self.settle(host, id);
                Ok(())
            }
            Err(e) => {
                drop(task.chain.forget(engine));
                Err(e)
            }
        }
    }

    /// ESRCH comes before all that is wrong with a request but its target.
    fn exists(&mut self, host: &mut impl Host, request: &Request) -> Result<(), Errno> {
        let tid = request.tid()?;
        host::done(host, &Call::Find { tid })
    }

    /// The real parent becomes the tracer. EPERM: traced already.
    pub(super) fn traceme(&mut self, host: &mut impl Host, client: TaskId) -> Result<(), Errno> {
        let uid = self.clients.uid(host, client)?;
        let watched = self.tasks.get(client).is_some();
        self.tasks.room(uid, !watched)?;
        // Whose tracee it is, is not known yet.
        let tracee = Tracee::new(client, false, Options::empty());
        if watched {
            return self.traceme_watched(host, client, tracee, uid);
        }
        let mut task = new_task(tracee, Life::Alive, uid)?;
        let call = Call::TraceMe {
            task: client,
            course: task.course(),
        };
        match host::trace(host, &call) {
            Ok(Some((id, tid, tracer))) => {
                task.tid = tid;
                task.told = task.course();
                task.ptrace().expect("it has the engine").1.tracer = tracer;
                self.tasks.insert(id, task);
                Ok(())
            }
            Ok(None) | Err(Errno::ESRCH) => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// The same by a task that has engines already.
    fn traceme_watched(
        &mut self,
        host: &mut impl Host,
        id: TaskId,
        tracee: Tracee,
        uid: u32,
    ) -> Result<(), Errno> {
        let task = self.tasks.get_mut(id).ok_or(Errno::ESRCH)?;
        if task.tracee().is_some() {
            return Err(Errno::EPERM);
        }
        let engine = attach_ptrace(task, Origin::Outside, tracee, uid)?;
        task.refresh();
        let course = task.course();
        let traced = host::trace(host, &Call::TraceMe { task: id, course });
        let Ok(Some((_, _, tracer))) = traced else {
            drop(task.chain.forget(engine));
            return match traced {
                Ok(None) | Err(Errno::ESRCH) => Ok(()),
                Ok(_) => Err(Errno::EPERM),
                Err(e) => Err(e),
            };
        };
        if let Some((_, tracee)) = task.ptrace() {
            tracee.tracer = tracer;
        }
        task.told = course;
        self.tasks.charge(uid);
        Ok(())
    }

    /// Takes over a bond that the process manager has made by itself, if there is one.
    pub(crate) fn adopt(&mut self, host: &mut impl Host, id: TaskId) -> Result<(), Errno> {
        match host::ask(host, &Call::Adopt { task: id })? {
            Reply::Adopted(adopted) => self.adopted(adopted),
            _ => Ok(()),
        }
    }

    /// A bond has been taken over. It takes no room that somebody could be refused: a task has one.
    pub(crate) fn adopted(&mut self, adopted: Adopted) -> Result<(), Errno> {
        let bond = adopted.bond;
        let tracee = Tracee::new(adopted.tracer, bond.seized, bond.options);
        let mut task = new_task(tracee, Life::Alive, adopted.uid)?;
        task.tid = adopted.tid;
        task.told = Course::of_bond(bond);
        if adopted.dead {
            task.chain.died();
        }
        self.tasks.insert(adopted.task, task);
        Ok(())
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
        let (engine, parent) = of.ptrace().ok_or(Errno::ESRCH)?;
        let tracee = Tracee::new(parent.tracer, parent.seized, parent.options);
        let uid = of.chain.engine(engine)?.kind.uid;
        let first = match tracee.seized {
            true => First::Event,
            false => First::Child,
        };
        // Engines of the creator's that came before ptrace's may have attached to it already.
        let watched = self.tasks.get(child).is_some();
        self.tasks.room(uid, !watched)?;
        if !watched {
            let mut task = Task::new(Life::Newborn);
            let tid = trace_child(host, &mut task, (creator, child), tracee, first, uid)?;
            if let Some(tid) = tid {
                task.tid = tid;
                self.tasks.insert(child, task);
            }
        } else if let Some(task) = self.tasks.get_mut(child)
            && trace_child(host, task, (creator, child), tracee, first, uid)?.is_some()
        {
            self.tasks.charge(uid);
        }
        Ok(())
    }
}

/// Attaches ptrace's engine to the child of a tracee: its tid, or none where it is gone.
fn trace_child(
    host: &mut impl Host,
    task: &mut Task,
    (creator, child): (TaskId, TaskId),
    tracee: Tracee,
    first: First,
    uid: u32,
) -> Result<Option<u32>, Errno> {
    let engine = attach_ptrace(task, Origin::Creator, tracee, uid)?;
    task.refresh();
    let course = task.course();
    let call = Call::TraceChild {
        task: child,
        creator,
        course,
        first,
    };
    let traced = host::trace(host, &call);
    match traced {
        Ok(Some((_, tid, _))) => {
            task.told = course;
            Ok(Some(tid))
        }
        other => {
            drop(task.chain.forget(engine));
            other.map(|_| None)
        }
    }
}

/// A task whose only engine is ptrace's.
fn new_task(tracee: Tracee, life: Life, uid: u32) -> Result<Task, Errno> {
    let mut task = Task::new(life);
    attach_ptrace(&mut task, Origin::Outside, tracee, uid)?;
    task.refresh();
    Ok(task)
}

/// Attaches ptrace's engine.
fn attach_ptrace(
    task: &mut Task,
    origin: Origin,
    tracee: Tracee,
    uid: u32,
) -> Result<EngineId, Errno> {
    let how = AttachFlags::CREATE | AttachFlags::EXCLUSIVE | AttachFlags::MATCH_OPS;
    let names = (OPS, tracee.tracer.badge());
    let kind = Kind::Ptrace(tracee);
    match task.chain.attach(how, origin, names, Owned { uid, kind })? {
        Attached::New(engine) => Ok(engine),
        // It is newborn.
        _ => Err(Errno::EBUSY),
    }
}
