//! Where a trace can be written: to a file, or into a command.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// An open output.
#[derive(Debug)]
pub enum Sink {
    /// A file.
    File(File),
    /// The standard input of a command. Dropping it waits for the command's end.
    Command(Child),
    /// Standard error.
    Standard,
}

/// The command that `target` names: what is behind a `|` or a `!`.
pub fn command_of(target: &OsStr) -> Option<&OsStr> {
    match target.as_bytes() {
        [b'|' | b'!', command @ ..] => Some(OsStr::from_bytes(command)),
        _ => None,
    }
}

/// `target` with a task's id behind it: where `-ff` writes.
pub fn of_task(target: &OsStr, task: i32) -> OsString {
    let mut path = target.to_owned();
    path.push(format!(".{task}"));
    path
}

impl Sink {
    /// Opens `target`, at its end if `append` says so, or starts its command.
    ///
    /// # Errors
    /// What opening the file or starting a shell says.
    pub fn open(target: &OsStr, append: bool) -> io::Result<Sink> {
        if let Some(command) = command_of(target) {
            let mut shell = Command::new("/bin/sh");
            shell.arg("-c").arg(command).stdin(Stdio::piped());
            return shell.spawn().map(Sink::Command);
        }
        let mut options = OpenOptions::new();
        options.create(true).write(true);
        match append {
            true => options.append(true),
            false => options.truncate(true),
        };
        options.open(Path::new(target)).map(Sink::File)
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sink::File(file) => file.write(bytes),
            Sink::Command(child) => match &mut child.stdin {
                Some(stdin) => stdin.write(bytes),
                None => Ok(bytes.len()),
            },
            Sink::Standard => io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sink::File(file) => file.flush(),
            _ => Ok(()),
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Sink::Command(child) = self {
            // Its input has to end before it can.
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_replaced_or_appended_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log").into_os_string();
        for (append, text) in [(false, "one\n"), (true, "two\n"), (false, "three\n")] {
            let mut sink = Sink::open(&path, append).unwrap();
            sink.write_all(text.as_bytes()).unwrap();
            drop(sink);
            let expected = if append { "one\ntwo\n" } else { text };
            assert_eq!(std::fs::read_to_string(&path).unwrap(), expected);
        }
    }

    #[test]
    fn a_command_has_ended_when_its_sink_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let target = OsString::from(format!("|tr a-z A-Z >{}", path.display()));
        let mut sink = Sink::open(&target, false).unwrap();
        sink.write_all(b"text\n").unwrap();
        drop(sink);
        assert_eq!(std::fs::read_to_string(path).unwrap(), "TEXT\n");
    }
}
