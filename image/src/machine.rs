//! Building what runs inside the machine.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::{host, workspace};

/// The servers' packages, each with one binary of the same name.
pub const SERVERS: [&str; 3] = ["procmgr", "tracer", "fs"];

/// The root task's package and binary.
pub const ROOT_TASK: &str = "init";

/// The only target there is a compiled `core` for. The machine has no operating system in this sense; the programs are freestanding.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// For programs on the kernel: fixed addresses, no C runtime, nothing beyond the CPU that QEMU gives them.
const FREESTANDING: &[&str] = &[
    "-Crelocation-model=static",
    "-Ctarget-cpu=nehalem",
    "-Cpanic=abort",
    "-Clink-arg=-nostartfiles",
    "-Clink-arg=-static",
    "-Clink-arg=-no-pie",
    "-Clink-arg=-Wl,--build-id=none",
    "-Clink-arg=-Wl,-z,max-page-size=4096",
];

/// For programs that make Linux system calls: one static file.
const STATIC: &[&str] = &[
    "-Ctarget-feature=+crt-static",
    "-Crelocation-model=static",
    "-Cstrip=debuginfo",
];

/// Everything that was built.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// The root task.
    pub init: PathBuf,
    /// The servers, each with its name.
    pub servers: Vec<(&'static str, PathBuf)>,
    /// Our tracing tool.
    pub trace: PathBuf,
}

/// Builds the root task, the servers and the tracing tool, or finds them up to date. Cargo's messages go to our standard error.
pub fn build() -> Result<Binaries> {
    let mut freestanding = freestanding_cargo("build");
    run(&mut freestanding)?;
    let mut programs = cargo("build", STATIC);
    run(programs.args(["--release", "--package", "trace"]))?;
    let on_kernel = freestanding_folder();
    Ok(Binaries {
        init: on_kernel.join(ROOT_TASK),
        servers: SERVERS.map(|name| (name, on_kernel.join(name))).into(),
        trace: target_folder().join(TARGET).join("release/trace"),
    })
}

/// Where [`build`] leaves everything that runs on the kernel, what only tests use included.
pub fn freestanding_folder() -> PathBuf {
    target_folder().join(TARGET).join("machine")
}

/// A cargo command for everything that runs on the kernel.
pub fn freestanding_cargo(subcommand: &str) -> Command {
    let mut cargo = cargo(subcommand, FREESTANDING);
    cargo.args(["--profile", "machine"]);
    for package in SERVERS.iter().chain([&ROOT_TASK]) {
        cargo.args([
            "--package",
            package,
            "--features",
            &format!("{package}/machine"),
        ]);
    }
    cargo
}

/// Cargo for the machine, in a target folder of its own. The target is named although it is this machine's: only then do the flags leave
/// build scripts and procedural macros alone.
fn cargo(subcommand: &str, flags: &[&str]) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .arg(subcommand)
        .args(["--quiet", "--locked", "--target", TARGET]);
    cargo
        .arg("--manifest-path")
        .arg(workspace::root().join("Cargo.toml"));
    cargo.arg("--target-dir").arg(target_folder());
    cargo
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .env_remove("RUSTFLAGS");
    cargo
}

fn target_folder() -> PathBuf {
    workspace::machine_folder().join("cargo")
}

/// Runs cargo with its output on our standard error, colours and all.
fn run(cargo: &mut Command) -> Result<()> {
    let line = host::command_line(cargo);
    let status = cargo
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("starting `{line}`"))?;
    ensure!(status.success(), "`{line}` failed");
    Ok(())
}
