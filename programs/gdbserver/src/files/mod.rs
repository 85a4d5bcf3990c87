//! Files on this side, for gdb (gdb manual, "Host I/O Packets").

mod numbers;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use crate::packet::{MAX_PACKET, escape};
use crate::request::FileRequest;

/// The most files that are open at a time.
const MAX_OPEN: usize = 64;

/// gdb's open files.
#[derive(Debug, Default)]
pub struct Files {
    open: BTreeMap<i32, File>,
}

impl Files {
    /// Does what is asked; the answer as it is sent.
    pub fn handle(&mut self, request: FileRequest) -> Vec<u8> {
        match self.perform(request) {
            Ok(answer) => answer,
            Err(error) => {
                let number = numbers::error(error.raw_os_error().unwrap_or(0));
                format!("F-1,{number:x}").into_bytes()
            }
        }
    }

    /// Closes everything.
    pub fn close_all(&mut self) {
        self.open.clear();
    }

    fn perform(&mut self, request: FileRequest) -> io::Result<Vec<u8>> {
        let plain = |result: usize| Ok(format!("F{result:x}").into_bytes());
        match request {
            // Everybody here sees the same files.
            FileRequest::View(_) => plain(0),
            FileRequest::Open(path, flags, mode) => {
                let descriptor = self.free()?;
                let file = open(path_of(&path), flags, mode)?;
                self.open.insert(descriptor, file);
                plain(descriptor as usize)
            }
            FileRequest::Close(descriptor) => {
                self.open.remove(&descriptor).ok_or_else(bad_descriptor)?;
                plain(0)
            }
            FileRequest::Read {
                descriptor,
                count,
                offset,
            } => {
                let mut bytes = vec![0; count.min(MAX_PACKET as u64) as usize];
                let count = self.get(descriptor)?.read_at(&mut bytes, offset)?;
                Ok(with_data(count, &bytes[..count]))
            }
            FileRequest::Write {
                descriptor,
                offset,
                bytes,
            } => plain(self.get(descriptor)?.write_at(&bytes, offset)?),
            FileRequest::Status(descriptor) => {
                let status = numbers::status(&self.get(descriptor)?.metadata()?);
                Ok(with_data(status.len(), &status))
            }
            FileRequest::Remove(path) => {
                fs::remove_file(path_of(&path))?;
                plain(0)
            }
            FileRequest::ReadLink(path) => {
                let target = fs::read_link(path_of(&path))?;
                let target = target.as_os_str().as_bytes();
                Ok(with_data(target.len(), target))
            }
        }
    }

    fn get(&self, descriptor: i32) -> io::Result<&File> {
        self.open.get(&descriptor).ok_or_else(bad_descriptor)
    }

    /// The lowest descriptor that is free.
    fn free(&self) -> io::Result<i32> {
        let mut all = 0..MAX_OPEN as i32;
        let free = all.find(|descriptor| !self.open.contains_key(descriptor));
        free.ok_or_else(|| io::Error::from_raw_os_error(libtrace::Errno::EMFILE.0))
    }
}

fn open(path: &Path, flags: u32, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    match flags & 3 {
        numbers::O_RDONLY => options.read(true),
        numbers::O_WRONLY => options.write(true),
        numbers::O_RDWR => options.read(true).write(true),
        _ => return Err(io::Error::from_raw_os_error(libtrace::Errno::EINVAL.0)),
    };
    // What they mean together is the kernel's business.
    options.custom_flags(numbers::open_flags(flags)).mode(mode);
    options.open(path)
}

fn path_of(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

fn bad_descriptor() -> io::Error {
    io::Error::from_raw_os_error(libtrace::Errno::EBADF.0)
}

fn with_data(result: usize, data: &[u8]) -> Vec<u8> {
    let mut answer = format!("F{result:x};").into_bytes();
    answer.extend(escape(data));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(answer: &[u8]) -> &str {
        std::str::from_utf8(answer).unwrap()
    }

    #[test]
    fn a_file_is_written_read_and_removed() {
        let path = std::env::temp_dir().join(format!("gdbserver-{}", std::process::id()));
        let name = path.as_os_str().as_bytes().to_vec();
        let mut files = Files::default();
        let flags = numbers::O_RDWR | 0x200 | 0x400;
        let opened = files.handle(FileRequest::Open(name.clone(), flags, 0o600));
        assert_eq!(text(&opened), "F0");
        let bytes = b"a}b".to_vec();
        let written = files.handle(FileRequest::Write {
            descriptor: 0,
            offset: 1,
            bytes,
        });
        assert_eq!(text(&written), "F3");
        let read = |offset| FileRequest::Read {
            descriptor: 0,
            count: 9,
            offset,
        };
        assert_eq!(files.handle(read(0)), b"F4;\0a}]b");
        assert_eq!(files.handle(read(9)), b"F0;");
        let status = files.handle(FileRequest::Status(0));
        assert!(status.starts_with(b"F40;"));
        assert_eq!(text(&files.handle(FileRequest::Close(0))), "F0");
        assert_eq!(text(&files.handle(FileRequest::Close(0))), "F-1,9");
        assert_eq!(text(&files.handle(FileRequest::Remove(name.clone()))), "F0");
        let again = FileRequest::Open(name, numbers::O_RDONLY, 0);
        assert_eq!(text(&files.handle(again)), "F-1,2");
    }

    #[test]
    fn there_is_a_limit() {
        let mut files = Files::default();
        let open = || FileRequest::Open(b"/dev/null".to_vec(), 0, 0);
        for _ in 0..MAX_OPEN {
            assert!(files.handle(open()).starts_with(b"F"));
        }
        assert_eq!(text(&files.handle(open())), "F-1,18");
    }
}
