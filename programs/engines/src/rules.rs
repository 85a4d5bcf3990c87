//! The rules of a system-call policy.
//!
//! A rule is a line: what to do, the calls it is about, and what their arguments must be.
//!
//! ```text
//! # nothing is deleted, and sockets of other families than AF_UNIX fail
//! deny EPERM  unlink unlinkat rmdir
//! allow       socket a0=1
//! deny EAFNOSUPPORT socket
//! kill        ptrace
//! log         execve execveat
//! ```
//!
//! The first rule that fits decides; a `log` rule is noted and the search goes on. What no rule fits
//! is allowed, unless there is a rule about `*`.

use std::str::FromStr;

use libtrace::Errno;
use libtrace::engine::{Call, Calls};

/// What becomes of a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It runs.
    Allow,
    /// It fails with this error and does not run.
    Deny(Errno),
    /// The process is killed.
    Kill,
    /// It is noted.
    Log,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    action: Action,
    /// Which calls, if not all.
    calls: Option<Vec<u64>>,
    conditions: Vec<Condition>,
}

/// Something that must hold for an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Condition {
    argument: usize,
    mask: u64,
    value: u64,
    equal: bool,
}

/// A policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules(Vec<Rule>);

/// What a policy says of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What becomes of it; never [`Action::Log`].
    pub action: Action,
    /// It is to be noted.
    pub log: bool,
}

impl Rules {
    /// The calls that some rule is about: the engine need not be told of others.
    pub fn calls(&self) -> Calls {
        let mut calls = Calls::NONE;
        for rule in &self.0 {
            match &rule.calls {
                Some(numbers) => numbers.iter().for_each(|nr| calls.insert(*nr)),
                None => return Calls::ALL,
            }
        }
        calls
    }

    /// What becomes of a call.
    pub fn decide(&self, call: &Call) -> Decision {
        let mut log = false;
        for rule in self.0.iter().filter(|rule| rule.fits(call)) {
            match rule.action {
                Action::Log => log = true,
                action => return Decision { action, log },
            }
        }
        Decision {
            action: Action::Allow,
            log,
        }
    }
}

impl Rule {
    fn fits(&self, call: &Call) -> bool {
        let holds = |condition: &Condition| {
            let argument = call.args[condition.argument] & condition.mask;
            (argument == condition.value) == condition.equal
        };
        let named = |calls: &Vec<u64>| calls.contains(&call.nr);
        self.calls.as_ref().is_none_or(named) && self.conditions.iter().all(holds)
    }
}

impl FromStr for Rules {
    type Err = String;

    /// Reads a policy; the error names the line.
    fn from_str(text: &str) -> Result<Rules, String> {
        let lines = text.lines().enumerate().map(|(at, line)| {
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.is_empty() {
                true => Ok(None),
                false => rule(&words)
                    .map(Some)
                    .map_err(|error| format!("line {}: {error}", at + 1)),
            }
        });
        let rules: Result<Vec<_>, _> = lines.filter_map(Result::transpose).collect();
        rules.map(Rules)
    }
}

fn rule(words: &[&str]) -> Result<Rule, String> {
    let (action, rest) = match words {
        ["allow", rest @ ..] => (Action::Allow, rest),
        ["kill", rest @ ..] => (Action::Kill, rest),
        ["log", rest @ ..] => (Action::Log, rest),
        ["deny", error, rest @ ..] => {
            let errno = Errno::of_name(error).ok_or(format!("'{error}' is no error's name"))?;
            (Action::Deny(errno), rest)
        }
        [other, ..] => return Err(format!("'{other}' is not allow, deny, kill or log")),
        [] => return Err("nothing".into()),
    };
    let mut numbers = Vec::new();
    let mut conditions = Vec::new();
    let mut all = false;
    for word in rest {
        if let Some(condition) = condition(word)? {
            conditions.push(condition);
            continue;
        }
        match *word {
            "*" => all = true,
            name => numbers.push(number(name)?),
        }
    }
    if !all && numbers.is_empty() {
        return Err("no system call is named".into());
    }
    Ok(Rule {
        action,
        calls: (!all).then_some(numbers),
        conditions,
    })
}

fn number(name: &str) -> Result<u64, String> {
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    let call =
        syscalls::Sysno::from_str(name).map_err(|_| format!("'{name}' is no system call"))?;
    Ok(call as u64)
}

/// `aN=VALUE`, `aN!=VALUE` or `aN&MASK=VALUE`; none for a word that is no condition.
fn condition(word: &str) -> Result<Option<Condition>, String> {
    let Some((left, value)) = word.split_once('=') else {
        return Ok(None);
    };
    let wrong = || format!("'{word}' is not aN=VALUE, aN!=VALUE or aN&MASK=VALUE");
    let (left, equal) = match left.strip_suffix('!') {
        Some(left) => (left, false),
        None => (left, true),
    };
    let (argument, mask) = match left.split_once('&') {
        Some((argument, mask)) => (argument, integer(mask).ok_or_else(wrong)?),
        None => (left, u64::MAX),
    };
    let argument = argument
        .strip_prefix('a')
        .and_then(|digit| digit.parse().ok());
    Ok(Some(Condition {
        argument: argument.filter(|at| *at < 6).ok_or_else(wrong)?,
        mask,
        value: integer(value).ok_or_else(wrong)?,
        equal,
    }))
}

fn integer(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => match text.strip_prefix('-') {
            Some(digits) => Some(digits.parse::<u64>().ok()?.wrapping_neg()),
            None => text.parse().ok(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(nr: u64, args: [u64; 6]) -> Call {
        Call { nr, args }
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let rules: Rules = "
            # sockets
            log execve
            allow socket a0=1
            deny EAFNOSUPPORT socket a0!=16   # but netlink
            kill ptrace
            deny EACCES openat a2&0x3=1
            deny ENOMEM brk 9 a0!=0"
            .parse()
            .unwrap();
        let action = |nr, args| rules.decide(&call(nr, args)).action;
        assert_eq!(action(41, [1, 0, 0, 0, 0, 0]), Action::Allow);
        assert_eq!(action(41, [2, 0, 0, 0, 0, 0]), Action::Deny(Errno(97)));
        assert_eq!(action(41, [16, 0, 0, 0, 0, 0]), Action::Allow);
        assert_eq!(action(101, [0; 6]), Action::Kill);
        assert_eq!(action(257, [0, 0, 0x41, 0, 0, 0]), Action::Deny(Errno(13)));
        assert_eq!(action(257, [0, 0, 0x42, 0, 0, 0]), Action::Allow);
        assert_eq!(action(9, [1, 0, 0, 0, 0, 0]), Action::Deny(Errno(12)));
        assert_eq!(action(0, [0; 6]), Action::Allow);
        let logged = rules.decide(&call(59, [0; 6]));
        assert_eq!((logged.action, logged.log), (Action::Allow, true));
        assert!(rules.calls().has(41) && !rules.calls().has(0));
    }

    #[test]
    fn a_rule_about_everything_ends_the_list() {
        let rules: Rules = "allow read write exit_group\ndeny EPERM *".parse().unwrap();
        assert_eq!(rules.decide(&call(1, [0; 6])).action, Action::Allow);
        assert_eq!(
            rules.decide(&call(2, [0; 6])).action,
            Action::Deny(Errno(1))
        );
        assert_eq!(rules.calls(), Calls::ALL);
    }

    #[test]
    fn numbers_that_share_a_bit_are_told_apart() {
        let rules: Rules = "deny ENOSYS 1937014785".parse().unwrap();
        assert!(rules.calls().has(9999));
        assert_eq!(rules.decide(&call(9999, [0; 6])).action, Action::Allow);
        let caps = rules.decide(&call(1_937_014_785, [0; 6])).action;
        assert_eq!(caps, Action::Deny(Errno::ENOSYS));
    }

    #[test]
    fn errors_name_their_line() {
        let error = |text: &str| text.parse::<Rules>().unwrap_err();
        assert_eq!(
            error("\nforbid unlink"),
            "line 2: 'forbid' is not allow, deny, kill or log"
        );
        assert_eq!(error("deny unlink"), "line 1: 'unlink' is no error's name");
        assert_eq!(error("kill unlinc"), "line 1: 'unlinc' is no system call");
        assert_eq!(error("kill"), "line 1: no system call is named");
        assert!(error("kill read a6=1").contains("a6=1"));
        assert!(error("kill read a0=x").contains("a0=x"));
    }
}
