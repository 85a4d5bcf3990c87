//! Tampering with calls: `-e inject=SET:error=ENOENT:when=2+`, as strace(1) has it.

use std::time::Duration;

use libtrace::Errno;
use syscalls::x86_64::Sysno;
use trace::class;

use crate::filter::Filter;
use crate::signals;

/// What is done to the calls of a set.
#[derive(Debug)]
pub struct Injection {
    /// The calls.
    pub calls: Filter,
    /// What they return, without being made.
    pub result: Option<i64>,
    /// The call that is made in their place; none does anything.
    pub number: Option<u64>,
    /// The signal that comes when they are entered.
    pub signal: Option<i32>,
    /// How long they wait at the entry.
    pub delay_enter: Option<Duration>,
    /// How long they wait at the exit.
    pub delay_exit: Option<Duration>,
    /// What is written where their arguments point to, at the entry.
    pub poke_enter: Vec<Poke>,
    /// The same at the exit.
    pub poke_exit: Vec<Poke>,
    when: When,
}

/// Bytes to write where an argument points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poke {
    /// The argument, from 0.
    pub argument: usize,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Which of the invocations, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct When {
    first: u64,
    last: u64,
    /// 0 for the first alone.
    step: u64,
}

impl When {
    const ALWAYS: When = When {
        first: 1,
        last: u64::MAX,
        step: 1,
    };

    /// `3`, `3..5`, `3+`, `3+2`, `3..9+2`.
    fn parse(text: &str) -> Option<When> {
        let (range, step) = match text.split_once('+') {
            Some((range, "")) => (range, Some(1)),
            Some((range, step)) => (range, Some(step.parse().ok().filter(|step| *step > 0)?)),
            None => (text, None),
        };
        let (first, last) = match range.split_once("..") {
            Some((first, last)) => (first, Some(last.parse().ok()?)),
            None => (range, None),
        };
        let first = first.parse().ok().filter(|first| *first > 0)?;
        let when = When {
            first,
            last: last.unwrap_or(u64::MAX),
            step: step.unwrap_or(u64::from(last.is_some())),
        };
        (when.last >= when.first).then_some(when)
    }

    fn has(self, count: u64) -> bool {
        match self.step {
            0 => count == self.first,
            step => {
                (self.first..=self.last).contains(&count)
                    && (count - self.first).is_multiple_of(step)
            }
        }
    }
}

impl Injection {
    /// Understands what stands behind `inject=`, or, if `fault`, behind `fault=`, where an
    /// error need not be named.
    ///
    /// # Errors
    /// A message that names what is not understood.
    pub fn parse(text: &str, fault: bool) -> Result<Injection, String> {
        let what = if fault { "fault" } else { "inject" };
        let invalid = || format!("invalid {what} argument '{text}'");
        let mut words = text.split(':');
        let calls = Filter::parse(words.next().unwrap_or_default())?;
        let mut injection = Injection {
            calls,
            result: None,
            number: None,
            signal: None,
            delay_enter: None,
            delay_exit: None,
            poke_enter: Vec::new(),
            poke_exit: Vec::new(),
            when: When::ALWAYS,
        };
        for word in words {
            let (name, value) = word.split_once('=').ok_or_else(invalid)?;
            injection.add(name, value, fault).ok_or_else(invalid)?;
        }
        if fault && injection.result.is_none() {
            injection.result = Some(-i64::from(Errno::ENOSYS.0));
        }
        match injection.does_something() {
            true => Ok(injection),
            false => Err(invalid()),
        }
    }

    /// It is the turn of the invocation with this number, from 1.
    pub fn applies(&self, count: u64) -> bool {
        self.when.has(count)
    }

    fn add(&mut self, name: &str, value: &str, fault: bool) -> Option<()> {
        match name {
            "when" => self.when = When::parse(value)?,
            "error" if self.result.is_none() => self.result = Some(-i64::from(error(value)?.0)),
            _ if fault => return None,
            "retval" if self.result.is_none() => self.result = Some(whole_number(value)?),
            "signal" => self.signal = Some(signals::parse(value)?),
            "syscall" => self.number = Some(harmless(value)?),
            "delay_enter" => self.delay_enter = Some(time(value)?),
            "delay_exit" => self.delay_exit = Some(time(value)?),
            "poke_enter" => self.poke_enter = pokes(value)?,
            "poke_exit" => self.poke_exit = pokes(value)?,
            _ => return None,
        }
        Some(())
    }

    fn does_something(&self) -> bool {
        self.result.is_some()
            || self.signal.is_some()
            || self.delay_enter.is_some()
            || self.delay_exit.is_some()
            || !self.poke_enter.is_empty()
            || !self.poke_exit.is_empty()
    }
}

fn error(text: &str) -> Option<Errno> {
    let by_number = || text.parse().ok().map(Errno);
    let errno = Errno::of_name(text).or_else(by_number)?;
    (1..=4095).contains(&errno.0).then_some(errno)
}

fn whole_number(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok().map(|it| it as i64),
        None => text.parse().ok(),
    }
    .filter(|value| *value >= 0)
}

/// Only a call that cannot fail and changes nothing may stand for another one.
fn harmless(name: &str) -> Option<u64> {
    let call: Sysno = name.parse().ok()?;
    class::members("pure")
        .contains(&call)
        .then_some(call.id() as u64)
}

/// `250`, `250us`, `1.5ms`, `2s`; microseconds where no unit is said.
fn time(text: &str) -> Option<Duration> {
    let split = text
        .find(|it: char| !it.is_ascii_digit() && it != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let scale = match unit {
        "s" => 1.0,
        "ms" => 1e-3,
        "us" | "" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * scale).ok()
}

/// `@arg1=0000DEAD,@arg2=00`.
fn pokes(text: &str) -> Option<Vec<Poke>> {
    text.split(',')
        .map(|word| {
            let (argument, digits) = word.strip_prefix("@arg")?.split_once('=')?;
            let argument = argument
                .parse::<usize>()
                .ok()
                .filter(|it| (1..=6).contains(it))?
                - 1;
            let digits = digits.as_bytes();
            let whole = !digits.is_empty() && digits.len().is_multiple_of(2);
            let bytes = digits
                .chunks(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
                .collect::<Option<Vec<u8>>>()?;
            whole.then_some(Poke { argument, bytes })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(when: &str) -> Vec<u64> {
        let when = When::parse(when).unwrap();
        (1..=9).filter(|count| when.has(*count)).collect()
    }

    #[test]
    fn invocations_are_chosen_by_their_number() {
        assert_eq!(turns("3"), [3]);
        assert_eq!(turns("3+"), [3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(turns("2+3"), [2, 5, 8]);
        assert_eq!(turns("2..4"), [2, 3, 4]);
        assert_eq!(turns("2..7+2"), [2, 4, 6]);
        for wrong in ["", "0", "x", "3+0", "4..2", "1..", "+"] {
            assert_eq!(When::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn everything_that_can_be_injected_is_understood() {
        let injection = Injection::parse(
            "read,%file:retval=0x7:signal=SIGUSR1:delay_enter=1.5ms:delay_exit=9:syscall=getpid:\
             poke_exit=@arg2=00ff:when=2",
            false,
        )
        .unwrap();
        assert_eq!(injection.result, Some(7));
        assert_eq!(injection.signal, Some(10));
        assert_eq!(injection.delay_enter, Some(Duration::from_micros(1500)));
        assert_eq!(injection.delay_exit, Some(Duration::from_micros(9)));
        assert_eq!(injection.number, Some(39));
        assert_eq!(
            injection.poke_exit,
            [Poke {
                argument: 1,
                bytes: vec![0, 0xff]
            }]
        );
        assert!(injection.applies(2) && !injection.applies(1));
        assert!(injection.calls.has(0) && injection.calls.has(2) && !injection.calls.has(1));
    }

    #[test]
    fn a_fault_is_an_error_even_if_none_is_named() {
        assert_eq!(Injection::parse("read", true).unwrap().result, Some(-38));
        assert_eq!(
            Injection::parse("read:error=EIO", true).unwrap().result,
            Some(-5)
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for wrong in [
            "read",
            "read:when=2",
            "read:error=EFOO",
            "read:error=0",
            "read:retval=-1",
            "read:error=EIO:retval=1",
            "read:signal=FOO",
            "read:syscall=write:retval=1",
            "read:delay_enter=1h",
            "read:poke_enter=@arg7=00",
            "read:poke_enter=@arg1=0",
            "nocall:error=EIO",
        ] {
            assert!(Injection::parse(wrong, false).is_err(), "{wrong}");
        }
    }
}
