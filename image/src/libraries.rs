//! Bringing the interpreter and the shared libraries of dynamic programs along, at the paths they have on this machine.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use object::Endianness::Little;
use object::elf::{DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_STRTAB, PT_LOAD};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};

use crate::archive::Builder;
use crate::content;
use crate::elf::{Header, Segment};
use crate::host;

/// Where the dynamic linker looks last.
const DEFAULT_FOLDERS: [&str; 4] = [
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib",
    "/usr/lib",
];

/// The dynamic linker's list of libraries outside of the default folders.
const CACHE: &str = "/etc/ld.so.cache";

/// What an ELF file asks the dynamic linker for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Needs {
    interpreter: Option<String>,
    libraries: Vec<String>,
    /// RPATH and RUNPATH, not yet expanded.
    folders: Vec<String>,
}

/// Adds what the dynamic programs in the archive need, and what that needs. A library that this machine does not have is an error.
pub fn add(archive: &mut Builder) -> Result<()> {
    let known = known_libraries()?;
    let mut seen: HashSet<PathBuf> = HashSet::new();
    let mut todo: Vec<(String, Needs)> = archive
        .files()
        .map(|(path, bytes)| (path.into(), needs(bytes)))
        .collect();
    while let Some((path, needs)) = todo.pop() {
        let mut found: Vec<PathBuf> = needs.interpreter.iter().map(PathBuf::from).collect();
        for library in &needs.libraries {
            found.push(
                find(library, &path, &needs.folders, &known)
                    .with_context(|| format!("{path} needs {library}, which is not here"))?,
            );
        }
        for library in found {
            let place = library
                .to_str()
                .context("a library's path is not text")?
                .to_owned();
            if archive.has_file(&place) || !seen.insert(library.clone()) {
                continue;
            }
            let bytes = content::read(&library)?;
            todo.push((place.clone(), self::needs(&bytes)));
            archive.file(&place, 0o755, bytes)?;
        }
    }
    if !seen.is_empty() && Path::new(CACHE).is_file() && !archive.has_file(CACHE) {
        archive.file(CACHE, 0o644, content::read(Path::new(CACHE))?)?;
    }
    Ok(())
}

/// The libraries the dynamic linker's cache names, the first of each name, as it would choose.
fn known_libraries() -> Result<HashMap<String, PathBuf>> {
    let list = host::output("/sbin/ldconfig", ["-p"])?;
    let mut known = HashMap::new();
    for (name, path) in list.lines().filter_map(cache_line) {
        known
            .entry(name.to_owned())
            .or_insert_with(|| PathBuf::from(path));
    }
    Ok(known)
}

/// A line such as `libc.so.6 (libc6,x86-64) => /lib/x86_64-linux-gnu/libc.so.6`.
fn cache_line(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.trim().split_once(" (")?;
    let (kind, path) = rest.split_once(") => ")?;
    kind.split(',')
        .any(|word| word.trim() == "x86-64")
        .then_some((name, path))
}

/// Looks a library up as ld.so(8) does: the file's own folders, the cache, the default folders.
fn find(
    library: &str,
    user: &str,
    folders: &[String],
    known: &HashMap<String, PathBuf>,
) -> Option<PathBuf> {
    if library.contains('/') {
        return Some(library.into());
    }
    let origin = Path::new(user).parent()?.to_str()?;
    let own = folders.iter().map(|folder| {
        folder
            .replace("${ORIGIN}", origin)
            .replace("$ORIGIN", origin)
    });
    let own = own
        .map(|folder| Path::new(&folder).join(library))
        .find(|path| path.is_file());
    let default = || {
        DEFAULT_FOLDERS
            .iter()
            .map(|folder| Path::new(folder).join(library))
            .find(|path| path.is_file())
    };
    own.or_else(|| known.get(library).cloned())
        .or_else(default)
        .map(|path| plain(&path))
}

/// The path without `.` and `..`, which an archive does not take.
fn plain(path: &Path) -> PathBuf {
    let crooked = path.components().any(|part| {
        !matches!(
            part,
            std::path::Component::Normal(_) | std::path::Component::RootDir
        )
    });
    if crooked {
        fs::canonicalize(path).unwrap_or_else(|_| path.into())
    } else {
        path.into()
    }
}

/// What the file needs; nothing if it is not a dynamic ELF file, or not one that makes sense.
fn needs(file: &[u8]) -> Needs {
    parse(file).unwrap_or_default()
}

fn parse(file: &[u8]) -> Option<Needs> {
    let header = Header::parse(file).ok()?;
    let segments = header.program_headers(Little, file).ok()?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let mut needs = Needs::default();
    for segment in segments {
        if let Ok(Some(path)) = segment.interpreter(Little, file) {
            needs.interpreter = text(path);
        }
        let Ok(Some(entries)) = segment.dynamic(Little, file) else {
            continue;
        };
        let strings = entries
            .iter()
            .find(|entry| entry.tag32(Little) == Some(DT_STRTAB))?;
        let strings = loaded_at(strings.d_val(Little), segments, file)?;
        for entry in entries {
            let string = || {
                text(
                    strings
                        .get(entry.d_val(Little) as usize..)?
                        .split(|byte| *byte == 0)
                        .next()?,
                )
            };
            match entry.tag32(Little) {
                Some(DT_NEEDED) => needs.libraries.extend(string()),
                Some(DT_RPATH | DT_RUNPATH) => {
                    needs.folders.extend(string()?.split(':').map(String::from))
                }
                _ => (),
            }
        }
    }
    Some(needs)
}

/// The bytes that begin at an address, to the end of the file.
fn loaded_at<'a>(address: u64, segments: &[Segment], file: &'a [u8]) -> Option<&'a [u8]> {
    segments.iter().find_map(|segment| {
        let into = address.checked_sub(segment.p_vaddr(Little))?;
        if segment.p_type(Little) != PT_LOAD || into >= segment.p_filesz(Little) {
            return None;
        }
        let at = segment.p_offset(Little).checked_add(into)?;
        file.get(usize::try_from(at).ok()?..)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dynamic_program_brings_its_interpreter_and_libraries() {
        let mut archive = Builder::new();
        let program = fs::read("/proc/self/exe").unwrap();
        assert!(needs(&program).libraries.contains(&"libc.so.6".to_string()));
        archive.file("/bin/prog", 0o755, program).unwrap();
        add(&mut archive).unwrap();
        assert!(archive.has_file("/lib64/ld-linux-x86-64.so.2"));
        assert!(
            archive
                .files()
                .any(|(path, _)| path.ends_with("/libc.so.6"))
        );
    }

    #[test]
    fn static_programs_and_other_files_bring_nothing() {
        let mut archive = Builder::new();
        archive
            .file("/bin/busybox", 0o755, fs::read(content::BUSYBOX).unwrap())
            .unwrap();
        archive.file("/text", 0o644, b"hello".to_vec()).unwrap();
        archive
            .file("/broken", 0o644, b"\x7fELF\x02\x01\x01".to_vec())
            .unwrap();
        add(&mut archive).unwrap();
        assert_eq!(archive.files().count(), 3);
    }

    #[test]
    fn every_cut_of_a_dynamic_program_is_survived() {
        let program = fs::read("/lib64/ld-linux-x86-64.so.2").unwrap();
        for len in (0..4096).chain((4096..program.len()).step_by(997)) {
            needs(&program[..len]);
        }
    }

    #[test]
    fn cache_lines_of_other_machines_are_skipped() {
        let line =
            "\tlibc.so.6 (libc6,x86-64, OS ABI: Linux 3.2.0) => /lib/x86_64-linux-gnu/libc.so.6";
        assert_eq!(
            cache_line(line),
            Some(("libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6"))
        );
        assert_eq!(cache_line("\tlibc.so.6 (libc6) => /lib32/libc.so.6"), None);
        assert_eq!(
            cache_line("123 libs found in cache `/etc/ld.so.cache'"),
            None
        );
    }
}
