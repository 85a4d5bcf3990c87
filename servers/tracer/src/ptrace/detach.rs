//! PTRACE_DETACH, and what happens to the tracees of a task that exits (A4).

use super::Request;
use crate::{Host, Tracer, host};
use abi::engine::Handle;
use abi::ptrace::Options;
use abi::tracer::{Call, Leave, Reply};
use abi::{Errno, TaskId};
use alloc::vec::Vec;

impl Tracer {
    pub(super) fn detach(&mut self, host: &mut impl Host, request: &Request) -> Result<(), Errno> {
        let task = self.own_tracee(host, request)?;
        self.leave(host, task, Leave::Request(request.data))
    }

    /// A task that traced, or had engines, is exiting: nobody stays bound to it.
    pub(crate) fn client_exit(&mut self, host: &mut impl Host, client: TaskId) {
        for id in self.tasks.watched_by(client) {
            let tracee = self.tasks.get(id).and_then(|task| task.tracee());
            if let Some(tracee) = tracee.filter(|tracee| tracee.tracer == client) {
                let kill = tracee.options.contains(Options::EXITKILL);
                // A tracee that died meanwhile is no longer this tracer's business either.
                let _ = self.leave(host, id, Leave::Exit { kill });
            }
            self.forget_engines_of(host, client, id);
        }
        self.clients.forget(client);
    }

    /// A task that may have spoken runs another program: what it traces it still does, but of engines
    /// the new program knows nothing.
    pub(crate) fn client_begins(&mut self, host: &mut impl Host, client: TaskId) {
        for id in self.tasks.watched_by(client) {
            self.forget_engines_of(host, client, id);
        }
        self.clients.begin(client);
    }

    fn forget_engines_of(&mut self, host: &mut impl Host, client: TaskId, id: TaskId) {
        let Some(task) = self.tasks.get(id) else {
            return;
        };
        let engines: Vec<_> = task
            .chain
            .engines()
            .map(|engine| engine.id)
            .filter(|engine| task.owner(*engine) == Some(client))
            .collect();
        if engines.is_empty() {
            return;
        }
        for engine in engines {
            let handle = Handle {
                task: id,
                engine: engine.0,
            };
            self.forget_engine(host, handle);
        }
        self.settle(host, id);
    }

    /// Ends a bond. Other engines of the task go on with what they are at.
    fn leave(&mut self, host: &mut impl Host, id: TaskId, why: Leave) -> Result<(), Errno> {
        let task = self.tasks.get(id).ok_or(Errno::ESRCH)?;
        let course = task.course_without_ptrace();
        let call = Call::Leave {
            task: id,
            why,
            course,
        };
        let left = host::ask(host, &call);
        if left.is_err() && matches!(why, Leave::Request(_)) {
            return left.map(drop);
        }
        let Some(course) = course else {
            self.tasks.remove(id);
            return Ok(());
        };
        if let Ok(Reply::Left(verdict)) = left {
            self.finally(id, verdict);
        }
        if let Some(task) = self.tasks.get_mut(id)
            && let Some((engine, _)) = task.ptrace()
        {
            task.told = course;
            if let Ok(gone) = task.chain.forget(engine) {
                self.tasks.discharge(gone.uid);
            }
        }
        self.settle(host, id);
        Ok(())
    }
}
