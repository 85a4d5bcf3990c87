//! Debian's own tools, and what its compilers make, in the machine as they are.

mod filter;
mod programs;
mod scripts;
mod serial;

use anyhow::Result;

use super::Tally;
use super::machine::{Case, case};

/// Runs the scripts and the sessions on the serial line.
pub fn test(filter: Option<&str>, name: Option<&str>) -> Result<Tally> {
    let mut tally = scripts::test(filter, name)?;
    tally.add(serial::test(filter, name)?);
    Ok(tally)
}

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
