//! Tracers that are written as for Redox.

use super::machine::{Case, case};

/// Every case.
pub fn cases() -> Vec<Case> {
    vec![
        Case {
            programs: &["redox_child"],
            options: &["--file", "{dir}/redox_child:/bin/redox_child"],
            stdout: b"steps\nmemory\nfloats\na child\na traced child\nsignals\na breakpoint\na skipped call\nthe end\n".to_vec(),
            ..case(
                "a_redox_tracer_sees_what_redox_promises",
                &["{tested}/redox-check", "/bin/redox_child"],
            )
        },
        Case {
            status: 3,
            stdout: b"here\n".to_vec(),
            stderr: &[
                "execve(\"/bin/sh\", ",
                "] write(0x1, ",
                ") = 0x5\n",
                "exits with 0x300\n",
            ],
            ..case(
                "a_redox_strace_shows_system_calls",
                &["{tested}/redox-strace", "/bin/sh", "-c", "echo here; exit 3"],
            )
        },
        Case {
            stdout: b"left\n".to_vec(),
            stderr: &["unlink(\"/tmp/a\", ", " skipped", "No such process"],
            ..case(
                "a_redox_strace_skips_a_call_and_says_its_result",
                &["{tested}/redox-strace", "-f", "-i", "unlink=-3", "/bin/sh", "-c", "touch /tmp/a; rm /tmp/a; test -e /tmp/a && echo left"],
            )
        },
        Case {
            stdout: b"2\n".to_vec(),
            stderr: &["creates [", "exits with 0x0", "execve(\"/proc/self/exe\", ", "signal 17"],
            ..case(
                "a_redox_strace_follows_children",
                &["{tested}/redox-strace", "-f", "/bin/sh", "-c", "(echo a; echo b) | wc -l"],
            )
        },
    ]
}
