//! `vCont` and the older packets that resume.

use super::{Reject, Request, need};
use crate::packet::{ThreadId, hex};

/// What a task is to do. Signals are numbers of the protocol, 0 for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Run, with this signal.
    Continue(u8),
    /// Run one instruction, with this signal.
    Step(u8),
    /// Run by single instructions until outside of these addresses.
    Range(u64, u64),
    /// Stop.
    Stop,
}

/// An action, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directive {
    /// What to do.
    pub action: Action,
    /// Who: the first directive that names a task is its own.
    pub who: ThreadId,
}

/// Reads the directives behind `vCont;`.
pub fn directives(text: &[u8]) -> Option<Vec<Directive>> {
    text.split(|byte| *byte == b';').map(directive).collect()
}

fn directive(text: &[u8]) -> Option<Directive> {
    let mut parts = text.splitn(2, |byte| *byte == b':');
    let action = action(parts.next()?)?;
    let who = match parts.next() {
        Some(id) => ThreadId::parse(id)?,
        None => ThreadId::ALL,
    };
    Some(Directive { action, who })
}

fn action(text: &[u8]) -> Option<Action> {
    Some(match text.split_first()? {
        (b'c', []) => Action::Continue(0),
        (b's', []) => Action::Step(0),
        (b't', []) => Action::Stop,
        (b'C', signal) => Action::Continue(signal_number(signal)?),
        (b'S', signal) => Action::Step(signal_number(signal)?),
        (b'r', range) => {
            let comma = range.iter().position(|byte| *byte == b',')?;
            Action::Range(
                hex::number(&range[..comma])?,
                hex::number(&range[comma + 1..])?,
            )
        }
        _ => return None,
    })
}

fn signal_number(digits: &[u8]) -> Option<u8> {
    hex::number(digits)?.try_into().ok()
}

/// Reads `c`, `C SIGNAL`, `s` or `S SIGNAL`. An address to go on at, which no current gdb sends, is
/// not taken.
pub fn selected(letter: u8, rest: &[u8]) -> Result<Request, Reject> {
    let action = match (letter, rest) {
        (b'c', []) => Action::Continue(0),
        (b's', []) => Action::Step(0),
        (b'C', signal) => Action::Continue(need(signal_number(signal))?),
        (b'S', signal) => Action::Step(need(signal_number(signal))?),
        _ => return Err(Reject::Malformed),
    };
    Ok(Request::ResumeSelected(action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_in_order() {
        let one = |action, who: &str| Directive {
            action,
            who: ThreadId::parse(who.as_bytes()).unwrap(),
        };
        assert_eq!(
            directives(b"S05:p1.2;r10,1f:p1.3;t:p2.-1;c").unwrap(),
            [
                one(Action::Step(5), "p1.2"),
                one(Action::Range(0x10, 0x1f), "p1.3"),
                one(Action::Stop, "p2.-1"),
                Directive {
                    action: Action::Continue(0),
                    who: ThreadId::ALL
                },
            ]
        );
        for wrong in ["", "c;", "C", "C100", "r1", "c:", "x"] {
            assert_eq!(directives(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn older_packets() {
        let resumed = |action| Ok(Request::ResumeSelected(action));
        assert_eq!(selected(b'C', b"0b"), resumed(Action::Continue(11)));
        assert_eq!(selected(b's', b""), resumed(Action::Step(0)));
        assert_eq!(selected(b'c', b"1000"), Err(Reject::Malformed));
    }
}
