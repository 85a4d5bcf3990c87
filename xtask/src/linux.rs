//! `cargo xtask linux`: the same program with the same files under Debian's Linux, in the same emulator. The tests' records and the
//! bench's comparisons come from here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use image::{cpio, host, qemu, workspace};

use crate::Status;
use crate::machine::Options;
use crate::program;

/// Debian's package that depends on its current kernel.
const PACKAGE: &str = "linux-image-amd64";
/// Nothing random in it, no vDSO, as the machine has none, and nothing said: standard output is the program's.
const COMMAND_LINE: &str = "console=ttyS0 quiet loglevel=0 mitigations=off norandmaps nokaslr tsc=reliable panic=-1 vdso=0 rdinit=/boot/init";
/// What the last line begins with: the program's status comes after it.
const END: &str = "@@ the program ended with ";

/// Boots Debian's Linux with PROGRAM instead of the machine. Standard error comes with standard output; there is no standard input.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    command: program::Command,
}

/// Fetches the kernel if it is not there, boots, runs.
pub fn main(args: Args) -> Status {
    let kernel = kernel()?;
    let (program, rest) = args.command.split();
    let mut words = Vec::new();
    let archive = args.options.archive(Box::new(|archive| {
        let program = program::find(program, archive)?;
        words.push(program.path.clone());
        words.extend_from_slice(rest);
        Ok((program, rest.to_vec()))
    }))?;
    let init = init(&words, &args.options.environment()?);
    let files = cpio::initramfs(&archive.build()?, &[("/boot/init", 0o700, init.as_bytes())])?;
    let initrd = tempfile::NamedTempFile::new()?;
    fs::write(initrd.path(), files).context("writing the initramfs")?;
    boot(&args.options, &kernel, initrd.path())
}

/// Linux's first process: makes what the machine has without being asked, and runs the program with the same environment.
fn init(words: &[String], environment: &[String]) -> String {
    let mut command = Command::new("/bin/busybox");
    command.args(["env", "-i"]).args(environment).args(words);
    format!(
        "#!/bin/busybox sh
[ $1 ] || exec busybox setsid $0 again
busybox hostname stillpoint
busybox mount -t proc proc /proc
busybox mount -t devtmpfs dev /dev
busybox mkdir -p /dev/pts /dev/shm
busybox mount -t devpts pts /dev/pts
busybox mount -t tmpfs -o mode=1777 shm /dev/shm
busybox mount -t tmpfs -o mode=1777 tmp /tmp
busybox stty -F /dev/console -opost
umask 022
busybox dd if=/dev/random of=/dev/null bs=1 count=1 2>/dev/null
{} </dev/null
echo; echo \"{END}$?\"
busybox poweroff -f
",
        host::command_line(&command)
    )
}

/// Runs QEMU and shows what comes before the last line.
fn boot(options: &Options, kernel: &Path, initrd: &Path) -> Status {
    let mut qemu = Command::new(qemu::QEMU);
    qemu.args([
        "-accel",
        "tcg",
        "-cpu",
        "Nehalem,+fsgsbase,+pdpe1gb",
        "-nodefaults",
    ]);
    qemu.args([
        "-no-user-config",
        "-display",
        "none",
        "-no-reboot",
        "-serial",
        "stdio",
    ]);
    qemu.args(["-m", &options.qemu("", "").memory.to_string()]);
    if options.qemu("", "").icount {
        qemu.args(qemu::ICOUNT);
    }
    qemu.args(["-append", COMMAND_LINE, "-kernel"])
        .arg(kernel)
        .arg("-initrd")
        .arg(initrd);
    let started = Instant::now();
    let output = qemu
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("starting QEMU")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "QEMU failed: {}\n{text}",
        output.status
    );
    let Some((text, status)) = text.rsplit_once(&format!("\n{END}")) else {
        bail!(
            "Linux ended without the program after {:?}:\n{text}",
            started.elapsed()
        );
    };
    print!("{text}");
    status.trim().parse().context("the program's status")
}

/// Debian's kernel, of the package that is current here.
fn kernel() -> Result<PathBuf> {
    let folder = workspace::machine_folder().join("linux");
    let have = |folder: &Path| -> Option<PathBuf> {
        let entries = fs::read_dir(folder.join("boot")).ok()?;
        entries.flatten().map(|entry| entry.path()).find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz"))
        })
    };
    if let Some(kernel) = have(&folder) {
        return Ok(kernel);
    }
    fs::create_dir_all(&folder)?;
    let depends = host::output("apt-cache", ["depends", PACKAGE])?;
    let package = depends
        .lines()
        .find_map(|line| line.trim().strip_prefix("Depends: "))
        .with_context(|| format!("apt knows no {PACKAGE}"))?;
    host::run(
        Command::new("apt-get")
            .args(["download", package])
            .current_dir(&folder),
    )?;
    let package = fs::read_dir(&folder)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|e| e == "deb"))
        .context("apt-get fetched nothing")?;
    // Only the kernel: there is nothing in the emulator that a module would be for.
    host::run(
        Command::new("sh")
            .args([
                "-c",
                "dpkg-deb --fsys-tarfile \"$0\" | tar x --wildcards './boot/vmlinuz-*'",
            ])
            .arg(&package)
            .current_dir(&folder),
    )?;
    fs::remove_file(&package)?;
    have(&folder).context("the package has no kernel")
}
