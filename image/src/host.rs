//! Running commands of this machine.

use std::ffi::OsStr;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// Runs a command to its end with its output taken in, and fails with the command line and its standard error unless it succeeds.
pub fn run(command: &mut Command) -> Result<Output> {
    let line = command_line(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("starting `{line}`"))?;
    if !output.status.success() {
        bail!(
            "`{line}` failed ({}):\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(output)
}

/// What a command writes to its standard output, as text.
pub fn output<I: IntoIterator<Item: AsRef<OsStr>>>(program: &str, args: I) -> Result<String> {
    let mut command = Command::new(program);
    let output = run(command.args(args))?;
    String::from_utf8(output.stdout).with_context(|| {
        format!(
            "`{}` wrote something that is not text",
            command_line(&command)
        )
    })
}

/// A command as a line that can be pasted into a shell.
pub fn command_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| quote(&word.to_string_lossy()))
        .collect::<Vec<_>>()
        .join(" ")
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_command_and_its_standard_error() {
        let error = run(Command::new("sh").args(["-c", "echo trouble >&2; exit 3"]))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("sh -c 'echo trouble >&2; exit 3'"),
            "{error}"
        );
        assert!(
            error.contains("exit status: 3") && error.ends_with("trouble"),
            "{error}"
        );
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program-here")).unwrap_err();
        assert_eq!(error.to_string(), "starting `no-such-program-here`");
    }

    #[test]
    fn quotes_survive_a_shell() {
        let words = ["a b", "it's", "", "plain-1"];
        let line = command_line(Command::new("printf").arg("%s\n").args(words));
        assert_eq!(
            output("sh", ["-c", &line]).unwrap(),
            "a b\nit's\n\nplain-1\n"
        );
    }
}
