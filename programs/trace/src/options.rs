//! The command line: strace's, and what is ours about pictures.

use std::ffi::OsString;

use clap::{ArgAction, Args};

/// What to trace, what to show of it, and where that goes.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[group(skip)]
pub struct Options {
    /// Trace the processes and threads the program makes, too; twice: each into a file of its own, FILE.PID
    #[arg(short = 'f', long = "follow-forks", action = ArgAction::Count)]
    pub follow: u8,

    /// Trace the running process PID
    #[arg(short = 'p', long = "attach", value_name = "PID")]
    pub processes: Vec<String>,

    /// Set a variable of the program's environment, or remove it
    #[arg(short = 'E', value_name = "VAR[=VAL]")]
    pub environment: Vec<String>,

    /// Run the program as USER
    #[arg(short = 'u', long, value_name = "USER")]
    pub user: Option<String>,

    /// Let go of a process that makes this call; only execve
    #[arg(short = 'b', long = "detach-on", value_name = "CALL", value_parser = ["execve"])]
    pub detach_on: Option<String>,

    /// What to trace and how: trace=, signal=, status=, inject=, fault=, quiet=, raw=, abbrev=, read=, write=, decode-fds=SET
    #[arg(short = 'e', value_name = "EXPRESSION")]
    pub expressions: Vec<String>,

    /// Trace only calls that use PATH
    #[arg(short = 'P', long = "trace-path", value_name = "PATH")]
    pub paths: Vec<OsString>,

    /// Print only calls that succeeded
    #[arg(short = 'z', long, overrides_with = "failed_only")]
    pub successful_only: bool,

    /// Print only calls that failed
    #[arg(short = 'Z', long, overrides_with = "successful_only")]
    pub failed_only: bool,

    /// Write to FILE, or into the command behind a |, instead of standard error
    #[arg(short = 'o', long, value_name = "FILE")]
    pub output: Option<OsString>,

    /// Append to FILE
    #[arg(short = 'A', long)]
    pub output_append_mode: bool,

    /// Write records, one JSON object per line: in place of the text, or into FILE
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub json: Option<OsString>,

    /// Write a timeline for Perfetto and chrome://tracing
    #[arg(long, value_name = "FILE")]
    pub timeline: Option<OsString>,

    /// Write a page with a timeline to zoom and search
    #[arg(long, value_name = "FILE")]
    pub html: Option<OsString>,

    /// Trace nothing: read the records of an earlier trace, and draw them
    #[arg(long, value_name = "FILE", conflicts_with_all = ["processes", "json"])]
    pub from: Option<OsString>,

    /// Send everything to a device that leads out of the machine
    #[arg(long, value_name = "DEVICE", hide = true)]
    pub export: Option<OsString>,

    /// Count calls instead of printing them
    #[arg(short = 'c', long)]
    pub summary_only: bool,

    /// Count calls and print them
    #[arg(short = 'C', long)]
    pub summary: bool,

    /// Count the time that passes instead of the processor's
    #[arg(short = 'w', long)]
    pub summary_wall_clock: bool,

    /// Sort the counts: time, min-time, max-time, avg-time, calls, errors, name or nothing
    #[arg(
        short = 'S',
        long,
        value_name = "ORDER",
        default_value = "time",
        hide_default_value = true
    )]
    pub summary_sort_by: String,

    /// Print the time of day; twice: with microseconds; three times: as seconds since 1970
    #[arg(short = 't', long = "absolute-timestamps", action = ArgAction::Count)]
    pub timestamps: u8,

    /// Print the time since the line before
    #[arg(short = 'r', long)]
    pub relative_timestamps: bool,

    /// Print how long each call took
    #[arg(short = 'T', long)]
    pub syscall_times: bool,

    /// Print the paths behind file descriptors; twice: also sockets' addresses and devices' numbers
    #[arg(short = 'y', long, action = ArgAction::Count)]
    pub decode_fds: u8,

    /// Print structures in full
    #[arg(short = 'v', long)]
    pub no_abbrev: bool,

    /// Print strings that are not ASCII in hexadecimal; twice: all strings
    #[arg(short = 'x', long, action = ArgAction::Count)]
    pub strings_in_hex: u8,

    /// Print at most N bytes of a string
    #[arg(
        short = 's',
        long,
        value_name = "N",
        default_value_t = 32,
        hide_default_value = true
    )]
    pub string_limit: usize,

    /// Print results in this column
    #[arg(
        short = 'a',
        long,
        value_name = "N",
        default_value_t = 40,
        hide_default_value = true
    )]
    pub columns: usize,

    /// Print the instruction pointer
    #[arg(short = 'i', long)]
    pub instruction_pointer: bool,

    /// Print the number of the call
    #[arg(short = 'n', long)]
    pub syscall_number: bool,

    /// Say nothing about attaching; twice: nor about ends; three times: nothing that can be left out
    #[arg(short = 'q', long, action = ArgAction::Count)]
    pub quiet: u8,
}

impl Options {
    /// The records go where the text would.
    pub fn json_is_text(&self) -> bool {
        self.json.as_ref().is_some_and(|file| file.is_empty())
    }

    /// The files that are made of records.
    pub fn wanted(&self) -> crate::drawing::Wanted {
        crate::drawing::Wanted {
            json: self.json.clone().filter(|file| !file.is_empty()),
            timeline: self.timeline.clone(),
            html: self.html.clone(),
        }
    }

    /// Whether calls are printed as text. Somebody who asks for a picture is not shown every
    /// call besides, except in the file of `-o`.
    pub fn prints_text(&self) -> bool {
        let printed = self.summary || !self.summary_only;
        printed && !self.json_is_text() && (self.output.is_some() || self.wanted().is_nothing())
    }

    /// The words that parse to these options.
    pub fn words(&self) -> Vec<OsString> {
        let mut words = Vec::new();
        let flags = [
            ("-f", self.follow),
            ("-z", self.successful_only.into()),
            ("-Z", self.failed_only.into()),
            ("-A", self.output_append_mode.into()),
            ("-c", self.summary_only.into()),
            ("-C", self.summary.into()),
            ("-w", self.summary_wall_clock.into()),
            ("-t", self.timestamps),
            ("-r", self.relative_timestamps.into()),
            ("-T", self.syscall_times.into()),
            ("-y", self.decode_fds),
            ("-v", self.no_abbrev.into()),
            ("-x", self.strings_in_hex),
            ("-i", self.instruction_pointer.into()),
            ("-n", self.syscall_number.into()),
            ("-q", self.quiet),
        ];
        for (flag, times) in flags {
            words.extend((0..times).map(|_| OsString::from(flag)));
        }
        let list = |values: &[String]| values.iter().map(OsString::from).collect::<Vec<_>>();
        let one = |value: &Option<OsString>| value.iter().cloned().collect::<Vec<_>>();
        let values = [
            ("-p", list(&self.processes)),
            ("-E", list(&self.environment)),
            ("-u", list(self.user.as_slice())),
            ("-b", list(self.detach_on.as_slice())),
            ("-e", list(&self.expressions)),
            ("-P", self.paths.clone()),
            ("-o", one(&self.output)),
            ("--timeline", one(&self.timeline)),
            ("--html", one(&self.html)),
            ("--from", one(&self.from)),
            ("--export", one(&self.export)),
            ("-S", vec![OsString::from(&self.summary_sort_by)]),
            ("-s", vec![self.string_limit.to_string().into()]),
            ("-a", vec![self.columns.to_string().into()]),
        ];
        for (flag, values) in values {
            words.extend(values.into_iter().flat_map(|value| [flag.into(), value]));
        }
        if let Some(file) = &self.json {
            let mut word = OsString::from("--json");
            word.push(if file.is_empty() { "" } else { "=" });
            word.push(file);
            words.push(word);
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn parse(words: &[&str]) -> Options {
        Line::parse_from([&["trace"], words].concat()).options
    }

    #[test]
    fn the_words_of_options_parse_to_the_same_options() {
        let all = [
            "-ffzAcCwtttrTyyvxxinqqq",
            "-p1",
            "-p",
            "2 3",
            "-E",
            "A=b",
            "-E",
            "B",
            "-u",
            "nobody",
            "-b",
            "execve",
            "-e",
            "trace=read",
            "-P",
            "/etc",
            "-o",
            "|cat",
            "--json=x",
            "--timeline",
            "t",
            "--html",
            "h",
            "--export",
            "/dev/export",
            "-S",
            "calls",
            "-s",
            "5",
            "-a",
            "0",
        ];
        for words in [&all[..], &[], &["--json"]] {
            let options = parse(words);
            let again =
                Line::parse_from([&[OsString::from("trace")][..], &options.words()].concat());
            assert_eq!(again.options, options);
        }
    }

    #[test]
    fn a_picture_takes_the_place_of_the_text_unless_there_is_a_file_for_it() {
        assert!(parse(&[]).prints_text());
        assert!(!parse(&["--html", "x"]).prints_text());
        assert!(parse(&["--html", "x", "-o", "y"]).prints_text());
        assert!(!parse(&["--json", "-o", "y"]).prints_text());
        assert!(!parse(&["-c"]).prints_text());
        assert!(parse(&["-C"]).prints_text());
    }

    #[test]
    fn the_manual_page_has_every_option() {
        let manual = include_str!("../../../docs/trace.1");
        let command = <Line as clap::CommandFactory>::command();
        for option in command.get_arguments().filter(|it| !it.is_hide_set()) {
            if let Some(long) = option.get_long() {
                assert!(manual.contains(&format!("Fl -{long}")), "--{long}");
            }
            if let Some(short) = option.get_short() {
                assert!(manual.contains(&format!(".It Fl {short}")), "-{short}");
            }
        }
    }
}
