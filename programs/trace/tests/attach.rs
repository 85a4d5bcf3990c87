//! Tracing processes that run already, and letting go of them.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

use libtrace::{Pid, spawn};

const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// A program that waits for input, and certainly does.
fn bystander() -> Child {
    let mut child = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    echo(&mut child);
    child
}

/// The bystander still does its work.
fn echo(child: &mut Child) {
    child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
}

fn end(mut child: Child) -> ExitStatus {
    drop(child.stdin.take());
    child.wait().unwrap()
}

/// A tracer of the bystander that has attached, and its standard error.
fn tracer_of(child: &Child) -> (Child, BufReader<ChildStderr>) {
    let mut tracer = Command::new(env!("CARGO_BIN_EXE_trace"))
        .args(["-p", &child.id().to_string()])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tracer.stderr.take().unwrap());
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    assert_eq!(first, format!("trace: Process {} attached\n", child.id()));
    (tracer, lines)
}

#[test]
fn a_running_process_is_traced_to_its_end() {
    let mut child = bystander();
    let (mut tracer, mut lines) = tracer_of(&child);
    echo(&mut child);
    assert!(end(child).success());
    assert!(tracer.wait().unwrap().success());
    let mut text = String::new();
    lines.read_to_string(&mut text).unwrap();
    assert!(
        text.contains("write(1, \"x\", 1)                        = 1\n"),
        "{text}"
    );
    assert!(
        text.contains("\nexit_group(0)                           = ?\n"),
        "{text}"
    );
    assert!(text.ends_with("+++ exited with 0 +++\n"), "{text}");
}

#[test]
fn an_interrupted_tracer_lets_go() {
    let mut child = bystander();
    let (mut tracer, mut lines) = tracer_of(&child);
    echo(&mut child);
    // The line of the read that blocks now has been written before the interrupt.
    let mut text = Vec::new();
    lines.read_until(b'x', &mut text).unwrap();
    spawn::send_signal(tracer.id() as Pid, SIGINT).unwrap();
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert!(
        rest.contains(&format!("trace: Process {} detached\n", child.id())),
        "{rest}"
    );
    assert_eq!(tracer.wait().unwrap().to_string(), "signal: 2 (SIGINT)");
    echo(&mut child);
    assert!(end(child).success());
}

#[test]
fn an_interrupted_tracer_ends_the_program_it_started() {
    let mut tracer = Command::new(env!("CARGO_BIN_EXE_trace"))
        .args(["cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    echo(&mut tracer);
    // Waiting for a child closes its input, which would end the program by itself.
    let input = tracer.stdin.take();
    spawn::send_signal(tracer.id() as Pid, SIGTERM).unwrap();
    assert_eq!(tracer.wait().unwrap().to_string(), "signal: 15 (SIGTERM)");
    // Nobody holds the other end any more.
    let mut rest = Vec::new();
    tracer
        .stdout
        .take()
        .unwrap()
        .read_to_end(&mut rest)
        .unwrap();
    assert_eq!(rest, b"");
    drop(input);
}

#[test]
fn a_process_that_does_not_exist_is_an_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_trace"))
        .args(["-p", "1073741824"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        text,
        "trace: attach: ptrace(PTRACE_ATTACH, 1073741824): No such process\n"
    );
}

#[test]
fn a_program_that_does_not_exist_is_an_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_trace"))
        .arg("no-such-program")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        text,
        "trace: Can't stat 'no-such-program': No such file or directory\n"
    );
}
