//! What a process does with its signals.

pub use abi::signal::Action;
use abi::signal::{CORE, IGNORED, SIGMAX, STOPPING};
use abi::tracer::SignalAction;

/// The default action.
pub const SIG_DFL: u64 = 0;
/// Ignore.
pub const SIG_IGN: u64 = 1;

/// The actions of a process.
#[derive(Clone, Hash)]
pub struct Actions([Action; SIGMAX as usize]);

impl Default for Actions {
    fn default() -> Actions {
        Actions([Action::default(); SIGMAX as usize])
    }
}

impl Actions {
    /// The action of `signo`, 1 to 64.
    pub fn get(&self, signo: u8) -> &Action {
        &self.0[usize::from(signo) - 1]
    }

    /// Sets it.
    pub fn set(&mut self, signo: u8, action: Action) {
        self.0[usize::from(signo) - 1] = action;
    }

    /// What happens to a signal now.
    pub fn disposition(&self, signo: u8) -> SignalAction {
        match self.get(signo).handler {
            SIG_IGN => SignalAction::Ignore,
            SIG_DFL => default_of(signo),
            _ => SignalAction::Handler,
        }
    }

    /// Whether a signal would vanish.
    pub fn ignores(&self, signo: u8) -> bool {
        self.disposition(signo) == SignalAction::Ignore
    }

    /// exec: handlers go back to the default, ignored signals stay ignored.
    pub fn reset_handlers(&mut self) {
        for action in &mut self.0 {
            let handler = if action.handler == SIG_IGN {
                SIG_IGN
            } else {
                SIG_DFL
            };
            *action = Action {
                handler,
                ..Action::default()
            };
        }
    }
}

/// The default action of a signal.
pub fn default_of(signo: u8) -> SignalAction {
    if signo == abi::signal::SIGSTOP {
        SignalAction::Stop
    } else if STOPPING.has(signo) {
        SignalAction::TerminalStop
    } else if IGNORED.has(signo) {
        SignalAction::Ignore
    } else if CORE.has(signo) {
        SignalAction::Core
    } else {
        SignalAction::Terminate
    }
}
