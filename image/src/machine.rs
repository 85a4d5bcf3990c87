//! Building what runs inside the machine.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};

use crate::{host, workspace};

/// The servers' packages, each with one binary of the same name.
pub const SERVERS: [&str; 3] = ["procmgr", "tracer", "fs"];

/// Our tools' packages, each with one binary of the same name.
pub const TOOLS: [&str; 4] = ["trace", "ctx", "gdbserver", "engines"];

/// The package whose programs are not in the machine, but in its tests.
const ONLY_TESTED: &str = "redox";

/// What the tool `engines` is called.
pub const ENGINES: [&str; 4] = ["policy", "calls", "coverage", "postmortem"];

/// The root task's package and binary.
pub const ROOT_TASK: &str = "init";

/// What a program is compiled for.
struct Target {
    /// Its name for the compiler.
    name: &'static str,
    flags: &'static [&'static str],
}

/// For programs on the kernel, with fixed addresses. They use no floating-point register, so that the kernel never changes the owner of the FPU
/// on the way from a task to its server and back.
const BARE: Target = Target {
    name: "x86_64-unknown-none",
    flags: &[
        // A message goes through many small functions once each: inlined they take 3 to 6 % off a stop, for half a megabyte more.
        "-Cllvm-args=-inline-threshold=1500",
        "-Crelocation-model=static",
        "-Cpanic=abort",
        "-Clink-arg=--build-id=none",
        "-Clink-arg=-zmax-page-size=4096",
    ],
};

/// For programs on the kernel, where the compiler has no library for [`BARE`]: the host's, without a C runtime or anything beyond the CPU that
/// QEMU gives them. They run the same, but they use the FPU.
const HOSTED: Target = Target {
    name: HOST,
    flags: &[
        "-Crelocation-model=static",
        "-Ctarget-cpu=nehalem",
        "-Cpanic=abort",
        "-Clink-arg=-nostartfiles",
        "-Clink-arg=-static",
        "-Clink-arg=-no-pie",
        "-Clink-arg=-Wl,--build-id=none",
        "-Clink-arg=-Wl,-z,max-page-size=4096",
    ],
};

/// For programs that make Linux system calls: one static file.
const PROGRAM: Target = Target {
    name: HOST,
    flags: &[
        "-Ctarget-feature=+crt-static",
        "-Crelocation-model=static",
        "-Cstrip=debuginfo",
    ],
};

/// For what is linked into programs of this host, of any kind. Unwinding passes through: a thread that is cancelled runs its handlers.
const LIBRARY: Target = Target {
    name: HOST,
    flags: &["-Crelocation-model=pic", "-Cforce-unwind-tables=yes"],
};

/// The target that every toolchain for this host has.
const HOST: &str = "x86_64-unknown-linux-gnu";

/// Everything that was built.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// The root task.
    pub init: PathBuf,
    /// The servers, each with its name.
    pub servers: Vec<(&'static str, PathBuf)>,
    /// Our tools, each with its name.
    pub tools: Vec<(&'static str, PathBuf)>,
}

/// Builds the root task, the servers and the tools, or finds them up to date. Cargo's messages go to our standard error.
pub fn build() -> Result<Binaries> {
    let mut freestanding = freestanding_cargo("build");
    run(&mut freestanding)?;
    let mut programs = cargo("build", &PROGRAM);
    programs.arg("--release");
    run(programs.args(TOOLS.iter().flat_map(|tool| ["--package", tool])))?;
    let on_kernel = freestanding_folder();
    Ok(Binaries {
        init: on_kernel.join(ROOT_TASK),
        servers: SERVERS.map(|name| (name, on_kernel.join(name))).into(),
        tools: TOOLS
            .map(|name| (name, programs_folder().join(name)))
            .into(),
    })
}

/// Builds a package with a feature as a library for other languages; the archive that comes of it.
pub fn build_library(package: &str, feature: &str) -> Result<PathBuf> {
    let mut library = cargo("rustc", &LIBRARY);
    library.args(["--release", "--crate-type", "staticlib"]);
    run(library.args(["--package", package, "--features", feature]))?;
    let file = format!("lib{}.a", package.replace('-', "_"));
    Ok(target_folder()
        .join(LIBRARY.name)
        .join("release")
        .join(file))
}

/// Builds the programs that only tests put into the machine, and says in which folder they are.
pub fn build_only_tested() -> Result<PathBuf> {
    let mut programs = cargo("build", &PROGRAM);
    run(programs.args(["--release", "--package", ONLY_TESTED]))?;
    Ok(programs_folder())
}

fn programs_folder() -> PathBuf {
    target_folder().join(PROGRAM.name).join("release")
}

/// Where [`build`] leaves everything that runs on the kernel, what only tests use included.
pub fn freestanding_folder() -> PathBuf {
    target_folder().join(freestanding().name).join("machine")
}

/// A cargo command for everything that runs on the kernel.
pub fn freestanding_cargo(subcommand: &str) -> Command {
    let mut cargo = cargo(subcommand, freestanding());
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

/// What programs on the kernel are compiled for here.
fn freestanding() -> &'static Target {
    static TARGET: OnceLock<&Target> = OnceLock::new();
    TARGET.get_or_init(|| {
        if has_library(BARE.name) {
            &BARE
        } else {
            &HOSTED
        }
    })
}

/// Whether the compiler has its library for a target, after asking rustup for it if that is needed and possible.
fn has_library(target: &str) -> bool {
    let is_here = || {
        let sysroot = host::run(Command::new("rustc").args(["--print", "sysroot"]));
        sysroot.is_ok_and(|output| {
            let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            let library = Path::new(&sysroot).join("lib/rustlib").join(target);
            library.join("lib").is_dir()
        })
    };
    is_here() || {
        host::run(Command::new("rustup").args(["target", "add", target])).is_ok() && is_here()
    }
}

/// Cargo for the machine, in a target folder of its own. The target is named although it may be this machine's: only then do the flags leave
/// build scripts and procedural macros alone.
fn cargo(subcommand: &str, target: &Target) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .arg(subcommand)
        .args(["--quiet", "--locked", "--target", target.name]);
    cargo
        .arg("--manifest-path")
        .arg(workspace::root().join("Cargo.toml"));
    cargo.arg("--target-dir").arg(target_folder());
    cargo
        .env("CARGO_ENCODED_RUSTFLAGS", target.flags.join("\x1f"))
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
