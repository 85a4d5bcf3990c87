//! The programs that scripts run and debug.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use image::{host, workspace};

/// Where sources are looked for.
const FOLDERS: [&str; 3] = [
    "tests/unmodified/programs",
    "tests/gdb/programs",
    "tests/machine",
];

/// Compiles a program into a folder, from C, C++ or Go, by which source there is; what is interpreted is copied. Answers with the files
/// that belong to it: it and its source, which debuggers show.
pub fn compile(name: &str, folder: &Path) -> Result<Vec<PathBuf>> {
    let source = source(name).with_context(|| format!("no source of {name}"))?;
    let file = source.file_name().expect("a file has a name");
    let (here, program) = (folder.join(file), folder.join(name));
    std::fs::copy(&source, &here)?;
    let end = source.extension().and_then(|it| it.to_str());
    let mut compiler = match end {
        Some("c") => c("gcc"),
        Some("cc") => c("g++"),
        Some("go") => go(),
        _ => return Ok(vec![here]),
    };
    // Its debug information names the source without a folder.
    compiler.arg("-o").arg(&program).arg(file);
    host::run(compiler.current_dir(folder))?;
    Ok(vec![program, here])
}

fn source(name: &str) -> Option<PathBuf> {
    let ends = ["c", "cc", "go", "py"];
    let mut names = FOLDERS
        .iter()
        .flat_map(|folder| ends.map(|end| format!("{folder}/{name}.{end}")));
    names.find_map(|name| Some(workspace::root().join(name)).filter(|path| path.is_file()))
}

fn c(compiler: &str) -> Command {
    let mut command = Command::new(compiler);
    command.args(["-g", "-O0", "-fno-builtin", "-pthread"]);
    command
}

/// Static, as Go's programs are when they are made for elsewhere.
fn go() -> Command {
    let mut command = Command::new("go");
    command.env("CGO_ENABLED", "0").arg("build");
    command
}
