//! What programs do is told in the same words.

use crate::support::{same, zoo};

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
