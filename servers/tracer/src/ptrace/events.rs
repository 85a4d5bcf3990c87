//! What the ptrace engine makes of each report (A10). Under a lease only a few come here.

use crate::engine::{Choice, Response, State};
use crate::{Host, Tracer, host};
use abi::linux::general::{CLONE_PTRACE, CLONE_UNTRACED};
use abi::linux::ptrace as nr;
use abi::ptrace::{Mode, Options, Stop, StopKind};
use abi::signal::{SIGTRAP, code};
use abi::tracer::{CloneKind, Event, SignalAction};
use abi::{SigInfo, TaskId};

impl Tracer {
    /// The engine's answer to a report. If it is a stop, that is in place when this returns, and
    /// published after the answer is given: arm, publish, notify.
    pub(crate) fn ptrace_report(
        &mut self,
        host: &mut impl Host,
        id: TaskId,
        event: Event,
    ) -> Response {
        if let Event::Clone {
            child, kind, flags, ..
        } = event
            && !self.clone_is_shown(host, id, child, kind, flags)
        {
            return Response::default();
        }
        let Some(task) = self.tasks.get_mut(id) else {
            return Response::default();
        };
        let tid = task.tid;
        let stopped = task.chain.stopped();
        let Some((_, tracee)) = task.ptrace() else {
            return Response::default();
        };
        let options = tracee.options;
        let mut response = Response::default();
        let stop = match event {
            Event::Clone {
                child_tid, kind, ..
            } => Some(Stop::event(options.clone_event(kind).0, child_tid.into())),
            Event::SyscallEntry => {
                let emulated = tracee.mode == Mode::Emulate;
                response.abort = emulated;
                Some(Stop::syscall(StopKind::SyscallEntry { emulated }, options))
            }
            Event::HandlerStep => Some(Stop::handler_step()),
            Event::SyscallExit => Some(Stop::syscall(StopKind::SyscallExit, options)),
            Event::Signal { info, .. } => {
                // Withheld until the tracer says what becomes of it.
                response.signal = Some(Choice::Act(SignalAction::Ignore));
                info.signal().map(Stop::signal)
            }
            Event::VforkDone { child_tid } => {
                Some(Stop::event(nr::PTRACE_EVENT_VFORK_DONE, child_tid.into()))
            }
            Event::Exec { former_tid } if options.contains(Options::EXEC) => {
                Some(Stop::event(nr::PTRACE_EVENT_EXEC, former_tid.into()))
            }
            Event::Exec { .. } if !tracee.seized => {
                let info = SigInfo::from_process(SIGTRAP, code::SI_USER, tid, 0);
                // Nothing to be done for a task that dies meanwhile.
                let _ = host::signal(host, id, info, false);
                None
            }
            Event::Exit { status } => {
                let message = u64::from(status as u32);
                Some(Stop::event(nr::PTRACE_EVENT_EXIT, message))
            }
            Event::JobControl { signo, stop: true } => Some(match tracee.seized {
                true => Stop::event_stop(signo),
                false => Stop::group(signo),
            }),
            Event::JobControl { stop: false, .. } => {
                tracee.seized.then(|| Stop::event_stop(SIGTRAP))
            }
            Event::Death { .. } | Event::Reap => {
                response.state = Some(State::empty());
                None
            }
            // Where others watch too; else the process manager makes these stops.
            Event::Quiesce => Some(match (stopped, tracee.seized) {
                (Some(signo), false) => Stop::group(signo),
                (signo, _) => Stop::event_stop(signo.unwrap_or(SIGTRAP)),
            }),
            _ => None,
        };
        tracee.stop = stop;
        if stop.is_some() {
            // Any stop is the one that PTRACE_INTERRUPT asked for.
            tracee.interrupt = false;
            response.state = Some(State::QUIESCE);
        }
        response
    }

    /// Attaches the child of a tracee where it is to be; whether the clone is a stop.
    fn clone_is_shown(
        &mut self,
        host: &mut impl Host,
        id: TaskId,
        child: TaskId,
        kind: CloneKind,
        flags: u64,
    ) -> bool {
        let Some((_, parent)) = self.tasks.get_mut(id).and_then(|task| task.ptrace()) else {
            return false;
        };
        let (_, wanted) = parent.options.clone_event(kind);
        let has = |flag: u32| flags & u64::from(flag) != 0;
        // CLONE_UNTRACED takes back what the options ask for, not CLONE_PTRACE.
        let wanted = wanted && !has(CLONE_UNTRACED);
        if !wanted && !has(CLONE_PTRACE) {
            return false;
        }
        // No room, or killed before its first instruction: the child runs untraced.
        if self.attach_child(host, id, child).is_err() {
            self.lost_children += 1;
        }
        wanted
    }
}
