//! The options, understood: what the tracer asks while it works.

use libtrace::Pid;
use trace::options::Options;

use crate::cx::{Descriptors, Look};
use crate::dump;
use crate::filter::Filter;
use crate::inject::Injection;
use crate::names::set_of;
use crate::quote::Hex;
use crate::signals;

/// What to trace and how to show it.
pub struct Settings {
    /// The options that need no understanding.
    pub options: Options,
    /// The processes to attach to.
    pub processes: Vec<Pid>,
    /// The calls to trace.
    pub calls: Filter,
    /// The calls whose arguments stay numbers.
    pub raw: Filter,
    /// The calls whose structures are abbreviated.
    pub abbreviated: Filter,
    /// The signals to show, as a set.
    pub signals: u64,
    /// The outcomes of calls to show, of [`OUTCOMES`].
    pub outcomes: u64,
    /// What not to say, of [`QUIET`].
    pub quiet: u64,
    /// The descriptors of which everything that is read is shown.
    pub read: dump::Descriptors,
    /// The same of everything that is written.
    pub write: dump::Descriptors,
    /// What to do to calls; the last that is for a call counts.
    pub injections: Vec<Injection>,
    /// How arguments are printed.
    pub look: Look,
    /// Calls are printed as text.
    pub text: bool,
}

/// The bits of [`Settings::outcomes`] that are asked for.
pub const SUCCESSFUL: u64 = 1;
/// The call returned an error.
pub const FAILED: u64 = 2;
/// The call did not return.
pub const UNFINISHED: u64 = 4;
/// The call's task was let go before.
pub const DETACHED: u64 = 16;
const EVERY_OUTCOME: u64 = 31;
const OUTCOMES: [(&str, u64); 5] = [
    ("successful", SUCCESSFUL),
    ("failed", FAILED),
    ("unfinished", UNFINISHED),
    ("unavailable", 8),
    ("detached", DETACHED),
];

/// The bits of [`Settings::quiet`] that are asked for.
pub const ATTACH: u64 = 1;
/// A process's end.
pub const EXIT: u64 = 2;
/// What a path of `-P` leads to.
pub const PATH_RESOLUTION: u64 = 4;
/// A process taken over by the execve of one of its threads.
pub const SUPERSEDED: u64 = 8;
const QUIET: [(&str, u64); 6] = [
    ("attach", ATTACH),
    ("exit", EXIT),
    ("path-resolution", PATH_RESOLUTION),
    ("personality", 0),
    ("thread-execve", SUPERSEDED),
    ("superseded", SUPERSEDED),
];

const DESCRIPTORS: [(&str, u64); 4] = [("path", 1), ("socket", 2), ("dev", 4), ("pidfd", 8)];

impl Settings {
    /// Understands the options.
    ///
    /// # Errors
    /// A message that names what is not understood.
    pub fn of(options: Options) -> Result<Settings, String> {
        let descriptors = match options.decode_fds {
            0 => 0,
            1 => 1,
            _ => 15,
        };
        let mut settings = Settings {
            processes: processes(&options.processes)?,
            calls: Filter::of(true),
            raw: Filter::of(false),
            abbreviated: Filter::of(!options.no_abbrev),
            signals: u64::MAX,
            outcomes: EVERY_OUTCOME,
            quiet: quiet(&options),
            read: dump::Descriptors::default(),
            write: dump::Descriptors::default(),
            injections: Vec::new(),
            look: Look {
                limit: options.string_limit,
                hex: match options.strings_in_hex {
                    0 => Hex::Never,
                    1 => Hex::NonAscii,
                    _ => Hex::Always,
                },
                verbose: false,
                raw: false,
                descriptors: Descriptors(descriptors),
            },
            text: options.prints_text(),
            options,
        };
        for expression in settings.options.expressions.clone() {
            settings.understand(&expression)?;
        }
        match (
            settings.options.successful_only,
            settings.options.failed_only,
        ) {
            (true, _) => settings.outcomes = SUCCESSFUL,
            (_, true) => settings.outcomes = FAILED,
            _ => {}
        }
        if settings.options.follow > 1 && settings.counts() {
            return Err("-c/-C and -ff are mutually exclusive".to_owned());
        }
        Ok(settings)
    }

    /// How the arguments of call number `nr` are printed.
    pub fn look_of(&self, nr: u64) -> Look {
        Look {
            verbose: !self.abbreviated.has(nr),
            raw: self.raw.has(nr),
            ..self.look
        }
    }

    /// A line is printed only when it is known how the call ends.
    pub fn hold_lines(&self) -> bool {
        self.outcomes != EVERY_OUTCOME
    }

    /// Calls are counted.
    pub fn counts(&self) -> bool {
        self.options.summary || self.options.summary_only
    }

    /// Signal number `signal` is shown.
    pub fn shows_signal(&self, signal: i32) -> bool {
        self.signals >> (signal - 1) & 1 == 1
    }

    fn understand(&mut self, expression: &str) -> Result<(), String> {
        let (qualifier, set) = expression.split_once('=').unwrap_or(("trace", expression));
        match qualifier {
            "trace" | "t" => self.calls = Filter::parse(set)?,
            "raw" | "x" => self.raw = Filter::parse(set)?,
            "abbrev" | "a" => self.abbreviated = Filter::parse(set)?,
            "signal" | "signals" | "s" => {
                let number = |word: &str| signals::parse(word).map(|signal| 1 << (signal - 1));
                self.signals = set_of(set, u64::MAX, number)
                    .ok_or_else(|| format!("invalid signal '{set}'"))?;
            }
            "status" => self.outcomes = named_set("status", set, &OUTCOMES)?,
            "quiet" | "silent" | "silence" | "q" => self.quiet |= named_set("quiet", set, &QUIET)?,
            "decode-fds" | "decode-fd" => {
                self.look.descriptors = Descriptors(named_set("decode-fds", set, &DESCRIPTORS)?);
            }
            "read" | "reads" | "r" => self.read = descriptors(set)?,
            "write" | "writes" | "w" => self.write = descriptors(set)?,
            "inject" => self.injections.push(Injection::parse(set, false)?),
            "fault" => self.injections.push(Injection::parse(set, true)?),
            _ => return Err(format!("invalid -e expression '{expression}'")),
        }
        Ok(())
    }
}

fn descriptors(set: &str) -> Result<dump::Descriptors, String> {
    dump::Descriptors::parse(set).ok_or_else(|| format!("invalid descriptor '{set}'"))
}

fn named_set(what: &str, set: &str, names: &[(&str, u64)]) -> Result<u64, String> {
    let all = names.iter().fold(0, |all, (_, bit)| all | bit);
    let bit = |word: &str| {
        names
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, bit)| *bit)
    };
    set_of(set, all, bit).ok_or_else(|| format!("invalid {what} '{set}'"))
}

/// Messages about attaching only get in the way where nothing was attached to and the trace
/// is elsewhere.
fn quiet(options: &Options) -> u64 {
    let by_itself = options.output.is_some() && options.processes.is_empty();
    match options.quiet {
        0 if by_itself => ATTACH,
        0 => 0,
        1 => ATTACH,
        2 => ATTACH | EXIT,
        _ => u64::MAX,
    }
}

fn processes(words: &[String]) -> Result<Vec<Pid>, String> {
    words
        .iter()
        .flat_map(|word| word.split([',', ' ', '\t', '\n']))
        .filter(|word| !word.is_empty())
        .map(|word| match word.parse() {
            Ok(pid @ 1..) => Ok(pid),
            _ => Err(format!("Invalid process id: '{word}'")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(expressions: &[&str]) -> Result<Settings, String> {
        Settings::of(Options {
            expressions: expressions.iter().map(|it| (*it).to_owned()).collect(),
            ..Options::default()
        })
    }

    #[test]
    fn the_last_expression_of_a_kind_counts() {
        let settings = settings(&["trace=read", "signal=!usr1,SIGCHLD", "write"]).unwrap();
        assert!(settings.calls.has(1) && !settings.calls.has(0));
        assert!(!settings.shows_signal(10) && !settings.shows_signal(17));
        assert!(settings.shows_signal(11));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let error = |expression: &str| settings(&[expression]).err().unwrap();
        assert_eq!(error("status=maybe"), "invalid status 'maybe'");
        assert_eq!(error("signal=SIGFOO"), "invalid signal 'SIGFOO'");
        assert_eq!(error("colour=read"), "invalid -e expression 'colour=read'");
    }

    #[test]
    fn process_ids_may_come_in_lists() {
        let words = ["1,2".to_owned(), "3 4\n5".to_owned()];
        assert_eq!(processes(&words), Ok(vec![1, 2, 3, 4, 5]));
        assert!(processes(&["x".to_owned()]).is_err());
        assert!(processes(&["0".to_owned()]).is_err());
    }
}
