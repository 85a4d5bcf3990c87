//! Debian's gdbserver on the machine's second serial line, and the gdb of this machine at its other end.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use anyhow::{Context, Result, ensure};
use image::{host, workspace};

use super::filter::Filter;
use super::programs;
use crate::test::machine::TIMEOUT;
use crate::test::{Tally, difference, report};

/// What gdb is told about the program that the file is named after, and what it says.
const FOLDER: &str = "tests/unmodified/serial";
/// What gdbserver says when it has opened the line.
const READY: &str = "Remote debugging using /dev/ttyS1";

/// Runs the sessions whose names contain `name`, or whose whole names contain the general filter, one after the other in one machine.
pub fn test(filter: Option<&str>, name: Option<&str>) -> Result<Tally> {
    let mut sessions = Vec::new();
    for entry in fs::read_dir(workspace::root().join(FOLDER))? {
        let path = entry?.path();
        let program = path.file_stem().and_then(|it| it.to_str());
        let program = program.context("a session has a name")?.to_owned();
        let session = format!("gdbserver_serial_{program}");
        let whole = format!("unmodified::{session}");
        let chosen = filter.is_none_or(|filter| whole.contains(filter))
            && name.is_none_or(|name| session.contains(name));
        if chosen && path.extension().is_some_and(|end| end == "gdb") {
            sessions.push((whole, path, program));
        }
    }
    sessions.sort();
    let mut tally = Tally::default();
    if sessions.is_empty() {
        return Ok(tally);
    }
    let folder = tempfile::Builder::new().prefix("stillpoint-").tempdir()?;
    let programs: Vec<_> = sessions.iter().map(|it| it.2.as_str()).collect();
    let mut machine = Machine::boot(folder.path(), &programs)?;
    for (whole, path, program) in &sessions {
        let said = machine.session(path, program)?;
        let want = fs::read_to_string(path.with_extension("out"))?;
        let wrong = difference(&said, &want);
        tally.add(report(whole, wrong.is_none()));
        if let Some(wrong) = wrong {
            println!("{wrong}\n{said}");
        }
    }
    machine.end()?;
    Ok(tally)
}

/// A machine in which one gdbserver after the other waits on the line.
struct Machine<'a> {
    folder: &'a Path,
    qemu: Child,
    log: BufReader<ChildStderr>,
    line: PathBuf,
}

impl<'a> Machine<'a> {
    /// Compiles the programs into the folder, and starts a machine with a gdbserver for each.
    fn boot(folder: &'a Path, programs: &[&str]) -> Result<Machine<'a>> {
        let mut xtask = Command::new(env::current_exe()?);
        xtask.args(["image", "--libs", "-o"]).arg(folder);
        xtask.args(["--file", "/usr/bin/gdbserver"]);
        // gdbserver opens it where it is asked for a thread's variables.
        xtask.args(["--file", "/lib/x86_64-linux-gnu/libthread_db.so.1"]);
        for program in programs {
            for file in programs::compile(program, folder)? {
                xtask.arg("--file").arg(file);
            }
        }
        // Where the first process has gone, gdbserver does not end with its last one.
        let servers = format!(
            "cd {}; for p in {}; do /usr/bin/gdbserver /dev/ttyS1 ./$p & read; kill $!; wait; done",
            folder.display(),
            programs.join(" ")
        );
        let boot = host::run(xtask.args(["--", "/bin/busybox", "sh", "-c", &servers]))?.stdout;
        let line = folder.join("line");
        let mut boot = String::from_utf8(boot)?.trim_end().to_owned();
        boot += &format!(" -serial unix:{},server=on,wait=off", line.display());
        let mut qemu = Command::new("timeout")
            .args([TIMEOUT, "sh", "-c", &boot])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting the machine")?;
        let log = qemu.stderr.take().expect("standard error is piped");
        Ok(Machine {
            folder,
            qemu,
            log: BufReader::new(log),
            line,
        })
    }

    /// What gdb says that is told what is in a file, without what differs from time to time.
    fn session(&mut self, commands: &Path, program: &str) -> Result<String> {
        let mut said = String::new();
        while !said.contains(READY) {
            said.clear();
            let more = self.log.read_line(&mut said)?;
            ensure!(more > 0, "the machine ended before {program}'s session");
        }
        let mut gdb = Command::new("timeout");
        gdb.args([TIMEOUT, "gdb", "-q", "-nx", "-batch"]);
        for setting in [
            "debug-file-directory /nowhere",
            "debuginfod enabled off",
            "width 0",
            "confirm off",
            "sysroot /",
            // The line is slow where the computer is.
            "remotetimeout 60",
        ] {
            gdb.arg("-iex").arg(format!("set {setting}"));
        }
        gdb.arg("-ex")
            .arg(format!("target remote {}", self.line.display()));
        let output = gdb
            .arg("-x")
            .arg(commands)
            .arg(self.folder.join(program))
            .current_dir(self.folder)
            .stdin(Stdio::null())
            .output()
            .context("starting gdb")?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "gdb: {}: {errors}", output.status);
        let mut console = self.qemu.stdin.as_ref().expect("standard input is piped");
        console.write_all(b"\n").context("ending gdbserver")?;
        Ok(Filter::new(self.folder)?.apply(&String::from_utf8_lossy(&output.stdout)))
    }

    /// Waits for its end, which comes when the last gdbserver has ended.
    fn end(mut self) -> Result<()> {
        drop(self.qemu.stdin.take());
        // It has to be able to say its last words.
        std::io::copy(&mut self.log, &mut std::io::sink())?;
        self.qemu.wait()?;
        Ok(())
    }
}
