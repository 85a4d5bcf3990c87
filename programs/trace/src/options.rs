//! The command line: strace's, as far as it goes.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;
use libtrace::Pid;

/// Runs a program and prints its system calls, signals and exit.
#[derive(Debug, Parser)]
#[command(name = "trace", version)]
pub struct Options {
    /// Trace the processes and threads the program makes, too
    #[arg(short = 'f')]
    pub follow: bool,

    /// Write to FILE instead of standard error
    #[arg(short = 'o', value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Which calls to print: `trace=SET`, names and classes with commas between
    #[arg(short = 'e', value_name = "EXPRESSION")]
    pub expressions: Vec<String>,

    /// Count calls instead of printing them
    #[arg(short = 'c')]
    pub count: bool,

    /// Trace the running process PID
    #[arg(short = 'p', value_name = "PID", value_delimiter = ',')]
    pub processes: Vec<Pid>,

    /// Print at most N bytes of a string
    #[arg(short = 's', value_name = "N", default_value_t = 32)]
    pub string_limit: usize,

    /// The program and its arguments
    #[arg(
        value_name = "PROGRAM",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub command: Vec<OsString>,
}
