//! Debian's strace, in the machine and on Linux: what it says of each program of `tests/strace/list` is the same, and what its options
//! do in `tests/strace/options`. All run in one machine; what Linux says is recorded beside the lists.

mod filter;
mod regions;

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use image::{host, workspace};

use super::{Tally, report};
use filter::Filter;

/// The list, the programs of our own, and what Linux says.
const FOLDER: &str = "tests/strace";
/// Debian's programs.
const DEBIANS: &[&str] = &[
    "cat", "cp", "dash", "env", "find", "grep", "head", "ls", "python3", "sed", "sort", "strace",
    "wc",
];
/// What Python reads before it does anything.
const PYTHON: &str = "/usr/lib/python3.11";
const MODULES: &[&str] = &[
    "_collections_abc.py",
    "abc.py",
    "codecs.py",
    "encodings/__init__.py",
    "encodings/aliases.py",
    "encodings/utf_8.py",
    "genericpath.py",
    "io.py",
    "os.py",
    "posixpath.py",
    "stat.py",
];
/// Seconds after which a machine counts as hung.
const TIMEOUT: &str = "300";

/// What one program came to: its status and output, and the trace of each of its processes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Run {
    status: String,
    output: String,
    traces: BTreeMap<u32, String>,
}

/// One line of a list.
struct Case {
    /// Its name with that of its list, if it is not the list of programs.
    name: String,
    /// What the driver is told.
    line: String,
}

/// Compares the cases whose names contain `name`, or whose whole name contains the general filter.
pub fn test(filter: Option<&str>, name: Option<&str>) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut list = list()?;
    list.retain(|case| {
        name.is_none_or(|name| case.name.contains(name))
            && filter.is_none_or(|f| format!("strace::{}", case.name).contains(f))
    });
    if list.is_empty() {
        return Ok(tally);
    }
    let runs = run("run", &list)?;
    let rules = Filter::new();
    let kept = workspace::machine_folder().join("strace");
    for Case { name, .. } in &list {
        let expected = fs::read_to_string(recorded(name))?;
        let wrong = match runs.get(name) {
            None => Some("    the machine ended before this program".to_owned()),
            Some(run) => {
                let got = rules.text(run);
                let path = kept.join(format!("{name}.out"));
                fs::create_dir_all(path.parent().context("a file in a folder")?)?;
                fs::write(&path, &got)?;
                difference(&got, &expected)
                    .map(|lines| format!("{lines}\n    all of it: {}", path.display()))
            }
        };
        tally.add(report(&format!("strace::{name}"), wrong.is_none()));
        if let Some(wrong) = wrong {
            println!("{wrong}");
        }
    }
    Ok(tally)
}

/// Has Linux run everything, and writes down what strace says.
pub fn record() -> Result<()> {
    let list = list()?;
    let runs = run("linux", &list)?;
    let rules = Filter::new();
    for Case { name, .. } in &list {
        let run = runs
            .get(name)
            .with_context(|| format!("Linux did not come to {name}"))?;
        fs::write(recorded(name), rules.text(run))?;
    }
    println!("{} cases recorded in {FOLDER}", list.len());
    Ok(())
}

fn recorded(name: &str) -> PathBuf {
    let folder = workspace::root().join(FOLDER).join("recorded");
    folder.join(format!("{name}.out"))
}

/// Both lists.
fn list() -> Result<Vec<Case>> {
    let programs = lines("list")?.into_iter().map(|(name, words)| Case {
        line: format!("run {name} {words}"),
        name,
    });
    let options = lines("options")?.into_iter().map(|(name, command)| {
        let name = format!("options/{name}");
        let quoted = command.replace('\'', r"'\''");
        Case {
            line: format!("shown {name} '{quoted}'"),
            name,
        }
    });
    Ok(programs.chain(options).collect())
}

/// The lines of a list: a name, and what a shell reads.
fn lines(file: &str) -> Result<Vec<(String, String)>> {
    let text = fs::read_to_string(workspace::root().join(FOLDER).join(file))?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.map(|line| {
        let (name, words) = line
            .split_once(' ')
            .with_context(|| format!("nothing to run in {line:?}"))?;
        Ok((name.to_owned(), words.trim().to_owned()))
    });
    pairs.collect()
}

/// Runs the programs under strace in one machine, or on one Linux, whose time is its own instructions.
fn run(system: &str, list: &[Case]) -> Result<BTreeMap<String, Run>> {
    let folder = workspace::root().join(FOLDER);
    let scratch = tempfile::tempdir()?;
    let mut driver = fs::read_to_string(folder.join("driver.sh"))?;
    for case in list {
        driver += &case.line;
        driver.push('\n');
    }
    let script = scratch.path().join("driver");
    fs::write(&script, driver)?;
    let mut xtask = Command::new(env::current_exe()?);
    xtask.args([
        system,
        "--icount",
        "--libs",
        "--timeout",
        TIMEOUT,
        "--env",
        "TERM=linux",
    ]);
    let mut file = |host: &Path, guest: &str| {
        xtask
            .arg("--file")
            .arg(format!("{}:{guest}", host.display()));
    };
    for name in DEBIANS {
        let path = format!("/usr/bin/{name}");
        file(Path::new(&path), &path);
    }
    for name in MODULES {
        let path = format!("{PYTHON}/{name}");
        file(Path::new(&path), &path);
    }
    for program in compile(&folder, scratch.path())? {
        file(
            &scratch.path().join(&program),
            &format!("/strace/{program}"),
        );
    }
    file(&folder.join("tree"), "/strace/tree");
    file(&folder.join("script"), "/strace/script");
    file(&script, "/strace/driver");
    let output = xtask
        .args(["--", "sh", "/strace/driver"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("starting the machine")?;
    parse(&String::from_utf8_lossy(&output.stdout))
}

/// Compiles each C program of the folder, as a dynamic one; their names.
fn compile(folder: &Path, to: &Path) -> Result<Vec<String>> {
    let mut programs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let source = entry?.path();
        let name = source.file_stem().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|_| source.extension().is_some_and(|e| e == "c")) {
            let mut gcc = Command::new("gcc");
            host::run(
                gcc.args(["-O1", "-w", "-pthread", "-o"])
                    .arg(to.join(name))
                    .arg(&source),
            )?;
            programs.push(name.to_owned());
        }
    }
    programs.sort();
    Ok(programs)
}

/// Takes the driver's output apart.
fn parse(text: &str) -> Result<BTreeMap<String, Run>> {
    let mut runs = BTreeMap::new();
    for part in text.split("@@ begin ").skip(1) {
        let Some((part, _)) = part.split_once("@@ end\n") else {
            continue;
        };
        let mut pieces = part.split("@@ process ");
        let (head, output) = pieces
            .next()
            .and_then(|head| head.split_once('\n'))
            .unwrap_or((part, ""));
        let (name, status) = head.split_once(' ').context("a mark without a status")?;
        let mut run = Run {
            status: status.to_owned(),
            output: output.to_owned(),
            ..Run::default()
        };
        for piece in pieces {
            let (pid, trace) = piece.split_once('\n').context("a mark without a trace")?;
            run.traces
                .insert(pid.parse().context("a process's number")?, trace.to_owned());
        }
        runs.insert(name.to_owned(), run);
    }
    Ok(runs)
}

/// The first lines that are not the same.
fn difference(got: &str, expected: &str) -> Option<String> {
    if got == expected {
        return None;
    }
    let (got, expected): (Vec<_>, Vec<_>) = (got.lines().collect(), expected.lines().collect());
    let at = (0..).find(|n| got.get(*n) != expected.get(*n)).unwrap_or(0);
    let line = |lines: &[&str]| {
        lines
            .get(at)
            .map_or("(the end)".to_owned(), |line| (*line).to_owned())
    };
    Some(format!(
        "    line {}: {}\n    on Linux: {}",
        at + 1,
        line(&got),
        line(&expected)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_taken_apart_at_the_marks() {
        let runs = parse(
            "@@ begin a 3\nout\n@@ process 7\nx\n@@ process 12\ny\nz\n@@ end\n@@ begin b 0\n",
        )
        .unwrap();
        assert_eq!(runs.len(), 1);
        assert_eq!(
            (runs["a"].status.as_str(), runs["a"].output.as_str()),
            ("3", "out\n")
        );
        assert_eq!(
            runs["a"].traces,
            [(7, "x\n".to_owned()), (12, "y\nz\n".to_owned())].into()
        );
    }

    #[test]
    fn there_are_25_programs_each_with_its_record() {
        assert_eq!(lines("list").unwrap().len(), 25);
        for Case { name, .. } in list().unwrap() {
            assert!(recorded(&name).is_file(), "{name}");
        }
    }

    #[test]
    fn a_difference_names_the_first_line() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        let text = difference("a\nb\n", "a\n").unwrap();
        assert!(text.contains("line 2: b") && text.ends_with("on Linux: (the end)"));
    }
}
