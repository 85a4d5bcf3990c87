//! Which program gdb can start, and how.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use libtrace::launch::Launch;
use libtrace::{Errno, Result};

/// The shell that programs are started by, where that is wanted.
const SHELL: &str = "/bin/sh";

/// What is started next.
#[derive(Debug)]
pub struct Programs {
    /// The program and its arguments, the first its name for itself.
    command: Vec<OsString>,
    environment: BTreeMap<OsString, OsString>,
    /// The folder it starts in, where not ours.
    pub folder: Option<PathBuf>,
    /// Its addresses are to be the same each time.
    pub fixed_addresses: bool,
    /// A shell starts it.
    pub shell: bool,
    /// Its standard streams are not ours.
    pub apart: bool,
}

impl Programs {
    /// Nothing to start yet but `command`, which may be empty.
    pub fn new(command: Vec<OsString>, apart: bool) -> Programs {
        Programs {
            command,
            environment: env::vars_os().collect(),
            folder: None,
            fixed_addresses: true,
            shell: false,
            apart,
        }
    }

    /// The next program is this one; without a name, the one before with these arguments.
    ///
    /// # Errors
    /// `ENOENT` without a name where there was none before.
    pub fn set_command(&mut self, program: Option<Vec<u8>>, args: Vec<Vec<u8>>) -> Result<()> {
        let program = match program {
            Some(program) => OsString::from_vec(program),
            None => self.command.first().ok_or(Errno::ENOENT)?.clone(),
        };
        let args = args.into_iter().map(OsString::from_vec);
        self.command = std::iter::once(program).chain(args).collect();
        Ok(())
    }

    /// How to start it, and how many other programs come before it.
    ///
    /// # Errors
    /// `ENOENT` where there is no such program.
    pub fn launch(&self) -> Result<(Launch, u32)> {
        let name = self.command.first().ok_or(Errno::ENOENT)?;
        let program = self.find(name).ok_or(Errno::ENOENT)?;
        let (program, args, others) = match self.shell {
            true => {
                let words = self.command[1..].iter().map(|word| quoted(word));
                let mut line = quoted(program.as_os_str());
                line.extend(words.flat_map(|word| [vec![b' '], word].concat()));
                let line = OsString::from_vec([b"exec ".to_vec(), line].concat());
                let args = vec!["sh".into(), "-c".into(), line];
                (PathBuf::from(SHELL), args, 1)
            }
            false => (program, self.command.clone(), 0),
        };
        let variables = self.environment.iter();
        let environment = variables.map(|(name, value)| {
            let mut variable = name.clone();
            variable.push("=");
            variable.push(value);
            variable
        });
        let launch = Launch {
            program,
            args,
            environment: environment.collect(),
            folder: self.folder.clone(),
            fixed_addresses: self.fixed_addresses,
            apart: self.apart,
        };
        Ok((launch, others))
    }

    /// Sets `NAME=VALUE`.
    pub fn set_variable(&mut self, variable: &str) {
        if let Some((name, value)) = variable.split_once('=') {
            self.environment.insert(name.into(), value.into());
        }
    }

    /// Programs do not get variable `name`.
    pub fn unset_variable(&mut self, name: &str) {
        self.environment.remove(OsStr::new(name));
    }

    /// The environment is ours again.
    pub fn reset_variables(&mut self) {
        self.environment = env::vars_os().collect();
    }

    /// The file that a name means: itself where it has a slash, or else the first executable of that
    /// name in `PATH`.
    fn find(&self, name: &OsStr) -> Option<PathBuf> {
        if name.as_bytes().contains(&b'/') {
            return Some(PathBuf::from(name));
        }
        let path = self.environment.get(OsStr::new("PATH"))?;
        env::split_paths(path)
            .map(|folder| folder.join(name))
            .find(|file| is_executable(file))
    }
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

/// A word as a shell takes it for itself.
fn quoted(word: &OsStr) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for &byte in word.as_bytes() {
        match byte {
            b'\'' => quoted.extend(b"'\\''"),
            byte => quoted.push(byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_gets_quoted_words() {
        let mut programs = Programs::new(vec!["/bin/echo".into(), "it's".into()], false);
        programs.shell = true;
        let (launch, others) = programs.launch().unwrap();
        assert_eq!(launch.args[2], "exec '/bin/echo' 'it'\\''s'");
        assert_eq!((launch.program, others), (PathBuf::from(SHELL), 1));
    }

    #[test]
    fn the_environment_can_be_changed() {
        let mut programs = Programs::new(vec!["sh".into()], false);
        programs.set_variable("STILLPOINT=a=b");
        let has = |programs: &Programs| {
            let launch = programs.launch().unwrap().0;
            launch.environment.contains(&"STILLPOINT=a=b".into())
        };
        assert!(has(&programs));
        programs.unset_variable("STILLPOINT");
        assert!(!has(&programs));
    }

    #[test]
    fn a_name_is_looked_for_in_the_programs_own_path() {
        let mut programs = Programs::new(Vec::new(), false);
        assert_eq!(programs.launch().map(drop), Err(Errno::ENOENT));
        assert_eq!(programs.set_command(None, vec![]), Err(Errno::ENOENT));
        programs.set_variable("PATH=/nowhere:/bin");
        programs.set_command(Some(b"sh".to_vec()), vec![]).unwrap();
        assert_eq!(programs.launch().unwrap().0.program, Path::new("/bin/sh"));
        programs.set_variable("PATH=/nowhere");
        assert_eq!(programs.launch().map(drop), Err(Errno::ENOENT));
    }
}
