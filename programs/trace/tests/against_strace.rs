//! The same commands under this tracer and under strace 6.1: the output must be the same,
//! but for what differs between any two runs.

mod normal;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const TRACE: &str = env!("CARGO_BIN_EXE_trace");

/// What one tracer made of a command.
struct Run {
    output: Output,
    lines: String,
}

/// A directory of its own for a test, with two files in it.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(path.join("dir")).unwrap();
    std::fs::write(path.join("dir/one"), "the first file\n").unwrap();
    std::fs::write(path.join("dir/two"), "the second file\n".repeat(100)).unwrap();
    path
}

fn run(tracer: &str, directory: &Path, arguments: &[&str]) -> Run {
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
fn same(name: &str, arguments: &[&str]) {
    let busybox = Path::new("/bin/busybox");
    assert!(
        busybox.exists(),
        "busybox is needed for these tests: apt-get install busybox-static"
    );
    let expected = run("strace", &directory(name), arguments);
    let found = run(TRACE, &directory(name), arguments);
    assert_eq!(found.output.stdout, expected.output.stdout);
    assert_eq!(found.output.status, expected.output.status);
    let (expected, found) = (normal::tasks(&expected.lines), normal::tasks(&found.lines));
    for (task, (expected, found)) in expected.iter().zip(&found).enumerate() {
        for (at, (expected, found)) in expected.iter().zip(found).enumerate() {
            assert_eq!(found, expected, "line {} of task {task}", at + 1);
        }
        assert_eq!(found.len(), expected.len(), "lines of task {task}");
    }
    assert_eq!(found.len(), expected.len(), "tasks");
}

#[test]
fn ls_lists_a_directory() {
    same("ls", &["busybox", "ls", "dir"]);
    same("ls", &["busybox", "ls", "-l", "dir"]);
}

#[test]
fn ls_of_nothing_fails() {
    same("ls_nothing", &["busybox", "ls", "none"]);
}

#[test]
fn cat_reads_files() {
    same("cat", &["busybox", "cat", "dir/one", "dir/two"]);
}

#[test]
fn a_pipeline_makes_processes() {
    let script = "for i in 1 2 3; do echo $i; done | sort -r | head -2; exit 7";
    same("pipeline", &["-f", "busybox", "sh", "-c", script]);
}

#[test]
fn only_the_program_itself_is_traced_without_f() {
    same(
        "children",
        &["busybox", "sh", "-c", "(exit 3); busybox true; exit 2"],
    );
}

#[test]
fn a_signal_kills() {
    same("killed", &["busybox", "sh", "-c", "kill -USR1 $$"]);
}

#[test]
fn a_handler_runs_and_returns() {
    same(
        "handler",
        &[
            "busybox",
            "sh",
            "-c",
            "trap 'echo caught' USR1; kill -USR1 $$; exit 1",
        ],
    );
}

#[test]
fn vfork_and_exec_are_followed() {
    same(
        "vfork",
        &[
            "-f",
            "busybox",
            "sh",
            "-c",
            "echo a b | busybox xargs -n 1 /bin/echo",
        ],
    );
    same(
        "vfork",
        &[
            "-f",
            "busybox",
            "find",
            "dir",
            "-exec",
            "/bin/echo",
            "{}",
            ";",
        ],
    );
}

#[test]
fn files_are_made_and_removed() {
    let script = "cd dir; mkdir new; mv one new; ln -s new/one link; cat link; chmod 600 link; \
                  touch x; rm -r new link x; df . >/dev/null; stat two >/dev/null";
    same("files", &["-f", "busybox", "sh", "-c", script]);
}

#[test]
fn dynamic_programs_load_their_libraries() {
    same("dynamic", &["/bin/cat", "dir/one"]);
    same("dynamic", &["/bin/ls", "dir"]);
}

#[test]
fn filters_choose_the_same_calls() {
    for set in [
        "%file",
        "%desc",
        "%memory",
        "%process",
        "%signal",
        "%network",
        "!brk,mmap",
    ] {
        let expression = format!("trace={set}");
        same(
            "filter",
            &[
                "-f",
                "-e",
                &expression,
                "busybox",
                "sh",
                "-c",
                "busybox cat dir/one",
            ],
        );
    }
}

#[test]
fn strings_end_at_the_limit() {
    for limit in ["0", "5", "1000"] {
        same("limit", &["-s", limit, "busybox", "cat", "dir/two"]);
    }
}

#[test]
fn a_program_that_cannot_be_executed_is_shown() {
    same("cannot_execute", &["./dir/one"]);
}

/// One of every kind of call.
#[test]
fn every_kind_of_call_is_printed_alike() {
    let target = Path::new(TRACE).parent().unwrap();
    let zoo = target.join("examples/zoo");
    let zoo = zoo.to_str().unwrap();
    same("zoo", &[zoo]);
    same("zoo", &["-s", "7", zoo]);
}

/// Times differ between runs, so only the numbers of calls and errors are compared.
#[test]
fn calls_are_counted() {
    let counts = |tracer| {
        let run = run(
            tracer,
            &directory("count"),
            &["-c", "-f", "busybox", "ls", "none"],
        );
        let mut rows: Vec<String> = run
            .lines
            .lines()
            .map(|line| line[33..].to_owned())
            .collect();
        rows.sort();
        rows
    };
    assert_eq!(counts(TRACE), counts("strace"));
}
