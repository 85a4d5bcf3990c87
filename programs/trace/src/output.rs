//! The lines of a trace: whose line is open, and where its result goes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::rc::Rc;

use libtrace::Pid;
use trace::export::{Exporter, Stream};
use trace::options::Options;
use trace::sink::{self, Sink};

/// The way out of the machine, which text and records share.
pub type SharedExporter = Rc<RefCell<Exporter>>;

/// Where the lines go.
pub struct Output {
    /// The file of `-o`.
    target: Option<OsString>,
    append: bool,
    /// Every task's lines go to a file of its own.
    separate: bool,
    exporter: Option<SharedExporter>,
    /// Every line gets its task's id, however many tasks there are.
    always_prefixed: bool,
    result_column: usize,
    /// The lines of all, unless they are apart.
    all: Lines,
    /// The lines of each task.
    files: BTreeMap<Pid, Lines>,
}

/// The lines of one file.
struct Lines {
    to: To,
    /// The task whose line has no end yet.
    open: Option<Pid>,
    /// Text of the open line that has not been written.
    pending: String,
    /// How long the open line is.
    column: usize,
}

enum To {
    Sink(Sink),
    /// Outside, as text about a task, or about all.
    Export(SharedExporter, Pid),
}

impl Output {
    /// Lines to where the options say: a file, a command, standard error, or, of these the
    /// files, the outside.
    ///
    /// # Errors
    /// A message where the file cannot be made.
    pub fn new(options: &Options, exporter: Option<&SharedExporter>) -> Result<Output, String> {
        let target = options.output.clone();
        let separate = options.follow > 1 && target.is_some();
        if separate && target.as_deref().and_then(sink::command_of).is_some() {
            return Err("Piping the output and -ff are mutually exclusive".to_owned());
        }
        let mut output = Output {
            always_prefixed: target.is_some() && options.follow > 0 && !separate,
            exporter: exporter.filter(|_| target.is_some()).cloned(),
            target,
            append: options.output_append_mode,
            separate,
            result_column: options.columns,
            all: Lines::to(To::Sink(Sink::Standard)),
            files: BTreeMap::new(),
        };
        if !separate {
            output.all = output.open_lines(0).map_err(cannot_open)?;
        }
        Ok(output)
    }

    /// The task whose line is open where `pid`'s lines go.
    pub fn open(&self, pid: Pid) -> Option<Pid> {
        match self.separate {
            true => self.files.get(&pid)?.open,
            false => self.all.open,
        }
    }

    /// The beginning of a line of task `pid`, one of `tasks`.
    pub fn prefix(&self, pid: Pid, tasks: usize) -> String {
        if self.separate {
            String::new()
        } else if self.always_prefixed || tasks > 1 && self.target.is_some() {
            format!("{pid:<5} ")
        } else if tasks > 1 {
            format!("[pid {pid:>5}] ")
        } else {
            String::new()
        }
    }

    /// Opens a line for task `pid`. A line that is open ends as unfinished.
    pub fn begin(&mut self, pid: Pid, prefix: &str) {
        if self.open(pid).is_some() {
            self.text(pid, " <unfinished ...>");
            self.end(pid);
        }
        self.lines(pid).open = Some(pid);
        self.text(pid, prefix);
    }

    /// Continues the open line.
    pub fn text(&mut self, pid: Pid, text: &str) {
        let lines = self.lines(pid);
        lines.pending.push_str(text);
        lines.column += text.len();
    }

    /// Closes the parentheses of a call and goes to the column of its result.
    pub fn close_call(&mut self, pid: Pid) {
        self.text(pid, ")");
        let result_column = self.result_column;
        let lines = self.lines(pid);
        let spaces = result_column.saturating_sub(lines.column).max(1);
        lines.pending.extend(std::iter::repeat_n(' ', spaces));
        lines.pending.push_str("= ");
    }

    /// Ends the open line.
    pub fn end(&mut self, pid: Pid) {
        let lines = self.lines(pid);
        lines.pending.push('\n');
        lines.open = None;
        lines.column = 0;
        lines.flush();
    }

    /// Writes what there is: whoever watches sees the call that blocks.
    pub fn flush(&mut self, pid: Pid) {
        self.lines(pid).flush();
    }

    /// Writes whole lines that are not part of any call's; about task `pid`, or about all where that is 0.
    pub fn whole(&mut self, pid: Pid, text: &str) {
        let lines = self.lines(pid);
        lines.pending.push_str(text);
        lines.flush();
    }

    fn lines(&mut self, pid: Pid) -> &mut Lines {
        if !self.separate {
            return &mut self.all;
        }
        if !self.files.contains_key(&pid) {
            let lines = self.open_lines(pid).unwrap_or_else(|error| {
                message(&cannot_open(error));
                Lines::to(To::Sink(Sink::Standard))
            });
            self.files.insert(pid, lines);
        }
        self.files.get_mut(&pid).expect("it was inserted")
    }

    fn open_lines(&self, key: Pid) -> io::Result<Lines> {
        let to = match (&self.exporter, &self.target) {
            (Some(exporter), _) => To::Export(exporter.clone(), key),
            (None, None) => To::Sink(Sink::Standard),
            (None, Some(target)) if key == 0 => To::Sink(Sink::open(target, self.append)?),
            (None, Some(target)) => To::Sink(Sink::open(&sink::of_task(target, key), self.append)?),
        };
        Ok(Lines::to(to))
    }
}

impl Lines {
    fn to(to: To) -> Lines {
        Lines {
            to,
            open: None,
            pending: String::new(),
            column: 0,
        }
    }

    fn flush(&mut self) {
        let bytes = self.pending.as_bytes();
        // A trace nobody can read any more is no reason to leave the tracees stopped.
        let _ = match &mut self.to {
            To::Sink(sink) => sink.write_all(bytes),
            To::Export(exporter, task) => exporter.borrow_mut().write(Stream::Text, *task, bytes),
        };
        self.pending.clear();
    }
}

fn cannot_open(error: io::Error) -> String {
    let errno = libtrace::Errno(error.raw_os_error().unwrap_or(0));
    format!("Can't fopen the output file: {errno}")
}

/// The exporter to the device `path`.
///
/// # Errors
/// A message where it cannot be opened.
pub fn exporter(path: &OsStr) -> Result<SharedExporter, String> {
    let device = Sink::open(path, true).map_err(cannot_open)?;
    Ok(Rc::new(RefCell::new(Exporter::new(Box::new(device)))))
}

/// Says something about the tracing itself, to standard error even where the trace goes
/// to a file.
pub fn message(text: &str) {
    let _ = io::stderr().write_all(format!("trace: {text}\n").as_bytes());
}
