//! The lines of a trace: whose line is open, prefixes and columns.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use libtrace::Pid;

/// The column of the `=` before a result.
const RESULT_COLUMN: usize = 40;

/// Where the lines go.
pub struct Output {
    sink: Box<dyn Write>,
    to_file: bool,
    /// Every line gets its task's id, however many tasks there are.
    always_prefixed: bool,
    /// The task whose line has no end yet.
    open: Option<Pid>,
    /// Text of the open line that has not been written.
    pending: String,
    /// How long the open line is.
    column: usize,
}

impl Output {
    /// Lines to `file`, or to standard error.
    ///
    /// # Errors
    /// Where the file cannot be made.
    pub fn new(file: Option<&Path>, follow: bool) -> io::Result<Output> {
        let sink: Box<dyn Write> = match file {
            Some(path) => Box::new(File::create(path)?),
            None => Box::new(io::stderr()),
        };
        let to_file = file.is_some();
        Ok(Output {
            sink,
            to_file,
            always_prefixed: to_file && follow,
            open: None,
            pending: String::new(),
            column: 0,
        })
    }

    /// The task whose line is open.
    pub fn open(&self) -> Option<Pid> {
        self.open
    }

    /// Opens a line for task `pid`, one of `tasks`. A line that is open ends as unfinished.
    pub fn begin(&mut self, pid: Pid, tasks: usize) {
        if self.open.is_some() {
            self.text(" <unfinished ...>");
            self.end();
        }
        self.open = Some(pid);
        if self.always_prefixed || tasks > 1 && self.to_file {
            self.text(&format!("{pid:<5} "));
        } else if tasks > 1 {
            self.text(&format!("[pid {pid:>5}] "));
        }
    }

    /// Continues the open line.
    pub fn text(&mut self, text: &str) {
        self.pending.push_str(text);
        self.column += text.len();
    }

    /// Closes the parentheses of a call and goes to the column of its result.
    pub fn close_call(&mut self) {
        self.text(")");
        let spaces = RESULT_COLUMN.saturating_sub(self.column).max(1);
        self.text(&" ".repeat(spaces));
        self.text("= ");
    }

    /// Ends the open line.
    pub fn end(&mut self) {
        self.pending.push('\n');
        self.open = None;
        self.column = 0;
        self.flush();
    }

    /// Writes what there is: whoever watches sees the call that blocks.
    pub fn flush(&mut self) {
        // A trace nobody can read any more is no reason to leave the tracees stopped.
        let _ = self.sink.write_all(self.pending.as_bytes());
        self.pending.clear();
    }

    /// Writes text that belongs to no task.
    pub fn summary(&mut self, text: &str) {
        let _ = self.sink.write_all(text.as_bytes());
    }
}

/// Says something about the tracing itself, to standard error even where the trace goes
/// to a file.
pub fn message(text: &str) {
    let _ = io::stderr().write_all(format!("trace: {text}\n").as_bytes());
}
