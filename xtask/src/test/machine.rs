//! The tests in the booted machine: `cargo xtask run` itself, from the outside.

use std::env;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

use anyhow::{Context, Result};
use image::{host, machine, workspace};

use super::{Tally, broken, engines, events, redox, report, trace_options, unmodified};

/// Seconds after which a machine counts as hung. One takes less than a second to start, but the computer may be busy.
pub const TIMEOUT: &str = "120";

/// One run and what must come of it. In words, `{dir}` is a folder with the case's files, `{built}` the one with what runs on the
/// kernel, and `{tested}` the one with our programs that are only tested.
#[derive(Clone)]
pub struct Case {
    pub name: &'static str,
    /// `run` or `trace`.
    pub subcommand: &'static str,
    pub options: &'static [&'static str],
    pub command: &'static [&'static str],
    pub files: &'static [(&'static str, &'static [u8])],
    /// Programs of `tests/machine` that are compiled into the folder.
    pub programs: &'static [&'static str],
    pub stdin: Vec<u8>,
    pub status: i32,
    pub stdout: Vec<u8>,
    /// What standard error must contain, in any order.
    pub stderr: &'static [&'static str],
}

/// A run without input that succeeds and says nothing.
pub fn case(name: &'static str, command: &'static [&'static str]) -> Case {
    Case {
        name,
        subcommand: "run",
        options: &[],
        command,
        files: &[],
        programs: &[],
        stdin: Vec::new(),
        status: 0,
        stdout: Vec::new(),
        stderr: &[],
    }
}

pub const PIPELINE: &str = "for i in 1 2 3; do echo $i; done | sort -r | head -2; exit 7";

/// What a shell sees of the world from inside a context, and of a context from outside.
const CONTEXTS: &str = r#"ctx; sleep 100 & out=$!
ctx 7 sh -c 'ctx; kill -0 '$out' 2>/dev/null || echo unseen; [ -e /proc/1 ] || echo no init
sleep 100 & set -- /proc/[0-9]*; echo $#; kill -9 -1; wait $!; echo $?; ctx 8 true; echo $?'
kill -0 $out && ctx -p $out; kill $out
sh -c 'sleep 100 & exec ctx new sh -c "ctx; trace -p $! 2>&1 | grep -c permitted"'
ctx 5 /bin/nothing; echo $?"#;

/// A shell that goes on working while a fork bomb has all that its user may have.
const USABLE: &str = r#"
count() { echo $(cat /proc/[0-9]*/stat 2>/dev/null | grep -c "(bomb)") of the bomb; }
bomb 60 &
sleep 1
count
echo abc | tr a-c x-z | cat
seq 2000 | sort -n | tail -1 > /tmp/last; cat /tmp/last
(sleep 0.1; echo late) & wait $!
count
for task in /proc/[0-9]*; do
    grep -q "^Uid:.1000" $task/status && kill -STOP ${task#/proc/}
done
for task in /proc/[0-9]*; do
    grep -q "^Uid:.1000" $task/status && kill -KILL ${task#/proc/}
done
# Who is killed is gone soon, not at once.
until [ "$(count)" = "0 of the bomb" ]; do sleep 0.1; done
count"#;

const RECEIVED: &[u8] = b"ReplyRecv from server 0: SIGILL
Recv from server 0: SIGILL
NBRecv from server 0: SIGILL
ReplyRecv from server 1: SIGILL
Recv from server 1: SIGILL
NBRecv from server 1: SIGILL
";

/// Every case.
fn all() -> Vec<Case> {
    [
        cases(),
        broken::cases(),
        engines::cases(),
        unmodified::cases(),
        events::cases(),
        redox::cases(),
        trace_options::cases(),
    ]
    .concat()
}

fn cases() -> Vec<Case> {
    let binary: Vec<u8> = (0..200_000u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    vec![
        case("true_exits_with_0", &["busybox", "true"]),
        Case { status: 1, ..case("false_exits_with_1", &["busybox", "false"]) },
        Case { status: 7, stdout: b"3\n2\n".to_vec(), ..case("a_shell_runs_a_pipeline", &["sh", "-c", PIPELINE]) },
        Case {
            stdin: binary.clone(),
            stdout: binary,
            ..case("standard_input_comes_through_byte_by_byte", &["busybox", "cat"])
        },
        Case { stdout: b"0\n".to_vec(), ..case("standard_input_ends_at_once_when_there_is_none", &["sh", "-c", "wc -c"]) },
        Case {
            stderr: &["to the log"],
            stdout: b"out\n".to_vec(),
            ..case("standard_error_is_kept_apart", &["sh", "-c", "echo out; echo to the log >&2"])
        },
        Case {
            options: &["--env", "A=b c"],
            stdout: b"/bin:/usr/bin /root / b c\n".to_vec(),
            ..case("the_environment_is_ours", &["sh", "-c", "echo $PATH $HOME $PWD $A"])
        },
        Case {
            options: &["--file", "{dir}/data:/etc/data"],
            files: &[("data", b"from outside\n")],
            stdout: b"from outside\n".to_vec(),
            ..case("files_can_be_put_in", &["cat", "/etc/data"])
        },
        Case {
            status: 127,
            stderr: &["No such file"],
            ..case("a_program_that_is_missing_is_status_127", &["/no/such/program"])
        },
        Case {
            files: &[("corrupt", b"\x7fELF\x02\x01\x01 and then nothing that makes sense, for longer than the sixty-four bytes of a header")],
            status: 126,
            stderr: &["Exec format error"],
            ..case("a_corrupt_program_is_status_126", &["{dir}/corrupt"])
        },
        Case { status: 128 + 15, ..case("a_program_that_kills_itself_is_128_and_the_signal", &["sh", "-c", "kill -TERM $$"]) },
        Case {
            stdout: b"0\n7\nunseen\nno init\n2\n137\n125\n0\n1\n1\n127\n".to_vec(),
            stderr: &["ctx: Operation not permitted", "ctx: /bin/nothing: No such file"],
            ..case("contexts_keep_processes_apart", &["sh", "-c", CONTEXTS])
        },
        Case {
            programs: &["no_leak"],
            stdout: b"lost 0 bytes\n".to_vec(),
            ..case("a_thousand_programs_leave_no_memory_behind", &["{dir}/no_leak", "1000", "/bin/true"])
        },
        Case {
            programs: &["many_tasks"],
            stdout: b"1024 alive at once, 1024 reaped\n".to_vec(),
            ..case("a_thousand_and_24_tasks_live_at_once", &["{dir}/many_tasks", "1024"])
        },
        Case {
            programs: &["fpu"],
            stdout: b"handler 1, after it 1 1122334455667788\nchild 1\nparent 1\n".to_vec(),
            ..case("the_fpu_state_survives_handlers_and_forks", &["{dir}/fpu"])
        },
        Case {
            options: &["--file", "{built}/selftest:/boot/procmgr"],
            stderr: &["selftest: costs: ok"],
            ..case("procmgrs_machine_does_what_it_promises", &["/bin/true"])
        },
        Case {
            programs: &["load"],
            stdout: b"lost 0 bytes\nwhile it goes on: 0\na bomb of 50\n".to_vec(),
            ..case("forks_threads_execs_and_kills_leave_nothing_behind", &["{dir}/load", "500"])
        },
        Case {
            options: &["--file", "{dir}/bomb:/bin/bomb"],
            programs: &["bomb"],
            stdout: b"60 of the bomb\nxyz\n2000\nlate\n60 of the bomb\n0 of the bomb\n".to_vec(),
            ..case("a_shell_is_usable_beside_a_fork_bomb", &["sh", "-c", USABLE])
        },
        Case {
            options: &["--timeout", "600"],
            programs: &["leaks"],
            stdout: b"33 counts, 0 of them not as before\n".to_vec(),
            ..case("ten_thousand_rounds_of_everything_leave_nothing_behind", &["{dir}/leaks", "10000"])
        },
        Case {
            programs: &["receive"],
            stdout: RECEIVED.to_vec(),
            ..case("nobody_receives_what_is_sent_to_a_server", &["{dir}/receive"])
        },
        Case {
            options: &["--icount"],
            programs: &["random_calls"],
            stdout: b"10 million instructions of each kind; noticed: 0, 0\n".to_vec(),
            ..case("random_calls_messages_instructions_and_registers_harm_nobody", &["{dir}/random_calls", "10", "7"])
        },
        Case {
            programs: &["hazards"],
            stdout: b"108 runs, and the machine is there\n".to_vec(),
            ..case("flags_and_breakpoints_do_not_stop_the_machine", &["{dir}/hazards"])
        },
        Case {
            programs: &["restart"],
            stdout: b"the tracer faulted five times\n".to_vec(),
            stderr: &["a fault was asked for", "tracer has faulted"],
            ..case("the_tracer_faults_and_tracing_begins_anew", &["{dir}/restart"])
        },
        Case {
            options: &["--timeout", "3"],
            status: 125,
            stderr: &["did not end within 3 s"],
            ..case("a_run_that_takes_too_long_is_status_125", &["sh", "-c", "while :; do :; done"])
        },
    ]
}

/// Runs the cases whose names contain the filter.
pub fn test(filter: Option<&str>) -> Result<Tally> {
    let mut tally = Tally::default();
    for case in all() {
        let name = format!("machine::{}", case.name);
        if filter.is_some_and(|filter| !name.contains(filter)) {
            continue;
        }
        let failure = check(&case, &run(&case)?);
        tally.add(report(&name, failure.is_none()));
        if let Some(failure) = failure {
            println!("{failure}");
        }
    }
    Ok(tally)
}

/// Runs a case as a user does.
fn run(case: &Case) -> Result<Output> {
    let scratch = tempfile::tempdir()?;
    for (name, contents) in case.files {
        fs::write(scratch.path().join(name), contents)?;
    }
    for program in case.programs {
        let source = workspace::root().join("tests/machine").join(program);
        let mut gcc = Command::new("gcc");
        gcc.args(["-O1", "-static", "-o"])
            .arg(scratch.path().join(program))
            .arg(source.with_extension("c"))
            .arg("-lm");
        host::run(&mut gcc)?;
    }
    let mut xtask = Command::new(env::current_exe()?);
    xtask
        .args([case.subcommand, "--timeout", TIMEOUT])
        .args(words(case.options, scratch.path())?);
    xtask.arg("--").args(words(case.command, scratch.path())?);
    xtask
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut xtask = xtask.spawn().context("starting a run")?;
    let mut stdin = xtask.stdin.take().expect("standard input is piped");
    let input = case.stdin.clone();
    // A program need not read its input to the end, so the error means nothing.
    let feeder = thread::spawn(move || stdin.write_all(&input));
    let output = xtask.wait_with_output()?;
    drop(feeder.join());
    Ok(output)
}

fn words(words: &[&str], folder: &Path) -> Result<Vec<String>> {
    let built = machine::freestanding_folder();
    words
        .iter()
        .map(|word| {
            let word = word.replace("{dir}", &folder.to_string_lossy());
            let word = word.replace("{built}", &built.to_string_lossy());
            if !word.contains("{tested}") {
                return Ok(word);
            }
            let tested = machine::build_only_tested()?;
            Ok(word.replace("{tested}", &tested.to_string_lossy()))
        })
        .collect()
}

/// What is wrong with a run, if anything is.
fn check(case: &Case, output: &Output) -> Option<String> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let mut wrong = Vec::new();
    if output.status.code() != Some(case.status) {
        wrong.push(format!("{}, not {}", output.status, case.status));
    }
    if output.stdout != case.stdout {
        wrong.push(format!(
            "standard output is {}, not {}",
            shown(&output.stdout),
            shown(&case.stdout)
        ));
    }
    for text in case.stderr {
        if !stderr.contains(text) {
            wrong.push(format!("standard error does not contain {text:?}"));
        }
    }
    (!wrong.is_empty()).then(|| {
        format!(
            "    {}\n    standard error:\n{stderr}",
            wrong.join("\n    ")
        )
    })
}

/// Some of what a program wrote, in one line.
fn shown(bytes: &[u8]) -> String {
    let start = bytes[..bytes.len().min(100)].escape_ascii();
    format!("{} bytes: \"{start}\"", bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    fn output(status: i32, stdout: &[u8], stderr: &[u8]) -> Output {
        Output {
            status: ExitStatus::from_raw(status << 8),
            stdout: stdout.into(),
            stderr: stderr.into(),
        }
    }

    #[test]
    fn a_case_has_to_meet_every_expectation() {
        let case = Case {
            status: 3,
            stdout: b"a".to_vec(),
            stderr: &["bad"],
            ..case("x", &[])
        };
        assert_eq!(check(&case, &output(3, b"a", b"too bad\n")), None);
        assert!(
            check(&case, &output(0, b"a", b"bad"))
                .unwrap()
                .contains("not 3")
        );
        assert!(
            check(&case, &output(3, b"", b"bad"))
                .unwrap()
                .contains("0 bytes")
        );
        assert!(
            check(&case, &output(3, b"a", b""))
                .unwrap()
                .contains("does not contain")
        );
    }

    #[test]
    fn names_are_different() {
        let mut names: Vec<_> = all().iter().map(|case| case.name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
