//! The same commands under this tracer and under strace 6.1: the output must be the same,
//! but for what differs between any two runs.

mod normal;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const TRACE: &str = env!("CARGO_BIN_EXE_trace");

/// The program that makes a call of every kind.
fn zoo() -> String {
    let target = Path::new(TRACE).parent().unwrap();
    target.join("examples/zoo").display().to_string()
}

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
    let zoo = zoo();
    same("zoo", &[&zoo]);
    same("zoo", &["-s", "7", &zoo]);
}

#[test]
fn structures_are_printed_in_full() {
    same("full", &["-v", "busybox", "ls", "-l", "dir"]);
    same("full", &["-v", "/bin/ls", "-l", "dir"]);
    same("full", &["-v", "busybox", "uname", "-a"]);
    same(
        "full",
        &["-e", "abbrev=none", "busybox", "stat", "/bin/busybox"],
    );
    same(
        "full",
        &[
            "-v",
            "-f",
            "-e",
            "trace=wait4,execve",
            "busybox",
            "time",
            "true",
        ],
    );
    let zoo = zoo();
    same("full", &["-v", &zoo]);
}

#[test]
fn descriptors_are_followed_by_their_paths() {
    for flag in ["-y", "-yy", "--decode-fds"] {
        same("paths", &[flag, "busybox", "cat", "dir/one", "/dev/null"]);
        same(
            "paths",
            &[
                flag,
                "-f",
                "busybox",
                "sh",
                "-c",
                "cd dir; echo a | cat >x; rm x; cat <two",
            ],
        );
    }
    same("paths", &["-y", "-e", "trace=%desc", &zoo()]);
    same(
        "paths",
        &[
            "-e",
            "decode-fds=dev",
            "busybox",
            "cat",
            "dir/one",
            "/dev/null",
        ],
    );
}

#[test]
fn strings_are_printed_in_hexadecimal() {
    for flag in ["-x", "-xx"] {
        for text in ["plain", "a\\nb\\tc", "a\\001b", "\u{e9}"] {
            same("hex", &[flag, "busybox", "printf", text]);
        }
        same("hex", &[flag, "busybox", "uname"]);
    }
}

#[test]
fn lines_have_their_columns() {
    same(
        "columns",
        &["-n", "busybox", "sh", "-c", "kill -USR1 $$; :"],
    );
    same("columns", &["-i", "-n", "busybox", "true"]);
    for column in ["0", "10", "60"] {
        same("columns", &["-a", column, "busybox", "true"]);
    }
}

#[test]
fn calls_are_chosen_by_their_outcome() {
    let script = "busybox ls none; busybox true; exit 3";
    for options in [
        &["-z"][..],
        &["-Z"],
        &["-e", "status=unfinished"],
        &["-e", "status=!failed"],
        &["-z", "-Z"],
    ] {
        let command = ["-f", "busybox", "sh", "-c", script];
        same("outcome", &[options, &command[..]].concat());
    }
}

#[test]
fn arguments_may_stay_raw() {
    same(
        "raw",
        &["-e", "raw=openat,execve,read", "busybox", "cat", "dir/one"],
    );
}

#[test]
fn signals_are_chosen() {
    let script = "trap 'echo caught' USR1 USR2; kill -USR1 $$; kill -USR2 $$; exit 1";
    for set in ["none", "!USR1", "SIGUSR2", "10"] {
        let set = format!("signal={set}");
        same("signals", &["-e", &set, "busybox", "sh", "-c", script]);
    }
}

#[test]
fn calls_are_chosen_by_their_path() {
    for options in [
        &["-P", "dir/one"][..],
        &["-P", "dir/one", "-P", "none"],
        &["-e", "trace=read", "-P", "dir/one"],
    ] {
        let command = ["busybox", "cat", "dir/one", "dir/two", "none"];
        same("path", &[options, &command[..]].concat());
    }
}

#[test]
fn the_program_gets_its_environment_and_its_user() {
    same(
        "environment",
        &["-E", "A=1", "-E", "PATH", "-E", "B", "/bin/busybox", "env"],
    );
    same("environment", &["-E", "PATH=/bin", "/bin/busybox", "env"]);
    same("environment", &["-u", "nobody", "busybox", "id"]);
}

#[test]
fn less_is_said() {
    for quiet in ["-q", "-qq", "-qqq"] {
        same(
            "quiet",
            &[quiet, "-f", "busybox", "sh", "-c", "busybox true; exit 3"],
        );
    }
    same("quiet", &["-e", "quiet=exit", "busybox", "true"]);
}

#[test]
fn calls_are_tampered_with() {
    for injection in [
        "inject=openat:error=ENOENT",
        "inject=read:error=EIO:when=2",
        "inject=read:retval=0",
        "inject=getuid:retval=0x7fff",
        "inject=write:error=5",
        "inject=openat,read:error=EACCES:when=1+2",
        "inject=uname:delay_enter=1000",
        "inject=uname:delay_exit=1ms",
        "inject=getuid:signal=USR1",
        "inject=openat:signal=SIGTERM",
        "inject=getpid:syscall=getuid:retval=9",
        "inject=uname:poke_exit=@arg1=41004200",
        "fault=openat",
        "fault=openat:error=EMFILE:when=1",
    ] {
        same("inject", &["-e", injection, "busybox", "cat", "dir/one"]);
        same("inject", &["-e", injection, "busybox", "id", "-u"]);
        same("inject", &["-e", injection, "busybox", "uname", "-n"]);
    }
}

#[test]
fn an_injection_counts_for_each_task() {
    let script = "busybox cat dir/one; busybox cat dir/one; cat dir/one";
    same(
        "inject_tasks",
        &[
            "-f",
            "-e",
            "inject=openat:error=EPERM:when=1",
            "busybox",
            "sh",
            "-c",
            script,
        ],
    );
}

#[test]
fn an_execve_ends_the_trace_of_a_process() {
    same(
        "detach",
        &[
            "-f",
            "-b",
            "execve",
            "busybox",
            "sh",
            "-c",
            "busybox true; busybox ls dir; exit 2",
        ],
    );
}

#[test]
fn each_process_has_its_own_file() {
    let files = |tracer: &str, mark: &str| {
        let directory = directory("separate");
        let log = directory.join("log");
        let script = "echo one; (exit 3); busybox ls dir; :";
        let output = Command::new(tracer)
            .args(["-ff", "-o"])
            .arg(&log)
            .args(["busybox", "sh", "-c", script])
            .current_dir(&directory)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.stderr, b"", "{mark}");
        let mut found: Vec<(u32, Vec<Vec<String>>)> = std::fs::read_dir(&directory)
            .unwrap()
            .filter_map(|entry| {
                let path = entry.unwrap().path();
                let pid = path.extension()?.to_str()?.parse().ok()?;
                Some((pid, normal::tasks(&std::fs::read_to_string(&path).unwrap())))
            })
            .collect();
        found.sort();
        found
            .into_iter()
            .map(|(_, lines)| lines)
            .collect::<Vec<_>>()
    };
    let (found, expected) = (files(TRACE, "trace"), files("strace", "strace"));
    assert_eq!(found.len(), 3);
    assert_eq!(found, expected);
}

#[test]
fn the_trace_may_go_into_a_command_or_behind_what_is_there() {
    let directory = directory("pipe");
    let run = |tracer: &str, options: &[&str]| {
        let status = Command::new(tracer)
            .args(options)
            .args(["-e", "trace=execve", "busybox", "true"])
            .current_dir(&directory)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .status()
            .unwrap();
        assert!(status.success());
        let text = std::fs::read_to_string(directory.join("out")).unwrap();
        normal::tasks(&text)
    };
    for options in [
        &["-o", "|cat >out"][..],
        &["-o", "!cat >>out"],
        &["-A", "-o", "out"],
        &["-o", "out"],
    ] {
        let twice = |tracer| {
            let _ = std::fs::remove_file(directory.join("out"));
            (run(tracer, options), run(tracer, options))
        };
        assert_eq!(twice(TRACE), twice("strace"), "{options:?}");
    }
}

/// Every digit of a time is the same digit.
fn timeless(text: &str) -> Vec<String> {
    let digits = regex::Regex::new(r"[0-9a-f]").unwrap();
    let times = regex::Regex::new(r"^[ \d:.+()]+|\[0[0-9a-f]{15}\]|<[\d.]+>$").unwrap();
    let line = |line: &str| {
        let plain = |found: &regex::Captures| digits.replace_all(&found[0], "9").into_owned();
        times.replace_all(line, plain).into_owned() + "\n"
    };
    let text: String = text.lines().map(line).collect();
    normal::tasks(&text).concat()
}

#[test]
fn times_have_the_same_form() {
    for options in [
        &["-t"][..],
        &["-tt"],
        &["-ttt"],
        &["-r"],
        &["-T"],
        &["-r", "-tt", "-T", "-i", "-n"],
    ] {
        let lines = |tracer| {
            let arguments = [
                options,
                &["-e", "trace=execve,exit_group", "busybox", "true"],
            ]
            .concat();
            timeless(&run(tracer, &directory("times"), &arguments).lines)
        };
        assert_eq!(lines(TRACE), lines("strace"), "{options:?}");
    }
}

/// The clock of `-t` is the local one.
#[test]
fn times_are_those_of_the_time_zone() {
    let hours = |tracer: &str| {
        let output = Command::new(tracer)
            .args(["-t", "-e", "trace=execve", "busybox", "true"])
            .env("TZ", "Asia/Kathmandu")
            .output()
            .unwrap();
        String::from_utf8(output.stderr).unwrap()[..2].to_owned()
    };
    let before = hours("strace");
    let found = hours(TRACE);
    assert!(found == before || found == hours("strace"));
}

#[test]
fn usage_errors_are_status_1() {
    for arguments in [
        &[][..],
        &["-e", "trace=nocall", "true"],
        &["-e", "signal=FOO", "true"],
        &["-e", "inject=read", "true"],
        &["-c", "-ff", "true"],
        &["-u", "nobody-like-this", "true"],
        &["-p", "x"],
        &["--no-such-option"],
        &["no-such-program"],
        &["-o", "/no/such/folder/file", "true"],
    ] {
        let run = |tracer| Command::new(tracer).args(arguments).output().unwrap();
        let (found, expected) = (run(TRACE), run("strace"));
        assert_eq!(found.status, expected.status, "{arguments:?}");
        assert!(found.stdout.is_empty() && !found.stderr.is_empty());
    }
    for option in ["--help", "-h", "--version", "-V"] {
        let output = Command::new(TRACE).arg(option).output().unwrap();
        assert!(
            output.status.success() && !output.stdout.is_empty(),
            "{option}"
        );
    }
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
