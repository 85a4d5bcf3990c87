//! `cargo xtask gdb`: a program that a debugger on this machine controls.

mod relay;

use crate::Status;
use crate::machine::Options;
use crate::program::{self, Program};
use relay::Relay;

/// The server in the image.
const SERVER: &str = "/bin/gdbserver";
/// The second serial line, as the machine has it.
const LINE: &str = "/dev/ttyS1";

/// Boots the machine with PROGRAM under gdbserver, for a debugger on this machine. Without PROGRAM the debugger says what to run.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    options: Options,
    /// Where the debugger connects to; 0 for any port that is free
    #[arg(long, value_name = "N", default_value_t = 1234)]
    port: u16,
    /// Lets the program go S seconds after the debugger was lost, unless it comes back
    #[arg(long, value_name = "S")]
    hold: Option<String>,
    /// A path in the image, or a file of this machine; and its arguments
    #[arg(
        value_name = "PROGRAM [ARG]",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    command: Vec<String>,
}

/// Builds what is missing, boots, and says how to connect.
pub fn main(args: Args) -> Status {
    let machine = args.options.prepare(Box::new(|archive| {
        let mut words = Vec::new();
        if let Some(hold) = &args.hold {
            words.extend(["--hold".to_owned(), hold.clone()]);
        }
        match args.command.split_first() {
            Some((program, rest)) => {
                words.extend([LINE.to_owned(), program::find(program, archive)?.path]);
                words.extend_from_slice(rest);
            }
            None => words.extend(["--multi", LINE].map(str::to_owned)),
        }
        Ok((
            Program {
                path: SERVER.into(),
                name: "gdbserver".into(),
            },
            words,
        ))
    }))?;
    let relay = Relay::start(args.port, |port| {
        eprintln!(
            "stillpoint: in gdb: target extended-remote :{port} (in lldb: gdb-remote {port})"
        );
    })?;
    args.options.run_with(&machine, |config| {
        config.debugger = Some(relay.debugger());
    })
}
