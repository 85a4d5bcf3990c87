//! The machine: QEMU's command line.
//!
//! | channel | device | what it carries |
//! |---|---|---|
//! | console | COM1 | the program's standard input (see [`framing`]) and output |
//! | log | debug console at port 0xe9 | the program's standard error and everything the servers say |
//! | control | debug console at port 0xe8 | lines that say how the run ended (see [`Outcome::parse`]) |
//! | export | debug console at port 0xe7, only if asked for | what a program writes to /dev/export |
//! | debugger | COM2, only if asked for | the remote protocol of a debugger |
//!
//! The machine ends when the root task writes to port 0x501. COM1 has to be drained before that (line status 0x60): QEMU leaves at once,
//! with what is still in the device.

pub mod framing;
mod outcome;
mod run;

use std::path::PathBuf;
use std::process::Command;

pub use outcome::{FAILED, Outcome};
pub use run::{Run, Stopper, Times, start};

/// The emulator's program.
pub const QEMU: &str = "qemu-system-x86_64";

/// One tick for each instruction. The time of day is an input, too: it seeds /dev/urandom.
pub const ICOUNT: [&str; 4] = [
    "-icount",
    "shift=0,align=off,sleep=off",
    "-rtc",
    "base=2026-01-01T00:00:00,clock=vm",
];

/// What the machine is given.
#[derive(Clone, Debug)]
pub struct Config {
    /// The kernel's ELF file.
    pub kernel: PathBuf,
    /// The root task with the boot archive.
    pub root: PathBuf,
    /// Memory in MiB.
    pub memory: u32,
    /// Count instructions: one tick of the time-stamp counter is one instruction, and every run with the same input is the same run.
    pub icount: bool,
    /// The kernel is a debug kernel. Its messages, which it would put between the program's output on COM1, go to the log.
    pub debug_kernel: bool,
    /// Where COM2 leads.
    pub debugger: Option<Debugger>,
    /// The file that what is written to /dev/export goes to.
    pub export: Option<PathBuf>,
}

/// The other end of COM2. The machine runs without waiting for anyone.
#[derive(Clone, Debug)]
pub enum Debugger {
    /// A TCP port of this machine's loopback, where QEMU listens.
    Port(u16),
    /// A Unix socket, where somebody listens whom QEMU connects to.
    Socket(PathBuf),
}

/// Where the machine's channels lead: QEMU's character devices, without their ids.
pub struct Channels<'a> {
    /// COM1.
    pub console: &'a str,
    /// Port 0xe9.
    pub log: &'a str,
    /// Port 0xe8.
    pub control: &'a str,
}

/// QEMU for a machine.
///
/// `-nodefaults` leaves away the network card, the display and the drives: nothing drives them, and their firmware would take longer to
/// start than the kernel does.
pub fn command(config: &Config, channels: &Channels) -> Command {
    let mut qemu = Command::new(QEMU);
    // An Intel model: others have no `sysenter` in 64-bit mode.
    qemu.args([
        "-accel",
        "tcg",
        "-cpu",
        "Nehalem",
        "-m",
        &config.memory.to_string(),
    ]);
    qemu.args([
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-no-reboot",
    ]);
    let Channels {
        console,
        log,
        control,
    } = channels;
    qemu.args([
        "-chardev",
        &with_id(console, "console"),
        "-serial",
        "chardev:console",
    ]);
    if let Some(debugger) = &config.debugger {
        let socket = match debugger {
            Debugger::Port(port) => {
                format!("socket,host=127.0.0.1,port={port},server=on,wait=off,nodelay=on")
            }
            Debugger::Socket(path) => format!("socket,path={}", path.display()),
        };
        qemu.args([
            "-chardev",
            &with_id(&socket, "debugger"),
            "-serial",
            "chardev:debugger",
        ]);
    }
    for (chardev, id, port) in [(log, "log", "0xe9"), (control, "control", "0xe8")] {
        qemu.args(["-chardev", &with_id(chardev, id)]);
        qemu.args([
            "-device",
            &format!("isa-debugcon,iobase={port},chardev={id}"),
        ]);
    }
    if let Some(path) = &config.export {
        let file = format!("file,path={}", path.display());
        qemu.args(["-chardev", &with_id(&file, "export")]);
        qemu.args(["-device", "isa-debugcon,iobase=0xe7,chardev=export"]);
    }
    qemu.args(["-device", "isa-debug-exit,iobase=0x501,iosize=4"]);
    if config.icount {
        qemu.args(ICOUNT);
    }
    if config.debug_kernel {
        // The kernel asks port 0xe9 + 5 whether it may write, and where there is no device every bit reads as set.
        qemu.args(["-append", "console_port=0xe9 debug_port=0xe9"]);
    }
    qemu.arg("-kernel")
        .arg(&config.kernel)
        .arg("-initrd")
        .arg(&config.root);
    qemu
}

/// A character device's options with its id, which comes second.
fn with_id(chardev: &str, id: &str) -> String {
    match chardev.split_once(',') {
        Some((kind, options)) => format!("{kind},id={id},{options}"),
        None => format!("{chardev},id={id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::command_line;

    #[test]
    fn the_command_line_names_every_channel() {
        let config = Config {
            kernel: "kernel32.elf".into(),
            root: "root.elf".into(),
            memory: 512,
            icount: true,
            debug_kernel: false,
            debugger: Some(Debugger::Port(1234)),
            export: Some("export".into()),
        };
        let channels = Channels {
            console: "stdio,signal=off",
            log: "file,path=log",
            control: "file,path=control",
        };
        assert_eq!(
            command_line(&command(&config, &channels)),
            "qemu-system-x86_64 -accel tcg -cpu Nehalem -m 512 -nodefaults -no-user-config -display none -no-reboot \
             -chardev stdio,id=console,signal=off -serial chardev:console \
             -chardev socket,id=debugger,host=127.0.0.1,port=1234,server=on,wait=off,nodelay=on -serial chardev:debugger \
             -chardev file,id=log,path=log -device isa-debugcon,iobase=0xe9,chardev=log \
             -chardev file,id=control,path=control -device isa-debugcon,iobase=0xe8,chardev=control \
             -chardev file,id=export,path=export -device isa-debugcon,iobase=0xe7,chardev=export \
             -device isa-debug-exit,iobase=0x501,iosize=4 -icount shift=0,align=off,sleep=off \
             -rtc base=2026-01-01T00:00:00,clock=vm \
             -kernel kernel32.elf -initrd root.elf"
        );
    }
}
