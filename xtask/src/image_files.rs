//! `cargo xtask image`: the machine as files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use image::qemu::{self, Channels};
use image::{c_library, host, workspace};

use crate::Status;
use crate::machine::Options;
use crate::program;

/// The manual page of the tracing tool, which is in every image.
const MANUAL: &str = include_str!("../../docs/trace.1");

/// Writes kernel32.elf, root.elf, qemu.txt, the manual page of trace and the C library, and prints the QEMU command line.
#[derive(clap::Args)]
pub struct Args {
    /// The folder for the files
    #[arg(short, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
    /// The machine's first process
    #[arg(
        value_name = "PROGRAM [ARG]",
        default_value = "/bin/sh",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    command: Vec<String>,
}

/// Builds what is missing and writes the files.
pub fn main(args: Args) -> Status {
    let (program, rest) = args.command.split_first().expect("there is a default");
    let machine = args.options.prepare(Box::new(|archive| {
        Ok((program::find(program, archive)?, rest.to_vec()))
    }))?;
    let folder = args
        .output
        .unwrap_or_else(|| workspace::machine_folder().join("image"));
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let folder = fs::canonicalize(folder)?;
    let (kernel, root) = (folder.join("kernel32.elf"), folder.join("root.elf"));
    fs::copy(&machine.kernel.elf, &kernel).with_context(|| kernel.display().to_string())?;
    write(&root, &machine.root)?;
    let line = command_line(&args.options.qemu(kernel, root));
    write(&folder.join("qemu.txt"), line.as_bytes())?;
    let manual = folder.join("share/man/man1");
    fs::create_dir_all(&manual).with_context(|| manual.display().to_string())?;
    write(&manual.join("trace.1"), MANUAL.as_bytes())?;
    c_library::install(&folder)?;
    print!("{line}");
    Ok(0)
}

/// A line for a shell. The program's input and output are the terminal, the log and the control channel are standard error.
fn command_line(config: &qemu::Config) -> String {
    let channels = Channels {
        console: "stdio,signal=off",
        log: "file,path=/dev/stderr,append=on",
        control: "file,path=/dev/stderr,append=on",
    };
    let qemu = host::command_line(&qemu::command(config, &channels));
    // What a program's input begins and ends with; see image::qemu::framing.
    format!("(printf '\\000'; cat; printf '\\377\\004') | {qemu}\n")
}

fn write(path: &Path, contents: &[u8]) -> Result<()> {
    fs::write(path, contents).with_context(|| format!("writing {}", path.display()))
}
