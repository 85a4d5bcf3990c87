//! `vFile`: files on this side (gdb manual, "Host I/O Packets").

use super::words::Words;
use super::{Reject, need};
use crate::packet::hex;

/// What to do with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileRequest {
    /// `setfs`: as which process paths are to be seen.
    View(i32),
    /// `open`, with the protocol's flags and a mode.
    Open(Vec<u8>, u32, u32),
    /// `close`
    Close(i32),
    /// `pread`
    Read {
        /// The descriptor.
        descriptor: i32,
        /// The most bytes to read.
        count: u64,
        /// Where to begin.
        offset: u64,
    },
    /// `pwrite`
    Write {
        /// The descriptor.
        descriptor: i32,
        /// Where to begin.
        offset: u64,
        /// What to write.
        bytes: Vec<u8>,
    },
    /// `fstat`
    Status(i32),
    /// `unlink`
    Remove(Vec<u8>),
    /// `readlink`
    ReadLink(Vec<u8>),
}

impl FileRequest {
    /// Reads what is behind `vFile:`.
    ///
    /// # Errors
    /// [`Reject`].
    pub fn parse(text: &[u8]) -> Result<FileRequest, Reject> {
        let mut words = Words::new(text);
        let operation = need(words.before(b':'))?;
        let args = words.rest();
        match operation {
            b"setfs" => need(hex::signed(args)).map(FileRequest::View),
            b"open" => need(open(args)),
            b"close" => need(hex::signed(args)).map(FileRequest::Close),
            b"pread" => need(read(args)),
            b"pwrite" => need(write(args)),
            b"fstat" => need(hex::signed(args)).map(FileRequest::Status),
            b"unlink" => need(hex::decode(args)).map(FileRequest::Remove),
            b"readlink" => need(hex::decode(args)).map(FileRequest::ReadLink),
            _ => Err(Reject::Unsupported),
        }
    }
}

fn open(args: &[u8]) -> Option<FileRequest> {
    let mut words = Words::new(args);
    let path = hex::decode(words.before(b',')?)?;
    let flags = hex::number(words.before(b',')?)?.try_into().ok()?;
    let mode = hex::number(words.rest())?.try_into().ok()?;
    Some(FileRequest::Open(path, flags, mode))
}

fn read(args: &[u8]) -> Option<FileRequest> {
    let mut words = Words::new(args);
    Some(FileRequest::Read {
        descriptor: hex::signed(words.before(b',')?)?,
        count: hex::number(words.before(b',')?)?,
        offset: hex::number(words.rest())?,
    })
}

fn write(args: &[u8]) -> Option<FileRequest> {
    let mut words = Words::new(args);
    Some(FileRequest::Write {
        descriptor: hex::signed(words.before(b',')?)?,
        offset: hex::number(words.before(b',')?)?,
        bytes: words.rest().to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_requests() {
        assert_eq!(
            FileRequest::parse(b"open:2f61,601,1a4"),
            Ok(FileRequest::Open(b"/a".to_vec(), 0x601, 0o644))
        );
        assert_eq!(
            FileRequest::parse(b"pwrite:5,10,a,b:c"),
            Ok(FileRequest::Write {
                descriptor: 5,
                offset: 16,
                bytes: b"a,b:c".to_vec()
            })
        );
        assert_eq!(FileRequest::parse(b"lstat:2f"), Err(Reject::Unsupported));
        assert_eq!(FileRequest::parse(b"pread:5"), Err(Reject::Malformed));
    }
}
