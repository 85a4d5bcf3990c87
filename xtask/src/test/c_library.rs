//! The C library: it is found, it replaces the C library's functions, and in the machine it speaks by messages.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use image::{c_library, host, workspace};

use super::machine::TIMEOUT;
use super::{Tally, report};

/// A program of `tests/machine` that traces and waits, and what it says on Linux.
const PROGRAM: &str = "tests/machine/tracer.c";
const SAYS: &str = include_str!("../../../tests/machine/tracer.out");
/// One in which the tracer faults.
const RESTART: &str = "tests/machine/restart.c";
const RESTART_SAYS: &str = "the tracer faulted five times\n";
/// One that traces beside a busy one.
const BESIDE: &str = "tests/machine/beside.c";
/// The library's functions, in alphabetical order.
const FUNCTIONS: &[&str] = &[
    "engine_attach",
    "engine_detach",
    "engine_inject",
    "engine_next",
    "engine_poll",
    "engine_request",
    "engine_set",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "wait",
    "wait3",
    "wait4",
    "waitpid",
];
/// A program that has an engine, and what it says.
const ENGINE: &str = "tests/machine/engine.c";
const ENGINE_SAYS: &str = "found 1 exclusive -1 EEXIST
set 0
poll 0
entry unlink
setregs 0
exit -1
signal 15 from the child 1
death 7
status 7
reap 1
detach -1 ESRCH
";
/// What a cancelled thread of a dynamic program loads.
const UNWINDER: &str = "libgcc_s.so.1";

type Check = fn(&Path) -> Result<()>;

const CHECKS: [(&str, Check); 7] = [
    (
        "c_library::pkg_config_finds_it_wherever_the_image_was_moved_to",
        found,
    ),
    ("c_library::its_functions_are_its_only_names", names),
    (
        "c_library::static_programs_of_any_c_library_have_it",
        of_any,
    ),
    ("c_library::an_engine_in_c", engine),
    ("c_library::no_system_call_is_left_of_a_request", messages),
    (
        "c_library::a_message_over_which_the_tracer_faults_fails",
        faults,
    ),
    (
        "c_library::a_wait_keeps_the_turn_beside_a_busy_program",
        beside,
    ),
];

/// Runs the checks whose names contain the filter.
pub fn test(filter: Option<&str>) -> Result<Tally> {
    let mut tally = Tally::default();
    for (name, check) in CHECKS {
        if filter.is_some_and(|filter| !name.contains(filter)) {
            continue;
        }
        let folder = tempfile::tempdir()?;
        let failure = check(folder.path()).err();
        tally.add(report(name, failure.is_none()));
        if let Some(failure) = failure {
            println!("    {failure:#}");
        }
    }
    Ok(tally)
}

/// Builds a dynamic program as its user does, from the output of `cargo xtask image`.
fn found(folder: &Path) -> Result<()> {
    let (made, moved) = (folder.join("made"), folder.join("moved"));
    let mut xtask = Command::new(env::current_exe()?);
    host::run(xtask.args(["image", "-o"]).arg(&made))?;
    fs::rename(&made, &moved)?;
    let mut pkg_config = Command::new("pkg-config");
    pkg_config.env("PKG_CONFIG_LIBDIR", moved.join("lib/pkgconfig"));
    let options = host::run(pkg_config.args(["--cflags", "--libs", "libtrace"]))?.stdout;
    let options = String::from_utf8(options)?;
    let options: Vec<&str> = options.split_whitespace().collect();
    let program = compile("cc", folder, "dynamic", &options)?;
    says_it(Command::new(&program))?;
    let mut header = Command::new("cc");
    header.args(["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"]);
    header.args(["-fsyntax-only", "-x", "c", "-include", "libtrace.h"]);
    host::run(header.args(&options).arg("/dev/null"))?;
    let unwinder = host::output("cc", [format!("-print-file-name={UNWINDER}")])?;
    let unwinder = format!("{}:/lib/x86_64-linux-gnu/{UNWINDER}", unwinder.trim());
    says_it(run("run", &["--libs", "--file", &unwinder], &program)?)
}

/// What is global in the archive is what it is for.
fn names(folder: &Path) -> Result<()> {
    c_library::install(folder)?;
    let archive = folder.join("lib/libtrace.a").display().to_string();
    let listed = host::output(
        "nm",
        ["-g", "--defined-only", "--format=just-symbols", &archive],
    )?;
    let names: Vec<&str> = listed
        .lines()
        .filter(|line| !line.is_empty() && !line.ends_with(':'))
        .collect();
    ensure!(names == FUNCTIONS, "its names are {names:?}");
    Ok(())
}

/// Static programs with glibc and with musl, on Linux and in the machine.
fn of_any(folder: &Path) -> Result<()> {
    for compiler in ["gcc", "musl-gcc"] {
        let program = relinked(compiler, folder)?;
        says_it(Command::new(&program))?;
        says_it(run("run", &[], &program)?).with_context(|| compiler.to_owned())?;
    }
    Ok(())
}

/// An engine in C does what one does, in the machine; on Linux it is told that there are none.
fn engine(folder: &Path) -> Result<()> {
    c_library::install(folder)?;
    let program = folder.join("engine");
    let mut command = Command::new("gcc");
    command.args([
        "-std=gnu11",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-O1",
        "-static",
        "-o",
    ]);
    command.arg(&program).arg(workspace::root().join(ENGINE));
    command.arg(format!("-I{}/include", folder.display()));
    command.arg(format!("-L{}/lib", folder.display()));
    host::run(command.arg("-ltrace"))?;
    let linux = Command::new(&program).output()?;
    let said = String::from_utf8_lossy(&linux.stderr);
    ensure!(
        linux.status.code() == Some(2) && said.contains("Function not implemented"),
        "on Linux: {said}"
    );
    let machine = run("run", &[], &program)?.output()?;
    let said = String::from_utf8_lossy(&machine.stdout);
    ensure!(machine.status.success() && said == ENGINE_SAYS, "{said}");
    Ok(())
}

/// Our tracing tool sees the requests of a program that was not linked with the library, and none of one that was.
fn messages(folder: &Path) -> Result<()> {
    let calls = |program: &Path| -> Result<usize> {
        let output = output(run("trace", &["-e", "trace=ptrace"], program)?)?;
        let trace = String::from_utf8_lossy(&output.stderr);
        ensure!(trace.contains("+++ exited with 0 +++"), "{trace}");
        Ok(trace
            .lines()
            .filter(|line| line.starts_with("ptrace("))
            .count())
    };
    let by_call = calls(&compile("gcc", folder, "plain", &["-static"])?)?;
    let by_message = calls(&relinked("gcc", folder)?)?;
    ensure!(
        by_call > 200 && by_message == 0,
        "{by_call} system calls without the library, {by_message} with it"
    );
    Ok(())
}

/// The tracer server faults over a message of a program with the library.
fn faults(folder: &Path) -> Result<()> {
    says(folder, RESTART, RESTART_SAYS)
}

/// Stops by message take no time slices of others'.
fn beside(folder: &Path) -> Result<()> {
    says(folder, BESIDE, "1\n")
}

/// What a program with the library says in the machine.
fn says(folder: &Path, source: &str, expected: &str) -> Result<()> {
    c_library::install(folder)?;
    let program = folder.join("program");
    let mut gcc = Command::new("gcc");
    gcc.args(["-O1", "-static", "-o"]).arg(&program);
    gcc.arg(workspace::root().join(source));
    gcc.arg(format!("-L{}/lib", folder.display()));
    host::run(gcc.arg("-ltrace"))?;
    let machine = output(run("run", &[], &program)?)?;
    let said = String::from_utf8_lossy(&machine.stdout);
    ensure!(machine.status.success() && said == expected, "{said}");
    Ok(())
}

/// The program as a static one with the library.
fn relinked(compiler: &str, folder: &Path) -> Result<PathBuf> {
    c_library::install(folder)?;
    let search = format!("-L{}/lib", folder.display());
    compile(compiler, folder, compiler, &["-static", &search, "-ltrace"])
}

fn compile(compiler: &str, folder: &Path, name: &str, options: &[&str]) -> Result<PathBuf> {
    let program = folder.join(name);
    let mut command = Command::new(compiler);
    command.args(["-O1", "-o"]).arg(&program);
    command.arg(workspace::root().join(PROGRAM));
    host::run(command.args(options))?;
    Ok(program)
}

/// A program in the machine. It waits and is interrupted at the same points every time.
fn run(subcommand: &str, options: &[&str], program: &Path) -> Result<Command> {
    let mut xtask = Command::new(env::current_exe()?);
    xtask.args([subcommand, "--icount", "--timeout", TIMEOUT]);
    xtask.args(options).arg("--").arg(program);
    Ok(xtask)
}

fn says_it(command: Command) -> Result<()> {
    let line = host::command_line(&command);
    let output = output(command)?;
    let said = String::from_utf8_lossy(&output.stdout);
    let differs = said
        .lines()
        .zip(SAYS.lines())
        .find(|(ours, linux)| ours != linux);
    ensure!(
        output.status.success() && said == SAYS,
        "`{line}`: {}, {differs:?}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

fn output(mut command: Command) -> Result<Output> {
    command.stdin(Stdio::null()).output().context("starting it")
}
