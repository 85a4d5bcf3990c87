//! Running a command under both tracers.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// This tracer.
pub const TRACE: &str = env!("CARGO_BIN_EXE_trace");

/// The program that makes a call of every kind.
pub fn zoo() -> String {
    let target = Path::new(TRACE).parent().unwrap();
    target.join("examples/zoo").display().to_string()
}

/// What one tracer made of a command.
pub struct Run {
    /// What the program printed, and how it ended.
    pub output: Output,
    /// The trace.
    pub lines: String,
}

/// A directory of its own for a test, with two files in it.
pub fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(path.join("dir")).unwrap();
    std::fs::write(path.join("dir/one"), "the first file\n").unwrap();
    std::fs::write(path.join("dir/two"), "the second file\n".repeat(100)).unwrap();
    path
}

/// Runs a command under a tracer.
pub fn run(tracer: &str, directory: &Path, arguments: &[&str]) -> Run {
    let log = directory.join("log");
    let output = Command::new(tracer)
        .arg("-o")
        .arg(&log)
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{tracer} is needed for these tests: {error}"));
    let lines = std::fs::read_to_string(&log).unwrap();
    std::fs::remove_file(log).unwrap();
    Run { output, lines }
}

/// Runs both and compares what they print, what the program prints and how it ends.
#[track_caller]
pub fn same(name: &str, arguments: &[&str]) {
    let busybox = Path::new("/bin/busybox");
    assert!(
        busybox.exists(),
        "busybox is needed for these tests: apt-get install busybox-static"
    );
    let expected = run("strace", &directory(name), arguments);
    let found = run(TRACE, &directory(name), arguments);
    assert_eq!(found.output.stdout, expected.output.stdout);
    assert_eq!(found.output.status, expected.output.status);
    let (expected, found) = (
        crate::normal::tasks(&expected.lines),
        crate::normal::tasks(&found.lines),
    );
    for (task, (expected, found)) in expected.iter().zip(&found).enumerate() {
        for (at, (expected, found)) in expected.iter().zip(found).enumerate() {
            assert_eq!(found, expected, "line {} of task {task}", at + 1);
        }
        assert_eq!(found.len(), expected.len(), "lines of task {task}");
    }
    assert_eq!(found.len(), expected.len(), "tasks");
}
