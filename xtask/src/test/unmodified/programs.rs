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

/// Compiles a program into a folder, from C, or from what its name ends with; what is interpreted is copied. Answers with the files that
/// belong to it: it and its source, which debuggers show.
pub fn compile(name: &str, folder: &Path) -> Result<Vec<PathBuf>> {
    let source = source(name).with_context(|| format!("no source of {name}"))?;
    let file = source.file_name().expect("a file has a name");
    let (here, program) = (folder.join(file), folder.join(file).with_extension(""));
    std::fs::copy(&source, &here)?;
    let end = source.extension().and_then(|it| it.to_str());
    let mut compiler = match end {
        Some("c") => gcc("gcc", &["-O0", "-fno-builtin"]),
        // So that what a signal handler throws finds its way.
        Some("cc") => gcc("g++", &["-O1", "-std=c++20", "-fnon-call-exceptions"]),
        Some("go") => go(),
        _ => return Ok(vec![here]),
    };
    // Its debug information names the source without a folder.
    compiler.arg("-o").arg(&program).arg(file);
    host::run(compiler.current_dir(folder))?;
    Ok(vec![program, here])
}

fn source(name: &str) -> Option<PathBuf> {
    let file = match name.contains('.') {
        true => name.to_owned(),
        false => format!("{name}.c"),
    };
    let mut places = FOLDERS.iter().map(|folder| format!("{folder}/{file}"));
    places.find_map(|name| Some(workspace::root().join(name)).filter(|path| path.is_file()))
}

fn gcc(compiler: &str, options: &[&str]) -> Command {
    let mut command = Command::new(compiler);
    command.args(["-g", "-pthread"]).args(options);
    command
}

/// Static, as Go's programs are when they are made for elsewhere.
fn go() -> Command {
    let mut command = Command::new("go");
    command.env("GOCACHE", workspace::machine_folder().join("go"));
    command.env("CGO_ENABLED", "0").arg("build");
    command
}
