//! What the ptrace engine makes of each report (A10).

use super::{Mode, Options, Stop, StopKind};
use crate::engine::{Choice, Response, State};
use crate::{Host, Tracer, host};
use abi::linux::general::{CLONE_PTRACE, CLONE_UNTRACED};
use abi::linux::ptrace as nr;
use abi::signal::{SIGCONT, SIGTRAP, code};
use abi::tracer::{Call, CloneKind, Event, SignalAction};
use abi::{SigInfo, TaskId};

impl Tracer {
    /// The engine's answer to a report. If it is a stop, the stop is in place when this returns,
    /// and its code is published after the answer is given: arm, publish, notify.
    pub(crate) fn ptrace_report(
        &mut self,
        host: &mut impl Host,
        id: TaskId,
        event: Event,
    ) -> Response {
        if let Event::Clone {
            child,
            child_tid,
            kind,
            flags,
        } = event
        {
            return self.clone_report(host, id, (child, child_tid), kind, flags);
        }
        let Some(task) = self.tasks.get_mut(id) else {
            return Response::default();
        };
        let reported = task.chain.report().map(|r| r.event);
        let tid = task.tid;
        let Some((_, tracee)) = task.ptrace() else {
            return Response::default();
        };
        let own = (tid, tracee.uid);
        let sysgood = tracee.options.contains(Options::SYSGOOD);
        let mut response = Response::default();
        let stop = match event {
            Event::Quiesce if reported == Some(Event::Quiesce) && tracee.interrupt => {
                tracee.interrupt = false;
                Some(match tracee.group {
                    Some(signo) if !tracee.seized => Stop::group(signo),
                    group => Stop::event_stop(group.unwrap_or(SIGTRAP), own),
                })
            }
            Event::SyscallEntry => {
                response.abort = tracee.mode == Mode::Emulate;
                Some(Stop::syscall(StopKind::SyscallEntry, sysgood, own))
            }
            Event::SyscallExit => Some(Stop::syscall(StopKind::SyscallExit, sysgood, own)),
            Event::Signal { info, .. } => {
                if info.signal() == Some(SIGCONT) {
                    tracee.group = None;
                }
                // Withheld until the tracer says what becomes of it.
                response.signal = Some(Choice::Act(SignalAction::Ignore));
                Some(Stop::signal(info))
            }
            Event::VforkDone { child_tid } => Some(Stop::event(
                nr::PTRACE_EVENT_VFORK_DONE,
                child_tid.into(),
                own,
            )),
            Event::Exec { former_tid } if tracee.options.contains(Options::EXEC) => {
                Some(Stop::event(nr::PTRACE_EVENT_EXEC, former_tid.into(), own))
            }
            Event::Exec { .. } if !tracee.seized => {
                let info = SigInfo::from_process(SIGTRAP, code::SI_USER, tid, own.1);
                // Nothing to be done for a task that dies meanwhile.
                let _ = host::signal(host, id, info, false);
                None
            }
            Event::Exit { status } => Some(Stop::event(
                nr::PTRACE_EVENT_EXIT,
                u64::from(status as u32),
                own,
            )),
            Event::JobControl { signo, stop: true } => {
                tracee.group = Some(signo);
                Some(if tracee.seized {
                    Stop::event_stop(signo, own)
                } else {
                    Stop::group(signo)
                })
            }
            Event::JobControl { stop: false, .. } => {
                tracee.group = None;
                tracee.seized.then(|| Stop::event_stop(SIGTRAP, own))
            }
            Event::Death { .. } | Event::Reap => {
                tracee.stop = None;
                tracee.listening = None;
                response.state = Some(State::empty());
                None
            }
            _ => None,
        };
        if let Some(stop) = stop {
            tracee.stop = Some(stop);
            response.state = Some(State::QUIESCE);
        }
        response
    }

    fn clone_report(
        &mut self,
        host: &mut impl Host,
        id: TaskId,
        child: (TaskId, u32),
        kind: CloneKind,
        flags: u64,
    ) -> Response {
        let mut response = Response::default();
        let Some(task) = self.tasks.get_mut(id) else {
            return response;
        };
        let tid = task.tid;
        let Some((_, parent)) = task.ptrace() else {
            return response;
        };
        let (number, wanted) = parent.options.clone_event(kind);
        let untraced = flags & u64::from(CLONE_UNTRACED) != 0;
        if untraced || !(wanted || flags & u64::from(CLONE_PTRACE) != 0) {
            return response;
        }
        let parent = parent.clone();
        // No room, or killed before its first instruction: the child runs untraced.
        if self.attach_child(host, &parent, child.0, child.1).is_err() {
            self.lost_children += 1;
        }
        if wanted {
            let own = (tid, parent.uid);
            if let Some((_, tracee)) = self.tasks.get_mut(id).and_then(|t| t.ptrace()) {
                tracee.stop = Some(Stop::event(number, child.1.into(), own));
                response.state = Some(State::QUIESCE);
            }
        }
        response
    }

    /// Makes the stop visible to the tracer's wait.
    pub(crate) fn publish(&mut self, host: &mut impl Host, id: TaskId, code: u32) {
        let Some(task) = self.tasks.get_mut(id) else {
            return;
        };
        let Some(number) = task.chain.report().map(|r| r.number) else {
            return;
        };
        let stop = abi::tracer::Stop { code };
        let posted = host::done(
            host,
            &Call::Post {
                task: id,
                number,
                stop,
            },
        );
        if posted.is_err()
            && let Some((_, tracee)) = task.ptrace()
        {
            // Killed meanwhile; its next report says so.
            tracee.stop = None;
        }
    }
}
