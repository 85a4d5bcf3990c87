//! Which calls use a path: `-P`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::call::Arg;
use crate::cx::{Descriptors, Subject};
use crate::output::message;
use crate::tracee::Ongoing;

/// The paths, and what they lead to. Says so where that is something else, unless `quiet`.
pub fn resolve(paths: &[OsString], quiet: bool) -> Vec<Vec<u8>> {
    let mut resolved = Vec::new();
    for path in paths {
        resolved.push(path.as_bytes().to_vec());
        let Ok(target) = std::fs::canonicalize(Path::new(path)) else {
            continue;
        };
        if target.as_os_str() == path {
            continue;
        }
        if !quiet {
            message(&format!(
                "Requested path \"{}\" resolved into \"{}\"",
                path.display(),
                target.display()
            ));
        }
        resolved.push(target.as_os_str().as_bytes().to_vec());
    }
    resolved
}

/// One of the call's arguments is one of the paths, or a descriptor of it.
pub fn uses(paths: &[Vec<u8>], call: &Ongoing, tracee: &dyn Subject) -> bool {
    const PATH: Descriptors = Descriptors(1);
    let has = |path: &[u8]| paths.iter().any(|wanted| wanted == path);
    call.args().iter().enumerate().any(|(at, arg)| {
        let Some(&value) = call.registers().get(at) else {
            return false;
        };
        match arg {
            Arg::Path => call
                .string(tracee, at)
                .is_some_and(|path| has(path.as_bytes())),
            Arg::Fd | Arg::DirFd if value as i32 >= 0 => tracee
                .descriptor(value as i32, PATH)
                .is_some_and(|path| has(path.trim_matches(['<', '>']).as_bytes())),
            _ => false,
        }
    })
}
