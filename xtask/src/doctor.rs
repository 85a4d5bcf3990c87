//! `cargo xtask doctor`: the tools that are needed from the system.

use std::env;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use image::content::BUSYBOX;
use image::host;

use crate::Status;

/// What a tool is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Building and running the machine.
    Run,
    /// Only the tests.
    Test,
}

/// A tool and where it comes from.
struct Tool {
    name: &'static str,
    package: &'static str,
    need: Need,
    sign: Sign,
}

/// How to see that a tool is there.
enum Sign {
    /// A program in PATH.
    Program,
    /// A module of the system's own Python.
    PythonModule,
    /// A static busybox.
    StaticBusybox,
}

const TOOLS: &[Tool] = &[
    tool(
        "qemu-system-x86_64",
        "qemu-system-x86",
        Need::Run,
        Sign::Program,
    ),
    tool("gcc", "gcc", Need::Run, Sign::Program),
    tool("cpp", "cpp", Need::Run, Sign::Program),
    tool("ld", "binutils", Need::Run, Sign::Program),
    tool("objcopy", "binutils", Need::Run, Sign::Program),
    tool("ar", "binutils", Need::Run, Sign::Program),
    tool("setpriv", "util-linux", Need::Run, Sign::Program),
    tool("ply", "python3-ply", Need::Run, Sign::PythonModule),
    tool("six", "python3-six", Need::Run, Sign::PythonModule),
    tool("tempita", "python3-tempita", Need::Run, Sign::PythonModule),
    tool("busybox", "busybox-static", Need::Run, Sign::StaticBusybox),
    tool("pkg-config", "pkg-config", Need::Test, Sign::Program),
    tool("musl-gcc", "musl-tools", Need::Test, Sign::Program),
    tool("gdb", "gdb", Need::Test, Sign::Program),
    tool("lldb", "lldb", Need::Test, Sign::Program),
    tool("gdbserver", "gdbserver", Need::Test, Sign::Program),
    tool("strace", "strace", Need::Test, Sign::Program),
    tool("ltrace", "ltrace", Need::Test, Sign::Program),
    tool("g++", "g++", Need::Test, Sign::Program),
    tool("go", "golang-go", Need::Test, Sign::Program),
    tool("chromium", "chromium", Need::Test, Sign::Program),
    tool("mandoc", "mandoc", Need::Test, Sign::Program),
    tool("man", "man-db", Need::Test, Sign::Program),
];

const fn tool(name: &'static str, package: &'static str, need: Need, sign: Sign) -> Tool {
    Tool {
        name,
        package,
        need,
        sign,
    }
}

/// The system's own Python, which the kernel build uses.
const PYTHON: &str = "/usr/bin/python3";

/// Where Debian puts Python's modules. Looking there is quicker than starting Python.
const PYTHON_MODULES: &str = "/usr/lib/python3/dist-packages";

/// The command itself.
pub fn main() -> Status {
    ensure(Need::Test)?;
    println!("every tool is here");
    Ok(0)
}

/// Makes sure that the tools for `need` are here: installs what is missing if that is possible, and otherwise says what is missing.
pub fn ensure(need: Need) -> Result<()> {
    if missing(need).is_empty() {
        return Ok(());
    }
    // One installation is enough, so it brings everything.
    let packages = packages(&missing(Need::Test));
    if may_install() {
        install(&packages)?;
    }
    let missing = missing(need);
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|tool| tool.name).collect();
    bail!(
        "these tools are missing: {}; on Debian: apt-get install {}",
        names.join(", "),
        packages.join(" ")
    )
}

fn missing(need: Need) -> Vec<&'static Tool> {
    TOOLS
        .iter()
        .filter(|tool| tool.need <= need && !is_here(tool))
        .collect()
}

/// The packages of some tools, each once.
fn packages(tools: &[&Tool]) -> Vec<&'static str> {
    let mut packages: Vec<_> = tools.iter().map(|tool| tool.package).collect();
    if tools
        .iter()
        .any(|tool| matches!(tool.sign, Sign::PythonModule))
        && !Path::new(PYTHON).exists()
    {
        packages.push("python3");
    }
    packages.sort_unstable();
    packages.dedup();
    packages
}

fn is_here(tool: &Tool) -> bool {
    match tool.sign {
        Sign::Program => in_path(tool.name).is_some(),
        Sign::PythonModule => has_python_module(tool.name),
        Sign::StaticBusybox => fs::read(BUSYBOX).is_ok_and(|file| is_static(&file)),
    }
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| {
            fs::metadata(program)
                .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
        })
}

fn has_python_module(name: &str) -> bool {
    if !Path::new(PYTHON).exists() {
        return false;
    }
    let folder = Path::new(PYTHON_MODULES);
    folder.join(name).join("__init__.py").exists()
        || folder.join(name).with_extension("py").exists()
        || host::run(Command::new(PYTHON).args(["-c", &format!("import {name}")])).is_ok()
}

/// A dynamic program names its interpreter, and nothing else in a program looks like that.
fn is_static(file: &[u8]) -> bool {
    const INTERPRETER: &[u8] = b"/ld-linux-x86-64.so.2\0";
    let head = &file[..file.len().min(4096)];
    head.starts_with(b"\x7fELF")
        && !head
            .windows(INTERPRETER.len())
            .any(|window| window == INTERPRETER)
}

/// Root, on a system with Debian's packages.
fn may_install() -> bool {
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    is_root && in_path("apt-get").is_some()
}

/// Installs packages. What apt-get says goes to standard error: standard output is the program's.
fn install(packages: &[&str]) -> Result<()> {
    eprintln!("stillpoint: installing {}", packages.join(" "));
    let steps: [&[&str]; 2] = [
        &["update"],
        &["install", "--yes", "--no-install-recommends"],
    ];
    for (step, packages) in steps.into_iter().zip([&[], packages]) {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive")
            .args(["--quiet", "--quiet"])
            .args(step)
            .args(packages);
        let output = host::run(&mut apt)?;
        eprint!("{}", String::from_utf8_lossy(&output.stdout));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_named_once() {
        let binutils: Vec<_> = TOOLS
            .iter()
            .filter(|tool| tool.package == "binutils")
            .collect();
        assert_eq!(binutils.len(), 3);
        assert_eq!(packages(&binutils), ["binutils"]);
    }

    #[test]
    fn running_needs_less_than_testing() {
        assert!(missing(Need::Run).len() <= missing(Need::Test).len());
        assert!(Need::Run < Need::Test);
    }

    #[test]
    fn programs_are_looked_up_in_path() {
        assert!(in_path("sh").is_some());
        assert!(in_path("no-such-program-here").is_none());
        assert!(!has_python_module("no_such_module_here"));
    }

    #[test]
    fn a_dynamic_busybox_does_not_do() {
        assert!(is_static(b"\x7fELF and nothing else"));
        assert!(!is_static(b"\x7fELF.../lib64/ld-linux-x86-64.so.2\0"));
        assert!(!is_static(b"#!/bin/sh"));
        assert!(!is_static(b""));
    }
}
