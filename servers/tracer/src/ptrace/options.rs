//! PTRACE_SETOPTIONS.

use super::Request;
use crate::table::Task;
use crate::{Host, Tracer, host};
use abi::Errno;
use abi::ptrace::Options;
use abi::tracer::Call;

impl Tracer {
    /// In force at once: a tracee that is killed in this very stop shows its exit event. ESRCH: not
    /// at a stop; then EINVAL: unknown options, and nothing is changed.
    pub(super) fn set_options(
        &mut self,
        host: &mut impl Host,
        request: &Request,
    ) -> Result<(), Errno> {
        let id = self.own_tracee(host, request)?;
        let task = self.tasks.get_mut(id).ok_or(Errno::ESRCH)?;
        let (_, tracee) = task.ptrace().ok_or(Errno::ESRCH)?;
        let old = tracee.options;
        let options = Options::parse(request.data);
        change(task, options.unwrap_or(old))?;
        let call = Call::SetCourse {
            task: id,
            course: task.course(),
            at_stop: true,
            quiesce: false,
        };
        if let Err(e) = host::done(host, &call) {
            change(task, old)?;
            return Err(e);
        }
        options.map(drop).ok_or(Errno::EINVAL)
    }
}

fn change(task: &mut Task, options: Options) -> Result<(), Errno> {
    let (engine, tracee) = task.ptrace().ok_or(Errno::ESRCH)?;
    tracee.options = options;
    let events = tracee.events();
    let mut flags = task.chain.engine(engine)?.flags;
    flags.events = events;
    task.chain.set_flags(engine, flags)
}
