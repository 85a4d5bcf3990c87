//! Which system calls to print.

use syscalls::x86_64::Sysno;

use trace::class;

/// A set of system calls.
#[derive(Debug)]
pub struct Filter {
    /// By number.
    chosen: Vec<bool>,
    /// Whether a number without a name is in the set.
    unknown: bool,
}

impl Filter {
    /// The call is in the set.
    pub fn has(&self, nr: u64) -> bool {
        self.chosen
            .get(nr as usize)
            .copied()
            .unwrap_or(self.unknown)
    }

    /// All calls, or none.
    pub fn of(all: bool) -> Filter {
        Filter {
            chosen: vec![all; 512],
            unknown: all,
        }
    }

    /// The set that a list of names, numbers, classes and regular expressions means, or all
    /// but those behind an exclamation mark.
    ///
    /// # Errors
    /// A message that names what is not understood.
    pub fn parse(set: &str) -> Result<Filter, String> {
        let (negated, set) = match set.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, set),
        };
        let mut filter = Filter::of(negated);
        for word in set.split(',') {
            filter.add(word, !negated)?;
        }
        Ok(filter)
    }

    fn add(&mut self, word: &str, chosen: bool) -> Result<(), String> {
        let (optional, word) = match word.strip_prefix('?') {
            Some(rest) => (true, rest),
            None => (false, word),
        };
        match word {
            "none" => return Ok(()),
            "all" => {
                *self = Filter::of(chosen);
                return Ok(());
            }
            _ => {}
        }
        // There is one personality here.
        let word = match word.rsplit_once('@') {
            Some((word, "64")) => word,
            Some((_, "32" | "x32")) => return Ok(()),
            _ => word,
        };
        let members = match word.strip_prefix('/') {
            Some(pattern) => matching(pattern)?,
            None => class::members(word.strip_prefix('%').unwrap_or(word)),
        };
        if !members.is_empty() {
            for call in members {
                self.chosen[call.id() as usize] = chosen;
            }
            return Ok(());
        }
        let by_number = || word.parse().ok().and_then(Sysno::new);
        match word.parse::<Sysno>().ok().or_else(by_number) {
            Some(call) => self.chosen[call.id() as usize] = chosen,
            None if optional => {}
            None => return Err(format!("invalid system call '{word}'")),
        }
        Ok(())
    }
}

/// The calls whose names a regular expression finds something in.
fn matching(pattern: &str) -> Result<Vec<Sysno>, String> {
    let pattern = regex_lite::Regex::new(pattern)
        .map_err(|error| format!("invalid regular expression '{pattern}': {error}"))?;
    Ok(Sysno::iter()
        .filter(|call| pattern.is_match(call.name()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(expression: &str, call: Sysno) -> bool {
        Filter::parse(expression).unwrap().has(call.id() as u64)
    }

    #[test]
    fn names_choose_calls() {
        assert!(has("openat,read", Sysno::read));
        assert!(!has("openat,read", Sysno::write));
    }

    #[test]
    fn an_exclamation_mark_negates() {
        assert!(!has("!openat,read", Sysno::read));
        assert!(has("!openat,read", Sysno::write));
    }

    #[test]
    fn classes_are_known_with_and_without_percent() {
        assert!(has("%file", Sysno::openat));
        assert!(has("file", Sysno::stat));
        assert!(!has("%file", Sysno::read));
    }

    #[test]
    fn regular_expressions_choose_by_name() {
        assert!(has("/^open", Sysno::openat));
        assert!(!has("/^open", Sysno::mq_open));
        assert!(has("!/^open", Sysno::mq_open));
    }

    #[test]
    fn personalities_are_known() {
        assert!(has("read@64", Sysno::read));
        assert!(!has("read@32,write", Sysno::read));
    }

    #[test]
    fn what_is_unknown_is_named() {
        let error = Filter::parse("foo").unwrap_err();
        assert_eq!(error, "invalid system call 'foo'");
    }
}
