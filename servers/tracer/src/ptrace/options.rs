//! PTRACE_SETOPTIONS.

use super::Request;
use crate::table::Task;
use crate::{Host, Tracer, host};
use abi::Errno;
use abi::ptrace::Options;
use abi::tracer::{Call, Course};

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
        task.told = Course {
            step: task.told.step,
            ..task.course()
        };
        options.map(drop).ok_or(Errno::EINVAL)
    }
}

fn change(task: &mut Task, options: Options) -> Result<(), Errno> {
    let (engine, tracee) = task.ptrace().ok_or(Errno::ESRCH)?;
    tracee.options = options;
    task.chain.engine(engine)?;
    task.refresh();
    Ok(())
}
