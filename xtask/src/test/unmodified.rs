//! Debian's own strace and gdb in the machine, as they are.

use super::machine::{Case, case};

/// Every case.
pub fn cases() -> Vec<Case> {
    vec![
        Case {
            options: &["--libs", "--file", "/usr/bin/strace"],
            stdout: b"3\n3\n3\nexit_group(3)                     = ?\n".to_vec(),
            ..case(
                "debians_strace_follows_a_pipeline",
                &[
                    "sh",
                    "-c",
                    "strace -f -o /tmp/o sh -c 'cat /etc/passwd | wc -c >/dev/null; exit 3'; echo $?; \
                     grep -c 'execve[( ].* = 0' /tmp/o; grep -c '+++ exited' /tmp/o; grep -o 'exit_group(3).*' /tmp/o",
                ],
            )
        },
        Case {
            options: &["--libs", "--file", "/usr/bin/strace"],
            stderr: &["Process 2 attached", "+++ exited with 4 +++"],
            status: 4,
            ..case(
                "debians_strace_attaches",
                &["sh", "-c", "(sleep 1; exit 4) & strace -p $!; wait $!"],
            )
        },
        Case {
            programs: &["functions"],
            options: &[
                "--libs",
                "--file",
                "/usr/bin/gdb",
                "--file",
                "/usr/share/gdb",
                "--file",
                "/usr/lib/python3.11",
                "--file",
                "{dir}/functions:/bin/functions",
            ],
            stdout: b"#0 five_times #1 main\nexited with code 06\n".to_vec(),
            ..case(
                "debians_gdb_stops_at_a_breakpoint",
                &[
                    "sh",
                    "-c",
                    "gdb -q -nx -batch -ex 'break five_times' -ex run -ex bt -ex 'delete' -ex continue /bin/functions >/tmp/o 2>/dev/null; \
                     echo $(sed -n 's/^\\(#[01]\\) .* in \\([a-z_]*\\) ().*/\\1 \\2/p' /tmp/o); grep -o 'exited with code 06' /tmp/o",
                ],
            )
        },
    ]
}
