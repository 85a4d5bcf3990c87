//! The tracing tool's options in the machine.

use super::machine::{Case, case};

/// Attaches to a shell that is running, lets it go on only when something has been traced, and shows how it ended.
const ATTACH: &str = "(until [ -e /tmp/go ]; do sleep 0.01; done; exit 5) & p=$!
trace -o /tmp/t -p $p & t=$!
until [ -s /tmp/t ]; do sleep 0.01; done
touch /tmp/go; wait $p; echo $?; wait $t; echo $?; tail -n 2 /tmp/t";

/// The tool's options.
pub fn cases() -> Vec<Case> {
    let passwd = b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n";
    vec![
        Case {
            subcommand: "trace",
            options: &["-c"],
            stdout: passwd.to_vec(),
            stderr: &[
                "% time     seconds  usecs/call     calls    errors syscall\n------ ----------- ----------- --------- --------- ----------------\n",
                "         1           execve\n",
                "         2           sendfile\n",
                "         1         1 rseq\n",
                "        20         1 total\n",
            ],
            ..case("trace_counts", &["/bin/busybox", "cat", "/etc/passwd"])
        },
        Case {
            subcommand: "trace",
            options: &["-e", "trace=openat,read"],
            stdout: b"71 /etc/passwd\n".to_vec(),
            // Nothing else is traced between these.
            stderr: &["openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY) = 3\n\
                 read(3, \"root:x:0:0:root:/root:/bin/sh\\nno\"..., 4096) = 71\n\
                 read(3, \"\", 4096)                       = 0\n\
                 +++ exited with 0 +++\n"],
            ..case(
                "trace_filters",
                &["/bin/busybox", "wc", "-c", "/etc/passwd"],
            )
        },
        Case {
            subcommand: "trace",
            options: &["-s", "5", "-e", "trace=write"],
            stdout: b"123456".to_vec(),
            stderr: &["write(1, \"12345\"..., 6)"],
            ..case(
                "trace_limits_strings",
                &["/bin/busybox", "printf", "123456"],
            )
        },
        Case {
            subcommand: "trace",
            options: &["-y", "-T", "-e", "trace=openat,read"],
            stdout: b"71 /etc/passwd\n".to_vec(),
            stderr: &[
                "openat(AT_FDCWD</>, \"/etc/passwd\", O_RDONLY) = 3</etc/passwd> <0.",
                "read(3</etc/passwd>, \"root:x:0:0:root:/root:/bin/sh\\nno\"..., 4096) = 71 <0.",
            ],
            ..case(
                "trace_shows_what_is_behind_descriptors",
                &["/bin/busybox", "wc", "-c", "/etc/passwd"],
            )
        },
        Case {
            subcommand: "trace",
            options: &["-P", "/etc/passwd", "-z"],
            stdout: passwd.to_vec(),
            status: 1,
            stderr: &["openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY) = 3\n\
                 sendfile(1, 3, NULL, 16777216)          = 71\n\
                 sendfile(1, 3, NULL, 16777216)          = 0\n\
                 close(3)                                = 0\n"],
            ..case(
                "trace_follows_a_path",
                &["/bin/busybox", "cat", "/etc/passwd", "/none"],
            )
        },
        Case {
            subcommand: "trace",
            options: &[
                "-e",
                "trace=openat",
                "-e",
                "fault=openat:error=EMFILE:when=2",
            ],
            stdout: passwd.to_vec(),
            status: 1,
            stderr: &[
                "openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY) = -1 EMFILE (Too many open files) (INJECTED)\n",
                "cat: can't open '/etc/passwd': Too many open files\n",
            ],
            ..case(
                "trace_makes_calls_fail",
                &["/bin/busybox", "cat", "/etc/passwd", "/etc/passwd"],
            )
        },
        Case {
            subcommand: "trace",
            options: &["-e", "inject=uname:signal=TERM:delay_enter=1ms"],
            status: 128 + 15,
            stderr: &[
                "--- SIGTERM {si_signo=SIGTERM",
                "+++ killed by SIGTERM +++\n",
            ],
            ..case("trace_sends_signals", &["/bin/busybox", "uname"])
        },
        Case {
            subcommand: "trace",
            options: &[
                "-u",
                "nobody",
                "-E",
                "HOME",
                "-E",
                "A=b c",
                "-e",
                "trace=none",
                "-qq",
            ],
            stdout: b"65534 b c .\n".to_vec(),
            ..case(
                "trace_starts_a_program_as_somebody_else",
                &["/bin/busybox", "sh", "-c", "echo $(id -u) $A $HOME."],
            )
        },
        Case {
            stdout: b"3\nexit_group(3)                           = ?\n+++ exited with 3 +++\n"
                .to_vec(),
            ..case(
                "trace_writes_to_a_file",
                &[
                    "sh",
                    "-c",
                    "trace -o /tmp/x -e trace=exit_group sh -c 'exit 3'; echo $?; cat /tmp/x",
                ],
            )
        },
        Case {
            stdout: b"5\n0\nexit_group(5)                           = ?\n+++ exited with 5 +++\n"
                .to_vec(),
            stderr: &["trace: Process 2 attached\n"],
            ..case("trace_attaches_to_what_runs", &["sh", "-c", ATTACH])
        },
    ]
}
