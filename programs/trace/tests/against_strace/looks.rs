//! How lines look.

use std::process::Command;

use crate::normal;
use crate::support::{TRACE, directory, run, same, zoo};

#[test]
fn strings_end_at_the_limit() {
    for limit in ["0", "5", "1000"] {
        same("limit", &["-s", limit, "busybox", "cat", "dir/two"]);
    }
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
fn data_is_dumped() {
    for set in ["read=3", "read=all", "read=!3", "write=1", "write=none"] {
        let command = ["-e", set, "busybox", "wc", "dir/two"];
        same("dump", &command);
    }
    same("dump", &["-e", "write=all", "-e", "read=!3", &zoo()]);
}
