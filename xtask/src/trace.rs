//! `cargo xtask trace`: a program under our tracing tool.

use crate::Status;
use crate::machine::Options;
use crate::program::{self, Program};

/// The tracing tool in the image.
const TOOL: &str = "/bin/trace";

/// Runs PROGRAM in the machine under the tracing tool.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    tool: ToolOptions,
    /// A path in the image, or a file of this machine; and its arguments
    #[arg(
        value_name = "PROGRAM [ARG]",
        required_unless_present = "pid",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    command: Vec<String>,
}

/// The tracing tool's own options, handed on as they are.
#[derive(clap::Args, Default)]
struct ToolOptions {
    /// Also traces the processes and threads that the program creates
    #[arg(short = 'f')]
    follow: bool,
    /// Writes the trace to a file in the machine instead of standard error
    #[arg(short = 'o', value_name = "FILE")]
    output: Option<String>,
    /// Traces only these system calls or events
    #[arg(short = 'e', value_name = "SET")]
    events: Vec<String>,
    /// Counts the calls and prints a table at the end
    #[arg(short = 'c')]
    count: bool,
    /// Attaches to a process that is running
    #[arg(short = 'p', value_name = "PID", id = "pid")]
    pid: Vec<String>,
    /// Prints at most so many bytes of a string
    #[arg(short = 's', value_name = "N")]
    string_limit: Option<u32>,
}

impl ToolOptions {
    fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        for (flag, given) in [("-f", self.follow), ("-c", self.count)] {
            words.extend(given.then(|| flag.to_owned()));
        }
        let limit = self.string_limit.map(|limit| limit.to_string());
        let values = [
            ("-o", self.output.as_slice()),
            ("-e", &self.events),
            ("-p", &self.pid),
            ("-s", limit.as_slice()),
        ];
        for (flag, values) in values {
            words.extend(
                values
                    .iter()
                    .flat_map(|value| [flag.to_owned(), value.clone()]),
            );
        }
        words
    }
}

/// Builds what is missing, boots, traces.
pub fn main(args: Args) -> Status {
    let machine = args.options.prepare(Box::new(|archive| {
        let mut words = args.tool.words();
        if let Some((program, rest)) = args.command.split_first() {
            words.extend(["--".to_owned(), program::find(program, archive)?.path]);
            words.extend_from_slice(rest);
        }
        Ok((
            Program {
                path: TOOL.into(),
                name: "trace".into(),
            },
            words,
        ))
    }))?;
    args.options.run(&machine)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn the_tools_options_are_handed_on_and_the_programs_left_alone() {
        let words = [
            "xtask",
            "--icount",
            "-fc",
            "-e",
            "open,read",
            "-s",
            "9",
            "-o",
            "/tmp/out",
            "--",
            "ls",
            "-f",
            "--libs",
        ];
        let args = Line::parse_from(words).args;
        assert_eq!(
            args.tool.words(),
            ["-f", "-c", "-o", "/tmp/out", "-e", "open,read", "-s", "9"]
        );
        assert_eq!(args.command, ["ls", "-f", "--libs"]);
    }

    #[test]
    fn a_program_is_needed_unless_one_is_running() {
        assert!(Line::try_parse_from(["xtask", "-f"]).is_err());
        assert!(Line::try_parse_from(["xtask", "-p", "2"]).is_ok());
    }
}
