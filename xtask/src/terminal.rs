//! The terminal that a program in the machine is used from.
//!
//! It is set so that every key reaches the machine, whose console does what a terminal does with them: echo, lines, ^C. `stty` sets it,
//! which every Linux has, so that nothing here needs to know its structures.

use std::io::{self, IsTerminal};
use std::process::{Command, Stdio};

/// Our terminal, if standard input and output are one.
pub struct Terminal {
    rows: u16,
    columns: u16,
}

/// A terminal that passes everything on. Dropping it restores what was.
pub struct Raw {
    before: String,
}

impl Terminal {
    /// None where one of the two is something else, or `stty` does not know it.
    pub fn find() -> Option<Terminal> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return None;
        }
        let size = stty(&["size"])?;
        let (rows, columns) = size.trim().split_once(' ')?;
        Some(Terminal {
            rows: rows.parse().ok()?,
            columns: columns.parse().ok()?,
        })
    }

    /// What the machine is told of it, as `abi::archive::TERMINAL_PATH` has it.
    pub fn description(&self) -> Vec<u8> {
        [self.rows.to_le_bytes(), self.columns.to_le_bytes()].concat()
    }

    /// Lets it pass everything on.
    pub fn raw(&self) -> Option<Raw> {
        let before = stty(&["-g"])?;
        // What is written stays as it is: a line feed of ours still begins a new line.
        stty(&["raw", "-echo", "opost"])?;
        Some(Raw {
            before: before.trim().to_owned(),
        })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        stty(&[&self.before]);
    }
}

fn stty(words: &[&str]) -> Option<String> {
    let output = Command::new("stty")
        .args(words)
        .stdin(Stdio::inherit())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}
