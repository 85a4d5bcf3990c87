//! Scripts that run unmodified programs: a shell runs each in the machine, and says what is in its `.out`, as it does on this Linux. That
//! is looked at when a script is asked for by its name: it is a test of the record, and of whatever else this computer does.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use image::content::BUSYBOX;
use image::{host, workspace};

use super::filter::Filter;
use super::programs;
use crate::test::machine::TIMEOUT;
use crate::test::{Tally, difference, report};

/// The scripts, and what they say.
const FOLDER: &str = "tests/unmodified";

/// A script, with what it needs said in comments at its top.
struct Script {
    /// Its file's name without the end.
    name: String,
    path: PathBuf,
    /// `# image: WORD...`: options of `cargo xtask run`.
    image: Vec<String>,
    /// `# programs: NAME...`: what is compiled for it, see [`programs::compile`].
    programs: Vec<String>,
}

/// Runs the scripts whose names contain `name`, or whose whole names contain the general filter.
pub fn test(filter: Option<&str>, name: Option<&str>) -> Result<Tally> {
    let mut tally = Tally::default();
    for script in all()? {
        let whole = format!("unmodified::{}", script.name);
        let chosen = filter.is_none_or(|filter| whole.contains(filter))
            && name.is_none_or(|name| script.name.contains(name));
        if !chosen {
            continue;
        }
        let wrong = check(&script, name.is_some())?;
        tally.add(report(&whole, wrong.is_none()));
        if let Some(wrong) = wrong {
            println!("{wrong}");
        }
    }
    Ok(tally)
}

/// All scripts, in the order of their names.
fn all() -> Result<Vec<Script>> {
    let mut scripts = Vec::new();
    for entry in fs::read_dir(workspace::root().join(FOLDER))? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "sh") {
            let name = path.file_stem().and_then(|it| it.to_str());
            let name = name.context("a script has a name")?.to_owned();
            let text = fs::read_to_string(&path)?;
            scripts.push(parse(name, path, &text));
        }
    }
    scripts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(scripts)
}

fn parse(name: String, path: PathBuf, text: &str) -> Script {
    let words = |what: &str| -> Vec<String> {
        let comments = text.lines().filter_map(|line| line.strip_prefix("# "));
        let lists = comments.filter_map(|line| line.strip_prefix(what)?.strip_prefix(": "));
        lists
            .flat_map(str::split_whitespace)
            .map(str::to_owned)
            .collect()
    };
    Script {
        image: words("image"),
        programs: words("programs"),
        name,
        path,
    }
}

/// What is wrong with a script's output here or in the machine, if anything is.
fn check(script: &Script, linux: bool) -> Result<Option<String>> {
    let folder = tempfile::Builder::new().prefix("stillpoint-").tempdir()?;
    let scratch = tempfile::Builder::new().prefix("stillpoint-").tempdir()?;
    let mut files = vec![folder.path().join("script")];
    fs::copy(&script.path, &files[0])?;
    for name in &script.programs {
        files.extend(programs::compile(name, folder.path())?);
    }
    let filter = Filter::new(folder.path())?;
    let want = fs::read_to_string(script.path.with_extension("out"))?;
    // It writes to a pipe, here and there, is told where its programs are, and is in a folder where it can write.
    let line = format!(
        "mkdir -p {1}; cd {1}; D={0} LC_ALL=C.UTF-8 sh {0}/script 2>&1 | cat",
        folder.path().display(),
        scratch.path().display()
    );
    let places = [("Linux", on_linux as Run), ("the machine", in_machine)];
    for (place, run) in places.into_iter().skip(usize::from(!linux)) {
        let said = filter.apply(&run(script, &files, &line)?);
        if let Some(wrong) = difference(&said, &want) {
            return Ok(Some(format!("    on {place}: {wrong}\n{said}")));
        }
    }
    Ok(None)
}

type Run = fn(&Script, &[PathBuf], &str) -> Result<String>;

fn on_linux(_: &Script, _: &[PathBuf], line: &str) -> Result<String> {
    // A session of its own, as in the machine, where no terminal is.
    let mut shell = Command::new("setsid");
    shell.args(["--wait", BUSYBOX, "sh", "-c", line]);
    shell.env_clear().env("PATH", "/usr/bin:/bin");
    said(shell.env("HOME", "/root"))
}

fn in_machine(script: &Script, files: &[PathBuf], line: &str) -> Result<String> {
    let mut xtask = Command::new(env::current_exe()?);
    xtask.args(["run", "--timeout", TIMEOUT, "--libs"]);
    for file in files {
        xtask.arg("--file").arg(file);
    }
    xtask
        .args(&script.image)
        .args(["--", "/bin/busybox", "sh", "-c", line]);
    said(&mut xtask)
}

/// What a command says on its standard output. It has to end well.
fn said(command: &mut Command) -> Result<String> {
    let command = command.stdin(Stdio::null()).stderr(Stdio::piped());
    let output = command.output().context("starting a script")?;
    ensure!(
        output.status.success(),
        "{}: {}",
        host::command_line(command),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_script_says_what_it_needs() {
        let text = "# About it.\n# image: --file /a\n# image: --file /b\n# programs: x y\necho\n";
        let script = parse("n".into(), Path::new("n.sh").into(), text);
        assert_eq!(script.image, ["--file", "/a", "--file", "/b"]);
        assert_eq!(script.programs, ["x", "y"]);
    }
}
