//! Core files that programs leave in the machine, opened by gdb here.

use std::collections::HashSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use image::{host, workspace};

use super::machine::TIMEOUT;
use super::{Tally, report};

/// What Linux 6.18 puts into a core of the program `crash`: its notes in their order, and of the program's file what is
/// in the core (nothing, one page, all).
const SHAPE: &str = include_str!("../../../tests/machine/crash.shape");
/// Dies, and shows what it left, compressed: it is mostly zeros.
const SCRIPT: &str = "cd /tmp; ulimit -c unlimited; /bin/crash; [ $? = 139 ] && gzip -c core";
/// What gdb is asked, and what it has to say.
const QUESTIONS: &[(&str, &[&str])] = &[
    ("bt", &["crash (where=0x8, depth=", "in main () at "]),
    (
        "thread apply all bt 1",
        &["sleeper (unused=0x0)", "spinner (unused=0x0)", "(LWP "],
    ),
    ("info threads", &["* 1 ", "  2 ", "  3 "]),
    ("p origin", &["= {x = 3, y = 4, name = 0x", "\"origin\"}"]),
    ("p large[500000]", &["= 120 'x'"]),
    ("p large[900000]", &["= 0 '\\000'"]),
    ("p/x $rbx", &["= 0x3333"]),
    ("p/x $xmm7.v2_int64[0]", &["= 0x3333"]),
    ("p $_siginfo.si_signo", &["= 11"]),
    ("p $_siginfo._sifields._sigfault.si_addr", &["(void *) 0x8"]),
    ("info auxv", &["AT_EXECFN", "\"/bin/crash\""]),
    ("info proc mappings", &["/bin/crash"]),
];

/// Runs both kinds of program.
pub fn test(filter: Option<&str>) -> Result<Tally> {
    let mut tally = Tally::default();
    for (name, options, run_options) in [
        (
            "machine::gdb_opens_a_core_of_threads",
            &["-static"][..],
            &[][..],
        ),
        (
            "machine::gdb_opens_a_core_of_a_dynamic_program",
            &[],
            &["--libs"],
        ),
    ] {
        if filter.is_some_and(|filter| !name.contains(filter)) {
            continue;
        }
        let failure = dump(options, run_options).err();
        tally.add(report(name, failure.is_none()));
        if let Some(failure) = failure {
            println!("    {failure:#}");
        }
    }
    Ok(tally)
}

fn dump(options: &[&str], run_options: &[&str]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (program, core) = (folder.path().join("crash"), folder.path().join("core"));
    let source = workspace::root().join("tests/machine/crash.c");
    let mut gcc = Command::new("gcc");
    gcc.args(["-g", "-O1", "-fno-inline", "-pthread"])
        .args(options);
    host::run(gcc.arg("-o").arg(&program).arg(source))?;
    fs::write(&core, core_of(&program, run_options)?)?;
    ask_gdb(&program, &core)?;
    if run_options.is_empty() {
        compare(&core)?;
    }
    Ok(())
}

/// The core file that a program leaves in the machine.
fn core_of(program: &Path, run_options: &[&str]) -> Result<Vec<u8>> {
    let mut xtask = Command::new(env::current_exe()?);
    xtask.args(["run", "--timeout", TIMEOUT]).args(run_options);
    xtask
        .arg("--file")
        .arg(format!("{}:/bin/crash", program.display()));
    let packed = host::run(xtask.args(["--", "sh", "-c", SCRIPT]))?.stdout;
    let mut gunzip = Command::new("gunzip")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = gunzip.stdin.take().context("it is piped")?;
    let feeder = std::thread::spawn(move || std::io::Write::write_all(&mut input, &packed));
    let output = gunzip.wait_with_output()?;
    drop(feeder.join());
    ensure!(
        output.status.success(),
        "what came out of the machine is no file that gzip made"
    );
    Ok(output.stdout)
}

fn ask_gdb(program: &Path, core: &Path) -> Result<()> {
    let mut gdb = Command::new("gdb");
    gdb.args(["-nx", "-batch"]);
    for (number, (question, _)) in QUESTIONS.iter().enumerate() {
        gdb.args(["-ex", &format!("echo \\n<{number}>\\n"), "-ex", question]);
    }
    let said = host::run(gdb.arg(program).arg(core))?.stdout;
    let said = String::from_utf8_lossy(&said);
    for (number, (question, expected)) in QUESTIONS.iter().enumerate() {
        let from = said
            .find(&format!("<{number}>"))
            .context("gdb stopped early")?;
        let answer = &said[from..];
        let answer = &answer[..answer
            .find(&format!("<{}>", number + 1))
            .unwrap_or(answer.len())];
        for part in *expected {
            ensure!(
                answer.contains(part),
                "{question}: gdb says {answer:?}, without {part:?}"
            );
        }
    }
    Ok(())
}

/// The notes and the program's own memory are as in a core that Linux made.
fn compare(core: &Path) -> Result<()> {
    let read = |option: &str| -> Result<String> {
        let output = host::run(Command::new("readelf").args([option, "-W"]).arg(core))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let shape = [notes(&read("-n")?), segments(&read("-l")?)].concat();
    let expected: Vec<&str> = SHAPE.lines().collect();
    ensure!(
        shape == expected,
        "the core has {shape:#?}, on Linux {expected:#?}"
    );
    Ok(())
}

/// Owner, size and type of each note; the size only where it is the same on every machine.
fn notes(text: &str) -> Vec<String> {
    let words = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    words
        .filter_map(|words| match words[..] {
            ["CORE", _, kind @ ("NT_AUXV" | "NT_FILE"), ..] => Some(format!("CORE {kind}")),
            ["CORE", size, kind, ..] => Some(format!("CORE {size} {kind}")),
            _ => None,
        })
        .collect()
}

/// The rights of the parts of the program's file and how much of each is in the core, one line for what is alike.
fn segments(text: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["LOAD", _, addr, _, in_file, in_memory, flags @ .., _] = &words[..] else {
            continue;
        };
        // A static program is at its own address; behind it comes the heap.
        if u64::from_str_radix(addr.trim_start_matches("0x"), 16).is_ok_and(|at| at > 0x1000_0000) {
            continue;
        }
        let part = match *in_file {
            "0x000000" => "none",
            size if size == *in_memory && size != "0x001000" => "whole",
            "0x001000" => "page",
            _ => "part",
        };
        let line = format!("{} {part}", flags.concat());
        if seen.insert(line.clone()) {
            lines.push(line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_is_what_readelf_shows() {
        let shown = "  CORE   0x00000150\tNT_PRSTATUS (prstatus structure)\n  CORE   0x00000130\tNT_AUXV (auxiliary vector)\n";
        assert_eq!(
            notes(shown),
            ["CORE 0x00000150 NT_PRSTATUS", "CORE NT_AUXV"]
        );
        let shown = "  LOAD  0x002000 0x0000000000400000 0x0 0x001000 0x001000 R   0x1000\n  \
                     LOAD  0x003000 0x0000000000401000 0x0 0x000000 0x08a000 R E 0x1000\n  \
                     LOAD  0x003000 0x00007ffff7edd000 0x0 0x000000 0x001000     0x1000\n";
        assert_eq!(segments(shown), ["R page", "RE none"]);
    }
}
