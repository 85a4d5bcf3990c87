//! How programs are started and let go.

use std::process::Command;

use crate::support::{TRACE, same};

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
fn an_execve_ends_the_trace_of_a_process() {
    same(
        "detach",
        &[
            "-f",
            "-b",
            "execve",
            // Nothing else, or a line might come between the halves of another.
            "-e",
            "trace=execve",
            "-e",
            "signal=none",
            "-qq",
            "busybox",
            "sh",
            "-c",
            "busybox true; busybox ls dir; exit 2",
        ],
    );
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
