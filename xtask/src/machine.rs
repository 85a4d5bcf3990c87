//! Preparing a machine and running it: what `run`, `trace`, `image` and `bench` have in common.

use std::fs;
use std::time::Duration;

use abi::archive::COMMAND_PATH;
use anyhow::{Context, Result};
use clap::Args;
use image::archive::{Builder, encode_command};
use image::kernel::{self, Kernel};
use image::machine::Binaries;
use image::qemu::{self, Outcome};
use image::{content, libraries, machine, rootimage};

use crate::Status;
use crate::doctor::{self, Need};
use crate::program::{self, Program};

/// The options every command that starts a machine has.
#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// Puts a file or folder of this machine into the image
    #[arg(long = "file", value_name = "HOST[:GUEST]")]
    files: Vec<String>,
    /// Brings along the interpreter and the shared libraries of every dynamic program
    #[arg(long)]
    libs: bool,
    /// The machine's memory
    #[arg(long, value_name = "MiB", default_value_t = 512)]
    memory: u32,
    /// Ends the machine after so many seconds
    #[arg(long, value_name = "S", value_parser = seconds, overrides_with = "timeout")]
    timeout: Option<Duration>,
    /// Counts instructions instead of time: the same input gives the same run
    #[arg(long)]
    icount: bool,
    /// Uses a kernel with assertions and messages
    #[arg(long)]
    debug_kernel: bool,
    /// Says at the end how long it took from the start of the emulator to the first output and to the end
    #[arg(long)]
    stats: bool,
    /// Sets a variable of the program's environment
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<String>,
}

/// A machine ready to run.
pub struct Machine {
    /// Its kernel.
    pub kernel: Kernel,
    /// The root task with the boot archive.
    pub root: Vec<u8>,
}

/// Where a program finds itself when the image is put together: the image so far, and the words of the command line. Answers with the
/// program to start and all of its arguments.
pub type Choose<'a> = dyn FnOnce(&mut Builder) -> Result<(Program, Vec<String>)> + 'a;

impl Options {
    /// Builds whatever is not up to date and puts the image together.
    pub fn prepare(&self, choose: Box<Choose<'_>>) -> Result<Machine> {
        doctor::ensure(Need::Run)?;
        let kernel = kernel::build(&kernel::Options {
            debug: self.debug_kernel,
        })?;
        let binaries = machine::build()?;
        let archive = self.fill(&binaries, choose)?;
        let root = rootimage::compose(&content::read(&binaries.init)?, &archive.build()?)?;
        Ok(Machine { kernel, root })
    }

    /// The files that the machine would have.
    pub fn archive(&self, choose: Box<Choose<'_>>) -> Result<Builder> {
        doctor::ensure(Need::Run)?;
        self.fill(&machine::build()?, choose)
    }

    fn fill(&self, binaries: &Binaries, choose: Box<Choose<'_>>) -> Result<Builder> {
        let mut archive = content::standard(binaries)?;
        for file in &self.files {
            program::add_file(file, &mut archive)?;
        }
        let (program, mut args) = choose(&mut archive)?;
        args.insert(0, program.name);
        if self.libs {
            libraries::add(&mut archive)?;
        }
        let command = encode_command(&program.path, &args, &self.environment()?)?;
        archive.file(COMMAND_PATH, 0o600, command)?;
        Ok(archive)
    }

    /// The environment of the first process.
    pub fn environment(&self) -> Result<Vec<String>> {
        program::environment(&self.env)
    }

    /// QEMU's configuration for files that hold the machine.
    pub fn qemu(
        &self,
        kernel: impl Into<std::path::PathBuf>,
        root: impl Into<std::path::PathBuf>,
    ) -> qemu::Config {
        qemu::Config {
            kernel: kernel.into(),
            root: root.into(),
            memory: self.memory,
            icount: self.icount,
            debug_kernel: self.debug_kernel,
            debugger: None,
            export: None,
        }
    }

    /// Runs a machine on our standard streams, to its end.
    pub fn run(&self, machine: &Machine) -> Status {
        self.run_with(machine, |_| ())
    }

    /// The same with a machine that `change` gives more.
    pub fn run_with(&self, machine: &Machine, change: impl FnOnce(&mut qemu::Config)) -> Status {
        let root = tempfile::Builder::new()
            .prefix("stillpoint-")
            .suffix(".elf")
            .tempfile()?;
        fs::write(root.path(), &machine.root).context("writing the root task")?;
        let mut config = self.qemu(&machine.kernel.elf, root.path());
        change(&mut config);
        let run = qemu::start(&config)?;
        let stopper = run.stopper();
        ctrlc::set_handler(move || stopper.stop()).context("catching interrupts")?;
        let (outcome, times) = run.wait(self.timeout)?;
        if self.stats {
            let first = times.first_output.map_or("none".into(), milliseconds);
            let end = milliseconds(times.end);
            eprintln!("stillpoint: first output: {first}; end: {end}");
        }
        if let Outcome::Failed(reason) = &outcome {
            eprintln!("stillpoint: {reason}");
        }
        Ok(outcome.status())
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
