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
    /// The set that the `-e` expressions ask for; the last one counts.
    ///
    /// # Errors
    /// A message that names what is not understood.
    pub fn parse(expressions: &[String]) -> Result<Filter, String> {
        let mut filter = Filter::of(true);
        for expression in expressions {
            let set = match expression.split_once('=') {
                Some(("trace" | "t", set)) => set,
                Some((other, _)) => return Err(format!("invalid expression '{other}='")),
                None => expression,
            };
            filter = Filter::parse_set(set)?;
        }
        Ok(filter)
    }

    /// The call is in the set.
    pub fn has(&self, nr: u64) -> bool {
        self.chosen
            .get(nr as usize)
            .copied()
            .unwrap_or(self.unknown)
    }

    fn of(all: bool) -> Filter {
        Filter {
            chosen: vec![all; 512],
            unknown: all,
        }
    }

    fn parse_set(set: &str) -> Result<Filter, String> {
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
        let members = class::members(word.strip_prefix('%').unwrap_or(word));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn has(expression: &str, call: Sysno) -> bool {
        Filter::parse(&[expression.to_owned()])
            .unwrap()
            .has(call.id() as u64)
    }

    #[test]
    fn names_choose_calls() {
        assert!(has("trace=openat,read", Sysno::read));
        assert!(!has("openat,read", Sysno::write));
    }

    #[test]
    fn an_exclamation_mark_negates() {
        assert!(!has("trace=!openat,read", Sysno::read));
        assert!(has("trace=!openat,read", Sysno::write));
    }

    #[test]
    fn classes_are_known_with_and_without_percent() {
        assert!(has("trace=%file", Sysno::openat));
        assert!(has("trace=file", Sysno::stat));
        assert!(!has("trace=%file", Sysno::read));
    }

    #[test]
    fn what_is_unknown_is_named() {
        let error = Filter::parse(&["trace=foo".to_owned()]).unwrap_err();
        assert_eq!(error, "invalid system call 'foo'");
    }
}
