//! What a decoder works with: one system call of one tracee, and the text so far.

use std::fmt::Write as _;

use bytemuck::Pod;
use libtrace::Errno;

use crate::quote::{self, Hex, Style};

/// A tracee, as far as a decoder sees it.
pub trait Subject {
    /// Reads up to `buffer.len()` bytes at `addr`, and returns how many were there.
    fn read(&self, addr: u64, buffer: &mut [u8]) -> usize;
    /// The tracee's stack pointer in the present stop.
    fn stack_pointer(&self) -> u64;
    /// What is behind a file descriptor, as `-y` prints it, angle brackets included.
    fn descriptor(&self, fd: i32, wanted: Descriptors) -> Option<String>;
    /// The working directory, in the same way.
    fn working_directory(&self) -> Option<String>;
}

/// What is printed about a file descriptor: bit 0 its path, bit 1 a socket's addresses, bit 2 a
/// device's number, bit 3 a pidfd's process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Descriptors(pub u64);

impl Descriptors {
    /// A path, or at least a type and a number.
    pub fn path(self) -> bool {
        self.0 & 1 != 0
    }

    /// What a socket is connected to.
    pub fn socket(self) -> bool {
        self.0 & 2 != 0
    }

    /// The number of a device.
    pub fn device(self) -> bool {
        self.0 & 4 != 0
    }

    /// The process behind a pidfd.
    pub fn process(self) -> bool {
        self.0 & 8 != 0
    }
}

/// How arguments are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// How much of a string: `-s`.
    pub limit: usize,
    /// Which strings in hexadecimal: `-x`.
    pub hex: Hex,
    /// Structures in full: `-v`.
    pub verbose: bool,
    /// Numbers only: `-e raw`.
    pub raw: bool,
    /// What is printed behind file descriptors: `-y`.
    pub descriptors: Descriptors,
}

/// A system call being printed, at its entry or at its exit.
pub struct Cx<'a> {
    /// What has been printed in this stop.
    pub text: String,
    /// Where in it arguments begin that follow others.
    pub cuts: Vec<usize>,
    /// The arguments as they were at the entry.
    pub args: [u64; 6],
    /// The result; `None` at the entry.
    pub outcome: Option<Result<i64, Errno>>,
    /// What the length that the call reads and writes was at the entry.
    pub length: Option<u32>,
    /// How to print.
    pub look: Look,
    /// The tracee.
    pub tracee: &'a dyn Subject,
}

impl Cx<'_> {
    /// The call has come back with an error.
    pub fn failed(&self) -> bool {
        matches!(self.outcome, Some(Err(_)))
    }

    /// The result, or 0 where there is none.
    pub fn returned(&self) -> u64 {
        match self.outcome {
            Some(Ok(value)) => value as u64,
            _ => 0,
        }
    }

    /// Prints `text`.
    pub fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Ends an argument and begins the next.
    pub fn comma(&mut self) {
        self.put(", ");
        self.cuts.push(self.text.len());
    }

    /// Prints a file descriptor.
    pub fn fd(&mut self, fd: i32) {
        let text = self.fd_text(fd);
        self.put(&text);
    }

    /// A file descriptor as it is printed.
    pub fn fd_text(&self, fd: i32) -> String {
        let wanted = self.look.descriptors;
        let about = (fd >= 0 && wanted != Descriptors::default())
            .then(|| self.tracee.descriptor(fd, wanted))
            .flatten();
        match about {
            Some(about) => format!("{fd}{about}"),
            None => fd.to_string(),
        }
    }

    /// Prints the file descriptor that stands for the working directory.
    pub fn working_directory(&mut self) {
        self.put("AT_FDCWD");
        let about = self
            .look
            .descriptors
            .path()
            .then(|| self.tracee.working_directory());
        if let Some(about) = about.flatten() {
            self.put(&about);
        }
    }

    /// Prints text in quotes.
    pub fn quote(&mut self, bytes: &[u8]) {
        quote::quote(&mut self.text, bytes, self.look.hex.style_of(bytes));
    }

    /// Prints `value` in decimal.
    pub fn int(&mut self, value: impl std::fmt::Display) {
        let _ = write!(self.text, "{value}");
    }

    /// Prints `value` in hexadecimal, zero as `0`.
    pub fn hex(&mut self, value: u64) {
        let _ = match value {
            0 => write!(self.text, "0"),
            _ => write!(self.text, "{value:#x}"),
        };
    }

    /// Prints an address.
    pub fn addr(&mut self, addr: u64) {
        match addr {
            0 => self.put("NULL"),
            _ => self.hex(addr),
        }
    }

    /// Prints `value` in octal with a leading zero and at least three digits, as modes are.
    pub fn mode(&mut self, value: u64) {
        let _ = write!(self.text, "0{value:02o}");
    }

    /// Reads a value of the tracee's memory; `None` where not all of it is there.
    pub fn load<T: Pod>(&self, addr: u64) -> Option<T> {
        let mut value = T::zeroed();
        if addr == 0 {
            return None;
        }
        let bytes = bytemuck::bytes_of_mut(&mut value);
        let wanted = bytes.len();
        (self.tracee.read(addr, bytes) == wanted).then_some(value)
    }

    /// Reads `count` values; `None` where not all of them are there.
    pub fn load_array<T: Pod>(&self, addr: u64, count: usize) -> Option<Vec<T>> {
        let mut values = vec![T::zeroed(); count];
        if addr == 0 {
            return None;
        }
        let bytes = bytemuck::cast_slice_mut(&mut values);
        let wanted = bytes.len();
        (self.tracee.read(addr, bytes) == wanted).then_some(values)
    }

    /// Reads a value and prints it with `print`; prints the address where there is no
    /// value, because the call failed or the address is not readable.
    pub fn out<T: Pod>(&mut self, addr: u64, print: impl FnOnce(&mut Self, &T)) {
        match self.load(addr) {
            Some(value) if !self.failed() => print(self, &value),
            _ => self.addr(addr),
        }
    }

    /// As [`out`](Self::out), for what the call reads.
    pub fn given<T: Pod>(&mut self, addr: u64, print: impl FnOnce(&mut Self, &T)) {
        match self.load(addr) {
            Some(value) => print(self, &value),
            None => self.addr(addr),
        }
    }

    /// Prints an array of at most `-s` elements in brackets; its address where it cannot
    /// be read.
    pub fn array<T: Pod>(&mut self, addr: u64, count: usize, print: impl Fn(&mut Self, &T)) {
        if addr != 0 && count == 0 {
            return self.put("[]");
        }
        let shown = count.min(self.look.limit);
        let Some(values) = self.load_array::<T>(addr, shown) else {
            return self.addr(addr);
        };
        self.put("[");
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                self.put(", ");
            }
            print(self, value);
        }
        self.put(if shown < count { ", ...]" } else { "]" });
    }

    /// Prints `length` bytes at `addr`, at most `-s` of them.
    pub fn bytes(&mut self, addr: u64, length: u64, style: Style) {
        let shown = length.min(self.look.limit as u64) as usize;
        let mut bytes = vec![0; shown];
        if addr == 0 || self.tracee.read(addr, &mut bytes) != shown {
            return self.addr(addr);
        }
        match style {
            Style::Octal => self.quote(&bytes),
            Style::Hex => quote::quote(&mut self.text, &bytes, style),
        }
        if length > shown as u64 {
            self.put("...");
        }
    }

    /// Prints the string at `addr`, at most `-s` bytes of it.
    pub fn string(&mut self, addr: u64) {
        self.terminated(addr, self.look.limit);
    }

    /// Prints the path at `addr`, all of it.
    pub fn path(&mut self, addr: u64) {
        self.terminated(addr, 4095);
    }

    fn terminated(&mut self, addr: u64, limit: usize) {
        match self.load_string(addr, limit) {
            Some((bytes, whole)) => {
                self.quote(&bytes);
                if !whole {
                    self.put("...");
                }
            }
            None => self.addr(addr),
        }
    }

    /// Reads up to `limit` bytes of a string; the flag says that this was all of it.
    /// `None` where it runs into unreadable memory before either end.
    pub fn load_string(&self, addr: u64, limit: usize) -> Option<(Vec<u8>, bool)> {
        /// Most strings are short, and one read to the end of the page is always whole.
        const CHUNK: u64 = 256;
        const PAGE: u64 = 4096;
        let mut bytes = Vec::new();
        if addr == 0 {
            return None;
        }
        loop {
            let at = addr.wrapping_add(bytes.len() as u64);
            let wanted = CHUNK
                .min(PAGE - at % PAGE)
                .min((limit + 1 - bytes.len()) as u64);
            let mut chunk = [0; CHUNK as usize];
            let chunk = &mut chunk[..wanted as usize];
            if self.tracee.read(at, chunk) != chunk.len() {
                return None;
            }
            if let Some(end) = chunk.iter().position(|&byte| byte == 0) {
                bytes.extend_from_slice(&chunk[..end]);
                return Some((bytes, true));
            }
            bytes.extend_from_slice(chunk);
            if bytes.len() > limit {
                bytes.truncate(limit);
                return Some((bytes, false));
            }
        }
    }
}
