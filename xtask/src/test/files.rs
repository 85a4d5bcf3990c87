//! `cargo xtask image`: its files and its command line are all that is needed.

use std::env;
use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use image::host;

use super::{Tally, report};

/// Writes the files and starts them with the line that was printed, as somebody would who has pasted it into a shell.
pub fn test(filter: Option<&str>) -> Result<Tally> {
    const NAME: &str = "machine::the_printed_line_boots_the_files";
    let mut tally = Tally::default();
    if filter.is_none_or(|filter| NAME.contains(filter)) {
        let failure = boot().err();
        tally.add(report(NAME, failure.is_none()));
        if let Some(failure) = failure {
            println!("    {failure:#}");
        }
    }
    Ok(tally)
}

fn boot() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut xtask = Command::new(env::current_exe()?);
    xtask.args(["image", "-o"]).arg(folder.path());
    let line = host::run(xtask.args(["--", "/bin/busybox", "sh", "-c", "cat; exit 3"]))?.stdout;
    ensure!(
        fs::read(folder.path().join("qemu.txt"))? == line,
        "qemu.txt is not the line that was printed"
    );
    ensure!(
        folder.path().join("share/man/man1/trace.1").is_file(),
        "the manual page is missing"
    );
    let input = folder.path().join("input");
    fs::write(&input, "from outside\n")?;
    // Nothing of ours helps: not the folder we are in, not the environment.
    let output = Command::new("timeout")
        .args(["120", "sh", "-c", &String::from_utf8(line)?])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir("/")
        .stdin(fs::File::open(input)?)
        .stderr(Stdio::piped())
        .output()?;
    let (said, control) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    ensure!(
        said == "from outside\n" && control == "exit 3\n",
        "the machine says {said:?} and {control:?}"
    );
    Ok(())
}
