//! The headers the kernel generates: configuration, bit fields, invocation and system-call numbers.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::compile::Build;
use super::{config, sources};
use crate::host;

/// The system's own interpreter: another one earlier in PATH may lack the packages the generators import.
const PYTHON: &str = "/usr/bin/python3";

/// Writes every generated header into the build folder.
pub fn headers(build: &Build) -> Result<()> {
    build.write("autoconf.h", config::autoconf(build.options))?;
    for (description, header) in sources::BIT_FIELDS {
        bit_fields(build, description, header)?;
    }
    for (kind, description, header) in sources::INVOCATIONS {
        let mut tool = generator(build, "invocation_header_gen.py");
        tool.args(*kind)
            .arg("--xml")
            .arg(build.source.join(description));
        generate(build, tool.arg("--dest"), header)?;
    }
    let (description, header) = sources::SYSCALLS;
    let mut tool = generator(build, "syscall_header_gen.py");
    tool.arg("--xml").arg(build.source.join(description));
    generate(build, tool.arg("--kernel_header"), header)
}

/// A `.bf` file goes through the preprocessor and then through the generator.
fn bit_fields(build: &Build, description: &str, header: &str) -> Result<()> {
    let expanded = format!("{header}.pbf");
    build.preprocess(&["-P"], &build.source.join(description), &expanded)?;
    let mut tool = generator(build, "bitfield_gen.py");
    generate(build, tool.arg(&expanded), &format!("{header}_gen.h"))
}

fn generator(build: &Build, name: &str) -> Command {
    let tools = build.source.join("tools");
    let mut command = build.command(PYTHON);
    // The source may lie in a folder that others share: leave no compiled Python there.
    command
        .env("PYTHONPATH", &tools)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(tools.join(name));
    command
}

/// Runs a generator whose last argument is the header.
fn generate(build: &Build, tool: &mut Command, header: &str) -> Result<()> {
    if let Some(folder) = Path::new(header).parent() {
        fs::create_dir_all(build.folder.join(folder))?;
    }
    host::run(tool.arg(header)).map(drop)
}
