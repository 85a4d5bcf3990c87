//! Which program the words of a command line mean, and which files of this machine go along.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, ensure};
use image::archive::Builder;
use image::content;

/// Where a program without a slash in its name is looked for in the image.
const SEARCH_PATH: [&str; 2] = ["/bin", "/usr/bin"];

/// A program and its arguments at the end of a command line.
#[derive(clap::Args)]
pub struct Command {
    /// A path in the image, or a file of this machine; and its arguments
    #[arg(
        value_name = "PROGRAM [ARG]",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    command: Vec<String>,
}

impl Command {
    /// What PROGRAM is, and its arguments.
    pub fn split(&self) -> (&str, &[String]) {
        let (program, rest) = self.command.split_first().expect("clap requires a program");
        (program, rest)
    }
}

/// The first process's program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its path in the image.
    pub path: String,
    /// Its name for itself, `argv[0]`.
    pub name: String,
}

/// Finds PROGRAM: a path in the image, a name on the image's PATH, or else a file of this machine, which is put into the image as
/// /bin/NAME and started by that path.
///
/// What is none of them is left to the machine, which says that there is no such file.
pub fn find(program: &str, archive: &mut Builder) -> Result<Program> {
    let started_as = |path: &str, name: &str| {
        Ok(Program {
            path: path.into(),
            name: name.into(),
        })
    };
    if archive.has_file(program) {
        return started_as(program, program);
    }
    if !program.contains('/') {
        for folder in SEARCH_PATH {
            let path = format!("{folder}/{program}");
            if archive.has_file(&path) {
                return started_as(&path, program);
            }
        }
    }
    let host = Path::new(program);
    if !host.is_file() {
        return started_as(program, program);
    }
    let name = host
        .file_name()
        .and_then(|name| name.to_str())
        .context("the program's name is not text")?;
    let path = format!("/bin/{name}");
    // It was asked for as a program, so it shall be one here, even where the file cannot be executed.
    archive.file(&path, 0o755, content::read(host)?)?;
    started_as(&path, &path)
}

/// Puts `HOST[:GUEST]` into the image: a file, or a folder with all that is in it.
///
/// Without GUEST an absolute path stays what it is. A relative one begins at the root, where the machine's first process starts, so that
/// the same words name the file on both sides.
pub fn add_file(spec: &str, archive: &mut Builder) -> Result<()> {
    let (host, guest) = match spec.split_once(':') {
        Some((host, guest)) => (host, guest.to_owned()),
        None => (spec, default_guest(Path::new(spec))?),
    };
    let guest = if guest.starts_with('/') {
        guest
    } else {
        format!("/{guest}")
    };
    add(Path::new(host), guest.trim_end_matches('/'), archive)
}

fn add(host: &Path, guest: &str, archive: &mut Builder) -> Result<()> {
    let about = fs::metadata(host).with_context(|| host.display().to_string())?;
    let mode = about.permissions().mode() & 0o7777;
    if !about.is_dir() {
        return archive.file(guest, mode, content::read(host)?);
    }
    if !guest.is_empty() {
        archive.dir(guest, mode)?;
    }
    for entry in fs::read_dir(host)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name
            .to_str()
            .with_context(|| format!("{} is not text", entry.path().display()))?;
        let guest = format!("{guest}/{name}");
        if entry.file_type()?.is_symlink() {
            let target = fs::read_link(entry.path())?;
            let target = target
                .to_str()
                .with_context(|| format!("{} is not text", target.display()))?;
            archive.symlink(&guest, target)?;
        } else {
            add(&entry.path(), &guest, archive)?;
        }
    }
    Ok(())
}

fn default_guest(host: &Path) -> Result<String> {
    let mut guest = PathBuf::from("/");
    for part in host.components() {
        match part {
            Component::Normal(name) => guest.push(name),
            Component::ParentDir => ensure!(
                guest.pop(),
                "{} leads out of the image: say HOST:GUEST",
                host.display()
            ),
            _ => (),
        }
    }
    Ok(guest.to_str().context("the path is not text")?.into())
}

/// The environment of the first process: ours, with `--env` in place of or after it.
pub fn environment(additions: &[String]) -> Result<Vec<String>> {
    let terminal = env::var("TERM").unwrap_or_else(|_| "linux".into());
    let mut variables = vec![
        "PATH=/bin:/usr/bin".into(),
        "HOME=/root".into(),
        format!("TERM={terminal}"),
        "PWD=/".into(),
    ];
    for addition in additions {
        let (name, _) = addition
            .split_once('=')
            .with_context(|| format!("--env {addition} is not NAME=VALUE"))?;
        variables.retain(|variable: &String| {
            variable
                .split_once('=')
                .is_none_or(|(other, _)| other != name)
        });
        variables.push(addition.clone());
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Builder {
        let mut archive = Builder::new();
        archive.file("/bin/busybox", 0o755, Vec::new()).unwrap();
        archive.symlink("/bin/sh", "/bin/busybox").unwrap();
        archive
    }

    fn program(path: &str, name: &str) -> Program {
        Program {
            path: path.into(),
            name: name.into(),
        }
    }

    #[test]
    fn the_image_comes_first() {
        assert_eq!(find("sh", &mut image()).unwrap(), program("/bin/sh", "sh"));
        assert_eq!(
            find("/bin/sh", &mut image()).unwrap(),
            program("/bin/sh", "/bin/sh")
        );
    }

    #[test]
    fn a_file_of_this_machine_is_brought_along() {
        let mut archive = image();
        assert_eq!(
            find("/proc/self/exe", &mut archive).unwrap(),
            program("/bin/exe", "/bin/exe")
        );
        assert!(archive.has_file("/bin/exe"));
    }

    #[test]
    fn what_is_nowhere_is_left_to_the_machine() {
        assert_eq!(
            find("/no/such", &mut image()).unwrap(),
            program("/no/such", "/no/such")
        );
        assert_eq!(find("/tmp", &mut image()).unwrap(), program("/tmp", "/tmp"));
    }

    #[test]
    fn files_land_where_their_path_says() {
        let scratch = tempfile::tempdir().unwrap();
        fs::create_dir(scratch.path().join("sub")).unwrap();
        fs::write(scratch.path().join("sub/a.txt"), "a").unwrap();
        let host = scratch.path().to_str().unwrap();
        let mut archive = image();
        add_file(&format!("{host}/sub/a.txt"), &mut archive).unwrap();
        add_file(&format!("{host}/sub/a.txt:b.txt"), &mut archive).unwrap();
        add_file(&format!("{host}:/data/"), &mut archive).unwrap();
        for path in [
            format!("{host}/sub/a.txt"),
            "/b.txt".into(),
            "/data/sub/a.txt".into(),
        ] {
            assert!(archive.has_file(&path), "{path}");
        }
        assert!(add_file("/no/such/file", &mut archive).is_err());
    }

    #[test]
    fn relative_files_begin_at_the_root() {
        assert_eq!(
            default_guest(Path::new("data/./x.txt")).unwrap(),
            "/data/x.txt"
        );
        assert_eq!(default_guest(Path::new("a/../b")).unwrap(), "/b");
        assert!(default_guest(Path::new("../x")).is_err());
    }

    #[test]
    fn given_variables_replace_ours() {
        let variables = environment(&["HOME=/tmp".into(), "A=1".into(), "A=2=3".into()]).unwrap();
        assert_eq!(
            variables
                .iter()
                .filter(|variable| variable.starts_with("HOME="))
                .collect::<Vec<_>>(),
            ["HOME=/tmp"]
        );
        assert_eq!(variables.last().unwrap(), "A=2=3");
        assert!(environment(&["A".into()]).is_err());
    }
}
