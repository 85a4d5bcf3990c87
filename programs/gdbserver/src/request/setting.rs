//! `Q`: settings.

use super::{Reject, need};
use crate::packet::hex;

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// `QStartNoAckMode`: packets are not acknowledged any more.
    NoAcknowledgements,
    /// `QNonStop`: tasks stop one by one.
    NonStop(bool),
    /// `QPassSignals`: what tasks get without being stopped.
    PassSignals(Signals),
    /// `QProgramSignals`: what tasks may get at all.
    ProgramSignals(Signals),
    /// `QCatchSyscalls`
    CatchSyscalls(Catch),
    /// `QThreadEvents`: new and exiting threads are reported.
    ThreadEvents(bool),
    /// `QDisableRandomization`
    FixedAddresses(bool),
    /// `QStartupWithShell`
    Shell(bool),
    /// `QEnvironmentHexEncoded`: `NAME=VALUE` for programs that are started.
    SetVariable(String),
    /// `QEnvironmentUnset`
    UnsetVariable(String),
    /// `QEnvironmentReset`
    ResetVariables,
    /// `QSetWorkingDir`: none for ours.
    WorkingFolder(Option<String>),
}

/// A set of signals, by the protocol's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signals([u64; 4]);

/// Which system calls to stop at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Catch {
    /// None.
    #[default]
    None,
    /// All.
    All,
    /// These.
    Some(Vec<u64>),
}

impl Signals {
    /// Reads numbers with `;` between them.
    pub fn parse(text: &[u8]) -> Option<Signals> {
        let mut signals = Signals::default();
        let words = text.split(|byte| *byte == b';');
        for word in words.filter(|word| !word.is_empty()) {
            let signal: u8 = hex::number(word)?.try_into().ok()?;
            signals.0[usize::from(signal / 64)] |= 1 << (signal % 64);
        }
        Some(signals)
    }

    /// Whether it has this one.
    pub fn has(&self, signal: u8) -> bool {
        self.0[usize::from(signal / 64)] >> (signal % 64) & 1 != 0
    }
}

impl Catch {
    /// Reads `0`, `1`, or `1;NUMBER;...`.
    pub fn parse(text: &[u8]) -> Option<Catch> {
        match text {
            b"0" => Some(Catch::None),
            b"1" => Some(Catch::All),
            _ => {
                let numbers = text.strip_prefix(b"1;")?.split(|byte| *byte == b';');
                numbers
                    .map(hex::number)
                    .collect::<Option<_>>()
                    .map(Catch::Some)
            }
        }
    }

    /// Whether to stop at call `number`.
    pub fn has(&self, number: u64) -> bool {
        match self {
            Catch::None => false,
            Catch::All => true,
            Catch::Some(numbers) => numbers.contains(&number),
        }
    }
}

impl Setting {
    /// Reads what is behind the `Q`.
    ///
    /// # Errors
    /// [`Reject`].
    pub fn parse(text: &[u8]) -> Result<Setting, Reject> {
        let mut parts = text.splitn(2, |byte| *byte == b':');
        let name = parts.next().unwrap_or_default();
        let value = parts.next().unwrap_or_default();
        let switch = || match value {
            b"0" => Ok(false),
            b"1" => Ok(true),
            _ => Err(Reject::Malformed),
        };
        Ok(match name {
            b"StartNoAckMode" => Setting::NoAcknowledgements,
            b"NonStop" => Setting::NonStop(switch()?),
            b"PassSignals" => Setting::PassSignals(need(Signals::parse(value))?),
            b"ProgramSignals" => Setting::ProgramSignals(need(Signals::parse(value))?),
            b"CatchSyscalls" => Setting::CatchSyscalls(need(Catch::parse(value))?),
            b"ThreadEvents" => Setting::ThreadEvents(switch()?),
            b"DisableRandomization" => Setting::FixedAddresses(switch()?),
            b"StartupWithShell" => Setting::Shell(switch()?),
            b"EnvironmentHexEncoded" => {
                let variable = need(hex::decode_text(value))?;
                need(variable.contains('=').then_some(()))?;
                Setting::SetVariable(variable)
            }
            b"EnvironmentUnset" => Setting::UnsetVariable(need(hex::decode_text(value))?),
            b"EnvironmentReset" => Setting::ResetVariables,
            b"SetWorkingDir" if value.is_empty() => Setting::WorkingFolder(None),
            b"SetWorkingDir" => Setting::WorkingFolder(Some(need(hex::decode_text(value))?)),
            _ => return Err(Reject::Unsupported),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings() {
        assert_eq!(
            Setting::parse(b"StartNoAckMode"),
            Ok(Setting::NoAcknowledgements)
        );
        assert_eq!(Setting::parse(b"NonStop:1"), Ok(Setting::NonStop(true)));
        assert_eq!(Setting::parse(b"NonStop:2"), Err(Reject::Malformed));
        assert_eq!(
            Setting::parse(b"EnvironmentHexEncoded:413d42"),
            Ok(Setting::SetVariable("A=B".into()))
        );
        assert_eq!(
            Setting::parse(b"EnvironmentHexEncoded:41"),
            Err(Reject::Malformed)
        );
        assert_eq!(
            Setting::parse(b"SetWorkingDir:2f"),
            Ok(Setting::WorkingFolder(Some("/".into())))
        );
    }

    #[test]
    fn sets_of_signals() {
        let signals = Signals::parse(b"e;14;98").unwrap();
        assert!(signals.has(14) && signals.has(20) && signals.has(0x98) && !signals.has(15));
        assert_eq!(Signals::parse(b""), Some(Signals::default()));
        assert_eq!(Signals::parse(b"100"), None);
    }

    #[test]
    fn sets_of_calls() {
        assert_eq!(Catch::parse(b"1;3b;e7"), Some(Catch::Some(vec![59, 231])));
        assert!(Catch::parse(b"1").unwrap().has(5));
        assert_eq!(Catch::parse(b"2"), None);
        assert_eq!(Catch::parse(b"1;"), None);
    }
}
