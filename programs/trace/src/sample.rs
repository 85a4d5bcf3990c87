//! A small trace for the tests: a shell that forks a program, makes a thread and is killed.

use crate::record::{Call, Record, VERSION, What};

fn record(time: u64, pid: i32, tid: i32, what: What) -> Record {
    Record {
        time,
        pid,
        tid,
        what,
    }
}

fn call(name: &str, number: u64, args: &[&str], result: &str, duration: u64) -> Call {
    Call {
        call: name.to_owned(),
        number,
        args: args.iter().map(|arg| (*arg).to_owned()).collect(),
        ret: result.parse().ok(),
        errno: None,
        result: result.to_owned(),
        duration,
        injected: false,
    }
}

/// One of every record.
pub fn pipeline() -> Vec<Record> {
    let child = |call: &str, child, child_pid| What::Fork {
        call: Some(call.to_owned()),
        child,
        child_pid,
    };
    let failed = Call {
        ret: Some(-1),
        errno: Some("ENOENT".to_owned()),
        ..call(
            "openat",
            257,
            &["AT_FDCWD", "\"/no \\\"such\\\" </script>\"", "O_RDONLY"],
            "-1 ENOENT (No such file or directory)",
            1_250,
        )
    };
    let injected = Call {
        injected: true,
        ..call("getuid", 102, &[], "7", 900)
    };
    vec![
        record(
            0,
            2,
            2,
            What::Trace {
                version: VERSION,
                command: vec!["/bin/busybox".to_owned(), "sh".to_owned()],
            },
        ),
        record(
            1_000,
            2,
            2,
            What::Exec {
                path: Some("/bin/busybox".to_owned()),
                name: Some("-sh".to_owned()),
                former: None,
            },
        ),
        record(
            500,
            2,
            2,
            What::Call(call(
                "execve",
                59,
                &[
                    "\"/bin/busybox\"",
                    "[\"busybox\", \"sh\"]",
                    "0x7ffe /* 4 vars */",
                ],
                "0",
                4_000,
            )),
        ),
        record(6_000, 2, 2, What::Call(failed)),
        record(9_000, 2, 2, child("clone", 3, 3)),
        record(
            8_000,
            2,
            2,
            What::Call(call(
                "clone",
                56,
                &["child_stack=NULL", "flags=SIGCHLD"],
                "3",
                2_500,
            )),
        ),
        record(
            11_500,
            3,
            3,
            What::Exec {
                path: Some("/proc/self/exe".to_owned()),
                name: Some("/bin/sort".to_owned()),
                former: None,
            },
        ),
        record(
            11_000,
            3,
            3,
            What::Call(call(
                "execve",
                59,
                &["\"/bin/sort\"", "[\"sort\"]", "0x5 /* 4 vars */"],
                "0",
                1_000,
            )),
        ),
        record(12_100, 2, 2, child("clone3", 4, 2)),
        record(
            12_000,
            2,
            2,
            What::Call(call(
                "clone3",
                435,
                &["{flags=CLONE_VM|CLONE_THREAD}", "88"],
                "4",
                800,
            )),
        ),
        record(13_000, 2, 4, What::Call(injected)),
        record(
            14_000,
            3,
            3,
            What::Call(Call {
                ret: None,
                ..call("exit_group", 231, &["0"], "?", 300)
            }),
        ),
        record(
            14_300,
            3,
            3,
            What::Exit {
                status: Some(0),
                signal: None,
                core: false,
            },
        ),
        record(
            14_900,
            2,
            2,
            What::Signal {
                signal: "SIGCHLD".to_owned(),
                info: "{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=3}".to_owned(),
            },
        ),
        record(
            15_000,
            2,
            2,
            What::Stop {
                signal: "SIGTSTP".to_owned(),
            },
        ),
        record(16_000, 2, 4, What::Detach),
        record(
            13_500,
            2,
            2,
            What::Call(Call {
                ret: None,
                ..call("wait4", 61, &["-1", "0x7ffc", "0", "NULL"], "?", 3_500)
            }),
        ),
        record(
            17_000,
            2,
            2,
            What::Exit {
                status: None,
                signal: Some("SIGSEGV".to_owned()),
                core: true,
            },
        ),
    ]
}
