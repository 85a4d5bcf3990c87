//! A gdbserver that one debugger after the other connects to: on this machine, or in the booted one.

use std::cell::RefCell;
use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use image::machine;
use tempfile::TempDir;

/// Names another server for this machine, to compare with.
const OTHER_SERVER: &str = "STILLPOINT_GDBSERVER";
/// How long a server may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// This machine.
    Host,
    /// The booted one.
    Machine,
}

impl Place {
    /// Its name in tests' names.
    pub fn name(self) -> &'static str {
        match self {
            Place::Host => "host",
            Place::Machine => "machine",
        }
    }
}

/// A server that listens. Dropping it ends it.
pub struct Server {
    child: RefCell<Child>,
    port: u16,
    /// The folder of the programs, as the server sees it.
    programs: PathBuf,
    /// A folder for files, as the server sees it.
    scratch: PathBuf,
    _folder: TempDir,
}

impl Server {
    /// Starts one for the programs in a folder: for one of them, or for whatever a debugger says.
    pub fn start(place: Place, programs: &Path, program: Option<&str>) -> Result<Server> {
        let folder = tempfile::Builder::new().prefix("stillpoint-").tempdir()?;
        let output = File::create(folder.path().join("output"))?;
        let (mut command, seen, scratch) = match place {
            Place::Host => (on_host()?, programs.to_owned(), folder.path().into()),
            Place::Machine => (in_machine(programs)?, "/gdb".into(), "/tmp".into()),
        };
        match (place, program) {
            (Place::Host, None) => command.args(["--multi", "127.0.0.1:0"]),
            (Place::Host, Some(name)) => command.arg("127.0.0.1:0").arg(seen.join(name)),
            (Place::Machine, None) => &mut command,
            (Place::Machine, Some(name)) => command.arg("--").arg(seen.join(name)),
        };
        command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(Stdio::piped());
        let mut child = command.spawn().context("starting a server")?;
        let errors = BufReader::new(child.stderr.take().expect("standard error is piped"));
        let mut lines = errors.lines();
        let mut said = Vec::new();
        let port = loop {
            let line = lines.next().transpose()?;
            let line = line.with_context(|| format!("the server ended: {}", said.join("\n")))?;
            if let Some(port) = port(&line) {
                break port;
            }
            said.push(line);
        };
        // Nobody may be held up by what it says.
        thread::spawn(move || lines.for_each(drop));
        Ok(Server {
            child: RefCell::new(child),
            port,
            programs: seen,
            scratch,
            _folder: folder,
        })
    }

    /// What a debugger connects to.
    pub fn address(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// A program's path, as the server sees it.
    pub fn program(&self, name: &str) -> String {
        self.programs.join(name).display().to_string()
    }

    /// The folder of the programs, as the server sees it.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// A folder for files, as the server sees it.
    pub fn scratch(&self) -> String {
        self.scratch.display().to_string()
    }

    /// Whether it still runs.
    pub fn is_alive(&self) -> bool {
        let status = self.child.borrow_mut().try_wait();
        status.is_ok_and(|status| status.is_none())
    }

    /// Ends it as a user does, and sees that it ends well.
    pub fn end(self) -> Result<()> {
        let mut gdb = Command::new("gdb");
        gdb.args(["-nx", "-q", "-batch", "-ex"]);
        gdb.arg(format!("target extended-remote {}", self.address()));
        gdb.args(["-ex", "monitor exit"]);
        gdb.stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        gdb.status().context("starting gdb")?;
        let start = Instant::now();
        while self.is_alive() && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(10));
        }
        let status = self.child.borrow_mut().try_wait()?;
        ensure!(
            status.is_some_and(|status| status.success()),
            "the server did not end well: {status:?}"
        );
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if it is gone, which is what is wanted.
        let child = self.child.get_mut();
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn on_host() -> Result<Command> {
    let other = env::var_os(OTHER_SERVER).map(PathBuf::from);
    let own = || {
        let built = machine::build()?;
        let mut tools = built.tools.into_iter();
        let found = tools.find(|(name, _)| *name == "gdbserver");
        found.map(|(_, path)| path).context("gdbserver is a tool")
    };
    let mut command = match &other {
        Some(other) => Command::new(other),
        None => Command::new(own()?),
    };
    if other.is_none() {
        command.args(["--hold", "1"]);
    }
    // As in the machine.
    command.current_dir("/");
    Ok(command)
}

fn in_machine(programs: &Path) -> Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.args([
        "gdb",
        "--libs",
        "--hold",
        "1",
        "--port",
        "0",
        "--timeout",
        "1800",
    ]);
    for entry in fs::read_dir(programs)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|it| it.to_str());
        let name = name.context("a program has a name")?;
        command.arg("--file");
        command.arg(format!("{}:/gdb/{name}", path.display()));
    }
    Ok(command)
}

/// The port that a line of a server's output tells of.
fn port(line: &str) -> Option<u16> {
    if let Some(port) = line.strip_prefix("Listening on port ") {
        return port.parse().ok();
    }
    let (_, rest) = line.split_once("target extended-remote :")?;
    rest.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_tell_their_ports() {
        assert_eq!(port("Listening on port 4711"), Some(4711));
        let line = "stillpoint: in gdb: target extended-remote :1234 (in lldb: gdb-remote 1234)";
        assert_eq!(port(line), Some(1234));
        assert_eq!(port("Process /bin/true created; pid = 2"), None);
    }
}
