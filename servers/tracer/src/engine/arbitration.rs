//! A signal on its way along the chain (utrace rule 3).

use abi::SigInfo;
use abi::tracer::{Events, SignalAction, Verdict};

/// What an engine chose for a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// This happens with it.
    Act(SignalAction),
    /// It goes back into the queue.
    Hold,
}

/// The signal as the next engine sees it: each engine sees what the one before made of it, and
/// the last choice wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arbitration {
    /// The siginfo, which engines may change.
    pub info: SigInfo,
    /// What its disposition says.
    pub action: SignalAction,
    /// What the engines so far chose, if any did.
    pub choice: Option<Choice>,
}

impl Arbitration {
    /// The event that this signal is, as it stands now.
    pub fn event(&self) -> Events {
        let action = match self.choice {
            Some(Choice::Act(action)) => action,
            Some(Choice::Hold) => SignalAction::Ignore,
            None => self.action,
        };
        match action {
            SignalAction::Deliver => Events::ANY_SIGNAL,
            SignalAction::Handler => Events::SIGNAL,
            SignalAction::Ignore => Events::SIGNAL_IGN,
            SignalAction::Stop | SignalAction::TerminalStop => Events::SIGNAL_STOP,
            SignalAction::Terminate => Events::SIGNAL_TERM,
            SignalAction::Core => Events::SIGNAL_CORE,
        }
    }

    /// What the process manager is told, and the signal it has to be sent again first (HOLD).
    /// `changed` says whether some engine replaced the siginfo.
    pub(super) fn verdict(&self, changed: bool) -> (Verdict, Option<SigInfo>) {
        let info = self.info;
        match self.choice {
            Some(Choice::Hold) => {
                let action = SignalAction::Ignore;
                (Verdict::Signal { action, info }, Some(info))
            }
            Some(Choice::Act(action)) => (Verdict::Signal { action, info }, None),
            None if changed => {
                let action = SignalAction::Deliver;
                (Verdict::Signal { action, info }, None)
            }
            None => (Verdict::Continue, None),
        }
    }
}
