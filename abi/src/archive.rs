//! The boot archive: the files the machine starts with, and the command it runs.
//!
//! The layout, all numbers little-endian:
//!
//! | at | what |
//! |---|---|
//! | 0 | [`MAGIC`] |
//! | 8 | `u32`: bytes of the index |
//! | 12 | `u32`: pages of the whole archive |
//! | 16 | the index: one postcard-encoded [`Entry`] after the other, sorted by path |
//! | the next multiple of [`PAGE`] | the contents of the files, each from a page boundary and filled up with zeros to the next |
//!
//! Contents lie on pages so that a server can map a file instead of copying it. Every folder that holds something has an entry of its own,
//! ahead of what it holds; only the root folder has none.
//!
//! Reading never panics, whatever the bytes are.

use core::fmt;

use postcard::take_from_bytes;
use serde::{Deserialize, Serialize};

/// The first bytes of an archive.
pub const MAGIC: [u8; 8] = *b"STILLPT1";

/// The size of a page, and the alignment of every file's contents.
pub const PAGE: usize = 4096;

/// Bytes ahead of the index.
pub const HEADER_LEN: usize = 16;

/// The path of the file that holds the encoded [`Command`].
pub const COMMAND_PATH: &str = "/boot/command";
/// A file that says that the console is a terminal: its rows and columns, two bytes each,
/// little-endian.
pub const TERMINAL_PATH: &str = "/boot/terminal";

/// The archive is not what this module describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the boot archive is corrupt")
    }
}

impl core::error::Error for Corrupt {}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind<'a> {
    /// A folder.
    Dir,
    /// A regular file.
    File {
        /// Where the contents begin, in bytes from the start of the archive; a multiple of [`PAGE`].
        offset: u64,
        /// How many bytes there are.
        size: u64,
    },
    /// A symbolic link.
    Symlink {
        /// What it points to, as readlink(2) tells it.
        target: &'a str,
    },
}

/// One file, folder or symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry<'a> {
    /// The absolute path, without a slash at the end, `.` or `..`.
    pub path: &'a str,
    /// What it is.
    pub kind: Kind<'a>,
    /// The permission bits of `st_mode`, with set-user-id, set-group-id and the sticky bit (`mode & 0o7777`).
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The owner's group.
    pub gid: u32,
    /// The time of the last change, in seconds since 1970.
    pub mtime: u64,
}

/// An archive in memory.
#[derive(Clone, Copy, Debug)]
pub struct Archive<'a> {
    bytes: &'a [u8],
    index: &'a [u8],
}

/// The size in bytes of the archive that starts with `header`, which needs to hold only the first [`HEADER_LEN`] bytes.
pub fn size(header: &[u8]) -> Result<usize, Corrupt> {
    if header.get(..8) != Some(&MAGIC) {
        return Err(Corrupt);
    }
    (number(header, 12)? as usize)
        .checked_mul(PAGE)
        .ok_or(Corrupt)
}

impl<'a> Archive<'a> {
    /// Looks at the header. `bytes` may go on behind the end of the archive.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Corrupt> {
        let bytes = bytes.get(..size(bytes)?).ok_or(Corrupt)?;
        let index = bytes.get(HEADER_LEN..).ok_or(Corrupt)?;
        let index = index.get(..number(bytes, 8)? as usize).ok_or(Corrupt)?;
        Ok(Self { bytes, index })
    }

    /// Every entry, in the order of the paths. After an error there is nothing more.
    pub fn entries(&self) -> Entries<'a> {
        Entries { rest: self.index }
    }

    /// The entry of exactly this path; symbolic links are not followed.
    pub fn find(&self, path: &str) -> Result<Option<Entry<'a>>, Corrupt> {
        self.entries()
            .find(|entry| entry.map_or(true, |entry| entry.path == path))
            .transpose()
    }

    /// The contents of a file. Anything else is an error.
    pub fn contents(&self, entry: &Entry<'a>) -> Result<&'a [u8], Corrupt> {
        let Kind::File { offset, size } = entry.kind else {
            return Err(Corrupt);
        };
        let offset = usize::try_from(offset).map_err(|_| Corrupt)?;
        let size = usize::try_from(size).map_err(|_| Corrupt)?;
        if offset % PAGE != 0 {
            return Err(Corrupt);
        }
        self.bytes
            .get(offset..)
            .and_then(|bytes| bytes.get(..size))
            .ok_or(Corrupt)
    }
}

/// Iterator over the entries of an archive.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, Corrupt>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        Some(take(&mut self.rest))
    }
}

/// What the machine starts: the contents of [`COMMAND_PATH`].
///
/// Encoded as postcard's: the path, the number of arguments as `u32`, the arguments, the number of variables as `u32`, the variables.
#[derive(Clone, Debug)]
pub struct Command<'a> {
    /// The path of the program.
    pub path: &'a str,
    /// The arguments, beginning with the program's name for itself.
    pub args: Strings<'a>,
    /// The environment, each as `NAME=value`.
    pub env: Strings<'a>,
}

impl<'a> Command<'a> {
    /// Reads an encoded command and checks it to the end, so that the iterators cannot fail later.
    pub fn parse(mut bytes: &'a [u8]) -> Result<Self, Corrupt> {
        let path = take(&mut bytes)?;
        let args = Strings::take(&mut bytes)?;
        let env = Strings::take(&mut bytes)?;
        if bytes.is_empty() {
            Ok(Self { path, args, env })
        } else {
            Err(Corrupt)
        }
    }
}

/// Iterator over a command's arguments or its environment.
#[derive(Clone, Debug)]
pub struct Strings<'a> {
    left: u32,
    rest: &'a [u8],
}

impl<'a> Strings<'a> {
    fn take(bytes: &mut &'a [u8]) -> Result<Self, Corrupt> {
        let left = take(bytes)?;
        let strings = Self { left, rest: bytes };
        for _ in 0..left {
            take::<&str>(bytes)?;
        }
        Ok(strings)
    }
}

impl<'a> Iterator for Strings<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.left = self.left.checked_sub(1)?;
        Some(take(&mut self.rest).expect("Strings::take has read every string"))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Strings<'_> {}

/// Decodes one value and moves on behind it; after an error nothing is left.
fn take<'a, T: Deserialize<'a>>(bytes: &mut &'a [u8]) -> Result<T, Corrupt> {
    let (value, rest) = take_from_bytes(bytes).map_err(|_| {
        *bytes = &[];
        Corrupt
    })?;
    *bytes = rest;
    Ok(value)
}

fn number(bytes: &[u8], at: usize) -> Result<u32, Corrupt> {
    let bytes = bytes
        .get(at..)
        .and_then(|bytes| bytes.first_chunk())
        .ok_or(Corrupt)?;
    Ok(u32::from_le_bytes(*bytes))
}
