//! PTRACE_SEIZE, INTERRUPT and LISTEN: tracing without SIGSTOP (ptrace(2)).

use super::attach::may_attach;
use super::{Done, OK, Options, Request, Target, Tracee, TracerInfo};
use crate::engine::{Origin, State};
use crate::{Host, Tracer, host};
use abi::Errno;
use abi::linux::ptrace::PTRACE_O_MASK;
use abi::tracer::Call;

impl Tracer {
    /// Does not stop the target. EIO: `addr` is not 0 or an option is unknown.
    pub(super) fn seize(&mut self, host: &mut impl Host, request: &Request) -> Result<Done, Errno> {
        let tid = u32::try_from(request.pid).map_err(|_| Errno::ESRCH)?;
        let target = host::view(host, &Call::Find { tid })?;
        if request.addr != 0 || request.data & !u64::from(PTRACE_O_MASK) != 0 {
            return Err(Errno::EIO);
        }
        let options = Options::parse(request.data)?;
        let client = host::view(
            host,
            &Call::View {
                task: request.client,
            },
        )?;
        self.check_attach(&client, &target)?;
        may_attach(&client, &target)?;
        let tracee = Tracee::new(TracerInfo::of(&client), target.uid[0], true, options);
        self.bind(host, target.task, target.tid, Origin::Outside, tracee)?;
        Ok(OK)
    }

    /// At a stop it is remembered and makes the next one. EIO: not seized.
    pub(super) fn interrupt(
        &mut self,
        host: &mut impl Host,
        target: Target,
    ) -> Result<Done, Errno> {
        let task = self.tasks.get_mut(target.task).ok_or(Errno::ESRCH)?;
        let (_, tracee) = task.ptrace().ok_or(Errno::ESRCH)?;
        if !tracee.seized {
            return Err(Errno::EIO);
        }
        if let Some(stop) = tracee.listening.take() {
            let code = stop.code;
            tracee.stop = Some(stop);
            self.publish(host, target.task, code);
            return Ok(OK);
        }
        tracee.interrupt = true;
        if tracee.stop.is_none() {
            self.ask_to_stop(host, target)?;
        }
        Ok(OK)
    }

    /// Leaves the tracee where it is, but no longer at a stop. EIO: not seized, or not at an
    /// event-stop of PTRACE_EVENT_STOP.
    pub(super) fn listen(&mut self, host: &mut impl Host, target: Target) -> Result<Done, Errno> {
        let task = self.tasks.get_mut(target.task).ok_or(Errno::ESRCH)?;
        let (_, tracee) = task.ptrace().ok_or(Errno::ESRCH)?;
        let may_listen = tracee.stop.as_ref().is_some_and(|s| s.may_listen());
        if !tracee.seized || !may_listen {
            return Err(Errno::EIO);
        }
        let stop = tracee.stop.take();
        let Some(signo) = tracee.group else {
            // Nothing but the tracer's hold keeps it: the report stays outstanding.
            tracee.listening = stop;
            if core::mem::take(&mut tracee.interrupt) {
                return self.interrupt(host, target);
            }
            return Ok(OK);
        };
        let flags = tracee.flags(State::empty());
        task.chain.stay(signo);
        task.chain.set_flags(target.engine, flags)?;
        self.run(host, target.task)?;
        Ok(OK)
    }

    /// Has the process manager bring the tracee to a stand.
    pub(super) fn ask_to_stop(
        &mut self,
        host: &mut impl Host,
        target: Target,
    ) -> Result<(), Errno> {
        let task = self.tasks.get_mut(target.task).ok_or(Errno::ESRCH)?;
        let mut flags = task.chain.engine(target.engine)?.flags;
        let (_, tracee) = task.ptrace().ok_or(Errno::ESRCH)?;
        flags.events = tracee.flags(State::empty()).events;
        task.chain.set_flags(target.engine, flags)?;
        self.quiesce(host, target.task)
    }
}
