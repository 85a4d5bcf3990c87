//! The tracing tool in the machine makes the same trace as strace on Linux.

use std::collections::BTreeMap;
use std::env;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use image::content::BUSYBOX;
use image::host;

use super::machine::{PIPELINE, TIMEOUT};
use super::{Tally, report};

/// The comparison with strace.
pub fn test(filter: Option<&str>) -> Result<Tally> {
    const NAME: &str = "machine::a_pipeline_is_traced_as_strace_does_on_linux";
    let mut tally = Tally::default();
    if filter.is_none_or(|filter| NAME.contains(filter)) {
        let failure = compare().err();
        tally.add(report(NAME, failure.is_none()));
        if let Some(failure) = failure {
            println!("    {failure:#}");
        }
    }
    Ok(tally)
}

/// Traces the same pipeline in the machine and on Linux and compares what every process did.
fn compare() -> Result<()> {
    let ours = in_the_machine()?;
    let theirs = on_linux()?;
    ensure!(ours.len() == 4, "there are {} processes, not 4", ours.len());
    for (number, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        for (ours, theirs) in ours.iter().zip(theirs) {
            ensure!(
                ours == theirs,
                "process {number}: {ours}, where Linux says {theirs}"
            );
        }
        ensure!(
            ours.len() == theirs.len(),
            "process {number} made {} calls, on Linux {}",
            ours.len(),
            theirs.len()
        );
    }
    ensure!(ours.len() == theirs.len(), "Linux has {}", theirs.len());
    Ok(())
}

/// The calls of each process, in the order in which the processes were made.
type Calls = Vec<Vec<String>>;

fn in_the_machine() -> Result<Calls> {
    let mut xtask = Command::new(env::current_exe()?);
    xtask.args(["trace", "--icount", "--timeout", TIMEOUT, "-f", "--"]);
    traced(xtask, "trace")
}

/// The machine's environment, on Linux: the same variables, and busybox for every command.
fn on_linux() -> Result<Calls> {
    let applets = tempfile::tempdir()?;
    for applet in host::output(BUSYBOX, ["--list"])?.lines() {
        symlink(BUSYBOX, applets.path().join(applet))?;
    }
    let mut strace = Command::new("/usr/bin/strace");
    strace
        .arg0("strace")
        .args(["-f", "--"])
        .current_dir("/")
        .env_clear()
        .env("PATH", applets.path())
        .env("HOME", "/root")
        .env("TERM", "linux")
        .env("PWD", "/");
    traced(strace, "strace")
}

/// Runs the pipeline under a tracer of this name; what it must come to, it must come to under both.
fn traced(mut tracer: Command, name: &str) -> Result<Calls> {
    let output = tracer
        .args([BUSYBOX, "sh", "-c", PIPELINE])
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("starting {name}"))?;
    let trace = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.code() == Some(7) && output.stdout == b"3\n2\n",
        "under {name} the pipeline ends with {}: {trace}",
        output.status
    );
    Ok(calls(&trace, name))
}

/// What is compared: how processes come into being and end, and what becomes of the pipes between them.
const COMPARED: [&str; 11] = [
    "clone",
    "clone3",
    "close",
    "dup2",
    "dup3",
    "execve",
    "exit_group",
    "fork",
    "pipe2",
    "vfork",
    "wait4",
];

/// Reads a trace with `-f` on a terminal: a line begins with its process unless there is only the first.
fn calls(trace: &str, tracer: &str) -> Calls {
    let (trace, children) = without_announcements(trace, tracer);
    let mut unfinished = BTreeMap::new();
    let mut calls = vec![Vec::new(); children.len() + 1];
    for line in trace.lines() {
        let (process, text) = split(line, &children);
        let call = if let Some((_, rest)) = text
            .strip_prefix("<... ")
            .and_then(|text| text.split_once(" resumed>"))
        {
            unfinished.remove(&process).unwrap_or_default() + rest
        } else if let Some(start) = text.strip_suffix(" <unfinished ...>") {
            unfinished.insert(process, start.to_owned());
            continue;
        } else {
            text.to_owned()
        };
        let compared = call
            .split_once('(')
            .is_some_and(|(name, _)| COMPARED.contains(&name));
        // A call that a signal cut off before it did anything is made again.
        if compared && !call.ends_with("? ERESTARTNOINTR (To be restarted)") {
            calls[process].push(plain(&call, &children));
        }
    }
    calls
}

/// Takes `strace: Process 7 attached` out, which may stand in the middle of a line; and who was attached, in the order in which they were
/// made. Who runs first when, and so is attached first, is up to the scheduler.
fn without_announcements(trace: &str, tracer: &str) -> (String, Vec<String>) {
    let mark = format!("{tracer}: Process ");
    let mut parts = trace.split(&mark);
    let mut rest = parts.next().unwrap_or_default().to_owned();
    let mut children = Vec::new();
    for part in parts {
        let (child, text) = part.split_once(" attached\n").unwrap_or((part, ""));
        children.push(child.to_owned());
        rest += text;
    }
    children.sort_by_key(|child| child.parse::<u32>().ok());
    (rest, children)
}

/// A line's process, as a number in order of creation, and the rest of the line.
fn split<'a>(line: &'a str, children: &[String]) -> (usize, &'a str) {
    let prefixed = line
        .strip_prefix("[pid ")
        .and_then(|line| line.split_once("] "));
    let Some((pid, text)) = prefixed else {
        return (0, line);
    };
    let child = children.iter().position(|child| child == pid.trim());
    (child.map_or(0, |child| child + 1), text)
}

/// A call without what differs between any two runs: addresses, process numbers, the order in which children end.
fn plain(call: &str, children: &[String]) -> String {
    let (call, result) = call.rsplit_once(" = ").unwrap_or((call, ""));
    let result = match children.iter().position(|child| child == result) {
        Some(_) if call.starts_with("wait4") => "a child".to_owned(),
        Some(child) => format!("child {}", child + 1),
        None => result.to_owned(),
    };
    let mut parts = call.trim_end().split("0x");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain += "ADDRESS";
        plain += part.trim_start_matches(|digit: char| digit.is_ascii_hexdigit());
    }
    format!("{plain} = {result}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_becomes_the_calls_of_each_process() {
        let trace = "brk(NULL) = 0x1\n\
                     clone(flags=SIGCHLDtrace: Process 3 attached\n\
                     , child_tidptr=0x5ec690) = 3\n\
                     [pid     2] close(4 <unfinished ...>\n\
                     [pid     3] exit_group(1)               = ?\n\
                     [pid     3] +++ exited with 1 +++\n\
                     [pid     2] <... close resumed>)        = 0\n\
                     wait4(-1, 0x7ffc, 0, NULL) = 3\n";
        assert_eq!(
            calls(trace, "trace"),
            [
                vec![
                    "clone(flags=SIGCHLD, child_tidptr=ADDRESS) = child 1",
                    "close(4) = 0",
                    "wait4(-1, ADDRESS, 0, NULL) = a child",
                ],
                vec!["exit_group(1) = ?"],
            ]
        );
    }
}
