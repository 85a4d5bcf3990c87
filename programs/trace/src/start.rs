//! Finding what to trace.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use libtrace::Pid;

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

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}
