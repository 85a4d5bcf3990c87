//! The conformance programs: small C programs whose output was recorded on Linux, each built with
//! two C libraries, and those that trace or wait once more with our own C library's `ptrace` and `wait4`
//! instead. All run in one machine per library.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result};
use image::{c_library, host, workspace};

use super::{Tally, known_wrong, say};

/// The programs and what Linux printed.
const FOLDER: &str = "tests/conformance";
/// Cases that are known to fail, a line each: `LIBRARY/NAME: reason`. One that passes must be
/// taken out.
const KNOWN_WRONG: &str = "tests/conformance/known-wrong.txt";
/// Runs the programs named by its arguments one after the other. What is between the marks is
/// theirs.
const DRIVER: &str =
    r#"for c; do echo "@@ begin $c"; /conformance/$c </dev/null; echo "@@ end $?"; done"#;

/// Calls of the functions that our own library has, as `t.h` spells them.
const CALLS: &[&str] = &["PT(", "W4(", "wt("];

/// A C library to build with. In options, `{c}` is the folder with our own.
struct Library {
    name: &'static str,
    compiler: &'static str,
    options: &'static [&'static str],
    /// Only the cases that have one of these in their text.
    of: &'static [&'static str],
}

const LIBRARIES: &[Library] = &[
    Library {
        name: "glibc",
        compiler: "gcc",
        options: &[],
        of: &[""],
    },
    Library {
        name: "musl",
        compiler: "musl-gcc",
        options: &[
            "-idirafter",
            "/usr/include",
            "-idirafter",
            "/usr/include/x86_64-linux-gnu",
        ],
        of: &[""],
    },
    Library {
        name: "libtrace",
        compiler: "gcc",
        options: &["-DRELINKED", "-I{c}/include", "-L{c}/lib", "-ltrace"],
        of: CALLS,
    },
];

/// Runs the cases whose names contain `name`, or whose whole name contains the general filter: all
/// libraries at a time, each in a machine of its own.
pub fn test(filter: Option<&str>, name: Option<&str>) -> Result<Tally> {
    let known_wrong = known_wrong(KNOWN_WRONG)?;
    let all = cases()?;
    let chosen = |library: &Library| -> Vec<String> {
        all.iter()
            .filter(|(case, text)| {
                let whole = format!("conformance::{}::{case}", library.name);
                name.is_none_or(|name| case.contains(name))
                    && filter.is_none_or(|f| f == "conformance" || whole.contains(f))
                    && library.of.iter().any(|call| text.contains(call))
            })
            .map(|(case, _)| case.clone())
            .collect()
    };
    c_library::install(&own_library())?;
    let runs: Vec<_> = thread::scope(|scope| {
        let started: Vec<_> = LIBRARIES
            .iter()
            .map(|library| {
                let cases = chosen(library);
                scope.spawn(move || run_all(library, &cases).map(|runs| (library, cases, runs)))
            })
            .collect();
        started
            .into_iter()
            .map(|thread| thread.join().expect("it returns its errors"))
            .collect::<Result<_>>()
    })?;
    let mut tally = Tally::default();
    for (library, cases, results) in &runs {
        for case in cases {
            let expected = fs::read(workspace::root().join(FOLDER).join(format!("{case}.out")))?;
            let wrong = judge(results.get(case), &String::from_utf8_lossy(&expected));
            let known = known_wrong.get(&format!("{}/{case}", library.name));
            tally.add(say(
                &format!("conformance::{}::{case}", library.name),
                wrong,
                known,
                KNOWN_WRONG,
            ));
        }
    }
    Ok(tally)
}

/// The names of all cases, in order, and their texts.
fn cases() -> Result<Vec<(String, String)>> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(workspace::root().join(FOLDER))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "c")
            && let Some(name) = path.file_stem().and_then(|n| n.to_str())
        {
            cases.push((name.to_owned(), fs::read_to_string(&path)?));
        }
    }
    cases.sort();
    Ok(cases)
}

/// What one program printed, and its exit status.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    output: String,
    status: Option<i32>,
}

/// What is wrong with a run, if anything is.
fn judge(run: Option<&Run>, expected: &str) -> Option<String> {
    let Some(run) = run else {
        return Some("    the machine ended before this case".to_owned());
    };
    if run.output == expected && run.status == Some(0) {
        return None;
    }
    let (got, want): (Vec<&str>, Vec<&str>) =
        (run.output.lines().collect(), expected.lines().collect());
    let at = (0..).find(|i| got.get(*i) != want.get(*i)).unwrap_or(0);
    Some(format!(
        "    line {}: {:?}, on Linux {:?}; status {:?}",
        at + 1,
        got.get(at).unwrap_or(&"(end)"),
        want.get(at).unwrap_or(&"(end)"),
        run.status
    ))
}

/// Runs the cases, in another machine again from behind the one that ended a machine.
fn run_all(library: &Library, cases: &[String]) -> Result<BTreeMap<String, Run>> {
    let mut results = BTreeMap::new();
    let mut rest = cases;
    while !rest.is_empty() {
        let mut some = run(library, rest)?;
        let finished = rest
            .iter()
            .take_while(|c| some.get(*c).is_some_and(|r| r.status.is_some()));
        let reached = (finished.count() + 1).min(rest.len());
        results.append(&mut some);
        rest = &rest[reached..];
    }
    Ok(results)
}

/// Builds the cases and runs them in one machine, whose time is its own instructions: the cases
/// sleep and are preempted at the same points however busy this machine is.
fn run(library: &Library, cases: &[String]) -> Result<BTreeMap<String, Run>> {
    let folder = workspace::machine_folder()
        .join("conformance")
        .join(library.name);
    fs::create_dir_all(&folder)?;
    let mut xtask = Command::new(env::current_exe()?);
    xtask.args(["run", "--icount", "--timeout", "900"]);
    for case in cases {
        let program = compile(library, case, &folder)?;
        xtask
            .arg("--file")
            .arg(format!("{}:/conformance/{case}", program.display()));
    }
    xtask.args(["--", "sh", "-c", DRIVER, "sh"]).args(cases);
    let output = xtask
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("starting the machine")?;
    Ok(parse(&String::from_utf8_lossy(&output.stdout)))
}

/// The folder that our own C library is in.
fn own_library() -> PathBuf {
    workspace::machine_folder().join("c-library")
}

/// Compiles one case if it, or what it is made with, is newer than its program.
fn compile(library: &Library, case: &str, folder: &Path) -> Result<PathBuf> {
    let sources = workspace::root().join(FOLDER);
    let source = sources.join(format!("{case}.c"));
    let program = folder.join(case);
    let time = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).ok();
    let own = own_library();
    let parts = [
        &source,
        &sources.join("t.h"),
        &sources.join("relinked.h"),
        &own.join("lib/libtrace.a"),
    ];
    if time(&program) <= parts.iter().filter_map(|part| time(part)).max() {
        let option = |option: &&str| option.replace("{c}", &own.to_string_lossy());
        let mut compiler = Command::new(library.compiler);
        compiler
            .args(["-O1", "-fno-inline", "-static", "-w", "-o"])
            .arg(&program)
            .arg(&source)
            .args(library.options.iter().map(option));
        host::run(&mut compiler)?;
    }
    Ok(program)
}

/// Takes the driver's output apart.
fn parse(text: &str) -> BTreeMap<String, Run> {
    let mut runs = BTreeMap::new();
    let mut current: Option<(String, String)> = None;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("@@ begin ") {
            current = Some((name.to_owned(), String::new()));
        } else if let Some(status) = line.strip_prefix("@@ end ") {
            if let Some((name, output)) = current.take() {
                runs.insert(
                    name,
                    Run {
                        output,
                        status: status.parse().ok(),
                    },
                );
            }
        } else if let Some((_, output)) = &mut current {
            output.push_str(line);
            output.push('\n');
        }
    }
    if let Some((name, output)) = current {
        runs.insert(
            name,
            Run {
                output,
                status: None,
            },
        );
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_taken_apart_at_the_marks() {
        let runs = parse("@@ begin a\none\nok\n@@ end 0\n@@ begin b\ntwo\n");
        assert_eq!(judge(runs.get("a"), "one\nok\n"), None);
        assert_eq!(runs["b"].status, None);
        assert!(
            judge(runs.get("b"), "two\nok\n")
                .unwrap()
                .contains("line 2")
        );
        assert!(judge(runs.get("c"), "").is_some());
    }
}
