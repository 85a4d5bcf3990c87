//! Where the trace goes, and what is counted.

use std::process::{Command, Stdio};

use crate::normal;
use crate::support::{TRACE, directory, run};

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

/// Where the order does not depend on times, it is the same.
#[test]
fn counts_are_sorted() {
    for order in ["name", "calls", "errors"] {
        let rows = |tracer| {
            let command = ["-C", "-w", "-f", "-S", order, "busybox", "ls", "none"];
            let run = run(tracer, &directory("sorted"), &command);
            let table = run
                .lines
                .lines()
                .skip_while(|line| !line.starts_with("% time"));
            let rows = table.map(|line| line[33..].to_owned());
            // Among equals it is anybody's choice.
            match order {
                "name" => rows.collect::<Vec<_>>(),
                _ => rows.map(|row| row[..20].to_owned()).collect(),
            }
        };
        assert_eq!(rows(TRACE), rows("strace"), "{order}");
    }
}
