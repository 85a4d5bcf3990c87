//! The files of a trace on Linux, and the line that shows how far it has come.

use std::path::PathBuf;
use std::process::{Command, Output};

use trace::record::{self, Record, What};
use trace::tasks::tasks;
use trace::{html, timeline};

const TRACE: &str = env!("CARGO_BIN_EXE_trace");

fn directory(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn run(directory: &PathBuf, arguments: &[&str]) -> Output {
    Command::new(TRACE)
        .args(arguments)
        .current_dir(directory)
        .output()
        .unwrap()
}

fn records(text: &str) -> Vec<Record> {
    record::read(text).unwrap()
}

#[test]
fn every_output_is_made_of_the_same_records() {
    let directory = directory("every_output");
    let read = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap();
    let options = [
        "-f",
        "-o",
        "text",
        "--json=records",
        "--timeline",
        "timeline",
        "--html",
        "page",
    ];
    let script = "busybox true; kill -USR1 $$";
    let command = [&options[..], &["busybox", "sh", "-c", script]].concat();
    let output = run(&directory, &command);
    assert_eq!(output.stderr, b"");
    assert_eq!(output.status.to_string(), "signal: 10 (SIGUSR1)");
    let records = records(&read("records"));
    assert_eq!(read("timeline"), timeline::timeline(&records));
    assert_eq!(read("page"), html::page(&records));
    assert!(read("text").contains("+++ killed by SIGUSR1 +++"));
    let output = run(&directory, &["--from", "records", "--timeline", "again"]);
    assert!(output.status.success());
    assert_eq!(read("again"), read("timeline"));
}

#[test]
fn records_say_what_happened() {
    let directory = directory("records");
    let script = "busybox true; kill -USR1 $$";
    let output = run(
        &directory,
        &["-f", "--json", "-o", "log", "busybox", "sh", "-c", script],
    );
    assert_eq!(output.stderr, b"");
    let records = records(&std::fs::read_to_string(directory.join("log")).unwrap());
    let What::Trace { version, command } = &records[0].what else {
        panic!("the first record is {:?}", records[0]);
    };
    assert_eq!((*version, command.len()), (1, 4));
    let shell = records[0].tid;
    let child = records.iter().find_map(|record| match &record.what {
        What::Fork {
            child,
            child_pid,
            call,
        } => {
            assert_eq!((child, record.tid), (child_pid, shell));
            assert!(call.is_some());
            Some(*child)
        }
        _ => None,
    });
    let of_child: Vec<&What> = records
        .iter()
        .filter(|record| Some(record.tid) == child)
        .map(|record| &record.what)
        .collect();
    assert!(of_child.iter().any(|what| matches!(what,
        What::Exec { name: Some(name), .. } if name == "busybox")));
    assert!(matches!(
        of_child.last(),
        Some(What::Exit {
            status: Some(0),
            ..
        })
    ));
    let Some(What::Exit {
        signal: Some(signal),
        status: None,
        ..
    }) = records.last().map(|it| &it.what)
    else {
        panic!("the last record is {:?}", records.last());
    };
    assert_eq!(signal, "SIGUSR1");
}

#[test]
fn threads_belong_to_their_process() {
    let directory = directory("threads");
    let program = "import threading; t = threading.Thread(target=print); t.start(); t.join()";
    run(
        &directory,
        &["-f", "--json=log", "/usr/bin/python3", "-c", program],
    );
    let records = records(&std::fs::read_to_string(directory.join("log")).unwrap());
    let tasks = tasks(&records);
    assert_eq!(tasks.len(), 2);
    assert_eq!(tasks[0].pid, tasks[1].pid);
    assert_ne!(tasks[0].tid, tasks[1].tid);
}

#[test]
fn arguments_are_apart() {
    let directory = directory("arguments");
    run(
        &directory,
        &[
            "--json=log",
            "-e",
            "trace=futex,clone,wait4,openat,exit_group",
            "-f",
            "busybox",
            "sh",
            "-c",
            "(exit 3); exit 2",
        ],
    );
    let records = records(&std::fs::read_to_string(directory.join("log")).unwrap());
    let of = |name: &str| {
        records
            .iter()
            .find_map(|record| match &record.what {
                What::Call(call) if call.call == name => Some(call.clone()),
                _ => None,
            })
            .unwrap()
    };
    let clone = of("clone");
    assert_eq!(
        clone.args[..2],
        [
            "child_stack=NULL",
            "flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD"
        ]
    );
    assert!(clone.args[2].starts_with("child_tidptr=0x"));
    assert!(clone.ret > Some(0));
    let wait = of("wait4");
    assert_eq!(
        wait.args,
        ["-1", "[{WIFEXITED(s) && WEXITSTATUS(s) == 3}]", "0", "NULL"]
    );
    let exit = of("exit_group");
    assert_eq!(
        (exit.args, exit.ret, exit.result),
        (vec!["3".to_owned()], None, "?".to_owned())
    );
}

/// Runs a command on a terminal and returns everything that is written there.
fn on_a_terminal(directory: &PathBuf, command: &str) -> String {
    let output = Command::new("script")
        .args(["-q", "-e", "-c", command, "/dev/null"])
        .current_dir(directory)
        .output()
        .expect("script is a part of every Debian");
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_long_trace_shows_its_progress_on_a_terminal_only() {
    let directory = directory("progress");
    let shown = regex::Regex::new(r"\x1b\[Ktrace: [\d,]+ events, [\d,]+/s, 0:0\d").unwrap();
    let command = |options: &str| format!("{TRACE} {options} busybox sleep 1.7");
    for options in ["-o log", "--html page", "-o log --json=records", "-c"] {
        let said = on_a_terminal(&directory, &command(options));
        assert!(shown.is_match(&said), "{options}: {said:?}");
        // It does not stay.
        let rest = said.rsplit("\x1b[K").next().unwrap();
        assert!(!rest.contains(" events, "), "{options}: {said:?}");
    }
    // Where the trace itself goes there, it would only be in the way.
    let said = on_a_terminal(&directory, &command(""));
    assert!(!said.contains(" events, "), "{said:?}");
    let output = run(&directory, &["-o", "log", "busybox", "sleep", "1.7"]);
    assert_eq!(output.stderr, b"");
}
