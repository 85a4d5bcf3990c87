//! How a run ended, from the lines on the control channel.

/// The exit status for a machine that failed or did not end in time.
pub const FAILED: u8 = 125;

/// What became of the program, or of the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The program ended with this status.
    Exited(u8),
    /// A signal ended the program.
    Signalled(u8),
    /// The machine failed; the text says how.
    Failed(String),
    /// Nobody reads the program's output any more, so the run was given up.
    OutputClosed,
    /// Somebody interrupted the run.
    Interrupted,
}

impl Outcome {
    /// Reads what the machine wrote to the control channel. The last line that says how the run ended counts.
    pub fn parse(control: &str) -> Option<Self> {
        control.lines().rev().find_map(Self::parse_line)
    }

    fn parse_line(line: &str) -> Option<Self> {
        let (word, rest) = line.split_once(' ')?;
        match word {
            "exit" => rest.parse().ok().map(Self::Exited),
            "signal" => rest
                .parse()
                .ok()
                .filter(|signal| *signal < 128)
                .map(Self::Signalled),
            "failed" => Some(Self::Failed(rest.into())),
            _ => None,
        }
    }

    /// The exit status that a shell would give the program; [`FAILED`] for a machine that failed.
    pub fn status(&self) -> u8 {
        match self {
            Self::Exited(status) => *status,
            Self::Signalled(signal) => 128 + signal,
            Self::Failed(_) => FAILED,
            // What a shell says of a program that SIGPIPE has ended.
            Self::OutputClosed => 128 + 13,
            Self::Interrupted => 128 + 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_outcomes() {
        assert_eq!(Outcome::parse("exit 7\n"), Some(Outcome::Exited(7)));
        assert_eq!(Outcome::parse("signal 11\n"), Some(Outcome::Signalled(11)));
        assert_eq!(
            Outcome::parse("failed procmgr: out of memory\n"),
            Some(Outcome::Failed("procmgr: out of memory".into()))
        );
    }

    #[test]
    fn the_last_line_counts_and_unknown_ones_do_not() {
        assert_eq!(
            Outcome::parse("exit 0\nfailed fs died\nhello you\n"),
            Some(Outcome::Failed("fs died".into()))
        );
        for nothing in [
            "",
            "exit",
            "exit 256\n",
            "exit x\n",
            "signal 128\n",
            "exit -1\n",
        ] {
            assert_eq!(Outcome::parse(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn statuses_are_a_shells() {
        assert_eq!(Outcome::Exited(3).status(), 3);
        assert_eq!(Outcome::Signalled(9).status(), 137);
        assert_eq!(Outcome::Failed(String::new()).status(), 125);
        assert_eq!(Outcome::OutputClosed.status(), 141);
        assert_eq!(Outcome::Interrupted.status(), 130);
    }
}
