//! What programs say, without what is another time something else: ids, addresses, folders.

use std::path::Path;

use anyhow::Result;
use regex_lite::Regex;

/// What to replace.
pub struct Filter {
    folder: String,
    patterns: Vec<(Regex, &'static str)>,
}

/// Patterns, and what takes their places.
const PATTERNS: &[(&str, &str)] = &[
    // Whether a frame is at the first instruction of its line is the compiler's.
    (r"\b0x[0-9a-f]{5,} in ", ""),
    (r"\b0x[0-9a-f]{5,}", "0xADDRESS"),
    (r"\b([Pp]rocess|LWP|pid:?|pid =) \d+", "$1 PID"),
    (r"\bThread \d+\.\d+", "Thread PID.TID"),
    // Whether it learns of a thread's end before the process's is chance.
    (r"^\[Thread .* exited\]\n", ""),
    // Of a leader whose end it has seen too early and forgotten, before it is told of it.
    (r"^\[New process .*\]\n", ""),
    // Columns are as wide as what was in them.
    (r"(\S) {2,}", "$1 "),
    // What the kernel maps for itself cannot be read, and is not everywhere.
    (
        r"(?m)^warning: Memory read failed for corefile section.*\n",
        "",
    ),
];

impl Filter {
    /// For programs in a folder.
    pub fn new(folder: &Path) -> Result<Filter> {
        let patterns = PATTERNS
            .iter()
            .map(|(pattern, by)| Ok((Regex::new(&format!("(?m){pattern}"))?, *by)));
        Ok(Filter {
            folder: folder.display().to_string(),
            patterns: patterns.collect::<Result<_>>()?,
        })
    }

    /// The text without them.
    pub fn apply(&self, text: &str) -> String {
        let text = text.replace(&self.folder, "DIR");
        let replaced = self.patterns.iter().fold(text, |text, (pattern, by)| {
            pattern.replace_all(&text, *by).into_owned()
        });
        replaced
            .lines()
            .map(|line| format!("{}\n", line.trim_end()))
            .collect()
    }
}
