//! What a trace in the machine leaves outside of it: text, records, timeline and page, and that they are the same every time.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use trace::record::{self, Record, What};
use trace::tasks::tasks;
use trace::{html, timeline};

use super::machine::{PIPELINE, TIMEOUT};
use super::{Tally, report};

type Check = fn(&Path) -> Result<()>;

const CHECKS: [(&str, Check); 5] = [
    (
        "machine::a_trace_has_every_output_at_once_and_is_the_same_every_time",
        same_every_time,
    ),
    (
        "machine::an_earlier_trace_is_drawn_without_a_machine",
        drawn_again,
    ),
    (
        "machine::each_process_is_traced_into_a_file_of_its_own",
        separate_files,
    ),
    (
        "machine::records_may_take_the_place_of_the_text",
        records_as_text,
    ),
    (
        "machine::a_trace_that_cannot_be_written_is_not_begun",
        unwritable,
    ),
];

/// Runs the checks whose names contain the filter.
pub fn test(filter: Option<&str>) -> Result<Tally> {
    let mut tally = Tally::default();
    for (name, check) in CHECKS {
        if filter.is_some_and(|filter| !name.contains(filter)) {
            continue;
        }
        let folder = tempfile::tempdir()?;
        let failure = check(folder.path()).err();
        tally.add(report(name, failure.is_none()));
        if let Some(failure) = failure {
            println!("    {failure:#}");
        }
    }
    Ok(tally)
}

/// `cargo xtask trace` with these words, in a folder.
fn xtask(folder: &Path, words: &[&str]) -> Result<Output> {
    Command::new(env::current_exe()?)
        .args(["trace", "--timeout", TIMEOUT])
        .args(words)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .context("starting a trace")
}

fn pipeline<'a>(options: &[&'a str]) -> Vec<&'a str> {
    [options, &["--", "/bin/busybox", "sh", "-c", PIPELINE]].concat()
}

fn same_every_time(folder: &Path) -> Result<()> {
    let options = [
        "--icount",
        "-f",
        "-o",
        "text",
        "--json=records",
        "--timeline",
        "timeline",
        "--html",
        "page",
    ];
    let mut runs = Vec::new();
    for _ in 0..2 {
        let output = xtask(folder, &pipeline(&options))?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.code() == Some(7) && output.stdout == b"3\n2\n",
            "{said}"
        );
        ensure!(said.is_empty(), "something is said besides: {said}");
        let files = ["text", "records", "timeline", "page"]
            .map(|name| fs::read_to_string(folder.join(name)));
        runs.push(files.into_iter().collect::<Result<Vec<_>, _>>()?);
    }
    for (at, (one, other)) in runs[0].iter().zip(&runs[1]).enumerate() {
        let differs = one
            .lines()
            .zip(other.lines())
            .find(|(one, other)| one != other);
        ensure!(
            one == other,
            "output {at} differs between two runs: {differs:?}"
        );
    }
    let [text, lines, drawn, page] = &runs[0][..] else {
        unreachable!("four files were read")
    };
    let records = record::read(lines).map_err(|error| anyhow::anyhow!(error))?;
    ensure!(
        *drawn == timeline::timeline(&records),
        "the timeline is not what its records make"
    );
    ensure!(
        *page == html::page(&records),
        "the page is not what its records make"
    );
    ensure!(
        text.contains("+++ exited with 7 +++\n"),
        "the text has no end:\n{text}"
    );
    tells_the_whole_story(&records)?;
    follows_the_format(drawn, &records)
}

/// A shell, and three tasks of its making: all begin, make calls one after the other, and end.
fn tells_the_whole_story(records: &[Record]) -> Result<()> {
    let tasks = tasks(records);
    let programs: Vec<&str> = tasks.iter().map(|task| task.program.as_str()).collect();
    ensure!(
        programs.len() == 4 && programs[0] == "busybox",
        "the tasks are {programs:?}"
    );
    let mut ends: BTreeMap<i32, u64> = BTreeMap::new();
    for record in record::in_order(records) {
        ensure!(
            record.pid == record.tid,
            "there are no threads here: {}",
            record.line()
        );
        if let What::Call(call) = &record.what {
            let end = ends.entry(record.tid).or_default();
            ensure!(
                record.time >= *end,
                "calls of one task overlap: {}",
                record.line()
            );
            ensure!(call.duration > 0, "a call takes time: {}", record.line());
            *end = record.end();
        }
    }
    let count = |is: fn(&What) -> bool| records.iter().filter(|record| is(&record.what)).count();
    let exits = count(|what| {
        matches!(
            what,
            What::Exit {
                status: Some(_),
                ..
            }
        )
    });
    let forks = count(|what| matches!(what, What::Fork { .. }));
    ensure!(exits == 4 && forks == 3, "{exits} exits, {forks} forks");
    ensure!(
        count(|what| matches!(what, What::Signal { .. })) >= 1,
        "the signals of the children are missing"
    );
    ensure!(ends.len() == 4, "{} tasks made calls", ends.len());
    Ok(())
}

/// What Perfetto asks of a timeline: every event on a track that has a name, every arrow from one slice to another.
fn follows_the_format(drawn: &str, records: &[Record]) -> Result<()> {
    let document: Value = serde_json::from_str(drawn)?;
    let events = document["traceEvents"]
        .as_array()
        .context("there are no events")?;
    let of = |phase: &'static str| events.iter().filter(move |event| event["ph"] == phase);
    let calls = records
        .iter()
        .filter(|record| matches!(record.what, What::Call(_)));
    ensure!(
        of("X").count() == calls.count(),
        "there is not one slice for every call"
    );
    let track = |event: &Value| (event["pid"].as_i64(), event["tid"].as_i64());
    let named: Vec<_> = of("M")
        .filter(|event| event["name"] == "thread_name")
        .map(track)
        .collect();
    for event in events {
        ensure!(
            named.contains(&track(event)),
            "a track without a name: {event}"
        );
    }
    let holds = |event: &Value| {
        let time = event["ts"].as_f64().unwrap_or(-1.0);
        of("X").any(|slice| {
            let start = slice["ts"].as_f64().unwrap_or(f64::MAX);
            let end = start + slice["dur"].as_f64().unwrap_or_default();
            track(slice) == track(event) && (start..=end).contains(&time)
        })
    };
    ensure!(
        of("s").count() == 3 && of("f").count() == 3,
        "there are not three arrows"
    );
    for end in of("s").chain(of("f")) {
        ensure!(holds(end), "an arrow's end is in no slice: {end}");
    }
    Ok(())
}

fn drawn_again(folder: &Path) -> Result<()> {
    let output = xtask(
        folder,
        &pipeline(&["-f", "--json=records", "--timeline", "before"]),
    )?;
    ensure!(
        output.status.code() == Some(7),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let output = xtask(
        folder,
        &["--from", "records", "--timeline", "after", "--html", "page"],
    )?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    ensure!(
        fs::read(folder.join("before"))? == fs::read(folder.join("after"))?,
        "the timelines differ"
    );
    ensure!(
        fs::read_to_string(folder.join("page"))?.contains("execve"),
        "the page is empty"
    );
    fs::write(folder.join("wrong"), "{\"time\":1}\n")?;
    let output = xtask(folder, &["--from", "wrong", "--html", "page"])?;
    ensure!(!output.status.success(), "what are no records is drawn");
    Ok(())
}

fn separate_files(folder: &Path) -> Result<()> {
    let output = xtask(
        folder,
        &pipeline(&[
            "-ff",
            "-o",
            "log",
            "-e",
            "trace=exit_group",
            "-e",
            "signal=none",
        ]),
    )?;
    ensure!(
        output.status.code() == Some(7),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        files.push((path.extension().is_some(), fs::read_to_string(&path)?));
    }
    ensure!(
        files.len() == 4 && files.iter().all(|(has_pid, _)| *has_pid),
        "the files are {files:?}"
    );
    for (_, text) in files {
        let lines: Vec<&str> = text.lines().collect();
        let [call, end] = &lines[..] else {
            anyhow::bail!("a file has {lines:?}");
        };
        ensure!(
            call.starts_with("exit_group(") && end.starts_with("+++ exited with "),
            "{text}"
        );
    }
    Ok(())
}

fn records_as_text(folder: &Path) -> Result<()> {
    let words = [
        "--json",
        "-e",
        "trace=write",
        "--",
        "/bin/busybox",
        "echo",
        "hello",
    ];
    let output = xtask(folder, &words)?;
    ensure!(
        output.status.success() && output.stdout == b"hello\n",
        "the program does not do its work"
    );
    let lines = String::from_utf8(output.stderr)?;
    let records = record::read(&lines).map_err(|error| anyhow::anyhow!("{error}: {lines}"))?;
    let names: Vec<String> = records.iter().map(|record| record.line()).collect();
    let types = ["trace", "exec", "call", "exit"];
    ensure!(names.len() == types.len(), "{names:?}");
    for (line, name) in names.iter().zip(types) {
        ensure!(
            line.contains(&format!("\"type\":\"{name}\"")),
            "{line} is no {name}"
        );
    }
    ensure!(
        names[2].contains(r#""args":["1","\"hello\\n\"","6"],"ret":6"#),
        "{}",
        names[2]
    );
    Ok(())
}

fn unwritable(folder: &Path) -> Result<()> {
    for option in ["-o", "--timeline", "--html"] {
        let output = xtask(
            folder,
            &[
                option,
                "no/such/folder/file",
                "--",
                "/bin/busybox",
                "echo",
                "hello",
            ],
        )?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.code() == Some(125),
            "{option}: {}",
            output.status
        );
        ensure!(
            output.stdout.is_empty() && said.contains("no/such/folder/file"),
            "{option}: {said}"
        );
    }
    Ok(())
}
