//! A signal on its way along the chain (utrace rule 3).

use abi::SigInfo;
use abi::engine::Choice;
use abi::signal::Action;
use abi::tracer::{Events, SignalAction, Verdict};

/// The signal as the next engine sees it: each engine sees what the one before made of it, and
/// the last choice wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Arbitration {
    /// The siginfo, which engines may change.
    pub info: SigInfo,
    /// What its disposition says.
    pub action: SignalAction,
    /// What the handler is this time, if an engine has changed that.
    pub handler: Option<Action>,
    /// What the engines so far chose, if any did.
    pub choice: Option<Choice>,
}

impl Arbitration {
    /// A signal that nobody has seen.
    pub fn new(info: SigInfo, action: SignalAction) -> Arbitration {
        Arbitration {
            info,
            action,
            handler: None,
            choice: None,
        }
    }

    /// What would happen with the signal, as it stands now.
    pub fn outcome(&self) -> SignalAction {
        match self.choice {
            Some(Choice::Act(action)) => action,
            Some(Choice::Hold) => SignalAction::Ignore,
            None => self.action,
        }
    }

    /// The event that this signal is, as it stands now.
    pub fn event(&self) -> Events {
        self.outcome().events()
    }

    /// What the process manager is told, and the signal it has to be sent again first (HOLD).
    /// `changed` says whether some engine replaced the siginfo.
    pub(super) fn verdict(&self, changed: bool) -> (Verdict, Option<SigInfo>) {
        let Arbitration { info, handler, .. } = *self;
        let verdict = |action| Verdict::Signal {
            action,
            info,
            handler,
        };
        match self.choice {
            Some(Choice::Hold) => (verdict(SignalAction::Ignore), Some(info)),
            Some(Choice::Act(action)) => (verdict(action), None),
            None if changed => (verdict(SignalAction::Deliver), None),
            None => (Verdict::Continue, None),
        }
    }
}
