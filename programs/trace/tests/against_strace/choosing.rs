//! What is traced, and what is shown of it.

use crate::support::same;

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
fn less_is_said() {
    for quiet in ["-q", "-qq", "-qqq"] {
        same(
            "quiet",
            &[quiet, "-f", "busybox", "sh", "-c", "busybox true; exit 3"],
        );
    }
    same("quiet", &["-e", "quiet=exit", "busybox", "true"]);
}
