//! The command line: gdbserver's own, as far as it goes.

use std::ffi::OsString;

use clap::Parser;
use libtrace::Pid;

/// Lets a debugger elsewhere debug programs here.
///
/// Without PROGRAM the debugger says what to run or to attach to (`target extended-remote`).
#[derive(Debug, Parser)]
#[command(name = "gdbserver", version)]
pub struct Options {
    /// Stay when nothing is left to debug, for the next debugger
    #[arg(long)]
    pub multi: bool,

    /// Attach to the running process PID
    #[arg(long, value_name = "PID", conflicts_with = "program")]
    pub attach: Option<Pid>,

    /// Let everything go S seconds after the debugger was lost, unless it comes back
    #[arg(long, value_name = "S", default_value_t = 5.0)]
    pub hold: f64,

    /// Where the debugger comes from: [HOST]:PORT, `-` for standard input and output, or a serial line's device
    #[arg(value_name = "LINE")]
    pub line: String,

    /// The program to run, and its arguments
    #[arg(
        value_name = "PROGRAM",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub program: Vec<OsString>,
}
