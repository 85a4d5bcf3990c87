//! Putting a boot archive together; `abi::archive` describes and reads it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use abi::archive::{Entry, HEADER_LEN, Kind, MAGIC, PAGE};
use anyhow::{Context, Result, bail, ensure};

/// The time every file of an archive carries, 2020-01-01 00:00 UTC, so that equal contents give equal archives.
pub const EPOCH: u64 = 1_577_836_800;

/// The files of an archive to be. Everything belongs to root and dates from [`EPOCH`].
#[derive(Clone, Debug, Default)]
pub struct Builder {
    nodes: BTreeMap<String, Node>,
}

#[derive(Clone, Debug)]
struct Node {
    what: What,
    mode: u32,
}

#[derive(Clone, Debug)]
enum What {
    Dir,
    File(Vec<u8>),
    Symlink(String),
}

impl Builder {
    /// An archive without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a folder in, or changes the mode of one that is there.
    pub fn dir(&mut self, path: &str, mode: u32) -> Result<()> {
        self.put(path, What::Dir, mode)
    }

    /// Puts a file in, in place of a file or symbolic link that is there.
    pub fn file(&mut self, path: &str, mode: u32, contents: Vec<u8>) -> Result<()> {
        self.put(path, What::File(contents), mode)
    }

    /// Puts a symbolic link in, in place of a file or symbolic link that is there.
    pub fn symlink(&mut self, path: &str, target: &str) -> Result<()> {
        self.put(path, What::Symlink(target.into()), 0o777)
    }

    /// Says whether there is a file or a symbolic link of this path.
    pub fn has_file(&self, path: &str) -> bool {
        self.nodes
            .get(path)
            .is_some_and(|node| !matches!(node.what, What::Dir))
    }

    /// The path and contents of every regular file.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.nodes
            .iter()
            .filter_map(|(path, node)| match &node.what {
                What::File(contents) => Some((path.as_str(), contents.as_slice())),
                _ => None,
            })
    }

    /// Every folder on the way exists or comes into being with mode 755.
    fn put(&mut self, path: &str, what: What, mode: u32) -> Result<()> {
        check_path(path)?;
        for (slash, _) in path.match_indices('/').skip(1) {
            let parent = Node {
                what: What::Dir,
                mode: 0o755,
            };
            let parent = self.nodes.entry(path[..slash].into()).or_insert(parent);
            ensure!(
                matches!(parent.what, What::Dir),
                "{path} lies in {}, which is not a folder",
                &path[..slash]
            );
        }
        match self.nodes.entry(path.into()) {
            Slot::Vacant(slot) => drop(slot.insert(Node { what, mode })),
            Slot::Occupied(mut slot) => {
                let same = matches!(slot.get().what, What::Dir) == matches!(what, What::Dir);
                ensure!(same, "{path} would be a folder and a file");
                slot.insert(Node { what, mode });
            }
        }
        Ok(())
    }

    /// The archive. Equal contents give equal bytes.
    pub fn build(&self) -> Result<Vec<u8>> {
        // The offsets are encoded in as many bytes as their values need, so the index grows with them: lay out until nothing moves.
        let mut start = PAGE;
        let index = loop {
            let index = self.index(start)?;
            let needed = (HEADER_LEN + index.len()).next_multiple_of(PAGE);
            if needed <= start {
                break index;
            }
            start = needed;
        };
        let mut bytes = Vec::new();
        bytes.extend(MAGIC);
        bytes.extend(
            u32::try_from(index.len())
                .context("the index of the boot archive is too long")?
                .to_le_bytes(),
        );
        bytes.extend([0; 4]);
        bytes.extend(index);
        bytes.resize(start, 0);
        for (_, contents) in self.files() {
            bytes.extend(contents);
            bytes.resize(bytes.len().next_multiple_of(PAGE), 0);
        }
        let pages = u32::try_from(bytes.len() / PAGE).context("the boot archive is too long")?;
        bytes[12..HEADER_LEN].copy_from_slice(&pages.to_le_bytes());
        Ok(bytes)
    }

    /// The index, with the contents of the first file at `offset`.
    fn index(&self, mut offset: usize) -> Result<Vec<u8>> {
        let mut index = Vec::new();
        for (path, node) in &self.nodes {
            let kind = match &node.what {
                What::Dir => Kind::Dir,
                What::Symlink(target) => Kind::Symlink { target },
                What::File(contents) => {
                    let kind = Kind::File {
                        offset: offset as u64,
                        size: contents.len() as u64,
                    };
                    offset += contents.len().next_multiple_of(PAGE);
                    kind
                }
            };
            let entry = Entry {
                path,
                kind,
                mode: node.mode,
                uid: 0,
                gid: 0,
                mtime: EPOCH,
            };
            index = postcard::to_extend(&entry, index)
                .context("encoding an entry of the boot archive")?;
        }
        Ok(index)
    }
}

/// The machine's command, as the contents of `abi::archive::COMMAND_PATH`.
pub fn encode_command(path: &str, args: &[String], env: &[String]) -> Result<Vec<u8>> {
    let mut bytes = postcard::to_stdvec(path)?;
    for list in [args, env] {
        bytes = postcard::to_extend(&u32::try_from(list.len())?, bytes)?;
        for string in list {
            ensure!(
                !string.contains('\0'),
                "an argument or variable contains a zero byte"
            );
            bytes = postcard::to_extend(string.as_str(), bytes)?;
        }
    }
    Ok(bytes)
}

fn check_path(path: &str) -> Result<()> {
    let Some(relative) = path.strip_prefix('/') else {
        bail!("{path} is not an absolute path")
    };
    let good = relative
        .split('/')
        .all(|name| !matches!(name, "" | "." | "..") && !name.contains('\0'));
    ensure!(good, "{path} is not a plain path in the image");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use abi::archive::{Archive, Command, Corrupt, size};

    fn sample() -> Builder {
        let mut builder = Builder::new();
        builder.file("/bin/prog", 0o755, vec![7; 5000]).unwrap();
        builder.symlink("/bin/sh", "prog").unwrap();
        builder.file("/etc/empty", 0o644, Vec::new()).unwrap();
        builder.dir("/tmp", 0o1777).unwrap();
        builder
    }

    #[test]
    fn what_goes_in_comes_out() {
        let bytes = sample().build().unwrap();
        assert_eq!(size(&bytes[..HEADER_LEN]), Ok(bytes.len()));
        let archive = Archive::parse(&bytes).unwrap();
        let entries: Vec<_> = archive.entries().map(|entry| entry.unwrap()).collect();
        let paths: Vec<_> = entries.iter().map(|entry| entry.path).collect();
        assert_eq!(
            paths,
            ["/bin", "/bin/prog", "/bin/sh", "/etc", "/etc/empty", "/tmp"]
        );
        assert_eq!(archive.contents(&entries[1]).unwrap(), vec![7; 5000]);
        assert_eq!(entries[2].kind, Kind::Symlink { target: "prog" });
        assert_eq!(archive.contents(&entries[4]).unwrap(), b"");
        assert_eq!(
            (entries[5].kind, entries[5].mode, entries[5].mtime),
            (Kind::Dir, 0o1777, EPOCH)
        );
        assert_eq!(archive.find("/bin/sh").unwrap(), Some(entries[2]));
        assert_eq!(archive.find("/bin/none").unwrap(), None);
        assert_eq!(archive.contents(&entries[0]), Err(Corrupt));
    }

    #[test]
    fn an_index_longer_than_a_page_moves_the_contents() {
        let mut builder = sample();
        for n in 0..1000 {
            builder
                .file(
                    &format!("/many/file-{n}"),
                    0o644,
                    format!("{n}").into_bytes(),
                )
                .unwrap();
        }
        let bytes = builder.build().unwrap();
        let archive = Archive::parse(&bytes).unwrap();
        let entry = archive.find("/many/file-999").unwrap().unwrap();
        assert_eq!(archive.contents(&entry).unwrap(), b"999");
        assert_eq!(builder.build().unwrap(), bytes);
    }

    #[test]
    fn later_files_replace_earlier_ones_and_keep_off_folders() {
        let mut builder = sample();
        builder.file("/bin/sh", 0o755, b"own".to_vec()).unwrap();
        assert!(builder.has_file("/bin/sh") && !builder.has_file("/bin"));
        assert!(builder.file("/bin", 0o755, Vec::new()).is_err());
        assert!(builder.dir("/bin/sh", 0o755).is_err());
        assert!(builder.file("/bin/sh/below", 0o755, Vec::new()).is_err());
    }

    #[test]
    fn crooked_paths_are_refused() {
        for path in ["", "/", "bin", "/bin/", "/a/../b", "//a", "/a/./b"] {
            assert!(Builder::new().file(path, 0, Vec::new()).is_err(), "{path}");
        }
    }

    /// Reads everything there is to read.
    fn read_all(bytes: &[u8]) -> Result<(), Corrupt> {
        let archive = Archive::parse(bytes)?;
        for entry in archive.entries() {
            let entry = entry?;
            if matches!(entry.kind, Kind::File { .. }) {
                archive.contents(&entry)?;
            }
        }
        Ok(())
    }

    #[test]
    fn every_cut_is_an_error() {
        let bytes = sample().build().unwrap();
        for len in 0..bytes.len() {
            assert_eq!(read_all(&bytes[..len]), Err(Corrupt), "{len}");
        }
    }

    #[test]
    fn no_changed_byte_panics() {
        let bytes = sample().build().unwrap();
        for at in 0..400 {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] = value;
                let _ = read_all(&bytes);
                if at < 8 && bytes[..8] != MAGIC {
                    assert_eq!(read_all(&bytes), Err(Corrupt));
                }
            }
        }
    }

    #[test]
    fn a_broken_index_ends_after_one_error() {
        let mut bytes = sample().build().unwrap();
        bytes[HEADER_LEN] = 0xff;
        let entries: Vec<_> = Archive::parse(&bytes).unwrap().entries().take(10).collect();
        assert_eq!(entries, [Err(Corrupt)]);
    }

    #[test]
    fn commands_come_out_as_they_went_in() {
        let args = ["sh", "-c", "echo äö; exit 7", ""].map(String::from);
        let env = ["PATH=/bin".to_string()];
        let bytes = encode_command("/bin/sh", &args, &env).unwrap();
        let command = Command::parse(&bytes).unwrap();
        assert_eq!(command.path, "/bin/sh");
        assert_eq!(command.args.len(), 4);
        assert!(command.args.eq(&args));
        assert!(command.env.eq(&env));
        for len in 0..bytes.len() {
            assert!(Command::parse(&bytes[..len]).is_err());
        }
        assert!(encode_command("/bin/sh", &["a\0b".into()], &[]).is_err());
    }
}
