//! `cargo xtask trace`: a program under our tracing tool.

mod outside;

use std::ffi::OsString;

use anyhow::{Context, Result, anyhow};
use trace::drawing;
use trace::options::Options as ToolOptions;

use crate::Status;
use crate::machine::Options;
use crate::program::{self, Program};
use outside::Outside;

/// The tracing tool in the image.
const TOOL: &str = "/bin/trace";
/// What it writes there comes out of the machine.
const EXPORT: &str = "/dev/export";

/// Runs PROGRAM in the machine under the tracing tool. The tool's options are strace's; the files they name are files of this machine.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    tool: ToolOptions,
    /// A path in the image, or a file of this machine; and its arguments
    #[arg(
        value_name = "PROGRAM [ARG]",
        required_unless_present_any = ["processes", "from"],
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    command: Vec<String>,
}

/// Builds what is missing, boots, traces. With `--from` nothing of that: draws an earlier trace.
pub fn main(args: Args) -> Status {
    if let Some(file) = &args.tool.from {
        drawing::redraw(file, args.tool.wanted()).map_err(|error| anyhow!(error))?;
        return Ok(0);
    }
    let outside = match Outside::is_wanted(&args.tool) {
        true => Some(Outside::new(&args.tool)?),
        false => None,
    };
    let words = words(&args.tool, outside.is_some())?;
    let machine = args.options.prepare(Box::new(|archive| {
        let mut words = words;
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
    let Some(outside) = outside else {
        return args.options.run(&machine);
    };
    let importing = outside.start()?;
    let status = args.options.run_with(&machine, |config| {
        config.export = Some(importing.path().to_owned());
    });
    importing.finish()?;
    status
}

/// The tool's options as it gets them in the machine.
fn words(tool: &ToolOptions, exporting: bool) -> Result<Vec<String>> {
    let tool = ToolOptions {
        export: exporting.then(|| OsString::from(EXPORT)),
        ..tool.clone()
    };
    let text = |word: OsString| {
        let word = word.into_string();
        word.map_err(|word| anyhow!("{} is not text", word.display()))
    };
    let words: Result<_> = tool.words().into_iter().map(text).collect();
    words.context("an option of the tool")
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
        let line = [
            "xtask",
            "--icount",
            "-fc",
            "-e",
            "open,read",
            "-s",
            "9",
            "-o",
            "out",
            "--",
            "ls",
            "-f",
            "--libs",
        ];
        let args = Line::parse_from(line).args;
        assert_eq!(
            words(&args.tool, true).unwrap().join(" "),
            "-f -c -e open,read -o out --export /dev/export -S time -s 9 -a 40"
        );
        assert_eq!(args.command, ["ls", "-f", "--libs"]);
    }

    #[test]
    fn a_program_is_needed_unless_one_is_running_or_has_run() {
        assert!(Line::try_parse_from(["xtask", "-f"]).is_err());
        assert!(Line::try_parse_from(["xtask", "-p", "2"]).is_ok());
        assert!(Line::try_parse_from(["xtask", "--from", "x", "--html", "y"]).is_ok());
    }
}
