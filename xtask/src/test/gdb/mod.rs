//! gdb itself against gdbserver: scripts whose output is known, first with the server on this machine, then in the booted one.

mod filter;
mod script;
mod server;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use image::{host, workspace};

use super::{Tally, difference, known_wrong};
use filter::Filter;
use script::{Debugger, Script};
use server::{Place, Server};

/// The scripts, and what gdb says.
const FOLDER: &str = "tests/gdb";
/// Scripts that are known to fail in the machine, a line each: `NAME: reason`.
const KNOWN_WRONG: &str = "tests/gdb/known-wrong.txt";
/// How long one script may take.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Where everything is that the scripts need.
struct Folders {
    /// The scripts.
    scripts: PathBuf,
    /// The compiled programs.
    programs: PathBuf,
    /// What gdb said, for whoever looks into a failure.
    outputs: PathBuf,
}

/// Runs the scripts whose names contain `name`, or whose whole name contains the general filter.
pub fn test(filter: Option<&str>, name: Option<&str>) -> Result<Tally> {
    let folders = Folders::new()?;
    let known = known_wrong(KNOWN_WRONG)?;
    let all = script::all(&folders.scripts)?;
    let chosen = |place: Place| {
        let whole = |script: &&Script| {
            let whole = format!("gdb::{}::{}", place.name(), script.name);
            filter.is_none_or(|filter| filter == "gdb" || whole.contains(filter))
        };
        let named = |script: &&Script| name.is_none_or(|name| script.name.contains(name));
        all.iter().filter(whole).filter(named).collect::<Vec<_>>()
    };
    let (on_host, in_machine) = (chosen(Place::Host), chosen(Place::Machine));
    if on_host.is_empty() && in_machine.is_empty() {
        return Ok(Tally::default());
    }
    compile(&folders)?;
    let run = |place, scripts| run_all(&folders, place, scripts);
    let (on_host, in_machine) = thread::scope(|scope| {
        let on_host = scope.spawn(|| run(Place::Host, on_host));
        let in_machine = run(Place::Machine, in_machine);
        (on_host.join().expect("it returns its errors"), in_machine)
    });
    let mut tally = Tally::default();
    for (place, results) in [(Place::Host, on_host?), (Place::Machine, in_machine?)] {
        for (name, wrong) in results {
            let known = known.get(&name).filter(|_| place == Place::Machine);
            let whole = format!("gdb::{}::{name}", place.name());
            tally.add(super::say(&whole, wrong, known, KNOWN_WRONG));
        }
    }
    Ok(tally)
}

impl Folders {
    fn new() -> Result<Folders> {
        let built = workspace::machine_folder().join("gdb");
        let folders = Folders {
            scripts: workspace::root().join(FOLDER),
            programs: built.join("programs"),
            outputs: built.join("outputs"),
        };
        for place in [Place::Host, Place::Machine] {
            fs::create_dir_all(folders.outputs.join(place.name()))?;
        }
        fs::create_dir_all(&folders.programs)?;
        Ok(folders)
    }
}

/// Compiles what is newer than its program: each source to a static program, and two of them to dynamic ones as well.
fn compile(folders: &Folders) -> Result<()> {
    let sources = folders.scripts.join("programs");
    for entry in fs::read_dir(&sources)? {
        let source = entry?.path();
        let name = source.file_stem().and_then(|it| it.to_str());
        let name = name.context("a program has a name")?;
        let mut targets = vec![(name, "-static")];
        match name {
            "basics" => targets.push(("dynamic", "-pie")),
            "locals" => targets.push(("locals_dynamic", "-pie")),
            _ => {}
        }
        for (target, kind) in targets {
            let program = folders.programs.join(target);
            let time = |path: &Path| fs::metadata(path).and_then(|it| it.modified()).ok();
            if time(&program) <= time(&source) {
                // The name that debug information has for the source is the same everywhere.
                let mut gcc = Command::new("gcc");
                gcc.args(["-g", "-O0", kind, "-o"]).arg(&program);
                gcc.arg(format!("{name}.c")).current_dir(&sources);
                host::run(&mut gcc)?;
            }
        }
    }
    Ok(())
}

/// Runs scripts one after the other with one server, and another one where a script has left the first unusable. What is wrong with each.
fn run_all(
    folders: &Folders,
    place: Place,
    scripts: Vec<&Script>,
) -> Result<Vec<(String, Option<String>)>> {
    let mut results = Vec::new();
    let mut server = None;
    for script in scripts {
        // lldb cannot say what to run, so it gets a server of its own.
        let output = match script.debugger {
            Debugger::Lldb => {
                let server = Server::start(place, &folders.programs, Some(&script.program))?;
                run(folders, &server, script)?
            }
            Debugger::Gdb => {
                let at = match server.take() {
                    Some(server) => server,
                    None => Server::start(place, &folders.programs, None)?,
                };
                let output = run(folders, &at, script)?;
                if output.complete && at.is_alive() {
                    server = Some(at);
                }
                output
            }
        };
        let path = folders.outputs.join(place.name());
        fs::write(path.join(format!("{}.out", script.name)), &output.text)?;
        let expected = folders.scripts.join(format!("{}.out", script.name));
        let expected = fs::read_to_string(expected).unwrap_or_default();
        let wrong = match output.complete {
            true => difference(&output.text, &expected),
            false => Some(format!("    it did not come to an end:\n{}", output.text)),
        };
        results.push((script.name.clone(), wrong));
    }
    if let Some(server) = server {
        server.end()?;
    }
    Ok(results)
}

/// What gdb said.
struct Output {
    text: String,
    complete: bool,
}

/// Runs one script.
fn run(folders: &Folders, server: &Server, script: &Script) -> Result<Output> {
    let here = tempfile::Builder::new().prefix("stillpoint-").tempdir()?;
    let program = server.program(&script.program);
    let mut input = script.prelude(&folders.programs, &program, here.path(), server);
    input.push_str(&script.commands(server));
    if !script.waits {
        input.push_str(script.debugger.end());
    }
    let said = here.path().join("said");
    let to = File::create(&said)?;
    let mut gdb = Command::new(script.debugger.program());
    gdb.args(script.debugger.options())
        .current_dir(&folders.scripts)
        .stdin(Stdio::piped())
        .stdout(to.try_clone()?)
        .stderr(to)
        .process_group(0);
    let mut gdb = gdb.spawn().context("starting the debugger")?;
    let mut stdin = gdb.stdin.take().expect("standard input is piped");
    // A debugger that ends early does not read everything.
    let _ = stdin.write_all(input.as_bytes());
    let _input = script.waits.then_some(stdin);
    let deadline = Instant::now() + TIMEOUT;
    let complete = loop {
        if gdb.try_wait()?.is_some() {
            break true;
        }
        if Instant::now() > deadline {
            gdb.kill()?;
            gdb.wait()?;
            break false;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let mut text = Vec::new();
    File::open(&said)?.read_to_end(&mut text)?;
    let filter = Filter::new(&folders.programs, here.path(), server)?;
    let text = filter.apply(&String::from_utf8_lossy(&text));
    Ok(Output { text, complete })
}
