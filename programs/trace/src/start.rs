//! Finding what to trace.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use libtrace::Pid;
use libtrace::spawn::Identity;

/// The file that `name` means: itself where it has a slash, otherwise the first
/// executable of that name in `PATH`.
///
/// # Errors
/// A message where there is no such file.
pub fn find_program(name: &OsStr) -> Result<PathBuf, String> {
    let missing = |error: &str| format!("Can't stat '{}': {error}", name.display());
    if name.as_bytes().contains(&b'/') {
        return match Path::new(name).metadata() {
            Ok(_) => Ok(PathBuf::from(name)),
            Err(error) => {
                let errno = libtrace::Errno(error.raw_os_error().unwrap_or(0));
                Err(missing(&errno.to_string()))
            }
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| match directory.as_os_str().is_empty() {
            true => PathBuf::from(".").join(name),
            false => directory.join(name),
        })
        .find(|candidate| is_executable(candidate))
        .ok_or_else(|| missing("No such file or directory"))
}

/// The tasks of process `pid`; itself alone where /proc does not tell.
pub fn tasks(pid: Pid) -> Vec<Pid> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/task"));
    let mut tasks: Vec<Pid> = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    if tasks.is_empty() {
        tasks.push(pid);
    }
    tasks.sort_unstable();
    tasks
}

/// The process that task `tid` belongs to.
pub fn process_of(tid: Pid) -> Option<Pid> {
    let status = std::fs::read_to_string(format!("/proc/{tid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Tgid:"))?;
    line.trim().parse().ok()
}

/// The program of process `pid` and its arguments; nothing where /proc does not tell.
pub fn command_of(pid: Pid) -> Vec<OsString> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = line.strip_suffix(b"\0").unwrap_or(&line);
    match words {
        [] => Vec::new(),
        words => words
            .split(|byte| *byte == 0)
            .map(|word| OsStr::from_bytes(word).to_owned())
            .collect(),
    }
}

/// Our environment with the changes of `-E`, as `NAME=VALUE`.
pub fn environment(changes: &[String]) -> Vec<OsString> {
    let mut variables: Vec<OsString> = std::env::vars_os()
        .map(|(mut name, value)| {
            name.push("=");
            name.push(value);
            name
        })
        .collect();
    for change in changes {
        let (name, value) = match change.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (change.as_str(), None),
        };
        let beginning = format!("{name}=");
        let is_it = |variable: &OsString| variable.as_bytes().starts_with(beginning.as_bytes());
        let place = variables.iter().position(is_it);
        match (place, value) {
            (Some(place), Some(_)) => variables[place] = change.into(),
            (None, Some(_)) => variables.push(change.into()),
            (Some(place), None) => {
                variables.remove(place);
            }
            (None, None) => {}
        }
    }
    variables
}

/// Who `user` is, by the system's tables of users and groups.
///
/// # Errors
/// A message where there is no such user.
pub fn identity(user: &str) -> Result<Identity, String> {
    let table = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    identity_in(user, &table("/etc/passwd"), &table("/etc/group"))
        .ok_or_else(|| format!("Cannot find user '{user}'"))
}

fn identity_in(user: &str, users: &str, groups: &str) -> Option<Identity> {
    let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let line = users.lines().map(fields).find(|fields| fields[0] == user)?;
    let (uid, gid) = (line.get(2)?.parse().ok()?, line.get(3)?.parse().ok()?);
    let mut all = vec![gid];
    for group in groups.lines().map(fields) {
        let is_in = group
            .get(3)
            .is_some_and(|members| members.split(',').any(|it| it == user));
        let number: Option<u32> = group.get(2).and_then(|number| number.parse().ok());
        all.extend(number.filter(|number| is_in && *number != gid));
    }
    Some(Identity {
        uid,
        gid,
        groups: all,
    })
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_comes_with_all_groups() {
        let users = "root:x:0:0:root:/root:/bin/sh\nme:x:7:8::/:/bin/sh\n";
        let groups = "root:x:0:\nme:x:8:me\nmore:x:9:you,me\nnot:x:10:you\n";
        let expected = Identity {
            uid: 7,
            gid: 8,
            groups: vec![8, 9],
        };
        assert_eq!(identity_in("me", users, groups), Some(expected));
        assert_eq!(identity_in("nobody", users, groups), None);
    }

    #[test]
    fn variables_are_set_and_removed() {
        let changes = ["TRACE_TEST=a=b", "PATH"].map(str::to_owned);
        let variables = environment(&changes);
        assert_eq!(variables.last().unwrap(), "TRACE_TEST=a=b");
        assert!(
            !variables
                .iter()
                .any(|it| it.as_bytes().starts_with(b"PATH="))
        );
    }
}
