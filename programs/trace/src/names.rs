//! Symbolic names of constants: flags that are or-ed together, and single choices.

/// A set of named constants of one kind.
pub struct Names {
    /// Values and names, in the order they are printed.
    pub entries: &'static [(u64, &'static str)],
    /// What stands for a value without a name, such as `"PROT_???"`.
    pub unknown: &'static str,
}

impl Names {
    /// The name of exactly this value.
    pub fn name(&self, value: u64) -> Option<&'static str> {
        self.entries
            .iter()
            .find(|entry| entry.0 == value)
            .map(|entry| entry.1)
    }

    /// `value` as one of these constants: `SEEK_SET`, or `0x9 /* SEEK_??? */`.
    pub fn choice(&self, value: u64) -> String {
        match self.name(value) {
            Some(name) => name.to_owned(),
            None => format!("{value:#x} /* {} */", self.unknown),
        }
    }

    /// `value` as these constants or-ed: `PROT_READ|PROT_EXEC`, with what has no name
    /// as a number behind them.
    pub fn flags(&self, value: u64) -> String {
        let (named, rest) = self.split(value);
        match (named.is_empty(), rest) {
            (true, 0) => self.name(0).unwrap_or("0").to_owned(),
            (true, rest) => format!("{rest:#x} /* {} */", self.unknown),
            (false, 0) => named,
            (false, rest) => format!("{named}|{rest:#x}"),
        }
    }

    /// The names of the bits in `value`, and the bits that have none.
    pub fn split(&self, value: u64) -> (String, u64) {
        let mut rest = value;
        let mut named = Vec::new();
        for &(bits, name) in self.entries {
            if bits != 0 && rest & bits == bits {
                named.push(name);
                rest &= !bits;
            }
        }
        (named.join("|"), rest)
    }
}

/// The set that a list of words means, or all but those behind an exclamation mark. `all` and
/// `none` mean what they say; `None` where `bits` does not know a word.
pub fn set_of(list: &str, all: u64, bits: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    let (negated, list) = match list.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, list),
    };
    let mut set = 0;
    for word in list.split(',') {
        set |= match word {
            "all" => all,
            "none" => 0,
            _ => bits(word)?,
        };
    }
    Some(if negated { all & !set } else { set })
}

/// Declares a [`Names`] constant from constants of `linux_raw_sys`, or with values given.
macro_rules! names {
    ($(#[$doc:meta])* $set:ident, $unknown:literal, $($module:ident)::+: $($name:ident)*) => {
        $(#[$doc])*
        pub const $set: $crate::names::Names = $crate::names::Names {
            entries: {
                use $($module)::+ as source;
                &[$((source::$name as u64, stringify!($name)),)*]
            },
            unknown: $unknown,
        };
    };
    ($(#[$doc:meta])* $set:ident, $unknown:literal, $($name:ident = $value:expr,)*) => {
        $(#[$doc])*
        pub const $set: $crate::names::Names = $crate::names::Names {
            entries: &[$(($value as u64, stringify!($name)),)*],
            unknown: $unknown,
        };
    };
}
pub(crate) use names;

#[cfg(test)]
mod tests {
    use super::Names;

    names! { PROT, "PROT_???", PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, }
    names! { WHENCE, "SEEK_???", SEEK_SET = 0, }
    const NO_ZERO: Names = Names {
        entries: &[(4, "X")],
        unknown: "?",
    };

    #[test]
    fn flags_are_joined() {
        assert_eq!(PROT.flags(3), "PROT_READ|PROT_WRITE");
    }

    #[test]
    fn zero_has_its_name_or_is_zero() {
        assert_eq!(PROT.flags(0), "PROT_NONE");
        assert_eq!(NO_ZERO.flags(0), "0");
    }

    #[test]
    fn unknown_bits_stay_numbers() {
        assert_eq!(PROT.flags(0x41), "PROT_READ|0x40");
        assert_eq!(PROT.flags(0x40), "0x40 /* PROT_??? */");
        assert_eq!(WHENCE.choice(9), "0x9 /* SEEK_??? */");
    }
}
