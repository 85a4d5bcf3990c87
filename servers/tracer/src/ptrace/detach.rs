//! PTRACE_DETACH, and what happens to the tracees of a task that exits (A4).

use super::resume::signal_argument;
use super::{Done, OK, Options, Request, StopKind, Target};
use crate::engine::Choice;
use crate::{Host, Tracer, host};
use abi::signal::{SIGKILL, code};
use abi::tracer::{Call, Events, Posting, SignalAction, Verdict};
use abi::{Errno, SigInfo, TaskId};

impl Tracer {
    pub(super) fn detach(
        &mut self,
        host: &mut impl Host,
        request: &Request,
        target: Target,
    ) -> Result<Done, Errno> {
        let signal = signal_argument(request.data)?;
        let info = self.give_signal(host, target, signal)?;
        match self.release(host, target, info) {
            Err(Errno::ESRCH) if signal == Some(SIGKILL) => Ok(OK),
            result => result.map(|()| OK),
        }
    }

    /// A task that traced is exiting: none of its tracees stays bound to it.
    pub(crate) fn client_exit(&mut self, host: &mut impl Host, client: TaskId) {
        for task in self.tasks.traced_by(client) {
            self.see(host, task);
            let Some((engine, tracee)) = self.tasks.get_mut(task).and_then(|t| t.ptrace()) else {
                continue;
            };
            let exit_kill = tracee.options.contains(Options::EXITKILL);
            let stop = tracee.stop.clone().or_else(|| tracee.listening.clone());
            let target = Target { task, engine };
            let mut pending = None;
            if let Some(stop) = stop
                && stop.kind == StopKind::Signal
                && host::unpost(host, task)
            {
                // A signal that the tracer has waited for is its own to lose, as on Linux; one
                // that nobody has seen is delivered as if nobody had looked.
                pending = stop.info.filter(|info| info.signal().is_some());
            }
            if exit_kill {
                let info = SigInfo::new(SIGKILL, code::SI_KERNEL);
                let _ = host::signal(host, task, info, true);
            }
            if let (Some(info), Some(task)) = (pending, self.tasks.get_mut(task)) {
                let choice = Choice::Act(SignalAction::Deliver);
                let _ = task.chain.inject(engine, choice, info);
            }
            // A tracee that died meanwhile is no longer this tracer's business either.
            let _ = self.release(host, target, pending);
        }
    }

    /// Takes the ptrace engine away and lets the task go on, with `signal` from a
    /// signal-delivery-stop.
    pub(super) fn release(
        &mut self,
        host: &mut impl Host,
        target: Target,
        signal: Option<SigInfo>,
    ) -> Result<(), Errno> {
        let Target { task: id, engine } = target;
        let task = self.tasks.get_mut(id).ok_or(Errno::ESRCH)?;
        if let Some(signo) = task.ptrace().and_then(|(_, t)| t.group) {
            // A process that job control has stopped stays so without its tracer.
            task.chain.stay(signo);
        }
        let outcome = task.chain.outcome();
        task.chain.forget(engine)?;
        if !task.chain.is_empty() {
            let tracer = None;
            host::done(host, &Call::Bind { task: id, tracer })?;
            return self.run(host, id);
        }
        let task = self.tasks.remove(id).expect("looked up above");
        let mut signal = signal;
        let mut answered = Ok(());
        if let (Some(go), Some(_)) = (outcome, task.frame.written()) {
            // Detach does not carry written registers: the report is answered first, and with
            // no events asked for no other can come between. A task that was killed meanwhile
            // has no report any more; it is let go all the same.
            answered = host::set_events(host, id, (Events::empty(), Posting::NONE), false)
                .and_then(|()| host::answer(host, task.answer(id, go.number, go.verdict)));
            signal = None;
        }
        host::done(host, &Call::Detach { task: id, signal }).and(answered)
    }

    /// Answers a report that is not about tracing, of a task that may be a tracee nevertheless:
    /// it runs on as its engines want it to.
    pub(crate) fn conclude(
        &mut self,
        host: &mut impl Host,
        id: TaskId,
        number: u32,
        verdict: Verdict,
    ) {
        let step = match self.tasks.get(id) {
            Some(task) => task.chain.resume_action().step(),
            None => Default::default(),
        };
        let answer = abi::tracer::Answer {
            task: id,
            number,
            written: None,
            step,
            verdict,
        };
        let _ = host::answer(host, answer);
    }
}
