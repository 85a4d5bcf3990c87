//! What a debugger says, without what is another time or elsewhere something else: ids, addresses, folders.

use std::path::Path;

use anyhow::Result;
use regex_lite::Regex;

use super::server::Server;

/// What to replace.
pub struct Filter {
    texts: Vec<(String, &'static str)>,
    patterns: Vec<(Regex, &'static str)>,
}

/// Lines that come or do not, as files are near or far.
const DROPPED: &[&str] = &[
    "Reading ",
    "warning: File transfers from remote targets can be slow.",
    // What the kernel maps for itself cannot be read, and is not everywhere.
    "warning: Memory read failed for corefile section",
    "+set trace-commands off",
    // Files in the image are old, and not all of them are on this machine.
    "warning: Source file is more recent than executable.",
    "warning: Can't open file PROGRAMS/",
];

/// Patterns, and what takes their places.
const PATTERNS: &[(&str, &str)] = &[
    (r"(?m)^(\(gdb\) |> ?)+", ""),
    // Whether a frame is at the first instruction of its line is the compiler's.
    (r"\b0x[0-9a-f]{5,} in ", ""),
    (r"\b0x[0-9a-f]{5,}", "0xADDRESS"),
    (r"\b[Pp]rocess \d+", "process PID"),
    (r"\bThread \d+\.\d+", "Thread PID.TID"),
    (r"\blocalhost:\d+", "SERVER"),
    (r"\btid = \d+", "tid = TID"),
    (r"\bthread \d+ (stopped|running)", "thread TID $1"),
    // Columns are as wide as what was in them.
    (r" {2,}", " "),
];

impl Filter {
    /// For programs in a folder here, and a folder for files.
    pub fn new(programs: &Path, here: &Path, server: &Server) -> Result<Filter> {
        let texts = [
            (programs.display().to_string(), "PROGRAMS"),
            (here.display().to_string(), "HERE"),
            (server.programs().display().to_string(), "PROGRAMS"),
        ];
        let mut texts: Vec<_> = texts.into();
        if server.scratch() != "/tmp" {
            texts.push((server.scratch(), "/tmp"));
        }
        let patterns = PATTERNS
            .iter()
            .map(|(pattern, by)| Ok((Regex::new(pattern)?, *by)));
        Ok(Filter {
            texts,
            patterns: patterns.collect::<Result<_>>()?,
        })
    }

    /// The text without them.
    pub fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (what, by) in &self.texts {
            text = text.replace(what, by);
        }
        for (pattern, by) in &self.patterns {
            text = pattern.replace_all(&text, *by).into_owned();
        }
        let lines = text.lines().map(str::trim_end);
        let kept = lines.filter(|line| !DROPPED.iter().any(|dropped| line.starts_with(dropped)));
        let lines: Vec<_> = kept.collect();
        // What is before the first command is the prelude's.
        let first = lines
            .iter()
            .position(|line| line.starts_with('+') || line.starts_with("(lldb)"))
            .unwrap_or(0);
        let mut text = lines[first..].join("\n");
        text.push('\n');
        text
    }
}
