//! A boot archive as Linux's initramfs: the `newc` format of cpio(5).

use abi::archive::{Archive, Kind};
use anyhow::{Result, anyhow};

use crate::archive::EPOCH;

/// What Linux's `st_mode` says of each kind of file.
const S_IFDIR: u32 = 0o040_000;
const S_IFREG: u32 = 0o100_000;
const S_IFLNK: u32 = 0o120_000;
/// The end of the list is an entry of this name.
const TRAILER: &str = "TRAILER!!!";

/// The archive's files with their modes and times, and after them `more`: path, mode and contents of regular files.
///
/// Linux's tmpfs lists the files of a folder from the newest to the oldest, so the last of the archive comes first here.
pub fn initramfs(archive: &[u8], more: &[(&str, u32, &[u8])]) -> Result<Vec<u8>> {
    let corrupt = |_| anyhow!("the boot archive is corrupt");
    let archive = Archive::parse(archive).map_err(corrupt)?;
    let mut bytes = Vec::new();
    put(&mut bytes, 0, ".", S_IFDIR | 0o755, EPOCH as u32, &[])?;
    let mut entries: Vec<_> = archive
        .entries()
        .collect::<Result<_, _>>()
        .map_err(corrupt)?;
    entries.reverse();
    // Folders before what is in them.
    entries.sort_by_key(|entry| entry.path.matches('/').count());
    for (number, entry) in (1..).zip(&entries) {
        let (kind, contents) = match entry.kind {
            Kind::Dir => (S_IFDIR, &[][..]),
            Kind::Symlink { target } => (S_IFLNK, target.as_bytes()),
            Kind::File { .. } => (S_IFREG, archive.contents(entry).map_err(corrupt)?),
        };
        let time = u32::try_from(entry.mtime)?;
        put(
            &mut bytes,
            number,
            entry.path,
            kind | entry.mode,
            time,
            contents,
        )?;
    }
    for (number, (path, mode, contents)) in (1_000_000..).zip(more) {
        put(&mut bytes, number, path, S_IFREG | mode, 0, contents)?;
    }
    put(&mut bytes, 0, TRAILER, 0, 0, &[])?;
    Ok(bytes)
}

/// One entry: thirteen fields of eight hexadecimal digits, the name, the contents, each of the two filled up to a multiple of four.
fn put(
    bytes: &mut Vec<u8>,
    inode: u32,
    path: &str,
    mode: u32,
    time: u32,
    contents: &[u8],
) -> Result<()> {
    let name = path.trim_start_matches('/');
    let (size, name_size) = (u32::try_from(contents.len())?, name.len() + 1);
    let links = 1;
    bytes.extend(
        format!(
            "070701{inode:08x}{mode:08x}{0:08x}{0:08x}{links:08x}{time:08x}{size:08x}{0:08x}{0:08x}{0:08x}{0:08x}{name_size:08x}{0:08x}{name}\0",
            0
        )
        .bytes(),
    );
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes.extend(contents);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Builder;

    #[test]
    fn every_file_has_its_entry() {
        let mut builder = Builder::new();
        builder.file("/bin/prog", 0o755, b"seven".to_vec()).unwrap();
        builder.symlink("/bin/sh", "prog").unwrap();
        let cpio = initramfs(&builder.build().unwrap(), &[("/init", 0o700, b"x")]).unwrap();
        let text = String::from_utf8_lossy(&cpio);
        assert_eq!(text.matches("070701").count(), 6);
        let modes: Vec<_> = text
            .match_indices("070701")
            .map(|(at, _)| &text[at + 14..at + 22])
            .collect();
        assert_eq!(
            modes,
            [
                "000041ed", "000041ed", "0000a1ff", "000081ed", "000081c0", "00000000"
            ]
        );
        assert!(text.contains("bin/prog\0") && text.contains("\0prog0707"));
        assert_eq!(cpio.len() % 4, 0);
    }
}
