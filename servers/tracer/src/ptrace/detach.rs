//! PTRACE_DETACH, and what happens to the tracees of a task that exits (A4).

use super::Request;
use crate::{Host, Tracer, host};
use abi::ptrace::Options;
use abi::tracer::{Call, Leave};
use abi::{Errno, TaskId};

impl Tracer {
    pub(super) fn detach(&mut self, host: &mut impl Host, request: &Request) -> Result<(), Errno> {
        let task = self.own_tracee(host, request)?;
        let why = Leave::Request(request.data);
        host::done(host, &Call::Leave { task, why })?;
        self.tasks.remove(task);
        Ok(())
    }

    /// A task that traced is exiting: none of its tracees stays bound to it.
    pub(crate) fn client_exit(&mut self, host: &mut impl Host, client: TaskId) {
        for task in self.tasks.traced_by(client) {
            let Some((_, tracee)) = self.tasks.get_mut(task).and_then(|t| t.ptrace()) else {
                continue;
            };
            let kill = tracee.options.contains(Options::EXITKILL);
            self.tasks.remove(task);
            let why = Leave::Exit { kill };
            // A tracee that died meanwhile is no longer this tracer's business either.
            let _ = host::done(host, &Call::Leave { task, why });
        }
        self.clients.forget(client);
    }
}
