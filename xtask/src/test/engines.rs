//! The programs that are engines, alone, together, and beside a debugger.

use super::machine::{Case, case};

/// Forbids, notes, and ends.
const RULES: &[u8] = b"deny EPERM unlink unlinkat\nlog execve\nkill mkdir\n";

/// A debugger steps through a program that is to remove a file, while one engine writes its system calls
/// down and another one forbids it to.
const TOGETHER: &[u8] = b"touch /tmp/kept
remover /tmp/go /tmp/kept &
P=$!
policy -q -r /etc/rules -p $P &
calls -c unlink,exit_group -p $P 2>/tmp/calls &
stepper $P &
S=$!
sleep 0.5
touch /tmp/go
wait $P
R=$?
wait $S
echo remover $R
wait
ls /tmp/kept
sed 's/\\[[0-9]*\\]/[P]/' /tmp/calls
";

/// A crash waits for the debugger, who sees it as it happened.
const CRASH: &[u8] = b"postmortem functions crash 2>/tmp/log &
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    grep -q waits /tmp/log && break
    sleep 0.1
done
P=$(sed -n 's/.*\\[\\([0-9]*\\)\\] signal.*/\\1/p' /tmp/log)
trace -q -p $P -o /tmp/out 2>&1
wait
sed 's/signal 11 at.*;/signal 11;/; s/\\[[0-9]*\\]/[P]/' /tmp/log
grep SIGSEGV /tmp/out
";

/// Every case.
pub fn cases() -> Vec<Case> {
    let rules: &[(&str, &[u8])] = &[("rules", RULES)];
    vec![
        Case {
            options: &["--file", "{dir}/rules:/etc/rules"],
            files: rules,
            status: 9,
            stdout: b"/tmp/x\n".to_vec(),
            stderr: &[
                "denied: EPERM",
                "rm: can't remove '/tmp/x': Operation not permitted",
                "execve(",
            ],
            ..case(
                "a_policy_denies_what_its_rules_say",
                &["policy", "-r", "/etc/rules", "sh", "-c", "touch /tmp/x; rm /tmp/x; ls /tmp/x; exit 9"],
            )
        },
        Case {
            options: &["--file", "{dir}/rules:/etc/rules"],
            files: rules,
            status: 137,
            stderr: &["killed"],
            ..case("a_policy_kills_where_its_rules_say", &["policy", "-r", "/etc/rules", "mkdir", "/tmp/x"])
        },
        Case {
            options: &["--file", "{dir}/rules:/etc/rules"],
            files: rules,
            status: 5,
            ..case(
                "a_tracer_under_a_policy_traces",
                &["policy", "-q", "-r", "/etc/rules", "trace", "-f", "-o", "/dev/null", "sh", "-c", "ls >/dev/null; exit 5"],
            )
        },
        Case {
            options: &["--file", "{dir}/rules:/etc/rules"],
            files: &[("rules", b"deny EPERM unlinc\n")],
            status: 1,
            stderr: &["/etc/rules: line 1: 'unlinc' is no system call"],
            ..case("a_policy_with_a_mistake_is_no_policy", &["policy", "-r", "/etc/rules", "true"])
        },
        Case {
            programs: &["functions"],
            options: &["--file", "{dir}/functions:/bin/functions"],
            stdout: b"         1 by_the_child\n         5 five_times\n         - not_at_all\n+ by_the_child\n+ five_times\n- not_at_all\n".to_vec(),
            ..case(
                "coverage_counts_functions",
                &["sh", "-c", "coverage -c -o /tmp/a functions; coverage -o /tmp/b functions; grep -E 'five_t|by_the|not_at' /tmp/a; grep -E 'five_t|by_the|not_at' /tmp/b | sed 's/^ *//'"],
            )
        },
        Case {
            programs: &["functions"],
            options: &["--file", "{dir}/functions:/bin/functions", "--file", "{dir}/script:/etc/script"],
            files: &[("script", CRASH)],
            stdout: b"postmortem: [P] signal 11; it waits for a debugger\npostmortem: [P] a debugger has come\n--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x8} ---\n+++ killed by SIGSEGV +++\n".to_vec(),
            ..case("a_crash_waits_for_a_debugger", &["sh", "/etc/script"])
        },
        Case {
            programs: &["functions"],
            options: &["--file", "{dir}/functions:/bin/functions"],
            status: 139,
            stderr: &["it waits for a debugger", "nobody has come"],
            ..case("a_crash_does_not_wait_for_ever", &["postmortem", "-t", "0", "functions", "crash"])
        },
        Case {
            programs: &["remover", "stepper"],
            options: &["--file", "{dir}/remover:/bin/remover", "--file", "{dir}/stepper:/bin/stepper", "--file", "{dir}/script:/etc/script", "--file", "{dir}/rules:/etc/rules"],
            files: &[("script", TOGETHER), ("rules", RULES)],
            stdout: b"stepped: many, exit status 1\nremover 1\n/tmp/kept\ncalls: [P] unlink...\ncalls: [P] unlink = EPERM\ncalls: [P] exit_group...\ncalls: [P] ends with 0x100\n".to_vec(),
            ..case("a_debugger_steps_while_engines_log_and_forbid", &["sh", "/etc/script"])
        },
    ]
}
