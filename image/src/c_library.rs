//! The C library, as compilers and pkg-config look for one.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{host, machine};

const HEADER: &str = include_str!("../../libtrace/c/include/libtrace.h");
const ENGINES: &str = include_str!("../../libtrace/c/include/libtrace_engine.h");
const PACKAGE: &str = include_str!("../../libtrace/c/libtrace.pc.in");

/// Builds the library and puts it into a folder: `lib/libtrace.a`, `include/libtrace.h` and `libtrace_engine.h`, `lib/pkgconfig/libtrace.pc`. The folder can be
/// moved. A file that is there already and the same is left alone.
pub fn install(folder: &Path) -> Result<()> {
    let package = PACKAGE.replace("@VERSION@", env!("CARGO_PKG_VERSION"));
    write(&folder.join("lib/libtrace.a"), &build()?)?;
    write(
        &folder.join("lib/pkgconfig/libtrace.pc"),
        package.as_bytes(),
    )?;
    let include = folder.join("include");
    write(&include.join("libtrace.h"), HEADER.as_bytes())?;
    write(&include.join("libtrace_engine.h"), ENGINES.as_bytes())
}

/// Builds the archive.
///
/// The one that rustc makes has rustc's own library in it too, which nothing of ours needs. What is left is one object file that has no
/// global names but the functions that it is for.
fn build() -> Result<Vec<u8>> {
    let built = machine::build_library("libtrace-c", "alone")?;
    let members = host::run(Command::new("ar").arg("t").arg(&built))?.stdout;
    let members = String::from_utf8(members)?;
    let ours: Vec<&str> = members
        .lines()
        .filter(|member| member.starts_with("libtrace_c-"))
        .collect();
    let [member] = ours[..] else {
        bail!("{} holds {ours:?} of the library", built.display());
    };
    let scratch = tempfile::tempdir()?;
    let run = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        host::run(command.args(args).current_dir(scratch.path()))
    };
    let object = host::run(Command::new("ar").arg("p").arg(&built).arg(member))?.stdout;
    write(&scratch.path().join("libtrace.o"), &object)?;
    run(
        "objcopy",
        &["--localize-hidden", "--strip-debug", "libtrace.o"],
    )?;
    // D: the same object gives the same archive.
    run("ar", &["rcsD", "libtrace.a", "libtrace.o"])?;
    Ok(fs::read(scratch.path().join("libtrace.a"))?)
}

fn write(path: &Path, contents: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|there| there == contents) {
        return Ok(());
    }
    let folder = path.parent().expect("files are in folders");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, contents))
        .with_context(|| format!("writing {}", path.display()))
}
