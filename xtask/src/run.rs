//! `cargo xtask run`: a program as the machine's first process.

use crate::Status;
use crate::machine::Options;
use crate::program;
use crate::terminal::Terminal;
use abi::archive::TERMINAL_PATH;

/// Boots the machine with PROGRAM as its first process. The exit status is the program's, 128 + N if signal N ended it, and 125 if the
/// machine failed.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    command: program::Command,
}

/// Builds what is missing, boots, runs.
pub fn main(args: Args) -> Status {
    let terminal = Terminal::find();
    let (program, rest) = args.command.split();
    let machine = args.options.prepare(Box::new(|archive| {
        if let Some(terminal) = &terminal {
            archive.file(TERMINAL_PATH, 0o600, terminal.description())?;
        }
        Ok((program::find(program, archive)?, rest.to_vec()))
    }))?;
    let _raw = terminal.as_ref().and_then(Terminal::raw);
    args.options.run(&machine)
}
